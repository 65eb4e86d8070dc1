"""Verdicts on notifications: how far they came, who got them, and what held them back."""

import pytest
from drill import SCHEMA, Drill, expect, nulls_phase, read
from told import LABELS, MANAGED, OTHER, OWN, ROUTING, Told

from alertdrill.core import journal as records
from alertdrill.core.label_sets import with_label_sets


def test_a_delivery_to_the_receiver_is_the_notification():
    told = Told(MANAGED).posted().accepted().delivered(40)
    assert told.outcome == ("detected", "delivered", None)
    assert (told.one.notify_s, told.one.notified_receivers) == (0.04, ("pager",))
    assert (told.one.notifies_receiver, told.one.notifies_within_s) == ("pager", 8.0)
    evidence = told.one.evidence["notification"]
    assert (evidence["level"], evidence["routed_to"]) == ("delivered", ["pager"])
    assert evidence["posted_at"] < evidence["accepted_at"] < evidence["delivered_at"]


def test_any_receiver_will_do_where_none_is_named():
    assert Told(MANAGED, receiver=None).accepted().delivered(40, "mail").outcome == ("detected", "delivered", None)


def test_a_delivery_to_another_receiver_is_the_wrong_one_and_named():
    told = Told(MANAGED, receiver="mail").posted().accepted().delivered(40)
    assert told.outcome == ("not_notified", "wrong_receiver", "wrong_receiver")
    assert "delivered to pager, not to mail" in told.one.reason.text


def test_a_late_delivery_is_late_and_says_what_of_it_was_group_wait():
    told = Told(MANAGED, within="5s").accepted().delivered(2100)
    assert told.outcome == ("not_notified", "late", "too_late")
    assert "group_wait: 2s" in told.one.reason.text


def test_only_deliveries_of_this_episode_while_it_fires_count():
    told = Told(MANAGED).accepted().delivered(40, status="resolved").delivered(40, starts_at_ms=1)
    told.delivered(40, labels=LABELS | {"feature": "hour"})
    assert told.outcome == ("not_notified", "not_delivered", "not_delivered")


def test_what_an_alertmanager_had_and_told_nobody_is_not_delivered_and_says_what_waits():
    told = Told(MANAGED).posted().accepted()
    assert told.outcome == ("not_notified", "not_delivered", "not_delivered")
    assert "group_wait is 2 s" in told.one.reason.text


def test_a_receiver_without_integrations_can_tell_nobody():
    told = Told(MANAGED, receiver="void").posted().accepted(receivers=("void",))
    assert "it has no integration" in told.one.reason.text


def test_what_was_posted_and_never_accepted_is_not_accepted():
    assert Told(MANAGED).posted().outcome == ("not_notified", "not_accepted", "not_accepted")


def test_with_an_alertmanager_of_ones_own_acceptance_counts_at_its_own_instant():
    told = Told(OWN).posted().accepted()
    assert told.outcome == ("detected", "accepted", None)
    assert told.one.notify_s == 0.006


def test_an_alertmanager_whose_clock_is_off_is_believed_from_when_we_saw_it():
    told = Told(OWN).accepted(after_ms=300, updated_at_ms=5)
    assert told.one.notify_s == 0.3


def test_a_foreign_silence_suppresses_and_is_named():
    told = Told(OWN).silence(ours=False).accepted(state="suppressed", silenced_by=("s1",))
    assert told.outcome == ("not_notified", "suppressed", "suppressed")
    assert "the silence s1 of alice" in told.one.reason.text
    assert "maintenance" in told.one.reason.text


def test_our_own_silence_counts_as_accepted():
    told = Told(OWN).silence(ours=True).accepted(state="suppressed", silenced_by=("s1",))
    assert told.outcome == ("detected", "accepted", None)


def test_a_foreign_silence_beside_ours_still_suppresses():
    told = Told(OWN).silence(ours=True).silence(ours=False, identity="s2")
    told.accepted(state="suppressed", silenced_by=("s1", "s2"))
    assert told.outcome == ("not_notified", "suppressed", "suppressed")
    assert "s1" not in told.one.reason.text


def test_the_silence_that_the_drill_before_left_behind_counts_as_ours_while_this_drill_is_silenced_too():
    told = Told(OWN).silence(ours=False, identity="s0", by="alertdrill").silence(ours=True)
    told.accepted(state="suppressed", silenced_by=("s0", "s1"))
    assert told.outcome == ("detected", "accepted", None)


def test_a_silence_of_another_drill_keeps_a_live_one_from_people():
    told = Told(OWN).silence(ours=False, identity="s0", by="alertdrill")
    told.accepted(state="suppressed", silenced_by=("s0",))
    assert told.outcome == ("not_notified", "suppressed", "suppressed")


@pytest.mark.parametrize("setup", [MANAGED, OWN])
def test_an_alert_that_inhibits_it_is_named(setup):
    told = Told(setup).posted().accepted(state="suppressed", inhibited_by=(OTHER,))
    assert told.outcome == ("not_notified", "suppressed", "suppressed")
    assert 'Outage{severity="P0"} inhibits it' in told.one.reason.text


def test_a_time_interval_that_mutes_it_is_named():
    told = Told(OWN).accepted(state="suppressed", muted_by=("nights",))
    assert "the time interval nights mutes it" in told.one.reason.text


def test_what_is_inhibited_before_its_group_would_be_told_never_reaches_people():
    told = Told(OWN).accepted().accepted(after_ms=1500, state="suppressed", inhibited_by=(OTHER,))
    assert told.outcome == ("not_notified", "suppressed", "suppressed")


def test_what_is_inhibited_after_its_group_was_told_had_reached_people():
    told = Told(OWN).accepted().accepted(after_ms=2500, state="suppressed", inhibited_by=(OTHER,))
    assert told.outcome == ("detected", "accepted", None)


def test_a_silence_that_ended_in_time_held_it_back_until_then():
    told = Told(OWN).silence(ours=False).accepted(state="suppressed", silenced_by=("s1",)).accepted(after_ms=3000)
    assert told.outcome == ("detected", "accepted", None)
    assert told.one.notify_s == 3.0


def test_an_alert_routed_elsewhere_has_the_wrong_receiver():
    told = Told(OWN, receiver="mail").accepted()
    assert told.outcome == ("not_notified", "wrong_receiver", "wrong_receiver")
    assert "routed to pager, not to mail" in told.one.reason.text


@pytest.mark.parametrize("setup", [MANAGED, OWN])
def test_an_alertmanager_that_went_away_leaves_it_open(setup):
    assert Told(setup).posted().trouble().outcome == ("inconclusive", "inconclusive", "query_failed")


def test_what_was_delivered_before_the_alertmanager_went_away_was_delivered():
    assert Told(MANAGED).accepted().delivered(40).trouble().one.notification == "delivered"


def test_nobody_is_asked_about_and_how_far_it_came_is_told_all_the_same():
    drill = Drill(**MANAGED).detect()
    firing = drill.evaluation(drill.start_ms() + 1200) + 2000
    drill.post(firing + 4, firing)
    one = drill.expectation()
    assert (one.verdict.value, one.notification, one.notify_s) == ("detected", "posted", 0.004)


def test_of_match_all_every_label_set_must_reach_its_receiver():
    asked = expect(labels={}, match="all", notifies={"within": "8s", "receiver": "pager"})
    faults = [{"kind": "nulls", "features": ["amount", "hour"], "share": "50%"}]
    written = with_label_sets(read(nulls_phase(faults=faults, expect=[asked]), **MANAGED), SCHEMA)
    each = [one.model_dump(mode="json", exclude_defaults=True) for one in written.phases[0].expect]
    drill = Drill(nulls_phase(faults=faults, expect=each), **MANAGED).detect().detect(feature="hour")
    drill.add(records.Alertmanager(at=1.0, version="0.25.0", url=None, routing=ROUTING))
    firing = drill.evaluation(drill.start_ms() + 1200) + 2000
    what = {"receiver": "pager", "integration": "webhook", "status": "firing", "starts_at_ms": firing}
    drill.add(records.Delivered(at=firing / 1000 + 0.04, labels=LABELS | {"feature": "hour"}, **what))
    amount, hour = drill.judge().expectations
    assert (amount.id, hour.id) == ("nulls/NullsHigh/1", "nulls/NullsHigh/2")
    assert (amount.verdict.value, hour.verdict.value) == ("not_notified", "detected")
    drill.add(records.Delivered(at=firing / 1000 + 0.05, labels=LABELS, **what))
    assert drill.expectation(0).verdict.value == "detected"
