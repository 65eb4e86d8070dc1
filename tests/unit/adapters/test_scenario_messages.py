"""Golden messages: tests/golden/scenarios holds wrong scenarios (.yaml) and what a user reads about each (.txt).

ALERTDRILL_UPDATE_GOLDEN=1 writes the messages anew; read the difference before you keep it.
"""

import os
from pathlib import Path

import pytest

from alertdrill.adapters.yaml_file import load_scenario
from alertdrill.core.errors import BadInput

GOLDEN = Path(__file__).parents[2] / "golden" / "scenarios"
SCENARIOS = sorted(path.name for path in GOLDEN.glob("*.yaml"))


def message_of(name: str) -> str:
    with pytest.raises(BadInput) as caught:
        load_scenario(Path(name))
    assert caught.value.exit_code == 2
    return f"{caught.value}\n"


@pytest.mark.parametrize("name", SCENARIOS)
def test_a_wrong_scenario_gets_its_golden_message(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(GOLDEN)
    message = message_of(name)
    golden = Path(name).with_suffix(".txt")
    if os.environ.get("ALERTDRILL_UPDATE_GOLDEN"):
        golden.write_text(message)
    assert message == golden.read_text()


@pytest.mark.parametrize("name", SCENARIOS)
def test_every_message_fits_on_one_screen(name: str) -> None:
    lines = (GOLDEN / name).with_suffix(".txt").read_text().splitlines()
    assert len(lines) <= 40
    assert max(len(line) for line in lines) <= 260


@pytest.mark.parametrize("name", SCENARIOS)
def test_no_message_shows_a_secret(name: str) -> None:
    assert "s3cret" not in (GOLDEN / name).with_suffix(".txt").read_text()


def test_there_are_at_least_60_wrong_scenarios() -> None:
    assert len(SCENARIOS) >= 60


def test_every_golden_message_belongs_to_a_scenario() -> None:
    assert {path.stem for path in GOLDEN.glob("*.txt")} == {Path(name).stem for name in SCENARIOS}
