"""Checks as JUnit XML, which every CI server shows: what failed is a failure, what could not be told is an error."""

from collections.abc import Iterable

from junitparser import Error, Failure, JUnitXml, Skipped, TestCase, TestSuite

from alertdrill.report.checks import Check, Outcome, Suite

_KINDS = {Outcome.FAILED: Failure, Outcome.INCONCLUSIVE: Error, Outcome.SKIPPED: Skipped}


def junit(suites: Iterable[Suite]) -> bytes:
    """JUnit XML, UTF-8."""
    document = JUnitXml("alertdrill")
    for suite in suites:
        found = TestSuite(suite.name)
        for check in suite.checks:
            found.add_testcase(_case(suite, check))
        found.time = round(suite.seconds or 0.0, 3)
        document.add_testsuite(found)
    return bytes(document.tostring())  # type: ignore[no-untyped-call]


def _case(suite: Suite, check: Check) -> TestCase:
    case = TestCase(_legal(check.name), _legal(suite.name), check.seconds)
    kind = _KINDS.get(check.outcome)
    if kind is not None:
        result = kind(_legal(check.text.splitlines()[0] if check.text else check.verdict), check.verdict)
        result.text = _legal(check.text)
        case.result = [result]
    if check.place is not None:
        case._elem.set("file", check.place.file)
        case._elem.set("line", str(check.place.line))
    return case


def _legal(text: str) -> str:
    """The text without characters that XML 1.0 cannot hold."""
    return "".join(
        c if c in "\t\n\r" or " " <= c <= "\ud7ff" or "\ue000" <= c <= "\ufffd" or c > "\uffff" else "?" for c in text
    )
