from pathlib import Path

import pytest

from alertdrill.cli.ci_files import CiFiles
from alertdrill.core.errors import AlertdrillError
from alertdrill.report.checks import Check, Outcome, Suite

SUITES = [Suite("s", "t", (Check("a", Outcome.FAILED, "missed", "why"),))]


@pytest.fixture(autouse=True)
def elsewhere(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("GITHUB_ACTIONS", "GITHUB_STEP_SUMMARY"):
        monkeypatch.delenv(name, raising=False)


def test_files_are_written_anew(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    junit, markdown = tmp_path / "j.xml", tmp_path / "m.md"
    for _ in range(2):
        CiFiles(junit, markdown).write(SUITES)
    assert junit.read_bytes().count(b"<testsuite ") == 1
    assert markdown.read_text().count("### ") == 1
    assert capsys.readouterr().out == ""


def test_the_summary_of_a_step_is_added_to(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    markdown = tmp_path / "m.md"
    monkeypatch.setenv("GITHUB_STEP_SUMMARY", str(markdown))
    for _ in range(2):
        CiFiles(None, markdown).write(SUITES)
    assert markdown.read_text().count("### ") == 2


def test_annotations_are_printed_where_github_runs_the_job(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("GITHUB_ACTIONS", "true")
    CiFiles().write(SUITES)
    assert capsys.readouterr().out == "::error title=s%3A a missed::why\n"


def test_a_file_that_cannot_be_written_is_told_before_anything_is_done(tmp_path: Path) -> None:
    files = CiFiles(tmp_path, tmp_path / "none" / "m.md")
    assert [one.where for one in files.mistakes()] == ["--junit", "--markdown"]
    with pytest.raises(AlertdrillError, match="--junit FILE"):
        files.write(SUITES)
