import orjson
import pytest

from alertdrill.adapters.access import Access
from alertdrill.adapters.prometheus_errors import QueryFailed, answer_data, unreachable

URL = "http://127.0.0.1:9090"
ACCESS = Access(URL)


@pytest.mark.parametrize(
    ("status", "headers", "body", "kind", "what"),
    [
        (200, {"content-type": "text/html"}, b"<html>hello</html>", "not_prometheus", "text/html: <html>hello"),
        (200, {}, b"", "not_prometheus", "empty"),
        (200, {}, b'{"answer": 42}', "not_prometheus", "not Prometheus's JSON"),
        (200, {}, b"\xff\x00", "not_prometheus", "not Prometheus's JSON"),
        (200, {}, b'{"status":"success"', "not_prometheus", "not Prometheus's JSON"),
        (302, {"location": "http://login"}, b"", "not_prometheus", "leads to http://login"),
        (401, {}, b"", "unauthorized", "401"),
        (403, {}, b"no", "unauthorized", "403"),
        (404, {}, b"404 page not found", "not_prometheus", "404 page not found"),
        (
            400,
            {},
            b'{"status":"error","errorType":"bad_data","error":"1:1: parse error"}',
            "refused",
            "1:1: parse error",
        ),
        (422, {}, b'{"status":"error","errorType":"execution","error":"too many"}', "refused", "too many"),
        (429, {}, b"slow down", "unavailable", "slow down"),
        (500, {}, b"", "unavailable", "500: nothing else"),
        (503, {}, b"Service Unavailable", "unavailable", "Service Unavailable"),
    ],
)
def test_each_wrong_answer_is_told_apart(status, headers, body, kind, what):
    with pytest.raises(QueryFailed) as error:
        answer_data(ACCESS, "up", status, headers, body)
    assert error.value.kind == kind
    assert what in error.value.what
    assert str(error.value).startswith(f"{URL}: up\n  ")
    assert error.value.fix


def test_the_data_of_a_success_is_the_answer_even_when_it_is_empty():
    assert answer_data(ACCESS, "up", 200, {}, b'{"status":"success","data":{"result":[]}}') == {"result": []}


def test_passwords_are_not_shown():
    error = unreachable(Access("http://me:secret@127.0.0.1:9090"), "up", OSError(111, "Connection refused"))
    assert "secret" not in str(error)
    assert "http://me:***@127.0.0.1:9090" in str(error)
    assert "Connection refused" in str(error)


def answer(**more):
    return orjson.dumps({"status": "success", "data": {"result": []}, **more})


def test_an_answer_that_says_of_itself_that_a_part_is_missing_is_none():
    with pytest.raises(QueryFailed) as error:
        answer_data(ACCESS, "up", 200, {}, answer(warnings=["PromQL info: x", "store-2 is gone"]))
    assert (error.value.kind, error.value.what) == ("partial", "the answer may not be whole: store-2 is gone")


def test_what_an_answer_says_of_the_question_leaves_it_whole():
    said = answer(infos=["PromQL info: x"], warnings=["PromQL warning: y", "PromQL info: z"])
    assert answer_data(ACCESS, "up", 200, {}, said) == {"result": []}
    assert answer_data(ACCESS, "up", 200, {}, answer(warnings=None)) == {"result": []}
