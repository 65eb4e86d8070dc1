"""Rule files as text: the same groups, the same bytes."""

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from enum import StrEnum
from textwrap import wrap

from alertdrill.alerting.rule import Alert, Group, Recording

WIDTH = 120
_PLAIN = re.compile(r"[A-Za-z][A-Za-z0-9]*[ /:][A-Za-z0-9 _.,:/()-]*[A-Za-z0-9.)]")  # no single word: `no` is false


def rules_text(about: Sequence[str], groups: Sequence[Group], runbooks: str) -> str:
    """A rule file, YAML.

    Args:
        about: comments at its head.
        groups: in order.
        runbooks: folder or address under which `NAME.md` is the runbook of every alert.
    """
    lines = [line for text in about for line in _comment(text, "")] + ["groups:"]
    for position, group in enumerate(groups):
        lines += [*([""] if position else []), *_group(group, runbooks.rstrip("/"))]
    return "\n".join(lines) + "\n"


def _group(group: Group, runbooks: str) -> Iterator[str]:
    yield f"  - name: {group.name}"
    if group.interval:
        yield f"    interval: {group.interval}"
    yield "    rules:"
    for position, rule in enumerate(group.rules):
        if position and (rule.comment or isinstance(rule, Alert)):
            yield ""
        yield from _comment(rule.comment, " " * 6)
        yield from _recording(rule) if isinstance(rule, Recording) else _alert(rule, runbooks)


def _recording(rule: Recording) -> Iterator[str]:
    yield f"      - record: {rule.record}"
    yield from _expression(rule.expr)


def _alert(rule: Alert, runbooks: str) -> Iterator[str]:
    yield f"      - alert: {rule.name}"
    yield from _expression(rule.expr)
    if rule.wait:
        yield f"        for: {rule.wait}"
    if rule.hold:
        yield f"        keep_firing_for: {rule.hold}"
    yield f"        labels: {_flow(rule.labels)}"
    yield "        annotations:"
    yield from _annotation("summary", rule.summary)
    yield from _annotation("description", rule.description)
    yield from _annotation("runbook_url", f"{runbooks}/{rule.name}.md")


def _expression(expr: str) -> Iterator[str]:
    line = f"        expr: {expr}"
    if "\n" not in expr and len(line) <= WIDTH and expr[0].isalnum():
        yield line
    else:
        yield "        expr: |"
        yield from (f"          {part}" for part in expr.splitlines())


def _annotation(name: str, text: str) -> Iterator[str]:
    start = f"          {name}: "
    quoted = start + json.dumps(text, ensure_ascii=False)
    if _PLAIN.fullmatch(text) and ": " not in text and len(start + text) <= WIDTH:
        yield start + text
    elif '"' not in text and len(quoted) <= WIDTH:
        yield quoted
    else:
        yield f"{start}>-"
        yield from wrap(
            text,
            WIDTH,
            initial_indent=" " * 12,
            subsequent_indent=" " * 12,
            break_on_hyphens=False,
            break_long_words=False,
        )


def _flow(labels: Mapping[str, str]) -> str:
    pairs = (f"{name}: {value if isinstance(value, StrEnum) else json.dumps(value)}" for name, value in labels.items())
    return f"{{{', '.join(pairs)}}}"


def _comment(text: str, start: str) -> list[str]:
    return wrap(text, WIDTH, initial_indent=f"{start}# ", subsequent_indent=f"{start}# ", break_on_hyphens=False)
