"""Errors of pydantic, said in the words of the file."""

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any

from pydantic import BaseModel
from pydantic_core import ErrorDetails

from alertdrill.core.errors import BadValue, nearest
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.scenario.finding import Finding, show
from alertdrill.core.scenario.grammar import Spot, keys_at, kinds_at, spot_at
from alertdrill.core.units import format_duration, parse_duration

_SEE_KINDS = "alertdrill faults shows all kinds"
_A_FAULT = "a kind of fault"


def explain_all(errors: Iterable[ErrorDetails], top: type[BaseModel]) -> list[Finding]:
    """What a user must know about pydantic's errors of a file that `top` describes.

    A key that is missing and stands there misspelt is one mistake, not two.
    """
    # pydantic calls a tuple too short when entries of it are wrong; those have errors of their own.
    findings = [_explain(error, top) for error in errors if error["type"] != "too_short" or not error["input"]]
    misspelt = {
        (*finding.path[:-1], finding.fix.removeprefix("write "))
        for finding in findings
        if finding.at_key and finding.fix.startswith("write ")
    }
    return [finding for finding in findings if finding.got != "nothing" or finding.path not in misspelt]


def _explain(error: ErrorDetails, top: type[BaseModel]) -> Finding:
    spot = spot_at(error["loc"], top)
    context = error.get("ctx", {})
    value = context.get("error")
    if isinstance(value, BadValue):
        at_key = error["loc"][-1:] == ("[key]",)
        return Finding((*spot.path, *value.at), value.expected, value.fix, value.got, at_key, value.hidden)
    explainer = _EXPLAINERS.get(error["type"])
    if explainer is not None:
        return explainer(spot, error, context)
    return Finding(spot.path, re.sub("^Input should be ", "", error["msg"]), f"write it like {spot.example()}")


def _list(names: Iterable[str]) -> str:
    *others, last = names
    return f"{', '.join(others)} or {last}" if others else last


def _unknown_key(spot: Spot, error: ErrorDetails, context: Mapping[str, Any]) -> Finding:
    key = str(spot.path[-1])
    known = list(keys_at(spot.parent))
    close = nearest(key, known)
    fix = f"write {close}" if close else "remove it"
    strangers: Mapping[str, str] = getattr(spot.parent, "strangers", {})
    if key in strangers:
        return Finding(spot.path, strangers[key], "remove it", key, at_key=True)
    if key == "<<":
        fix = "write the keys out (merging is no part of YAML 1.2)"
    return Finding(spot.path, f"one of the keys {_list(known)}", fix, f"the unknown key {show(key)}", at_key=True)


def _missing(spot: Spot, error: ErrorDetails, context: Mapping[str, Any]) -> Finding:
    meaning = spot.field.description if spot.field is not None else None
    return Finding(spot.path, meaning or "a value", f"add {spot.path[-1]}: {spot.example()}", "nothing")


def _kind(spot: Spot, error: ErrorDetails, context: Mapping[str, Any]) -> Finding:
    kinds = kinds_at(spot.annotation)
    expected = _one_of(kinds)
    if error["type"] == "union_tag_not_found":
        example = f"{kinds[0]}" if expected != _A_FAULT else f"… ({_SEE_KINDS})"
        return Finding(spot.path, expected, f"add kind: {example}", "no kind")
    close = nearest(str(context["tag"]), kinds)
    fix = f"write {close}" if close else f"choose one ({_SEE_KINDS})" if expected == _A_FAULT else "choose one"
    return Finding((*spot.path, "kind"), expected, fix)


def _one_of(kinds: tuple[str, ...]) -> str:
    """The kinds that can stand at a place: all of them, unless they are the faults, which are too many."""
    return _A_FAULT if set(kinds) == set(KINDS) else f"the kind {_list(kinds)}"


def _literal(spot: Spot, error: ErrorDetails, context: Mapping[str, Any]) -> Finding:
    choices = re.findall(r"'([^']*)'", context["expected"]) or [context["expected"]]
    given = error["input"]
    close = nearest(given, choices) if isinstance(given, str) else None
    return Finding(spot.path, _list(choices), f"write {close or _list(choices)}")


def _mapping(spot: Spot, error: ErrorDetails, context: Mapping[str, Any]) -> Finding:
    keys = keys_at(spot.annotation)
    if not keys:
        return Finding(spot.path, "a mapping", "write {name: value}")
    given = error["input"] if isinstance(error["input"], str | int | float) else "…"
    if "kind" in keys:
        kinds = kinds_at(spot.annotation)
        kind = given if given in kinds else "…"
        more = f" ({_SEE_KINDS})" if _one_of(kinds) == _A_FAULT else ""
        return Finding(spot.path, f"a mapping with {_one_of(kinds)}", f"write {{kind: {kind}, …}}{more}")
    required = [key for key, field in keys.items() if field.is_required()]
    fix = f"{required[0]}: {given}" if len(required) == 1 else ", ".join(f"{key}: …" for key in required or keys)
    return Finding(spot.path, f"a mapping with the keys {_list(keys)}", f"write {{{fix}}}")


def _sequence(spot: Spot, error: ErrorDetails, context: Mapping[str, Any]) -> Finding:
    given = error["input"]
    fix = f"write [{given}]" if isinstance(given, str | int) else "add entries (- …), or remove the key"
    return Finding(spot.path, "a list", fix)


def _text(spot: Spot, error: ErrorDetails, context: Mapping[str, Any]) -> Finding:
    given = error["input"]
    simple = isinstance(given, str | int | float)
    return Finding(spot.path, "text", f'write it in quotes: "{given}"' if simple else f"write {spot.example()}")


def _too_short(spot: Spot, error: ErrorDetails, context: Mapping[str, Any]) -> Finding:
    return Finding(spot.path, "at least one entry", f"add one: - {spot.example().strip('[]')}")


def _bound(spot: Spot, error: ErrorDetails, context: Mapping[str, Any]) -> Finding:
    word, limit = next((words, context[key]) for key, words in _BOUNDS.items() if key in context)
    try:
        parse_duration(spot.example())
    except BadValue:
        text = str(limit)
    else:
        text = format_duration(limit)
    of = "of " if word.startswith("at") else ""
    return Finding(spot.path, f"{word} {text}", f"write a value {of}{word} {text}")


_BOUNDS = {"gt": "above", "ge": "at least", "lt": "below", "le": "at most"}

_EXPLAINERS: Mapping[str, Callable[[Spot, ErrorDetails, Mapping[str, Any]], Finding]] = {
    "extra_forbidden": _unknown_key,
    "missing": _missing,
    "union_tag_invalid": _kind,
    "union_tag_not_found": _kind,
    "literal_error": _literal,
    "enum": _literal,
    "model_type": _mapping,
    "model_attributes_type": _mapping,
    "dict_type": _mapping,
    "tuple_type": _sequence,
    "string_type": _text,
    "too_short": _too_short,
    "string_too_short": lambda spot, error, context: Finding(spot.path, "text that is not empty", "write it out"),
    "greater_than": _bound,
    "greater_than_equal": _bound,
    "less_than": _bound,
    "less_than_equal": _bound,
    "bool_type": lambda spot, error, context: Finding(spot.path, "true or false", "write true or false"),
    "int_type": lambda spot, error, context: Finding(spot.path, "a whole number", "write a whole number, such as 42"),
}
