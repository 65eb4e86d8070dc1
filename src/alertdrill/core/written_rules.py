"""Alert rules as they are written: what they say, and in which line of which file they say it."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass

from alertdrill.core.observations import RuleGroup, RuleInfo


@dataclass(frozen=True)
class WrittenRule:
    """A rule and its lines.

    Attributes:
        rule: what it says.
        line: where it starts, from 1.
        lines: line of each of its fields, such as `expr` and `for`, whose value starts there.
    """

    rule: RuleInfo
    line: int
    lines: Mapping[str, int]


@dataclass(frozen=True)
class WrittenGroup:
    """A group and its rules.

    Attributes:
        file: as the user named it; `-` is standard input.
        name: of the group.
        line: where it starts, from 1.
        interval_s: its own evaluation interval, seconds; None where the engine's holds.
        rules: in the order of the file, which is that of evaluation.
    """

    file: str
    name: str
    line: int
    interval_s: float | None
    rules: tuple[WrittenRule, ...]

    def loaded(self, evaluation_interval_s: float, file: str | None = None) -> RuleGroup:
        """The group as an engine that has not evaluated it yet would show it.

        Args:
            evaluation_interval_s: of an engine, for groups that state none.
            file: path under which the engine loads it, where that is another.
        """
        interval_s = evaluation_interval_s if self.interval_s is None else self.interval_s
        rules = tuple(one.rule for one in self.rules)
        return RuleGroup(self.file if file is None else file, self.name, interval_s, None, rules)


def places(groups: Iterable[WrittenGroup]) -> Iterator[tuple[WrittenGroup, WrittenRule]]:
    """Every rule with its group."""
    for group in groups:
        for one in group.rules:
            yield group, one
