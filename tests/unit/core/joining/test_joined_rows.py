import random
from typing import Any

import pytest
import yaml

from alertdrill.core.errors import BadInput
from alertdrill.core.joining.endpoint import Endpoint, Field, Skipped
from alertdrill.core.joining.joined import Joined, Reference, joined
from alertdrill.core.joining.reference_table import Column, column_of, thinned
from alertdrill.core.joining.starter import Reached, drill_text, schema_text, target_text
from alertdrill.protocols.features import FeatureKind
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.oip_v2 import OipV2
from alertdrill.protocols.rows import parse_csv

NUMBER, INTEGER, CATEGORY, TIME = FeatureKind
WORDS = ["red", "white", "rosé"]


def endpoint(*fields: Field, **changes: Any) -> Endpoint:
    return Endpoint("OpenAPI", "/predict", Json(), **{"fields": fields or None, **changes})


def reference(count: int = 100, label: str | None = None, drop: tuple[str, ...] = (), **columns: Any) -> Reference:
    columns = columns or {"amount": "1.5", "colour": "red"}
    rows = [
        {name: (values[n % len(values)] if isinstance(values, list) else values) for name, values in columns.items()}
        for n in range(count)
    ]
    return Reference("day.csv", tuple(columns), rows, label, drop)


def refused(found: Endpoint, rows: Reference) -> list[tuple[str, str]]:
    with pytest.raises(BadInput) as error:
        joined(found, rows)
    return [(one.where, one.got) for one in error.value.mistakes]


@pytest.mark.parametrize(
    ("values", "kind", "texts"),
    [
        (["1", "2", ""], INTEGER, ("1", "2", "")),
        (["1.0", "NA", "2"], NUMBER, ("1.0", "", "2")),
        ([1.5, None, float("nan")], NUMBER, ("1.5", "", "")),
        (["true", "False", ""], INTEGER, ("1", "0", "")),
        ([True, False, None], INTEGER, ("1", "0", "")),
        (["NA", "RS", ""], CATEGORY, ("NA", "RS", "")),
        (["2026-11-22T20:46:15Z", ""], TIME, ("2026-11-22T20:46:15.000Z", "")),
        (["2026-11-22 21:00", "NA"], TIME, ("2026-11-22T21:00:00.000Z", "")),
        (["2026-11-22", "2026-11-23"], CATEGORY, ("2026-11-22", "2026-11-23")),
        (["1_000", "2"], CATEGORY, ("1_000", "2")),
        ([[1, 2], [3, 4]], None, ("", "")),
    ],
)  # fmt: skip
def test_values_show_their_kind(values: list[Any], kind: FeatureKind | None, texts: tuple[str, ...]) -> None:
    found = column_of("x", values)
    assert (found.kind, found.texts) == (kind, texts)


def test_ranges_categories_and_nulls_are_shown() -> None:
    assert column_of("x", ["1", "3", "", "2"]).about == "1 to 3, 25.0% null"
    assert column_of("x", [*"aab", *"cdef"]).about == "a, b, c, d and 2 more"
    assert column_of("x", ["", ""]).about == "always null"


def test_identifiers_and_free_text_are_not_watched() -> None:
    numbers = [str(n) for n in range(200)]
    shuffled = random.Random(1).sample(numbers, 200)
    assert "identifier" in str(column_of("id", numbers).why_unwatched)
    assert column_of("amount", shuffled).why_unwatched is None
    assert "identifier" in str(column_of("id", [f"c{n}" for n in numbers]).why_unwatched)
    assert "free text" in str(column_of("t", [f"what the customer wrote {n}" for n in numbers]).why_unwatched)
    assert column_of("c", WORDS * 50).why_unwatched is None


def test_rows_are_thinned_evenly_however_many_there_are() -> None:
    kept, count = thinned(({"n": n} for n in range(1234)), most=100)
    numbers = [row["n"] for row in kept]
    assert (len(kept), count) == (100, 1234)
    assert numbers == sorted(set(numbers))
    assert numbers[0] == 0
    assert numbers[-1] > 1100


def test_the_document_says_which_features_there_are_and_the_reference_which_values() -> None:
    fields = (Field("colour", CATEGORY), Field("amount", NUMBER), Field("note", CATEGORY, required=False))
    found = joined(endpoint(*fields), reference(amount=["1", "2.5"], colour=WORDS, more="9"))
    assert [(one.name, one.kind) for one in found.schema.features] == [("colour", CATEGORY), ("amount", NUMBER)]
    assert any("note: optional" in one for one in found.notes)
    assert any("more: in the reference, no input" in one for one in found.notes)
    rows = parse_csv(found.sample_csv(), found.schema)
    assert rows.columns["amount"].values[:2].tolist() == [1.0, 2.5]


def test_the_label_is_kept_and_never_a_feature() -> None:
    found = joined(endpoint(), reference(amount=["1", "2"], fraud=["0", "1"], id="7", label="fraud", drop=("id",)))
    assert found.schema.names() == ("amount",)
    labels = parse_csv(found.sample_csv(), found.schema).labels
    assert labels is not None
    assert labels[:2].tolist() == ["0", "1"]


def test_every_contradiction_of_document_and_reference_is_said_at_once() -> None:
    fields = (Field("amont", NUMBER), Field("year", INTEGER), Field("price", NUMBER))
    rows = reference(10, amount="1", year=["1999", "2.5"], price="cheap", label="fraud")
    rows = Reference(rows.file, rows.names, rows.rows, "labl")
    assert refused(endpoint(*fields, skipped=(Skipped("meta", "an object", True),)), rows) == [
        ("--reference", "10 rows"),
        ("--label", "labl"),
        ("meta", "an object, in OpenAPI"),
        ("amont", "no such column"),
        ("year", "'2.5' in row 2"),
        ("price", "'cheap' in row 1"),
    ]


def test_as_many_columns_as_the_tensor_is_wide_are_asked_for() -> None:
    protocol = OipV2(tensors="one")
    found = Endpoint("metadata", "/v2/models/m/infer", protocol, width=2)
    assert refused(found, reference(a="1", b="2", c="3")) == [("--reference", "3 columns (a, b, c)")]
    assert joined(found, reference(a="1", b=["2", "1"], c="3", drop=("c",))).schema.names() == ("a", "b")


def test_a_protocol_that_cannot_hold_the_columns_is_refused() -> None:
    found = Endpoint("metadata", "/v2/models/m/infer", OipV2(tensors="one"))
    with pytest.raises(BadInput, match=r"fix: write tensors: each, by --protocol '\{kind: oip_v2, …\}'") as error:
        joined(found, reference())
    assert [one.where for one in error.value.mistakes] == ["protocol.tensors"]


def test_lists_and_objects_of_the_reference_are_refused_by_name() -> None:
    assert refused(endpoint(), reference(a="1", b=[[1]])) == [("b", "lists or objects")]


def test_a_thousand_features_are_joined() -> None:
    values = [str(n / 7) for n in range(50)]
    found = joined(endpoint(), reference(200, **{f"f{n}": values for n in range(1000)}))
    assert len(found.schema.features) == 1000
    assert len(drill_text(found, "wide", 50)) < 3000


def written(found: Joined) -> str:
    return drill_text(found, "first", 50)


def test_a_first_drill_breaks_what_the_model_has() -> None:
    found = joined(endpoint(), reference(amount=["1", "2"], colour=WORDS))
    kinds = [kind for kind in ("mean_shift", "nulls", "malformed_json", "http_error") if kind in written(found)]
    assert kinds == ["mean_shift", "nulls", "malformed_json", "http_error"]
    assert "mean_shift" not in written(joined(endpoint(), reference(colour=WORDS)))
    often = joined(endpoint(), reference(colour=["red", ""]))
    assert "FeatureNullRateHigh" not in written(often)


def test_names_that_yaml_would_read_otherwise_are_quoted() -> None:
    found = joined(endpoint(), reference(**{"no": ["1", "2"], "a: b": "x", "1e3": "y"}))
    text = schema_text(found, "OpenAPI")
    assert '{name: "no", kind: integer}' in text
    assert '{name: "a: b", kind: category}' in text
    assert '{name: "1e3", kind: category}' in text


def test_a_secret_is_named_in_the_target_by_where_it_is() -> None:
    reached = Reached("http://h:1", ("h",), {"X-Team": "fraud"}, {"Authorization": "TOKEN"})
    text = target_text(reached)
    assert 'allow_hosts: ["h"]' in text or "allow_hosts: [h]" in text
    assert "X-Team" in text
    assert yaml.safe_load(text)["headers"] == {"X-Team": "fraud", "Authorization": {"env": "TOKEN"}}


def test_columns_that_are_always_null_are_kept_and_not_watched() -> None:
    found = joined(endpoint(Field("a", NUMBER), Field("b", NUMBER)), reference(a=["1", "2"], b=""))
    assert [one.watched for one in found.schema.features] == [True, False]
    assert isinstance(found.columns[1], Column)


def test_a_reference_of_another_model_is_refused() -> None:
    optional = Field("price", NUMBER, required=False)
    assert refused(endpoint(optional), reference()) == [
        ("--reference", "no column that is an input (it has amount, colour)")
    ]


def test_inputs_that_have_one_name_are_refused() -> None:
    twice = endpoint(Field("amount", NUMBER), Field("amount", NUMBER))
    assert refused(twice, reference()) == [("amount", "2 inputs of that name in OpenAPI")]
