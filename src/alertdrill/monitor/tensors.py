"""Rows from the tensors of the Open Inference Protocol, version 2 (kserve/open-inference-protocol, inference_rest.md).

Each tensor is `{"name", "shape", "datatype", "data"}`, its data flat or nested. Either there is one tensor a feature,
named like it, with one value a row; or a single one of shape [rows, features].
"""

from collections.abc import Mapping, Sequence
from itertools import chain
from typing import Any


class NotTensors(ValueError):
    """Tensors that hold no rows: shapes that do not fit the data or each other."""


def are_tensors(found: Sequence[object]) -> bool:
    """Whether every element of a list is a tensor, by its keys."""
    return bool(found) and all(isinstance(one, dict) and one.keys() >= {"name", "shape", "data"} for one in found)


def rows_of(tensors: Sequence[Mapping[str, Any]], names: Sequence[str]) -> list[dict[str, Any]]:
    """The rows that tensors hold.

    Args:
        tensors: at least one.
        names: of the features, in the order of the columns of a single matrix.

    Raises:
        NotTensors: they hold none.
    """
    if len(tensors) == 1 and tensors[0]["name"] not in names:
        return _of_matrix(tensors[0], names)
    columns = {str(tensor["name"]): _flat(tensor["data"]) for tensor in tensors}
    lengths = {len(column) for column in columns.values()}
    if len(lengths) != 1 or lengths == {0} or any(_shape(one)[0] not in lengths for one in tensors):
        raise NotTensors("columns of different lengths")
    return [dict(zip(columns, values, strict=True)) for values in zip(*columns.values(), strict=True)]


def _of_matrix(tensor: Mapping[str, Any], names: Sequence[str]) -> list[dict[str, Any]]:
    shape, values = _shape(tensor), _flat(tensor["data"])
    width = len(names)
    if len(shape) != 2 or shape[1] != width or shape[0] * width != len(values) or not values:
        raise NotTensors("no matrix of rows and features")
    return [dict(zip(names, values[at : at + width], strict=True)) for at in range(0, len(values), width)]


def _shape(tensor: Mapping[str, Any]) -> tuple[int, ...]:
    shape = tensor["shape"]
    if not isinstance(shape, list) or not shape or not all(type(one) is int for one in shape):
        raise NotTensors("a shape that is no list of whole numbers")
    return tuple(shape)


def _flat(data: object) -> list[Any]:
    if not isinstance(data, list):
        raise NotTensors("data that is no list")
    while data and all(isinstance(one, list) for one in data):
        data = list(chain.from_iterable(data))
    return data
