"""Drills that two replicas of a Prometheus watched: each sees its own world, which tests disturb one by one."""

from dataclasses import replace
from typing import Any

from drill import Drill, expect, nulls_phase

from alertdrill.core import journal as records
from alertdrill.core.observations import RawSeries
from alertdrill.core.recording import Recording, merge
from alertdrill.core.result import ExpectationResult, Result
from alertdrill.run.checker import judge

NAMES = ("http://a:9090", "http://b:9090")
OF_ONE = (
    *(records.Engine, records.Process, records.Clock, records.Rules),
    *(records.Evaluated, records.Answer, records.Fill),
)


class Pair:
    """A drill asked of two replicas; `a` and `b` are what each saw, and what both share is in `a`'s journal."""

    def __init__(self, *phases: dict[str, Any], b: dict[str, Any] | None = None, **changes: Any) -> None:
        self.a = Drill(*phases, **changes)
        self.b = Drill(*phases, **changes, **(b or {}))
        self.label: str | None = None

    def journal(self) -> list[records.Record]:
        """The records of both, those of one replica with its name."""
        own = [
            one.model_copy(update={"replica": name})
            for name, drill in zip(NAMES, (self.a, self.b), strict=True)
            for one in drill.journal
            if isinstance(one, OF_ONE) or (isinstance(one, records.Trouble) and one.replica == name)
        ]
        common = [one for one in self.a.journal if not isinstance(one, (*OF_ONE, records.Trouble))]
        shared = [one for one in self.a.journal if isinstance(one, records.Trouble) and one.replica is None]
        told = records.Replicas(at=self.a.journal[0].at, names=NAMES, label=self.label, apart=True)
        return [*common, told, *own, *shared]

    def recording(self) -> Recording:
        """The samples of both, as they are kept."""
        return replace(self.a.recording(), replicas={NAMES[1]: self.b.recording()})

    def judge(self) -> Result:
        """The result."""
        return judge(self.a.plan, self.journal(), self.recording())

    def expectation(self) -> ExpectationResult:
        """The result of the first expectation."""
        return self.judge().expectations[0]

    def lose(self, name: str, after_ms: int) -> "Pair":
        """Have one die so long after the first effect."""
        lost, at = self.a if name == NAMES[0] else self.b, self.a.start_ms() + after_ms
        lost.cut(at)
        what = f"{name} has given no answer that can be used for 3 s: refused"
        lost.add(records.Trouble(at=at / 1000, kind="engine_gone", what=what, replica=name))
        return self


def pair(b: dict[str, Any] | None = None, phase: dict[str, Any] | None = None, **changes: Any) -> Pair:
    """A drill of one phase with nulls, that expects NullsHigh, on two replicas; nothing fires yet."""
    return Pair(nulls_phase(**(phase or {}), expect=[expect(**changes)]), b=b)


def later(drill: Drill, by_ms: int, until_ms: int | None = None) -> Drill:
    """Have NullsHigh fire like `detect`, `by_ms` later."""
    pending = drill.evaluation(drill.start_ms() + 1200) + by_ms
    last = drill.evaluation(drill.last_ms() + 4000) + by_ms if until_ms is None else until_ms
    return drill.fire(pending, pending + 2000, last)


class Together:
    """The same two worlds in one store, told apart by a label; what `shared` has is of neither alone."""

    LABEL = "prometheus_replica"

    def __init__(self, both: Pair, *shared: str) -> None:
        self.both, self.shared = both, shared

    def _labelled(self, series: RawSeries, name: str) -> RawSeries:
        more = {} if series.labels["__name__"] in self.shared else {self.LABEL: name}
        return replace(series, labels={**series.labels, **more})

    def judge(self) -> Result:
        """The result."""
        a, b = self.both.a, self.both.b
        series = merge(
            self._labelled(one, name)
            for name, drill in (("a", a), ("b", b))
            for one in drill.series
            if len(one.times_ms)
        )
        told = records.Replicas(at=a.journal[0].at, names=("a", "b"), label=self.LABEL, apart=False)
        recording = Recording(a.from_ms, a.to_ms, series)
        return judge(a.plan, [*a.journal, told], recording)
