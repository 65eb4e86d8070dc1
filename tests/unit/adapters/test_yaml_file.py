import time
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.unit.adapters.scenario_trees import (
    FUZZ,
    GOOD,
    SEED_DISASTER,
    Place,
    damaged_texts,
    is_read,
    mutated_trees,
    places,
    replaced,
    values,
    write_fragments,
    written,
)

from alertdrill.adapters import yaml_file, yaml_source
from alertdrill.adapters.yaml_file import beside, load_model, load_scenario
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import Load, Scenario
from alertdrill.protocols.schema import Schema


def load(folder: Path, text: str | bytes) -> Scenario:
    file = folder / "drill.yaml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode("utf-8", "surrogatepass"))
    return load_scenario(file)


def test_the_bundled_scenario_says_what_its_drill_needs() -> None:
    scenario = load_scenario(SEED_DISASTER)
    expected = [(p.faults[0].model_dump()["kind"], p.expect[0].alert) for p in scenario.phases if p.faults]
    assert expected == [
        ("mean_shift", "FeatureDrift"),
        ("nulls", "FeatureNullRateHigh"),
        ("malformed_json", "MalformedRequestsHigh"),
        ("latency", "PredictionLatencyHigh"),
    ]
    assert all(p.end_when == "decided" and p.expect[0].within == 15.0 for p in scenario.phases if p.faults)
    assert scenario.must_not_fire[0].except_ == ("ModelDown",)


def test_every_bundled_scenario_is_named_like_its_file() -> None:
    for path in SEED_DISASTER.parent.glob("*.yaml"):
        assert load_scenario(path).name == path.stem


@FUZZ
@given(text=st.text().map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary() | values.map(written))
def test_random_files_are_bad_input_and_nothing_else(tmp_path: Path, text: bytes) -> None:
    assert not is_read(tmp_path, text)


@FUZZ
@given(path=st.sampled_from(places(GOOD)), value=values)
def test_a_scenario_with_one_other_value_is_read_or_bad_input(tmp_path: Path, path: Place, value: Any) -> None:
    is_read(tmp_path, written(replaced(GOOD, path, value)))


@FUZZ
@given(tree=mutated_trees())
def test_a_mutated_scenario_is_read_or_bad_input_with_a_line(tmp_path: Path, tree: Any) -> None:
    write_fragments(tmp_path)
    is_read(tmp_path, written(tree))


@FUZZ
@given(text=damaged_texts())
def test_a_damaged_text_is_read_or_bad_input_with_a_line(tmp_path: Path, text: bytes) -> None:
    write_fragments(tmp_path)
    is_read(tmp_path, text)


def test_mistakes_come_in_the_order_of_the_lines(tmp_path: Path) -> None:
    text = (
        SEED_DISASTER.read_text().replace("lease: 5s", "lease: 1s").replace("seed: 42", "seed: x").replace("30s", "30")
    )
    with pytest.raises(BadInput) as caught:
        load(tmp_path, text)
    lines = [mistake.line or 0 for mistake in caught.value.mistakes]
    assert lines == sorted(lines)
    assert len(lines) == 2 + text.count(": 30\n") + text.count(": 30  ")


def test_a_mistake_quotes_its_line_under_every_line_end(tmp_path: Path) -> None:
    for line_end in ("\n", "\r\n", "\r"):
        with pytest.raises(BadInput) as caught:
            load(tmp_path, f"version: 1{line_end}colour: red{line_end}".encode())
        assert ("colour: red", 2) in [(mistake.source, mistake.line) for mistake in caught.value.mistakes]


def test_a_byte_order_mark_is_no_mistake(tmp_path: Path) -> None:
    assert load(tmp_path, b"\xef\xbb\xbf" + SEED_DISASTER.read_bytes()).name == "seed-disaster"


def test_a_scenario_of_500_lines_is_read_in_50_ms(tmp_path: Path) -> None:
    head, rest = SEED_DISASTER.read_text().split("  - name: drift", 1)
    phase, tail = ("  - name: drift" + rest).split("  - name: nulls", 1)
    tail = tail[tail.index("settle:") :].replace("max_duration: 15m", "max_duration: 2h")
    text = head + "".join(phase.replace("name: drift", f"name: drift-{i}") for i in range(45)) + tail
    assert text.count("\n") >= 500
    load(tmp_path, text)
    seconds = []
    for _ in range(5):
        started = time.process_time()
        load(tmp_path, text)
        seconds.append(time.process_time() - started)
    assert min(seconds) < 0.050


@pytest.mark.parametrize("name", ["missing.yaml", ".", "a\0b.yaml", "x" * 5000])
def test_a_file_that_cannot_be_opened_is_bad_input(tmp_path: Path, name: str) -> None:
    with pytest.raises(BadInput):
        load_scenario(tmp_path / name)


def test_files_that_a_scenario_names_are_beside_it(tmp_path: Path) -> None:
    (tmp_path / "rules.yml").touch()
    text = SEED_DISASTER.read_text().replace("rules: bundled", "rules: [rules.yml]")
    rules = load(tmp_path, text).monitoring.rules
    assert rules == ("rules.yml",)
    assert beside(tmp_path / "drill.yaml", rules[0]).is_file()
    assert beside(tmp_path / "drill.yaml", "/etc/rules.yml") == Path("/etc/rules.yml")


def test_a_rule_file_with_an_impossible_name_is_missing(tmp_path: Path) -> None:
    text = SEED_DISASTER.read_text().replace("rules: bundled", f"rules: [{'x' * 300}]")
    with pytest.raises(BadInput, match="expected a file that is there"):
        load(tmp_path, text)


def test_of_many_missing_files_1000_are_told_and_names_like_20_of_them_looked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looked_for: list[Path] = []
    monkeypatch.setattr(yaml_file, "nearest_file", looked_for.append)
    text = SEED_DISASTER.read_text().replace("rules: bundled", f"rules: [{', '.join(['gone.yml'] * 1200)}]")
    with pytest.raises(BadInput) as caught:
        load(tmp_path, text)
    assert (len(caught.value.mistakes), len(looked_for)) == (1000, 20)


def test_of_many_keys_that_are_there_twice_1000_are_told(tmp_path: Path) -> None:
    with pytest.raises(BadInput) as caught:
        load(tmp_path, "k: 1\n" * 1200)
    assert len([one for one in caught.value.mistakes if "a second time" in one.got]) == 1000


def test_of_a_large_folder_1000_names_are_compared(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    compared: list[str] = []
    monkeypatch.setattr(yaml_source, "nearest", lambda name, known: compared.extend(known))
    for i in range(1100):
        (tmp_path / str(i)).touch()
    assert yaml_source.nearest_file(tmp_path / "x") is None
    assert len(compared) == 1000


def test_other_files_are_read_by_their_own_model(tmp_path: Path) -> None:
    file = tmp_path / "load.yaml"
    file.write_text("rate: 50/s\n")
    assert load_model(file, Load, "load").rate == 50.0
    file.write_text("rate: 50\narrival: constant\n")
    with pytest.raises(BadInput) as caught:
        load_model(file, Load, "load")
    assert [(m.where, m.line) for m in caught.value.mistakes] == [("rate", 1), ("arrival", 2)]


@pytest.mark.parametrize(
    ("text", "says"),
    [
        (None, "expected a schema file"),
        ("", "fix: write the schema in it"),
        ("- 1\n---\n- 2\n", "one document a file"),
        ("a: !!set {}\n", "no objects"),
        ("a: " + "x" * 1_000_001, "the right file"),
        ("[" + "0," * 200_000 + "]", "the right file"),
    ],
)
def test_mistakes_of_other_files_do_not_speak_of_scenarios(tmp_path: Path, text: str | None, says: str) -> None:
    file = tmp_path / "schema.yaml"
    if text is not None:
        file.write_text(text)
    with pytest.raises(BadInput) as caught:
        load_model(file, Schema, "schema")
    assert says in str(caught.value)
    assert "scenario" not in str(caught.value)
