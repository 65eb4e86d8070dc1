"""A sweep in few words."""

from alertdrill.core.replay.outcome import Outcome
from alertdrill.core.replay.sweep import Point, Sweep, SweptExpectation, SweptRecording, SweptSetting, SweptValue
from alertdrill.core.result import Code

NULLS = "nulls/NullsHigh"
DRIFT = "drift/FeatureDrift"


def expectation(ttd_s: float | None, verdict: str | None = None, name: str = NULLS) -> SweptExpectation:
    verdict = verdict or ("missed" if ttd_s is None else "detected")
    outcome = Outcome.KEPT if verdict == "detected" else Outcome.LOST
    code = None if verdict == "detected" else Code.NEVER_PENDING
    return SweptExpectation(id=name, alert=name.split("/")[1], verdict=verdict, outcome=outcome, ttd_s=ttd_s, code=code)


def point(
    value: float | None, *found: SweptExpectation, as_written: bool = False, false_alarms: int = 0, **others: str
) -> Point:
    texts = [SweptValue(value=value, text="as written" if value is None else f"{value:g}")]
    texts += [SweptValue(value=float(text), text=text) for text in others.values()]
    return Point(
        values=tuple(texts),
        as_written=as_written,
        verdict="passed",
        counts={},
        recordings=(
            SweptRecording(
                folder="results/<nulls> & more",
                verdict="passed",
                expectations=found,
                false_alarms=tuple(map(str, range(false_alarms))),
                notes=(),
            ),
        ),
    )


def sweep(*points: Point, keys: tuple[str, ...] = ("NullsHigh.threshold",)) -> Sweep:
    settings = tuple(SweptSetting(key=key, unit="", alert=key.split(".")[0] if "." in key else None) for key in keys)
    return Sweep(settings=settings, points=points)


THREE = sweep(
    point(0.01, expectation(2.0), expectation(1.5, name=DRIFT), false_alarms=3),
    point(0.05, expectation(4.0), expectation(1.5, name=DRIFT), as_written=True),
    point(0.5, expectation(None), expectation(1.5, name=DRIFT)),
)
