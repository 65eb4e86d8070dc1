"""Models of `coverage --json` (`alertdrill/coverage/v1`) and of the file of `--ignore`; how two coverages differ."""

import json
from collections.abc import Mapping
from datetime import date
from enum import StrEnum
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.scope import AlertRule

BY_LABELS = ("pillar", "severity")


class Status(StrEnum):
    """What drills say of a rule."""

    COVERED = "covered"
    CHANGED = "changed"
    NEW = "new"
    NOT_DETECTED = "not_detected"
    INCONCLUSIVE = "inconclusive"
    UNEXPECTED = "unexpected"
    ACCIDENTAL = "accidental"
    DEAD = "dead"
    NEVER_FIRED = "never_fired"


MEANINGS: Mapping[Status, str] = {
    Status.COVERED: "a drill expected it, and it detected the fault",
    Status.CHANGED: "it detected a fault in another form: the rule was changed since",
    Status.NEW: "no drill ran with it",
    Status.NOT_DETECTED: "drills expected it, and each time it missed, was late or told something else",
    Status.INCONCLUSIVE: "drills expected it, and none could tell",
    Status.UNEXPECTED: "it fired when something was broken, and no drill expects it",
    Status.ACCIDENTAL: "it fired only when nothing was broken",
    Status.DEAD: "no drill saw a series of what it reads: it could not fire",
    Status.NEVER_FIRED: "it never fired, and no drill expects it",
}


class _Frozen(BaseModel):
    model_config = ConfigDict(
        defer_build=True, frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True
    )


class RuleCoverage(_Frozen):
    """One alert rule."""

    alert: str
    labels: dict[str, str] = Field(description="that the rule itself gives its alerts")
    file: str = Field(description="as the engine, or the user, names it")
    line: int | None = Field(default=None, description="where the rule starts; null if rules came from an engine")
    group: str
    status: Status = Field(description="; ".join(f"{status}: {meaning}" for status, meaning in MEANINGS.items()))
    why: str = Field(description="the same in words, with what was seen")
    was: str | None = Field(default=None, description="the name under which it was drilled; null if it is the same")
    faults: dict[str, str] = Field(
        default={},
        description="fault (scenario/phase/fault) to what the rule did: a verdict, or `fired` where nobody expected it",
    )
    false_alarms: int = Field(default=0, description="how often it fired although nothing was broken")
    ignored: str | None = Field(default=None, description="the reason of the ignore file; null: it counts")


class FaultCoverage(_Frozen):
    """One fault that was delivered."""

    id: str = Field(description="scenario/phase/fault")
    kind: str
    share: float
    seen_by: tuple[str, ...] = Field(description="alerts that fired for it")
    expected: tuple[str, ...] = Field(description="alerts that its phase expected")


class Gap(_Frozen):
    """How many rules with one value of a label are covered."""

    label: str
    value: str = Field(description="empty: rules without this label")
    covered: int
    total: int


class Difference(_Frozen):
    """What changed since another coverage, by rule (alert, and the labels that its rule gives it)."""

    lost: tuple[str, ...] = Field(description="covered there, and here no more")
    gained: tuple[str, ...] = Field(description="covered here, and not there")
    uncovered: tuple[str, ...] = Field(description="not there at all, and not covered here")
    gone: tuple[str, ...] = Field(description="there, and here no more")


class CoverageResult(_Frozen):
    """The coverage of a set of rules by a set of drills."""

    schema_: Literal["alertdrill/coverage/v1"] = Field(default="alertdrill/coverage/v1", alias="schema")
    covered: int
    total: int = Field(description="rules in scope that are not ignored")
    share: float | None = Field(description="covered ÷ total; null where there is no rule")
    drills: tuple[str, ...] = Field(description="scenario/run of every drill that counted")
    rules: tuple[RuleCoverage, ...]
    faults: tuple[FaultCoverage, ...]
    unseen: tuple[str, ...] = Field(description="faults for which no alert fired")
    gaps: tuple[Gap, ...] = Field(description="by pillar and severity")
    notes: tuple[str, ...] = ()
    against: Difference | None = Field(default=None, description="null: nothing to compare with was given")

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, two spaces, a line end."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"


class Ignored(_Frozen):
    """Rules that coverage leaves out, and why."""

    alert: str | None = Field(default=None, description="name of the alert; none: any")
    labels: dict[str, str] = Field(default={}, description="labels that the rule gives its alerts")
    reason: str = Field(min_length=3, description="why it need not be drilled")
    until: date = Field(description="the last day on which it is left out, such as 2027-03-31")

    def speaks_of(self, rule: AlertRule) -> bool:
        """Whether it is about a rule."""
        wanted = self.labels | ({"alertname": self.alert} if self.alert else {})
        return bool(wanted) and all(rule.labels.get(name) == value for name, value in wanted.items())

    def text(self) -> str:
        """What it is about."""
        return self.alert or ", ".join(f"{name}={value}" for name, value in self.labels.items())


class IgnoreFile(_Frozen):
    """The file of `--ignore`."""

    ignore: tuple[Ignored, ...] = Field(description="rules that are left out")


def named(rule: RuleCoverage) -> str:
    """A rule's alert, with the labels that tell it from others of the same name."""
    labels = ", ".join(f'{name}="{value}"' for name, value in sorted(rule.labels.items()) if name in BY_LABELS)
    return f"{rule.alert}{{{labels}}}" if labels else rule.alert


def difference(before: CoverageResult, after: CoverageResult) -> Difference:
    """What changed between two coverages; rules that were only renamed are the same rule."""
    old = {named(one): one for one in before.rules if one.ignored is None}
    new = {named(one): one for one in after.rules if one.ignored is None}
    lost, gained, uncovered, kept = [], [], [], set()
    for name, one in new.items():
        was = old.get(name) or next((o for o in old.values() if one.was and o.alert == one.was), None)
        covered = one.status is Status.COVERED
        if was is None:
            gained += [name] if covered else []
            uncovered += [] if covered else [name]
            continue
        kept.add(named(was))
        was_covered = was.status is Status.COVERED
        lost += [name] if was_covered and not covered else []
        gained += [name] if covered and not was_covered else []
    gone = tuple(name for name in old if name not in kept)
    return Difference(lost=tuple(lost), gained=tuple(gained), uncovered=tuple(uncovered), gone=gone)
