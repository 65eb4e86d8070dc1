"""Tests of the request head."""

import pytest

from alertdrill.adapters.load.endpoint import Endpoint


def _head(endpoint: Endpoint) -> dict[str, str]:
    head, _, body = endpoint.encode(3, [17], [b'{"a":1}'], {})[0].decode().partition("\r\n\r\n")
    assert body == '{"a":1}'
    first, *lines = head.split("\r\n")
    assert first == "POST /v1/predict HTTP/1.1"
    return dict(line.split(": ", 1) for line in lines)


def test_a_request_carries_run_and_sequence_and_the_headers_of_the_target() -> None:
    head = _head(Endpoint("http://127.0.0.1:8000/v1/", "/predict", "run-9", {"Authorization": "Bearer x"}))
    assert head == {
        "Host": "127.0.0.1:8000",
        "Content-Type": "application/json",
        "Authorization": "Bearer x",
        "x-alertdrill-run": "run-9",
        "x-alertdrill-seq": "3.17",
        "Content-Length": "7",
    }


def test_the_target_may_set_host_and_type_but_not_length_or_sequence() -> None:
    given = {"host": "model.test", "content-type": "application/x", "Content-Length": "1", "X-Alertdrill-Seq": "0.0"}
    head = _head(Endpoint("http://127.0.0.1:8000/v1", "/predict", "r", given))
    assert (head["host"], head["content-type"]) == ("model.test", "application/x")
    assert (head["Content-Length"], head["x-alertdrill-seq"]) == ("7", "3.17")
    assert not {"Host", "Content-Type", "X-Alertdrill-Seq"} & set(head)


def test_an_address_of_six_groups_keeps_its_brackets_in_the_host_header() -> None:
    endpoint = Endpoint("http://[::1]:8000/v1", "/predict", "r", {})
    assert endpoint.host == "::1"
    assert _head(endpoint)["Host"] == "[::1]:8000"


@pytest.mark.parametrize(
    ("url", "port", "secure"),
    [
        ("http://model.test/v1", 80, False),
        ("https://model.test/v1", 443, True),
        ("https://model.test:8443/v1", 8443, True),
    ],
)
def test_the_port_follows_the_scheme(url: str, port: int, secure: bool) -> None:
    endpoint = Endpoint(url, "/predict", "r", {})
    assert (endpoint.host, endpoint.port, endpoint.secure) == ("model.test", port, secure)


def test_behind_a_proxy_the_target_keeps_its_name() -> None:
    assert _head(Endpoint("http://127.0.0.1:9/v1", "/predict", "r", {}, "model.test:8443"))["Host"] == "model.test:8443"


@pytest.mark.parametrize("url", ["ftp://127.0.0.1:8000", "127.0.0.1:8000", "http://", "https://"])
def test_what_cannot_be_spoken_to_is_refused(url: str) -> None:
    with pytest.raises(ValueError, match="expected http://HOST:PORT"):
        Endpoint(url, "/predict", "r", {})


def test_a_header_cannot_smuggle_a_line() -> None:
    with pytest.raises(ValueError, match="line break"):
        Endpoint("http://127.0.0.1:8000", "/predict", "r", {"X": "a\r\nY: b"})


def test_a_body_may_have_a_type_of_its_own() -> None:
    first, second = Endpoint("http://127.0.0.1:8000", "/predict", "r", {}).encode(
        1, [4, 5], [b"a", b"b"], {1: "text/csv"}
    )
    assert b"Content-Type: application/json" in first
    assert b"Content-Type: text/csv" in second
    assert second.endswith(b"x-alertdrill-seq: 1.5\r\nContent-Length: 1\r\n\r\nb")


def test_a_protocol_that_writes_no_json_says_so_unless_the_target_has_a_type_of_its_own() -> None:
    csv = Endpoint("http://127.0.0.1:8000/v1", "/predict", "r", {}, content_type="text/csv")
    assert _head(csv)["Content-Type"] == "text/csv"
    own = {"content-type": "text/csv; charset=utf-8"}
    head = _head(Endpoint("http://127.0.0.1:8000/v1", "/predict", "r", own, content_type="text/csv"))
    assert (head.get("Content-Type"), head["content-type"]) == (None, "text/csv; charset=utf-8")
