from collections.abc import Callable

import pytest

from alertdrill.monitor.truth import intake as intake_module
from alertdrill.monitor.truth.feedback import MOST_ITEMS, Feedback
from alertdrill.monitor.truth.intake import Intake
from alertdrill.monitor.truth.joining import Outcome, Prediction, Tally
from alertdrill.monitor.truth.ledger import Ledger
from alertdrill.monitor.truth.proportions import Estimate
from alertdrill.monitor.truth.reading import Unread
from alertdrill.monitor.truth.report import Report, State, Window, nothing_known, render
from alertdrill.monitor.truth.window import KpiValue, Proxy
from alertdrill.protocols.figures import Metric

Parse = Callable[[str], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}


@pytest.mark.parametrize(
    ("labels", "predictions", "state"),
    [(30, 5, State.KNOWN), (29, 5, State.TOO_FEW), (0, 5, State.NO_LABELS), (0, 0, State.NO_PREDICTIONS)],
)
def test_exactly_one_state_holds_and_unknown_quality_is_absent_not_0(
    labels: int, predictions: int, state: State, values: Parse
) -> None:
    window = Window("1d", "1", labels, 30, {}, Proxy(predictions, None, None))
    seen = values("".join(render(Report(5.0, [window], {}), LABELS, known=True)))
    assert {one: seen["model_quality_state", "1d", one] for one in State} == {one: float(one is state) for one in State}
    assert not [name for name in seen if name[0] in ("model_quality", "model_quality_low", "model_proxy_quality")]


def test_labels_that_are_too_old_to_be_looked_at_came_nevertheless() -> None:
    assert Window("1d", "1", 0, 30, {}, Proxy(predictions=5, labelled=5)).state is State.TOO_FEW


def test_without_a_store_nothing_is_known() -> None:
    text = "".join(render(nothing_known(["1d"], "1", 0.0), LABELS, known=False))
    assert 'state="unknown"} 1.0' in text
    assert "model_quality{" not in text
    assert "model_quality_labels" not in text


def test_figures_have_bounds_and_kpis_their_version(values: Parse) -> None:
    window = Window("1d", "1", 30, 30, {Metric.F1: Estimate(0.5, 0.4, 0.6)}, Proxy(9, Estimate(0.2, 0.1, 0.3), None))
    seen = values("".join(render(Report(5.0, [window], {"1d": [KpiValue("k", "2", 7.0)]}), LABELS, known=True)))
    assert [seen[f"model_quality{end}", "1d", "f1"] for end in ("", "_low", "_high")] == [0.5, 0.4, 0.6]
    assert [seen[f"model_proxy_quality{end}", "1d", "positive_rate"] for end in ("", "_low", "_high")] == [
        0.2,
        0.1,
        0.3,
    ]
    assert seen["model_business_kpi", "k", "1d"] == 7.0


def test_lags_are_a_histogram_and_every_series_exists_from_the_start(values: Parse) -> None:
    ledger, intake = Ledger(), Intake()
    before = values("".join(ledger.render(LABELS, intake, 0)))
    tally = Tally(lags_s=[0.5, 100.0, 1e9])
    tally.outcomes[Outcome.JOINED] += 3
    ledger.add(tally)
    after = values("".join(ledger.render(LABELS, intake, 0)))
    assert before.keys() == after.keys()
    assert after["model_labels_total",] == 3
    assert after["model_label_lag_seconds_bucket", "600.0"] == 2
    assert after["model_label_lag_seconds_count",] == 3


def test_queues_are_bounded_and_what_does_not_fit_is_counted(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(intake_module, "MOST_SEEN", 3)
    monkeypatch.setattr(intake_module, "MOST_WAITING", MOST_ITEMS + 2)
    intake = Intake()
    for _ in range(5):
        intake.see(Prediction("a", 0.0, "1", "1", None))
    assert (intake.waiting, intake.unread[Unread.QUEUE_FULL]) == (3, 2)
    assert intake.room(100)
    intake.post([Feedback("a", "1")] * 3, 100)
    assert not intake.room(100)
    assert len(intake.take_posted(500)) == 3
    assert intake.room(100)
    assert not intake.room(intake_module.MOST_POSTED_BYTES + 1)
    assert len(list(intake.take_seen(500))) == 3
    assert intake.waiting == 0
