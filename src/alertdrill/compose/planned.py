"""`alertdrill plan`: what a drill can hope for, its rules, targets and intervals asked of who knows them."""

from collections.abc import Callable
from contextlib import AsyncExitStack
from pathlib import Path

from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.promtool import check_rules
from alertdrill.adapters.rule_documents import rules_to_load
from alertdrill.adapters.signals import run_until_signalled
from alertdrill.adapters.target import prepare_target
from alertdrill.compose.background import ask_background
from alertdrill.compose.crew import Crew
from alertdrill.compose.engine import open_own_engine
from alertdrill.compose.notification import about_managed, managed_setup, read_own, spare_people
from alertdrill.compose.options import Options, read_scenario, rule_files
from alertdrill.compose.planning import Prospectus, prospectus
from alertdrill.core.scenario import Scenario, UserPrometheus
from alertdrill.core.scope import RuleBook


def plan_drill(name_or_path: str, options: Options, say: Callable[[str], None]) -> Prospectus:
    """Work out what a drill can hope for, without starting a target, a monitor or load.

    Raises:
        BadInput: the scenario cannot be used.
    """
    scenario, path = read_scenario(name_or_path, options)
    crew = Crew.of(scenario, options.workers, options.distributed)
    monitoring = scenario.monitoring
    if isinstance(monitoring.prometheus, UserPrometheus):
        return run_until_signalled(_plan_on_own_engine(scenario, path, crew, say))
    check_rules(ensure_prometheus(progress=say).promtool.path, rule_files(scenario, path))
    return run_until_signalled(_plan_on_managed_engine(scenario, path, crew, say))


async def _plan_on_managed_engine(scenario: Scenario, path: Path, crew: Crew, say: Callable[[str], None]) -> Prospectus:
    monitoring = scenario.monitoring
    groups = rules_to_load(rule_files(scenario, path), monitoring.evaluation_interval)
    told = about_managed(managed_setup(scenario, path, say))
    async with AsyncExitStack() as stack:
        own = await read_own(scenario, path, stack)
        told += await spare_people(scenario, path, own, (), RuleBook.of(groups))
    target = await prepare_target(scenario, path, say)
    return prospectus(scenario, path, groups, monitoring.scrape_interval, target, crew, told=told)


async def _plan_on_own_engine(scenario: Scenario, path: Path, crew: Crew, say: Callable[[str], None]) -> Prospectus:
    async with AsyncExitStack() as stack:
        engine = await open_own_engine(scenario, path, stack)
        background = await ask_background(scenario, engine.api)
        own = await read_own(scenario, path, stack)
        apis = [one.api for one in engine.each]
        told = await spare_people(scenario, path, own, apis, RuleBook.of(engine.all_groups))
    target = await prepare_target(scenario, path, say)
    return prospectus(scenario, path, engine.groups, engine.scrape_s, target, crew, background, told, engine.intervals)
