from pathlib import Path

import pytest

import alertdrill
from alertdrill.adapters.bundled import bundled_scenarios, bundled_targets, find_scenario
from alertdrill.core.errors import BadInput


def test_a_bare_name_is_a_bundled_scenario() -> None:
    assert "seed-disaster" in bundled_scenarios()
    assert find_scenario("seed-disaster").name == "seed-disaster.yaml"


def test_an_installed_package_brings_its_own(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    scenario = tmp_path / "alertdrill" / "bundled" / "scenarios" / "mine.yaml"
    scenario.parent.mkdir(parents=True)
    scenario.touch()
    monkeypatch.setattr(alertdrill, "__file__", str(tmp_path / "alertdrill" / "__init__.py"))
    assert find_scenario("mine") == scenario


def test_the_fraud_target_is_bundled() -> None:
    assert "fraud" in bundled_targets()


def test_a_path_is_taken_as_it_is(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "mine.yaml").touch()
    monkeypatch.chdir(tmp_path)
    assert find_scenario("mine.yaml") == Path("mine.yaml")
    assert find_scenario(str(tmp_path / "mine.yaml")) == tmp_path / "mine.yaml"


@pytest.mark.parametrize(
    ("asked", "fix"),
    [
        ("seed-disastre", "write seed-disaster"),
        ("mien.yaml", "write mine.yaml"),
        ("nowhere/mine.yaml", "check the path"),
        ("", "check the path"),
        ("../scenarios/../../etc", "check the path"),
        ("a\0b", "check the path"),
        ("x" * 5000, "check the path"),
    ],
)
def test_an_unknown_name_is_bad_input_with_the_nearest_one(
    asked: str, fix: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "mine.yaml").touch()
    monkeypatch.chdir(tmp_path)
    with pytest.raises(BadInput) as caught:
        find_scenario(asked)
    assert caught.value.mistakes[0].fix.startswith(fix)


def test_the_documents_list_every_bundled_scenario() -> None:
    table = (Path(__file__).parents[3] / "docs" / "scenarios.md").read_text()
    assert [name for name in bundled_scenarios() if f"[{name}](../scenarios/{name}.yaml)" not in table] == []
