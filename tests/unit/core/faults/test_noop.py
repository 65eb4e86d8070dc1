import numpy as np

from alertdrill.core.faults.base import RowContext
from alertdrill.core.faults.noop import Noop
from alertdrill.protocols.rows import Column, Rows

ROWS = Rows({"amount": Column(np.array([1.5, 2.5, 3.5]), np.zeros(3, dtype=np.uint8))})
CONTEXT = RowContext(touched=np.array([True, False, True]), spreads={}, draws=lambda name: np.zeros(3))


def test_no_value_changes():
    faulted = Noop(kind="noop", features=("amount",), share=0.2).edit(ROWS, CONTEXT)
    assert faulted.columns["amount"].values.tolist() == [1.5, 2.5, 3.5]
