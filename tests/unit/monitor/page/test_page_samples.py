"""The tree of metrics holds what the text says, as Prometheus's own parser reads it."""

import math
import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np
from hypothesis import given
from hypothesis import strategies as st
from prometheus_client.parser import text_string_to_metric_families

from alertdrill.drift.cells import CategoryCells, Cells, NumericCells
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.monitor.account import Account
from alertdrill.monitor.exposition import header, key, lines
from alertdrill.monitor.notes import Note
from alertdrill.monitor.page.samples import Samples, Tree

LABELS = {"model": "fraud", "version": "1"}
ROW = b'{"id": "1", "amount": 50.0, "country": "DE"}'
MOST_S = 0.020


def leaves(tree: Tree) -> dict[tuple[str, ...], float]:
    """Name and label values of every number of a tree."""

    def walk(node: Any, path: tuple[str, ...]) -> Iterator[tuple[tuple[str, ...], float]]:
        if isinstance(node, dict):
            for name, below in node.items():
                yield from walk(below, (*path, name))
        else:
            yield path, node

    return {path: value for name, metric in tree.items() for path, value in walk(metric["values"], (name,))}


def parsed(text: str) -> dict[tuple[str, ...], float]:
    """The same by the parser of Prometheus's client."""
    return {
        (sample.name, *(value for label, value in sample.labels.items() if label != "model")): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }


def test_it_is_what_prometheus_reads(account: Account) -> None:
    for code in (200, 503):
        account.note(Note(code, 0.01, True, ROW))
    text = account.scrape().decode()
    tree = Samples().tree(text)
    assert leaves(tree) == parsed(text)
    assert tree["model_requests_total"]["labels"] == ["version", "code"]
    assert tree["model_requests_total"]["values"]["1"]["503"] == 1.0
    assert tree["process_start_time_seconds"]["labels"] == []
    assert tree["process_start_time_seconds"]["values"] > 1e9


@given(st.lists(st.tuples(st.text(), st.text()), min_size=1, max_size=5, unique=True))
def test_every_text_can_be_the_value_of_a_label(pairs: list[tuple[str, str]]) -> None:
    keys = [key("m_total", {"model": "x", "feature": one, "cell": other}) for one, other in pairs]
    text = header("m_total", "counter", "Some.") + "".join(lines(keys, map(float, range(len(pairs)))))
    assert leaves(Samples().tree(text)) == {("m_total", *pair): float(at) for at, pair in enumerate(pairs)}


def test_numbers_that_json_does_not_have_are_read_too() -> None:
    values = Samples().tree('a{b="1"} NaN\na{b="2"} +Inf\n')["a"]["values"]
    assert math.isnan(values["1"])
    assert values["2"] == math.inf


def test_a_second_text_brings_new_numbers_new_series_and_no_old_ones() -> None:
    samples = Samples()
    texts = [
        'a{k="x"} 1.0\na{k="y"} 2.0\n',
        'a{k="x"} 1.0\na{k="y"} 3.0\n',
        'a{k="x"} 1.0\na{k="z"} 3.0\n',
        'a{k="z"} 4.0\na{k="x"} 1.0\n',
        'a{k="x"} 5.0\n',
        "",
        'a{k="x"} 5.0\nb 6.0\n',
    ]
    for text in texts:
        assert leaves(samples.tree(text)) == parsed(text)


def test_a_hundred_features_take_less_than_twenty_milliseconds() -> None:
    rng = np.random.default_rng(1)
    cells: dict[str, Cells] = {
        f"feature_{n}": CategoryCells.from_reference(rng.choice(list("abcdefghijkl"), 2_000))
        if n % 3 == 0
        else NumericCells.from_reference(rng.normal(50.0, 10.0, 2_000))
        for n in range(100)
    }
    account = Account(LABELS, cells, (), EDetector(list(cells.values()), log_threshold(100)), started_at=0.0)
    samples = Samples()
    took_s = [cpu_s(lambda: samples.tree(account.scrape().decode())) for _ in range(10)]
    assert min(took_s[1:]) < MOST_S


def cpu_s(work: Callable[[], object]) -> float:
    """CPU seconds of this process that something takes."""
    started = time.process_time()
    work()
    return time.process_time() - started
