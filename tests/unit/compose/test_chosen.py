from pathlib import Path

import pytest

from alertdrill.adapters.bundled import bundled_scenarios, scenarios_dir
from alertdrill.compose.chosen import choose
from alertdrill.compose.options import Options
from alertdrill.core.errors import BadInput
from alertdrill.core.shards import Shard

SCENARIO = """\
version: 1
name: {name}
target: {{bundled: fraud}}
load: {{rate: 10/s}}
phases:
  - {{name: baseline, duration: {duration}}}
"""


def write(folder: Path, name: str, duration: str = "5s") -> str:
    file = folder / f"{name}.yaml"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(SCENARIO.format(name=Path(name).name, duration=duration))
    return str(file)


def chosen(*arguments: object, shard: Shard | None = None) -> list[str]:
    return [one.scenario.name for one in choose([str(one) for one in arguments], Options(), shard).drills]


def test_a_folder_stands_for_its_scenarios_among_files_and_bundled_names(tmp_path: Path) -> None:
    other = write(tmp_path / "elsewhere", "z")
    write(tmp_path / "drills", "b")
    write(tmp_path / "drills", "sub/a")
    assert chosen(other, tmp_path / "drills", "seed-disaster") == ["z", "b", "a", "seed-disaster"]
    assert chosen(scenarios_dir()) == bundled_scenarios()


def test_a_scenario_that_is_named_twice_is_run_once(tmp_path: Path) -> None:
    file = write(tmp_path, "a")
    write(tmp_path, "b")
    assert chosen(file, tmp_path, f"{tmp_path}/./a.yaml") == ["a", "b"]


def test_all_mistakes_of_all_files_are_told_at_once(tmp_path: Path) -> None:
    write(tmp_path / "drills", "a", "5")
    write(tmp_path / "drills", "b", "now")
    (tmp_path / "empty").mkdir()
    with pytest.raises(BadInput) as refused:
        choose([str(tmp_path / "drills"), "no-such-scenario", str(tmp_path / "empty")], Options())
    files = [Path(one.file or one.where).name for one in refused.value.mistakes]
    assert files == ["empty", "a.yaml", "b.yaml", "no-such-scenario"]


def test_shards_together_are_all_and_share_nothing(tmp_path: Path) -> None:
    for number, duration in enumerate(["90s", "10s", "80s", "20s", "auto", "5s", "40s"]):
        write(tmp_path, f"drill-{number}", duration)
    parts = [chosen(tmp_path, shard=Shard(k, 3)) for k in (1, 2, 3)]
    assert sorted(name for part in parts for name in part) == chosen(tmp_path)
    assert [len(part) for part in parts] == [3, 2, 2]
    assert choose([str(tmp_path)], Options(), Shard(1, 3)).of == 7


def test_a_mistake_in_a_scenario_of_another_shard_is_told_too(tmp_path: Path) -> None:
    write(tmp_path, "a", "60s")
    write(tmp_path, "b", "soon")
    with pytest.raises(BadInput, match="soon"):
        choose([str(tmp_path)], Options(), Shard(1, 2))


def test_one_file_is_no_collection_and_a_folder_with_one_is(tmp_path: Path) -> None:
    file = write(tmp_path, "a")
    assert [choose(each, Options()).together for each in ([file], [file, file], [str(tmp_path)])] == [False, True, True]


def test_a_bundled_name_goes_before_a_folder_of_that_name(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    write(tmp_path / "seed-disaster", "a")
    assert chosen("seed-disaster") == ["seed-disaster"]
    assert chosen("./seed-disaster") == ["a"]
