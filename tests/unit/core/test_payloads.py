import json
from itertools import pairwise
from typing import Any

import numpy as np
import pytest
from drill import make_plan, nulls_phase, read
from hypothesis import given, settings
from hypothesis import strategies as st
from sample import sample

from alertdrill.core.draws import uniforms
from alertdrill.core.payloads import Payloads, spreads
from alertdrill.protocols.rows import Cell, Column, Rows

FAULTS = [
    {"kind": "nulls", "features": ["amount"], "share": "20%"},
    {"kind": "mean_shift", "features": ["amount"], "by": "1sd", "share": "50%"},
    {"kind": "malformed_json", "share": "30%"},
    {"kind": "latency", "delay": "400ms", "share": "30%"},
]


def payloads(faults: list[dict[str, Any]], seed: int = 7) -> Payloads:
    expected = {"alert": "NullsHigh", "within": "10s", "fault": faults[0]["kind"]}
    phase = nulls_phase(faults=faults, expect=[expected])
    return Payloads(make_plan(read(phase, seed=seed)), sample())


PAYLOADS = payloads(FAULTS)
WHOLE = PAYLOADS.block(2, 0, 120)


@settings(max_examples=30)
@given(cuts=st.lists(st.integers(0, 120), max_size=6))
def test_bodies_do_not_depend_on_how_requests_are_split_into_blocks(cuts: list[int]) -> None:
    edges = [0, *sorted(cuts), 120]
    blocks = [PAYLOADS.block(2, start, stop) for start, stop in pairwise(edges)]
    assert [body for block in blocks for body in block.bodies] == WHOLE.bodies
    for name, mask in WHOLE.touched.items():
        assert np.concatenate([block.touched[name] for block in blocks]).tolist() == mask.tolist()


def test_two_builders_with_one_seed_send_the_same_bytes() -> None:
    assert payloads(FAULTS).block(2, 0, 120).bodies == WHOLE.bodies
    assert payloads(FAULTS, seed=8).block(2, 0, 120).bodies != WHOLE.bodies


def test_segments_draw_apart() -> None:
    assert PAYLOADS.block(0, 0, 50).bodies != PAYLOADS.block(1, 0, 50).bodies


def test_a_segment_without_faults_sends_rows_of_the_sample() -> None:
    amounts = set(sample().columns["amount"].values.tolist())
    block = PAYLOADS.block(0, 0, 200)
    rows = [json.loads(body) for body in block.bodies]
    assert {row["amount"] for row in rows} <= amounts
    assert {row["country"] for row in rows} == {"CH", "NO", "SE"}
    assert block.touched == {}


def test_row_and_body_faults_account_for_what_they_touch_and_exchange_faults_do_not() -> None:
    assert set(WHOLE.touched) == {"nulls/nulls", "nulls/mean_shift", "nulls/malformed_json"}
    assert WHOLE.touched["nulls/nulls"].tolist() == (uniforms(7, "choose:nulls/nulls", 2, 0, 120) < 0.2).tolist()


def test_only_the_touched_requests_change() -> None:
    clean = payloads([{"kind": "nulls", "features": ["amount"], "share": 0}]).block(2, 0, 120)
    changed = [one != other for one, other in zip(clean.bodies, WHOLE.bodies, strict=True)]
    touched = np.logical_or.reduce(list(WHOLE.touched.values()))
    assert changed == touched.tolist()


def test_malformed_bodies_are_no_json_and_the_others_are() -> None:
    for body, cut in zip(WHOLE.bodies, WHOLE.touched["nulls/malformed_json"], strict=True):
        if cut:
            with pytest.raises(ValueError, match=r"."):
                json.loads(body)
        else:
            json.loads(body)


def test_the_sample_is_left_alone() -> None:
    rows = sample()
    builder = Payloads(make_plan(read(nulls_phase())), rows)
    builder.block(2, 0, 200)
    for name, column in sample().columns.items():
        assert rows.columns[name].values.tolist() == column.values.tolist()
        assert rows.columns[name].cells.tolist() == column.cells.tolist()


def test_a_spread_leaves_nulls_out() -> None:
    cells = np.array([Cell.VALUE, Cell.VALUE, Cell.NULL], dtype=np.uint8)
    rows = Rows(
        {"x": Column(np.array([1.0, 3.0, np.nan]), cells), "c": Column(np.array(["a"] * 3, dtype=object), cells)}
    )
    found = spreads(rows)
    assert set(found) == {"x"}
    assert (found["x"].mean, found["x"].sd) == (2.0, pytest.approx(2**0.5))


def test_the_cells_of_a_row_draw_each_on_its_own() -> None:
    noise = {"kind": "gaussian_noise", "features": ["amount", "hour"], "sd": 1000, "share": 1}
    clean, noisy = (payloads([{**noise, "share": share}]).rows(2, 0, 160).columns for share in (0, 1))
    amount, hour = (noisy[name].values - clean[name].values for name in ("amount", "hour"))
    known = clean["hour"].cells == Cell.VALUE
    assert abs(np.corrcoef(amount[known], hour[known])[0, 1]) < 0.3
