"""What can be set of a monitor, in whichever way exchanges come to it: one list, as options and keyword arguments."""

import argparse
from collections.abc import Mapping
from difflib import get_close_matches
from pathlib import Path
from types import UnionType
from typing import Any, get_args, get_origin

import pydantic
from pydantic import BaseModel, ConfigDict, Field
from pydantic.fields import FieldInfo
from pydantic_core import PydanticUndefined

from alertdrill.drift.e_detector import FEWEST_A_WEEK, MOST_A_WEEK
from alertdrill.monitor.bad_settings import BadSettings, Mistake, named, option
from alertdrill.monitor.setting_types import Duration, Names, PagePath, Pointer, Spoken, Where, written
from alertdrill.monitor.truth.settings import OF_TRUTH, TruthSettings, contradictions
from alertdrill.protocols.schema import Schema


class Settings(BaseModel):
    """Everything but where exchanges come from.

    Attributes:
        truth: what is set of ground truth; None: there is none.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", validate_default=True)

    schema_: Schema | Path = Field(alias="schema", description="the features and the endpoint: a JSON file")
    reference: Path = Field(description="a sample of normal rows: a CSV file")
    model: str = Field(default="model", description="value of the label model")
    model_version: str = Field(default="1", description="value of the label version")
    exact_reference: bool = Field(
        default=False,
        description="live rows are drawn from the reference itself: watch also for drifts that its size would not "
        "support",
    )
    false_alarms_per_week: float = Field(
        default=1.0,
        ge=FEWEST_A_WEEK,
        le=MOST_A_WEEK,
        description="drift alarms that chance alone may raise in a week, on average, over all features and predictions "
        "together",
    )
    protocol: Spoken | None = Field(
        default=None,
        description="how requests and answers are written: json, oip_v2, instances or mlflow, or with options as JSON, "
        'such as {"kind": "oip_v2", "tensors": "one"}; default: what the schema says',
    )
    score: Pointer | None = Field(
        default=None,
        description="JSON pointer from a prediction to its score, or to the number that a regression predicts; empty: "
        "none; default: what the protocol says",
    )
    label: Pointer | None = Field(
        default=None,
        description="JSON pointer from a prediction to its class; empty: none; default: what the protocol says",
    )
    prediction_id: Where = Field(
        default=written("/prediction_id"),
        description="where the id of a prediction stands: /POINTER into the answer, request:/POINTER, "
        "answer-header:NAME or request-header:NAME",
    )
    reference_score: str | None = Field(
        default=None, description="column of the reference with the model's scores; without it the first answers count"
    )
    reference_label: str | None = Field(
        default=None, description="column of the reference with the model's classes; without it the first answers count"
    )
    reference_answers: int = Field(
        default=2000, ge=100, le=1_000_000, description="first answers that predictions are compared with"
    )
    dependencies: Names = Field(
        default=(), max_length=20, description="names in the answers' Server-Timing headers whose latency is counted"
    )
    log: Path | None = Field(default=None, description="file of the prediction log, as JSON lines")
    log_max_bytes: int = Field(default=100 << 20, ge=1 << 10, description="size at which a file of the log is full")
    log_files: int = Field(default=5, ge=1, le=1000, description="files of the log that are kept, the current included")
    log_share: float = Field(
        default=1.0, ge=0.0, le=1.0, description="share of exchanges to log, by a hash of their ids"
    )
    log_redact: Names = Field(default=(), description="keys whose values the log must not hold, at any depth")
    log_headers: Names = Field(default=(), description="request headers that the log holds as metadata")
    model_pid: int | None = Field(
        default=None, gt=0, description="process of the model, whose CPU, memory and disk count"
    )
    gpu: bool = Field(default=False, description="memory and use of NVIDIA's GPUs; needs alertdrill[gpu]")
    page: PagePath = Field(
        default="/monitor",
        description="path of a page for browsers, also given at / where the model has nothing there; empty: no page",
    )
    truth: TruthSettings | None = Field(default=None)


SETTINGS: Mapping[str, FieldInfo] = {
    **{field.alias or name: field for name, field in Settings.model_fields.items() if name != "truth"},
    **OF_TRUTH,
}
"""Every setting by its name: of the option with dashes, of the middleware's keyword argument as it is."""


def read_settings(values: Mapping[str, Any]) -> Settings:
    """The settings in some values.

    Raises:
        BadSettings: they cannot be used; all mistakes at once.
    """
    truth = {name: value for name, value in values.items() if name in OF_TRUTH}
    others = {name: value for name, value in values.items() if name not in OF_TRUTH}
    try:
        settings = Settings.model_validate({**others, **({"truth": truth} if truth else {})})
    except pydantic.ValidationError as error:
        raise BadSettings(*map(_mistake, error.errors())) from None
    if settings.truth is not None:
        mistakes = list(contradictions(settings.truth))
        if mistakes:
            raise BadSettings(*mistakes)
    return settings


def _mistake(error: Any) -> Mistake:
    where = error["loc"][1:] if error["loc"][0] == "truth" and len(error["loc"]) > 1 else error["loc"]
    name = str(where[0])
    field = SETTINGS.get(name)
    if field is None:
        near = ", ".join(get_close_matches(name, SETTINGS, 3)) or "those that --help lists"
        return Mistake(name, f"got {error['input']!r}, expected no such setting", f"choose from {near}")
    if error["type"] == "missing":
        return Mistake(named(name), "got none, expected one", f"give {field.description}")
    text, _, fix = error["msg"].removeprefix("Value error, ").partition("; fix: ")
    got = text if text.startswith("got ") else f"got {error['input']!r}: {text}"
    return Mistake(named(name), got, fix or f"give {field.description}")


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for every setting."""
    truth = parser.add_argument_group("ground truth", "feedback, quality, accuracy check, KPIs")
    for name, field in SETTINGS.items():
        _add_option(truth if name in OF_TRUTH else parser, name, field)


def _add_option(parser: argparse._ActionsContainer, name: str, field: FieldInfo) -> None:
    text = (field.description or "").replace("%", "%%")
    if field.annotation is bool:
        parser.add_argument(option(name), action="store_true", help=text)
        return
    if field.is_required() and name not in OF_TRUTH:
        parser.add_argument(option(name), required=True, metavar="FILE", help=text)
        return
    several = get_origin(field.annotation) is tuple
    given = field.default not in (None, (), "", PydanticUndefined)
    default = f" (default {', '.join(field.default) if several else field.default})" if given else ""
    kind: dict[str, Any] = {"action": "append"} if several else {}
    parser.add_argument(option(name), metavar=_metavar(field), help=text + default, **kind)


def _metavar(field: FieldInfo) -> str:
    kinds = get_args(field.annotation) if isinstance(field.annotation, UnionType) else (field.annotation,)
    if Duration in kinds or set(get_args(Duration)[1:]) & set(field.metadata):
        return "TIME"
    return "FILE" if Path in kinds else "N" if int in kinds or float in kinds else "TEXT"


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that a command line states.

    Raises:
        BadSettings: they cannot be used; all mistakes at once.
    """
    return read_settings({name: value for name in SETTINGS if (value := getattr(options, name)) is not None})
