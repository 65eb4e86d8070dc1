"""Rule files read without an engine: what `plan` knows of the rules that a managed Prometheus will load."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import yaml

from alertdrill.adapters.prometheus_answers import duration_s
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.observations import RuleGroup, RuleInfo


@dataclass(frozen=True)
class RuleLines:
    """Where a rule stands.

    Attributes:
        file: its path, as it was given.
        lines: line of each of its values, by key; of a block, its first line of text.
        group_asks: settings of its group that recordings know nothing of.
    """

    file: str
    lines: Mapping[str, int]
    group_asks: tuple[str, ...]


def read_rule_files(files: Sequence[Path], evaluation_interval_s: float) -> tuple[RuleGroup, ...]:
    """The groups of rule files that promtool has accepted.

    Args:
        files: paths, in the order in which they are loaded.
        evaluation_interval_s: of groups that state none.

    Raises:
        BadInput: a file cannot be read as rules.
    """
    return tuple(group for file in files for group in _groups(file, evaluation_interval_s))


def read_rule_lines(files: Sequence[Path]) -> dict[tuple[str, str, int], RuleLines]:
    """Where in its file each rule of accepted rule files stands: by absolute path, group and position in the group."""
    found = {}
    for file in files:
        document = yaml.compose(file.read_text(encoding="utf-8"), yaml.SafeLoader)
        for group in _items(_at(document, "groups")):
            name = getattr(_at(group, "name"), "value", "")
            asks = tuple(key for key in ("limit", "query_offset") if _means_something(_at(group, key)))
            for position, rule in enumerate(_items(_at(group, "rules"))):
                lines = {str(key.value): _line(value) for key, value in rule.value}
                found[str(file.absolute()), name, position] = RuleLines(str(file), lines, asks)
    return found


def _at(node: Any, key: str) -> Any:
    pairs = node.value if isinstance(node, yaml.MappingNode) else ()
    return next((value for name, value in pairs if name.value == key), None)


def _items(node: Any) -> list[Any]:
    return node.value if isinstance(node, yaml.SequenceNode) else []


def _line(node: Any) -> int:
    """Line of a value, from 1: of a block, its first line of text."""
    block = isinstance(node, yaml.ScalarNode) and node.style in ("|", ">")
    return int(node.start_mark.line) + (2 if block else 1)


def _means_something(node: Any) -> bool:
    return node is not None and str(node.value) not in ("", "0", "0s")


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
