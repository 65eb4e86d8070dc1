"""Checks that did not pass as workflow commands of GitHub Actions, which shows them beside the lines of the change."""

from collections.abc import Iterable

from alertdrill.report.checks import Check, Outcome, Suite

MOST = 10
"""GitHub shows ten errors of a step."""


def annotations(suites: Iterable[Suite], most: int = MOST) -> list[str]:
    """At most ten `::error …` lines; failures before what could not be told, those with a line first."""
    found = [(suite, one) for suite in suites for one in suite.checks]
    found = [pair for pair in found if pair[1].outcome in (Outcome.FAILED, Outcome.INCONCLUSIVE)]
    found.sort(key=lambda pair: (pair[1].outcome is not Outcome.FAILED, pair[1].place is None))
    return [_command(suite, one) for suite, one in found[:most]]


def _command(suite: Suite, one: Check) -> str:
    place = f"file={_property(one.place.file)},line={one.place.line}," if one.place else ""
    title = _property(f"{suite.name}: {one.name} {one.verdict}")
    return f"::error {place}title={title}::{_message(one.text or one.verdict)}"


def _message(text: str) -> str:
    """https://docs.github.com/actions: what stands after `::` escapes these three."""
    return text.replace("%", "%25").replace("\r", "%0D").replace("\n", "%0A")


def _property(text: str) -> str:
    return _message(text).replace(":", "%3A").replace(",", "%2C")
