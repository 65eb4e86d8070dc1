"""The examples for continuous integration, by the published schemas of GitHub and GitLab."""

import re
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
import typer
import yaml

from alertdrill.cli.app import app

EXAMPLES = Path(__file__).parents[2] / "examples"
FILES = {
    "github/alert-rules.yml": "vendor.github-workflows",
    "github/nightly-drills.yml": "vendor.github-workflows",
    "github/action/action.yml": "vendor.github-actions",
    "gitlab/alert-rules.gitlab-ci.yml": "vendor.gitlab-ci",
}


def checked(schema: str, file: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "check_jsonschema", "--builtin-schema", schema, str(file)]
    return subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)


@pytest.mark.parametrize(("name", "schema"), FILES.items())
def test_an_example_is_what_its_product_reads(name: str, schema: str) -> None:
    done = checked(schema, EXAMPLES / name)
    assert done.returncode == 0, done.stdout


def test_the_schemas_refuse_what_is_wrong(tmp_path: Path) -> None:
    file = tmp_path / "wrong.yml"
    file.write_text((EXAMPLES / "github/alert-rules.yml").read_text().replace("runs-on:", "run-on:"))
    assert checked("vendor.github-workflows", file).returncode != 0


@pytest.mark.parametrize("name", FILES)
def test_every_option_in_an_example_is_one_of_the_command(name: str) -> None:
    commands = typer.main.get_command(app).commands  # type: ignore[attr-defined]
    text = (EXAMPLES / name).read_text().replace("\\\n", " ")
    if name.startswith("gitlab"):
        text = "\n".join(yaml.safe_load(text)["drill-alert-rules"]["script"])
    for line in re.findall(r"^\s*(?:- )?alertdrill (.+)$", text, re.MULTILINE):
        words = shlex.split(line)
        known = {option for one in commands[words[0]].params for option in one.opts}
        assert {word for word in words if word.startswith("--")} <= known
