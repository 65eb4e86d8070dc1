"""Heads that are remembered: nothing that passes may differ from what the parser makes of it."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from alertdrill.relay import heads
from alertdrill.relay.client import Client
from alertdrill.relay.control import Control
from alertdrill.relay.exchange import Effect, Exchange, Request, Response
from alertdrill.relay.heads import Heads, learn_answer, learn_request
from alertdrill.relay.upstream import Upstream
from alertdrill.relay.upstream_pool import Pool

POST = b"POST /p HTTP/1.1\r\nHost: a:1\r\nContent-Length: 3\r\n\r\n"
OK = b"HTTP/1.1 200 OK\r\nServer: s\r\nContent-Length: 2\r\n\r\n"


class Wire:
    """A transport that takes everything at once."""

    def __init__(self, protocol: Any) -> None:
        self.sent = b""
        self.closed = False
        self._protocol = protocol
        protocol.connection_made(self)

    def write(self, data: bytes) -> None:
        assert not self.closed
        self.sent += data

    def writelines(self, pieces: Any) -> None:
        self.write(b"".join(pieces))

    def is_closing(self) -> bool:
        return self.closed

    def abort(self) -> None:
        if not self.closed:
            self.closed = True
            self._protocol.connection_lost(None)

    close = abort

    def can_write_eof(self) -> bool:
        return False

    def get_write_buffer_size(self) -> int:
        return 0

    def get_extra_info(self, name: str) -> None:
        return None

    def set_write_buffer_limits(self, limit: int) -> None: ...

    def pause_reading(self) -> None: ...

    def resume_reading(self) -> None: ...


class Noting:
    """A handler that writes down what it is told, without instants."""

    def __init__(self) -> None:
        self.seen: list[Any] = []

    def local(self, request: Request) -> Response | None:
        return None

    def effect(self, request: Request) -> Effect | None:
        return None

    def ended(self, exchange: Exchange) -> None:
        request = exchange.request
        self.seen.append((request.method, request.target, request.headers, request.body, request.received_at > 0))
        self.seen.append((exchange.status, exchange.response_headers, exchange.response_body, exchange.end))


class Line:
    """A client's connection and, as long as it holds, one to the upstream. Needs a running loop."""

    def __init__(self, remembers: bool) -> None:
        self.handler = Noting()
        pool = Pool("u", 2, 30.0)
        self.control = Control(self.handler, pool, 1000)
        if not remembers:
            self.control.heads = Heads(lambda text: None)
            pool.heads = Heads(lambda text: None)
        self._client = Client(self.control, set())
        self.to_client = Wire(self._client)
        self._upstream = Upstream(pool)
        self.to_upstream = Wire(self._upstream)
        pool.give_back(self._upstream)

    def ask(self, *reads: bytes) -> None:
        for data in reads:
            if not self.to_client.closed:
                self._client.data_received(data)

    def answer(self, *reads: bytes) -> None:
        for data in reads:
            if not self.to_upstream.closed:
                self._upstream.data_received(data)

    def outcome(self) -> tuple[Any, ...]:
        wires = [(wire.sent, wire.closed) for wire in (self.to_client, self.to_upstream)]
        return (*wires, self.handler.seen, self.control.refused, self.control.handler_errors)


def both(talk: Callable[[Line], None]) -> tuple[tuple[Any, ...], tuple[Any, ...]]:
    """What comes of the same talk with and without remembering."""

    async def outcomes() -> tuple[tuple[Any, ...], tuple[Any, ...]]:
        lines = Line(remembers=True), Line(remembers=False)
        for line in lines:
            talk(line)
        return lines[0].outcome(), lines[1].outcome()

    return asyncio.run(outcomes())


@contextmanager
def counted(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[bytes]]:
    """The requests and answers that were taken whole."""
    taken: list[bytes] = []
    find = Heads.find

    def finding(self: Any, data: bytes) -> Any:
        if found := find(self, data):
            taken.append(data)
        return found

    with monkeypatch.context() as patched:
        patched.setattr(Heads, "find", finding)
        yield taken


def test_from_the_third_time_on_a_request_and_its_answer_need_no_parser(monkeypatch: pytest.MonkeyPatch) -> None:
    def talk(line: Line) -> None:
        for _ in range(4):
            line.ask(POST + b"abc")
            line.answer(OK + b"ok")

    with counted(monkeypatch) as taken:
        remembered, parsed = both(talk)
    assert remembered == parsed
    assert remembered[0] == ((OK + b"ok") * 4, False)
    assert len(remembered[2]) == 8
    assert taken == [POST + b"abc", OK + b"ok"] * 2


def test_heads_with_lines_of_their_own_need_no_parser_either(monkeypatch: pytest.MonkeyPatch) -> None:
    def own(head: bytes, *lines: bytes) -> bytes:
        start, rest = head.split(b"\r\n", 1)
        return b"\r\n".join([start, lines[0], rest[:-2] + lines[1], b"", b""])

    post = POST.replace(b"a:1", b"a:1\r\nConnection: keep-alive")
    asked = [own(post, b"X-Request-ID: %d" % n, b"TraceParent: 00-%d" % n) + b"abc" for n in range(4)]
    answered = [own(OK, b"date: %d" % n, b"x-request-id: %d" % n) + b"ok" for n in range(4)]

    def talk(line: Line) -> None:
        for request, answer in zip(asked, answered, strict=True):
            line.ask(request)
            line.answer(answer)

    with counted(monkeypatch) as taken:
        remembered, parsed = both(talk)
    assert remembered == parsed
    passed_on = b"".join(asked).replace(b"Connection: keep-alive\r\n", b"")
    assert (remembered[0][0], remembered[1][0]) == (b"".join(answered), passed_on)
    assert taken[:2] == [asked[2], answered[2]]
    assert len(taken) == 4
    seen = [noted[2] for noted in remembered[2][::2]]
    assert [dict(headers)[b"x-request-id"] for headers in seen] == [b"0", b"1", b"2", b"3"]


LINES = [
    b"Host: a:1\r\n",
    b"host: b\r\n",
    b"Content-Length: 3\r\n",
    b"content-length: 0\r\n",
    b"Content-Length: 3\r\nContent-Length: 3\r\n",
    b"Content-Length: 3, 3\r\n",
    b"Content-Length: +3\r\n",
    b"Content-Length: 2000\r\n",
    b"Transfer-Encoding: chunked\r\n",
    b"Transfer-Encoding: gzip\r\n",
    b"Connection: close\r\n",
    b"Connection: keep-alive\r\n",
    b"Connection: X-Hop\r\n",
    b"X-Hop: 1\r\n",
    b"Keep-Alive: timeout=5\r\n",
    b"Upgrade: h2c\r\nConnection: upgrade\r\n",
    b"Expect: 100-continue\r\n",
    b"X-Empty:\r\n",
    b"X-Odd: \xff \t\r\n",
    b"X-Folded: a\r\n b\r\n",
    b"X-Bare: 1\n",
    b"X-Id: @\r\n",
    b"x-id: @\r\n",
    b"X-Id:@\r\n",
    b"X-Id: @ \r\n",
    b"X-Id: \t@\r\n",
    b"X-Id : @\r\n",
    b"X-Id: @\r\n @\r\n",
    b"X-Id: @\rTransfer-Encoding: chunked\r\n",
    b"X-Id: @\nTransfer-Encoding: chunked\r\n",
    b"X-Id: \x00@\r\n",
    b"X-Id: @\x00@\r\n",
    b"X-Id: @\x7f@\r\n",
    b"X Id: @\r\n",
    b"X-Id: @\r\r\n",
    b"@\r\n",
    b"Connection: X-Id\r\n",
    b"Connection: keep-alive, X-Id\r\n",
    b"Transfer-Encoding : chunked\r\n",
    b"Host: (value)\r\n",
    b"X-Id: (value)\r\n",
    b"Host: 000000000000000\r\n",
    b"TE: trailers\r\n",
    b" : \r\n",
    b"\r\n",
]
STARTS = st.sampled_from(
    [
        b"POST /p HTTP/1.1\r\n",
        b"post /p HTTP/1.1\r\n",
        b"GET http://h:1/p?q HTTP/1.1\r\n",
        b"HEAD /p HTTP/1.1\r\n",
        b"CONNECT h:1 HTTP/1.1\r\n",
        b"POST /p HTTP/1.0\r\n",
        b"POST /p\r\n",
        b"\r\nPOST /p HTTP/1.1\r\n",
        b"\r\n\r\nPOST /p HTTP/1.1\r\n",
    ]
)
STATUSES = st.sampled_from(
    [
        b"HTTP/1.1 200 OK\r\n",
        b"HTTP/1.1 418 I am a Teapot\r\n",
        b"HTTP/1.1 204 No Content\r\n",
        b"HTTP/1.1 304 Not Modified\r\n",
        b"HTTP/1.1 100 Continue\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\n",
        b"HTTP/1.0 200 OK\r\n",
        b"HTTP/1.1 200\r\n",
        b"\r\nHTTP/1.1 200 OK\r\n",
    ]
)
BODIES = st.sampled_from([b"", b"abc", b"ab", b"\r\n\r\n", b"3\r\nabc\r\n0\r\n\r\n", POST + b"abc", OK])


def message(starts: st.SearchStrategy[bytes]) -> st.SearchStrategy[bytes]:
    return st.builds(
        lambda start, lines, body: start + b"".join(lines) + b"\r\n" + body,
        starts,
        st.lists(st.sampled_from(LINES), max_size=4),
        BODIES,
    )


def numbered(data: bytes, n: int) -> bytes:
    """The same message with ids of its own."""
    return data.replace(b"@", b"id-%d" % n)


@pytest.mark.parametrize("odd", LINES)
def test_an_odd_line_passes_as_the_parser_has_it_also_where_plain_ones_were_known(odd: bytes) -> None:
    def talk(line: Line) -> None:
        for n in range(3):
            line.ask(numbered(with_line(POST, b"X-Id: @\r\n"), n) + b"abc")
            line.answer(numbered(with_line(OK, b"X-Id: @\r\n"), n) + b"ok")
        for n in range(4):
            line.ask(numbered(with_line(POST, odd), n) + b"abc")
            line.answer(numbered(with_line(OK, odd), n) + b"ok")
        line.ask(with_line(POST, b"Connection: close\r\n") + b"abc")
        line.answer(numbered(with_line(OK, odd), 4) + b"ok")

    remembered, parsed = both(talk)
    assert remembered == parsed


def with_line(head: bytes, line: bytes) -> bytes:
    """The head with one more line, before its others."""
    start, rest = head.split(b"\r\n", 1)
    return start + b"\r\n" + line + rest


def cut(data: bytes, at: list[int]) -> list[bytes]:
    """The same bytes in several reads."""
    places = [0, *sorted({place % (len(data) or 1) for place in at}), len(data)]
    return [data[start:stop] for start, stop in pairwise(places) if stop > start]


CUTS = st.lists(st.integers(0, 200), max_size=2)


@given(st.lists(st.tuples(message(STARTS), message(STATUSES), CUTS, CUTS), min_size=1, max_size=3))
@example([(b"\r\n\r\nPOST /p HTTP/1.1\r\nContent-Length: 3\r\n\r\nabc", OK + b"ok", [], [])])
@example([(b"POST /p HTTP/1.1\nContent-Length: 4\n\n\r\n\r\n", OK + b"ok", [], [])])
@settings(max_examples=400, deadline=None)
def test_what_is_remembered_never_changes_what_passes(talks: list[tuple[bytes, bytes, list[int], list[int]]]) -> None:
    def talk(line: Line) -> None:
        for request, answer, cuts, answer_cuts in talks:
            for n in range(3):
                line.ask(numbered(request, n))
                line.answer(numbered(answer, n))
            line.ask(*cut(numbered(request, 3), cuts))
            line.answer(*cut(numbered(answer, 3), answer_cuts))
            line.ask(numbered(request, 4) + numbered(request, 5))
            line.answer(numbered(answer, 4))
            line.answer(numbered(answer, 5))

    remembered, parsed = both(talk)
    assert remembered == parsed


def test_a_body_that_reads_like_a_known_message_is_a_body() -> None:
    inner, inner_answer = POST + b"abc", OK + b"ok"
    head = POST.replace(b"Length: 3", b"Length: %d" % len(inner))
    answer_head = OK.replace(b"Length: 2", b"Length: %d" % len(inner_answer))

    def talk(line: Line) -> None:
        for _ in range(3):
            line.ask(inner)
            line.answer(inner_answer)
        line.ask(head, inner)
        line.answer(answer_head, inner_answer)

    remembered, parsed = both(talk)
    assert remembered == parsed
    assert remembered[2][-2][3] == inner
    assert remembered[2][-1][2] == inner_answer


def test_a_head_as_the_parser_ends_it_and_no_other_is_learned() -> None:
    known = learn_request(POST, b"u:2")
    assert known is not None
    assert (known.size, known.body_at, known.method, known.target) == (len(POST) + 3, len(POST), b"POST", b"/p")
    assert known.forwarded == POST
    for other in (POST[:-1], POST + b"\r\n", b"\r\n\r\n", POST.replace(b"1.1", b"1.0"), POST.replace(b"3", b"3,3")):
        assert learn_request(other, b"u:2") is None
    for line in (b"Connection: close", b"Expect: 100-continue", b"Transfer-Encoding: chunked", b"Upgrade: h2c"):
        assert learn_request(POST[:-2] + line + b"\r\n\r\n", b"u:2") is None


@pytest.mark.parametrize(
    ("learn", "like"),
    [
        (
            partial(learn_request, authority=b"u:2"),
            b"POST /p HTTP/1.1\r\n%b\r\nConnection: keep-alive\r\n%b\r\n%b\r\n\r\n",
        ),
        (learn_answer, b"HTTP/1.1 200 OK\r\n%b\r\nKeep-Alive: 5\r\n%b\r\n%b\r\n\r\n"),
    ],
    ids=["request", "answer"],
)
def test_what_is_filled_into_a_frame_is_what_would_have_been_learned(
    learn: Callable[[bytes], Any], like: bytes
) -> None:
    known: Heads[Any] = Heads(learn)
    for n in range(9, 12):
        text = like % (b"X-Id: %d" % n, b"content-length: %d" % n, b"Date: (value)" if n % 2 else b"Date: \xff\t%d" % n)
        found = known.find(text + b"." * n)
    assert found == learn(text)


def test_an_answer_without_a_length_is_not_learned() -> None:
    assert learn_answer(OK) is not None
    for other in (b"Server: s", b"Transfer-Encoding: chunked", b"Connection: close\r\nContent-Length: 2"):
        assert learn_answer(b"HTTP/1.1 200 OK\r\n" + other + b"\r\n\r\n") is None
    for status in (b"100 Continue", b"204 No Content", b"304 Not Modified"):
        assert learn_answer(OK.replace(b"200 OK", status)) is None


def test_what_is_remembered_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "MOST_HEADS", 10)
    monkeypatch.setattr(heads, "MOST_FRAMES", 4)
    monkeypatch.setattr(heads, "LONGEST_HEAD", 100)
    learned: list[bytes] = []
    remembered: Heads[Any] = Heads(learned.append)
    texts = [b"%d\r\n\r\n" % number for number in range(100)]
    for text in texts:
        assert remembered.find(text) is None
    assert learned == []
    for text in texts:
        for _ in range(5):
            remembered.find(text)
    assert len(learned) == len(set(learned)) == 100
    assert (len(remembered._known), len(remembered._once) <= 10, len(remembered._frames)) == (10, True, 4)
    long = b"x" * 100 + b"\r\n\r\n"
    for _ in range(3):
        remembered.find(long)
    assert long not in learned


def test_a_frame_in_use_is_not_forgotten_for_those_that_are_not(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(heads, "MOST_FRAMES", 4)
    learned: list[bytes] = []
    remembered: Heads[Any] = Heads(learned.append)
    for n in range(40):
        for _ in range(2):
            remembered.find(b"%d\r\n\r\n" % n)
            remembered.find(b"used\r\nX-Id: %d\r\n\r\n" % n)
    assert len(learned) == 41


def test_a_body_longer_than_allowed_is_refused_whatever_is_known() -> None:
    def talk(line: Line) -> None:
        for length in (3, 1000, 3, 1001):
            line.ask(POST.replace(b"Length: 3", b"Length: %d" % length) + b"x" * length)
            line.answer(OK + b"ok")

    remembered, parsed = both(talk)
    assert remembered == parsed
    assert remembered[0][0].endswith(b'the limit is 1000 bytes"}')
