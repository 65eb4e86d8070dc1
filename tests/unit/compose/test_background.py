import asyncio
from typing import Any, cast

import pytest
from drill import read

from alertdrill.adapters.prometheus_api import PrometheusApi, QueryFailed
from alertdrill.compose.background import Background, ask_background
from alertdrill.core.scenario import Scenario

QUERY = "sum(rate(http_requests_total[5m]))"
OWN = {"url": "http://127.0.0.1:9", "schema": "schema.json", "sample": "sample.csv"}


class Answers:
    """A Prometheus that gives one answer."""

    def __init__(self, *values: float, error: QueryFailed | None = None) -> None:
        self.values, self.error = values, error
        self.asked: list[str] = []

    async def instant(self, promql: str) -> list[tuple[dict[str, str], float]]:
        self.asked.append(promql)
        if self.error is not None:
            raise self.error
        return [({}, value) for value in self.values]


def scenario(target: dict[str, Any] = OWN | {"traffic_query": QUERY}) -> Scenario:
    return read(target=target, monitoring={"prometheus": {"url": "http://127.0.0.1:9090"}})


def asked(answers: Answers, one: Scenario | None = None) -> Background:
    return asyncio.run(ask_background(one or scenario(), cast(PrometheusApi, answers)))


def test_the_answer_is_the_traffic_of_others() -> None:
    answers = Answers(194.2)
    found = asked(answers)
    assert answers.asked == [QUERY]
    assert found.per_s == 194.2
    assert found.note == "others send 194.2 requests a second to the target (target.traffic_query)"


def test_several_series_are_added() -> None:
    assert asked(Answers(100.0, 50.5, 0.0)).per_s == 150.5


@pytest.mark.parametrize(
    ("answers", "why"),
    [
        (Answers(), "empty answer"),
        (Answers(float("nan")), "answers nan"),
        (Answers(1.0, float("inf")), "answers inf"),
        (Answers(-3.0), "answers -3"),
        (
            Answers(error=QueryFailed("http://x", QUERY, "timeout", "no answer within 5 s", "wait")),
            "no answer within 5 s",
        ),
    ],
)
def test_what_is_no_answer_is_said_and_never_invented(answers: Answers, why: str) -> None:
    found = asked(answers)
    assert found.per_s is None
    assert found.note is not None
    assert why in found.note


@pytest.mark.parametrize("target", [OWN, {"bundled": "fraud"}])
def test_without_a_query_nothing_is_asked(target: dict[str, Any]) -> None:
    answers = Answers(1.0)
    assert asked(answers, scenario(target)) == Background(None, None)
    assert answers.asked == []
