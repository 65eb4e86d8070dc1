"""An MLmodel file: the signature of a model that MLflow saved."""

import json
from collections.abc import Mapping, Sequence
from typing import Any

from alertdrill.core.joining.endpoint import Endpoint, Field, NotUnderstood, Skipped
from alertdrill.protocols.features import FeatureKind
from alertdrill.protocols.mlflow import Mlflow

_KINDS = {
    "double": FeatureKind.NUMBER,
    "float": FeatureKind.NUMBER,
    "integer": FeatureKind.INTEGER,
    "long": FeatureKind.INTEGER,
    "string": FeatureKind.CATEGORY,
    "datetime": FeatureKind.TIMESTAMP,
}
SIGN_IT = "save the model with a signature (mlflow.models.infer_signature), or give --protocol mlflow"


def endpoint_of(document: Mapping[str, Any], path: str, source: str) -> Endpoint:
    """How a scoring server of MLflow takes rows of a model.

    Args:
        document: the MLmodel file.
        path: of the endpoint; empty: MLflow's own.
        source: what to call the file.

    Raises:
        NotUnderstood: it has no signature, or one of several tensors.
    """
    signature = document.get("signature")
    inputs = _listed(signature.get("inputs") if isinstance(signature, dict) else None)
    if not inputs:
        raise NotUnderstood("no signature", "a model with one", SIGN_IT)
    path = path or "/invocations"
    if any(one.get("type") == "tensor" for one in inputs):
        return _of_tensors(inputs, path, source)
    fields, skipped = [], []
    for position, one in enumerate(inputs):
        name, required = str(one.get("name", position)), one.get("required", True) is not False
        kind = _KINDS.get(str(one.get("type")))
        if kind is None:
            skipped.append(Skipped(name, f"of type {one.get('type')}", required))
        else:
            fields.append(Field(name, kind, required, watched=kind is not FeatureKind.TIMESTAMP))
    return Endpoint(source, path, Mlflow(), tuple(fields), tuple(skipped), notes=(_about_answers(),))


def _of_tensors(inputs: Sequence[Mapping[str, Any]], path: str, source: str) -> Endpoint:
    """A signature of one unnamed tensor of rows, or of a tensor for each feature."""
    shapes = [_shape(one) for one in inputs]
    if len(inputs) == 1 and len(shapes[0]) == 2 and shapes[0][1] != 1:
        width = shapes[0][1] if shapes[0][1] > 0 else None
        if inputs[0].get("name"):
            fix = "serve it by MLServer and give --protocol oip_v2, or save it with a signature of columns"
            raise NotUnderstood(f"one named tensor ({inputs[0]['name']})", "an unnamed one, or columns", fix)
        return Endpoint(source, path, Mlflow(format="inputs", named=False), width=width, notes=(_about_answers(),))
    if all(one.get("name") and len(shape) <= 2 and shape[1:] in ([], [1]) for one, shape in _paired(inputs, shapes)):
        fields = tuple(Field(str(one["name"]), _tensor_kind(one)) for one in inputs)
        return Endpoint(source, path, Mlflow(format="inputs"), fields, notes=(_about_answers(),))
    shown = ", ".join(str(shape) for shape in shapes)
    raise NotUnderstood(f"tensors of shape {shown}", "rows of features, shape [-1, n]", SIGN_IT)


def _paired(
    inputs: Sequence[Mapping[str, Any]], shapes: Sequence[list[int]]
) -> list[tuple[Mapping[str, Any], list[int]]]:
    return list(zip(inputs, shapes, strict=True))


def _shape(one: Mapping[str, Any]) -> list[int]:
    spec = one.get("tensor-spec")
    shape = spec.get("shape") if isinstance(spec, dict) else None
    sizes = shape if isinstance(shape, list) else []
    if not all(type(size) is int for size in sizes):
        raise NotUnderstood(f"a tensor of shape {sizes}", "whole numbers, such as [-1, 13]", SIGN_IT)
    return sizes


def _tensor_kind(one: Mapping[str, Any]) -> FeatureKind:
    spec = one.get("tensor-spec")
    dtype = str(spec.get("dtype") if isinstance(spec, dict) else "")
    if "int" in dtype:
        return FeatureKind.INTEGER
    return FeatureKind.NUMBER if "float" in dtype else FeatureKind.CATEGORY


def _listed(text: Any) -> list[Mapping[str, Any]]:
    """The columns of a signature, which stand as a text of JSON in the file."""
    try:
        found = json.loads(text) if isinstance(text, str) else text
    except ValueError:
        raise NotUnderstood("a signature that is no JSON", "one that MLflow wrote", SIGN_IT) from None
    return [one for one in found if isinstance(one, dict)] if isinstance(found, list) else []


def _about_answers() -> str:
    return "a prediction is taken for the class; give --try to see one"
