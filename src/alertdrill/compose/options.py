"""A scenario as the command line wants it, and mistakes of it in the words of its file."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from pydantic import ValidationError

from alertdrill.adapters.bundled import find_scenario
from alertdrill.adapters.extras import lacking
from alertdrill.adapters.target import bundled_rules
from alertdrill.adapters.yaml_file import beside, load_scenario, locate
from alertdrill.compose.crew import Crew
from alertdrill.core.errors import BadInput, BadValue, Mistake
from alertdrill.core.faults.base import ProcessFault
from alertdrill.core.kept import Kept
from alertdrill.core.label_sets import written_position
from alertdrill.core.scenario import (
    BundledTarget,
    CommandTarget,
    Monitoring,
    Phase,
    Scenario,
    UrlTarget,
    UserPrometheus,
    locustfile,
)
from alertdrill.core.scenario.finding import TOP, Finding
from alertdrill.core.scenario.grammar import Path as KeyPath
from alertdrill.lifeline import LINUX
from alertdrill.protocols.schema import Schema


@dataclass(frozen=True)
class Options:
    """What the command line adds to a scenario.

    Attributes:
        workers: processes that share the load.
        distributed: HOST:PORT where workers that are started elsewhere join; None: they are started here.
        allow_locustfile: whether the code of a locustfile may be run.
        allow_commands: whether programs that a scenario names may be run.
        seed: in place of the scenario's; None: the scenario's.
        record: which samples are kept.
    """

    results: Path = Path("results")
    rules: tuple[Path, ...] = ()
    prometheus: str | None = None
    only: tuple[str, ...] = ()
    workers: int = 1
    distributed: str | None = None
    allow_locustfile: bool = False
    allow_commands: bool = False
    seed: int | None = None
    record: Kept = Kept.SCOPE


def read_to_run(name_or_path: str, options: Options) -> tuple[Scenario, Path]:
    """What `read_scenario` gives, of a scenario whose code may be run.

    Raises:
        BadInput: the file or an option cannot be used, a locustfile or a command would be run that nobody allowed, or
            this system cannot do what a fault does.
    """
    scenario, path = read_scenario(name_or_path, options)
    refuse(locate(path, [*_not_allowed(scenario, options), *_not_here(scenario)]))
    return scenario, path


def _not_allowed(scenario: Scenario, options: Options) -> Iterator[Finding]:
    """Code of others that would be run although the command line does not say that it may."""
    file = locustfile(scenario.load)
    if file is not None and not options.allow_locustfile:
        expected = "--allow-locustfile beside it, as its code is run with your rights"
        fix = f"read {file}, then add --allow-locustfile to the command"
        yield Finding(("load", "locustfile"), expected, fix)
    if isinstance(scenario.target, CommandTarget) and not options.allow_commands:
        expected = "--allow-commands beside it, as it is run with your rights"
        yield Finding(("target", "command"), expected, "read it, then add --allow-commands to the command line")


def _not_here(scenario: Scenario) -> Iterator[Finding]:
    """Faults on processes, on a system that does not say which processes came of which."""
    for position, phase in enumerate(scenario.phases):
        for number, fault in enumerate(phase.faults):
            if isinstance(fault, ProcessFault) and not LINUX:
                expected = "a fault that is not about processes, whose states alertdrill can read on Linux only"
                yield Finding(("phases", position, "faults", number, "kind"), expected, "run it on Linux, or remove it")


def read_scenario(name_or_path: str, options: Options) -> tuple[Scenario, Path]:
    """A scenario with the options applied, and its file.

    Raises:
        BadInput: the file or an option cannot be used.
    """
    path = find_scenario(name_or_path)
    scenario = load_scenario(path)
    Crew.of(scenario, options.workers, options.distributed)
    monitoring = scenario.monitoring
    if options.prometheus is not None:
        monitoring = monitoring.model_copy(update={"prometheus": _own(options.prometheus, monitoring.prometheus)})
    if options.rules:
        if monitoring.prometheus != "managed":
            fix = "leave --rules out, or use the managed Prometheus"
            raise BadInput([Mistake("--rules", "rules for a Prometheus of your own", "a managed Prometheus", fix)])
        monitoring = monitoring.model_copy(update={"rules": tuple(str(path.absolute()) for path in options.rules)})
    refuse(
        locate(
            path, [*_without_packages(scenario), *_without_history(scenario, monitoring), *_never_posted_to(monitoring)]
        )
    )
    seed = scenario.seed if options.seed is None else options.seed
    changed = {"monitoring": monitoring, "phases": _chosen(scenario, options.only, path), "seed": seed}
    return scenario.model_copy(update=changed), path


def _without_packages(scenario: Scenario) -> Iterator[Finding]:
    """A bundled target, where what its model needs is not installed."""
    missing = lacking("targets") if isinstance(scenario.target, BundledTarget) else ()
    if missing:
        got = f"a bundled target, and no {', '.join(missing)}"
        yield Finding(("target", "bundled"), "what bundled targets need", "pip install 'alertdrill[targets]'", got)


def _without_history(scenario: Scenario, monitoring: Monitoring) -> Iterator[Finding]:
    """A question about the traffic so far, for a Prometheus that is only started."""
    target = scenario.target
    if isinstance(target, UrlTarget) and target.traffic_query is not None and monitoring.prometheus == "managed":
        expected = "a Prometheus of your own, as a managed one has seen no traffic yet"
        fix = "remove it, or write monitoring: {prometheus: {url: …}}"
        yield Finding(("target", "traffic_query"), expected, fix, "traffic_query", at_key=True)


def _never_posted_to(monitoring: Monitoring) -> Iterator[Finding]:
    """A managed Alertmanager, for a Prometheus that posts elsewhere: one given by --prometheus, which no file knows."""
    if isinstance(monitoring.prometheus, UserPrometheus) and monitoring.level == "delivered":
        expected = "your own Alertmanager beside your own Prometheus, which posts to no other"
        fix = "write {url: …} of the one that it posts to, or leave --prometheus out"
        yield Finding(("monitoring", "alertmanager"), expected, fix)


def _own(url: str, written: str | UserPrometheus) -> UserPrometheus:
    """The user's own Prometheus at another address; how the scenario logs in at its own stays, its replicas do not."""
    kept = written.model_dump(exclude={"url", "replicas"}) if isinstance(written, UserPrometheus) else {}
    try:
        return UserPrometheus.model_validate({**kept, "url": url})
    except ValidationError as error:
        found = error.errors()[0].get("ctx", {}).get("error")
        expected, fix = "an address such as http://127.0.0.1:9090", "write http://HOST:PORT"
        if isinstance(found, BadValue):
            expected, fix = found.expected, found.fix
        got = "an address with a password in it" if "@" in url else repr(url)
        raise BadInput([Mistake("--prometheus", got, expected, fix)]) from None


def _chosen(scenario: Scenario, only: tuple[str, ...], path: Path) -> tuple[Phase, ...]:
    """The phases without faults, and of the others those that are asked for."""
    unknown = sorted(set(only) - {phase.name for phase in scenario.phases})
    if unknown:
        known = ", ".join(phase.name for phase in scenario.phases)
        raise BadInput([Mistake("--only", ", ".join(unknown), f"a phase of {path.name}", f"write one of: {known}")])
    return tuple(phase for phase in scenario.phases if not only or not phase.faults or phase.name in only)


def rule_files(scenario: Scenario, scenario_path: Path) -> tuple[Path, ...]:
    """The rule files of a managed Prometheus."""
    if isinstance(scenario.monitoring.rules, str):
        return bundled_rules(scenario.target.bundled) if isinstance(scenario.target, BundledTarget) else ()
    return tuple(beside(scenario_path, name) for name in scenario.monitoring.rules)


def in_file(path: Path, findings: Iterable[Finding], schema: Schema | None = None) -> list[Mistake]:
    """Findings that start from the name of a phase, or from TOP, as mistakes in the order of the file.

    Those in fragments come last.

    Args:
        path: the file.
        findings: what was found.
        schema: the target's, if `match: all` had been written out: expectations are found where the file has them.
    """
    findings = tuple(findings)
    if not findings:
        return []
    written = load_scenario(path).phases
    found = dict.fromkeys(one._replace(path=_from_top(one.path, written, schema)) for one in findings)
    return sorted(locate(path, found), key=lambda one: _in_order(one, str(path)))


def _from_top(path: KeyPath, written: Sequence[Phase], schema: Schema | None) -> KeyPath:
    if path[0] == TOP:
        return path[1:]
    position, phase = next((at, phase) for at, phase in enumerate(written) if phase.name == path[0])
    match path[1:]:
        case ("expect", int() as number, *rest) if schema is not None:
            at = written_position(phase, schema, number)
            made = rest[:1] == ["labels"] and rest[1] not in phase.expect[at].labels
            return ("phases", position, "expect", at, *(["match"] if made else rest))
    return ("phases", position, *path[1:])


def _in_order(one: Mistake, main: str) -> tuple[bool, str, int, int]:
    return one.file != main, one.file or "", one.line or 0, one.column or 0


def refuse(mistakes: Iterable[Mistake]) -> None:
    """Raise BadInput if there is a mistake."""
    found = tuple(mistakes)
    if found:
        raise BadInput(found)
