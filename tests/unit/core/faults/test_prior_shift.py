from dataclasses import replace

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.unit.core.faults.contexts import numbers, sample_context

from alertdrill.core.faults.sample.prior_shift import PriorShift
from alertdrill.protocols.rows import Rows

LABELS = np.array(["0", "1", "0", "0", "1", "0", "0", "0"], dtype=object)
SAMPLE = Rows({"amount": numbers(*range(8))}, LABELS)
POSITIONS = np.arange(8)


def fault(label: str = "1") -> PriorShift:
    return PriorShift(kind="prior_shift", label=label, share=0.3)


def test_touched_requests_have_the_label_and_the_others_keep_their_row():
    touched = [True, False, True, False, True, False, True, False]
    chosen = fault().choose(POSITIONS, sample_context(SAMPLE, 8, touched))
    assert set(LABELS[chosen[::2]]) == {"1"}
    assert chosen[1::2].tolist() == [1, 3, 5, 7]
    assert POSITIONS.tolist() == list(range(8))


def test_every_row_with_the_label_comes_alike():
    chosen = fault("0").choose(np.zeros(6000, dtype=np.int64), sample_context(SAMPLE, 6000))
    counts = np.bincount(chosen, minlength=8)
    assert counts[[1, 4]].tolist() == [0, 0]
    assert np.all(np.abs(counts[[0, 2, 3, 5, 6, 7]] - 1000) < 150)


@settings(max_examples=30)
@given(cut=st.integers(0, 8))
def test_a_request_gets_the_same_row_whatever_the_batch(cut: int):
    whole, context = fault().choose(POSITIONS, sample_context(SAMPLE, 8)), sample_context(SAMPLE, 8)
    half = replace(context, touched=context.touched[:cut], draws=lambda name: context.draws(name)[:cut])
    assert fault().choose(POSITIONS[:cut], half).tolist() == whole[:cut].tolist()


def test_without_labels_or_rows_with_the_label_every_request_keeps_its_row():
    bare = replace(SAMPLE, labels=None)
    assert fault().choose(POSITIONS, sample_context(bare, 8)).tolist() == POSITIONS.tolist()
    assert fault("2").choose(POSITIONS, sample_context(SAMPLE, 8)).tolist() == POSITIONS.tolist()


def test_two_faults_and_two_samples_are_not_mixed_up():
    other = replace(SAMPLE, labels=np.where(LABELS == "1", "0", "1").astype(object))
    for sample, label in [(SAMPLE, "1"), (SAMPLE, "0"), (other, "1"), (other, "0")]:
        chosen = fault(label).choose(POSITIONS, sample_context(sample, 8))
        assert sample.labels is not None
        assert set(sample.labels[chosen]) == {label}
