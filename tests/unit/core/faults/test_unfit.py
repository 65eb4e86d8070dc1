from typing import Any

import pytest
from pydantic import TypeAdapter

from alertdrill.core.faults.base import Fault
from alertdrill.core.faults.catalogue import FaultSpec
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

FEATURES = (Feature(name="amount", kind=FeatureKind.NUMBER), Feature(name="country", kind=FeatureKind.CATEGORY))
TARGET = Schema(features=FEATURES)
LABELLED = Schema(features=FEATURES, label="fraud")


def mistakes(target: Schema = TARGET, **values: Any) -> list[tuple[str | int, ...]]:
    fault: Fault = TypeAdapter(FaultSpec).validate_python({"share": 1, **values})
    return [mistake.at for mistake in fault.unfit(target)]


def test_a_key_that_no_request_has_cannot_be_renamed() -> None:
    assert mistakes(kind="renamed_field", field="amuont", to="x") == [("field",)]
    assert mistakes(kind="renamed_field", field="amount", to="x") == []


def test_a_key_that_requests_have_is_not_extra() -> None:
    assert mistakes(kind="extra_field", name="amount") == [("name",)]
    assert mistakes(kind="extra_field") == []


def test_a_prior_needs_labels() -> None:
    assert mistakes(kind="prior_shift", label="1") == [("label",)]
    assert mistakes(LABELLED, kind="prior_shift", label="1") == []


@pytest.mark.parametrize("kind", ["empty_body", "traffic_loss"])
def test_most_faults_fit_every_target(kind: str) -> None:
    assert mistakes(kind=kind) == []
