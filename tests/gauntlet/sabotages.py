"""A team's own stack with something broken in it, and a drill against it: what the sabotage tests run.

Several things can be broken in one stack as long as each has an alert of its own: one drill proves them all.
"""

import asyncio
import json
import re
import signal
import time
from asyncio.subprocess import DEVNULL
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

import httpx
import psutil

from alertdrill.adapters.prometheus_config import ScrapeJob
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.prometheus_process import ManagedPrometheus, start_prometheus
from tests.e2e.drills import Drill, Running, run, scenario
from tests.e2e.own_stack import OwnModel, own_model
from tests.gauntlet.between import Act, Answer, Behind, Between, between, cut, pass_on

FAULT = "[{kind: nulls, features: [amount], share: 20%}]"
VALUES = "model_feature_values_total"
SOUND = 'nulls_monitor:ratio{feature="amount"} > 0.05'
BASELINE_S = 5


@dataclass(frozen=True)
class Rule:
    """An alert of the stack."""

    expr: str
    for_: str = "2s"
    labels: Mapping[str, str] = field(default_factory=dict)


def of_job(job: str) -> Rule:
    """A sound alert on what one job scrapes."""
    return Rule(f"nulls_{job}:ratio > 0.05")


def rule_file(rules: Mapping[str, Rule], jobs: Sequence[str], interval: str | None = None) -> str:
    """A rule file, JSON, which is YAML: the share of nulls in what each job scrapes, and the alerts on it."""
    recorded = [
        {
            "record": f"nulls_{job}:ratio",
            "expr": f'sum by (feature) (rate({VALUES}{{cell=~"null|missing",job="{job}"}}[5s]))'
            f' / sum by (feature) (rate({VALUES}{{job="{job}"}}[5s]))',
        }
        for job in jobs
    ]
    late = {"record": "nulls:since", "expr": f"nulls:since or timestamp({SOUND})"}
    alerts = [
        {"alert": name, "expr": one.expr, "for": one.for_, "labels": {"severity": "P1", **one.labels}}
        for name, one in rules.items()
    ]
    group = {"name": "sabotaged", "rules": [*recorded, late, *alerts]} | ({"interval": interval} if interval else {})
    return json.dumps({"groups": [group]}, indent=1)


@dataclass
class Stack:
    """A team's own stack; what it scrapes and what is asked of its Prometheus go through hands of ours."""

    own: OwnModel
    prometheus: ManagedPrometheus
    asked: Between
    scraped: Mapping[str, Between]
    rules: Path
    running: Running | None = None

    async def wait_for(self, text: str) -> None:
        """Wait until the drill says `text`."""
        assert self.running is not None
        await asyncio.to_thread(self.running.wait_for, text)


Hand = Callable[[Stack], Awaitable[None]]


async def nothing(stack: Stack) -> None:
    """Break nothing while the drill runs."""


@dataclass(frozen=True)
class Broken:
    """What is broken, and how it is drilled.

    Attributes:
        rules: the alerts of the stack.
        expected: alerts that the drill expects; by default all.
        further: scrape jobs beside `monitor`: all scrape the monitor, `wrong_port` a port where nobody listens.
        acts: what is done to what some of them scrape, from the beginning.
        asked: what is done to what Prometheus answers, from the beginning.
        during: what is done while the drill runs.
        after_s: how long it goes on after the fault.
        asks: what an expectation asks for.
        flags: of Prometheus.
        interval: at which the rules are evaluated.
        more: further parts of the scenario, YAML.
    """

    rules: Mapping[str, Rule]
    expected: Sequence[str] = ()
    further: Sequence[str] = ()
    acts: Mapping[str, Act] = field(default_factory=dict)
    asked: Act = pass_on
    during: Hand = nothing
    after_s: int = 0
    asks: str = "labels: {feature: amount, severity: P1}, within: 10s"
    fault_s: int = 12
    decided: bool = False
    flags: Sequence[str] = ()
    interval: str | None = None
    more: str = ""

    def phases(self) -> str:
        """The phases of the drill, YAML."""
        expected = "".join(f"      - {{alert: {name}, {self.asks}}}\n" for name in self.expected or self.rules)
        until = "    end_when: decided\n" if self.decided else ""
        after = f"  - {{name: after, duration: {self.after_s}s}}\n" if self.after_s else ""
        return (
            f"  - {{name: baseline, duration: {BASELINE_S}s}}\n  - name: nulls\n    duration: {self.fault_s}s\n"
            f"{until}    faults: {FAULT}\n    expect:\n{expected}{after}"
        )


@asynccontextmanager
async def _stack(directory: Path, broken: Broken) -> AsyncIterator[Stack]:
    described = Path(scenario(directory, broken.phases(), broken.more))
    async with own_model(directory, described) as own, AsyncExitStack() as stack:
        scraped = {}
        for job in ("monitor", *broken.further):
            scraped[job] = await stack.enter_async_context(between(own.model, broken.acts.get(job, pass_on)))
        jobs = [ScrapeJob.from_url(job, f"{hand.url}/metrics") for job, hand in scraped.items()]
        jobs = [ScrapeJob(one.job, ("127.0.0.1:9",)) if one.job == "wrong_port" else one for one in jobs]
        rules = directory / "rules.yml"
        rules.write_text(rule_file(broken.rules, [*scraped, "removed"], broken.interval))
        program = ensure_prometheus().prometheus.path
        prometheus = await start_prometheus(program, jobs=jobs, rule_files=[rules], flags=broken.flags)
        stack.push_async_callback(prometheus.stop)
        await _evaluated(prometheus.url)
        asked = await stack.enter_async_context(between(prometheus.url, broken.asked))
        yield Stack(own, prometheus, asked, scraped, rules)


async def _evaluated(url: str) -> None:
    """Wait until the rules were evaluated once, as a team's own have been for long."""
    deadline = time.monotonic() + 90.0
    async with httpx.AsyncClient(trust_env=False) as client:
        while True:
            groups = (await client.get(f"{url}/api/v1/rules")).json()["data"]["groups"]
            if all(datetime.fromisoformat(group["lastEvaluation"]).year > 1 for group in groups):
                return
            assert time.monotonic() < deadline
            await asyncio.sleep(0.2)


def drilled(directory: Path, broken: Broken) -> Drill:
    """Drill it: the drill as it ended."""

    async def drill() -> Drill:
        async with _stack(directory, broken) as stack:
            own, file = stack.own, directory / "own.yaml"
            file.write_text(
                (directory / "scenario.yaml")
                .read_text()
                .replace(
                    "target: {bundled: fraud}",
                    f"target: {{url: {own.model}, schema: {own.schema}, sample: {own.sample}}}\n"
                    f"monitoring: {{monitor: none, prometheus: {{url: {stack.asked.url}}}}}",
                )
            )
            stack.running = await asyncio.to_thread(run, directory, str(file))
            hand = asyncio.create_task(broken.during(stack))
            try:
                return await asyncio.to_thread(stack.running.ended)
            finally:
                if hand.done():
                    hand.result()
                hand.cancel()

    return asyncio.run(drill())


# What is broken from the beginning, and what silences an alert or changes what it says: all of it fails the drill.


async def renamed(target: str, behind: Behind) -> bytes:
    """The monitor's page, its metric under another name."""
    answer = await behind(target)
    return Answer(answer.status, answer.body.replace(VALUES.encode(), b"model_feature_vals_total"), answer.kind).raw()


async def freeze(stack: Stack) -> None:
    """The page of the monitor goes on saying what it said before the fault."""
    await stack.wait_for("phase nulls")
    page = await stack.scraped["frozen"].now("/metrics")

    async def same(target: str, behind: Behind) -> bytes:
        return page

    stack.scraped["frozen"].act = same


FAILING = Broken(
    {
        "Sound": Rule(SOUND),
        "ThresholdTooHigh": Rule('nulls_monitor:ratio{feature="amount"} > 0.9'),
        "WrongLabel": Rule('nulls_monitor:ratio{feature="ammount"} > 0.05'),
        "RecordingMissing": Rule("nulls_monitored:ratio > 0.05"),
        "MetricRenamed": of_job("renamed"),
        "JobRemoved": of_job("removed"),
        "PortWrong": of_job("wrong_port"),
        "MonitorFrozen": of_job("frozen"),
        "SeverityChanged": Rule(SOUND, labels={"severity": "P3"}),
        "OtherFeature": Rule(SOUND, labels={"feature": "amount_24h"}),
        "Flapping": Rule(f"{SOUND} and on() (vector(time()) % 4 < 2)", "0s"),
        "AfterTheTail": Rule("time() - nulls:since > 25", "0s"),
    },
    expected=(
        *("Sound", "RuleDeleted", "ThresholdTooHigh", "WrongLabel", "RecordingMissing", "MetricRenamed", "JobRemoved"),
        *("PortWrong", "MonitorFrozen", "SeverityChanged", "OtherFeature", "Flapping", "AfterTheTail"),
    ),
    further=("renamed", "wrong_port", "frozen"),
    acts={"renamed": renamed},
    during=freeze,
    after_s=22,
    more="settle: {timeout: 5s}",
)

# What leaves it open whether an alert would have spoken.


async def cut_off(stack: Stack) -> None:
    """Nothing comes through between Prometheus and one of the monitors any more."""
    await stack.wait_for("phase nulls")
    stack.scraped["cut"].act = cut


ERRS = 'ALERTS{alertname="EvaluationFails", alertstate="firing"}'
UNCERTAIN = Broken(
    {
        "Sound": Rule(SOUND),
        "NetworkCut": of_job("cut"),
        "AlreadyFiring": Rule("vector(1)", "0s", {"feature": "amount"}),
        "EvaluationFails": Rule(
            f"({SOUND}) * on() (vector(1) or sum by (alertstate) ({ERRS}))", "2s", {"feature": "amount"}
        ),
    },
    further=("cut",),
    during=cut_off,
)
FOR_AN_HOUR = Broken({"ForAnHour": Rule(SOUND, "1h")})


async def break_rules(stack: Stack) -> None:
    """A broken rule file is loaded, or rather is not."""
    await stack.wait_for("phase nulls")
    stack.rules.write_text("groups: [{name: sabotaged, rules: [{alert: Sound, expr: 'nulls_monitor:ratio >'}]}]")
    async with httpx.AsyncClient(trust_env=False) as client:
        assert (await client.post(f"{stack.prometheus.url}/-/reload")).status_code == 500


RELOADED = Broken({"Sound": Rule(SOUND)}, during=break_rules, decided=True)


# What happens to Prometheus itself.


async def restart(stack: Stack) -> None:
    """Prometheus is ended amid the fault and started again at once: same port, same data."""
    await stack.wait_for("phase nulls")
    program = psutil.Process(stack.prometheus.pid)
    address = stack.prometheus.url.removeprefix("http://")
    command = [f"--web.listen-address={address}" if "listen-address" in one else one for one in program.cmdline()]
    program.terminate()
    await asyncio.to_thread(program.wait, 10.0)
    again = await asyncio.create_subprocess_exec(*command, stdout=DEVNULL, stderr=DEVNULL)
    try:
        await again.wait()
    finally:
        if again.returncode is None:
            again.kill()
            await again.wait()


RESTARTED = Broken({"Sound": Rule(SOUND, "4s")}, during=restart)
RESTORED = Broken({"Sound": Rule(SOUND, "4s")}, during=restart, flags=("--rules.alert.for-grace-period=0s",))


def amid_the_fault(act: Act) -> Hand:
    """Prometheus answers otherwise from the fault on."""

    async def hand(stack: Stack) -> None:
        await stack.wait_for("phase nulls")
        stack.asked.act = act

    return hand


def always(answer: Answer) -> Act:
    """The same answer to every request."""

    async def act(target: str, behind: Behind) -> bytes:
        return answer.raw()

    return act


AHEAD_S = 10.0
EMPTY = {"status": "success", "data": {"resultType": "vector", "result": []}}


async def empty(target: str, behind: Behind) -> bytes:
    """Every query is answered, and by nothing; but for the time, which needs no data."""
    asks_for_data = "/query" in target and "time%28%29" not in target and "time()" not in target
    return Answer(200, json.dumps(EMPTY).encode()).raw() if asks_for_data else await pass_on(target, behind)


async def slowly(target: str, behind: Behind) -> bytes:
    """Right, and 4 s later: less than a single answer may take."""
    await asyncio.sleep(4.0)
    return await pass_on(target, behind)


def _answering(act: Act) -> Broken:
    return Broken({"Sound": Rule(SOUND)}, during=amid_the_fault(act), decided=True)


async def clock_set_forward(target: str, behind: Behind) -> bytes:
    """Its clock is 10 s ahead from now on: by what it says itself, samples keep the times that they have."""
    answer = await behind(target)
    if "time%28%29" not in target and "time()" not in target:
        return answer.raw()
    document = json.loads(answer.body)
    document["data"]["result"][1] = str(float(document["data"]["result"][1]) + AHEAD_S)
    return Answer(answer.status, json.dumps(document).encode()).raw()


async def clock_ahead(target: str, behind: Behind) -> bytes:
    """Its clock is 10 s ahead, all along: what it answers, and what it is asked for."""
    there = re.sub(r"([?&]time=)([\d.]+)", lambda found: f"{found[1]}{float(found[2]) - AHEAD_S:.3f}", target)
    answer = await behind(there)
    if not target.startswith(("/api/v1/query", "/api/v1/rules")):
        return answer.raw()
    document = json.loads(answer.body)
    for group in document["data"].get("groups", ()):
        then = datetime.fromisoformat(group["lastEvaluation"])
        group["lastEvaluation"] = (then + timedelta(seconds=AHEAD_S if then.year > 1 else 0)).isoformat()
    found = document["data"].get("result", ())
    if document["data"].get("resultType") == "scalar":
        found[:] = [found[0] + AHEAD_S, f"{float(found[1]) + AHEAD_S:.3f}"]
        found = ()
    for one in found:
        for sample in [one["value"]] if "value" in one else one["values"]:
            sample[0] = round(sample[0] + AHEAD_S, 3)
    return Answer(answer.status, json.dumps(document).encode()).raw()


CLOCK_SET_FORWARD = _answering(clock_set_forward)
CLOCK_AHEAD = Broken({"Sound": Rule(SOUND)}, asked=clock_ahead, decided=True)
ANSWERS_500 = _answering(always(Answer(500, b"oops", "text/plain")))
ANSWERS_401 = _answering(always(Answer(401, b"Unauthorized", "text/plain")))
ANSWERS_NOTHING = _answering(empty)
ANSWERS_GARBAGE = _answering(always(Answer(200, b'{"status": "success", "data": {"resul')))
ANSWERS_SLOWLY = _answering(slowly)


# What happens to the parts that break the traffic, and measure it.


async def kill_load(stack: Stack) -> None:
    """The load is killed amid the fault."""
    await stack.wait_for("pending")
    assert stack.running is not None
    stack.running.kill_part("alertdrill.adapters.load")


async def stop_monitor(stack: Stack) -> None:
    """The monitor's process stands still from the fault on: it neither passes requests on nor answers scrapes."""
    await stack.wait_for("phase nulls")
    monitor = next(one for one in psutil.Process().children(recursive=True) if "alertdrill.monitor" in one.cmdline())
    monitor.send_signal(signal.SIGSTOP)
    try:
        await asyncio.Event().wait()
    finally:
        monitor.send_signal(signal.SIGCONT)


LOAD_KILLED = Broken({"Sound": Rule(SOUND)}, during=kill_load)
MONITOR_STOPPED = Broken({"Sound": Rule(SOUND)}, during=stop_monitor)
FOR_TOO_LONG = Broken({"ForTooLong": Rule(SOUND, "30s")}, more="settle: {timeout: 5s}")
EVERY_MINUTE = Broken({"EveryMinute": Rule(SOUND)}, interval="1m")
SHORT_RETENTION = Broken(
    {"Sound": Rule(SOUND)},
    flags=(
        *("--storage.tsdb.retention.time=5s", "--storage.tsdb.min-block-duration=5s"),
        "--storage.tsdb.max-block-duration=5s",
    ),
    after_s=25,
)
