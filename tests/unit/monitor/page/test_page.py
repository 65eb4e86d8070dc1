"""What browsers are answered, and what is left to the model."""

import base64
import hashlib
import json
import re
from collections.abc import Callable

import pytest

from alertdrill.alerting.limits import Limits
from alertdrill.monitor.page import page as page_module
from alertdrill.monitor.page.document import Answer
from alertdrill.monitor.page.page import LIMITS, Page

BROWSER = b"text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"


def page(model: str = "fraud", path: str = "/monitor", scrape: Callable[[], bytes] = lambda: b"a 1.0\n") -> Page:
    return Page(path, model, "7", scrape)


def answered(of: Page, path: str, accept: bytes = BROWSER) -> Answer:
    answer = of.answer(path, accept)
    assert answer is not None
    return answer


def headers(answer: Answer) -> dict[bytes, bytes]:
    return dict(answer.headers)


def test_browsers_get_it_at_a_path_of_its_own_and_at_the_root_as_a_last_resort() -> None:
    own, root = answered(page(), "/monitor"), answered(page(), "/")
    assert (own.status, own.last_resort) == (200, False)
    assert (root.status, root.last_resort) == (200, True)
    assert headers(own)[b"content-type"] == b"text/html; charset=utf-8"


@pytest.mark.parametrize("accept", [b"", b"*/*", b"application/json"])
def test_who_does_not_ask_for_html_gets_nothing_at_the_root(accept: bytes) -> None:
    assert page().answer("/", accept) is None
    assert answered(page(), "/monitor", accept).status == 200


@pytest.mark.parametrize("path", ["/predict", "/monitor/", "/monitors", "/favicon.ico", "", "/metrics"])
def test_all_else_is_left_to_the_model(path: str) -> None:
    assert page().answer(path, BROWSER) is None
    assert not page().has(path)


def test_the_numbers_are_found_from_either_place_also_below_the_path_of_a_proxy() -> None:
    deep = page(path="/a/b")
    assert b'data-source="a/b.json"' in answered(deep, "/").body
    assert b'data-source="b.json"' in answered(deep, "/a/b").body
    assert json.loads(answered(deep, "/a/b.json").body)["version"] == "7"


def test_a_models_name_is_text() -> None:
    body = answered(page(model='</title><script>alert("1")</script>{{data}}'), "/monitor").body.decode()
    assert body.count("<script>") == 1
    assert "&lt;script&gt;alert(&quot;1&quot;)" in body


def test_only_its_own_script_and_style_may_run_and_nothing_is_fetched_from_elsewhere() -> None:
    answer = answered(page(), "/monitor")
    body, policy = answer.body.decode(), headers(answer)[b"content-security-policy"].decode()
    for tag in ("script", "style"):
        (text,) = re.findall(f"<{tag}>(.*?)</{tag}>", body, re.DOTALL)
        hashed = base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()
        assert f"{tag}-src 'sha256-{hashed}'" in policy
    assert policy.startswith("default-src 'none'; connect-src 'self';")
    assert "unsafe" not in policy
    assert set(re.findall(r"\w+://[^\s\"']+", body)) == {"http://www.w3.org/2000/svg"}  # a name, not an address
    assert not re.search(r"innerHTML|outerHTML|insertAdjacentHTML|document\.write|eval\(", body)


def test_however_many_look_the_numbers_are_put_together_once_in_half_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    scrapes, now = [b"a 1.0\n", b"a 2.0\n"], [100.0]
    monkeypatch.setattr(page_module.time, "monotonic", lambda: now[0])
    of = page(scrape=lambda: scrapes.pop(0))
    first = [json.loads(of.data())["metrics"]["a"]["values"] for _ in range(5)]
    now[0] += 0.5
    assert [*first, json.loads(of.data())["metrics"]["a"]["values"]] == [1.0] * 5 + [2.0]


def test_a_number_that_is_none_is_null() -> None:
    assert json.loads(page(scrape=lambda: b"a NaN\nb +Inf\n").data())["metrics"] == {
        "a": {"labels": [], "values": None},
        "b": {"labels": [], "values": None},
    }


def test_what_the_page_calls_bad_is_where_alerts_fire() -> None:
    limits = Limits()
    assert {
        "errors": limits.errors,
        "malformed": limits.malformed,
        "nulls": limits.nulls,
        "latency_s": limits.latency,
    } == LIMITS
