from pathlib import Path

import pytest
from typer.testing import CliRunner

from alertdrill.cli.app import app
from alertdrill.cli.schema import show_schema
from alertdrill.core.errors import BadInput
from alertdrill.report.schema import SCHEMAS


@pytest.mark.parametrize(("arguments", "file"), [([], "scenario"), (["scenario"], "scenario"), (["result"], "result")])
def test_the_schema_is_printed_byte_for_byte_as_in_the_docs(arguments: list[str], file: str) -> None:
    printed = CliRunner().invoke(app, ["schema", *arguments])
    assert printed.exit_code == 0
    assert printed.stdout_bytes == SCHEMAS[file]().encode()


def test_a_schema_that_is_none_is_bad_input_with_the_nearest_name() -> None:
    with pytest.raises(
        BadInput,
        match=r"got reslt, expected scenario, result, repeat, run, coverage, replay, history\n  fix: write result",
    ):
        show_schema("reslt")


def test_the_help_says_how_an_editor_uses_it() -> None:
    text = CliRunner().invoke(app, ["schema", "--help"]).output
    assert "# yaml-language-server: $schema=scenario.v1.json" in text


def test_the_first_line_of_every_bundled_scenario_names_the_schema() -> None:
    folder = Path(__file__).parents[3] / "scenarios"
    for file in folder.glob("*.yaml"):
        line = file.read_text().splitlines()[0]
        assert line == "# yaml-language-server: $schema=../docs/schema/scenario.v1.json"
        assert (folder / line.partition("$schema=")[2]).is_file()
