"""Feedback from JSON: what is usable, and what is wrong with the rest."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from enum import StrEnum
from typing import Any, NamedTuple, TypeVar

import orjson

from alertdrill.monitor.truth.quality import Task
from alertdrill.monitor.truth.values import LONGEST, Label, label_of, number_of, text_of

Value = TypeVar("Value")

MOST_BYTES = 256 << 10
MOST_ITEMS = 1_000
MOST_KPIS = 20
LATEST_S = 253_402_300_800.0  # the year 10000
KPI_NAME = re.compile(r"[a-zA-Z_][a-zA-Z0-9_]{0,63}")


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
    QUEUE_FULL = "queue_full"
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
    for at, value in enumerate(values):
        item = _Reader(value, where.format(at), task)
        feedback = item.read()
        mistakes += item.mistakes
        if feedback is None:
            refused += 1
        else:
            items.append(feedback)
    return Parsed(items, mistakes, refused)


def _whole(reason: Refusal, text: str) -> Parsed:
    return Parsed([], [Mistake(reason, "", text)], 1)


def _unreadable(body: bytes, error: str) -> Parsed:
    try:
        body.decode()
    except UnicodeDecodeError as undecodable:
        return _whole(Refusal.BAD_ENCODING, f"got bytes that are not UTF-8 at {undecodable.start}, expected UTF-8 JSON")
    return _whole(Refusal.BAD_JSON, f"got no JSON ({error}), expected an object or a list of objects")


class _Reader:
    """Reads one item, and collects everything that is wrong with it."""

    def __init__(self, value: Any, where: str, task: Task) -> None:
        self._value, self._where, self._task = value, where, task
        self.mistakes: list[Mistake] = []

    def read(self) -> Feedback | None:
        if not isinstance(self._value, Mapping):
            self._wrong(Refusal.NOT_AN_OBJECT, "", self._value, "an object")
            return None
        number = "a finite number"
        label = number if self._task is Task.REGRESSION else f"a class: text of 1 to {LONGEST} characters, number, bool"
        said = Feedback(
            self._one("id", Refusal.BAD_ID, text_of, f"text of 1 to {LONGEST} characters"),
            self._one("label", Refusal.BAD_LABEL, self._label_of, label),
            self._one("time", Refusal.BAD_TIME, instant, "ISO 8601 with a zone, or seconds since 1970"),
            self._one("value", Refusal.BAD_VALUE, number_of, number),
            self._one("click", Refusal.BAD_CLICK, lambda value: value if isinstance(value, bool) else None, "a bool"),
            self._one("kpis", Refusal.BAD_KPI, _kpis, f"an object of at most {MOST_KPIS} names to finite numbers")
            or (),
            self._one("version", Refusal.BAD_VERSION, text_of, f"text of 1 to {LONGEST} characters"),
        )
        self._check_sense(said)
        return None if self.mistakes else said

    def _label_of(self, value: object) -> Label | None:
        return label_of(self._task, value)

    def _check_sense(self, said: Feedback) -> None:
        of_prediction = said.label is not None or said.click is not None or said.value is not None
        if not of_prediction and not said.kpis and not self.mistakes:
            keys = ", ".join(sorted(map(str, self._value))[:5])[:LONGEST] or "none"
            text = f"got the keys {keys}; expected id with label, click or value, or kpis"
            self.mistakes.append(Mistake(Refusal.NOTHING_SAID, self._where, text))
        elif of_prediction and self._value.get("id") is None:
            self.mistakes.append(
                Mistake(Refusal.BAD_ID, f"{self._where}.id", "got none, expected that of a prediction")
            )

    def _one(self, name: str, reason: Refusal, read: Callable[[Any], Value | None], expected: str) -> Value | None:
        given = self._value.get(name)
        if given is None:
            return None
        found = read(given)
        if found is None:
            self._wrong(reason, f".{name}", given, expected)
        return found

    def _wrong(self, reason: Refusal, key: str, got: object, expected: str) -> None:
        shown = repr(got) if len(repr(got)) <= 60 else f"{repr(got)[:57]}..."
        self.mistakes.append(Mistake(reason, f"{self._where}{key}", f"got {shown}, expected {expected}"))


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
