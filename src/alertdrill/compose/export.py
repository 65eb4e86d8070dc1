"""A drill as files for other tools."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.prometheus_install import ensure_prometheus
from alertdrill.adapters.promtool import run_tests
from alertdrill.adapters.scratch import Scratch
from alertdrill.adapters.yaml_text import yaml_text
from alertdrill.compose.judging import facts_of
from alertdrill.core.errors import AlertdrillError, BadInput, Mistake
from alertdrill.core.promtool_test import NotExported, promtool_test


@dataclass(frozen=True)
class PromtoolFiles:
    """What is to be written.

    Attributes:
        tests: the test file.
        rules: the rule file that it names.
        rules_name: under this name, beside it.
        expectations: ids of what it tests.
        left_out: ids of what it does not, and why.
    """

    tests: str
    rules: str
    rules_name: str
    expectations: tuple[str, ...]
    left_out: Mapping[str, str]


def promtool_files(folder: Path, rules_name: str) -> PromtoolFiles:
    """The unit test of a drill, which promtool has passed.

    Raises:
        BadInput: the folder is not that of a drill, or it cannot be written as such a test.
        AlertdrillError: promtool does not pass it.
    """
    case, result = facts_of(folder)
    try:
        found = promtool_test(case, result, rules_name)
    except NotExported as error:
        expected = "detections by rules of one interval"
        raise BadInput([Mistake("", str(error), expected, "see alertdrill explain", file=str(folder))]) from None
    files = PromtoolFiles(
        yaml_text(found.tests), yaml_text(found.rules), rules_name, found.expectations, found.left_out
    )
    with Scratch("alertdrill-export-") as scratch:
        tests = scratch.path / "tests.yml"
        tests.write_text(files.tests, encoding="utf-8")
        (scratch.path / rules_name).write_text(files.rules, encoding="utf-8")
        wrong = run_tests(ensure_prometheus().promtool.path, tests)
    if wrong is not None:
        raise AlertdrillError(f"promtool does not pass the test, so it was not written:\n{wrong}")
    return files
