"""From plain values to a scenario, with every mistake found at once."""

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from typing import TypeVar

from pydantic import BaseModel, ValidationError

from alertdrill.core.scenario.checks import cross_checks
from alertdrill.core.scenario.explain import explain_all
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.grammar import Path
from alertdrill.core.scenario.outline import Outline
from alertdrill.core.scenario.scenario import Scenario

MAX_FINDINGS = 1000

Model = TypeVar("Model", bound=BaseModel)


@dataclass(frozen=True)
class Reading:
    """What a file's values say.

    Attributes:
        scenario: None unless every part can be read. It counts only if `findings` is empty: parts can contradict.
        findings: every mistake; of a file with more than 1,000, the first.
        files: where the scenario names files, and their names, as written.
        bundled_target: name of the bundled target, if the scenario has one.
    """

    scenario: Scenario | None
    findings: tuple[Finding, ...]
    files: tuple[tuple[Path, str], ...]
    bundled_target: str | None


def read_model(values: object, model: type[Model]) -> tuple[Model | None, list[Finding]]:
    """Plain values as a model: the model, or None and what is wrong with them."""
    try:
        return model.model_validate(values), []
    except ValidationError as error:
        return None, explain_all(error.errors(include_url=False)[:MAX_FINDINGS], model)


def read_scenario(values: object) -> Reading:
    """Read plain values: mappings with text keys, lists, text, numbers, booleans and None."""
    scenario, findings = read_model(values, Scenario)
    outline = Outline.model_validate(values if isinstance(values, dict) else {})
    if isinstance(values, dict):
        findings += islice(cross_checks(outline), MAX_FINDINGS)
    target = outline.target if isinstance(outline.target, dict) else {}
    bundled = target.get("bundled")
    return Reading(
        scenario, tuple(findings), tuple(_files(outline)), bundled if isinstance(bundled, str) and bundled else None
    )


def _files(outline: Outline) -> Iterator[tuple[Path, str]]:
    target = outline.target if isinstance(outline.target, dict) else {}
    written = target.get("tls")
    tls = written if isinstance(written, dict) else {}
    named: list[tuple[Path, object]] = [(("target", key), target.get(key)) for key in ("schema", "sample")]
    named += [(("target", "tls", key), tls.get(key)) for key in ("ca", "cert", "key")]
    yield from ((path, name) for path, name in named if isinstance(name, str) and name)
    for server in ("prometheus", "alertmanager"):
        yield from _files_of_connection(("monitoring", server), getattr(outline.monitoring, server, None))
    log = outline.load.log if outline.load else None
    if log is not None and log.file:
        yield ("load", "log", "file"), log.file
    if outline.load and outline.load.locustfile and log is None:
        yield ("load", "locustfile"), outline.load.locustfile
    rules = outline.monitoring.rules if outline.monitoring else None
    for position, file in enumerate(rules if isinstance(rules, list) else ()):
        if isinstance(file, str) and file:
            yield ("monitoring", "rules", position), file


def _files_of_connection(where: Path, written: object) -> Iterator[tuple[Path, str]]:
    """The files that a server of the user's own is reached with: certificates, and those that hold secrets."""
    connection = written if isinstance(written, dict) else {}
    parts = {
        key: one if isinstance(one := connection.get(key), dict) else {} for key in ("tls", "basic_auth", "headers")
    }
    named: list[tuple[Path, object]] = [(("tls", key), parts["tls"].get(key)) for key in ("ca", "cert", "key")]
    secrets = {
        ("bearer_token",): connection.get("bearer_token"),
        ("basic_auth", "password"): parts["basic_auth"].get("password"),
    }
    secrets |= {("headers", name): value for name, value in parts["headers"].items()}
    named += [((*path, "file"), secret.get("file")) for path, secret in secrets.items() if isinstance(secret, dict)]
    yield from (((*where, *path), name) for path, name in named if isinstance(name, str) and name)
