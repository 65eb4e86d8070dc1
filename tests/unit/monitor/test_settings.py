import argparse
from pathlib import Path
from typing import Any

import pytest

from alertdrill.monitor.reference import BadFile
from alertdrill.monitor.settings import BadSettings, Books, Settings, add_options, read_settings, settings_of
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


def test_every_setting_is_an_option_and_comes_back_from_it(tmp_path: Path) -> None:
    given = {
        "schema": "s.json", "reference": "r.csv", "model": "m", "model_version": "2", "rows": "/rows", "score": "/s",
        "label": "/l", "prediction_id": "/id", "reference_score": "p", "reference_label": "c",
        "reference_answers": "500", "dependencies": "store, cache", "log": "log.jsonl", "log_max_bytes": "4096",
        "log_files": "2", "log_share": "0.5", "log_redact": "card", "log_headers": "user-agent", "model_pid": "1",
    }  # fmt: skip
    assert given.keys() | {"exact_reference", "gpu"} == {f.alias or n for n, f in Settings.model_fields.items()}
    argv = ["--exact-reference", "--gpu"]
    for name, value in given.items():
        argv += ["--" + name.replace("_", "-"), value]
    parser = argparse.ArgumentParser()
    add_options(parser)
    settings = settings_of(parser.parse_args(argv))
    assert settings.dependencies == ("store", "cache")
    assert (settings.log_share, settings.log_max_bytes, settings.reference_answers) == (0.5, 4096, 500)
    assert (settings.exact_reference, settings.gpu, settings.log) == (True, True, Path("log.jsonl"))


def test_all_mistakes_are_named_at_once_with_a_fix() -> None:
    with pytest.raises(BadSettings) as refused:
        read_settings({"reference": "r.csv", "score": "score", "log_share": 5, "log_shar": 1})
    text = str(refused.value)
    for part in ("schema: got nothing", "score: got 'score'", "log_share: got 5", "log_shar: got 1"):
        assert part in text
    assert text.count("fix:") >= 4


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


def test_what_is_left_empty_is_not_looked_for(sample: Path) -> None:
    text = books(sample, score="", label="").account.scrape().decode()
    assert "model_prediction" not in text.replace("model_predictions_total", "")
    assert "model_malformed_answers_total" not in text
