"""Documents and JSON Schemas that are derived from the code: `python -m alertdrill.generate [--check]`."""

import argparse
import inspect
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from pydantic import BaseModel
from pydantic.fields import FieldInfo
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaMode
from pydantic_core import core_schema

import alertdrill
from alertdrill.core.faults.base import Fault
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.result import Result
from alertdrill.core.scenario import Scenario

HEADINGS = ("What it does", "Why it matters", "Should trigger", "Example", "References")
"""What the docstring of every fault has, in this order."""

DIRECTORIES = ("docs/faults", "docs/schema")
"""Folders in which every file is generated."""

_NOTE = "<!-- Generated from {source} by `make generate`: edit it there. -->\n"


class Undocumented(Exception):
    """A fault's docstring lacks something."""


def sections(fault: type[Fault]) -> dict[str, str]:
    """The parts of a fault's docstring: its first line under `""`, and the text under each of `HEADINGS`.

    Raises:
        Undocumented: the first line or a heading is missing, empty or out of place.
    """
    first, *lines = (inspect.getdoc(fault) or "").splitlines() or [""]
    found: dict[str, list[str]] = {}
    for line in lines:
        if line.endswith(":") and not line.startswith(" "):
            found[line[:-1]] = []
        elif found:
            found[list(found)[-1]].append(line.removeprefix("    "))
    texts = {heading: "\n".join(text).strip() for heading, text in found.items()}
    if not first or tuple(texts) != HEADINGS or not all(texts.values()):
        have = ", ".join(name for name, text in texts.items() if text) or "none"
        raise Undocumented(
            f"{fault.__module__}.{fault.__name__}: docstring\n"
            f"  got the headings {have}; expected one line on what it does, then {', '.join(HEADINGS)}\n"
            f"  fix: fill them as in noop.py"
        )
    return {"": first, **texts}


def fault_page(kind: str, fault: type[Fault]) -> str:
    """The page of one fault, Markdown."""
    parts = sections(fault)
    source = "src/" + fault.__module__.replace(".", "/") + ".py"
    lines = [_NOTE.format(source=source), f"# {kind}\n", f"{parts['']} Unit: {fault.unit}.\n"]
    for heading in HEADINGS[:-1]:
        text = f"```yaml\nfaults:\n{_indented(parts[heading])}\n```" if heading == "Example" else parts[heading]
        lines.append(f"## {heading}\n\n{text}\n")
    lines.append(f"## Fields\n\n{_field_table(fault)}\n")
    lines.append(f"## References\n\n{parts['References']}\n")
    return "\n".join(lines)


def fault_index() -> str:
    """The list of all faults, Markdown."""
    rows = [
        f"| [{kind}]({kind}.md) | {fault.unit} | {sections(fault)['']} | {_flat(sections(fault)['Should trigger'])} |"
        for kind, fault in sorted(KINDS.items())
    ]
    head = ["| kind | unit | what it does | should trigger |", "|---|---|---|---|"]
    return "\n".join([_NOTE.format(source="src/alertdrill/core/faults/"), "# Faults\n", *head, *rows, ""])


def scenario_schema() -> str:
    """JSON Schema of a scenario file."""
    schema = Scenario.model_json_schema(schema_generator=_AsWritten)
    return _schema_text("alertdrill/scenario/v1", "alertdrill scenario", schema)


def result_schema() -> str:
    """JSON Schema of `result.json`. Keys that it does not know are allowed: v1 may grow."""
    schema = Result.model_json_schema(schema_generator=_AsWritten, mode="serialization")
    return _schema_text("alertdrill/result/v1", "alertdrill result", _open(schema))


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


def generated() -> Iterator[tuple[str, str]]:
    """Path, relative to the checkout, and text of every generated file."""
    for kind, fault in KINDS.items():
        yield f"docs/faults/{kind}.md", fault_page(kind, fault)
    yield "docs/faults/README.md", fault_index()
    yield "docs/schema/scenario.v1.json", scenario_schema()
    yield "docs/schema/result.v1.json", result_schema()


def outdated(root: Path) -> list[str]:
    """Paths, relative to `root`, of files that are missing, not as generated, or not generated at all."""
    expected = dict(generated())
    wrong = [name for name, text in expected.items() if _read(root / name) != text]
    return sorted(wrong + _strays(root, expected))


def write(root: Path) -> list[str]:
    """Write what is outdated and remove what is not generated; the paths, relative to `root`."""
    expected, changed = dict(generated()), outdated(root)
    for name in changed:
        if name in expected:
            (root / name).parent.mkdir(parents=True, exist_ok=True)
            (root / name).write_text(expected[name], encoding="utf-8")
        else:
            (root / name).unlink()
    return changed


def _indented(text: str) -> str:
    return "\n".join(f"  {line}" if line else "" for line in text.splitlines())


def _flat(text: str) -> str:
    return " ".join(text.split())


def _field_table(fault: type[BaseModel]) -> str:
    rows = [
        f"| `{field.alias or name}` | {_default(field)} | {field.description} |"
        for name, field in fault.model_fields.items()
        if name != "kind"
    ]
    return "\n".join(["| field | default | meaning |", "|---|---|---|", *rows])


def _default(field: FieldInfo) -> str:
    if field.is_required():
        return "(required)"
    return "(none)" if field.default is None else f"`{field.default}`"


def _schema_text(identifier: str, title: str, schema: dict[str, Any]) -> str:
    head = {"$schema": "https://json-schema.org/draft/2020-12/schema", "$id": identifier}
    return json.dumps({**head, **schema, "title": title}, indent=2, ensure_ascii=False) + "\n"


def _open(schema: Any) -> Any:
    if isinstance(schema, dict):
        return {k: _open(v) for k, v in schema.items() if not (k == "additionalProperties" and v is False)}
    return [_open(item) for item in schema] if isinstance(schema, list) else schema


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _strays(root: Path, expected: Mapping[str, str]) -> list[str]:
    files = [path for folder in DIRECTORIES for path in (root / folder).glob("*") if path.is_file()]
    return [name for path in files if (name := path.relative_to(root).as_posix()) not in expected]


def main(arguments: Sequence[str] | None = None) -> int:
    """The command; 0 if all is (or was made) up to date, 1 if `--check` found a difference, 2 if it cannot be done."""
    parser = argparse.ArgumentParser(prog="python -m alertdrill.generate", description=__doc__)
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 if a file is out of date")
    check = parser.parse_args(arguments).check
    root = Path(alertdrill.__file__).resolve().parents[2]
    if not (root / "pyproject.toml").is_file():
        print(
            f"{root}\n  got an installed package, expected a checkout\n  fix: pip install --editable .", file=sys.stderr
        )
        return 2
    try:
        changed = outdated(root) if check else write(root)
    except Undocumented as error:
        print(error, file=sys.stderr)
        return 2
    for name in changed:
        print(f"{name}: out of date\n  fix: make generate" if check else f"{name}: written", file=sys.stderr)
    return int(check and bool(changed))


if __name__ == "__main__":
    sys.exit(main())
