from typing import Any

import pytest
from pydantic import ValidationError
from tests.unit.protocols.rows_of_two import FEATURES

from alertdrill.protocols.bad_value import BadValue
from alertdrill.protocols.catalogue import KINDS
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2
from alertdrill.protocols.schema import Feature, Schema


def mistake(**given: Any) -> BadValue:
    with pytest.raises(ValidationError) as caught:
        Schema.model_validate({"features": FEATURES, **given})
    (error,) = caught.value.errors()
    found = error["ctx"]["error"]
    assert isinstance(found, BadValue)
    return found


def test_a_protocol_is_named_alone_or_with_options() -> None:
    assert Schema(features=FEATURES).protocol == Json()
    for kind in KINDS:
        assert Schema(protocol=kind, path="/x", features=FEATURES).protocol.kind == kind
    assert Schema(protocol={"kind": "mlflow", "format": "csv"}, features=FEATURES).protocol == Mlflow(format="csv")


@pytest.mark.parametrize(
    ("name", "near"),
    [("KServe V1", "instances"), ("oip", "oip_v2"), ("triton", "oip_v2"), ("ml_flow", "json"), ("MLflow", "mlflow")],
)
def test_an_unknown_protocol_is_a_mistake_that_says_which_there_are(name: str, near: str) -> None:
    found = mistake(protocol=name)
    assert "json, oip_v2, instances, mlflow" in found.expected
    assert found.fix == f"write {near}"


def test_a_protocol_with_the_models_name_in_its_path_needs_one() -> None:
    assert mistake(protocol="oip_v2").fix == "add path: /v2/models/MODEL/infer"
    assert mistake(protocol="instances").fix == "add path: /v1/models/MODEL:predict"
    assert Schema(features=FEATURES).path == "/predict"


def test_options_that_do_not_fit_the_features_are_mistakes() -> None:
    found = mistake(protocol={"kind": "oip_v2", "tensors": "one"}, path="/x")
    assert (found.at, found.fix) == (("protocol", "tensors"), "write tensors: each")


def test_another_protocol_has_its_own_default_path_and_keeps_a_path_that_was_written() -> None:
    assert Schema(features=FEATURES).speaking(Mlflow()).path == "/invocations"
    assert Schema(path="/p", features=FEATURES).speaking(OipV2()).path == "/p"
    with pytest.raises(BadValue) as caught:
        Schema(features=FEATURES).speaking(Instances())
    assert caught.value.at == ("path",)
    with pytest.raises(BadValue) as caught:
        Schema(path="/p", features=FEATURES).speaking(OipV2(tensors="one"))
    assert caught.value.at == ("protocol", "tensors")


@pytest.mark.parametrize("path", ["predict", "@elsewhere.test/predict", ":80/predict", "/a b", "/a\r\nX: y"])
def test_a_path_stays_on_the_server_and_in_its_line(path: str) -> None:
    assert mistake(path=path).expected == "a path that begins with /, without blanks"


def test_features_that_have_one_name_are_a_mistake_of_the_last() -> None:
    found = mistake(features=[*FEATURES, FEATURES[0]])
    assert (found.at, found.expected) == (("features", 3, "name"), "each name once (the first is features[0])")


@pytest.mark.parametrize(
    ("kind", "expected", "fix"),
    [
        ("text", "category for texts", "write category, and watched: false for free text"),
        ("array", "one value a feature, none with values inside", "leave it out"),
    ],
)
def test_texts_and_nested_values_are_told_what_to_write_instead(kind: str, expected: str, fix: str) -> None:
    with pytest.raises(ValidationError) as caught:
        Feature.model_validate({"name": "essay", "kind": kind})
    (error,) = caught.value.errors()
    found = error["ctx"]["error"]
    assert (error["loc"], found.expected) == (("kind",), expected)
    assert found.fix.startswith(fix)
