"""Documents, JSON Schemas, rules and dashboards that the code gives: `python -m alertdrill.generate [--check]`."""

import argparse
import sys
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel
from pydantic.fields import FieldInfo

import alertdrill
from alertdrill.adapters.bundled import bundled_targets, targets_dir
from alertdrill.adapters.schema_file import read_described
from alertdrill.alerting.choices import Choices
from alertdrill.alerting.profile import PROFILES
from alertdrill.alerting.rule_file import rule_file
from alertdrill.core.faults.base import Fault, Unit
from alertdrill.core.faults.catalogue import KINDS
from alertdrill.core.faults.documentation import HEADINGS, Undocumented, sections
from alertdrill.dashboards.boards import boards
from alertdrill.dashboards.grafana import grafana_json
from alertdrill.report.protocol_page import protocol_page
from alertdrill.report.schema import SCHEMAS

DIRECTORIES = ("docs/faults", "docs/schema", "targets/*/rules", "targets/*/dashboards")
"""Folders in which every file is generated; `*` is any name."""

_NOTE = "<!-- Generated from {source} by `make generate`: edit it there. -->\n"


def fault_page(kind: str, fault: type[Fault]) -> str:
    """The page of one fault, Markdown."""
    parts = sections(fault)
    source = "src/" + fault.__module__.replace(".", "/") + ".py"
    lines = [_NOTE.format(source=source), f"# {kind}\n", f"{parts['']} Unit: {fault.unit}.\n"]
    if fault.needs:
        lines.append("Not every protocol [can carry it](../protocols.md#faults-that-a-protocol-cannot-carry).\n")
    for heading in HEADINGS[:-1]:
        text = f"```yaml\nfaults:\n{_indented(parts[heading])}\n```" if heading == "Example" else parts[heading]
        lines.append(f"## {heading}\n\n{text}\n")
    lines.append(f"## Fields\n\n{_field_table(fault)}\n")
    lines.append(f"## References\n\n{parts['References']}\n")
    return "\n".join(lines)


def fault_index() -> str:
    """The list of all faults by unit, Markdown."""
    lines = [
        _NOTE.format(source="src/alertdrill/core/faults/"),
        "# Faults\n",
        f"{len(KINDS)} kinds, by what they touch.\n",
    ]
    for unit in (Unit.SAMPLE, Unit.ROW, Unit.BODY, Unit.EXCHANGE, Unit.ARRIVAL, Unit.PROCESS):
        lines += [f"## {unit}\n", "| kind | what it does | should trigger |", "|---|---|---|"]
        for kind, fault in sorted(KINDS.items()):
            if fault.unit is unit:
                parts = sections(fault)
                lines.append(f"| [{kind}]({kind}.md) | {parts['']} | {_flat(parts['Should trigger'])} |")
        lines.append("")
    return "\n".join(lines)


def generated() -> Iterator[tuple[str, str]]:
    """Path, relative to the checkout, and text of every generated file."""
    for kind, fault in KINDS.items():
        yield f"docs/faults/{kind}.md", fault_page(kind, fault)
    yield "docs/faults/README.md", fault_index()
    yield "docs/protocols.md", _NOTE.format(source="src/alertdrill/report/protocol_page.py") + "\n" + protocol_page()
    for name, schema in SCHEMAS.items():
        yield f"docs/schema/{name}.v1.json", schema()
    for target in bundled_targets():
        yield from _of_target(target)


def _of_target(target: str) -> Iterator[tuple[str, str]]:
    """What `alertdrill monitor rules` and `dashboards` write for a bundled target without further options."""
    described = read_described(str(targets_dir() / target))
    for profile in PROFILES:
        yield f"targets/{target}/rules/alerts.{profile}.yml", rule_file(described.schema, profile)
    for name, board in boards(described.name, described.schema, Choices()).items():
        yield f"targets/{target}/dashboards/{name}", grafana_json(board, described.name)


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


def _read(path: Path) -> str | None:
    return path.read_text(encoding="utf-8") if path.is_file() else None


def _strays(root: Path, expected: Mapping[str, str]) -> list[str]:
    files = [path for folder in DIRECTORIES for path in root.glob(f"{folder}/*") if path.is_file()]
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
