import pytest
from drill import SCHEMA, expect, nulls_phase, read

from alertdrill.core.feasibility import unknown_features
from alertdrill.core.scenario.finding import Finding
from alertdrill.protocols.json_template import Json
from alertdrill.protocols.mlflow import Mlflow
from alertdrill.protocols.oip_v2 import OipV2
from alertdrill.protocols.schema import Feature, FeatureKind, Schema

NUMBERS = SCHEMA.model_copy(update={"features": SCHEMA.features[:2]})


def found(*faults: dict[str, object], schema: Schema = SCHEMA, **changes: object) -> list[Finding]:
    scenario = read(nulls_phase(faults=list(faults), **changes)) if faults else read(nulls_phase(**changes))
    return list(unknown_features(scenario, schema))


def test_a_feature_that_the_target_lacks_is_found_and_the_nearest_suggested() -> None:
    (one,) = found({"kind": "nulls", "features": ["amount", "amuont"], "share": 1})
    assert one.path == ("nulls", "faults", 0, "features", 1)
    assert one.fix == "did you mean amount?"


def test_a_pattern_must_fit_a_feature_that_the_fault_can_edit() -> None:
    assert found({"kind": "mean_shift", "features": ["a*", "h?ur"], "by": "1sd", "share": 1}) == []
    (one,) = found({"kind": "mean_shift", "features": ["count*"], "by": "1sd", "share": 1})
    assert one.expected == "a pattern that fits a feature which mean_shift can edit"


def test_a_category_cannot_be_shifted() -> None:
    (one,) = found({"kind": "mean_shift", "features": ["country"], "by": "1sd", "share": 1})
    assert (one.got, one.expected) == ("country, a category", "a number or an integer")
    assert one.fix == "write one of: amount, hour"


def test_a_fault_for_which_the_target_has_no_feature_needs_another_target() -> None:
    only = Schema(features=(Feature(name="country", kind=FeatureKind.CATEGORY),))
    shift = {"kind": "mean_shift", "features": ["country"], "by": "1sd", "share": 1}
    (one,) = found(shift, schema=only, expect=[])
    assert one.fix == "choose another fault: the target has no such feature"


def test_features_of_the_target_are_no_finding() -> None:
    assert found() == []


def test_an_expected_feature_that_the_target_lacks_is_found() -> None:
    (one,) = found(expect=[expect(labels={"feature": "amonut"})])
    assert (one.path, one.fix) == (("nulls", "expect", 0, "labels", "feature"), "did you mean amount?")


def test_without_our_monitor_a_feature_label_can_be_anything() -> None:
    scenario = read(nulls_phase(expect=[expect(labels={"feature": "x"})]), monitoring={"monitor": "none"})
    assert list(unknown_features(scenario, SCHEMA)) == []


@pytest.mark.parametrize(
    ("where", "key", "fix"),
    [
        ({"contry": "NO"}, "contry", "did you mean country?"),
        ({"country": "> 3"}, "country", "write the text that it must have"),
        ({"country": [1, "NO"]}, "country", "put the value in quotes"),
        ({"amount": "much"}, "amount", 'write it like "> 100"'),
    ],
)
def test_a_slice_that_no_row_can_be_in_is_found(where: dict[str, object], key: str, fix: str) -> None:
    (one,) = found({"kind": "nulls", "features": ["amount"], "share": 1, "where": where})
    assert (one.path, one.fix) == (("nulls", "faults", 0, "where", key), fix)
    (gone,) = found({"kind": "vanished_slice", "rows": where, "share": 1})
    assert (gone.path, gone.fix) == (("nulls", "faults", 0, "rows", key), fix)


@pytest.mark.parametrize("where", [{"country": ["NO", "SE"]}, {"amount": "> 10"}, {"hour": [3, 4]}])
def test_a_slice_by_values_that_features_have_is_no_finding(where: dict[str, object]) -> None:
    assert found({"kind": "nulls", "features": ["amount"], "share": 1, "where": where}) == []


@pytest.mark.parametrize(
    ("fault", "path"),
    [
        ({"kind": "nulls", "features": ["amount"], "select": {"kind": "mar", "feature": "country"}}, "feature"),
        ({"kind": "malformed_json", "select": {"kind": "mnar"}}, "kind"),
        ({"kind": "nulls", "features": ["amount", "hour"], "select": {"kind": "mnar"}}, "kind"),
        ({"kind": "nulls", "features": ["country"], "select": {"kind": "mnar"}}, 0),
    ],
)
def test_a_selection_by_rank_needs_numbers_to_rank(fault: dict[str, object], path: object) -> None:
    (one,) = found({**fault, "share": 0.2})
    assert one.path[-1] == path


def test_a_pattern_of_numbers_can_be_selected_by_rank_cell_by_cell() -> None:
    cells = {"kind": "nulls", "of": "cells", "share": 0.2, "select": {"kind": "mnar"}}
    assert found({**cells, "features": ["?o*", "amount"]}, schema=NUMBERS) == []
    assert found({**cells, "features": ["amo*"], "of": "requests"}) == []
    (together,) = found({**cells, "features": ["*o*"], "of": "requests"}, schema=NUMBERS)
    assert (together.path[-2:], together.fix) == (("select", "kind"), "add of: cells")
    (everything,) = found({**cells, "features": "all"})
    assert (everything.path[-1], everything.got) == (0, "all, to which country belongs")


def test_all_is_called_all_where_the_target_has_nothing_to_edit() -> None:
    (one,) = found({"kind": "clock_offset", "features": "all", "by": "5s", "share": 0.2})
    assert (one.got, one.expected) == ("all", "a target with a feature that clock_offset can edit")


def test_a_prior_can_be_shifted_only_where_labels_are_known() -> None:
    shift = {"kind": "prior_shift", "label": "1", "share": 0.3}
    (one,) = found(shift)
    assert one.path == ("nulls", "faults", 0, "label")
    assert found(shift, schema=SCHEMA.model_copy(update={"label": "is_fraud"})) == []


def test_what_an_app_cannot_do_cannot_be_inside() -> None:
    (one,) = found({"kind": "connection_reset", "share": 0.2, "place": "inside"}, expect=[])
    assert (one.path, one.fix) == (("nulls", "faults", 0, "place"), "write place: model")
    assert found({"kind": "http_error", "share": 0.2, "place": "inside"}, expect=[]) == []


def test_two_faults_that_alter_the_same_answers_are_in_each_others_way() -> None:
    errors, resets = ({"kind": kind, "share": 0.3} for kind in ("http_error", "connection_reset"))
    slow = {"kind": "latency", "delay": "1s", "share": 0.3}
    (one,) = found(errors, slow, resets, expect=[])
    assert one.path == ("nulls", "faults", 2, "kind")
    assert "http_error does" in one.expected
    assert found(errors, slow, {**resets, "place": "edge"}, expect=[]) == []


def test_what_a_fault_itself_finds_unfit_is_shown_where_it_stands() -> None:
    (one,) = found({"kind": "renamed_field", "field": "amuont", "to": "x", "share": 0.3}, expect=[])
    assert (one.path, one.fix) == (("nulls", "faults", 0, "field"), "did you mean amount?")


def test_a_matcher_that_no_feature_passes_is_found() -> None:
    assert found(expect=[expect(labels={}, matchers=['feature=~"am.*"'])]) == []
    (one,) = found(expect=[expect(labels={}, matchers=['feature=~"amuont|x"'])])
    assert one.path == ("nulls", "expect", 0, "matchers", 0)
    assert one.fix == "did you mean amount?"


def test_a_fault_that_the_protocol_cannot_carry_is_refused_with_the_reason() -> None:
    numbers = Schema(path="/x", features=NUMBERS.features)
    one_tensor = numbers.speaking(OipV2(tensors="one"))
    missing = {"kind": "missing_key", "features": ["amount"], "share": 1}
    (found_one,) = found(missing, schema=one_tensor, expect=[])
    assert found_one.path == ("nulls", "faults", 0, "kind")
    assert "its values stand in one tensor, without keys" in found_one.expected
    assert found(missing, schema=numbers.speaking(OipV2()), expect=[]) == []
    csv = SCHEMA.speaking(Mlflow(format="csv"))
    (found_one,) = found({"kind": "number_as_string", "features": ["amount"], "share": 1}, schema=csv, expect=[])
    assert "CSV has no types" in found_one.expected


def test_data_faults_edit_bodies_of_users_only_where_these_are_flat_objects() -> None:
    scenario = read(
        nulls_phase(expect=[]), load={"rate": "10/s", "arrivals": "constant", "locustfile": "users.py", "users": 2}
    )
    assert list(unknown_features(scenario, SCHEMA)) == []
    (one,) = unknown_features(scenario, SCHEMA.speaking(Json(body={"row": "$row"})))
    assert "only those of plain json can be edited" in one.expected
