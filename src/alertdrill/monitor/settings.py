"""What can be set of a monitor, in whichever way exchanges come to it, and the books that it makes of that."""

import argparse
import csv
import io
import time
from collections.abc import Iterable, Mapping
from pathlib import Path
from types import UnionType
from typing import Annotated, Any, get_args

import pydantic
from pydantic import BaseModel, BeforeValidator, ConfigDict, Field

from alertdrill.drift.cells import Absent, Cells
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.drift.reference import watched_cells
from alertdrill.monitor.account import Account
from alertdrill.monitor.bodies import Bodies
from alertdrill.monitor.dependencies import Dependencies
from alertdrill.monitor.gpu import Gpus, NoGpu
from alertdrill.monitor.log_writer import LogWriter
from alertdrill.monitor.notes import Taker
from alertdrill.monitor.pointer import finder_in_each, parts_of
from alertdrill.monitor.prediction_log import PredictionLog
from alertdrill.monitor.predictions import Output, Outputs, PredictionCounters, cells_of, class_name
from alertdrill.monitor.redaction import Redaction
from alertdrill.monitor.reference import BadFile, load_reference, load_schema, read_text, unwatched_names
from alertdrill.monitor.resources import Resources
from alertdrill.monitor.system import System
from alertdrill.protocols.schema import Schema


class BadSettings(ValueError):
    """Settings that cannot be used; the text has a message for each mistake, and how to fix it."""


def _pointer(value: Any) -> Any:
    if isinstance(value, str):
        parts_of(value)
    return value


def _split(value: Any) -> Any:
    """A list as the command line has it."""
    return [part.strip() for part in value.split(",") if part.strip()] if isinstance(value, str) else value


Pointer = Annotated[str, BeforeValidator(_pointer)]
Names = Annotated[tuple[str, ...], BeforeValidator(_split)]


class Settings(BaseModel):
    """Everything but where exchanges come from."""

    model_config = ConfigDict(frozen=True, extra="forbid", arbitrary_types_allowed=True)

    schema_: Schema | Path = Field(alias="schema", description="the features and the endpoint: a JSON file")
    reference: Path = Field(description="a sample of normal rows: a CSV file")
    model: str = Field(default="model", description="value of the label model")
    model_version: str = Field(default="1", description="value of the label version")
    exact_reference: bool = Field(
        default=False,
        description="live rows are drawn from the reference itself: watch also for drifts that its size would not "
        "support",
    )
    rows: Pointer = Field(
        default="",
        description="JSON pointer to the rows in a request: an object of features, a list of such objects or of lists "
        "of values, or tensors of the Open Inference Protocol; empty: the body is the object",
    )
    score: Pointer = Field(default="/score", description="JSON pointer to the score in an answer; empty: there is none")
    label: Pointer = Field(default="/label", description="JSON pointer to the class in an answer; empty: there is none")
    prediction_id: Pointer = Field(default="/prediction_id", description="JSON pointer to the id in an answer")
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


def read_settings(values: Mapping[str, Any]) -> Settings:
    """The settings in some values.

    Raises:
        BadSettings: they cannot be used; all mistakes at once.
    """
    try:
        return Settings.model_validate(values)
    except pydantic.ValidationError as error:
        raise BadSettings("\n".join(map(_mistake, error.errors()))) from None


def _mistake(error: Any) -> str:
    name = str(error["loc"][0]) if error["loc"] else "settings"
    field = next((one for key, one in Settings.model_fields.items() if (one.alias or key) == name), None)
    got = "nothing" if error["type"] == "missing" else repr(error["input"])
    if field is None:
        known = ", ".join(one.alias or key for key, one in Settings.model_fields.items())
        return f"{name}: got {got}, expected no such setting\n  fix: choose from {known}"
    return f"{name}: got {got}: {error['msg']}\n  fix: give {field.description}"


def add_options(parser: argparse.ArgumentParser) -> None:
    """Add an option for every setting."""
    for name, field in Settings.model_fields.items():
        option = "--" + (field.alias or name).replace("_", "-")
        text = (field.description or "").replace("%", "%%")
        if field.annotation is bool:
            parser.add_argument(option, action="store_true", help=text)
        elif field.is_required():
            parser.add_argument(option, required=True, metavar="FILE", help=text)
        else:
            given = field.default not in (None, (), "")
            default = f" (default {field.default})" if given else ""
            parser.add_argument(option, metavar=_metavar(field.annotation), help=text + default)


def _metavar(annotation: Any) -> str:
    kinds = get_args(annotation) if isinstance(annotation, UnionType) else (annotation,)
    return "FILE" if Path in kinds else "N" if int in kinds or float in kinds else "TEXT"


def settings_of(options: argparse.Namespace) -> Settings:
    """The settings that a command line states.

    Raises:
        BadSettings: they cannot be used; all mistakes at once.
    """
    names = [field.alias or name for name, field in Settings.model_fields.items()]
    return read_settings({name: value for name in names if (value := getattr(options, name)) is not None})


class Books:
    """The account of a model and what goes with it.

    Attributes:
        account: where exchanges are noted.
        schema: of the model.
        system: what the machine's resources are sampled with; None if nothing is.
    """

    def __init__(self, settings: Settings, more: Iterable[Taker] = ()) -> None:
        """Read the files.

        Args:
            settings: of the monitor.
            more: others who are given every exchange.

        Raises:
            BadFile: a file cannot be used.
            BadSettings: GPUs are asked for where there are none.
        """
        given = settings.schema_
        self.schema = given if isinstance(given, Schema) else load_schema(given)
        rows = load_reference(settings.reference, self.schema)
        try:
            cells = watched_cells(self.schema, rows)
        except ValueError as error:
            fix = "give a sample with values of it, or set watched: false"
            raise BadFile(settings.reference, str(error), fix) from None
        detector = EDetector(list(cells.values()), log_threshold(len(cells)), settings.exact_reference)
        labels = {"model": settings.model, "version": settings.model_version}
        self.system = _system(settings, labels)
        system = [self.system] if self.system is not None else []
        self.account = Account(
            labels,
            cells,
            unwatched_names(self.schema),
            detector,
            time.time(),
            Bodies(self.schema.names(), settings.rows),
            [*_takers(settings, labels), *system, *more],
        )


def _system(settings: Settings, labels: Mapping[str, str]) -> System | None:
    try:
        gpus = [Gpus(labels)] if settings.gpu else []
    except NoGpu as error:
        raise BadSettings(str(error)) from None
    processes = [Resources(labels, settings.model_pid)] if settings.model_pid is not None else []
    return System([*processes, *gpus]) if processes or gpus else None


def _takers(settings: Settings, labels: Mapping[str, str]) -> list[Taker]:
    takers: list[Taker] = []
    pointers = {output: at for output, at in ((Output.SCORE, settings.score), (Output.LABEL, settings.label)) if at}
    if pointers:
        references = _prediction_references(settings)
        takers.append(PredictionCounters(labels, Outputs(pointers, references, settings.reference_answers)))
    if settings.dependencies:
        takers.append(Dependencies(labels, settings.dependencies))
    if settings.log is not None:
        writer = LogWriter(settings.log, settings.log_max_bytes, settings.log_files)
        redaction = Redaction(settings.log_redact)
        headers = [name.lower() for name in settings.log_headers]
        find = finder_in_each(settings.prediction_id, None)
        takers.append(PredictionLog(labels, writer, settings.log_share, redaction, headers, find))
    return takers


def _prediction_references(settings: Settings) -> dict[Output, Cells]:
    columns = {Output.SCORE: settings.reference_score, Output.LABEL: settings.reference_label}
    named = {output: column for output, column in columns.items() if column is not None}
    if not named:
        return {}
    table = csv.DictReader(io.StringIO(read_text(settings.reference)))
    lacking = [column for column in named.values() if column not in (table.fieldnames or ())]
    if lacking:
        got = f"got no column {', '.join(lacking)}, expected one with the model's predictions"
        raise BadFile(settings.reference, got, "name a column of it, or leave the option out")
    texts = {output: list[str]() for output in named}
    for row in table:
        for output, column in named.items():
            texts[output].append(row[column] or "")
    found = {output: cells_of(_values(some, output), output is Output.SCORE) for output, some in texts.items()}
    unusable = [named[output] for output, cells in found.items() if cells is None]
    if unusable:
        fix = "give numbers for scores, and any text for classes"
        raise BadFile(settings.reference, f"{', '.join(unusable)}: got no usable value", fix)
    return {output: cells for output, cells in found.items() if cells is not None}


def _values(texts: Iterable[str], output: Output) -> list[object]:
    """Decoded values of a CSV column; an empty field is a missing key, as an answer would have it."""
    return [Absent.KEY if not text else _number(text) if output is Output.SCORE else _class(text) for text in texts]


def _number(text: str) -> float | str:
    try:
        return float(text)
    except ValueError:
        return text


def _class(text: str) -> object:
    """A class as `class_name` writes it: 1.0 in a CSV is the class 1."""
    value = _number(text)
    return class_name(value) if isinstance(value, float) else text
