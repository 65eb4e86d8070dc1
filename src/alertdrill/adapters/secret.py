"""Secrets that a scenario names: read when they are needed, so that one that has rotated is the new one."""

import os
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.yaml_file import beside
from alertdrill.core.scenario import FromEnvironment, FromFile

MAX_BYTES = 65_536


class NoSecret(Exception):
    """A secret cannot be had.

    Attributes:
        got: what was found instead.
        expected: what must be there.
        fix: how to mend it.
    """

    def __init__(self, got: str, expected: str, fix: str) -> None:
        super().__init__(f"{got}, expected {expected}")
        self.got, self.expected, self.fix = got, expected, fix


@dataclass(frozen=True)
class SecretAt:
    """One secret.

    Attributes:
        where: how it is named to people, such as `the variable PROM_TOKEN`.
        file: the file that holds it; None: an environment variable does.
        read: gives the secret as it is now; raises NoSecret.
    """

    where: str
    file: Path | None
    read: Callable[[], str]


def secret_at(written: FromEnvironment | FromFile, scenario_path: Path) -> SecretAt:
    """The secret that a scenario names; a file's name is relative to the scenario."""
    if isinstance(written, FromEnvironment):
        return SecretAt(f"the variable {written.env}", None, lambda: _from_environment(written.env))
    file = beside(scenario_path, written.file).absolute()
    return SecretAt(f"the file {written.file}", file, lambda: _from_file(written.file, file))


def _from_environment(name: str) -> str:
    text = os.environ.get(name)
    if text is None:
        got, fix = f"the variable {name}, which is not set", f"export {name} before alertdrill is started"
        raise NoSecret(got, "a variable that holds the secret", fix)
    return _checked(text, f"the variable {name}")


def _from_file(name: str, file: Path) -> str:
    fix = "check the path and who may read it"
    try:
        with file.open("rb") as opened:
            data = opened.read(MAX_BYTES + 1)
    except OSError as error:
        raise NoSecret(f"the file {name}: {error.strerror}", "a file that holds the secret", fix) from None
    if len(data) > MAX_BYTES:
        raise NoSecret(f"the file {name}, larger than {MAX_BYTES} bytes", "a file that holds nothing else", fix)
    return _checked(data.decode("latin-1"), f"the file {name}")


def _checked(text: str, where: str) -> str:
    text = text.strip()
    if not text or not text.isascii() or not text.isprintable():
        got = f"{where}, which " + ("is empty" if not text else "holds more than one line of plain ASCII text")
        raise NoSecret(got, "one line of plain ASCII text", "write the secret there, and nothing else")
    return text
