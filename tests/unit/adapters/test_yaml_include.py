import errno
import json
import os
from pathlib import Path

import pytest
from tests.unit.adapters.scenario_trees import GOOD, SEED_DISASTER, at, including, places, removed, replaced, written

from alertdrill.adapters import yaml_fragments, yaml_source
from alertdrill.adapters.yaml_file import beside, load_model, load_scenario, locate
from alertdrill.adapters.yaml_fragments import MAX_FILES
from alertdrill.adapters.yaml_include import MAX_LEVELS
from alertdrill.adapters.yaml_nodes import MAX_DEPTH, MAX_NODES
from alertdrill.adapters.yaml_source import MAX_BYTES
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.scenario import Load, Scenario
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.reading import MAX_FINDINGS

BASE = """
version: 1
name: drill
target: {bundled: fraud}
load: {rate: 100/s, arrivals: constant}
limits: {lease: 4s}
phases:
  - {name: baseline, duration: 15s}
"""
NULLS = "{kind: nulls, features: [amount], share: 20%}"
SHIFT = "{kind: nulls, id: second, features: [amount], share: 30%}"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def write(**texts: str) -> None:
    """Write files; `__` in a name stands for a folder."""
    for name, text in texts.items():
        path = Path(name.replace("__", "/") + ".yaml")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)


def load(text: str, **fragments: str) -> Scenario:
    write(drill=text, **fragments)
    return load_scenario(Path("drill.yaml"))


def mistakes(text: str, **fragments: str) -> tuple[Mistake, ...]:
    with pytest.raises(BadInput) as caught:
        load(text, **fragments)
    return caught.value.mistakes


def phases(*entries: str) -> str:
    return "version: 1\nname: drill\ntarget: {bundled: fraud}\nload: {rate: 100/s}\nphases:\n" + "".join(
        f"  - {entry}\n" for entry in entries
    )


def test_keys_that_are_not_written_come_from_the_fragment() -> None:
    scenario = load("include: base.yaml\nname: mine\nseed: 7\n", base=BASE)
    assert (scenario.name, scenario.seed, scenario.limits.lease) == ("mine", 7, 4.0)
    assert scenario.phases[0].duration == 15.0


def test_mappings_are_merged_key_by_key_and_lists_and_scalars_replaced() -> None:
    own = "include: base.yaml\nload: {rate: 50/s}\ntags: [mine]\nphases: [{name: other, duration: 1s}]\n"
    scenario = load(own, base=BASE + "tags: [theirs, too]\n")
    assert (scenario.load.rate, scenario.load.arrivals) == (50.0, "constant")
    assert scenario.tags == ("mine",)
    assert [phase.name for phase in scenario.phases] == ["other"]


def test_a_scalar_replaces_a_mapping_and_a_mapping_a_scalar() -> None:
    base = BASE + "monitoring: {prometheus: {url: 'http://127.0.0.1:9090'}}\n"
    assert load("{include: base.yaml, monitoring: {prometheus: managed}}", base=base).monitoring.rules == "bundled"
    own = "{include: base.yaml, monitoring: {prometheus: {url: 'http://127.0.0.1:1'}}}"
    assert ":1'" in str(load(own, base=BASE + "monitoring: {prometheus: managed}\n").monitoring.prometheus)


def test_of_several_files_the_earlier_wins() -> None:
    scenario = load(
        "include: [a.yaml, base.yaml]\n", a="name: from-a\nload: {rate: 5/s}\nlimits: {lease: 3s}\n", base=BASE
    )
    assert (scenario.name, scenario.load.rate, scenario.load.arrivals) == ("from-a", 5.0, "constant")
    assert scenario.limits.lease == 3.0


def test_any_mapping_can_include() -> None:
    text = """
    version: 1
    name: drill
    target: {include: target.yaml}
    load: {include: load.yaml, rate: 10/s}
    phases:
      - name: one
        include: phase.yaml
        expect:
          - {alert: FeatureDrift, include: [expect.yaml], labels: {include: labels.yaml, severity: P1}}
    """
    scenario = load(
        text,
        target="bundled: fraud\n",
        load="{rate: 100/s, arrivals: constant}\n",
        phase=f"duration: 9s\nfaults: [{NULLS}]\n",
        expect="within: 7s\n",
        labels="{feature: amount, severity: P2}\n",
    )
    phase = scenario.phases[0]
    assert (scenario.load.rate, scenario.load.arrivals, phase.duration) == (10.0, "constant", 9.0)
    assert phase.expect[0].within == 7.0
    assert phase.expect[0].labels == {"feature": "amount", "severity": "P1"}


def test_an_entry_that_only_includes_becomes_the_mapping_or_the_entries_of_the_list() -> None:
    text = phases(
        "{name: first, duration: 1s}", "include: more.yaml", "include: one.yaml", "{name: last, duration: 2s}"
    )
    more = "- {name: a, duration: 3s}\n- {include: one.yaml, name: b}\n"
    scenario = load(text, more=more, one="{name: c, duration: 4s, faults: [{include: fault.yaml}]}", fault=NULLS)
    assert [(phase.name, phase.duration) for phase in scenario.phases] == [
        ("first", 1.0),
        ("a", 3.0),
        ("b", 4.0),
        ("c", 4.0),
        ("last", 2.0),
    ]


def test_lists_of_several_files_are_spliced_in_their_order_and_an_empty_one_adds_nothing() -> None:
    text = phases("include: [a.yaml, empty.yaml, b.yaml]")
    fragments = {name: f"- {{name: {name}, duration: 1s}}" for name in "ab"}
    assert [phase.name for phase in load(text, **fragments, empty="[]").phases] == ["a", "b"]


def test_lists_of_text_can_be_spliced_too() -> None:
    text = BASE + "tags: [one, include: tags.yaml, three]\n"
    assert load(text, tags="[two, two-and-a-half]").tags == ("one", "two", "two-and-a-half", "three")


def test_paths_are_relative_to_the_file_that_has_them() -> None:
    text = phases("include: parts/phase.yaml")
    scenario = load(
        text,
        parts__phase="name: one\ninclude: [deeper/time.yaml, ../common/faults.yaml]\n",
        parts__deeper__time="duration: 3s\n",
        common__faults=f"faults: [{NULLS}, include: second.yaml]\n",
        common__second=f"[{SHIFT}]",
    )
    assert scenario.phases[0].duration == 3.0
    assert [fault.id for fault in scenario.phases[0].faults] == [None, "second"]


def test_an_absolute_path_is_what_it_is(folder: Path) -> None:
    assert load(f"include: {folder}/elsewhere/base.yaml", elsewhere__base=BASE).name == "drill"


def test_files_that_a_fragment_names_are_relative_to_the_fragment(folder: Path) -> None:
    write(team__rules__alerts="groups: []\n", team__data__schema="{}\n", own="groups: []\n")
    Path("team/data/sample.csv").touch()
    text = phases("{name: one, duration: 1s}").replace(
        "target: {bundled: fraud}", "target: {include: team/target.yaml}"
    )
    scenario = load(
        text + "monitoring: {rules: [own.yaml, include: team/rules/list.yaml]}\n",
        team__target="include: data/files.yaml\nurl: http://127.0.0.1:1\n",
        team__data__files="schema: schema.yaml\nsample: ../data/sample.csv\n",
        team__rules__list=f"[alerts.yaml, {folder}/own.yaml]",
    )
    target = scenario.target.model_dump()
    assert (target["schema"], target["sample"]) == ("team/data/schema.yaml", "team/data/../data/sample.csv")
    assert scenario.monitoring.rules == ("own.yaml", "team/rules/alerts.yaml", f"{folder}/own.yaml")
    assert all(beside(Path("drill.yaml"), name).is_file() for name in scenario.monitoring.rules)


def test_a_fragment_beside_the_scenario_leaves_the_names_of_files_as_they_are() -> None:
    write(rules="groups: []\n")
    assert load(BASE + "include: more.yaml\n", more="monitoring: {rules: [rules.yaml]}").monitoring.rules == (
        "rules.yaml",
    )


def test_a_file_that_a_fragment_names_and_that_is_missing_is_told_in_the_fragment() -> None:
    write(team__alerts="groups: []\n")
    (mistake,) = mistakes(BASE + "include: team/more.yaml\n", team__more="monitoring:\n  rules: [alert.yaml]\n")
    assert (mistake.file, mistake.line, mistake.column) == ("team/more.yaml", 2, 11)
    assert mistake.source == "  rules: [alert.yaml]"
    assert (mistake.got, mistake.fix) == ('"alert.yaml"', "write alerts.yaml")


def test_it_makes_no_difference_which_keys_are_in_a_fragment() -> None:
    whole = load_scenario(SEED_DISASTER)
    for path in places(GOOD)[1:]:
        if isinstance(path[-1], str):
            fragment = written({path[-1]: at(GOOD, path)}).decode()
            tree = including(removed(GOOD, path), path[:-1], "part.yaml")
            assert load(written(tree).decode(), part=fragment) == whole


def test_it_makes_no_difference_which_entries_are_in_a_fragment() -> None:
    whole = load_scenario(SEED_DISASTER)
    for path in places(GOOD)[1:]:
        if isinstance(path[-1], int):
            fragment = written([at(GOOD, path)]).decode()
            assert load(written(replaced(GOOD, path, {"include": "part.yaml"})).decode(), part=fragment) == whole


def test_aliases_and_includes_go_together() -> None:
    text = phases("&one {include: one.yaml, name: a}", "{name: b, duration: 1s, faults: &faults [include: f.yaml]}")
    text += "  - {name: c, duration: 2s, faults: *faults}\n"
    scenario = load(text, one="&d {duration: 3s}", f=f"- {NULLS}\n- {SHIFT}\n")
    assert [len(phase.faults) for phase in scenario.phases] == [0, 2, 2]


def test_mistakes_of_all_files_come_file_by_file_in_the_order_of_their_lines() -> None:
    text = phases("include: b.yaml", "include: a.yaml", "{name: x y, duration: 5s}")
    found = mistakes(
        "colour: red\n" + text, a="name: a\nduration: 5\ncolour: red\n", b="duration: 5\nname: b\nduration: 6s\n"
    )
    assert [(one.file, one.line) for one in found] == [
        ("drill.yaml", 1),
        ("drill.yaml", 9),
        ("b.yaml", 1),
        ("b.yaml", 3),
        ("a.yaml", 2),
        ("a.yaml", 3),
    ]
    assert [one.source for one in found if one.file == "a.yaml"] == ["duration: 5", "colour: red"]


def test_a_mistake_in_a_fragment_is_told_once_however_often_it_is_included() -> None:
    entries = [f"{{name: p{i}, include: one.yaml}}" for i in range(30)]
    (mistake,) = mistakes(phases(*entries), one="duration: 5\n")
    assert (mistake.where, mistake.file, mistake.line) == ("phases[0].duration", "one.yaml", 1)


def test_a_finding_made_later_is_told_in_the_fragment() -> None:
    text = phases("{name: first, duration: 1s}", "include: parts/more.yaml")
    write(parts__fault=NULLS)
    load(text, parts__more="- name: one\n  duration: 9s\n  faults:\n    - include: fault.yaml\n")
    paths = [("phases", 1, "faults", 0, "share"), ("phases", 1, "duration"), ("phases", 0, "duration")]
    found = locate(Path("drill.yaml"), [Finding(path, "less", "write less") for path in paths])
    assert [(one.file, one.line, one.column) for one in found] == [
        ("parts/fault.yaml", 1, 42),
        ("parts/more.yaml", 2, 13),
        ("drill.yaml", 6, 29),
    ]


def test_what_includes_that_cannot_be_read_may_have_caused_is_not_told() -> None:
    text = """
    version: 1
    name: bad name
    include: gone.yaml
    phases:
      - {include: gone.yaml, duration: 5}
      - name: two
        duration: 5
        faults: [{include: gone.yaml, share: 10%}, include: gone.yaml]
        expect: [{alert: A, within: 1, fault: nulls}]
        must_not_fire: [{labels: {include: gone.yaml}}]
    """
    found = mistakes(text)
    assert [one.line for one in found if "gone.yaml" not in one.got] == [8, 10]
    assert len([one for one in found if "gone.yaml" in one.got]) == 5


def test_a_file_of_another_kind_includes_nothing() -> None:
    write(load="rate: 1/s\ninclude: more.yaml\n", more="arrivals: constant\n")
    with pytest.raises(BadInput, match='the unknown key "include"'):
        load_model(Path("load.yaml"), Load, "load")


def test_a_chain_of_files_ends_after_ten_levels() -> None:
    def chain(length: int) -> dict[str, str]:
        links = {f"f{i}": f"include: f{i + 1}.yaml\n" for i in range(1, length)}
        return {**links, f"f{length}": "duration: 2s\n"}

    text = phases("{name: one, include: f1.yaml}")
    assert load(text, **chain(MAX_LEVELS)).phases[0].duration == 2.0
    (mistake,) = mistakes(text, **chain(MAX_LEVELS + 1))
    assert (mistake.file, mistake.expected) == ("f10.yaml", "at most 10 levels of files that include each other")


def test_the_levels_below_a_file_that_was_read_before_count_too() -> None:
    links = {f"f{i}": f"include: f{i + 1}.yaml\n" for i in range(1, MAX_LEVELS)}
    text = phases("{name: one, include: f1.yaml}", "{name: two, include: deeper.yaml}")
    (mistake,) = mistakes(text, **links, f10="duration: 2s\n", deeper="include: f1.yaml\n")
    assert (mistake.file, mistake.got) == ("deeper.yaml", '"f1.yaml", level 11')


def test_files_that_lead_back_show_the_chain() -> None:
    (mistake,) = mistakes("include: a.yaml\n" + BASE, a="include: b.yaml\n", b="seed: 1\ninclude: [drill.yaml]\n")
    assert (mistake.file, mistake.line, mistake.column, mistake.where) == ("b.yaml", 2, 11, "include[0]")
    assert "drill.yaml → a.yaml → b.yaml → drill.yaml" in mistake.got


def test_a_link_to_an_open_file_leads_back_too(folder: Path) -> None:
    (folder / "again.yaml").symlink_to("a.yaml")
    found = mistakes("include: a.yaml\n" + BASE, a="include: again.yaml\n")
    assert ["again.yaml → again.yaml" in one.got for one in found] == [True]


def test_at_most_100_files_are_read() -> None:
    def parts(count: int) -> dict[str, str]:
        return {f"p{i}": f"- {{name: p{i}, duration: 1s}}\n" for i in range(count)}

    def scenario(count: int) -> str:
        return phases(*[f"include: p{i}.yaml" for i in range(count)])

    assert len(load(scenario(MAX_FILES), **parts(MAX_FILES)).phases) == MAX_FILES
    (mistake,) = mistakes(scenario(MAX_FILES + 1), **parts(MAX_FILES + 1))
    assert (mistake.line, mistake.expected) == (6 + MAX_FILES, "at most 100 files in all")


def test_all_files_together_have_at_most_a_megabyte() -> None:
    half = "seed: 1\n" + "#" * (MAX_BYTES // 2)
    (mistake,) = mistakes("include: a.yaml\n" + BASE + half, a=half)
    assert (mistake.file, mistake.got) == ("a.yaml", "0.5 MB, and 0.5 MB in the files read before")
    (mistake,) = mistakes("include: [a.yaml, b.yaml]\n" + BASE, a=half, b=half)
    assert (mistake.file, mistake.got) == ("b.yaml", "0.5 MB, and 0.5 MB in the files read before")


def test_a_file_that_is_too_large_is_looked_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    looked_at: list[str] = []

    def read_text(path: Path, read_before: int) -> str:
        looked_at.append(path.name)
        return yaml_source.read_text(path, read_before)

    monkeypatch.setattr(yaml_fragments, "read_text", read_text)
    found = mistakes(phases("include: a.yaml", "include: a.yaml"), a="#" * MAX_BYTES)
    assert [one.file for one in found] == looked_at == ["a.yaml"]


def test_no_more_than_1000_mistakes_are_collected() -> None:
    assert len(mistakes(phases(*["include: gone.yaml"] * 1200))) == MAX_FINDINGS


@pytest.mark.parametrize("entries", [40, MAX_NODES - 1])
def test_all_values_written_out_are_bounded(entries: int) -> None:
    text = phases(*["include: many.yaml"] * 600)
    (mistake,) = mistakes(text, many="[" + "x," * entries + "]")
    assert mistake.expected == f"at most {MAX_NODES}"
    assert mistake.file == "drill.yaml"


def test_values_that_are_read_and_then_replaced_are_bounded_too() -> None:
    many = "x: [" + "1," * (MAX_NODES // 2) + "]\n"
    (mistake,) = mistakes("include: [a.yaml, b.yaml]\nx: 1\n", a=many, b=many)
    assert (mistake.column, mistake.got) == (19, "too many values, with its fragments")


def test_nesting_is_told_where_it_becomes_too_deep() -> None:
    def deep(file: str) -> str:
        return "[" * 20 + f"include: {file}.yaml" + "]" * 20

    (mistake,) = mistakes(phases("include: f0.yaml"), **{f"f{i}": deep(f"f{i + 1}") for i in range(10)}, f10="[]")
    assert (mistake.file, mistake.column) == ("f0.yaml", 30)


def test_nesting_written_out_is_bounded() -> None:
    deep = "{a: " * (MAX_DEPTH - 3) + "1" + "}" * (MAX_DEPTH - 3)
    found = mistakes(phases("{name: one, include: deep.yaml}"), deep=deep)
    assert "remove it" in [one.fix for one in found]
    (mistake,) = mistakes(phases("{name: one, include: deep.yaml}"), deep=f"{{a: {deep}}}")
    assert (mistake.got, mistake.file) == ("too much nesting, with its fragments", "drill.yaml")


def test_of_a_list_that_is_spliced_in_only_the_entries_are_nested() -> None:
    deep = "[" * (MAX_DEPTH - 1) + "]" * (MAX_DEPTH - 1)
    assert "nesting" not in str(mistakes(phases("include: deep.yaml"), deep=deep))
    assert "nesting" in str(mistakes(phases("include: deep.yaml"), deep=f"[{deep}]"))


def test_a_fragment_that_may_not_be_read_is_told_where_it_is_included(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(path: str, flags: int) -> int:
        if path.endswith("secret.yaml"):
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), path)
        return os.open(path, flags)

    monkeypatch.setattr(yaml_source, "_open_at_once", refuse)
    (mistake,) = mistakes(phases("{name: one, include: secret.yaml}"), secret="duration: 1s")
    assert (mistake.file, mistake.got) == ("drill.yaml", '"secret.yaml" (permission denied)')


def test_a_pipe_is_no_fragment() -> None:
    os.mkfifo("pipe.yaml")
    (mistake,) = mistakes(phases("{name: one, include: pipe.yaml}"))
    assert mistake.got == '"pipe.yaml" (a pipe)'


@pytest.mark.parametrize("name", ["a\0b.yaml", "x" * 300, "x" * 2000, "drill.yaml/a.yaml"])
def test_a_name_that_no_file_can_have_is_a_mistake(name: str) -> None:
    (mistake,) = mistakes(phases(f"include: {json.dumps(name)}"))
    assert (mistake.file, mistake.line) == ("drill.yaml", 6)
