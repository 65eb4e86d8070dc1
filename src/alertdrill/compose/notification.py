"""The Alertmanager of a drill: started for it, its receivers ours; or the user's own, whose people are spared."""

import asyncio
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

from alertdrill.adapters.access import Access
from alertdrill.adapters.alertmanager_api import AlertmanagerApi, AlertmanagerHolder, AskFailed
from alertdrill.adapters.alertmanager_binary import Alertmanager
from alertdrill.adapters.alertmanager_config import MINIMAL, AlertmanagerConfig, read_config, read_routing
from alertdrill.adapters.alertmanager_install import ensure_alertmanager
from alertdrill.adapters.alertmanager_process import ManagedAlertmanager, start_alertmanager
from alertdrill.adapters.alertmanager_witness import MailWitness, WebhookWitness
from alertdrill.adapters.amtool import checked_config
from alertdrill.adapters.drill_processes import SystemClock
from alertdrill.adapters.journal_file import JournalFile
from alertdrill.adapters.prometheus_api import PrometheusApi, QueryFailed
from alertdrill.adapters.yaml_file import beside
from alertdrill.compose.options import in_file, refuse
from alertdrill.core import journal as records
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.receivers import (
    AUTHOR,
    Silenced,
    labels_of_posts,
    names_in_scope,
    not_rerouted,
    silenced,
    unknown_receivers,
)
from alertdrill.core.routing import Routing
from alertdrill.core.scenario import ManagedAlertmanager as WithConfig
from alertdrill.core.scenario import Reroute, Scenario, UserAlertmanager
from alertdrill.core.scenario.finding import TOP, Finding
from alertdrill.core.scope import RuleBook
from alertdrill.run.acceptance import Acceptance, silence_record

STOP_S = 1.0
START_ALLOWED_S = 300.0
"""How long the processes of a drill may take to start, so that its silence lasts."""

AFTER_S = 10.0
"""How much longer than the last alert that a silence spares people of, it lasts."""


@dataclass(frozen=True)
class ManagedSetup:
    """What a managed Alertmanager needs, found before anything is started."""

    alertmanager: Alertmanager
    config: AlertmanagerConfig


def managed_setup(scenario: Scenario, path: Path, say: Callable[[str], None]) -> ManagedSetup | None:
    """The program and the configuration of a managed Alertmanager; None where there is none in the drill.

    Raises:
        BadInput: there is no program, or the configuration or a receiver that is expected of it cannot be used.
    """
    wanted = scenario.monitoring.alertmanager
    if wanted == "none" or isinstance(wanted, UserAlertmanager):
        return None
    alertmanager = ensure_alertmanager(progress=say)
    if isinstance(wanted, WithConfig):
        config = checked_config(alertmanager.amtool.path, beside(path, wanted.config))
    else:
        config = read_config(MINIMAL, Path())
    refuse(in_file(path, unknown_receivers(scenario, config.routing)))
    return ManagedSetup(alertmanager, config)


@dataclass(frozen=True)
class Own:
    """The user's own Alertmanager, as it answered; `routing` is None where its configuration could not be read."""

    api: AlertmanagerApi
    version: str
    peers: int
    routing: Routing | None


async def read_own(scenario: Scenario, path: Path, stack: AsyncExitStack) -> Own | None:
    """Ask the user's own Alertmanager what it is; None where there is none in the drill.

    Raises:
        BadInput: it does not answer as an Alertmanager does, or a receiver that is expected of it has no route.
    """
    wanted = scenario.monitoring.alertmanager
    if not isinstance(wanted, UserAlertmanager):
        return None
    access = Access.of(wanted, ("monitoring", "alertmanager"), path)
    api = await stack.enter_async_context(AlertmanagerApi(access))
    try:
        status = await api.status()
    except AskFailed as error:
        expected = "an Alertmanager that answers"
        raise BadInput([Mistake("monitoring.alertmanager", error.what, expected, error.fix, file=error.url)]) from error
    try:
        routing = read_routing(status.config)
    except ValueError:
        routing = None
    if routing is not None:
        refuse(in_file(path, unknown_receivers(scenario, routing)))
    return Own(api, status.version, status.peers, routing)


async def spare_people(
    scenario: Scenario, path: Path, own: Own | None, prometheus: Sequence[PrometheusApi], book: RuleBook
) -> tuple[str, ...]:
    """Make sure that a drill disturbs nobody who was not to be disturbed; returns what is to be said about it.

    Args:
        scenario: the drill.
        path: its file.
        own: the user's own Alertmanager.
        prometheus: that of the drill, with its replicas; none where it is not started yet.
        book: their rules.

    Raises:
        BadInput: it would.
    """
    if own is not None and own.routing is not None:
        refuse(in_file(path, not_rerouted(scenario, own.routing, book)))
    if scenario.monitoring.prometheus == "managed":
        return tuple(_about_people(scenario, own, book))
    try:
        posts_to = sorted({url for one in prometheus for url in await one.alertmanagers()})
    except QueryFailed as error:
        return (
            f"whom the alerts of your Prometheus reach is not known: {error.what}",
            *_about_people(scenario, own, book),
        )
    refuse(in_file(path, _unspared(scenario, own, posts_to)))
    return tuple(_about_people(scenario, own, book))


def _unspared(scenario: Scenario, own: Own | None, posts_to: list[str]) -> Iterator[Finding]:
    notify = scenario.monitoring.notify
    where = (TOP, "monitoring", "alertmanager")
    if own is None and posts_to and notify != "live":
        got = f"a Prometheus that posts its alerts to {', '.join(posts_to)}, which notifies people"
        fix = f"add alertmanager: {{url: {posts_to[0]}}} to monitoring, or let people be notified: notify: live"
        yield Finding(where, "the Alertmanager in which the drill is to be silenced", fix, got)
    if own is not None and notify == "silenced" and len(posts_to) > own.peers:
        got = f"{own.peers} of the {len(posts_to)} Alertmanagers that your Prometheus posts to"
        fix = "join them to one cluster, which shares silences, or let people be notified: notify: live"
        yield Finding(where, "all of them, so that none notifies people", fix, got)


def _about_people(scenario: Scenario, own: Own | None, book: RuleBook) -> Iterator[str]:
    """What a drill does to people whom the user's own Alertmanager notifies."""
    if own is None:
        return
    notify, url = scenario.monitoring.notify, own.api.url
    if notify == "silenced":
        for matchers in silenced(scenario, book, "RUN"):
            on = ", ".join(one.text() for one in matchers)
            yield f"people: one silence on {on} in {url}, from before the first request to the end of the drill"
    elif isinstance(notify, Reroute):
        yield f"people: alerts of the drill reach {notify.rerouted.receiver} alone"
    else:
        yield f"people: those whom {url} notifies are notified of this drill"
    if own.routing is None:
        yield "the configuration of the Alertmanager could not be read: receivers and routes were not checked"
    yield "notifications are judged when the Alertmanager has them: what it waits for groups (group_wait) comes after"


def about_managed(setup: ManagedSetup | None) -> tuple[str, ...]:
    """What was made of the receivers of a team's configuration."""
    return tuple(setup.config.changes()) if setup is not None and setup.config.text is not MINIMAL else ()


@dataclass
class Notification:
    """The Alertmanager of a running drill.

    Attributes:
        addresses: where a managed Prometheus posts its alerts, beside our own receiver.
        labels: what it adds to them.
        api: of the Alertmanager; None where there is none in the drill.
        url: of the user's own; None: managed.
    """

    scenario: Scenario
    addresses: tuple[str | Access, ...] = ()
    labels: Mapping[str, str] = field(default_factory=dict)
    api: AlertmanagerApi | None = None
    url: str | None = None
    version: str = ""
    routing: Routing | None = None
    managed: ManagedAlertmanager | None = None
    early: list[records.Delivered] = field(default_factory=list)
    _journal: JournalFile | None = None
    _watch: Acceptance | None = None
    _looking: asyncio.Task[None] | None = None
    _silences: dict[str, Silenced] = field(default_factory=dict)
    _tail_s: float = 0.0

    def take(self, delivered: records.Delivered) -> None:
        """Journal a notification that a receiver got."""
        if self._journal is None:
            self.early.append(delivered)
        else:
            self._journal.write(delivered)

    def alive(self) -> bool:
        """Whether its process is not known to be dead."""
        return self.managed is None or self.managed.alive()

    async def begin(self, journal: JournalFile, book: RuleBook, run_id: str, longest_s: float, tail_s: float) -> None:
        """Journal what there is, silence it where that is asked for, and watch it from now on.

        Raises:
            BadInput: the silence could not be set.
        """
        self._journal, self._tail_s = journal, tail_s
        if self.api is None:
            return
        journal.write(records.Alertmanager(at=time.time(), version=self.version, url=self.url, routing=self.routing))
        for one in self.early:
            journal.write(one)
        if self.url is not None and self.scenario.monitoring.notify == "silenced":
            for matchers in silenced(self.scenario, book, run_id):
                await self._silence(self.api, matchers, run_id, START_ALLOWED_S + longest_s + tail_s)
        names = names_in_scope(self.scenario, book)
        ours = tuple(self._silences)
        holder = AlertmanagerHolder(self.api, self.alive)
        self._watch = Acceptance(holder, SystemClock(), journal, names, self.api.url, ours)
        self._looking = asyncio.create_task(self._watch.run())

    async def _silence(self, api: AlertmanagerApi, matchers: Silenced, run_id: str, lasts_s: float) -> None:
        now = time.time()
        comment = f"alertdrill drills {self.scenario.name} (run {run_id}); it ends this silence by itself"
        try:
            # A start in the past becomes the Alertmanager's own now, whatever its clock says.
            set_one = await api.set_silence(matchers, now - 3600, now + lasts_s, AUTHOR, comment)
            self._silences[set_one] = matchers
            silence = await api.silence(set_one)
        except AskFailed as error:
            await self._end_silences(api, _unsaid)
            fix = "let the drill set silences there, or let people be notified: notify: live"
            mistake = Mistake(
                "monitoring.notify", error.what, "an Alertmanager that can be silenced", fix, file=error.url
            )
            raise BadInput([mistake]) from error
        if self._journal is not None:
            self._journal.write(silence_record(silence, time.time(), ours=True))

    async def end(self, say: Callable[[str], None]) -> None:
        """Look a last time and end our silence; doing so again does nothing.

        A silence that still spares people of an alert of this drill lasts until that alert is over.
        """
        if self._looking is None or self._watch is None or self.api is None:
            return
        self._looking.cancel()
        await asyncio.wait({self._looking})
        self._looking = None
        await self._watch.look()
        await self._end_silences(self.api, say)

    async def _end_silences(self, api: AlertmanagerApi, say: Callable[[str], None]) -> None:
        for silence_id in self._silences:
            try:
                await self._end_silence(api, silence_id, say)
            except AskFailed as error:
                say(f"the silence {silence_id} could not be ended, and ends by itself: {error.what}")

    async def _end_silence(self, api: AlertmanagerApi, silence_id: str, say: Callable[[str], None]) -> None:
        alerts = await api.alerts(None)
        spared = [one for one in alerts if silence_id in one.silenced_by]
        if not spared:
            await api.expire_silence(silence_id)
            return
        now = time.time()
        lasts_s = max(self._tail_s, *(one.ends_at - now for one in spared)) + AFTER_S
        silence = await api.silence(silence_id)
        kept = await api.set_silence(
            self._silences[silence_id], now - 3600, now + lasts_s, AUTHOR, silence.comment, silence_id
        )
        names = ", ".join(sorted({one.labels.get("alertname", "") for one in spared}))
        say(f"{names} still active: the silence {kept} spares people of it for {lasts_s:.0f} s more")


def _unsaid(_: str) -> None:
    """What is not said, as the mistake that follows says more."""


async def open_notification(
    scenario: Scenario, setup: ManagedSetup | None, own: Own | None, run_id: str, stack: AsyncExitStack
) -> Notification:
    """Start the managed Alertmanager, if there is one in the drill; closed with `stack`.

    Raises:
        AlertmanagerFailed: it did not start.
    """
    notification = Notification(scenario)
    if own is not None:
        notification.api, notification.url = own.api, own.api.url
        notification.version, notification.routing = own.version, own.routing
        notification.addresses, notification.labels = (own.api.access,), labels_of_posts(scenario, run_id)
    elif setup is not None:
        receivers = tuple(setup.config.routing.receivers)
        hook = await stack.enter_async_context(WebhookWitness(receivers, notification.take))
        mail = await stack.enter_async_context(MailWitness(receivers, notification.take))
        managed = await start_alertmanager(setup.alertmanager, setup.config.rewritten(hook.url, mail.address))
        stack.push_async_callback(managed.stop, STOP_S)
        notification.api = await stack.enter_async_context(AlertmanagerApi(managed.url))
        notification.managed, notification.routing = managed, setup.config.routing
        notification.version = setup.alertmanager.program.version_text
        notification.addresses = (managed.url.removeprefix("http://"),)
    return notification
