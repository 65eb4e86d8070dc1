import gzip
import tracemalloc
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertdrill.drift.cells import Cells
from alertdrill.drift.e_detector import EDetector
from alertdrill.monitor import account as account_module
from alertdrill.monitor.account import HEADS_AT_A_TIME, Account
from alertdrill.monitor.answers import BadAnswer
from alertdrill.monitor.bodies import Bodies
from alertdrill.monitor.notes import Batch, Note, Taker, head_bytes, held_bytes
from alertdrill.monitor.predictions import Outputs, PredictionCounters
from alertdrill.monitor.tally import Output
from alertdrill.protocols.features import Feature, FeatureKind
from alertdrill.protocols.instances import Instances

Parse = Callable[[bytes], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}
ROW = b'{"id": "1", "amount": 50.0, "country": "DE"}'


def note(body: bytes = ROW, code: int = 200, answered: bool = True) -> Note:
    return Note(code, 0.01, answered, body)


def total(seen: dict[tuple[str, ...], float], *prefix: str) -> float:
    return sum(value for name, value in seen.items() if name[: len(prefix)] == prefix)


def test_a_scrape_counts_what_still_waits(account: Account, values: Parse) -> None:
    for _ in range(3):
        account.note(note())
    account.note(note(code=422))
    assert account.waiting == 4
    seen = values(account.scrape())
    assert account.waiting == 0
    assert seen["model_requests_total", "200"] == 3
    assert seen["model_requests_total", "422"] == 1
    assert seen["model_predictions_total",] == 3
    assert total(seen, "model_feature_values_total", "amount") == 4
    assert seen["process_resident_memory_bytes",] > 0


def test_an_answer_cut_short_is_no_prediction(account: Account, values: Parse) -> None:
    account.note(note(answered=False))
    assert values(account.scrape())["model_predictions_total",] == 0


def test_folding_a_part_takes_the_oldest_first(account: Account, values: Parse) -> None:
    account.note(note(code=500))
    account.note(note())
    account.fold(1)
    assert account.waiting == 1
    account.fold(10)
    assert account.waiting == 0
    assert values(account.scrape())["model_requests_total", "500"] == 1


def test_a_full_queue_drops_and_counts(account: Account, values: Parse, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(account_module, "MOST_NOTES", 10)
    monkeypatch.setattr(account_module, "MOST_NOTED_BYTES", 10_000)
    for _ in range(3):
        for _ in range(12):
            account.note(note())
        account.fold()
    account.note(note(b"x" * 10_001))
    account.note(note())
    seen = values(account.scrape())
    assert seen["model_monitor_dropped_total",] == 3 * 2 + 1
    assert total(seen, "model_requests_total") == 3 * 10 + 1


@pytest.mark.parametrize("side", ["headers", "answer_headers"])
@pytest.mark.parametrize("head", [((b"cookie", b"x" * 100_000),), tuple((b"x-%d" % n, b"") for n in range(600))])
def test_heads_count_in_what_the_queue_may_hold(
    account: Account, values: Parse, side: str, head: tuple[tuple[bytes, bytes], ...]
) -> None:
    with_head = note()._replace(**{side: head})
    for _ in range(3_000):
        account.note(with_head)
    assert account.crowded
    assert account.waiting == HEADS_AT_A_TIME
    account.fold(HEADS_AT_A_TIME // 2)
    for _ in range(3_000):
        account.note(with_head)
    assert account.waiting == HEADS_AT_A_TIME // 2 + HEADS_AT_A_TIME
    account.fold(account.waiting - 1)
    account.fold()
    assert (account._noted_bytes, account._weighed) == (0, 0)
    assert values(account.scrape())["model_monitor_dropped_total",] == 2_000 + 2_000


@pytest.mark.parametrize("heads_at_a_time", [1, 7, 10_000])
def test_what_is_counted_of_notes_leaves_with_them(
    account: Account, monkeypatch: pytest.MonkeyPatch, heads_at_a_time: int
) -> None:
    monkeypatch.setattr(account_module, "HEADS_AT_A_TIME", heads_at_a_time)
    notes = [note(ROW + b" " * n)._replace(headers=((b"x", b"x" * n),)) for n in range(50)]
    for most in (20, 3, 40):
        for one in notes:
            account.note(one)
        account.fold(most)
        weighed = account._weighed
        waiting = list(account._notes)
        assert account._noted_bytes == sum(map(held_bytes, waiting)) + sum(map(head_bytes, waiting[:weighed]))
        assert len(waiting) - weighed < heads_at_a_time


def test_a_note_takes_no_more_memory_than_it_counts_for() -> None:
    def one(n: int) -> Note:
        number = str(n).encode()
        heads = [[(b"x-%d-" % at + number, number * 4) for at in range(8)] for _ in range(2)]
        return Note(200, n / 7.0, True, b'{"amount":%b}' % number, b'{"score":%b}' % number, n * 1.0, *heads)

    tracemalloc.start()
    try:
        notes = [one(n) for n in range(1_000, 3_000)]
        held, _ = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert held < sum(map(held_bytes, notes)) + sum(map(head_bytes, notes)) < 1.5 * held


def test_a_failure_in_the_statistics_is_counted_and_requests_still_are(
    account: Account, values: Parse, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(account._features, "add", broken)
    account.note(note())
    seen = values(account.scrape())
    assert seen["model_requests_total", "200"] == 1
    assert seen["model_monitor_errors_total",] == 1


def test_the_window_ends_where_the_evidence_does(account: Account, values: Parse) -> None:
    for _ in range(50):
        account.note(note(b'{"id": "1", "amount": null, "country": "DE"}'))
    before = values(account.scrape())
    account.update(window_end=1_790_000_005.5)
    after = values(account.scrape())
    end = ("model_monitor_window_end_timestamp_seconds",)
    assert (before[end], after[end]) == (1_790_000_000.0, 1_790_000_005.5)
    assert before["model_drift_evidence", "amount"] == 0
    assert after["model_drift_evidence", "amount"] >= after["model_drift_threshold", "amount"]


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=60)
@given(st.lists(st.one_of(st.binary(max_size=30), st.just(ROW), st.sampled_from([b"{}", b"[]", b'{"amount": {}}']))))
def test_every_body_is_a_row_or_malformed(account: Account, values: Parse, bodies: list[bytes]) -> None:
    before = values(account.scrape())
    for body in bodies:
        account.note(note(body))
    after = values(account.scrape())
    rows, malformed = (
        total(after, *name) - total(before, *name)
        for name in (("model_feature_values_total", "amount"), ("model_malformed_requests_total",))
    )
    assert rows + malformed == len(bodies)
    assert total(after, "model_requests_total") - total(before, "model_requests_total") == len(bodies)
    assert after["model_monitor_errors_total",] == 0


class Broken(Taker):
    """A part of the books that fails in all it does."""

    def take(self, batch: Batch) -> None:
        raise ZeroDivisionError

    def update(self) -> None:
        raise ZeroDivisionError

    def render(self) -> Any:
        raise ZeroDivisionError

    def close(self) -> None:
        raise ZeroDivisionError


class Keeping(Taker):
    """Keeps what it is given."""

    def __init__(self) -> None:
        self.rows: list[Any] = []
        self.answers: list[Any] = []

    def take(self, batch: Batch) -> None:
        self.rows += batch.rows
        self.answers += batch.answers


def test_a_part_that_fails_costs_no_other_part_anything(
    cells: dict[str, Cells], detector: EDetector, values: Parse
) -> None:
    keeping = Keeping()
    account = Account(LABELS, cells, ("id",), detector, 0.0, takers=[Broken(), keeping])
    account.note(note())
    account.update(5.0)
    seen = values(account.scrape())
    account.close()
    assert keeping.rows == [({"id": "1", "amount": 50.0, "country": "DE"},)]
    assert seen["model_requests_total", "200"] == 1
    assert total(seen, "model_feature_values_total", "amount") == 1
    assert seen["model_monitor_window_end_timestamp_seconds",] == 5.0
    assert account.failures.count == 4


def test_an_exchange_that_comes_as_a_way_in_is_closed_is_still_taken(
    cells: dict[str, Cells], detector: EDetector
) -> None:
    class Late(Taker):
        def take(self, batch: Batch) -> None:
            pass

        def close(self) -> None:
            account.note(note())
            account.fold()

    class Written(Keeping):
        def close(self) -> None:
            self.at_its_end = len(self.rows)

    written = Written()
    account = Account(LABELS, cells, ("id",), detector, 0.0, takers=[written, Late()])
    account.close()
    assert written.at_its_end == 1


def test_compressed_answers_are_read(cells: dict[str, Cells], detector: EDetector) -> None:
    keeping = Keeping()
    account = Account(LABELS, cells, ("id",), detector, 0.0, takers=[keeping])
    coding = ((b"content-encoding", b"gzip"),)
    account.note(Note(200, 0.1, True, ROW, gzip.compress(b'{"score": 1}'), answer_headers=coding))
    account.fold()
    assert keeping.answers == [{"score": 1}]


def test_only_answers_of_predictions_are_read(cells: dict[str, Cells], detector: EDetector) -> None:
    keeping = Keeping()
    account = Account(LABELS, cells, ("id",), detector, 0.0, takers=[keeping])
    account.note(Note(200, 0.1, True, ROW, b'{"score": 1}'))
    account.note(Note(422, 0.1, True, ROW, b'{"error": 1}'))
    account.note(Note(200, 0.1, False, ROW, b'{"sco'))
    account.fold()
    assert keeping.answers == [{"score": 1}, None, None]


def test_a_batch_counts_as_many_predictions_as_rows(
    cells: dict[str, Cells], detector: EDetector, values: Parse
) -> None:
    names = {"id": FeatureKind.CATEGORY, "amount": FeatureKind.NUMBER, "country": FeatureKind.CATEGORY}
    bodies = Bodies(Instances(), [Feature(name=name, kind=kind) for name, kind in names.items()])
    account = Account(LABELS, cells, ("id",), detector, 0.0, bodies)
    account.note(note(b'{"instances": [["1", 50.0, "DE"], ["2", 51.0, "FR"]]}'))
    seen = values(account.scrape())
    assert seen["model_predictions_total",] == 2
    assert seen["model_requests_total", "200"] == 1
    assert total(seen, "model_feature_values_total", "country") == 2


def test_an_error_inside_a_200_is_no_prediction_and_no_answer_to_compare(
    cells: dict[str, Cells], detector: EDetector, values: Parse
) -> None:
    keeping = Keeping()
    outputs = PredictionCounters(LABELS, Outputs({Output.SCORE: "/score"}, {}, 100, 5.0))
    account = Account(LABELS, cells, ("id",), detector, 0.0, takers=[keeping, outputs])
    account.note(Note(200, 0.1, True, ROW, b'{"error": {"message": "no such model"}}'))
    account.note(Note(200, 0.1, True, ROW, b'{"error": null, "score": 1}'))
    seen = values(account.scrape())
    assert keeping.answers == [BadAnswer.ERROR, {"error": None, "score": 1}]
    assert seen["model_predictions_total",] == 1
    assert seen["model_malformed_answers_total", "error"] == 1
    assert seen["model_requests_total", "200"] == 2


def test_a_request_that_was_not_seen_is_neither_a_row_nor_malformed(account: Account, values: Parse) -> None:
    account.note(Note(200, None, True, None))
    seen = values(account.scrape())
    assert seen["model_predictions_total",] == 1
    assert total(seen, "model_malformed_requests_total") == total(seen, "model_feature_values_total") == 0
