from pathlib import Path

import pytest

from alertdrill.adapters.scenario_folder import ScenarioFolder, read_scenario_folder

SCENARIO = "version: 1\nname: one\ntarget: {bundled: fraud}\nload: {rate: 10/s}\nphases: [{name: a, duration: 5s}]\n"


def tree(folder: Path, **files: str) -> ScenarioFolder:
    """Write files, `__` in a name for a slash and `_yml` for its end, and read the folder; paths are relative to it."""
    for name, text in files.items():
        path = folder / f"{name.replace('__', '/')}.yaml"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    found = read_scenario_folder(folder)
    relative = [tuple(path.relative_to(folder) for path in each) for each in (found.scenarios, found.passed_by)]
    return ScenarioFolder(*relative)


def names(paths: tuple[Path, ...]) -> list[str]:
    return [str(path) for path in paths]


def test_scenarios_are_found_at_any_depth_and_sorted_by_path(tmp_path: Path) -> None:
    found = tree(tmp_path, z=SCENARIO, a__c=SCENARIO, a__b__x=SCENARIO)
    (tmp_path / "m.yml").write_text(SCENARIO)
    assert names(found.scenarios) == ["a/b/x.yaml", "a/c.yaml", "z.yaml"]
    assert [path.name for path in read_scenario_folder(tmp_path).scenarios] == ["x.yaml", "c.yaml", "m.yml", "z.yaml"]


def test_names_that_begin_with_an_underscore_are_fragments(tmp_path: Path) -> None:
    (tmp_path / "_base.yaml").write_text(SCENARIO)
    assert read_scenario_folder(tmp_path) == ScenarioFolder((), ())


def test_what_another_file_includes_is_a_fragment_also_through_others(tmp_path: Path) -> None:
    found = tree(
        tmp_path,
        one="include: parts/base.yaml\nname: one\n",
        parts__base="include: deeper/load.yaml\ntarget: {bundled: fraud}\nphases: [{name: a, duration: 5s}]\n",
        parts__deeper__load="load: {rate: 10/s}\nphases: []\n",
    )
    assert (names(found.scenarios), found.passed_by) == (["one.yaml"], ())


def test_a_fragment_of_a_scenario_with_mistakes_is_a_fragment_all_the_same(tmp_path: Path) -> None:
    found = tree(tmp_path, one="include: [base.yaml, gone.yaml]\nnamed: one\n", base=SCENARIO)
    assert names(found.scenarios) == ["one.yaml"]


def test_other_yaml_is_passed_by_and_named(tmp_path: Path) -> None:
    rules, manifest = "groups: []\n", "kind: A\n---\nkind: B\n"
    found = tree(tmp_path, rules=rules, manifest=manifest, empty="", words="[a, b]", one=SCENARIO)
    assert names(found.scenarios) == ["one.yaml"]
    assert names(found.passed_by) == ["empty.yaml", "manifest.yaml", "rules.yaml", "words.yaml"]


@pytest.mark.parametrize("text", ["a: [", "target: {bundled: fraud}\n", "phases: 3\n", f"{SCENARIO}---\n{SCENARIO}"])
def test_what_may_be_a_scenario_is_never_passed_by(tmp_path: Path, text: str) -> None:
    assert names(tree(tmp_path, one=text).scenarios) == ["one.yaml"]


def test_hidden_files_and_folders_are_left_out_and_links_to_folders_are_not_followed(tmp_path: Path) -> None:
    tree(tmp_path, one=SCENARIO)
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "x.yaml").write_text(SCENARIO)
    (tmp_path / ".hidden.yaml").write_text(SCENARIO)
    (tmp_path / "again").symlink_to(tmp_path, target_is_directory=True)
    assert [path.name for path in read_scenario_folder(tmp_path).scenarios] == ["one.yaml"]
