import numpy as np
from drill import BASELINE, nulls_phase, read
from planned import the_plan

from alertdrill.core.blast_radius import BlastRadius, blast_radius, busiest_per_s
from alertdrill.core.touch import Touch

OWN = {"url": "http://127.0.0.1:9", "schema": "schema.json", "sample": "sample.csv"}
FAULTS = [
    {"kind": "nulls", "features": ["amount"], "share": "50%"},
    {"kind": "missing_key", "features": ["hour"], "share": "50%"},
    {"kind": "latency", "delay": "400ms", "share": "20%"},
]


def radius(*faults: dict[str, object], **changes: object) -> BlastRadius:
    plan = the_plan(read(BASELINE, nulls_phase(faults=list(faults or FAULTS), expect=[]), **changes))
    return blast_radius(plan, Touch(plan), ["load", "Prometheus"])


def test_a_bundled_model_is_on_this_machine() -> None:
    one = radius()
    assert one.host == "127.0.0.1"
    assert "started for the drill" in one.why_allowed
    assert one.never == ("any host but 127.0.0.1",)
    assert one.starts == ("load", "Prometheus")


def test_a_host_elsewhere_must_have_been_named() -> None:
    one = radius(target=OWN | {"url": "http://Staging.test:8000", "allow_hosts": ["staging.test"]}, monitoring=RULES)
    assert (one.host, one.why_allowed) == ("staging.test", "named in target.allow_hosts")
    assert radius(target=OWN, monitoring=RULES).why_allowed == "this machine"


RULES = {"rules": ["alerts.yml"]}


def test_a_prometheus_of_the_user_s_own_is_only_read() -> None:
    one = radius(monitoring={"prometheus": {"url": "http://127.0.0.1:9090"}})
    assert one.never[0] == "your Prometheus at http://127.0.0.1:9090: read only"
    pair = {"url": "http://127.0.0.1:9090", "replicas": ["http://127.0.0.1:9091"]}
    assert radius(monitoring={"prometheus": pair}).never[1] == "your Prometheus at http://127.0.0.1:9091: read only"


def test_a_request_counts_once_a_unit() -> None:
    plan = the_plan(read(BASELINE, nulls_phase(faults=FAULTS, expect=[])))
    touch = Touch(plan)
    masks = [touch.mask(one, 0, 400) for one in plan.injections]
    touched = blast_radius(plan, touch, []).touched
    assert touched == {"row": int((masks[0] | masks[1]).sum()), "exchange": int(masks[2].sum())}


def test_everything_that_is_sent_counts_and_what_is_suppressed_does_not() -> None:
    plain, lost = radius(), radius({"kind": "traffic_loss", "share": 1})
    assert plain.requests - lost.requests == 400
    # Steady state, baseline, gate, phase and settling at 20/s, each as long as it can last.
    assert plain.requests == round(plain.longest_s * 20)


def test_a_surge_raises_the_busiest_second() -> None:
    assert radius().busiest_rate_per_s == 20
    assert radius({"kind": "surge", "factor": 5}).busiest_rate_per_s > 90


def test_limits_are_those_of_the_scenario() -> None:
    one = radius(limits={"lease": "7s", "max_rate": "80/s"})
    assert (one.lease_s, one.limit_rate_per_s) == (7.0, 80.0)


def test_the_busiest_second_is_found_wherever_it_begins() -> None:
    at = np.array([0.0, 1.6, 1.7, 2.3, 2.5, 2.7, 9.0])
    assert busiest_per_s(at) == 4
    assert busiest_per_s(at, 5.0) == 6 / 5
    assert busiest_per_s(np.empty(0)) == 0
