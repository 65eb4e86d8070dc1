from collections.abc import Callable
from pathlib import Path

import pytest

from alertdrill.compose import options
from alertdrill.compose.options import Options, in_file, read_scenario, read_to_run, rule_files
from alertdrill.core.errors import BadInput
from alertdrill.core.feasibility import unknown_features
from alertdrill.core.scenario import UrlTarget, UserPrometheus
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

SCENARIO = """\
version: 1
name: two
target: {bundled: fraud}
load: {rate: 10/s}
phases:
  - {name: baseline, duration: 5s}
  - name: one
    duration: 5s
    faults: [{kind: nulls, features: [amount], share: 20%}]
  - name: other
    duration: 5s
    faults: [{kind: mean_shift, features: [country], by: 1sd, share: 20%}]
"""
SCHEMA = Schema(
    features=(
        Feature(name="amounts", kind=FeatureKind.NUMBER),
        Feature(name="country", kind=FeatureKind.CATEGORY),
    )
)


@pytest.fixture
def path(tmp_path: Path) -> str:
    file = tmp_path / "two.yaml"
    file.write_text(SCENARIO)
    return str(file)


def test_only_keeps_baselines_and_the_phases_that_are_named(path: str) -> None:
    scenario, _ = read_scenario(path, Options(only=("other",)))
    assert [phase.name for phase in scenario.phases] == ["baseline", "other"]


def test_only_an_unknown_phase_is_a_mistake_that_names_the_known(path: str) -> None:
    with pytest.raises(BadInput, match="baseline, one, other"):
        read_scenario(path, Options(only=("oter",)))


def test_rules_of_the_command_line_replace_those_of_the_scenario(path: str, tmp_path: Path) -> None:
    scenario, file = read_scenario(path, Options(rules=(tmp_path / "mine.yml",)))
    assert rule_files(scenario, file) == (tmp_path / "mine.yml",)


def test_rules_are_refused_for_a_prometheus_of_the_user_s_own(path: str, tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="--rules"):
        read_scenario(path, Options(rules=(tmp_path / "mine.yml",), prometheus="http://127.0.0.1:9090"))


def test_features_that_the_target_lacks_are_shown_in_the_file_also_under_only(path: str) -> None:
    scenario, file = read_scenario(path, Options(only=("other",)))
    (mistake,) = in_file(file, unknown_features(scenario, SCHEMA))
    assert (mistake.line, mistake.where) == (12, "phases[2].faults[0].features[0]")
    assert mistake.got == "country, a category"


def test_an_unknown_feature_names_the_nearest(path: str) -> None:
    scenario, file = read_scenario(path, Options(only=("one",)))
    (mistake,) = in_file(file, unknown_features(scenario, SCHEMA))
    assert mistake.fix == "did you mean amounts?"


@pytest.mark.parametrize("url", ["junk", "", "ftp://x", "http://", "http://127.0.0.1:99999", "http://[::1"])
def test_an_address_that_is_none_is_a_mistake(path: str, url: str) -> None:
    with pytest.raises(BadInput, match="--prometheus"):
        read_scenario(path, Options(prometheus=url))


OWN = """\
version: 1
name: own
target: {url: "http://127.0.0.1:9", schema: schema.json, sample: sample.csv, traffic_query: "sum(rate(x[5m]))"}
monitoring: {rules: [rules.yml]}
load: {rate: 10/s}
phases: [{name: baseline, duration: 5s}]
"""


@pytest.fixture
def own(tmp_path: Path) -> str:
    (tmp_path / "own.yaml").write_text(OWN)
    for name in ("schema.json", "sample.csv", "rules.yml"):
        (tmp_path / name).touch()
    return str(tmp_path / "own.yaml")


def test_a_managed_prometheus_has_seen_no_traffic(own: str) -> None:
    with pytest.raises(BadInput, match=r"own\.yaml:3:\d+: target\.traffic_query"):
        read_scenario(own, Options())


def test_a_prometheus_of_the_user_s_own_has(tmp_path: Path, own: str) -> None:
    (tmp_path / "own.yaml").write_text(OWN.replace("rules: [rules.yml]", 'prometheus: {url: "http://127.0.0.1:9"}'))
    scenario, _ = read_scenario(own, Options())
    assert isinstance(scenario.target, UrlTarget)
    assert scenario.target.traffic_query == "sum(rate(x[5m]))"


def test_that_of_the_command_line_counts(own: str) -> None:
    read_scenario(own, Options(prometheus="http://127.0.0.1:9090"))


def test_the_address_of_the_command_line_stands_alone_and_replaces_replicas_too(tmp_path: Path, own: str) -> None:
    pair = 'prometheus: {url: "http://127.0.0.1:9", replicas: ["http://127.0.0.1:8"], tenant: fraud}'
    (tmp_path / "own.yaml").write_text(OWN.replace("rules: [rules.yml]", pair))
    prometheus = read_scenario(own, Options(prometheus="http://127.0.0.1:9090"))[0].monitoring.prometheus
    assert isinstance(prometheus, UserPrometheus)
    assert (prometheus.url, prometheus.replicas, prometheus.tenant) == ("http://127.0.0.1:9090", (), "fraud")


@pytest.fixture
def own_users(tmp_path: Path) -> str:
    (tmp_path / "users.py").write_text("raise SystemExit('nobody may import this')\n")
    file = tmp_path / "own.yaml"
    file.write_text(SCENARIO.replace("{rate: 10/s}", "{rate: 10/s, locustfile: users.py, users: 5}"))
    return str(file)


def test_code_of_a_locustfile_is_run_only_where_that_is_allowed(own_users: str) -> None:
    with pytest.raises(BadInput) as caught:
        read_to_run(own_users, Options())
    (mistake,) = caught.value.mistakes
    assert (mistake.line, mistake.where, mistake.got) == (4, "load.locustfile", '"users.py"')
    assert mistake.fix == "read users.py, then add --allow-locustfile to the command"
    assert read_to_run(own_users, Options(allow_locustfile=True))[0].load.rate == 10


def test_a_scenario_with_a_locustfile_is_read_without_running_it(own_users: str) -> None:
    assert read_scenario(own_users, Options())[0].name == "two"


def test_a_command_is_run_only_where_that_is_allowed_and_planned_without(tmp_path: Path) -> None:
    file = tmp_path / "own.yaml"
    for name in ("schema.json", "sample.csv", "rules.yml"):
        (tmp_path / name).write_text("{}")
    target = "{command: 'serve {port}', ready: /health, schema: schema.json, sample: sample.csv}"
    text = SCENARIO.replace("{bundled: fraud}", target) + "monitoring: {rules: [rules.yml]}\n"
    file.write_text(text)
    with pytest.raises(BadInput) as caught:
        read_to_run(str(file), Options())
    (mistake,) = caught.value.mistakes
    assert (mistake.where, mistake.got) == ("target.command", '"serve {port}"')
    assert mistake.fix == "read it, then add --allow-commands to the command line"
    assert read_to_run(str(file), Options(allow_commands=True))[0].name == "two"
    assert read_scenario(str(file), Options())[0].name == "two"


def test_faults_on_processes_are_for_linux(path: str, monkeypatch: pytest.MonkeyPatch) -> None:
    Path(path).write_text(SCENARIO.replace("kind: nulls, features: [amount], share: 20%", "kind: pause"))
    assert "kind: pause" in Path(path).read_text()
    assert read_to_run(path, Options())[0].name == "two"
    monkeypatch.setattr(options, "LINUX", False)
    with pytest.raises(BadInput) as caught:
        read_to_run(path, Options())
    assert caught.value.mistakes[0].fix == "run it on Linux, or remove it"


def test_a_drill_of_several_has_a_seed_of_its_own() -> None:
    scenario, _ = read_scenario("seed-disaster", Options())
    other, _ = read_scenario("seed-disaster", Options(seed=scenario.seed + 1))
    assert other == scenario.model_copy(update={"seed": scenario.seed + 1})


def test_a_prometheus_of_ones_own_posts_to_no_managed_alertmanager(path: str) -> None:
    Path(path).write_text(SCENARIO + "monitoring: {alertmanager: managed}\n")
    assert read_scenario(path, Options())[0].monitoring.level == "delivered"
    with pytest.raises(BadInput, match=r"two\.yaml:13:\d+: monitoring\.alertmanager"):
        read_scenario(path, Options(prometheus="http://127.0.0.1:9"))


@pytest.mark.parametrize("read", [read_scenario, read_to_run])
def test_a_bundled_target_without_what_it_needs_is_refused_with_the_command_that_mends_it(
    read: Callable[[str, Options], object], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(options, "lacking", lambda extra: ("scikit-learn>=1.6",) if extra == "targets" else ())
    with pytest.raises(BadInput) as refused:
        read("seed-disaster", Options())
    assert refused.value.exit_code == 2
    assert "seed-disaster.yaml:" in str(refused.value)
    assert "no scikit-learn>=1.6" in str(refused.value)
    assert "fix: pip install 'alertdrill[targets]'" in str(refused.value)
