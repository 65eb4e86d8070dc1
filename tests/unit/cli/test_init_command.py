import io
from pathlib import Path

import pytest
from rich.console import Console

from alertdrill.cli import init as command
from alertdrill.compose.init import Written
from alertdrill.compose.wish import Wish
from alertdrill.core.errors import Mistake

FILES = tuple(Path("my loans") / name for name in ("target.yaml", "drill.yaml", "own-rules.yaml"))


def joined(monkeypatch: pytest.MonkeyPatch, *mistakes: Mistake) -> tuple[int, str]:
    monkeypatch.setattr(command, "join_model", lambda wish: Written("OpenAPI", ("a: left out",), FILES, mistakes))
    out = io.StringIO()
    console = Console(file=out, width=200, highlight=False, markup=False)
    return command.init(console, Wish("http://127.0.0.1:1")), out.getvalue()


def test_what_was_found_and_the_commands_that_come_next_are_printed(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = joined(monkeypatch)
    assert code == 0
    assert text.startswith("found: OpenAPI\nnote: a: left out\nwrote: my loans/target.yaml")
    assert "  alertdrill plan 'my loans/drill.yaml'\n  alertdrill run 'my loans/drill.yaml'\n" in text
    assert text.endswith("  alertdrill run 'my loans/own-rules.yaml'\n")


def test_a_drill_that_cannot_be_run_as_it_is_exits_with_2(monkeypatch: pytest.MonkeyPatch) -> None:
    code, text = joined(monkeypatch, Mistake("phases[1].duration", "1s", "2s", "write 2s"))
    assert code == 2
    assert "fix: write 2s" in text
    assert "Next:" not in text
