import json
from pathlib import Path

import pytest
from typer.testing import CliRunner

from alertdrill.adapters.schema_file import read_described
from alertdrill.alerting.limits import Limits
from alertdrill.cli import monitor_dashboards
from alertdrill.cli.app import app
from alertdrill.cli.monitor_dashboards import write_dashboards
from alertdrill.cli.monitor_rules import write_rules
from alertdrill.core.errors import AlertdrillError, BadInput

CHECKOUT = Path(__file__).parents[3]
FRAUD = CHECKOUT / "targets" / "fraud"
SCHEMA = {"features": [{"name": "amount", "kind": "number"}]}
DEFAULTS = {"nulls": "5%", "malformed": "2%", "latency": "250ms", "errors": "5%", "objective": "99.9%"}


def run(*arguments: str) -> bytes:
    done = CliRunner().invoke(app, ["monitor", *arguments])
    assert done.exit_code == 0, done.output
    return done.stdout_bytes


@pytest.mark.parametrize("profile", ["drill", "production"])
@pytest.mark.parametrize("described", ["fraud", str(FRAUD), str(FRAUD / "target.yaml")])
def test_rules_of_a_bundled_target_are_those_checked_in(profile: str, described: str) -> None:
    printed = run("rules", described, "--profile", profile)
    assert printed == (FRAUD / "rules" / f"alerts.{profile}.yml").read_bytes()


def test_rules_of_a_schema_file_are_written_where_asked(tmp_path: Path) -> None:
    (tmp_path / "mine.json").write_text(json.dumps(SCHEMA))
    out = tmp_path / "rules.yml"
    chosen = ["--with", "labels,business:conversion>=0.02", "--latency", "2s", "--runbooks", "https://wiki/books"]
    assert run("rules", str(tmp_path / "mine.json"), "--profile", "drill", "--out", str(out), *chosen) == b""
    text = out.read_text()
    assert "> 2 and" in text
    assert 'model_business_kpi{kpi="conversion"} < 0.02' in text
    assert "https://wiki/books/NoLabels.md" in text


def test_the_defaults_of_the_command_are_those_of_the_limits() -> None:
    assert Limits.model_validate(DEFAULTS).model_dump() == pytest.approx(Limits().model_dump())
    text = CliRunner().invoke(app, ["monitor", "rules", "--help"], env={"COLUMNS": "200"}).output
    for value in DEFAULTS.values():
        assert f"[default: {value}]" in " ".join(text.split())


def test_every_mistake_of_the_arguments_is_told_at_once(tmp_path: Path) -> None:
    limits = DEFAULTS | {"nulls": "20", "latency": "20s", "objective": "50%"}
    with pytest.raises(BadInput) as error:
        write_rules("fraude", "prod", limits, ["lables"], "a b", tmp_path / "no" / "where.yml")
    assert {mistake.where for mistake in error.value.mistakes} == {
        "--profile", "--runbooks", "--out", "--nulls", "--latency", "--objective", "--with", "fraude",
    }  # fmt: skip
    text = str(error.value)
    assert "--profile\n  got prod, expected drill or production\n  fix: write drill or production" in text
    assert "fix: write 0.2 or 20%" in text
    assert "fix: write fraud" in text


@pytest.mark.parametrize(
    ("content", "says"),
    [
        ("features: [{name: a, kind: numbr}]", "fix: write number"),
        ("features: [{name: a, kind: number, watched: false}, {name: t, kind: timestamp}]", "expected at least one"),
        ("[", "expected"),
    ],
)
def test_a_schema_with_mistakes_is_refused_with_its_file(tmp_path: Path, content: str, says: str) -> None:
    (tmp_path / "mine.yaml").write_text(content)
    with pytest.raises(BadInput) as error:
        write_rules(str(tmp_path / "mine.yaml"), "drill", DEFAULTS, (), "x", None)
    assert says in str(error.value)
    assert "mine.yaml" in str(error.value)


@pytest.mark.parametrize(
    ("name", "says"), [("", "a folder without"), ("x" * 5000, "no "), ("\0", "no "), ("/dev/null", "expected a schema")]
)
def test_what_is_no_schema_is_refused(name: str, says: str) -> None:
    with pytest.raises(BadInput, match=says):
        write_rules(name, "drill", DEFAULTS, (), "x", None)


def test_dashboards_of_a_bundled_target_are_those_checked_in(tmp_path: Path) -> None:
    out = tmp_path / "new" / "folder"
    printed = run("dashboards", "fraud", "--out", str(out))
    assert printed.decode().split() == [str(out / "engineers.json"), str(out / "product.json")]
    for file in out.iterdir():
        assert file.read_bytes() == (FRAUD / "dashboards" / file.name).read_bytes()


def test_dashboards_need_a_folder_and_the_sdk_and_say_so_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").touch()
    monkeypatch.setattr(monitor_dashboards, "SDK", "no_such_package")
    with pytest.raises(BadInput) as error:
        write_dashboards("fraud", ["quality"], tmp_path / "file")
    text = str(error.value)
    assert "fix: pip install 'alertdrill[dashboards]'" in text
    assert "--out\n  got" in text
    assert "fix: write quality:auc>=0.85" in text


@pytest.mark.parametrize("command", [["rules", "fraud", "--profile", "drill"], ["dashboards", "fraud"]])
def test_what_cannot_be_written_names_the_option_that_says_where(tmp_path: Path, command: list[str]) -> None:
    error = CliRunner().invoke(app, ["monitor", *command, "--out", str(tmp_path / ("a" * 300))]).exception
    assert isinstance(error, AlertdrillError)
    assert error.exit_code == 3
    assert "File name too long" in str(error)
    assert "(--out " in str(error)


def test_the_folder_that_init_wrote_is_a_model_too(tmp_path: Path) -> None:
    (tmp_path / "target.yaml").write_text("url: http://127.0.0.1:1\nschema: schema.yaml\nsample: sample.csv\n")
    (tmp_path / "schema.yaml").write_text("features: [{name: amount, kind: number}]\n")
    described = read_described(str(tmp_path))
    assert (described.name, described.schema.names()) == (tmp_path.name, ("amount",))
