"""Metadata of a model by the Open Inference Protocol: tensors, but mostly no names of features."""

import re
from collections.abc import Mapping
from typing import Any

from alertdrill.core.joining.endpoint import Endpoint, Field, NotUnderstood
from alertdrill.protocols.features import FeatureKind
from alertdrill.protocols.oip_v2 import OipV2

MODEL_PATH = re.compile(r"(?P<model>.*/v2/models/[^/]+(/versions/[^/]+)?)(/infer|/ready)?/?")
"""Path of a model, with what may come behind it."""

_NUMBERS = ("FP16", "FP32", "FP64", "BF16")
_INTEGERS = ("INT8", "INT16", "INT32", "INT64", "UINT8", "UINT16", "UINT32", "UINT64")
BY_HAND = "write protocol: {kind: oip_v2, …} and the features in a schema by hand (docs/protocols.md)"


def is_metadata(document: Any) -> bool:
    """Whether this is what `GET /v2/models/NAME` answers."""
    return isinstance(document, dict) and "name" in document and isinstance(document.get("inputs"), list)


def endpoint_of(document: Mapping[str, Any], model_path: str, source: str) -> Endpoint:
    """How a model takes tensors.

    Args:
        document: its metadata.
        model_path: where these are, such as /v2/models/wine.
        source: what to call them.

    Raises:
        NotUnderstood: tensors of a shape or datatype that rows cannot be written as.
    """
    path, inputs = f"{model_path}/infer", [one for one in document["inputs"] if isinstance(one, dict)]
    label, note = _label(document)
    if not inputs:
        return Endpoint(source, path, OipV2(tensors="one", label=label), notes=(_no_inputs(document), *note))
    shapes = [_shape(one) for one in inputs]
    if len(inputs) == 1 and len(shapes[0]) == 2 and shapes[0][1] != 1:
        datatype = str(inputs[0].get("datatype"))
        kinds = _datatypes({datatype})
        protocol = OipV2(tensors="one", name=_name(inputs[0]), label=label, **kinds)
        return Endpoint(source, path, protocol, width=shapes[0][1] if shapes[0][1] > 0 else None, notes=note)
    if any(len(shape) > 2 or shape[1:] not in ([], [1]) for shape in shapes):
        shown = ", ".join(f"{one.get('name')} {shape}" for one, shape in zip(inputs, shapes, strict=True))
        raise NotUnderstood(f"tensors {shown}", "one of shape [-1, n], or one of [-1] or [-1, 1] a feature", BY_HAND)
    flat = all(len(shape) == 1 for shape in shapes)
    kinds = _datatypes({str(one.get("datatype")) for one in inputs})
    fields = tuple(Field(_name(one), _kind(str(one.get("datatype")))) for one in inputs)
    return Endpoint(source, path, OipV2(flat=flat, label=label, **kinds), fields, notes=note)


def _name(one: Mapping[str, Any]) -> str:
    name = one.get("name")
    if isinstance(name, str) and name:
        return name
    raise NotUnderstood("a tensor without a name", "one that requests can name", BY_HAND)


def _kind(datatype: str) -> FeatureKind:
    if datatype in _INTEGERS:
        return FeatureKind.INTEGER
    return FeatureKind.NUMBER if datatype in _NUMBERS else FeatureKind.CATEGORY


def _datatypes(found: set[str]) -> dict[str, Any]:
    """The options for the datatypes of numbers and integers.

    Raises:
        NotUnderstood: there are several of one sort, or one that we cannot write.
    """
    options: dict[str, Any] = {}
    for key, known in (("numbers", _NUMBERS), ("integers", _INTEGERS)):
        among = sorted(found & set(known))
        if len(among) > 1:
            raise NotUnderstood(f"datatypes {', '.join(among)}", f"one datatype for all {key}", BY_HAND)
        options |= {key: among[0]} if among else {}
    other = sorted(found - {*_NUMBERS, *_INTEGERS, "BYTES"}) + sorted(found & {"BF16"})
    if other:
        raise NotUnderstood(f"datatype {', '.join(other)}", "FP16 to FP64, INT, UINT or BYTES", BY_HAND)
    return options


def _shape(one: Mapping[str, Any]) -> list[int]:
    shape = one.get("shape")
    sizes = shape if isinstance(shape, list) else []
    if not all(type(size) is int for size in sizes):
        raise NotUnderstood(f"a tensor of shape {sizes}", "whole numbers, such as [-1, 13]", BY_HAND)
    return sizes


def _label(document: Mapping[str, Any]) -> tuple[str, tuple[str, ...]]:
    """Where the class stands: with several outputs a prediction is an object of their values."""
    outputs = document.get("outputs")
    names = [str(one.get("name")) for one in outputs if isinstance(one, dict)] if isinstance(outputs, list) else []
    if len(names) < 2:
        return "", ()
    usual = next((name for name in names if name in ("predict", "label", "class")), names[0])
    note = f"of the outputs {', '.join(names)}, {usual} is taken for the class"
    return "/" + usual.replace("~", "~0").replace("/", "~1"), (note,)


def _no_inputs(document: Mapping[str, Any]) -> str:
    platform = document.get("platform") or "the server"
    return f"{platform} does not say how it takes rows: one tensor for all features is assumed; --try tells"
