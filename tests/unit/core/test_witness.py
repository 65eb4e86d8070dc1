from drill import Drill

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
    assert witness.differences == ("NullsHigh resolved +1.000 s from its samples by the engine's post",)
