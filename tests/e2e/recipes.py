"""The drills that the end-to-end tests ask about: the main job, and its negative controls."""

import asyncio
import csv
import json
import random
import re
import socket
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from alertdrill.adapters.target import prepare_target
from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.protocols.schema import FeatureKind
from tests.e2e.drills import ALERTDRILL, BUNDLED_RULES, Drill, rules, run, scenario
from tests.e2e.grafana_drill import managed_by_grafana
from tests.e2e.own_alertmanager import own_alertmanager
from tests.e2e.own_metrics_drill import own_metrics
from tests.e2e.own_stack import https_front, own_stack
from tests.e2e.replicas import one_store, pair, pair_half_killed, pair_with_other_rules
from tests.e2e.victoria_drill import victoria_metrics
from tests.integration.gate import demands, gate

TOKEN = "tok3n-that-nobody-else-reads"
NULLS = """\
  - name: nulls
    duration: 12s
    end_when: decided
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect: [{alert: FeatureNullRateHigh, labels: {feature: amount}, within: 10s}]
"""
ALERT = "FeatureNullRateHigh"
SLOW = """\
  - name: slow
    duration: 12s
    end_when: decided
    faults: [{kind: latency, delay: 400ms, share: 30%, place: model}]
    expect: [{alert: PredictionLatencyHigh, within: 10s}]
"""
EDGE_AND_SLOW = f"""\
  - name: edge
    duration: 6s
    faults: [{{kind: latency, delay: 200ms, share: 20%, place: edge}}]
{SLOW}"""
CONTROLS = """\
  - name: drift
    duration: 6s
    faults: [{kind: mean_shift, features: [amount], by: 1sd, share: 0}]
    expect: [{alert: FeatureDrift, labels: {feature: amount}, within: 5s}]
  - name: nulls
    duration: 6s
    faults: [{kind: nulls, features: [amount], share: 0%}]
    expect: [{alert: FeatureNullRateHigh, labels: {feature: amount}, within: 5s}]
  - name: malformed
    duration: 6s
    faults: [{kind: malformed_json, share: 0}]
    expect: [{alert: MalformedRequestsHigh, within: 5s}]
  - name: slow
    duration: 6s
    faults: [{kind: latency, delay: 400ms, share: 0, place: model}]
    expect: [{alert: PredictionLatencyHigh, within: 5s}]
"""
ALWAYS = """\
  - name: always
    duration: 10s
    end_when: decided
    faults: [{kind: nulls, features: [amount], share: 20%}]
    expect: [{alert: AlwaysFiring, within: 8s}]
"""
LANGUAGE = """\
  - {name: baseline, duration: 10s, load: {rate: 50/s}}
  - name: ramped
    duration: auto
    end_when: decided
    faults:
      - kind: nulls
        features: ["amount*"]
        share: 60%
        where: {amount_24h: "> 50"}
        profile: {kind: ramp, over: 6s}
    expect: [{alert: FeatureNullRateHigh, labels: {feature: amount}, within: auto}]
  - name: errors
    duration: auto
    end_when: decided
    faults: [{kind: http_error, status: 503, share: 40%, place: model, profile: {kind: pulse, at: 1s, lasts: 12s}}]
    expect: [{alert: ErrorRateHigh, within: auto}]
  - name: storm
    duration: 16s
    end_when: decided
    load: {factor: 0.5}
    faults:
      - {kind: retry_storm, share: 50%, retries: 2}
      - {kind: wrong_batch_shape, share: 20%, select: {kind: mar, feature: hour}}
    expect: [{alert: MalformedRequestsHigh, within: auto, fault: wrong_batch_shape}]
  - name: silence
    duration: 15s
    end_when: decided
    faults: [{kind: traffic_loss, share: 100%}]
    expect: [{alert: NoTraffic, within: 13s}]
"""
BYPASS = """
from alertdrill.cli import main
from alertdrill.compose.wire import Wire
model, monitor = Wire.model, Wire.monitor
async def remember(self, dependency):
    self.model_url = await model(self, dependency)
    return self.model_url
Wire.model = remember
Wire.monitor = lambda self, upstream, exact: monitor(self, self.model_url, exact)
main()
"""


def of_nulls(directory: Path, phases: str = NULLS, monitoring: str = "", more: str = "") -> str:
    """Write a scenario about the alert on nulls alone: with a shorter tail than all alerts have, it is over sooner."""
    return scenario(directory, phases, f"monitoring: {{scope: {{alerts: [{ALERT}]}}, {monitoring}}}\n{more}")


def seed(directory: Path) -> Drill:
    return run(directory, "seed-disaster").ended()


def repeated(directory: Path) -> Drill:
    """Two drills of one scenario, through a team's own routes; their folder is the one that they have together."""
    (directory / "alertmanager.yml").write_text(ROUTES)
    asked = "within: 10s, probability: 20%, notifies: {within: 12s, receiver: pager}"
    path = of_nulls(directory, NULLS.replace("within: 10s", asked), "alertmanager: {config: alertmanager.yml}")
    ended = run(directory, path, "--repeat", "2").ended()
    (folder,) = ended.folder.parent.glob("repeat-*")
    return Drill(ended.exit_code, ended.output, folder)


def side_by_side(directory: Path) -> Drill:
    """A folder of two scenarios, both at the same time, of which less is recorded than all rules in scope read."""
    drills = directory / "drills"
    for feature in ("amount", "distance_km"):
        (drills / feature).mkdir(parents=True)
        text = Path(of_nulls(drills / feature, NULLS.replace("amount", feature))).read_text()
        text = text.replace("name: control", f"name: {feature}").replace(
            f"[{ALERT}]", f"[{ALERT}, MalformedRequestsHigh]"
        )
        (drills / feature / "scenario.yaml").write_text(text)
    (drills / "rules.yml").write_text("groups: []")
    files = [word for kind in ("json", "junit") for word in (f"--{kind}", str(directory / f"run.{kind}"))]
    return run(directory, str(drills), "--jobs", "2", "--record", "expected", *files).ended()


def seed_by_workers(directory: Path) -> Drill:
    """The same, its load sent by two workers that are started apart."""
    with socket.create_server(("127.0.0.1", 0)) as free:
        master = f"127.0.0.1:{free.getsockname()[1]}"
    workers = [subprocess.Popen([*ALERTDRILL, "worker", master], stdout=subprocess.DEVNULL) for _ in range(2)]
    drill = run(directory, "seed-disaster", "--workers", "2", "--distributed", master).ended()
    assert [worker.wait(10.0) for worker in workers] == [0, 0]
    return drill


def rule_deleted(directory: Path) -> Drill:
    without = rules(
        directory, lambda text: re.sub(r"      - alert: FeatureNullRateHigh\n.*?\n\n", "", text, flags=re.DOTALL)
    )
    return run(directory, "seed-disaster", "--rules", without).ended()


def threshold_raised(directory: Path) -> Drill:
    higher = rules(
        directory,
        lambda text: text.replace(
            "ratio_rate5s > 0.05\n        for: 2s\n        labels: {severity: P1, type: cause",
            "ratio_rate5s > 0.9\n        for: 2s\n        labels: {severity: P1, type: cause",
        ),
    )
    return run(directory, of_nulls(directory), "--rules", higher).ended()


def shares_zero(directory: Path) -> Drill:
    return run(directory, scenario(directory, CONTROLS)).ended()


def bypassed(directory: Path) -> Drill:
    return run(directory, scenario(directory, SLOW), program=[sys.executable, "-c", BYPASS]).ended()


def already_firing(directory: Path) -> Drill:
    extra = "\n      - alert: AlwaysFiring\n        expr: vector(1)\n"
    more = rules(directory, lambda text: text.rstrip() + "\n" + extra)
    path = scenario(directory, ALWAYS + NULLS, f"monitoring: {{scope: {{alerts: [AlwaysFiring, {ALERT}]}}}}")
    return run(directory, path, "--rules", more).ended()


def prometheus_killed(directory: Path) -> Drill:
    running = run(directory, of_nulls(directory))
    running.wait_for("phase nulls")
    running.kill_child("prometheus")
    return running.ended()


def below_floor(directory: Path) -> Drill:
    return run(directory, of_nulls(directory, NULLS.replace("within: 10s", "within: 1s"))).ended()


def own_prometheus(directory: Path) -> Drill:
    bundled = Path(scenario(directory, NULLS))
    text = bundled.read_text()

    async def drill() -> Drill:
        async with own_stack(directory, bundled) as own:
            with gate(own.prometheus, demands("Authorization", f"Bearer {TOKEN}"), "/select/prometheus") as door:
                reached = f"{{url: {door.url}, bearer_token: {{file: token}}, headers: {{X-Api-Key: {{file: token}}}}}}"
                of_ours = text.replace(
                    "target: {bundled: fraud}",
                    f"target: {{url: {own.model}, schema: {own.schema}, sample: {own.sample}}}\n"
                    f"monitoring: {{monitor: none, prometheus: {reached}, scope: {{alerts: [{ALERT}, Watchdog]}}}}",
                )
                path = directory / "own.yaml"
                path.write_text(of_ours)
                (directory / "token").write_text(f"{TOKEN}\n")
                running = run(directory, str(path))
                running.wait_for("phase nulls")
                (directory / "arguments.txt").write_text(running.arguments())
                return await asyncio.to_thread(running.ended)

    return asyncio.run(drill())


def https_target(directory: Path) -> Drill:
    plain = Path(scenario(directory, EDGE_AND_SLOW))
    text = plain.read_text()

    async def drill() -> Drill:
        async with own_stack(directory, plain) as own, https_front(directory, own.bare) as (url, ca):
            over_tls = text.replace(
                "target: {bundled: fraud}",
                f"target: {{url: {url}, schema: {own.schema}, sample: {own.sample}, tls: {{ca: {ca.name}}}}}\n"
                f"monitoring: {{rules: [{BUNDLED_RULES}], scope: {{alerts: [PredictionLatencyHigh]}}}}",
            )
            path = directory / "https.yaml"
            path.write_text(over_tls)
            return await asyncio.to_thread(run(directory, str(path)).ended)

    return asyncio.run(drill())


ROUTES = """\
global: {smtp_smarthost: 'smtp.invalid:587', smtp_from: alerts@example.com, smtp_auth_password: s3cret}
route:
  receiver: nobody
  group_by: ['...']
  group_wait: 0s
  routes:
    - {matchers: [severity="P1", feature="amount"], receiver: pager, continue: true}
    - {matchers: [severity=~"P1|P2"], receiver: mail}
receivers:
  - name: nobody
  - {name: pager, pagerduty_configs: [{routing_key: s3cret, url: 'http://pager.invalid'}]}
  - {name: mail, email_configs: [{to: team@example.com, html: '{{ template "email.default.html" . }}'}]}
"""


def _notifying(alert: str, receiver: str) -> str:
    notifies = f"notifies: {{within: 12s, receiver: {receiver}}}"
    return f"      - {{alert: {alert}, labels: {{feature: amount}}, within: 10s, {notifies}}}\n"


def routed(directory: Path) -> Drill:
    """A team's own routes: the alert reaches a webhook and a mailbox, and not the receiver whose route is gone."""
    (directory / "alertmanager.yml").write_text(ROUTES)
    told = "".join(_notifying(ALERT, receiver) for receiver in ("pager", "mail", "nobody"))
    phases = re.sub(r"    expect: .*\n", f"    expect:\n{told}", NULLS)
    return run(directory, of_nulls(directory, phases, "alertmanager: {config: alertmanager.yml}")).ended()


def held_back(directory: Path) -> Drill:
    """An Alertmanager of a team's own, that silences one alert and has another inhibited; people are spared."""
    more = rules(directory, lambda text: f"{text.rstrip()}\n{_like_nulls('Silenced')}{_like_nulls('Inhibited')}")
    told = "".join(_notifying(alert, "people") for alert in (ALERT, "Silenced", "Inhibited"))
    phases = re.sub(r"    expect: .*\n", f"    expect:\n{told}", NULLS)

    async def drill() -> Drill:
        async with own_alertmanager(ALERT, "Inhibited", "Silenced") as own:
            path = of_nulls(directory, phases, f"alertmanager: {{url: {own.url}}}")
            found = await asyncio.to_thread(run(directory, path, "--rules", more).ended)
            (directory / "afterwards.json").write_text(json.dumps({"told": own.told, "silences": await own.silences()}))
            return found

    return asyncio.run(drill())


def _like_nulls(alert: str) -> str:
    expression = "model:feature_null:ratio_rate5s > 0.05"
    return f"      - {{alert: {alert}, expr: '{expression}', for: 2s, labels: {{severity: P1}}}}\n"


def language(directory: Path) -> Drill:
    return run(directory, scenario(directory, LANGUAGE, "false_alarms: report")).ended()


def recorded(directory: Path) -> Drill:
    """A log of the target's own rows, twice as dense in its first half of a minute as in the second."""
    bundled = load_scenario(Path(scenario(directory, NULLS)))
    target = asyncio.run(prepare_target(bundled, directory / "scenario.yaml", lambda _: None))
    names = {one.name: one.kind for one in target.schema.features}
    with target.sample_path.open(newline="") as file:
        rows = random.Random(4).choices(list(csv.DictReader(file)), k=4500)
    at_s = [*(i / 100 for i in range(3000)), *(30 + i / 50 for i in range(1500))]
    lines = []
    for at, row in zip(at_s, rows, strict=True):
        sent = {name: _value(row[name], kind) for name, kind in names.items()}
        lines.append(json.dumps({"at": 1_790_000_000 + at, "request": {"instances": [sent]}, "code": 200}))
    (directory / "traffic.jsonl").write_text("\n".join(lines))
    log = "{file: traffic.jsonl, time: /at, features: /request/instances/0}"
    path = Path(of_nulls(directory, "  - {name: baseline, duration: 8s}\n" + NULLS, more="false_alarms: report"))
    path.write_text(path.read_text().replace("{rate: 100/s}", f"{{arrivals: recorded, log: {log}}}"))
    return run(directory, str(path)).ended()


OWN_USERS = """
import csv, random
from locust import FastHttpUser, HttpUser, constant, task

NUMBERS = {"hour": int, "transactions_1h": int, "amount": float, "amount_24h": float, "distance_km": float}
with open("SAMPLE", newline="") as file:
    ROWS = [
        {name: (NUMBERS.get(name, str)(text) if text else None) for name, text in row.items() if name != "is_fraud"}
        for row in csv.DictReader(file)
    ]


class Web(HttpUser):
    wait_time = constant(0)

    def on_start(self):
        self.client.get("/health")

    @task
    def predict(self):
        self.client.post("/predict", json=random.choice(ROWS))


class Mobile(FastHttpUser):
    wait_time = constant(0)

    @task
    def predict(self):
        self.client.post("/predict", json={**random.choice(ROWS), "app": "3.1"})
"""


def own_users(directory: Path) -> Drill:
    """Requests that users of a locustfile make; half of them with a member that the schema does not have."""
    path = Path(of_nulls(directory, "  - {name: baseline, duration: 8s}\n" + NULLS, more="false_alarms: report"))
    path.write_text(path.read_text().replace("{rate: 100/s}", "{rate: 50/s, locustfile: users.py, users: 16}"))
    (directory / "users.py").touch()
    target = asyncio.run(prepare_target(load_scenario(path), path, lambda _: None))
    (directory / "users.py").write_text(OWN_USERS.replace("SAMPLE", str(target.sample_path)))
    return run(directory, str(path), "--allow-locustfile").ended()


def _value(text: str, kind: FeatureKind) -> float | int | str | None:
    if text == "":
        return None
    return float(text) if kind is FeatureKind.NUMBER else int(text) if kind is FeatureKind.INTEGER else text


def _with(directory: Path, monitoring: str = "", change: Callable[[str], str] | None = None) -> Drill:
    path = of_nulls(directory, monitoring=monitoring)
    changed = ["--rules", rules(directory, change)] if change else []
    return run(directory, path, *changed).ended()


def usual_settings(directory: Path) -> Drill:
    return _with(directory)


def longer_for(directory: Path) -> Drill:
    return _with(directory, change=lambda text: text.replace("> 0.05\n        for: 2s", "> 0.05\n        for: 4s"))


def longer_window(directory: Path) -> Drill:
    return _with(
        directory,
        change=lambda text: text.replace(
            'model_feature_values_total{cell=~"null|missing"}[5s]',
            'model_feature_values_total{cell=~"null|missing"}[8s]',
        ).replace("(rate(model_feature_values_total[5s]))", "(rate(model_feature_values_total[8s]))"),
    )


def slower_scrapes(directory: Path) -> Drill:
    return _with(directory, "scrape_interval: 2s")


def slower_evaluations(directory: Path) -> Drill:
    return _with(directory, "evaluation_interval: 2s")


SETTINGS = (usual_settings, longer_for, longer_window, slower_scrapes, slower_evaluations)

RECIPES = {
    recipe.__name__: recipe
    for recipe in (
        seed,
        seed_by_workers,
        repeated,
        side_by_side,
        rule_deleted,
        threshold_raised,
        shares_zero,
        bypassed,
        already_firing,
        prometheus_killed,
        below_floor,
        own_prometheus,
        own_metrics,
        victoria_metrics,
        managed_by_grafana,
        https_target,
        routed,
        held_back,
        language,
        own_users,
        recorded,
        pair,
        pair_with_other_rules,
        pair_half_killed,
        one_store,
        *SETTINGS,
    )
}
