"""The errors that a user can meet, and how a mistake in a file is shown."""

import difflib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from alertdrill.protocols.bad_value import BadValue as BadValue

# AlertdrillError            carries the exit code of the command
# ├── BadInput           2   what the user gave cannot be used; nothing has been started
# └── Interrupted      130   the user stopped the drill
#
# BadValue (a ValueError)    one value cannot be used; models turn it into a Mistake

SHOWN_MISTAKES = 20
QUOTED_COLUMNS = 100


class AlertdrillError(Exception):
    """Base of every error that ends a command with a message instead of a traceback.

    Attributes:
        exit_code: what the command exits with.
    """

    exit_code: int = 3


@dataclass(frozen=True)
class Mistake:
    """One thing that the user wrote and that cannot be used.

    Attributes:
        where: path of the value, such as `phases[1].faults[0].share`, or the name of an option or file.
        got: what was found, as the user would write it.
        expected: what can stand there.
        fix: what to write or run instead.
        line: line of the value in `file`, from 1; None when no line is known.
        column: column of the value in characters, from 1.
        source: the whole line of the file, without its line end.
        file: path of the file, as the user gave it.
    """

    where: str
    got: str
    expected: str
    fix: str
    line: int | None = None
    column: int | None = None
    source: str | None = None
    file: str | None = None

    def render(self) -> str:
        """Several lines: place, quoted source line with a caret, got and expected, fix. No line end at the end."""
        lines = [_place(self)]
        if self.source is not None and self.column is not None:
            lines += _quote(self.source, self.column)
        lines.append(f"  got {self.got}, expected {self.expected}")
        lines.append(f"  fix: {self.fix}")
        return "\n".join(printable(line) for line in lines)


class BadInput(AlertdrillError):
    """What the user gave cannot be used; nothing has been started.

    Attributes:
        mistakes: every mistake that was found, in the order of the file; never empty.
    """

    exit_code = 2

    def __init__(self, mistakes: Sequence[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(self.render())

    def render(self) -> str:
        """The first 20 mistakes, a blank line between two, and the count of the others."""
        parts = [mistake.render() for mistake in self.mistakes[:SHOWN_MISTAKES]]
        left = len(self.mistakes) - len(parts)
        if left:
            parts.append(f"… and {left} more, shown when these are mended")
        return "\n\n".join(parts)


class Interrupted(AlertdrillError):
    """The user stopped the drill (Ctrl-C or SIGTERM)."""

    exit_code = 130


def nearest(name: str, known: Iterable[str]) -> str | None:
    """The known name that `name` was most likely meant to be (difflib ratio at least 0.6), or None."""
    lowered = {candidate.lower(): candidate for candidate in known}
    found = difflib.get_close_matches(name.lower()[:100], lowered, n=1, cutoff=0.6)
    return lowered[found[0]] if found else None


def _place(mistake: Mistake) -> str:
    place = [] if mistake.file is None else [mistake.file]
    place += [str(number) for number in (mistake.line, mistake.column) if number is not None]
    prefix = ":".join(place)
    return ": ".join(part for part in (prefix, mistake.where) if part)


def printable(text: str) -> str:
    """The text with a blank for every tab and a replacement character for whatever a terminal could obey."""
    return "".join(c if c.isprintable() else " " if c == "\t" else "\N{REPLACEMENT CHARACTER}" for c in text)


def _quote(source: str, column: int) -> list[str]:
    """The source line, cut around the column when long, and a caret under the column."""
    start = max(0, column - QUOTED_COLUMNS * 3 // 4) if len(source) > QUOTED_COLUMNS else 0
    quoted = printable(source[start : start + QUOTED_COLUMNS]).rstrip()
    left = "…" if start else ""
    right = "…" if start + QUOTED_COLUMNS < len(source) else ""
    return [f"    {left}{quoted}{right}", " " * (4 + len(left) + column - 1 - start) + "^"]
