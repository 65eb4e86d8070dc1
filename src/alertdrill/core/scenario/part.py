"""What every part of a scenario has in common, and the types that several parts use."""

import math
import re
from collections.abc import Iterable, Mapping
from typing import Annotated

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    PlainSerializer,
    PlainValidator,
    StringConstraints,
    WithJsonSchema,
)

from alertdrill.core.errors import BadValue
from alertdrill.core.matchers import EXAMPLE, LABEL_NAME, Matcher, parse_matcher
from alertdrill.core.units import DURATION_SCHEMA, format_duration, parse_duration

_NAME = r"[A-Za-z0-9][A-Za-z0-9._-]{0,79}"


class Part(BaseModel):
    """A part of a scenario: frozen, and unknown keys are refused.

    Attributes are named like the keys of the file; where a key is a word of Python, or taken by pydantic, the attribute
    has an underscore at its end: `for_`, `is_`, `except_`, `schema_`.
    """

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", serialize_by_alias=True)


def _check_name(name: str) -> str:
    if re.fullmatch(_NAME, name):
        return name
    fix = re.sub(r"[^A-Za-z0-9._-]+", "-", name).strip("-._")[:80] or "a-name"
    raise BadValue("a name of letters, digits, '.', '_' and '-', at most 80 long", f"write {fix}")


def _check_label_name(name: str) -> str:
    if re.fullmatch(LABEL_NAME, name):
        return name
    raise BadValue("a label name of letters, digits and '_'", "write it as the metric has it, such as feature")


Name = Annotated[
    str,
    AfterValidator(_check_name),
    WithJsonSchema({"type": "string", "pattern": f"^{_NAME}$"}),
]
"""A name that is also safe as a folder and as a part of an id."""


def _check_text(text: str) -> str:
    if "\0" in text:  # no file, program or address can be called so
        raise BadValue("text without a zero byte", "remove it")
    return text


Text = Annotated[str, StringConstraints(min_length=1, max_length=10_000), AfterValidator(_check_text)]
"""Text that is not empty."""

LabelName = Annotated[str, AfterValidator(_check_label_name), WithJsonSchema({"type": "string"})]
"""A Prometheus label name."""

Labels = dict[LabelName, str]
"""Label names and the exact values that they must have."""

LabelMatcher = Annotated[
    Matcher,
    PlainValidator(parse_matcher),
    PlainSerializer(lambda matcher: matcher.text(), return_type=str),
    WithJsonSchema({"type": "string", "pattern": rf"^\s*{LABEL_NAME}\s*(=~|!~|!=|=)", "examples": [EXAMPLE]}),
]
"""A label matcher, written as Alertmanager and PromQL have it."""

Matchers = tuple[LabelMatcher, ...]


def check_together(labels: Mapping[str, str], matchers: Iterable[Matcher]) -> None:
    """See that labels do not contradict the matchers beside them.

    Raises:
        BadValue: no alert could have such labels.
    """
    for position, one in enumerate(matchers):
        if one.label in labels and not one.matches(labels):
            expected = f"a matcher that {one.label}: {labels[one.label]} of the labels beside it passes"
            raise BadValue(expected, f"remove it, or {one.label} from the labels", one.text(), ("matchers", position))


AUTO_S = math.inf
"""`auto`: still to be worked out from the plan."""


def _parse_auto(value: object) -> float:
    if value in ("auto", AUTO_S):
        return AUTO_S
    duration_s = parse_duration(value)
    if duration_s <= 0:
        raise BadValue("above 0s, or auto", "write a value above 0s, or auto")
    return duration_s


AutoDurationS = Annotated[
    float,
    PlainValidator(_parse_auto),
    PlainSerializer(lambda value: "auto" if value == AUTO_S else format_duration(value), when_used="json"),
    WithJsonSchema({"anyOf": [{"const": "auto"}, DURATION_SCHEMA], "examples": ["30s", "auto"]}),
]
"""Seconds above 0, written with a unit, or `auto`."""
