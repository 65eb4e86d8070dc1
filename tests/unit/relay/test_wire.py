"""Heads as bytes."""

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from alertdrill.relay.exchange import Response
from alertdrill.relay.wire import answer, chunk, error, last_chunk, origin_form, reason_of, request_head, survey


def test_hop_by_hop_headers_and_those_that_connection_names_end_here() -> None:
    headers = [
        (b"Connection", b"close, X-Hop"),
        (b"connection", b"X-Other"),
        (b"x-hop", b"1"),
        (b"X-Other", b"2"),
        (b"Keep-Alive", b"timeout=5"),
        (b"TE", b"trailers"),
        (b"X-Stays", b"3"),
        (b"x-stays", b"4"),
    ]
    assert survey(headers).passed == [(b"X-Stays", b"3"), (b"x-stays", b"4")]
    assert survey(headers).marks[b"connection"] == b"close, X-Hop,X-Other"
    assert survey(headers).lower == tuple((name.lower(), value) for name, value in headers)


def test_forwarded_head_keeps_names_as_written() -> None:
    headers = [(b"HoSt", b"a:1"), (b"X-AlertDrill-Seq", b"1.2"), (b"Expect", b"100-continue")]
    expected = b"POST /p HTTP/1.1\r\nHoSt: a:1\r\nX-AlertDrill-Seq: 1.2\r\n\r\n"
    assert request_head(b"POST", b"/p", survey(headers), 0, b"u:2") == expected


def test_unchunked_body_gets_a_length_and_a_client_without_host_the_upstreams() -> None:
    headers = [(b"Transfer-Encoding", b"chunked")]
    head = request_head(b"POST", b"/p", survey(headers), 3, b"u:2")
    assert head == b"POST /p HTTP/1.1\r\nContent-Length: 3\r\nHost: u:2\r\n\r\n"


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        (b"/a?b=http://c/d", b"/a?b=http://c/d"),
        (b"http://h:1/a?b", b"/a?b"),
        (b"http://h", b"/"),
        (b"http://h?q=/x", b"/?q=/x"),
        (b"*", b"*"),
    ],
)
def test_target_is_path_and_query(target: bytes, expected: bytes) -> None:
    assert origin_form(target) == expected


def test_own_answer_has_length_and_for_head_no_body() -> None:
    response = Response(200, ((b"A", b"b"),), b"xyz")
    assert (
        answer(response, bodiless=False, connection=None) == b"HTTP/1.1 200 OK\r\nA: b\r\nContent-Length: 3\r\n\r\nxyz"
    )
    assert answer(response, bodiless=True, connection=b"close").endswith(
        b"Content-Length: 3\r\nConnection: close\r\n\r\n"
    )


def test_error_is_json() -> None:
    assert json.loads(error(502, "upstream_refused", 'it "refused"').body) == {
        "error": "upstream_refused",
        "detail": 'it "refused"',
    }


@given(st.lists(st.binary(min_size=1, max_size=40), max_size=5))
def test_chunks_decode_to_what_was_encoded(pieces: list[bytes]) -> None:
    wire = b"".join([b"".join(chunk(piece)) for piece in pieces]) + last_chunk(((b"T", b"1"),))
    decoded = b""
    while True:
        size, _, wire = wire.partition(b"\r\n")
        if int(size, 16) == 0:
            break
        decoded, wire = decoded + wire[: int(size, 16)], wire[int(size, 16) + 2 :]
    assert (decoded, wire) == (b"".join(pieces), b"T: 1\r\n\r\n")


def test_a_status_without_a_usual_name_has_an_empty_reason() -> None:
    assert answer(Response(599, (), b""), bodiless=False, connection=None).startswith(b"HTTP/1.1 599 \r\n")
    assert reason_of(503) == b"Service Unavailable"
