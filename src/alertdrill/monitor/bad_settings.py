"""What is wrong with settings: every mistake at once, in the words in which they were given."""

import re
from collections.abc import Callable
from typing import NamedTuple

_MARK = "\N{INVISIBLE SEPARATOR}"


def named(setting: str) -> str:
    """The name of a setting in a text, which is shown as it is written where it was given."""
    return f"{_MARK}{setting}{_MARK}"


def option(setting: str) -> str:
    """A setting as an option of the command line."""
    return "--" + setting.replace("_", "-")


class Mistake(NamedTuple):
    """One mistake.

    Attributes:
        where: the setting, as `named` gives it, or several.
        what: was got, and what was expected.
        fix: what to do.
    """

    where: str
    what: str
    fix: str


class BadSettings(ValueError):
    """Settings that cannot be used."""

    def __init__(self, *mistakes: Mistake) -> None:
        self._mistakes = mistakes
        super().__init__(self.said(str))

    def said(self, written: Callable[[str], str] = option) -> str:
        """Every mistake and how to fix it.

        Args:
            written: a setting's name as it was given.
        """
        text = "\n".join(f"{one.where}\n  {one.what}\n  fix: {one.fix}" for one in self._mistakes)
        return re.sub(f"{_MARK}([a-z_]+){_MARK}", lambda found: written(found[1]), text)
