import argparse
import json
import math
from pathlib import Path
from typing import Any

import pytest

from alertdrill.monitor.bad_settings import BadSettings
from alertdrill.monitor.books import Books
from alertdrill.monitor.notes import Note
from alertdrill.monitor.reference import BadFile
from alertdrill.monitor.settings import SETTINGS, add_options, read_settings, settings_of
from alertdrill.monitor.sources import Place, Source
from alertdrill.monitor.truth.mail import Security
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.schema import Schema

SCHEMA = Schema.model_validate({"features": [{"name": "amount", "kind": "number"}]})


@pytest.fixture
def sample(tmp_path: Path) -> Path:
    path = tmp_path / "sample.csv"
    rows = [f"{i}.5,{i / 300},{'yes' if i % 3 else 'no'}" for i in range(300)]
    path.write_text("\n".join(["amount,p,class", *rows]) + "\n")
    return path


def books(sample: Path, **more: Any) -> Books:
    return Books(read_settings({"schema": SCHEMA, "reference": sample, **more}))


GIVEN = {
    "schema": "s.json", "reference": "r.csv", "model": "m", "model_version": "2", "protocol": "instances",
    "score": "/s", "label": "/l", "prediction_id": "request:/id", "reference_score": "p", "reference_label": "c",
    "reference_answers": "500", "dependencies": "store, cache", "log": "log.jsonl", "log_max_bytes": "4096",
    "log_files": "2", "log_share": "0.5", "log_redact": "card", "log_headers": "user-agent", "model_pid": "1",
    "false_alarms_per_week": "0.5", "truth_store": "t.db", "truth_task": "regression", "truth_version": "/v",
    "truth_positive": "yes", "truth_share": "0.1", "truth_window": "1h,7d", "truth_every": "30s",
    "truth_min_labels": "20", "truth_keep": "60d", "truth_rows": "5000", "truth_early": "2h", "truth_patience": "3s",
    "feedback_path": "/truth", "feedback_log": "f.jsonl", "kpi": "a=count(label > 1)", "accuracy_check_every": "7d",
    "accuracy_check_metric": "mae", "accuracy_check_threshold": "3", "accuracy_check_min_labels": "50",
    "smtp_host": "mail", "smtp_port": "25", "smtp_security": "tls", "smtp_ca": "ca.pem", "smtp_from": "a@b.example",
    "smtp_to": "c@d.example", "smtp_user": "u", "smtp_password_env": "P", "runbook_url": "https://r",
    "page": "/watch",
}  # fmt: skip


def test_every_setting_is_an_option_and_comes_back_from_it() -> None:
    assert GIVEN.keys() | {"exact_reference", "gpu", "smtp_password_file"} == SETTINGS.keys()
    argv = ["--exact-reference", "--gpu", "--smtp-to", "e@f.example", "--kpi", "b=sum(value where label > 1)"]
    for name, value in GIVEN.items():
        argv += ["--" + name.replace("_", "-"), value]
    parser = argparse.ArgumentParser()
    add_options(parser)
    settings = settings_of(parser.parse_args(argv))
    assert settings.dependencies == ("store", "cache")
    assert (settings.log_share, settings.log_max_bytes, settings.reference_answers) == (0.5, 4096, 500)
    assert (settings.exact_reference, settings.gpu, settings.log) == (True, True, Path("log.jsonl"))
    assert settings.prediction_id == Source(Place.REQUEST, "/id")
    truth = settings.truth
    assert truth is not None
    assert (truth.store, truth.windows, truth.keep_s) == (Path("t.db"), (("1h", 3_600.0), ("7d", 604_800.0)), 5_184_000)
    assert (truth.smtp_to, truth.smtp_security) == (("e@f.example", "c@d.example"), Security.TLS)
    assert truth.kpis == ("b=sum(value where label > 1)", "a=count(label > 1)")


def test_the_help_says_what_is_taken_where_nothing_is_given() -> None:
    parser = argparse.ArgumentParser()
    add_options(parser)
    text = " ".join(parser.format_help().split())
    for default in ("(default /prediction_id)", "(default 35d)", "(default 1d)", "(default starttls)", "(default 587)"):
        assert default in text
    assert parser.parse_args(["--schema", "s", "--reference", "r"]).truth_store is None


def test_keyword_arguments_may_be_lists_and_numbers() -> None:
    given = {"schema": SCHEMA, "reference": "r.csv", "log_redact": ["a", "b"], "truth_store": "t.db"}
    settings = read_settings({**given, "truth_every": 5, "smtp_to": (), "kpi": ["a=count(label = 1)"]})
    assert settings.log_redact == ("a", "b")
    assert settings.truth is not None
    assert (settings.truth.every_s, settings.truth.kpis) == (5.0, ("a=count(label = 1)",))


def test_all_mistakes_are_named_at_once_with_a_fix() -> None:
    wrong = {"score": "score", "log_share": 5, "log_shar": 1, "truth_share": 2, "prediction_id": "body"}
    with pytest.raises(BadSettings) as refused:
        read_settings({"reference": "r.csv", **wrong})
    text = str(refused.value)
    for part in (
        "schema\n  got none", "score\n  got 'score'", "log_share\n  got 5", "log_shar\n  got 1", "log_share,",
        "truth_store\n  got none", "truth_share\n  got 2", "prediction_id\n  got 'body'", "fix: write /prediction_id",
    ):  # fmt: skip
        assert part in text
    assert text.count("fix:") == 7
    assert "--truth-share\n  got 2" in refused.value.said()


def test_a_reference_with_predictions_makes_their_cells(sample: Path) -> None:
    text = books(sample, reference_score="p", reference_label="class").account.scrape().decode()
    assert 'model_prediction_reference_rows{model="model",version="1",output="score"} 300' in text
    assert 'output="label",cell="yes"} 0' in text


@pytest.mark.parametrize(
    ("more", "says"),
    [({"reference_score": "q"}, "no column q"), ({"reference_score": "class"}, "class: got no usable value")],
)
def test_a_reference_without_predictions_is_refused(sample: Path, more: Any, says: str) -> None:
    with pytest.raises(BadFile, match=says) as refused:
        books(sample, **more)
    assert "fix:" in str(refused.value)


def test_feedback_cannot_be_posted_to_where_the_model_predicts(sample: Path, tmp_path: Path) -> None:
    with pytest.raises(BadSettings, match="feedback_path\n  got /predict"):
        books(sample, truth_store=tmp_path / "t.db", feedback_path="/predict")


def test_one_budget_is_shared_by_all_that_can_alarm(sample: Path) -> None:
    text = books(sample, reference_score="p", false_alarms_per_week=10).account.scrape().decode()
    thresholds = {
        line.split()[0].partition("{")[0]: float(line.split()[1]) for line in text.splitlines() if "_threshold{" in line
    }
    c = math.log(6_048_000 / 10)
    assert thresholds["model_drift_threshold"] == pytest.approx(c + math.log(3))  # a feature, a score, a class
    assert thresholds["model_prediction_drift_threshold"] == pytest.approx(c + math.log(3))
    assert thresholds["model_drift_global_threshold"] == pytest.approx(c + math.log(3))


def test_plans_of_drills_know_how_many_outputs_are_watched_by_default() -> None:
    settings = read_settings({"schema": SCHEMA, "reference": "r.csv"})
    assert (settings.score, settings.label) == (None, None)
    assert (Json().watched, Instances().watched, Instances(score="/1").watched) == (2, 1, 2)


def test_what_is_left_empty_is_not_looked_for(sample: Path) -> None:
    text = books(sample, score="", label="").account.scrape().decode()
    assert "model_prediction" not in text.replace("model_predictions_total", "")
    assert "model_malformed_answers_total" not in text


@pytest.mark.parametrize("path", ["/", "monitor", "/a b", "/a?b", "/a/", "//a"])
def test_a_page_is_at_a_path_that_leaves_the_root_to_the_model(sample: Path, path: str) -> None:
    with pytest.raises(BadSettings, match=r"page\n  got .*\n  fix: write /monitor, or nothing"):
        books(sample, page=path)


@pytest.mark.parametrize("path", ["/metrics", "/predict"])
def test_a_page_takes_no_path_that_has_a_meaning(sample: Path, path: str) -> None:
    with pytest.raises(BadSettings, match=f"page\n  got {path}, which has another meaning"):
        books(sample, page=path)


def test_clashes_of_paths_are_said_all_at_once_and_before_anything_is_opened(sample: Path, tmp_path: Path) -> None:
    store = tmp_path / "t.db"
    for more, count in (({}, 1), ({"feedback_path": "/predict"}, 2)):
        with pytest.raises(BadSettings) as refused:
            books(sample, page="/predict", truth_store=store, **more)
        assert str(refused.value).count("fix:") == count
    assert list(tmp_path.iterdir()) == [sample]


def test_a_page_can_be_left_out(sample: Path) -> None:
    assert books(sample, page="").page is None
    assert books(sample).page is not None


def test_the_log_of_a_protocol_that_is_no_json_has_rows(sample: Path, tmp_path: Path) -> None:
    log = tmp_path / "log.jsonl"
    account = books(sample, protocol='{"kind": "mlflow", "format": "csv"}', log=log).account
    account.note(Note(200, 0.1, True, b"amount\r\n50\r\n", b'{"predictions": [1]}'))
    account.close()
    (line,) = log.read_text().splitlines()
    assert json.loads(line)["inputs"] == {"dataframe_records": [{"amount": 50.0}]}


@pytest.mark.parametrize(
    ("protocol", "told"),
    [
        ("oip_v3", "expected a protocol: json, oip_v2"),
        ("{", "unexpected end of data"),
        ('{"kind": "oip_v2", "tensors": "no"}', "'each' or 'one'"),
        ("instances", "path"),
    ],
)
def test_a_protocol_that_cannot_be_used_is_said_to_be(sample: Path, protocol: str, told: str) -> None:
    with pytest.raises(BadSettings, match=told):
        books(sample, protocol=protocol)
