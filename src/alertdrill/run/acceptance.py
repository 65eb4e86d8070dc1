"""Watches what an Alertmanager has of the alerts of a drill, and journals every change."""

from collections.abc import Sequence

from alertdrill.core import journal as records
from alertdrill.core.recording import label_key
from alertdrill.run.ports import AlertHolder, Clock, HeldAlert, HeldSilence, Journal, SourceFailed

LOOK_S = 1.0
SILENCE_S = 3.0
"""An Alertmanager that has not answered for this long is gone."""

Key = tuple[tuple[tuple[str, str], ...], int]


class Acceptance:
    """Looks at an Alertmanager once a second; the journal has what was seen, and when it did not answer."""

    def __init__(
        self,
        holder: AlertHolder,
        clock: Clock,
        journal: Journal,
        names: Sequence[str],
        url: str,
        ours: Sequence[str] = (),
    ) -> None:
        """Watch the alerts of these names; `ours` are the ids of silences that the drill has journaled itself."""
        self._holder, self._clock, self._journal = holder, clock, journal
        self._names, self._url = names, url
        self._seen: dict[Key, tuple[object, ...]] = {}
        self._silences = set(ours)
        self._looked_at: float | None = None
        self._answered_at = clock.now()
        self._gone = False

    async def run(self) -> None:
        """Look until this is cancelled."""
        while True:
            await self.look()
            await self._clock.sleep_until(self._clock.now() + LOOK_S)

    async def look(self) -> None:
        """Look once."""
        try:
            found = await self._holder.alerts(self._names)
            now = self._clock.now()
            for one in found:
                await self._take(one, now)
            self._looked_at = self._answered_at = now
        except SourceFailed as error:
            self._silent(str(error))

    def _silent(self, why: str) -> None:
        silent_s = self._clock.now() - self._answered_at
        if self._gone or (self._holder.alive() and silent_s <= SILENCE_S):
            return
        self._gone = True
        died = f"the Alertmanager at {self._url} has not answered for {silent_s:.1f} s: {why}"
        what = died if self._holder.alive() else "the managed Alertmanager died during the drill"
        self._journal.write(records.Trouble(at=self._clock.now(), kind="alertmanager_gone", what=what))

    async def _take(self, one: HeldAlert, now: float) -> None:
        key = label_key(one.labels), one.starts_at_ms
        state = (one.state, one.receivers, one.silenced_by, one.inhibited_by, one.muted_by)
        if self._seen.get(key) == state:
            return
        inhibitors = await self._inhibitors(one.inhibited_by) if one.inhibited_by else ()
        for identity in one.silenced_by:
            await self._name_silence(identity, now)
        self._seen[key] = state
        self._journal.write(
            records.Accepted(
                at=now,
                labels=dict(one.labels),
                starts_at_ms=one.starts_at_ms,
                updated_at_ms=one.updated_at_ms,
                unseen_at=self._looked_at,
                state=one.state,
                receivers=one.receivers,
                silenced_by=one.silenced_by,
                inhibited_by=inhibitors,
                muted_by=one.muted_by,
            )
        )

    async def _inhibitors(self, fingerprints: Sequence[str]) -> tuple[dict[str, str], ...]:
        every = await self._holder.alerts(None)
        return tuple(dict(one.labels) for one in every if one.fingerprint in fingerprints)

    async def _name_silence(self, identity: str, now: float) -> None:
        if identity not in self._silences:
            silence = await self._holder.silence(identity)
            self._silences.add(identity)
            self._journal.write(silence_record(silence, now, ours=False))


def silence_record(silence: HeldSilence, now: float, ours: bool) -> records.Silence:
    """A silence as the journal keeps it."""
    return records.Silence(
        at=now,
        id=silence.id,
        ours=ours,
        matchers=silence.matchers,
        created_by=silence.created_by,
        comment=silence.comment,
        ends_at=silence.ends_at,
    )
