"""What is said of one drill, or of one series of them, at its end."""

from pathlib import Path

from rich.console import Console

from alertdrill.cli.json_file import writing
from alertdrill.compose.places import expectation_places
from alertdrill.core.repeat import RepeatResult
from alertdrill.core.result import EXIT_CODES, Result
from alertdrill.report import repeat_terminal
from alertdrill.report.checks import Place
from alertdrill.report.terminal import show


def report_drill(console: Console, folder: Path, result: Result, json: Path | None) -> int:
    """Print a result, and write it where it was asked for; its exit code."""
    show(console, result)
    console.print(f"evidence: {folder}", soft_wrap=True)
    write_json(json, result.to_json())
    return EXIT_CODES[result.verdict]


def report_repeat(console: Console, folder: Path, result: RepeatResult, json: Path | None) -> int:
    """The same of a series."""
    repeat_terminal.show(console, result)
    console.print(f"evidence: {folder}", soft_wrap=True)
    write_json(json, result.to_json())
    return EXIT_CODES[result.verdict]


def write_json(file: Path | None, content: bytes) -> None:
    """Write `--json FILE`, if it was asked for."""
    if file is not None:
        with writing(file):
            file.write_bytes(content)


def places(scenario: Path) -> dict[str, Place]:
    """Where the expectations of a scenario are written, by id."""
    return {name: Place(*place) for name, place in expectation_places(scenario).items()}
