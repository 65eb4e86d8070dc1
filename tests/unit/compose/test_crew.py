"""Tests of how many processes send the load, and where they may be."""

import socket
from collections.abc import Mapping
from typing import Any

import pytest

from alertdrill.adapters.load.launch import Address
from alertdrill.compose.crew import ALONE, Crew, address
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import Scenario

REMOTE = {"url": "http://model.example", "schema": "s.yaml", "sample": "s.csv", "allow_hosts": ["model.example"]}
NULLS = {"kind": "nulls", "features": ["amount"], "share": "20%"}
SLOW = {"kind": "latency", "delay": "400ms", "share": "30%"}


def _scenario(target: Mapping[str, Any], monitor: str, *faults: Mapping[str, Any]) -> Scenario:
    return Scenario.model_validate(
        {
            "version": 1,
            "name": "crew",
            "target": target,
            "monitoring": {"monitor": monitor, "rules": ["r.yml"]},
            "load": {"rate": "10/s"},
            "phases": [{"name": "broken", "duration": "15s", "faults": list(faults)}],
        }
    )


BUNDLED = _scenario({"bundled": "fraud"}, "sidecar", NULLS)


@pytest.mark.parametrize("workers", [0, -1, 65])
def test_the_number_of_workers_has_limits(workers: int) -> None:
    with pytest.raises(BadInput, match="1 to 64"):
        Crew.of(BUNDLED, workers, None)


def test_one_process_is_the_default() -> None:
    assert Crew.of(BUNDLED, 1, None) == ALONE


@pytest.mark.parametrize("text", ["", "5557", ":5557", "a:", "a:x", "a:0", "a:70000", "[::1]:5557", "a:1:2"])
def test_what_is_no_address_is_refused(text: str) -> None:
    with pytest.raises(BadInput, match="expected HOST:PORT"):
        address("--distributed", text)


def test_all_mistakes_are_said_at_once() -> None:
    with pytest.raises(BadInput) as caught:
        Crew.of(BUNDLED, 0, "nowhere")
    assert [mistake.where for mistake in caught.value.mistakes] == ["--workers", "--distributed"]


@pytest.mark.parametrize(
    ("scenario", "first"),
    [
        (BUNDLED, "the monitor"),
        (_scenario({"bundled": "fraud"}, "none", NULLS), "a model that alertdrill starts"),
        (_scenario({**REMOTE, "url": "http://127.0.0.1:8000"}, "none", NULLS), "127.0.0.1"),
        (_scenario(REMOTE, "sidecar", NULLS), "the monitor"),
        (_scenario(REMOTE, "none", {**SLOW, "place": "edge"}), "a fault proxy"),
    ],
)
def test_workers_elsewhere_need_a_server_that_they_reach(scenario: Scenario, first: str) -> None:
    with pytest.raises(BadInput) as caught:
        Crew.of(scenario, 2, "10.0.0.1:5557")
    (mistake,) = caught.value.mistakes
    assert f"do not go to {first} first" in mistake.expected
    assert Crew.of(scenario, 2, "127.0.0.1:5557").listen == Address(port=5557)


def test_workers_elsewhere_may_load_a_target_elsewhere() -> None:
    for faults in ([NULLS], [{**SLOW, "place": "inside"}]):
        crew = Crew.of(_scenario(REMOTE, "none", *faults), 2, "10.0.0.1:5557")
        assert crew.listen == Address(host="10.0.0.1", port=5557)


def test_the_blast_radius_names_every_process() -> None:
    assert ALONE.starts() == ("load",)
    assert Crew(2).starts() == ("load master", "load worker 1", "load worker 2")
    (elsewhere,) = Crew(3, Address(port=5557)).starts()
    assert elsewhere == "load master at 127.0.0.1:5557, for 3 workers from elsewhere"


def test_a_port_that_is_taken_is_refused_before_anything_starts() -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        with pytest.raises(BadInput, match="the port is taken"):
            Crew(2, Address(port=port)).check_free()
    Crew(2, Address(port=port)).check_free()


@pytest.mark.parametrize("host", ["192.0.2.1", "nohost.invalid"])
def test_an_address_that_this_machine_does_not_have_is_refused(host: str) -> None:
    with pytest.raises(BadInput, match="an address that is free on this machine"):
        Crew(2, Address(host=host, port=5557)).check_free()


def test_certificates_are_not_sent_to_other_machines() -> None:
    secured = _scenario({**REMOTE, "url": "https://model.example", "tls": {"ca": "own.pem"}}, "none", NULLS)
    with pytest.raises(BadInput, match="tls: ca"):
        Crew.of(secured, 2, "10.0.0.5:5557")
    assert Crew.of(secured, 2, "127.0.0.1:5557").workers == 2
    trusted = _scenario({**REMOTE, "url": "https://model.example", "tls": {"server_name": "m"}}, "none", NULLS)
    assert Crew.of(trusted, 2, "10.0.0.5:5557").workers == 2


@pytest.mark.parametrize(("workers", "distributed"), [(2, None), (1, "127.0.0.1:5557"), (3, "127.0.0.1:5557")])
def test_the_users_of_a_locustfile_share_one_process(workers: int, distributed: str | None) -> None:
    load = BUNDLED.load.model_copy(update={"locustfile": "users.py", "users": 5})
    option = "--workers" if distributed is None else "--distributed"
    with pytest.raises(BadInput, match=f"leave {option} out"):
        Crew.of(BUNDLED.model_copy(update={"load": load}), workers, distributed)
    assert Crew.of(BUNDLED.model_copy(update={"load": load}), 1, None) == ALONE


def test_secrets_in_headers_do_not_leave_the_machine() -> None:
    named = _scenario({**REMOTE, "headers": {"X-Api-Key": {"env": "API_KEY"}, "X-Team": "fraud"}}, "none", NULLS)
    with pytest.raises(BadInput, match="secrets in headers: X-Api-Key"):
        Crew.of(named, 2, "10.0.0.5:5557")
    assert Crew.of(named, 2, "127.0.0.1:5557").workers == 2
