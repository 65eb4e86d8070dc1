import io
from pathlib import Path

import pytest
from drill import Drill
from recorded_runs import left_behind
from rich.console import Console

from alertdrill.cli.explain import explain_folder
from alertdrill.core.errors import BadInput


def explained(folder: Path, expectation: str | None = None, width: int = 100) -> str:
    console = Console(file=io.StringIO(), width=width, highlight=False, markup=False)
    assert explain_folder(console, folder, expectation) == 0
    return console.file.getvalue()


def test_a_drill_is_explained_from_its_folder_and_nothing_is_written(tmp_path: Path) -> None:
    folder = left_behind(tmp_path, "one", Drill()).folder
    (folder / "result.json").unlink()
    text = explained(folder)
    assert text.startswith("MISSED nulls/NullsHigh\n  asked")
    assert "\nFAILED drill\n  verdict" in text
    assert not (folder / "result.json").exists()
    assert max(map(len, text.splitlines())) <= 100
    assert "FAILED drill" not in explained(folder, "nulls/NullsHigh")


def test_a_name_that_no_expectation_has_is_refused_with_the_nearest(tmp_path: Path) -> None:
    folder = left_behind(tmp_path, "one", Drill()).folder
    with pytest.raises(BadInput, match="fix: write nulls/NullsHigh"):
        explained(folder, "nulls/NullHigh")


def test_several_drills_are_explained_one_by_one(tmp_path: Path) -> None:
    (tmp_path / "repeat.json").write_text("{}")
    with pytest.raises(BadInput, match="one of its runs"):
        explained(tmp_path)
