from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import orjson
import pytest

from alertdrill.drift.cells import NumericCells
from alertdrill.drift.e_detector import log_threshold
from alertdrill.monitor.answers import BadAnswer, read_answer
from alertdrill.monitor.notes import Batch, Note
from alertdrill.monitor.predictions import MOST_CLASSES, Outputs, PredictionCounters
from alertdrill.monitor.tally import Output

Parse = Callable[[str], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}
POINTERS = {Output.SCORE: "/score", Output.LABEL: "/label"}


def counters(first: int = 100, references: Any = None, pointers: Any = None) -> PredictionCounters:
    return PredictionCounters(LABELS, Outputs(pointers or POINTERS, references or {}, first, log_threshold(2)))


def batch(*answers: Any, rows: int = 1) -> Batch:
    return read([orjson.dumps(answer) for answer in answers], rows)


def read(bodies: Sequence[Any], rows: int = 1) -> Batch:
    """What the account makes of the bodies of answers."""
    some: list[dict[str, Any]] = [{}] * rows
    return Batch([Note(200, 0.1, True, b"")] * len(bodies), [some] * len(bodies), list(map(read_answer, bodies)))


def drawn(count: int, mean: float = 0.0) -> list[dict[str, Any]]:
    scores = np.random.default_rng(3).normal(mean, 1.0, count)
    return [{"score": float(score), "label": int(score > 0)} for score in scores]


def seen_of(of: PredictionCounters, values: Parse) -> dict[tuple[str, ...], float]:
    return values("".join(of.render()))


def test_the_first_answers_become_the_reference_and_the_next_are_compared_with_it(values: Parse) -> None:
    of = counters(first=100)
    of.take(batch(*drawn(60)))
    before = seen_of(of, values)
    assert before["model_prediction_reference_rows", "score"] == 0
    assert not [name for name in before if name[0] == "model_prediction_values_total"]
    of.take(batch(*drawn(60)))
    after = seen_of(of, values)
    assert after["model_prediction_reference_rows", "score"] == after["model_prediction_reference_rows", "label"] == 100
    by_cell = {name[2]: n for name, n in after.items() if name[:2] == ("model_prediction_values_total", "score")}
    assert sum(by_cell.values()) == 20
    assert {"q01", "q10", "below", "above", "null", "missing", "type_error"} <= by_cell.keys()
    shares = [n for name, n in after.items() if name[:2] == ("model_prediction_reference_share", "score")]
    assert sum(shares) == pytest.approx(1.0)


def test_sums_and_classes_count_from_the_first_answer(values: Parse) -> None:
    of = counters()
    of.take(batch({"score": 1.5, "label": 1}, {"score": 0.5, "label": 0}, {"score": None, "label": True}))
    seen = seen_of(of, values)
    assert seen["model_prediction_count", "score"] == 2
    assert seen["model_prediction_sum", "score"] == 2.0
    assert seen["model_prediction_sum_squares", "score"] == 2.5
    classes = {name[1]: n for name, n in seen.items() if name[0] == "model_prediction_classes_total"}
    assert classes == {"1": 1, "0": 1, "true": 1}


def test_a_given_reference_counts_at_once(values: Parse) -> None:
    cells = NumericCells.from_reference(np.linspace(0.0, 1.0, 500))
    of = counters(references={Output.SCORE: cells}, pointers={Output.SCORE: "/score"})
    of.take(batch({"score": 2.0}, {"score": "0.5"}, {}, {"score": None}))
    seen = seen_of(of, values)
    counted = {name[2]: n for name, n in seen.items() if name[0] == "model_prediction_values_total" and n}
    assert counted == {"above": 1, "type_error": 1, "missing": 1, "null": 1}
    assert seen["model_prediction_reference_rows", "score"] == 500


def test_evidence_reaches_its_threshold_when_scores_drift(values: Parse) -> None:
    of = counters(first=2000)
    of.take(batch(*drawn(2000)))
    for start in range(0, 1000, 50):
        of.take(batch(*drawn(1000, mean=1.5)[start : start + 50]))
        of.update()
    seen = seen_of(of, values)
    for output in Output:
        reached = seen["model_prediction_drift_evidence", output.value]
        assert reached >= seen["model_prediction_drift_threshold", output.value]


def test_predictions_have_the_warnings_of_features_but_for_rows_that_repeat(values: Parse) -> None:
    of = counters(first=2000)
    warning = "model_prediction_drift_warning"
    assert not [name for name in seen_of(of, values) if name[0] == warning]
    of.take(batch(*drawn(2000)))
    before = seen_of(of, values)
    for output in Output:
        assert before[warning, output.value, "reference_too_small"] == 1
        assert before[warning, output.value, "dependent_in_time"] == 0
        assert (warning, output.value, "repeated_rows") not in before
    scores = np.random.default_rng(4).normal(0.0, 1.0, 2000)
    levels = np.repeat(np.random.default_rng(5).normal(0.0, 0.7, 40), 10)
    for start, level in enumerate(levels):
        some = scores[start * 5 : start * 5 + 5] + level
        of.take(batch(*[{"score": score, "label": 1} for score in some.tolist()]))
        of.update()
    assert seen_of(of, values)[warning, "score", "dependent_in_time"] == 1


def test_a_sentinel_among_the_scores_is_no_part_of_their_mean(values: Parse) -> None:
    cells = NumericCells.from_reference(np.r_[np.linspace(0.0, 1.0, 500), np.full(20, -999.0)])
    of = counters(references={Output.SCORE: cells}, pointers={Output.SCORE: "/score"})
    of.take(batch({"score": -999.0}, {"score": 0.5}))
    seen = seen_of(of, values)
    assert seen["model_prediction_sum", "score"] == 0.5
    assert seen["model_prediction_values_total", "score", "sentinel"] == 1


def test_a_batch_must_hold_a_prediction_for_each_row(values: Parse) -> None:
    of = counters(pointers={Output.LABEL: "/predictions"})
    of.take(batch({"predictions": [1, 0, 1]}, {"predictions": [1]}, {"predictions": 1}, rows=3))
    seen = seen_of(of, values)
    assert seen["model_malformed_answers_total", "wrong_batch"] == 2
    assert seen["model_prediction_classes_total", "1"] == 2


def test_answers_that_cannot_be_read_are_counted_by_reason(values: Parse) -> None:
    of = counters()
    bad = [b"", b"\xff\xfe", b'{"score": NaN}', BadAnswer.TOO_LARGE, b" " * (2 << 20)]
    of.take(read(bad))
    seen = seen_of(of, values)
    counted = {name[1]: n for name, n in seen.items() if name[0] == "model_malformed_answers_total"}
    assert counted == {"empty": 1, "bad_encoding": 1, "bad_json": 1, "too_large": 2, "wrong_batch": 0, "error": 0}


def test_classes_without_end_make_a_bounded_number_of_series(values: Parse) -> None:
    of = counters()
    of.take(batch(*[{"label": f"class-{i}" * 30} for i in range(1000)], {"label": {}}, {"label": [1]}))
    seen = seen_of(of, values)
    classes = {name[1]: n for name, n in seen.items() if name[0] == "model_prediction_classes_total"}
    assert len(classes) <= MOST_CLASSES + 1
    assert sum(classes.values()) == 1001


def test_an_absurd_score_does_not_swallow_the_sum(values: Parse) -> None:
    of = counters()
    of.take(batch({"score": 1e300}))
    before = seen_of(of, values)["model_prediction_sum", "score"]
    of.take(batch({"score": 0.5}))
    assert seen_of(of, values)["model_prediction_sum", "score"] - before == pytest.approx(0.5)


@pytest.mark.parametrize("absurd", [1e300, 1.7e308])
def test_an_absurd_score_among_the_first_leaves_every_figure_finite(values: Parse, absurd: float) -> None:
    of = counters(first=100, pointers={Output.SCORE: "/score"})
    of.take(batch(*drawn(99), {"score": absurd}, {"score": -absurd}, *drawn(50)))
    of.update()
    assert all(np.isfinite(number) for number in seen_of(of, values).values())
