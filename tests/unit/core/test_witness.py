from drill import Drill, expect, nulls_phase

from alertdrill.core import journal as records

LABELS = {"alertname": "NullsHigh", "severity": "P1", "feature": "amount"}


def detected() -> tuple[Drill, int, int]:
    """A drill, and when its alert fired and resolved by the samples (ms)."""
    drill = Drill().detect()
    episode = drill.case().episodes[0]
    assert episode.firing_at is not None
    assert episode.resolved_at is not None
    return drill, episode.firing_at, episode.resolved_at


def resolved_post(drill: Drill, starts_ms: int, ends_ms: int) -> None:
    labels = {**LABELS, "cluster": "a"}
    post = records.Post(at=ends_ms / 1000, labels=labels, status="resolved", starts_at_ms=starts_ms, ends_at_ms=ends_ms)
    drill.add(post)


def test_posts_that_state_the_same_instants_agree():
    drill, firing, resolved = detected()
    drill.post(firing + 5, firing)
    resolved_post(drill, firing, resolved + 1)
    witness = drill.judge().second_witness
    assert witness is not None
    assert (witness.instants, witness.max_difference_s, witness.differences) == (2, 0.001, ())


def test_without_posts_there_is_no_second_witness():
    assert detected()[0].judge().second_witness is None


def test_a_post_that_states_another_instant_of_firing_leaves_the_verdict_open():
    drill, firing, _ = detected()
    drill.post(firing + 5, firing + 2)
    one = drill.expectation()
    assert one.reason is not None
    assert (one.verdict.value, one.reason.code.value) == ("inconclusive", "clock_doubt")
    assert "+0.002 s from its samples" in one.reason.text


def test_a_later_post_of_the_same_episode_does_not_disagree():
    drill, firing, _ = detected()
    drill.post(firing + 5, firing).post(firing + 2005, firing + 2000)
    assert drill.expectation().verdict.value == "detected"


def test_a_post_that_states_another_end_is_said():
    drill, firing, resolved = detected()
    resolved_post(drill, firing, resolved + 1000)
    witness = drill.judge().second_witness
    assert witness is not None
    alert = 'NullsHigh{feature="amount", severity="P1"}'
    assert witness.differences == (f"{alert} resolved +1.000 s from its samples by the engine's post",)


def slow(drill: Drill, at_ms: int) -> int:
    """Have Slow fire for 2 s from the evaluation at an instant on, and the engine post it; when it fired (ms)."""
    fired = drill.evaluation(at_ms)
    drill.fire(fired, fired, fired + 2000, alert="Slow", job="monitor")
    labels = {"alertname": "Slow", "severity": "P1", "job": "monitor"}
    drill.add(records.Post(at=fired / 1000, labels=labels, status="firing", starts_at_ms=fired, ends_at_ms=None))
    return fired


def test_an_alert_that_fires_before_the_fault_and_during_it_is_witnessed_in_both_places():
    drill = Drill().detect()
    before, during = drill.start_ms() - 17_000, drill.start_ms() + 3000
    first, second = slow(drill, before), slow(drill, during)
    result = drill.judge()
    (also,) = result.also_fired
    assert (also.alert, also.firing_at, also.in_baseline) == ("Slow", second / 1000, True)
    assert result.second_witness is not None
    assert (result.second_witness.instants, result.second_witness.differences) == (2, ())
    assert first / 1000 in {one.firing_at for one in result.background}


def test_a_post_that_contradicts_an_alert_nobody_expected_is_said_and_leaves_verdicts_alone():
    drill = Drill().detect()
    fired = slow(drill, drill.start_ms() + 3000)
    drill.change(records.Post, starts_at_ms=fired + 700)
    result = drill.judge()
    assert result.second_witness is not None
    (difference,) = result.second_witness.differences
    assert difference.startswith('Slow{job="monitor", severity="P1"} fired +0.700 s')
    assert (result.expectations[0].verdict.value, result.also_fired[0].in_baseline) == ("detected", False)


def test_a_post_with_the_labels_that_reroute_it_still_contradicts_the_silence_of_the_recording():
    url = "http://127.0.0.1:9093"
    rerouted = {"rerouted": {"receiver": "drills", "labels": {"environment": "drill"}}}
    phase = nulls_phase(expect=[expect(matchers=['environment!="drill"'])])
    drill = Drill(phase, monitoring={"alertmanager": {"url": url}, "notify": rerouted})
    at = drill.start_ms() + 3000
    labels = {**LABELS, "environment": "drill", "alertdrill_run": "run"}
    drill.add(records.Post(at=at / 1000, labels=labels, status="firing", starts_at_ms=at, ends_at_ms=None))
    one = drill.expectation()
    assert one.reason is not None
    assert (one.verdict.value, one.reason.code.value) == ("inconclusive", "series_not_recorded")
