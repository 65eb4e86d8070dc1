import json

import pytest

from alertdrill.adapters.alert_posts import parse_post

STARTS = "2026-11-22T18:00:52.555Z"
STARTS_MS = 1795370452555


def post(ends_at: str | None, received_at: float = 1795370460.0):
    alert = {"labels": {"alertname": "A"}, "annotations": {"summary": "s"}, "startsAt": STARTS, "endsAt": ends_at}
    return parse_post(json.dumps([alert]).encode(), received_at).alerts[0]


def test_an_end_in_the_future_means_firing():
    alert = post("2026-11-22T18:05:00Z")
    assert (alert.status, alert.starts_at_ms, alert.labels) == ("firing", STARTS_MS, {"alertname": "A"})


def test_an_end_that_has_come_means_resolved():
    assert post("2026-11-22T18:00:59.5Z").status == "resolved"
    assert post("2026-11-22T18:00:59.5Z").ends_at_ms == 1795370459500


def test_an_alert_without_an_end_fires():
    assert [post(end).status for end in (None, "", "0001-01-01T00:00:00Z")] == ["firing"] * 3


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"{}",
        b"[1]",
        b"\xff",
        b"[" * 100_000,
        b'[{"labels": 1}]',
        b'[{"labels": {}, "startsAt": "yesterday"}]',
        b'[{"labels": {}, "startsAt": 5}]',
        b'[{"labels": {}, "startsAt": "2026-11-22T18:00:52"}]',
    ],
)
def test_garbage_is_refused(body):
    with pytest.raises(ValueError, match=r".+"):
        parse_post(body, 0.0)
