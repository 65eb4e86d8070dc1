"""Rules as teams keep them, before any engine has loaded them."""

import hashlib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.rule_documents import STDIN, read_rules
from alertdrill.core.plan import RuleText
from alertdrill.core.replay.dependencies import Place, Rules
from alertdrill.core.replay.rule_changes import Written
from alertdrill.core.written_rules import WrittenGroup


@dataclass(frozen=True)
class RuleSet:
    """Rules as they are written.

    Attributes:
        sources: files and folders, as they were given.
        groups: of all of them.
        texts: the files.
    """

    sources: tuple[str, ...]
    groups: tuple[WrittenGroup, ...]
    texts: tuple[RuleText, ...]

    def rules(self, evaluation_interval_s: float) -> Rules:
        """The rules, where groups without an interval of their own have this one."""
        return Rules(tuple(one.loaded(evaluation_interval_s, _absolute(one.file)) for one in self.groups))

    def written(self, rules: Rules) -> Mapping[Place, Written]:
        """Where each rule stands."""
        found = {place: self.groups[place.group] for place in rules.places}
        return {place: Written(group.file, group.rules[place.rule].lines) for place, group in found.items()}

    def asks(self, rules: Rules) -> Mapping[Place, tuple[str, ...]]:
        """By rule, settings of its group that a recording knows nothing of."""
        return {place: self.groups[place.group].asks for place in rules.places}


def _absolute(file: str) -> str:
    return file if file == STDIN else str(Path(file).absolute())


def read_rule_set(sources: Sequence[Path]) -> RuleSet:
    """Rules where teams keep them.

    Raises:
        BadInput: they cannot be read.
    """
    names = tuple(map(str, sources))
    groups = read_rules(names)
    files = dict.fromkeys(one.file for one in groups if one.file != STDIN)
    return RuleSet(names, groups, tuple(_text(Path(file)) for file in files))


def _text(file: Path) -> RuleText:
    text = file.read_text(encoding="utf-8-sig")
    return RuleText(path=str(file.absolute()), text=text, sha256=hashlib.sha256(text.encode()).hexdigest())
