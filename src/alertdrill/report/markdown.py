"""Checks as Markdown, for the comment on a pull request or the summary of a CI job."""

from collections.abc import Iterable, Iterator

from alertdrill.report.checks import Check, Outcome, Suite

MARKER = "<!-- alertdrill -->"
"""The first line: by it, a job that comments finds its own comment again, and writes it anew."""

SIGNS = {Outcome.PASSED: "✅", Outcome.FAILED: "❌", Outcome.INCONCLUSIVE: "❔", Outcome.SKIPPED: "⏭️"}
MAX_CHARACTERS = 60_000
"""GitHub refuses comments of more than 65,536 characters."""


def markdown(suites: Iterable[Suite]) -> str:
    """Markdown of GitHub's kind: what did not pass first, the rest folded."""
    text = "\n".join([MARKER, *(line for suite in suites for line in _suite(suite))]) + "\n"
    if len(text) <= MAX_CHARACTERS:
        return text
    kept = text[:MAX_CHARACTERS].rpartition("\n")[0]
    return f"{kept}\n\n… cut: the whole is in the result files of the job\n"


def _suite(suite: Suite) -> Iterator[str]:
    yield f"### {SIGNS[suite.outcome]} {_inline(suite.name)}: {_inline(suite.title)}"
    yield ""
    others = [one for one in suite.checks if one.outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE)]
    passed = [one for one in suite.checks if one not in others]
    if others:
        yield from _table(others)
    if passed:
        skipped = sum(one.outcome is Outcome.SKIPPED for one in passed)
        counts = [(len(passed) - skipped, "that passed"), (skipped, "skipped")]
        said = ", ".join(f"{count} {what}" for count, what in counts if count)
        yield f"<details><summary>{said}</summary>"
        yield ""
        yield from _table(passed)
        yield "</details>"
        yield ""


def _table(checks: Iterable[Check]) -> Iterator[str]:
    yield "| | what | verdict | TTD | |"
    yield "|---|---|---|---|---|"
    for one in checks:
        seconds = "" if one.seconds is None else f"{one.seconds:.2f} s"
        where = f"`{_cell(one.place.file)}:{one.place.line}`<br>" if one.place else ""
        yield f"| {SIGNS[one.outcome]} | {_cell(one.name)} | {one.verdict} | {seconds} | {where}{_cell(one.text)} |"
    yield ""


def _inline(text: str) -> str:
    for character in "\\`*_{}[]<>|":
        text = text.replace(character, f"\\{character}")
    return " ".join(text.split())


def _cell(text: str) -> str:
    return "<br>".join(_inline(line) for line in text.splitlines())
