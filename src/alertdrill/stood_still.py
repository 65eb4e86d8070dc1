"""What to say of a process that stood still, from the stack of its main thread."""

import ast
import re
from pathlib import Path

FRAME = re.compile(r'  File "(?P<file>.*)", line (?P<line>\d+) in (?P<name>.*)')


def stood_still(stack: str, file: Path, for_s: float) -> str:
    """What to say of a process whose hub has not turned, in one line.

    Args:
        stack: of its main thread, as faulthandler writes it, innermost call first.
        file: whose code is suspected.
        for_s: how long it has not turned.
    """
    frames = [found.groupdict() for line in stack.splitlines() if (found := FRAME.fullmatch(line))]
    written = str(file).encode("ascii", "backslashreplace").decode()  # as faulthandler does
    own = [one for one in frames if one["file"] == written and one["name"] != "<module>"]
    where = _place(own[0]) + f": {_named(file, own[0])}" if own else file.name
    caller = f", called by {_named(file, own[-1])}," if len(own) > 1 else ""
    inside = f" (now in {frames[0]['name']}, {_place(frames[0])})" if frames and frames[0] not in own[:1] else ""
    return (
        f"{where}{caller} has kept all users from running for {for_s:.0f} s{inside}, expected code that waits with "
        "gevent; let it sleep or do its input and output the way gevent patches, and give long work to "
        "gevent.get_hub().threadpool"
    )


def _place(frame: dict[str, str]) -> str:
    return f"{Path(frame['file']).name}:{frame['line']}"


def _named(file: Path, frame: dict[str, str]) -> str:
    """A function with the classes around it, as far as its file can be read."""
    line, name = int(frame["line"]), frame["name"]
    try:
        tree = ast.parse(file.read_bytes())
    except (OSError, SyntaxError, ValueError):
        return name
    classes = [node for node in ast.walk(tree) if isinstance(node, ast.ClassDef)]
    around = [node for node in classes if node.lineno <= line <= (node.end_lineno or 0)]
    return ".".join([*(node.name for node in sorted(around, key=lambda node: node.lineno)), name])
