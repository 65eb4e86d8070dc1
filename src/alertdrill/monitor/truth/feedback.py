"""Feedback from JSON: what is usable, and what is wrong with the rest."""

import reprlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple

import orjson

from alertdrill.monitor.truth.values import LONGEST, Label, number_of, text_of
from alertdrill.protocols.figures import KPI_NAME, Task

MOST_BYTES = 64 << 10
MOST_ITEMS = 500
MOST_KPIS = 20
LATEST_S = 253_402_300_800.0  # the year 10000


class Refusal(StrEnum):
    """Why feedback was not taken. These are all the values of the label `reason`."""

    BAD_ENCODING = "bad_encoding"
    BAD_JSON = "bad_json"
    TOO_LARGE = "too_large"
    TOO_MANY = "too_many"
    NOT_AN_OBJECT = "not_an_object"
    BAD_ID = "bad_id"
    BAD_LABEL = "bad_label"
    BAD_TIME = "bad_time"
    BAD_VALUE = "bad_value"
    BAD_CLICK = "bad_click"
    BAD_KPI = "bad_kpi"
    BAD_VERSION = "bad_version"
    NOTHING_SAID = "nothing_said"
    KPI_NAMES = "kpi_names"  # the store holds as many names of KPIs as it may
    QUEUE_FULL = "queue_full"  # whole bodies, which were not even read
    STORE_FAILED = "store_failed"


class Feedback(NamedTuple):
    """What is said of one prediction, or of the business at large.

    Attributes:
        id: of the prediction; None only where there is nothing but KPIs.
        label: the truth, a class as text or a number.
        at: when it became known, in seconds since 1970; None: when it came.
        value: what the prediction is worth, such as the amount of a transaction.
        click: the proxy for the truth: whether somebody took the offer.
        kpis: names and values.
        version: of the model, for KPIs without an id.
    """

    id: str | None
    label: Label | None = None
    at: float | None = None
    value: float | None = None
    click: bool | None = None
    kpis: tuple[tuple[str, float], ...] = ()
    version: str | None = None


class Mistake(NamedTuple):
    """One thing wrong.

    Attributes:
        reason: the kind.
        where: such as `[3].label`; empty for the whole body.
        text: what was found, what was expected.
    """

    reason: Refusal
    where: str
    text: str


class Parsed(NamedTuple):
    """What a body holds; an item with any mistake is not in it."""

    items: list[Feedback]
    mistakes: list[Mistake]
    refused: int


def parse(body: bytes, task: Task) -> Parsed:
    """The feedback of a JSON object or list of objects. Never raises; a body over `MOST_BYTES` is not parsed."""
    if len(body) > MOST_BYTES:
        return _whole(Refusal.TOO_LARGE, f"got {len(body)} bytes, expected at most {MOST_BYTES}; send smaller lists")
    try:
        value = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        return _unreadable(body, str(error))
    if not isinstance(value, list):
        return _parse_all([value], task, "")
    if len(value) > MOST_ITEMS:
        return _whole(Refusal.TOO_MANY, f"got {len(value)} items, expected at most {MOST_ITEMS}; send shorter lists")
    return _parse_all(value, task, "[{}]")


def _parse_all(values: list[Any], task: Task, where: str) -> Parsed:
    items, mistakes, refused = list[Feedback](), list[Mistake](), 0
    fields = FIELDS[task]
    for at, value in enumerate(values):
        found = _read(value, fields)
        if isinstance(found, Feedback):
            items.append(found)
        else:
            refused += 1
            mistakes += [Mistake(reason, where.format(at) + key, text) for reason, key, text in found]
    return Parsed(items, mistakes, refused)


def _whole(reason: Refusal, text: str) -> Parsed:
    return Parsed([], [Mistake(reason, "", text)], 1)


def _unreadable(body: bytes, error: str) -> Parsed:
    try:
        body.decode()
    except UnicodeDecodeError as undecodable:
        return _whole(Refusal.BAD_ENCODING, f"got bytes that are not UTF-8 at {undecodable.start}, expected UTF-8 JSON")
    return _whole(Refusal.BAD_JSON, f"got no JSON ({error}), expected an object or a list of objects")


Wrong = tuple[Refusal, str, str]


def _read(value: Any, fields: Mapping[str, "_Field"]) -> Feedback | list[Wrong]:
    """One item, or everything that is wrong with it: this runs while predictions wait."""
    if not isinstance(value, dict):
        return [_wrong(Refusal.NOT_AN_OBJECT, "", value, "an object")]
    said, wrong = dict[str, Any](), list[Wrong]()
    for name, given in value.items():
        one = fields.get(name)
        if one is None or given is None:
            continue
        found = one.read(given)
        if found is None:
            wrong.append(_wrong(one.reason, f".{name}", given, one.expected))
        else:
            said[one.name] = found
    return wrong or _senseless(said, value) or Feedback(said.pop("id", None), **said)


def _senseless(said: Mapping[str, object], value: Mapping[str, object]) -> list[Wrong]:
    if "label" in said or "click" in said or "value" in said:
        missing = "got none, expected that of a prediction"
        return [] if "id" in said else [(Refusal.BAD_ID, ".id", missing)]
    if "kpis" in said:
        return []
    keys = ", ".join(sorted(value)[:5])[:LONGEST] or "none"
    return [(Refusal.NOTHING_SAID, "", f"got the keys {keys}; expected id with label, click or value, or kpis")]


def _wrong(reason: Refusal, key: str, got: object, expected: str) -> Wrong:
    shown = reprlib.repr(got)  # of what is deeper or longer than anybody reads, only the beginning
    return reason, key, f"got {shown if len(shown) <= 60 else f'{shown[:57]}...'}, expected {expected}"


def instant(value: object) -> float | None:
    """Seconds since 1970 of a number or of ISO 8601 text with a zone; None for anything else."""
    if isinstance(value, str):
        try:
            moment = datetime.fromisoformat(value)
        except ValueError:
            return None
        if moment.tzinfo is None:
            return None
        seconds: float | None = (moment - datetime(1970, 1, 1, tzinfo=UTC)).total_seconds()
    else:
        seconds = number_of(value)
    return seconds if seconds is not None and 0.0 <= seconds < LATEST_S else None


def _kpis(value: object) -> tuple[tuple[str, float], ...] | None:
    if not isinstance(value, Mapping) or not 0 < len(value) <= MOST_KPIS:
        return None
    pairs = [(name, number_of(number)) for name, number in value.items()]
    if any(number is None or not KPI_NAME.fullmatch(name) for name, number in pairs):
        return None
    return tuple((name, number) for name, number in pairs if number is not None)


class _Field(NamedTuple):
    """How one key of an item is read: None is what cannot be used."""

    name: str
    reason: Refusal
    expected: str
    read: Callable[[Any], object]


NUMBER = "a finite number"
TEXT = f"text of 1 to {LONGEST} characters"
OTHERS = {
    "id": _Field("id", Refusal.BAD_ID, TEXT, text_of),
    "time": _Field("at", Refusal.BAD_TIME, "ISO 8601 with a zone, or seconds since 1970", instant),
    "value": _Field("value", Refusal.BAD_VALUE, NUMBER, number_of),
    "click": _Field("click", Refusal.BAD_CLICK, "a bool", lambda given: given if isinstance(given, bool) else None),
    "kpis": _Field("kpis", Refusal.BAD_KPI, f"an object of 1 to {MOST_KPIS} names, each with {NUMBER}", _kpis),
    "version": _Field("version", Refusal.BAD_VERSION, TEXT, text_of),
}
FIELDS: Mapping[Task, Mapping[str, _Field]] = {
    Task.CLASSIFICATION: {
        **OTHERS,
        "label": _Field("label", Refusal.BAD_LABEL, f"a class: {TEXT}, a number or a bool", text_of),
    },
    Task.REGRESSION: {**OTHERS, "label": _Field("label", Refusal.BAD_LABEL, NUMBER, number_of)},
}
