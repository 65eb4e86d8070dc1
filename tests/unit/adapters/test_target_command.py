import sys
from pathlib import Path

import pytest
from pydantic import ValidationError

from alertdrill.adapters.free_port import HIGHEST, LOWEST, free_ports
from alertdrill.adapters.target_command import Ports, bundled_command, keeper_argv, own_command
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import CommandTarget

SCENARIO = """\
target:
  command: {command}
  cwd: {cwd}
"""


def target(command: str, **more: object) -> CommandTarget:
    values = {"command": command, "ready": "/health", "schema": "schema.json", "sample": "sample.csv"}
    return CommandTarget.model_validate(values | more)


@pytest.fixture
def scenario(tmp_path: Path) -> Path:
    (tmp_path / "service").mkdir()
    file = tmp_path / "own.yaml"
    file.write_text(SCENARIO.format(command="x", cwd="service"))
    return file


def test_words_are_split_as_a_shell_would_and_ports_put_in(scenario: Path) -> None:
    one = own_command(target(f"{sys.executable} -c 'print(1)' --at={{port}}"), scenario, {})
    assert one.at(Ports(8123, 8123)).words == [sys.executable, "-c", "print(1)", "--at=8123"]
    assert one.folder == scenario.parent
    assert one.text == f"{sys.executable} -c 'print(1)' '--at={{port}}'"


def test_variables_have_ports_too_and_metrics_a_port_of_their_own_where_that_is_asked_for(scenario: Path) -> None:
    env = {"HTTP_PORT": "{port}", "METRICS_PORT": "{metrics_port}"}
    one = own_command(target(sys.executable, env=env, metrics="/m"), scenario, {})
    ports = Ports.choose(one)
    assert ports.serving != ports.metrics
    assert one.at(ports).environ == {
        "OMP_NUM_THREADS": "1", "HTTP_PORT": str(ports.serving), "METRICS_PORT": str(ports.metrics),
    }  # fmt: skip
    together = Ports.choose(own_command(target(f"{sys.executable} {{port}}", metrics="/m"), scenario, {}))
    assert together.serving == together.metrics


def test_one_thread_of_openmp_unless_somebody_says_otherwise(scenario: Path) -> None:
    command = f"{sys.executable} {{port}}"
    assert own_command(target(command), scenario, {}).environ == {"OMP_NUM_THREADS": "1"}
    assert own_command(target(command), scenario, {"OMP_NUM_THREADS": "2"}).environ == {}
    written = target(command, env={"OMP_NUM_THREADS": "4"})
    assert own_command(written, scenario, {"OMP_NUM_THREADS": "2"}).environ == {"OMP_NUM_THREADS": "4"}


def test_a_program_beside_the_scenario_is_found_from_its_folder(scenario: Path) -> None:
    script = scenario.parent / "service" / "serve.sh"
    script.write_text("#!/bin/sh\n")
    script.chmod(0o755)
    assert own_command(target("./serve.sh {port}", cwd="service"), scenario, {}).words[0] == str(script)


@pytest.mark.parametrize(
    ("command", "cwd", "where"),
    [("no-such-server {port}", "service", "target.command"), ("sh {port}", "nowhere", "target.cwd")],
)
def test_a_program_or_folder_that_is_not_there_is_shown_on_its_line(
    scenario: Path, command: str, cwd: str, where: str
) -> None:
    with pytest.raises(BadInput) as caught:
        own_command(target(command, cwd=cwd), scenario)
    (mistake,) = caught.value.mistakes
    assert (mistake.where, mistake.file) == (where, str(scenario))


def test_a_keeper_is_given_all_before_the_command(scenario: Path) -> None:
    command = own_command(target(f"{sys.executable} --port {{port}}", ready_timeout="90s"), scenario, {})
    argv = keeper_argv(command.at(Ports(8123, 8123)), 8123, scenario.parent / "target.log")
    assert argv[: argv.index("--")] == [
        "--guard", "-m", "alertdrill.adapters.keeper", "--port", "8123", "--ready", "/health", "--ready-timeout", "90",
        "--log", str(scenario.parent / "target.log"), "--cwd", str(scenario.parent),
    ]  # fmt: skip
    assert argv[argv.index("--") + 1 :] == [sys.executable, "--port", "8123"]


def test_a_bundled_server_gets_a_port_that_stays(tmp_path: Path) -> None:
    command = bundled_command(tmp_path / "server.py", ["--data", "D"], "/health", 60.0)
    assert command.at(Ports(9, 9)).words == [sys.executable, str(tmp_path / "server.py"), "--data", "D", "--port", "9"]


def test_free_ports_are_different_and_not_those_of_connections_going_out() -> None:
    ports = free_ports(5)
    assert len(set(ports)) == 5
    assert all(LOWEST <= port <= HIGHEST < 32_768 for port in ports)


@pytest.mark.parametrize("name", ["command", "cwd", "schema", "sample"])
def test_a_zero_byte_is_a_mistake_wherever_a_program_or_file_is_named(name: str) -> None:
    with pytest.raises(ValidationError, match="text without a zero byte"):
        target(**{"command": "serve {port}", name: "x\0 {port}"})
