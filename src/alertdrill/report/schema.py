"""JSON Schemas of the files that users write and read: scenarios, results, and what commands write as JSON."""

import json
from collections.abc import Callable, Mapping
from typing import Any

from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import core_schema

from alertdrill.core.coverage_result import CoverageResult
from alertdrill.core.history.result import HistoryResult
from alertdrill.core.repeat import RepeatResult
from alertdrill.core.replay.comparison import ReplayResult
from alertdrill.core.result import Result
from alertdrill.core.run_result import RunResult
from alertdrill.core.scenario import Scenario
from alertdrill.report.schema_include import with_include


def scenario_schema() -> str:
    """JSON Schema of a scenario file. Where a mapping includes a fragment, no key is demanded of it."""
    schema = with_include(Scenario.model_json_schema(schema_generator=_AsWritten))
    return _text("alertdrill/scenario/v1", "alertdrill scenario", schema)


def result_schema() -> str:
    """JSON Schema of `result.json`. Keys that it does not know are allowed: v1 may grow."""
    schema = Result.model_json_schema(schema_generator=_AsWritten, mode="serialization")
    return _text("alertdrill/result/v1", "alertdrill result", _open(schema))


def repeat_schema() -> str:
    """JSON Schema of `repeat.json`. Keys that it does not know are allowed: v1 may grow."""
    schema = RepeatResult.model_json_schema(schema_generator=_AsWritten, mode="serialization")
    return _text("alertdrill/repeat/v1", "alertdrill repeat", _open(schema))


def run_schema() -> str:
    """JSON Schema of what `alertdrill run --json` writes of several scenarios. Further keys are allowed."""
    schema = RunResult.model_json_schema(schema_generator=_AsWritten, mode="serialization")
    return _text("alertdrill/run/v1", "alertdrill run", _open(schema))


def coverage_schema() -> str:
    """JSON Schema of what `alertdrill coverage --json` writes. Keys that it does not know are allowed: v1 may grow."""
    schema = CoverageResult.model_json_schema(schema_generator=_AsWritten, mode="serialization")
    return _text("alertdrill/coverage/v1", "alertdrill coverage", _open(schema))


def replay_schema() -> str:
    """JSON Schema of what `alertdrill replay --json` writes. Keys that it does not know are allowed: v1 may grow."""
    schema = ReplayResult.model_json_schema(schema_generator=_AsWritten, mode="serialization")
    return _text("alertdrill/replay/v1", "alertdrill replay", _open(schema))


def history_schema() -> str:
    """JSON Schema of what `alertdrill replay --prometheus --json` writes. Keys that it does not know are allowed."""
    schema = HistoryResult.model_json_schema(schema_generator=_AsWritten, mode="serialization")
    return _text("alertdrill/history/v1", "alertdrill history", _open(schema))


SCHEMAS: Mapping[str, Callable[[], str]] = {
    "scenario": scenario_schema,
    "result": result_schema,
    "repeat": repeat_schema,
    "run": run_schema,
    "coverage": coverage_schema,
    "replay": replay_schema,
    "history": history_schema,
}
"""What each file's JSON Schema is, as text, by the name of the file."""


class _AsWritten(GenerateJsonSchema):
    """Defaults with their units, as a file has them (`500/s`, not 500.0), and no titles made of field names."""

    def get_default_value(self, schema: core_schema.WithDefaultSchema) -> Any:
        default = super().get_default_value(schema)
        inner: Mapping[str, Any] | None = schema["schema"]
        while inner is not None and default is not None:
            serialization = inner.get("serialization") or {}
            if "function" in serialization:
                return serialization["function"](default)
            inner = inner.get("schema")
        return default

    def field_is_required(self, field: Any, total: bool) -> bool:
        return self.mode == "serialization" or super().field_is_required(field, total)

    def field_title_should_be_set(self, schema: Any) -> bool:
        return False

    def generate(self, schema: core_schema.CoreSchema, mode: JsonSchemaMode = "validation") -> dict[str, Any]:
        generated = super().generate(schema, mode)
        for definition in generated.get("$defs", {}).values():
            definition["description"] = definition.get("description", "").partition("\n")[0]
        return generated


def _text(identifier: str, title: str, schema: dict[str, Any]) -> str:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": identifier}
    return json.dumps({**head, **schema, "title": title}, indent=2, ensure_ascii=False) + "\n"


def _open(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {k: _open(v) for k, v in schema.items() if not (k == "additionalProperties" and v is False)}
    return [_open(item) for item in schema] if isinstance(schema, list) else schema
