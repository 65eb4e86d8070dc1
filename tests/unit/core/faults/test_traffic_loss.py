from dataclasses import replace

import numpy as np
from tests.unit.core.faults.arrivals import arrival_context

from alertdrill.core.faults.arrival.traffic_loss import TrafficLoss

FAULT = TrafficLoss(kind="traffic_loss", share=0.5)
AT = np.array([0.1, 0.5, 0.9])


def test_the_touched_arrivals_are_lost_and_none_is_added():
    context = replace(arrival_context(AT, 1.0, 3.0), touched=np.array([True, False, True]))
    change = FAULT.change(AT, context)
    assert change.lost.tolist() == [True, False, True]
    assert (len(change.at), len(change.repeats)) == (0, 0)
    assert change.repeats.dtype == np.int64


def test_the_change_does_not_share_the_context_s_memory():
    context = arrival_context(AT, 1.0, 3.0)
    FAULT.change(AT, context).lost[:] = False
    assert context.touched.all()
