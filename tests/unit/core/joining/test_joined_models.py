import json
from typing import Any

import pytest

from alertdrill.core.joining import mlmodel, oip_metadata
from alertdrill.core.joining.by_path import endpoint_at
from alertdrill.core.joining.endpoint import NotUnderstood
from alertdrill.protocols.features import FeatureKind
from alertdrill.protocols.instances import Instances
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2


def signature(*inputs: Any) -> Any:
    return {"flavors": {"sklearn": {}}, "signature": {"inputs": json.dumps(inputs), "outputs": "[]"}}


def test_a_signature_of_columns_gives_kinds_and_what_no_row_can_carry() -> None:
    found = mlmodel.endpoint_of(
        signature(
            {"type": "double", "name": "alcohol", "required": True},
            {"type": "long", "name": "year", "required": False},
            {"type": "string", "name": "region"},
            {"type": "datetime", "name": "at"},
            {"type": "boolean", "name": "organic"},
        ),
        "",
        "MLmodel",
    )
    assert (found.path, found.protocol) == ("/invocations", Mlflow())
    assert [(one.name, one.kind, one.required) for one in found.fields or ()] == [
        ("alcohol", FeatureKind.NUMBER, True),
        ("year", FeatureKind.INTEGER, False),
        ("region", FeatureKind.CATEGORY, True),
        ("at", FeatureKind.TIMESTAMP, True),
    ]
    assert [(one.name, one.required) for one in found.skipped] == [("organic", True)]


def test_a_signature_of_one_tensor_gives_only_how_many_features_there_are() -> None:
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": [-1, 13]}}
    found = mlmodel.endpoint_of(signature(tensor), "/api/invocations", "MLmodel")
    assert (found.path, found.width, found.fields) == ("/api/invocations", 13, None)
    assert found.protocol == Mlflow(format="inputs", named=False)


def test_named_tensors_of_one_column_are_features() -> None:
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "int64", "shape": [-1, 1]}, "name": "year"}
    found = mlmodel.endpoint_of(signature(tensor, {**tensor, "name": "ash"}), "", "MLmodel")
    assert [(one.name, one.kind) for one in found.fields or ()] == [
        ("year", FeatureKind.INTEGER),
        ("ash", FeatureKind.INTEGER),
    ]


@pytest.mark.parametrize(
    "document",
    [
        {},
        {"signature": None},
        {"signature": {"inputs": "no json"}},
        signature({"type": "tensor", "tensor-spec": {"dtype": "float32", "shape": [-1, 28, 28]}}),
    ],
)
def test_a_model_without_a_signature_of_rows_is_not_understood(document: Any) -> None:
    with pytest.raises(NotUnderstood):
        mlmodel.endpoint_of(document, "", "MLmodel")


def metadata(*inputs: Any, outputs: Any = ({"name": "predict"},)) -> Any:
    return {"name": "wine", "platform": "sklearn", "inputs": list(inputs), "outputs": list(outputs)}


def tensor(name: str, shape: list[int], datatype: str = "FP32") -> Any:
    return {"name": name, "shape": shape, "datatype": datatype}


def test_one_tensor_of_metadata_gives_its_name_datatype_and_width() -> None:
    found = oip_metadata.endpoint_of(metadata(tensor("input__0", [-1, 13])), "/v2/models/wine", "metadata")
    assert (found.path, found.width, found.fields) == ("/v2/models/wine/infer", 13, None)
    assert found.protocol == OipV2(tensors="one", name="input__0", numbers="FP32")


def test_a_tensor_for_each_feature_gives_names_and_kinds() -> None:
    document = metadata(tensor("amount", [-1, 1], "FP64"), tensor("n", [-1, 1], "INT32"), tensor("c", [-1], "BYTES"))
    found = oip_metadata.endpoint_of(document, "/v2/models/m", "metadata")
    assert [(one.name, one.kind) for one in found.fields or ()] == [
        ("amount", FeatureKind.NUMBER),
        ("n", FeatureKind.INTEGER),
        ("c", FeatureKind.CATEGORY),
    ]
    assert found.protocol == OipV2(numbers="FP64", integers="INT32")


def test_metadata_without_inputs_leave_the_names_to_the_reference_and_say_so() -> None:
    found = oip_metadata.endpoint_of(metadata(), "/v2/models/wine", "metadata")
    assert (found.fields, found.width) == (None, None)
    assert "--try" in found.notes[0]


def test_of_several_outputs_one_is_taken_for_the_class() -> None:
    outputs = ({"name": "predict_proba"}, {"name": "predict"})
    found = oip_metadata.endpoint_of(metadata(outputs=outputs), "/v2/models/wine", "metadata")
    assert found.protocol.label == "/predict"


@pytest.mark.parametrize(
    "inputs",
    [
        [tensor("image", [-1, 3, 224, 224])],
        [tensor("a", [-1], "FP32"), tensor("b", [-1], "FP64")],
        [tensor("a", [-1], "BOOL")],
    ],
)
def test_tensors_that_rows_cannot_be_written_as_are_not_understood(inputs: Any) -> None:
    with pytest.raises(NotUnderstood):
        oip_metadata.endpoint_of(metadata(*inputs), "/v2/models/m", "metadata")


@pytest.mark.parametrize(
    ("path", "model"),
    [
        ("/v2/models/wine", "/v2/models/wine"),
        ("/api/v2/models/wine/versions/3/infer", "/api/v2/models/wine/versions/3"),
        ("/v2/models/wine/ready", "/v2/models/wine"),
        ("/predict", None),
        ("/v2", None),
    ],
)
def test_the_path_of_a_model_is_found_in_any_path_of_it(path: str, model: str | None) -> None:
    found = oip_metadata.MODEL_PATH.fullmatch(path)
    assert (found and found["model"]) == model


def test_paths_of_model_servers_name_their_protocol() -> None:
    found = endpoint_at("/v1/models/wine:predict")
    assert found is not None
    assert found.protocol == Instances(rows="values")
    assert endpoint_at("/serving-endpoints/wine/invocations") is not None
    assert endpoint_at("/predict") is None


@pytest.mark.parametrize("shape", [["many", 3], [None, 3], [-1, [3]], [-1.0, 3.5]])
def test_shapes_that_are_none_are_not_understood(shape: Any) -> None:
    metadata = {"name": "m", "inputs": [{"name": "a", "datatype": "FP64", "shape": shape}]}
    tensor = {"type": "tensor", "tensor-spec": {"dtype": "float64", "shape": shape}}
    with pytest.raises(NotUnderstood, match="a tensor of shape"):
        oip_metadata.endpoint_of(metadata, "/v2/models/m", "metadata")
    with pytest.raises(NotUnderstood, match="a tensor of shape"):
        mlmodel.endpoint_of(signature(tensor), "", "MLmodel")


@pytest.mark.parametrize("name", [{}, {"name": None}, {"name": ""}, {"name": ["a"]}])
@pytest.mark.parametrize("shape", [[-1], [-1, 3]])
def test_a_tensor_without_a_name_is_not_understood(name: Any, shape: Any) -> None:
    metadata = {"name": "m", "inputs": [{**name, "datatype": "FP64", "shape": shape}]}
    with pytest.raises(NotUnderstood, match="a tensor without a name"):
        oip_metadata.endpoint_of(metadata, "/v2/models/m", "metadata")
