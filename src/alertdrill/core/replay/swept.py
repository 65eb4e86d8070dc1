"""From replays under several values to the table that they make."""

from collections.abc import Iterable, Sequence

from alertdrill.core.replay.comparison import RecordingReplay, counted, false_alarms, verdict_of
from alertdrill.core.replay.settings import Choice, Name, Setting
from alertdrill.core.replay.sweep import Point, Sweep, SweptExpectation, SweptRecording, SweptSetting, SweptValue

AS_WRITTEN = "as written"


def point(
    values: Sequence[SweptValue], as_written: bool, recordings: Sequence[RecordingReplay], fail_on: Iterable[str]
) -> Point:
    """One combination of values and what became of every recording."""
    counts = counted(recordings)
    return Point(
        values=tuple(values),
        as_written=as_written,
        verdict=verdict_of(counts, fail_on),
        counts=counts,
        recordings=tuple(map(_recording, recordings)),
    )


def chosen_values(choices: Iterable[Choice]) -> tuple[SweptValue, ...]:
    """The values of a combination."""
    return tuple(SweptValue(value=one.value, text=one.setting.text(one.value)) for one in choices)


def written_value(setting: Setting, found: frozenset[float]) -> SweptValue:
    """What the rules say of a setting, where they agree."""
    if len(found) != 1:
        return SweptValue(value=None, text=AS_WRITTEN)
    (value,) = found
    return SweptValue(value=value, text=setting.text(value))


def sweep(settings: Sequence[Setting], points: Sequence[Point], written: Point) -> Sweep:
    """All combinations together; what is written stands among them where its values do.

    Args:
        settings: those with several values.
        points: in the order of their values.
        written: the rules without these settings; left out where one of the points is just that.
    """
    found = list(points)
    if not any(one.as_written for one in points):
        found.insert(_position(found, written), written)
    return Sweep(settings=tuple(map(_setting, settings)), points=tuple(found))


def _position(points: Sequence[Point], written: Point) -> int:
    """Before the first that is larger where one setting ascends, else first of all."""
    numbers = [one.values[0].value for one in points]
    known = [one for one in numbers if one is not None]
    mine = written.values[0].value
    if len(written.values) > 1 or mine is None or known != sorted(known):
        return 0
    return sum(one < mine for one in known)


def _setting(one: Setting) -> SweptSetting:
    return SweptSetting(key=one.key, unit="" if one.name is Name.THRESHOLD else "s", alert=one.alert)


def _recording(one: RecordingReplay) -> SweptRecording:
    outcomes = {change.id: change.outcome for change in one.changes}
    return SweptRecording(
        folder=one.folder,
        verdict=one.result.verdict.value,
        expectations=tuple(
            SweptExpectation(
                id=each.id,
                alert=each.alert,
                verdict=each.verdict.value,
                outcome=outcomes[each.id],
                ttd_s=each.ttd_s,
                code=None if each.reason is None else each.reason.code,
            )
            for each in one.result.expectations
            if each.id in outcomes
        ),
        false_alarms=tuple(false_alarms(one.result)),
        notes=one.notes,
    )
