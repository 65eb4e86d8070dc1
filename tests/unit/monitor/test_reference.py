from pathlib import Path

import pytest

from alertdrill.drift.reference import watched_cells
from alertdrill.monitor.reference import BadFile, load_reference, load_schema, unwatched_names
from alertdrill.protocols.schema import Schema

SCHEMA = Schema.model_validate(
    {
        "features": [
            {"name": "id", "kind": "category", "watched": False},
            {"name": "amount", "kind": "number"},
            {"name": "country", "kind": "category"},
        ]
    }
)


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    return path


def test_only_watched_features_get_cells_and_an_empty_field_is_a_null(tmp_path: Path) -> None:
    rows = load_reference(written(tmp_path / "s.csv", "id,amount,country\n1,5.5,DE\n2,,FR\n"), SCHEMA)
    cells = watched_cells(SCHEMA, rows)
    assert list(cells) == ["amount", "country"]
    assert cells["amount"].reference_counts[cells["amount"].null] == 1
    assert unwatched_names(SCHEMA) == ("id",)


def test_a_schema_survives_its_file(tmp_path: Path) -> None:
    assert load_schema(written(tmp_path / "schema.json", SCHEMA.model_dump_json())) == SCHEMA


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("id,country\n1,DE\n", "no column 'amount'"),
        ("id,amount,country\n", "no rows"),
        ("id,amount,country\n1,five,DE\n", "could not convert string to float: 'five'"),
        ("id,amount,country\n1,5\n", "expected rows of values"),
        ("", "expected rows of values"),
    ],
)
def test_a_bad_sample_is_explained(tmp_path: Path, text: str, says: str) -> None:
    with pytest.raises(BadFile, match=says) as caught:
        load_reference(written(tmp_path / "s.csv", text), SCHEMA)
    assert "s.csv" in str(caught.value)
    assert "fix:" in str(caught.value)


@pytest.mark.parametrize("text", ["{", "[]", '{"features": []}', '{"features": [{"name": "a", "kind": "colour"}]}'])
def test_a_bad_schema_is_explained(tmp_path: Path, text: str) -> None:
    with pytest.raises(BadFile, match="fix: give the schema of the target as JSON"):
        load_schema(written(tmp_path / "schema.json", text))


def test_files_that_cannot_be_read_are_explained(tmp_path: Path) -> None:
    (tmp_path / "latin.csv").write_bytes(b"\xff\xfe")
    with pytest.raises(BadFile, match="No such file"):
        load_schema(tmp_path / "absent.json")
    with pytest.raises(BadFile, match="not UTF-8"):
        load_reference(tmp_path / "latin.csv", SCHEMA)


def test_a_watched_feature_without_values_is_named(tmp_path: Path) -> None:
    rows = load_reference(written(tmp_path / "s.csv", "id,amount,country\n1,,DE\n"), SCHEMA)
    with pytest.raises(ValueError, match="amount: the reference needs at least one value"):
        watched_cells(SCHEMA, rows)
