from typing import Any

import pytest
from pydantic import BaseModel, ValidationError

from alertdrill.core.scenario import AlertsInactive, QueryCondition, Scenario, UrlTarget, is_loopback
from alertdrill.core.scenario.finding import path_text, show
from alertdrill.core.scenario.grammar import keys_at, spot_at
from alertdrill.core.scenario.reading import read_scenario


def scenario(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "version": 1,
        "name": "nulls",
        "target": {"bundled": "fraud"},
        "load": {"rate": "100/s"},
        "phases": [phase()],
    }
    return values | changes


def phase(**changes: Any) -> dict[str, Any]:
    values: dict[str, Any] = {
        "name": "nulls",
        "duration": "30s",
        "faults": [{"kind": "nulls", "features": ["amount"], "share": "20%"}],
        "expect": [{"alert": "FeatureNullRateHigh", "within": "10s"}],
    }
    return values | changes


def mistakes(values: object) -> list[str]:
    return [path_text(finding.path) for finding in read_scenario(values).findings]


def models(top: type[BaseModel], seen: set[type[BaseModel]]) -> set[type[BaseModel]]:
    """Every model that a value of `top` can hold."""
    seen.add(top)
    waiting = [field.annotation for field in top.model_fields.values()]
    while waiting:
        annotation: Any = waiting.pop()
        if isinstance(annotation, type) and issubclass(annotation, BaseModel):
            if annotation not in seen:
                models(annotation, seen)
        else:
            waiting += [a for a in getattr(annotation, "__args__", ()) if a is not Ellipsis]
    return seen


def test_a_small_scenario_is_enough() -> None:
    reading = read_scenario(scenario())
    assert reading.findings == ()
    assert reading.scenario is not None
    assert reading.scenario.phases[0].expect[0].within == 10.0
    assert reading.scenario.limits.lease == 5.0


def test_every_key_is_described() -> None:
    undescribed = [
        f"{model.__name__}.{key}"
        for model in models(Scenario, set())
        for key, field in model.model_fields.items()
        if not field.description and key != "kind"
    ]
    assert undescribed == []


def test_every_part_is_frozen_and_refuses_unknown_keys() -> None:
    for model in models(Scenario, set()):
        assert model.model_config.get("frozen"), model
        assert model.model_config.get("extra") == "forbid", model


def test_a_scenario_survives_json() -> None:
    conditions = [{"alerts": "inactive", "for": "5s"}, {"query": "up", "is": "== 1", "no_data": 0, "for": "500ms"}]
    read = Scenario.model_validate(scenario(steady_state=conditions, must_not_fire=[{"alert": "A", "except": ["B"]}]))
    assert Scenario.model_validate_json(read.model_dump_json()) == read
    assert [type(condition) for condition in read.steady_state] == [AlertsInactive, QueryCondition]


def test_a_scenario_has_a_json_schema_with_the_keys_of_the_file() -> None:
    schema = Scenario.model_json_schema()
    assert "for" in schema["$defs"]["QueryCondition"]["properties"]
    assert schema["additionalProperties"] is False


def test_keys_that_python_reserves_have_no_second_name() -> None:
    assert mistakes(scenario(must_not_fire=[{"alert": "A", "except_": ["B"]}])) == ["must_not_fire[0].except_"]


def test_mistakes_between_parts_are_found_although_a_part_is_wrong() -> None:
    wrong = scenario(seed="x", phases=[phase(duration=30), phase()], load={"rate": "900/s"})
    assert sorted(mistakes(wrong)) == ["load.rate", "phases[0].duration", "phases[1].name", "seed"]


def test_a_misspelt_required_key_is_one_mistake() -> None:
    values = scenario()
    values["laod"] = values.pop("load")
    assert mistakes(values) == ["laod"]


def test_wrong_entries_do_not_make_a_list_too_short() -> None:
    assert mistakes(scenario(phases=[phase(duration=30)])) == ["phases[0].duration"]
    assert mistakes(scenario(phases=[])) == ["phases"]


def test_a_fault_may_have_an_id_and_an_expectation_names_it() -> None:
    faults = [
        {"kind": "nulls", "id": "few", "features": ["amount"], "share": "5%"},
        {"kind": "nulls", "features": ["hour"], "share": "20%"},
    ]
    expect = [{"alert": "A", "within": "10s", "fault": name} for name in ("few", "nulls", "many")]
    distinct = [{**entry, "alert": f"A{position}"} for position, entry in enumerate(expect)]
    assert mistakes(scenario(phases=[phase(faults=faults, expect=distinct)])) == ["phases[0].expect[2].fault"]


def test_an_unreadable_fault_does_not_make_its_expectations_wrong() -> None:
    expect = [{"alert": "A", "within": "10s", "fault": "few"}]
    assert mistakes(scenario(phases=[phase(faults=[7], expect=expect)])) == ["phases[0].faults[0]"]


def test_phases_are_limited_together() -> None:
    phases = [phase(name=name, duration="8m") for name in ("a", "b")]
    assert mistakes(scenario(phases=phases)) == ["phases"]
    assert mistakes(scenario(phases=phases, limits={"max_duration": "16m"})) == []


@pytest.mark.parametrize(
    ("host", "loopback"),
    [
        ("localhost", True),
        ("LOCALHOST", True),
        ("127.0.0.1", True),
        ("127.255.0.9", True),
        ("::1", True),
        ("0.0.0.0", False),
        ("127.0.0.1.example.com", False),
        ("localhost.example.com", False),
        ("::ffff:10.0.0.1", False),
        ("10.0.0.1", False),
        ("", False),
    ],
)
def test_loopback_is_this_machine_only(host: str, loopback: bool) -> None:
    assert is_loopback(host) is loopback


@pytest.mark.parametrize(
    "url", ["http://127.0.0.1:8000", "http://[::1]:80", "https://localhost", "http://Staging.test:1"]
)
def test_allowed_urls(url: str) -> None:
    target = {"url": url, "schema": "s.yaml", "sample": "s.csv", "allow_hosts": ["staging.TEST"]}
    UrlTarget.model_validate(target)


@pytest.mark.parametrize(
    "url",
    ["http://10.0.0.1", "ftp://localhost", "localhost:1", "http://", "http://localhost:99999", "http://a:b@localhost"],
)
def test_other_urls_are_refused(url: str) -> None:
    with pytest.raises(ValidationError):
        UrlTarget.model_validate({"url": url, "schema": "s.yaml", "allow_hosts": ["staging.test"]})


def test_the_host_is_checked_although_other_keys_are_missing() -> None:
    target = {"url": "http://10.0.0.1"}
    assert "target.url" in mistakes(scenario(target=target, monitoring={"rules": ["a.yml"]}))


def test_files_and_the_bundled_target_are_known_although_parts_are_wrong() -> None:
    reading = read_scenario(scenario(seed="x", monitoring={"rules": ["a.yml", 5, "b.yml"]}))
    assert reading.files == ((("monitoring", "rules", 0), "a.yml"), (("monitoring", "rules", 2), "b.yml"))
    assert reading.bundled_target == "fraud"


@pytest.mark.parametrize(
    "values", [None, 1, "x", [], {}, {"phases": {"x": 1}}, {"monitoring": []}, {"target": [], "load": 3}]
)
def test_any_plain_values_are_read_without_an_exception(values: object) -> None:
    assert read_scenario(values).findings


def test_tags_of_unions_are_no_keys() -> None:
    location = ("phases", 1, "faults", 0, "latency", "delay")
    assert spot_at(location, Scenario).path == ("phases", 1, "faults", 0, "delay")
    assert spot_at(("target", "(url)", "schema"), Scenario).path == ("target", "schema")
    assert set(keys_at(spot_at(location[:-1], Scenario).annotation)) >= {"id", "share", "place", "kind", "delay"}


def test_values_are_shown_as_users_write_them() -> None:
    values: tuple[object, ...] = (None, True, "a", 1.5, [], {}, [1])
    assert [show(value) for value in values] == [
        "nothing",
        "true",
        '"a"',
        "1.5",
        "an empty list",
        "an empty mapping",
        "a list",
    ]
    assert path_text(("phases", 0, "labels", "a.b")) == 'phases[0].labels["a.b"]'


@pytest.mark.parametrize(
    ("tls", "allowed"),
    [
        ({}, True),
        ({"ca": "ca.pem", "server_name": "model.test"}, True),
        ({"cert": "c.pem", "key": "c.key"}, True),
        ({"cert": "c.pem"}, True),
        ({"verify": False, "server_name": "10.0.0.1"}, True),
        ({"server_name": "fe80::1"}, True),
        ({"key": "c.key"}, False),
        ({"verify": "false"}, False),
        ({"verify": 0}, False),
        ({"verify": False, "ca": "ca.pem"}, False),
        ({"server_name": ".test"}, False),
        ({"server_name": "x" * 64}, False),
        ({"server_name": "a b"}, False),
    ],
)
def test_what_can_be_said_of_tls(tls: dict[str, object], allowed: bool) -> None:
    target = {"url": "https://localhost", "schema": "s.yaml", "sample": "s.csv", "tls": tls}
    found = mistakes(scenario(target=target, monitoring={"rules": ["a.yml"]}))
    assert [path for path in found if path.startswith("target")] == [] if allowed else found


def test_files_of_tls_are_named_relative_to_the_scenario() -> None:
    target = {"url": "https://localhost", "schema": "s", "tls": {"ca": "a.pem", "cert": "c.pem", "key": 1}}
    files = [path_text(path) for path, _ in read_scenario(scenario(target=target)).files]
    assert files == ["target.schema", "target.tls.ca", "target.tls.cert"]
