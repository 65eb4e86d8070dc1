"""Coverage of rules by drills that were kept: which folders count, and which rules are to be covered."""

from collections.abc import Iterator, Sequence
from datetime import date
from functools import partial
from pathlib import Path

from alertdrill.adapters.results_folder import ResultsFolder
from alertdrill.adapters.rule_documents import read_rules
from alertdrill.adapters.yaml_file import load_model
from alertdrill.compose.judging import facts_of
from alertdrill.core.collected import collected
from alertdrill.core.coverage import Drilled, Loaded, coverage
from alertdrill.core.coverage_result import CoverageResult, IgnoreFile, difference
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.matchers import Matcher
from alertdrill.core.scope import AlertRule, RuleBook
from alertdrill.core.written_rules import places

USUAL_INTERVAL_S = 60.0


def read_coverage_of(
    results: Sequence[Path],
    rules: Sequence[str],
    scope: Sequence[Matcher],
    ignore: Path | None,
    against: Path | None,
    today: date,
) -> CoverageResult:
    """The coverage of rules by the drills in some folders.

    Args:
        results: folders of drills, or folders with results of scenarios in them: the newest drill of each counts.
        rules: sources of the rules to cover; none: what was loaded in the drills.
        scope: matchers on the labels that rules give their alerts.
        ignore: YAML file of rules that are left out.
        against: a coverage that was written before, to compare with.
        today: when entries of `ignore` end.

    Raises:
        BadInput: a folder, rule file, ignore file or coverage cannot be read.
    """
    mistakes: list[Mistake] = []
    wanted = collected(mistakes, lambda: _loaded(rules)) if rules else None
    left_out = collected(mistakes, lambda: load_model(ignore, IgnoreFile, "coverage ignore").ignore) if ignore else ()
    before = collected(mistakes, lambda: _before(against)) if against else None
    folders = collected(mistakes, lambda: tuple(_folders(results)))
    if mistakes:
        raise BadInput(mistakes)
    drills = [one for folder in folders or () if (one := collected(mistakes, partial(_drilled, folder)))]
    if mistakes:
        raise BadInput(mistakes)
    found = coverage(drills, wanted, scope, left_out or (), today)
    return found if before is None else found.model_copy(update={"against": difference(before, found)})


def _loaded(sources: Sequence[str]) -> list[Loaded]:
    """The alert rules of some sources; groups without an interval count as evaluated each minute."""
    groups = read_rules(sources)
    book = RuleBook.of(group.loaded(USUAL_INTERVAL_S) for group in groups)
    return [
        Loaded.of(book, AlertRule(group.loaded(USUAL_INTERVAL_S), one.rule), one.line)
        for group, one in places(groups)
        if one.rule.type == "alerting"
    ]


def _before(file: Path) -> CoverageResult:
    try:
        return CoverageResult.model_validate_json(file.read_bytes())
    except (OSError, ValueError) as error:
        got = "no such file" if isinstance(error, FileNotFoundError) else str(error).splitlines()[0]
        fix = "write one on the base branch: alertdrill coverage … --json base.json"
        raise BadInput(
            [Mistake("--against", got, "what `alertdrill coverage --json` wrote", fix, file=str(file))]
        ) from None


def _folders(results: Sequence[Path]) -> Iterator[Path]:
    """The folders of drills: those that are named, and the newest of each scenario in other folders."""
    mistakes = []
    for path in results:
        if ResultsFolder(path).plan.exists():
            yield path
            continue
        newest = {file.parent.parent: file.parent for file in sorted(path.glob("**/plan.json"))}
        yield from newest.values()
        if not newest:
            got = "no such folder" if not path.exists() else "a folder without drills"
            fix = "run some: alertdrill run SCENARIO…"
            mistakes.append(Mistake("RESULTS", got, "a folder with results of drills", fix, file=str(path)))
    if mistakes:
        raise BadInput(mistakes)


def _drilled(folder: Path) -> Drilled:
    case, result = facts_of(folder)
    return Drilled(f"{result.scenario}/{result.run_id}", case, result)
