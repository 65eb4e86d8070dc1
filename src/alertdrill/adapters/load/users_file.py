"""The User classes of a team's own locustfile."""

import sys
import traceback
from pathlib import Path

from locust import User, argument_parser
from locust.util.load_locustfile import load_locustfile

SHOWN = 300


class Unusable(Exception):
    """A locustfile that cannot be run.

    Attributes:
        got: what was found.
        expected: what can stand there.
        fix: what to do.
    """

    def __init__(self, got: str, expected: str, fix: str) -> None:
        super().__init__(got)
        self.got, self.expected, self.fix = got, expected, fix


def told(error: BaseException, file: Path) -> str:
    """An error in one line, with the last line of a file that led to it."""
    text = " ".join(str(error).split())[:SHOWN]
    what = f"{type(error).__name__}: {text}" if text else type(error).__name__
    if isinstance(error, SyntaxError):
        line = f":{error.lineno}" if error.lineno is not None else ""
        return f"{Path(error.filename or file).name}{line}: {type(error).__name__}: {error.msg}"
    lines = [one.lineno for one in traceback.extract_tb(error.__traceback__) if one.filename == str(file)]
    return f"{file.name}:{lines[-1]}: {what}" if lines else f"{file.name}: {what}"


def import_users(file: Path) -> list[type[User]]:
    """The User classes of a locustfile that can be run.

    Raises:
        Unusable: it cannot be imported, or has none.
    """
    sys.path.append(str(file.parent))  # Locust takes it away again, and tasks may import what lies beside the file
    check = f"mend it; `locust -f {file.name} --list` must name its users"
    try:
        found, _ = load_locustfile(str(file))
    except BaseException as error:
        raise Unusable(told(error, file), "a locustfile that can be imported", check) from error
    if not found:
        fix = "add one: class Caller(HttpUser), with a @task that posts to the endpoint"
        raise Unusable(f"{file.name} without a User class", "a locustfile with a User class that is not abstract", fix)
    return list(found.values())


def options(file: Path, users: int, host: str) -> object:
    """What Locust's command line would say, with the defaults of options that the locustfile adds.

    Raises:
        Unusable: an option of its own has no default.
    """
    try:
        parser = argument_parser.get_parser(default_config_files=[])
        return parser.parse_args(["--headless", "--users", str(users), "--host", host])
    except (Exception, SystemExit) as error:
        fix = "give every option that it adds to Locust's command line a default"
        raise Unusable(f"{file.name}: options that nobody gives", "a locustfile that needs no options", fix) from error
