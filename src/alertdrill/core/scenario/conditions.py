"""What must hold before a drill, and what stops one."""

import math
from typing import Annotated, Any, Literal, cast

from pydantic import BeforeValidator, Discriminator, Field, Tag, WithJsonSchema

from alertdrill.core.errors import BadValue
from alertdrill.core.scenario.part import Part, Text
from alertdrill.core.units import Comparison, DurationS


def _check_no_data(value: object) -> object:
    number = isinstance(value, int | float) and not isinstance(value, bool)
    if value in ("fail", "ignore") or (number and math.isfinite(cast(float, value))):
        return value
    raise BadValue("fail, ignore or a number", "write fail, ignore, or the number that stands for no data, such as 0")


NoData = Annotated[
    Literal["fail", "ignore"] | float,
    BeforeValidator(_check_no_data),
    WithJsonSchema({"anyOf": [{"enum": ["fail", "ignore"]}, {"type": "number"}]}),
]
"""What an empty answer of a query means: fail, ignore, or the number that stands in for it."""


class AlertsInactive(Part):
    """The alerts in scope are inactive."""

    alerts: Literal["inactive"] = Field(description="the alerts in scope, neither pending nor firing")
    for_: DurationS = Field(alias="for", description="how long it must hold without a break, such as 5s")


class QueryCondition(Part):
    """A comparison that every series of a query's answer meets."""

    query: Text = Field(description="PromQL (or alerts: inactive)", examples=['up{job="monitor"}'])
    is_: Comparison = Field(alias="is", description='comparison with every value of the answer, such as "== 0"')
    no_data: NoData = Field(
        default="fail", description="an empty answer: fail, ignore, or the number that stands in for it"
    )
    for_: DurationS = Field(alias="for", description="how long it must hold without a break, such as 5s")


def _which(value: Any) -> str:
    inactive = isinstance(value, AlertsInactive) or (isinstance(value, dict) and "alerts" in value)
    return "(alerts)" if inactive else "(query)"


SteadyCondition = Annotated[
    Annotated[AlertsInactive, Tag("(alerts)")] | Annotated[QueryCondition, Tag("(query)")], Discriminator(_which)
]
"""One condition of the steady state: alerts inactive, or a query that holds."""
