"""Rule files read without an engine: what `plan` knows of the rules that a managed Prometheus will load."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml

from alertdrill.adapters.prometheus_answers import duration_s
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.observations import RuleGroup, RuleInfo


def read_rule_files(files: Sequence[Path], evaluation_interval_s: float) -> tuple[RuleGroup, ...]:
    """The groups of rule files that promtool has accepted.

    Args:
        files: paths, in the order in which they are loaded.
        evaluation_interval_s: of groups that state none.

    Raises:
        BadInput: a file cannot be read as rules.
    """
    return tuple(group for file in files for group in _groups(file, evaluation_interval_s))


def _groups(file: Path, interval_s: float) -> list[RuleGroup]:
    try:
        document = yaml.safe_load(file.read_text(encoding="utf-8"))
        return [_group(file, group, interval_s) for group in ({} if document is None else document).get("groups") or []]
    except (OSError, yaml.YAMLError, AttributeError, KeyError, TypeError, ValueError) as error:
        got = str(error).splitlines()[0]
        raise BadInput(
            [Mistake("", got, "a Prometheus rule file", "see promtool check rules", file=str(file))]
        ) from error


def _group(file: Path, group: Mapping[str, Any], interval_s: float) -> RuleGroup:
    own = duration_s(str(group["interval"])) if group.get("interval") else interval_s
    return RuleGroup(
        str(file.absolute()), str(group["name"]), own, None, tuple(_rule(rule) for rule in group.get("rules", ()))
    )


def _rule(rule: Mapping[str, Any]) -> RuleInfo:
    labels = {str(k): str(v) for k, v in (rule.get("labels") or {}).items()}
    annotations = {str(k): str(v) for k, v in (rule.get("annotations") or {}).items()}
    alert = "alert" in rule
    return RuleInfo(
        name=str(rule["alert" if alert else "record"]),
        type="alerting" if alert else "recording",
        query=str(rule["expr"]),
        for_s=duration_s(str(rule.get("for", "0s"))),
        keep_firing_for_s=duration_s(str(rule.get("keep_firing_for", "0s"))),
        labels=labels,
        annotations=annotations,
        health="unknown",
        last_error="",
    )
