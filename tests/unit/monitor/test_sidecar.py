from collections.abc import Callable

import pytest

from alertdrill.monitor.account import Account
from alertdrill.monitor.page.page import Page
from alertdrill.monitor.sidecar import Sidecar
from alertdrill.relay.exchange import End, Exchange, Request

Parse = Callable[[bytes], dict[tuple[str, ...], float]]


def request(method: bytes = b"POST", target: bytes = b"/predict", body: bytes = b"{}") -> Request:
    return Request(method, target, (), body, received_at=10.0)


def exchange(of: Request, status: int | None = 200, end: End = End.ANSWERED) -> Exchange:
    return Exchange(of, status, b"", started_at=9.0, ended_at=10.3, end=end)


@pytest.fixture
def sidecar(account: Account) -> Sidecar:
    return Sidecar(account, "/predict")


def test_only_predictions_count(sidecar: Sidecar, account: Account) -> None:
    for of in (request(b"GET"), request(target=b"/health"), request(target=b"/predict/other")):
        sidecar.ended(exchange(of))
    assert account.waiting == 0
    sidecar.ended(exchange(request(target=b"/predict?trace=1")))
    assert account.waiting == 1


def test_duration_runs_from_the_whole_request_to_the_last_byte(
    sidecar: Sidecar, account: Account, values: Parse
) -> None:
    sidecar.ended(exchange(request()))
    seen = values(account.scrape())
    assert seen["model_request_duration_seconds_sum",] == pytest.approx(0.3)


@pytest.mark.parametrize(
    ("status", "end", "code", "kind"),
    [
        (422, End.ANSWERED, "422", None),
        (502, End.UPSTREAM_REFUSED, "502", "refused"),
        (200, End.UPSTREAM_CLOSED, "502", "reset"),
        (200, End.UPSTREAM_TIMEOUT, "504", "timeout"),
        (None, End.CLIENT_GONE, "499", "client_gone"),
    ],
)
def test_the_code_is_what_the_client_met(
    sidecar: Sidecar, account: Account, values: Parse, status: int | None, end: End, code: str, kind: str | None
) -> None:
    sidecar.ended(exchange(request(), status, end))
    seen = values(account.scrape())
    failed = {name[1]: n for name, n in seen.items() if name[0] == "model_request_failures_total" and n}
    assert failed == ({kind: 1} if kind else {})
    assert seen["model_requests_total", code] == 1
    assert sum(v for name, v in seen.items() if name[0] == "model_requests_total") == 1


def test_metrics_are_answered_here_and_all_else_is_forwarded(sidecar: Sidecar) -> None:
    answer = sidecar.local(request(b"GET", b"/metrics", b""))
    assert answer is not None
    assert answer.status == 200
    assert sidecar.local(request()) is None
    assert sidecar.local(request(b"POST", b"/metrics")) is None


class Feedback:
    """Stands for ground truth."""

    path = b"/feedback"

    def answer(self, body: bytes) -> tuple[int, tuple[()], bytes]:
        return 202 // len(body), (), body


def test_feedback_is_answered_here_where_it_is_taken(account: Account) -> None:
    sidecar = Sidecar(account, "/predict", Feedback())  # type: ignore[arg-type]
    answer = sidecar.local(request(target=b"/feedback?x=1", body=b"1"))
    assert answer is not None
    assert (answer.status, answer.body) == (202, b"1")
    assert sidecar.local(request(b"GET", b"/feedback")) is None
    assert sidecar.local(request()) is None
    failed = sidecar.local(request(target=b"/feedback", body=b""))
    assert failed is not None
    assert (failed.status, account.failures.count) == (500, 1)


def test_metrics_that_cannot_be_written_are_an_error_of_the_monitor(
    sidecar: Sidecar, account: Account, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(account, "scrape", lambda: 1 / 0)
    answer = sidecar.local(request(b"GET", b"/metrics", b""))
    assert answer is not None
    assert answer.status == 500
    assert account.failures.count == 1


def test_browsers_are_answered_by_the_page_and_only_for_a_get(account: Account) -> None:
    sidecar = Sidecar(account, "/predict", page=Page("/monitor", "fraud", "1", account.scrape))
    html = ((b"accept", b"text/html"),)
    root = sidecar.local(Request(b"GET", b"/?a=b", html, b"", 0.0))
    assert root is not None
    assert (root.status, root.last_resort) == (200, True)
    data = sidecar.local(request(b"GET", b"/monitor.json"))
    assert data is not None
    assert b'"model_requests_total"' in data.body
    assert sidecar.local(Request(b"POST", b"/monitor", html, b"", 0.0)) is None
    assert sidecar.local(Request(b"GET", b"/health", html, b"", 0.0)) is None


def test_a_page_that_fails_is_counted_and_said(account: Account) -> None:
    sidecar = Sidecar(account, "/predict", page=Page("/monitor", "fraud", "1", lambda: b"no metrics"))
    response = sidecar.local(request(b"GET", b"/monitor.json"))
    assert response is not None
    assert response.status == 500
    assert account.failures.count == 1
