"""`alertdrill monitor rules`."""

import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import cast

from alertdrill.adapters.schema_file import read_described
from alertdrill.alerting.choices import read_choices
from alertdrill.alerting.limits import Limits
from alertdrill.alerting.profile import PROFILES, ProfileName
from alertdrill.alerting.rule_file import rule_file
from alertdrill.cli.json_file import unwritable, writing
from alertdrill.core.collected import collected
from alertdrill.core.errors import BadInput, Mistake, nearest
from alertdrill.core.scenario.reading import read_model


def write_rules(
    described: str, profile: str, limits: Mapping[str, str], choices: Sequence[str], runbooks: str, out: Path | None
) -> int:
    """Write a rule file to `out`, or to standard output in UTF-8.

    Raises:
        BadInput: with every mistake of the arguments.
    """
    mistakes = [*_of_profile(profile), *_of_runbooks(runbooks), *unwritable(out, "--out")]
    tolerated, findings = read_model(dict(limits), Limits)
    for finding in findings:
        name = str(finding.path[0])
        mistakes.append(Mistake(f"--{name}", finding.got or limits[name], finding.expected, finding.fix))
    chosen = collected(mistakes, lambda: read_choices(choices))
    model = collected(mistakes, lambda: read_described(described))
    if mistakes or model is None:
        raise BadInput(mistakes)
    text = rule_file(model.schema, cast(ProfileName, profile), tolerated, chosen, runbooks)
    if out is not None:
        with writing(out, "--out FILE"):
            out.write_text(text, encoding="utf-8")
    else:
        sys.stdout.buffer.write(text.encode())
        sys.stdout.buffer.flush()
    return 0


def _of_profile(profile: str) -> Iterator[Mistake]:
    if profile not in PROFILES:
        known = " or ".join(PROFILES)
        yield Mistake("--profile", profile, known, f"write {nearest(profile, PROFILES) or known}")


def _of_runbooks(runbooks: str) -> Iterator[Mistake]:
    if not runbooks or not runbooks.isprintable() or set(runbooks) & set(" \"'{}"):
        fix = "write an address, such as https://wiki.example.org/runbooks"
        yield Mistake("--runbooks", repr(runbooks), "an address without blanks, quotes and braces", fix)
