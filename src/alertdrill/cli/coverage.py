"""`alertdrill coverage`."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial
from pathlib import Path

from rich.console import Console

from alertdrill.cli.ci_files import CiFiles
from alertdrill.cli.json_file import unwritable, writing
from alertdrill.compose.coverage import read_coverage_of
from alertdrill.core.collected import collected
from alertdrill.core.coverage_result import CoverageResult
from alertdrill.core.errors import BadInput, BadValue, Mistake
from alertdrill.core.matchers import Matcher, parse_matcher
from alertdrill.core.units import parse_share
from alertdrill.report.coverage_terminal import show

FAILED = 1


def show_coverage(
    console: Console,
    results: Sequence[Path],
    rules: Sequence[str],
    scope: Sequence[str],
    ignore: Path | None,
    fail_under: str | None,
    against: Path | None,
    json: Path | None,
    ci: CiFiles,
) -> int:
    """Print the coverage; 1 if it is below `fail_under`, or worse than what it is compared with.

    Raises:
        BadInput: with every mistake of options and files.
    """
    mistakes = [*unwritable(json), *ci.mistakes()]
    matchers = [one for text in scope if (one := collected(mistakes, partial(_matcher, text)))]
    least = collected(mistakes, lambda: _share(fail_under)) if fail_under is not None else None
    today = datetime.now(UTC).date()
    found = collected(mistakes, lambda: read_coverage_of(results, rules, matchers, ignore, against, today))
    if mistakes or found is None:
        raise BadInput(mistakes)
    show(console, found, least)
    if json is not None:
        with writing(json):
            json.write_bytes(found.to_json())
    if ci.wanted:
        from alertdrill.report.checks import of_coverage

        ci.write([of_coverage(found, least)])
    return FAILED if worse(found, least) else 0


def worse(found: CoverageResult, least: float | None) -> bool:
    """Whether a coverage fails its gates."""
    too_low = least is not None and (found.share or 0.0) < least
    return too_low or (found.against is not None and bool(found.against.lost or found.against.uncovered))


def _matcher(text: str) -> Matcher:
    try:
        return parse_matcher(text)
    except BadValue as error:
        raise BadInput([Mistake("--scope", text[:60], error.expected, error.fix)]) from None


def _share(text: str) -> float:
    try:
        return parse_share(text)
    except BadValue as error:
        raise BadInput([Mistake("--fail-under", text[:60], error.expected, error.fix)]) from None
