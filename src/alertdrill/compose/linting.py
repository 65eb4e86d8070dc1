"""`alertdrill lint`: what is wrong with a drill, as far as files alone can tell."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alertdrill.adapters.alertmanager_binary import find_alertmanager
from alertdrill.adapters.amtool import checked_config
from alertdrill.adapters.prometheus_binary import find_prometheus
from alertdrill.adapters.promtool import check_rules
from alertdrill.adapters.rule_documents import rules_to_load
from alertdrill.adapters.target import PreparedTarget, described_target, target_schema
from alertdrill.adapters.yaml_file import beside
from alertdrill.compose.options import Options, in_file, read_scenario, rule_files
from alertdrill.compose.planning import prospectus
from alertdrill.core.collected import collected
from alertdrill.core.errors import Mistake
from alertdrill.core.feasibility import unknown_features
from alertdrill.core.hopeless import wrong_alerts
from alertdrill.core.label_sets import unnamed
from alertdrill.core.observations import RuleGroup
from alertdrill.core.receivers import unknown_receivers
from alertdrill.core.scenario import ManagedAlertmanager, Scenario, UserAlertmanager, UserPrometheus
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scope import RuleBook


@dataclass(frozen=True)
class Linted:
    """What was found about one drill.

    Attributes:
        path: the scenario file.
        mistakes: everything that `plan` would refuse as well; empty if nothing was found.
        unseen: what was not looked at, and why.
    """

    path: Path
    mistakes: tuple[Mistake, ...]
    unseen: tuple[str, ...] = ()


def lint_drill(name_or_path: str, options: Options) -> Linted:
    """Look at a scenario and at the files that it names: every mistake that others do not hide."""
    found = _Look()
    read = collected(found.mistakes, lambda: read_scenario(name_or_path, options))
    if read is not None:
        found.at(*read)
    path = Path(name_or_path) if read is None else read[1]
    return Linted(path, tuple(dict.fromkeys(found.mistakes)), tuple(found.unseen))


@dataclass
class _Look:
    """What is found, mistake by mistake."""

    mistakes: list[Mistake] = field(default_factory=list)
    unseen: list[str] = field(default_factory=list)

    def at(self, scenario: Scenario, path: Path) -> None:
        """Each of a drill's files; and where these can be used, what it can hope for."""
        groups = self._rules(scenario, path)
        self._notification(scenario, path)
        schema = collected(self.mistakes, lambda: target_schema(scenario, path))
        target = collected(self.mistakes, lambda: described_target(scenario, path)) if schema is not None else None
        findings: list[Finding] = []
        if schema is not None:
            findings += [*unknown_features(scenario, schema), *unnamed(scenario, schema)]
        if groups is not None:
            findings += wrong_alerts(scenario.phases, RuleBook.of(groups))
        self.mistakes += in_file(path, findings)
        if self.mistakes or groups is None:
            return
        if target is None:
            self.unseen.append("what it can hope for: the bundled model is not trained yet (alertdrill plan trains it)")
            return
        collected(self.mistakes, lambda: self._hopes(scenario, path, groups, target))

    def _rules(self, scenario: Scenario, path: Path) -> Sequence[RuleGroup] | None:
        """The rules, if files hold them and they can be used."""
        if isinstance(scenario.monitoring.prometheus, UserPrometheus):
            self.unseen.append("your Prometheus: its rules, and what the drill can hope for (alertdrill plan asks it)")
            return None
        files, before = rule_files(scenario, path), len(self.mistakes)
        groups = collected(self.mistakes, lambda: rules_to_load(files, scenario.monitoring.evaluation_interval))
        engine = find_prometheus().found
        if engine is None:
            self.unseen.append("rules by promtool, as there is no Prometheus yet (alertdrill doctor --install)")
        elif len(self.mistakes) == before:
            collected(self.mistakes, lambda: check_rules(engine.promtool.path, files))
        return groups if len(self.mistakes) == before else None

    def _notification(self, scenario: Scenario, path: Path) -> None:
        """Receivers that a configuration beside the scenario does not have."""
        wanted = scenario.monitoring.alertmanager
        if isinstance(wanted, UserAlertmanager):
            self.unseen.append("your Alertmanager: its routes (alertdrill plan asks it)")
        if not isinstance(wanted, ManagedAlertmanager):
            return
        program = find_alertmanager().found
        if program is None:
            self.unseen.append(f"{wanted.config}, as there is no Alertmanager yet (alertdrill doctor --install)")
            return
        file = beside(path, wanted.config)
        config = collected(self.mistakes, lambda: checked_config(program.amtool.path, file))
        if config is not None:
            self.mistakes += in_file(path, unknown_receivers(scenario, config.routing))

    def _hopes(self, scenario: Scenario, path: Path, groups: Sequence[RuleGroup], target: PreparedTarget) -> None:
        """What a plan finds hopeless."""
        scrape_s = scenario.monitoring.scrape_interval
        self.mistakes += prospectus(scenario, path, groups, scrape_s, target).mistakes
