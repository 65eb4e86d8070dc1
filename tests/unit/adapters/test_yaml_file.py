import contextlib
import time
from pathlib import Path
from typing import Any

import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from alertdrill.adapters.bundled import find_scenario
from alertdrill.adapters.yaml_file import MAX_BYTES, beside, load_model, load_scenario
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.scenario import Load, Scenario

SEED_DISASTER = find_scenario("seed-disaster")
BOUNDED = settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])

scalars = (
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=10)
    | st.sampled_from(
        ["20%", "30s", "100/s", "nulls", "amount", "bundled", "managed", "== 0", "http://localhost", "\x1b"]
    )
)
values = st.recursive(
    scalars, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4)
)


def places(tree: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    """Paths of every value in a tree."""
    children = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    return [path, *(place for key, child in children for place in places(child, (*path, key)))]


def replaced(tree: Any, path: tuple[Any, ...], value: Any) -> Any:
    """A copy of the tree with another value at a path."""
    if not path:
        return value
    copy = tree.copy()
    copy[path[0]] = replaced(tree[path[0]], path[1:], value)
    return copy


GOOD = yaml.safe_load(SEED_DISASTER.read_text())
PLACES = places(GOOD)


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


@BOUNDED
@given(text=st.text() | st.binary() | values.map(lambda tree: yaml.safe_dump(tree, allow_unicode=True)))
def test_random_files_are_bad_input_and_nothing_else(tmp_path: Path, text: str | bytes) -> None:
    with pytest.raises(BadInput) as caught:
        load(tmp_path, text)
    str(caught.value).encode()


@BOUNDED
@given(path=st.sampled_from(PLACES), value=values)
def test_a_scenario_with_one_other_value_is_read_or_bad_input(
    tmp_path: Path, path: tuple[Any, ...], value: Any
) -> None:
    with contextlib.suppress(BadInput):
        load(tmp_path, yaml.safe_dump(replaced(GOOD, path, value)))


@BOUNDED
@given(data=st.data())
def test_a_damaged_scenario_is_read_or_bad_input_with_a_line(tmp_path: Path, data: st.DataObject) -> None:
    text = SEED_DISASTER.read_text()
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    junk = data.draw(st.text("{}[]:,#&*!|>'\"%@`\t\n -?~<", max_size=6) | st.text(max_size=3))
    mistakes: tuple[Mistake, ...] = ()
    try:
        load(tmp_path, text[:start] + junk + text[end:])
    except BadInput as error:
        mistakes = error.mistakes
    assert all(mistake.file for mistake in mistakes)
    assert all(mistake.line or not mistake.where for mistake in mistakes)


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


@pytest.mark.parametrize(
    "text",
    [
        b"x" * 10_000_000,
        b"[" * MAX_BYTES,
        b"- \n" * (MAX_BYTES // 3),
        b"? " * (MAX_BYTES // 2),
        b"phases:\n" + b"- {}\n" * 19_000,
        b"phases:\n- faults:\n" + b"  - {kind: nulls}\n" * 6_000,
        b"".join(b"k%d: 1\n" % i for i in range(19_000)),
        b"k: 1\n" * 19_000,
        b"a: &a x\n" + b"".join(b"a%d: *a\n" % i for i in range(19_000)),
        b'name: "' + b"a" * (MAX_BYTES - 20) + b'"\n',
        b"load: {rate: " + b"1" * 900_000 + b"/s}\n",
        b"load: {rate: 1" + b"h" * 900_000 + b"}\n",
        b"settle: {timeout: " + b"1s" * 450_000 + b"}\n",
    ],
    ids=lambda text: text[:12].decode(),
)
def test_huge_files_are_refused_within_a_second(tmp_path: Path, text: bytes) -> None:
    started = time.process_time()
    with pytest.raises(BadInput) as caught:
        load(tmp_path, text)
    assert time.process_time() - started < 1.0
    assert len(str(caught.value)) < 20_000


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


def test_other_files_are_read_by_their_own_model(tmp_path: Path) -> None:
    file = tmp_path / "load.yaml"
    file.write_text("rate: 50/s\n")
    assert load_model(file, Load).rate == 50.0
    file.write_text("rate: 50\narrival: constant\n")
    with pytest.raises(BadInput) as caught:
        load_model(file, Load)
    assert [(m.where, m.line) for m in caught.value.mistakes] == [("rate", 1), ("arrival", 2)]
