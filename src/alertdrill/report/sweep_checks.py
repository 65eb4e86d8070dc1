"""A sweep for continuous integration: a line for each value. A sweep asks, so that none of them fails a job."""

from collections.abc import Iterator

from alertdrill.core.replay.sweep import Point, Sweep
from alertdrill.report.checks import Check, Outcome, Suite
from alertdrill.report.sweep_terminal import WRITTEN, shown


def of_sweep(sweep: Sweep) -> tuple[Suite, ...]:
    """One suite a recording: each expectation that the values make a difference to, under each of them."""
    keys = ", ".join(one.key for one in sweep.settings)
    return tuple(
        Suite(f"sweep of {keys}", one.folder, tuple(_checks(sweep, position)))
        for position, one in enumerate(sweep.points[0].recordings)
    )


def _checks(sweep: Sweep, position: int) -> Iterator[Check]:
    names = shown(sweep, position)
    for point in sweep.points:
        one = point.recordings[position]
        count = len(one.false_alarms)
        alarms = f"{count} false alarm{'s' * (count != 1)}"
        for each in (each for each in one.expectations if each.id in names):
            said = f"{each.id} under {_values(sweep, point)}"
            outcome = Outcome.PASSED if each.verdict == "detected" else Outcome.SKIPPED
            yield Check(said, outcome, each.verdict, f"{each.outcome}, {alarms}", each.ttd_s)


def _values(sweep: Sweep, point: Point) -> str:
    named = zip(sweep.settings, point.values, strict=True)
    return ", ".join(f"{one.key}={value.text}" for one, value in named) + f" ({WRITTEN})" * point.as_written
