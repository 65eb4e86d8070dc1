"""The plan of a drill, and what each expectation of it can hope for."""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.prometheus_api import PrometheusApi
from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.promtool import check_rules
from alertdrill.adapters.rule_file import read_rule_files
from alertdrill.adapters.signals import run_until_signalled
from alertdrill.adapters.target import PreparedTarget, prepare_target
from alertdrill.compose.engine import read_engine
from alertdrill.compose.options import Options, in_file, read_scenario, refuse, rule_files
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.feasibility import hopeless, unknown_features
from alertdrill.core.observations import RuleGroup
from alertdrill.core.plan import Plan, RuleText, TargetPlan, make_injections, make_segments
from alertdrill.core.prospect import Prospect, assumed_starts, prospects
from alertdrill.core.scenario import Scenario, UserPrometheus
from alertdrill.core.scope import RuleBook, tail_ms
from alertdrill.core.traffic import PlannedTraffic
from alertdrill.core.units import format_duration


@dataclass(frozen=True)
class Prospectus:
    """What `plan` shows."""

    plan: Plan
    tail_s: float
    prospects: tuple[Prospect, ...]
    mistakes: tuple[Mistake, ...]


def make_plan(
    scenario: Scenario, path: Path, target: PreparedTarget, groups: Sequence[RuleGroup], scrape_s: float, run_id: str
) -> Plan:
    """The plan of a drill, rule texts embedded where the engine is ours.

    Raises:
        BadInput: the rules look so far back that the drill would outlast `limits.max_duration`.
    """
    tail = tail_s(scenario, groups, scrape_s)
    _check_duration(scenario, tail)
    segments = make_segments(scenario, tail)
    files = sorted({group.file for group in groups}) if scenario.monitoring.prometheus == "managed" else []
    return Plan(
        run_id=run_id,
        seed=scenario.seed,
        scenario_path=path.name,
        scenario=scenario,
        target=TargetPlan(
            name=target.name,
            version=target.version,
            schema_=target.schema,
            headers=target.headers,
            sample_sha256=target.sample_sha256,
        ),
        rules=tuple(_rule_text(Path(file)) for file in files),
        segments=segments,
        injections=make_injections(scenario, segments),
    )


def _check_duration(scenario: Scenario, tail: float) -> None:
    """Phases, and a tail before each fault and at the end, must fit the limit."""
    faults = sum(bool(phase.faults) for phase in scenario.phases)
    needed_s = sum(phase.duration for phase in scenario.phases) + tail * (faults + 1)
    if needed_s > scenario.limits.max_duration:
        got = (
            f"{format_duration(scenario.limits.max_duration)}, with a tail of {format_duration(tail)} after each fault"
        )
        fix = "drill rules with shorter windows and `for`, or raise limits.max_duration"
        expected = f"{format_duration(needed_s)} or more"
        raise BadInput([Mistake("limits.max_duration", got, expected, fix)])


def tail_s(scenario: Scenario, groups: Sequence[RuleGroup], scrape_s: float) -> float:
    """How long a fault can still make an alert in scope fire after its last effect, seconds."""
    return tail_ms(scenario, RuleBook.of(groups), round(scrape_s * 1000)) / 1000


def _rule_text(path: Path) -> RuleText:
    text = path.read_text(encoding="utf-8")
    return RuleText(path=str(path), text=text, sha256=hashlib.sha256(text.encode()).hexdigest())


def prospectus(
    plan: Plan, path: Path, target: PreparedTarget, groups: Sequence[RuleGroup], scrape_s: float
) -> Prospectus:
    """What a plan can hope for, before a run."""
    tail = tail_s(plan.scenario, groups, scrape_s)
    starts, counts = assumed_starts(plan, tail)
    traffic = PlannedTraffic(plan, target.sample)
    book = RuleBook.of(groups)
    found = tuple(prospects(plan, traffic, book, scrape_s, starts, counts))
    names = sorted({rule.name for rule in book.alerts})
    return Prospectus(plan, tail, found, tuple(in_file(path, hopeless(found, names))))


def plan_drill(name_or_path: str, options: Options, say: Callable[[str], None]) -> Prospectus:
    """Work out what a drill can hope for, without starting a target, a monitor or load.

    Raises:
        BadInput: the scenario cannot be used.
    """
    scenario, path = read_scenario(name_or_path, options)
    monitoring = scenario.monitoring
    if isinstance(monitoring.prometheus, UserPrometheus):
        return run_until_signalled(_plan_on_own_engine(scenario, path, monitoring.prometheus.url, say))
    check_rules(ensure_prometheus(progress=say).promtool.path, rule_files(scenario, path))
    groups = read_rule_files(rule_files(scenario, path), monitoring.evaluation_interval)
    return run_until_signalled(_plan_with(scenario, path, groups, monitoring.scrape_interval, say))


async def _plan_on_own_engine(scenario: Scenario, path: Path, url: str, say: Callable[[str], None]) -> Prospectus:
    async with PrometheusApi(url) as api:
        engine = await read_engine(api)
    return await _plan_with(scenario, path, engine.groups, engine.scrape_s, say)


async def _plan_with(
    scenario: Scenario, path: Path, groups: Sequence[RuleGroup], scrape_s: float, say: Callable[[str], None]
) -> Prospectus:
    target = await prepare_target(scenario, path, say)
    refuse(in_file(path, unknown_features(scenario, target.schema)))
    plan = make_plan(scenario, path, target, groups, scrape_s, "planned")
    return prospectus(plan, path, target, groups, scrape_s)
