import io
from pathlib import Path

import pytest
from drill import BASELINE, nulls_phase, read
from planned import planned
from rich.console import Console

from alertdrill.cli import plan as command
from alertdrill.compose import Options, Prospectus
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.outlook import Outlook


def answered(monkeypatch: pytest.MonkeyPatch, *mistakes: Mistake) -> None:
    outlook = planned(read(BASELINE, nulls_phase())).outlook((), mistakes)
    found = Prospectus(outlook, mistakes)
    monkeypatch.setattr(command, "plan_drill", lambda name, options, say: found)


def planned_text(json: Path | None = None) -> tuple[int, str]:
    console = Console(file=io.StringIO(), width=80, highlight=False, markup=False)
    code = command.show_plan(console, "any", Options(), json)
    return code, console.file.getvalue()


def test_a_drill_that_can_succeed_is_shown_and_exits_with_0(monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch)
    code, text = planned_text()
    assert code == 0
    assert "BLAST RADIUS" in text


def test_what_cannot_succeed_is_said_last_and_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    answered(monkeypatch, Mistake("phases[1].expect[0].within", "1s", "2.5s or more", "write 5s"))
    code, text = planned_text()
    assert code == 2
    assert text.endswith("phases[1].expect[0].within\n  got 1s, expected 2.5s or more\n  fix: write 5s\n")


def test_all_of_it_is_written_as_json(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    answered(monkeypatch, Mistake("phases[1].duration", "1s", "2s", "write 2s"))
    assert planned_text(tmp_path / "plan.json")[0] == 2
    outlook = Outlook.model_validate_json((tmp_path / "plan.json").read_bytes())
    assert outlook.expectations[0].floor_s is not None
    assert [one.where for one in outlook.mistakes] == ["phases[1].duration"]


def test_a_json_file_that_cannot_be_written_is_refused_before_anything_else(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(command, "plan_drill", lambda *_: pytest.fail("it was planned"))
    with pytest.raises(BadInput, match="--json"):
        planned_text(tmp_path / "none" / "x.json")
