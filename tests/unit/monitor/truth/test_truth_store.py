"""The store with real SQLite files: joining, forgetting, windows, KPIs, setting aside."""

import sqlite3
from collections.abc import Iterator
from pathlib import Path

import pytest

from alertdrill.monitor.sampling import is_sampled
from alertdrill.monitor.truth import window
from alertdrill.monitor.truth.feedback import Feedback, Refusal
from alertdrill.monitor.truth.joining import Joiner, Outcome, Prediction, Tally, kpi_names
from alertdrill.monitor.truth.kpis import parse_kpi
from alertdrill.monitor.truth.measuring import measure
from alertdrill.monitor.truth.quality import quality
from alertdrill.monitor.truth.report import State
from alertdrill.monitor.truth.retention import Retention
from alertdrill.monitor.truth.settings import TruthSettings
from alertdrill.monitor.truth.store import Ailment, Store, UnusableStore, quarantine
from alertdrill.monitor.truth.window import Span
from alertdrill.protocols.figures import Metric, Task

NOW = 1_000_000.0


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = Store(tmp_path / "truth.db")
    yield opened
    opened.close()


def prediction(
    identity: str, predicted: str = "1", score: float = 0.5, at: float = NOW, version: str = "1"
) -> Prediction:
    return Prediction(identity, at, version, predicted, score)


def write(
    store: Store, predictions: list[Prediction], feedback: list[Feedback], now: float = NOW, share: float = 1.0
) -> Tally:
    with store.transaction() as db:
        joiner = Joiner(db, now, share, {"computed"})
        joiner.predictions(predictions)
        joiner.feedback(feedback)
    return joiner.tally


def test_a_label_joins_whichever_came_first(store: Store) -> None:
    early = write(store, [], [Feedback("a", "1")], NOW - 10)
    assert early.outcomes == {Outcome.EARLY: 1}
    tally = write(store, [prediction("a"), prediction("b")], [Feedback("b", "0")], NOW + 5)
    assert tally.outcomes == {Outcome.PREDICTED: 2, Outcome.JOINED: 2}
    assert tally.lags_s == [0.0, 5.0]


def test_repeats_are_counted_and_change_nothing(store: Store) -> None:
    write(store, [prediction("a")], [Feedback("a", "1", click=True, kpis=(("k", 2.0),))])
    tally = write(store, [prediction("a", "0")], [Feedback("a", "1", click=True, kpis=(("k", 2.0),))], NOW + 1)
    assert tally.outcomes == {Outcome.PREDICTED_TWICE: 1, Outcome.DUPLICATE: 3}
    assert not tally.lags_s


def test_the_newer_of_two_labels_holds(store: Store) -> None:
    write(store, [prediction("a", at=NOW - 100)], [Feedback("a", "1", at=NOW - 50)])
    assert write(store, [], [Feedback("a", "0", at=NOW - 60)]).outcomes == {Outcome.DUPLICATE: 1}
    assert write(store, [], [Feedback("a", "0", at=NOW - 40)]).outcomes == {Outcome.CHANGED: 1}
    assert store.db.execute("SELECT label FROM answers").fetchall() == [("0",)]


def test_a_label_from_the_future_came_now(store: Store) -> None:
    write(store, [prediction("a")], [Feedback("a", "1", at=NOW + 1e6)])
    assert store.db.execute("SELECT labelled_at FROM answers").fetchall() == [(NOW,)]


def test_a_share_of_ids_is_kept_with_their_labels(store: Store) -> None:
    ids = [f"id{at}" for at in range(2_000)]
    tally = write(store, [prediction(one) for one in ids], [Feedback(one, "1") for one in ids], share=0.25)
    assert tally.outcomes[Outcome.JOINED] == tally.outcomes[Outcome.PREDICTED]
    assert 420 < tally.outcomes[Outcome.JOINED] < 580
    assert all(is_sampled(one, 1.0) for one in ids)


def test_a_transaction_that_fails_leaves_nothing(store: Store) -> None:
    def fail_after(db: sqlite3.Connection) -> None:
        Joiner(db, NOW, 1.0, ()).predictions([prediction("a")])
        raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError), store.transaction() as db:
        fail_after(db)
    assert store.db.execute("SELECT count(*) FROM answers").fetchone() == (0,)


def test_names_of_kpis_are_bounded_and_computed_ones_are_not_posted(store: Store) -> None:
    posted = [Feedback(None, kpis=((f"k{at}", 1.0),)) for at in range(25)]
    tally = write(store, [], [Feedback(None, kpis=(("computed", 1.0),)), *posted, Feedback(None, kpis=(("k0", 1.0),))])
    assert tally.refusals == {Refusal.KPI_NAMES: 6}
    assert kpi_names(store.db) == {f"k{at}" for at in range(20)}


def test_what_waited_in_vain_and_what_is_too_much_is_forgotten(store: Store) -> None:
    write(store, [], [Feedback("early", "1")], NOW - 100)
    write(store, [prediction(f"p{at}") for at in range(30)], [])
    with store.transaction() as db:
        assert Retention(rows=10, age_s=1e9, early_s=50.0).apply(db, NOW) == (1, 20)
        assert Retention(rows=10, age_s=5.0, early_s=50.0).apply(db, NOW + 1) == (0, 0)
        assert Retention(rows=10, age_s=5.0, early_s=50.0).apply(db, NOW + 6) == (0, 10)


def test_names_of_kpis_are_free_again_when_their_values_are_forgotten(store: Store) -> None:
    write(store, [], [Feedback(None, kpis=(("old", 1.0),))], NOW - 100)
    write(store, [], [Feedback(None, kpis=(("new", 1.0),))])
    with store.transaction() as db:
        Retention(rows=100, age_s=50.0, early_s=50.0).apply(db, NOW)
    assert kpi_names(store.db) == {"new"}


def test_a_window_holds_the_newest_labels_that_came_within_it(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    rows = [prediction(f"p{at}", str(at % 2), at / 100) for at in range(100)]
    write(store, rows, [])
    for at in range(100):  # the truth was known long ago, but came only now
        write(store, [], [Feedback(f"p{at}", "1" if at >= 50 else "0", at=NOW - 9_999)], NOW - at)
    write(store, [prediction("old")], [Feedback("old", "1")], NOW - 1_000)
    found = window.labelled(store.db, Span(NOW - 500, NOW), Task.CLASSIFICATION, "1")
    assert len(found) == 100
    figures = quality(Task.CLASSIFICATION, found)
    assert figures[Metric.ACCURACY].value == 0.5
    assert figures[Metric.AUC].value == 1.0
    assert figures[Metric.RECALL].value == 0.5
    assert len(window.labelled(store.db, Span(NOW - 10, NOW), Task.CLASSIFICATION, "1")) == 10
    monkeypatch.setattr(window, "MOST_ROWS", 20)
    newest = window.labelled(store.db, Span(NOW - 500, NOW), Task.CLASSIFICATION, "1")
    assert newest.scores.tolist() == [at / 100 for at in range(20)]
    assert window.versions(store.db, Span(NOW - 500, NOW)) == ["1"]


def test_regression_has_errors_and_nothing_else(store: Store) -> None:
    rows = [Prediction(f"p{at}", NOW, "1", float(at), None) for at in range(20)]
    write(store, rows, [Feedback(f"p{at}", at + 2.0) for at in range(20)])
    found = quality(Task.REGRESSION, window.labelled(store.db, Span(NOW - 1, NOW), Task.REGRESSION, "1"))
    assert {metric: estimate.value for metric, estimate in found.items()} == {Metric.RMSE: 2.0, Metric.MAE: 2.0}


def test_kpis_are_computed_and_summed_by_version_and_scaled_by_the_share(store: Store) -> None:
    rows = [prediction(f"p{at}", "1", 0.6, version="12"[at % 2]) for at in range(8)]
    said = [Feedback(f"p{at}", "1" if at < 4 else "0", value=10.0, kpis=(("revenue", 1.5),)) for at in range(8)]
    write(store, rows, [*said, Feedback(None, kpis=(("revenue", 100.0),), version="3")])
    texts = ["caught=sum(value where label = 1 and predicted = 1)", "hits=count(label = 1)", "share=rate(label = 1)",
             "worth=mean(value)", "missed=count(predicted != '1')"]  # fmt: skip
    kpis = [parse_kpi(text, Task.CLASSIFICATION) for text in texts]
    span = Span(NOW - 1, NOW)
    found = {(kpi.name, kpi.version): kpi.value for kpi in window.computed_kpis(store.db, span, kpis, ["1", "9"], 0.5)}
    assert found == {
        ("caught", "1"): 40.0, ("hits", "1"): 4.0, ("share", "1"): 0.5, ("worth", "1"): 10.0, ("missed", "1"): 0.0,
    }  # fmt: skip
    posted = window.posted_kpis(store.db, span, "1", ["revenue"])
    assert [(kpi.version, kpi.value) for kpi in posted] == [("1", 6.0), ("2", 6.0), ("3", 100.0)]


@pytest.mark.parametrize(
    "text",
    [
        "x",
        "a=b",
        "a=sum(label)",
        "a=count(label < 1)",
        "a=count(score > high)",
        "a=rate(other = 1)",
        "1a=count(label = 1)",
        "a=count(label = 1); DROP TABLE answers",
        "a=count()",
    ],
)
def test_a_formula_that_is_none_is_explained(text: str) -> None:
    with pytest.raises(ValueError, match="fix: write "):
        parse_kpi(text, Task.CLASSIFICATION)


def test_clicks_are_unknown_until_one_was_reported(store: Store) -> None:
    span = Span(NOW - 1, NOW)
    write(store, [prediction(f"p{at}", str(at % 2)) for at in range(10)], [])
    assert window.proxies(store.db, span, "1", ["1"])["1"].clicks is None
    write(store, [], [Feedback("p0", click=True), Feedback("p1", click=False)])
    proxy = window.proxies(store.db, span, "1", ["1", "2"])["1"]
    assert proxy.clicks is not None
    assert proxy.positive is not None
    assert (proxy.predictions, proxy.clicks.value, proxy.positive.value) == (10, 0.1, 0.5)


def test_each_version_has_its_own_figures(store: Store) -> None:
    rows = [prediction(f"p{at}", str(at % 2), at / 40, version="12"[at % 2]) for at in range(40)]
    write(store, [*rows, prediction("late", version="3")], [Feedback(f"p{at}", "1") for at in range(40)])
    found = window.labelled(store.db, Span(NOW - 1, NOW), Task.CLASSIFICATION, "1")
    assert [len(found.of(version)) for version in ("1", "2", "3")] == [20, 20, 0]
    accuracy = [quality(Task.CLASSIFICATION, found.of(version))[Metric.ACCURACY].value for version in ("1", "2")]
    assert accuracy == [0.0, 1.0]
    assert sorted(found.of("2").scores.tolist()) == [at / 40 for at in range(1, 40, 2)]
    proxies = window.proxies(store.db, Span(NOW - 1, NOW), "1", ["1", "3", "4"])
    seen = {version: (one.predictions, one.labelled) for version, one in proxies.items()}
    assert seen == {"1": (20, 20), "3": (1, 0)}


def test_the_store_is_looked_through_as_often_for_eight_versions_as_for_one(store: Store) -> None:
    settings = TruthSettings.model_validate({"truth_store": store.path, "kpi": ["hits=count(label = 1)"]})
    kpis, asked = [parse_kpi(text, settings.task) for text in settings.kpis], list[int]()
    for version in range(8):
        rows = [prediction(f"{version}-{at}", version=str(version)) for at in range(40)]
        write(store, rows, [Feedback(one.id, "1") for one in rows])
        statements = list[str]()
        store.db.set_trace_callback(statements.append)
        report = measure(store.db, settings, "0", kpis, NOW + 1)
        store.db.set_trace_callback(None)
        assert [one.state for one in report.windows] == [State.KNOWN] * (version + 1)
        asked.append(len(statements))
    assert asked == asked[:1] * 8


def test_a_file_that_is_no_store_is_corrupt_and_a_store_of_another_layout_too(tmp_path: Path) -> None:
    (tmp_path / "text").write_bytes(b"no store" * 1_000)
    with sqlite3.connect(tmp_path / "other") as db:
        db.execute("CREATE TABLE mine (x)")
    db.close()
    for name in ("text", "other"):
        with pytest.raises(UnusableStore) as found:
            Store(tmp_path / name)
        assert found.value.ailment is Ailment.CORRUPT


def test_only_the_newest_stores_that_were_set_aside_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "truth.db"
    for at in range(5):
        path.write_text(str(at))
        Path(f"{path}-wal").write_text(str(at))
        quarantine(path, NOW + at)
    kept = sorted(one.read_text() for one in tmp_path.iterdir())
    assert kept == ["2", "2", "3", "3", "4", "4"]


def test_an_early_label_joins_once_however_often_its_id_is_predicted(store: Store) -> None:
    write(store, [], [Feedback("a", "1"), Feedback("b", click=True)], NOW - 10)
    tally = write(store, [prediction("a", "0"), prediction("a", "1"), prediction("b")], [])
    assert tally.outcomes == {Outcome.PREDICTED: 2, Outcome.PREDICTED_TWICE: 1, Outcome.JOINED: 1}
    assert store.db.execute("SELECT predicted, joined_at FROM answers WHERE id = 'a'").fetchall() == [("0", NOW)]


def test_absurd_numbers_leave_the_rest_readable(store: Store) -> None:
    sizes = [1.7e308, 1.7e308, -1.7e308, -1.7e308]
    worst = [Feedback(f"p{at}", size, kpis=(("k", size),)) for at, size in enumerate(sizes)]
    write(store, [Prediction(f"p{at}", NOW, "1", -1.7e308, None) for at in range(4)], worst)
    span = Span(NOW - 1, NOW)
    found = quality(Task.REGRESSION, window.labelled(store.db, span, Task.REGRESSION, "1"))
    assert found[Metric.MAE].value == 0.0
    assert all(kpi.value is not None for kpi in window.posted_kpis(store.db, span, "1", ["k"]))
