"""What is journaled of an Alertmanager that is looked at once a second."""

import asyncio
from collections.abc import Sequence
from dataclasses import replace

from tests.unit.run.world import T0, FakeJournal, SteppedClock

from alertdrill.core import journal as records
from alertdrill.run.acceptance import Acceptance
from alertdrill.run.ports import HeldAlert, HeldSilence, SourceFailed

ALERT = HeldAlert("f1", {"alertname": "A"}, 1000, 1005, 2e9, "active", ("pager",), (), (), ())
CAUSE = HeldAlert("f2", {"alertname": "B"}, 1000, 1005, 2e9, "active", ("pager",), (), (), ())


class FakeHolder:
    def __init__(self) -> None:
        self.held: list[HeldAlert] = []
        self.silent = False
        self.dead = False
        self.asked: list[Sequence[str] | None] = []

    async def alerts(self, names: Sequence[str] | None) -> list[HeldAlert]:
        await asyncio.sleep(0)  # as one that is really asked
        self.asked.append(names)
        if self.silent or self.dead:
            raise SourceFailed("no answer")
        return [one for one in self.held if names is None or one.labels["alertname"] in names]

    async def silence(self, silence_id: str) -> HeldSilence:
        return HeldSilence(silence_id, ('a="b"',), "alice", "why", 2e9, True)

    def alive(self) -> bool:
        return not self.dead


class Watched:
    def __init__(self, ours: Sequence[str] = ()) -> None:
        self.holder, self.clock, self.journal = FakeHolder(), SteppedClock(), FakeJournal()
        self.acceptance = Acceptance(self.holder, self.clock, self.journal, ["A"], "http://am", ours)

    async def look(self, *held: HeldAlert) -> list[records.Record]:
        """Look once more, a second later; what was journaled."""
        before = len(self.journal.records)
        self.holder.held = list(held)
        self.clock.pass_s(1.0)
        await self.acceptance.look()
        return self.journal.records[before:]


async def test_an_alert_is_journaled_when_it_is_first_seen_and_when_it_changes():
    watched = Watched()
    assert await watched.look() == []
    (first,) = await watched.look(ALERT)
    assert isinstance(first, records.Accepted)
    assert (first.at, first.unseen_at, first.receivers) == (T0 + 2.0, T0 + 1.0, ("pager",))
    assert await watched.look(ALERT) == []
    (changed,) = await watched.look(replace(ALERT, state="suppressed", muted_by=("nights",)))
    assert isinstance(changed, records.Accepted)
    assert (changed.state, changed.muted_by) == ("suppressed", ("nights",))


async def test_a_second_episode_of_the_same_labels_is_another_alert():
    watched = Watched()
    await watched.look(ALERT)
    assert len(await watched.look(replace(ALERT, starts_at_ms=9000))) == 1


async def test_a_silence_is_journaled_once_and_before_the_alert_that_it_silences():
    watched = Watched()
    silence, alert = await watched.look(replace(ALERT, silenced_by=("s1",)))
    assert isinstance(silence, records.Silence)
    assert isinstance(alert, records.Accepted)
    assert (silence.id, silence.ours, silence.comment) == ("s1", False, "why")
    assert len(await watched.look(replace(ALERT, starts_at_ms=9000, silenced_by=("s1",)))) == 1


async def test_our_own_silence_is_not_journaled_as_foreign():
    assert len(await Watched(ours=["s1"]).look(replace(ALERT, silenced_by=("s1",)))) == 1


async def test_an_alert_that_inhibits_is_looked_up_among_all():
    watched = Watched()
    (one,) = await watched.look(replace(ALERT, inhibited_by=("f2",)), CAUSE)
    assert isinstance(one, records.Accepted)
    assert one.inhibited_by == ({"alertname": "B"},)
    assert watched.holder.asked == [["A"], None]


async def test_one_that_does_not_answer_for_three_seconds_is_gone_and_that_is_said_once():
    watched = Watched()
    watched.holder.silent = True
    said = [one for _ in range(6) for one in await watched.look()]
    (trouble,) = said
    assert isinstance(trouble, records.Trouble)
    assert trouble.kind == "alertmanager_gone"
    assert "http://am" in trouble.what
    assert trouble.at == T0 + 4.0


async def test_one_that_is_known_to_be_dead_is_gone_at_once():
    watched = Watched()
    watched.holder.dead = True
    (trouble,) = await watched.look()
    assert isinstance(trouble, records.Trouble)
    assert trouble.what == "the managed Alertmanager died during the drill"


async def test_it_looks_each_second_until_it_is_cancelled():
    watched = Watched()
    task = asyncio.create_task(watched.acceptance.run())
    for _ in range(5):
        await asyncio.sleep(0)
    task.cancel()
    assert len(watched.holder.asked) >= 2
    assert watched.clock.now() >= T0 + 1.0
