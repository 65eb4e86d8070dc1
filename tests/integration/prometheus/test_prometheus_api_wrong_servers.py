import socket
import time

import pytest
from wrong_servers import answering, http

from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_errors import QueryFailed
from alertdrill.core.errors import BadInput

QUESTIONS = ["instant", "raw", "rules", "targets", "build_version", "settings", "flags"]


async def failure(url: str, question: str, timeout_s: float = 5.0) -> QueryFailed:
    arguments = ["up[1m]"] if question in ("instant", "raw") else []
    async with PrometheusApi(url, timeout_s=timeout_s) as api:
        with pytest.raises(QueryFailed) as error:
            await getattr(api, question)(*arguments)
    assert error.value.url == url
    assert error.value.fix
    return error.value


@pytest.mark.parametrize("question", QUESTIONS)
@pytest.mark.parametrize(
    ("answer", "kind"),
    [
        (http(200, b"<html>hi</html>", "text/html"), "not_prometheus"),
        (http(200, b'{"hello": "world"}', "application/json"), "not_prometheus"),
        (http(200, b""), "not_prometheus"),
        (http(200, b"\x00\xff garbage"), "not_prometheus"),
        (http(302, b"", location="http://127.0.0.1:1/login"), "not_prometheus"),
        (http(404, b"404 page not found"), "not_prometheus"),
        (http(401, b"who are you?"), "unauthorized"),
        (http(500, b"oops"), "unavailable"),
        (http(503, b""), "unavailable"),
        (http(200, b'{"status":"success","data":{"resultType":"vector"}}', "application/json"), "garbage"),
        (http(200, b'{"status":"success","data":null}', "application/json"), "garbage"),
        (
            http(200, b'{"status":"success","data":{"result":[{"metric":{}}],"groups":[{}],"activeTargets":[1]}}'),
            "garbage",
        ),
        (b"HTTP/1.1 200 OK\r\ncontent-length: 100\r\n\r\n{", "garbage"),
        (b"SSH-2.0-OpenSSH_9.2\r\n", "garbage"),
        (b"", "garbage"),
    ],
)
async def test_no_wrong_answer_passes_for_an_answer(answer, kind, question):
    if question == "flags" and b'"data":{' in answer:
        pytest.skip("any object is a set of flags")
    async with answering(answer) as url:
        assert (await failure(url, question)).kind == kind


@pytest.mark.parametrize("question", ["instant", "rules"])
async def test_a_server_that_hangs_is_given_up_in_time(question):
    for options in ({"answer": b""}, {"answer": b"HTTP/1.1 200 OK\r\ncontent-length: 9\r\n\r\n{"}):
        async with answering(then_hang=True, **options) as url:
            start = time.monotonic()
            assert (await failure(url, question, timeout_s=0.3)).kind == "timeout"
            assert time.monotonic() - start < 2


@pytest.mark.parametrize("question", ["instant", "rules"])
async def test_a_server_that_drips_is_given_up_in_time(question):
    head = b"HTTP/1.1 200 OK\r\ncontent-length: 100000\r\n\r\n"
    async with answering(head + b" " * 1000, drip_s=0.01) as url:
        start = time.monotonic()
        assert (await failure(url, question, timeout_s=0.6)).kind == "timeout"
        assert time.monotonic() - start < 3


@pytest.mark.parametrize("question", QUESTIONS)
async def test_nobody_there_is_unreachable(question):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        error = await failure(url, question)
    assert error.kind == "unreachable"
    assert "Connection refused" in error.what


async def test_readiness_is_not_believed_from_a_web_page():
    async with answering(http(503, b"Service Unavailable")) as url, PrometheusApi(url) as api:
        assert await api.ready() is False
    async with answering(http(200, b"<html>", "text/html")) as url, PrometheusApi(url) as api:
        with pytest.raises(QueryFailed, match="not Prometheus"):
            await api.ready()


async def test_the_token_is_sent_by_both_clients_and_never_shown():
    async with answering(http(401, b"")) as url, PrometheusApi(url) as api:
        for ask in (lambda: api.instant("up"), api.rules):
            with pytest.raises(QueryFailed) as error:
                await ask()
            assert "s3cret" not in str(error.value)


@pytest.mark.parametrize("url", ["", "localhost:9090", "ftp://x", "http://", "http://h:99999", "http://[::1"])
def test_what_is_no_address_is_refused_before_anything_is_sent(url):
    with pytest.raises(BadInput, match="prometheus url"):
        PrometheusApi(url)
