"""Label matchers, as Prometheus and Alertmanager write them: `severity="P1"`, `feature=~"amount.*"`, `team!="a"`."""

import json
import re
import warnings
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, cast

import promql_parser

from alertdrill.core.errors import BadValue

Operator = Literal["=", "!=", "=~", "!~"]

LABEL_NAME = r"[A-Za-z_][A-Za-z0-9_]*"
_WRITTEN = re.compile(rf"\s*({LABEL_NAME})\s*(=~|!~|!=|=)\s*(.*?)\s*", re.DOTALL)
_READ_DIFFERENTLY = re.compile(r"[*+?}]\+|\{,|\[\[:|\(\?P[=>]")
"""Possessive repeats, `{,n}`, POSIX classes and references: Python and Prometheus (RE2) differ, or one refuses."""

_ALTERNATIVE = re.compile(r"(?:[^\\.+*?()\[\]{}|^$]|\\[^A-Za-z0-9])+")
MAX_CHARACTERS = 1000
EXAMPLE = 'feature=~"amount.*"'


@dataclass(frozen=True)
class Matcher:
    """One label matcher."""

    label: str
    op: Operator
    value: str

    def matches(self, labels: Mapping[str, str]) -> bool:
        """Whether labels pass; a missing label is the empty string, and patterns are anchored, as in PromQL."""
        value = labels.get(self.label, "")
        if self.op in ("=", "!="):
            return (value == self.value) == (self.op == "=")
        return (re.fullmatch(self.value, value, re.ASCII) is not None) == (self.op == "=~")

    def alternatives(self) -> tuple[str, ...]:
        """The values that a pattern of plain texts names, such as `a` and `b` of `=~"a|b"`; of others none."""
        parts = re.split(r"(?<!\\)\|", self.value)
        if self.op != "=~" or not all(_ALTERNATIVE.fullmatch(part) for part in parts):
            return ()
        return tuple(dict.fromkeys(re.sub(r"\\(.)", r"\1", part) for part in parts))

    def text(self) -> str:
        """As PromQL, Alertmanager and scenarios have it: `parse_matcher` reads it back."""
        return f"{self.label}{self.op}{quoted(self.value)}"


def quoted(value: str) -> str:
    """A value in double quotes, escaped as PromQL, Alertmanager and scenarios all read it."""
    return '"' + value.replace("\\", "\\\\").replace('"', '\\"').replace("\n", "\\n") + '"'


def literal(text: str) -> str:
    """A pattern that only this text fulfils; RE2 wants nothing escaped but its own signs."""
    return re.sub(r"([\\.+*?()|\[\]{}^$])", r"\\\1", text)


def parse_matcher(value: object) -> Matcher:
    """A matcher as Alertmanager and PromQL write it; quotes may be left out.

    Raises:
        BadValue: it is none, or its pattern is not one that Prometheus and alertdrill read alike.
    """
    if isinstance(value, Matcher):
        return value
    found = _WRITTEN.fullmatch(value) if isinstance(value, str) and len(value) <= MAX_CHARACTERS else None
    if found is None:
        raise BadValue(f"a label matcher with =, !=, =~ or !~, such as {EXAMPLE}", _nearest(value))
    label, op, text = found[1], cast(Operator, found[2]), found[3]
    matcher = Matcher(label, op, _unquoted(label, op, text))
    if op in ("=~", "!~"):
        _check_pattern(matcher)
    return matcher


def _nearest(value: object) -> str:
    """What was most likely meant: a comparison of another language, or a mapping."""
    if isinstance(value, dict) and len(value) == 1:
        ((label, wanted),) = value.items()
        return f"write '{label}=\"{wanted}\"'"
    other = re.fullmatch(rf"\s*({LABEL_NAME})\s*(==|~=|~|<>|!~=|:)\s*(.+)", value) if isinstance(value, str) else None
    if other is None:
        return f"write '{EXAMPLE}'"
    op = {"==": "=", "~=": "=~", "~": "=~", "<>": "!=", "!~=": "!~", ":": "="}[other[2]]
    return f"write '{other[1]}{op}{quoted(other[3].strip().strip(chr(34)))}'"


def _unquoted(label: str, op: str, text: str) -> str:
    if op == "=" and text.startswith(("=", "~")):
        raise BadValue(f"a label matcher with =, !=, =~ or !~, such as {EXAMPLE}", _nearest(f"{label}={text}"))
    if not text.startswith(("'", '"')) and '"' not in text:
        return text
    try:
        value = json.loads(text, strict=False)
    except ValueError:
        plain = text.strip("'\"").replace("\\\\", "\\")
        fix = f"write '{label}{op}{quoted(plain)}'"
        raise BadValue("a value in double quotes, a backslash in it written twice", fix) from None
    return cast(str, value)


def _check_pattern(matcher: Matcher) -> None:
    why = misread(matcher.value)
    if why is not None:
        escaped = Matcher(matcher.label, matcher.op, literal(matcher.value)).text()
        fix = f"mend it ({why}), or, for this very text, write '{escaped}'"
        raise BadValue("a pattern that Prometheus (RE2) can read", fix)


def misread(pattern: str) -> str | None:
    """Why a pattern is one that alertdrill and Prometheus (RE2) do not read alike; None where they do."""
    different = _READ_DIFFERENTLY.search(pattern)
    if different is not None:
        return f"RE2 and Python read {different[0]} differently"
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            re.compile(pattern, re.ASCII)
        promql_parser.parse(f"x{{y=~{quoted(pattern)}}}")
    except (re.error, ValueError, FutureWarning, DeprecationWarning, RecursionError, OverflowError) as error:
        return str(error).splitlines()[0]
    return None


def all_match(matchers: Iterable[Matcher], labels: Mapping[str, str]) -> bool:
    """Whether labels pass every matcher."""
    return all(one.matches(labels) for one in matchers)


def may_match(matchers: Iterable[Matcher], known: Mapping[str, str]) -> bool:
    """Whether labels of which only some are known can pass: what is known contradicts no matcher."""
    return all(one.matches(known) for one in matchers if one.label in known)


def exactly(labels: Mapping[str, str]) -> tuple[Matcher, ...]:
    """Matchers for the exact values of a mapping."""
    return tuple(Matcher(label, "=", value) for label, value in labels.items())


def in_braces(labels: Mapping[str, str], matchers: Sequence[str] = ()) -> str:
    """Labels and matchers as a selector has them; nothing where there are none."""
    parts = [*(f'{name}="{value}"' for name, value in sorted(labels.items())), *matchers]
    return "{" + ", ".join(parts) + "}" if parts else ""
