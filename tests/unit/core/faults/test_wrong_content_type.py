import pytest
from pydantic import ValidationError

from alertdrill.core.faults.base import Body
from alertdrill.core.faults.body.wrong_content_type import WrongContentType
from alertdrill.protocols.forms import JSON_TYPE
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

SCHEMA = Schema(features=(Feature(name="x", kind=FeatureKind.NUMBER),))
CSV = SCHEMA.speaking(Mlflow(format="csv"))


def fault(**fields: object) -> WrongContentType:
    return WrongContentType.model_validate({"kind": "wrong_content_type", "share": 0.1, **fields})


@pytest.mark.parametrize("data", [b"{}", b'{"amount":1.5}'])
def test_the_header_changes_and_the_bytes_do_not(data: bytes):
    assert fault().edit(Body(data, JSON_TYPE), 0.5) == Body(data, "text/plain")
    given = fault(content_type="application/json; charset=latin-1").edit(Body(data, JSON_TYPE), 0.0)
    assert given == Body(data, "application/json; charset=latin-1")


@pytest.mark.parametrize(
    "content_type", ["", " ", "text/plain\r\nX: y", "text/plain\n", "a\x00b", "tëxt", " text/plain", "x" * 201]
)
def test_what_no_header_can_hold_is_refused(content_type: str):
    with pytest.raises(ValidationError, match="one line of plain ASCII"):
        fault(content_type=content_type)


@pytest.mark.parametrize("content_type", ["application/json", "Application/JSON"])
def test_the_right_type_is_no_fault(content_type: str):
    (mistake,) = fault(content_type=content_type).unfit(SCHEMA)
    assert mistake.expected == "another type than application/json"
    assert list(fault(content_type=content_type).unfit(CSV)) == []
    (mistake,) = fault(content_type="text/csv").unfit(CSV)
    assert mistake.at == ("content_type",)
