import io
from pathlib import Path

import pytest
from rich.console import Console

from alertdrill.cli import lint as command
from alertdrill.compose.linting import Linted
from alertdrill.compose.options import Options
from alertdrill.core.errors import BadInput, Mistake

WRONG = Mistake("load.rate", "0", "more", "write 10/s")


def linted(monkeypatch: pytest.MonkeyPatch, *found: Linted) -> tuple[int, str]:
    by_name = {str(one.path): one for one in found}
    monkeypatch.setattr(command, "lint_drill", lambda name, options: by_name[name])
    out = io.StringIO()
    console = Console(file=out, width=80, highlight=False, markup=False)
    try:
        return command.lint(console, list(by_name), Options()), out.getvalue()
    except BadInput as error:
        return error.exit_code, out.getvalue() + str(error)


def test_each_drill_without_mistakes_is_ok_and_what_was_not_looked_at_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = linted(monkeypatch, Linted(Path("a.yaml"), ()), Linted(Path("b.yaml"), (), ("your Prometheus",)))
    assert code == 0
    assert text == "a.yaml: ok\nb.yaml: not looked at: your Prometheus\nb.yaml: ok\n"


def test_mistakes_of_all_drills_are_said_each_once_and_exit_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    good, bad = Linted(Path("a.yaml"), ()), Linted(Path("b.yaml"), (WRONG,), ("your Prometheus",))
    code, text = linted(monkeypatch, good, bad, Linted(Path("c.yaml"), (WRONG,)))
    assert code == 2
    assert text == "a.yaml: ok\nload.rate\n  got 0, expected more\n  fix: write 10/s"


def test_a_folder_is_its_scenarios_and_what_is_passed_by_is_said(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for name, text in {"a.yaml": "phases: []", "_part.yaml": "phases: []", "rules.yml": "groups: []"}.items():
        (tmp_path / name).write_text(text)
    looked_at: list[str] = []

    def look(name: str, options: Options) -> Linted:
        looked_at.append(name)
        return Linted(Path(name), ())

    monkeypatch.setattr(command, "lint_drill", look)
    out = io.StringIO()
    assert command.lint(Console(file=out, width=80), [str(tmp_path)], Options()) == 0
    assert looked_at == [str(tmp_path / "a.yaml")]
    assert f"passed by, as they are no scenarios: {tmp_path / 'rules.yml'}" in out.getvalue()


def test_a_folder_without_scenarios_is_a_mistake(tmp_path: Path) -> None:
    with pytest.raises(BadInput, match="a folder without scenarios"):
        command.lint(Console(file=io.StringIO()), [str(tmp_path)], Options())
