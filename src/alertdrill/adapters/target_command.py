"""The command that starts a target for a drill: words, environment and ports, and its keeper's arguments."""

import json
import os
import shlex
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from alertdrill.adapters.free_port import free_ports
from alertdrill.adapters.keeper import TARGET_ENVIRONMENT
from alertdrill.adapters.yaml_file import beside, locate
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import CommandTarget
from alertdrill.core.scenario.finding import Finding
from alertdrill.core.scenario.target import METRICS_PORT, PORT

ONE_THREAD = "OMP_NUM_THREADS"


@dataclass(frozen=True)
class ServeCommand:
    """How a model server is started.

    Attributes:
        words: program and arguments, `{port}` and `{metrics_port}` in them.
        folder: that it runs in.
        ready: path that answers 2xx once it serves.
        ready_timeout_s: how long that may take, seconds.
        environ: further variables, the same in them.
        metrics: path of its own metrics; None if they are not scraped.
        metrics_apart: whether they are at a port of their own.
    """

    words: Sequence[str]
    folder: Path
    ready: str
    ready_timeout_s: float
    environ: Mapping[str, str] = field(default_factory=dict)
    metrics: str | None = None
    metrics_apart: bool = False

    @property
    def text(self) -> str:
        """As a user would write it."""
        return shlex.join(self.words).replace(shlex.quote(PORT), PORT).replace(shlex.quote(METRICS_PORT), METRICS_PORT)

    def at(self, ports: "Ports") -> "ServeCommand":
        """The same with its ports in place."""
        words = [ports.put_into(word) for word in self.words]
        environ = {name: ports.put_into(value) for name, value in self.environ.items()}
        return ServeCommand(words, self.folder, self.ready, self.ready_timeout_s, environ, self.metrics)


@dataclass(frozen=True)
class Ports:
    """Where one server listens on 127.0.0.1."""

    serving: int
    metrics: int

    @classmethod
    def choose(cls, command: ServeCommand) -> "Ports":
        """Free ones; one for both unless the command tells them apart."""
        found = free_ports(2 if command.metrics_apart else 1)
        return cls(found[0], found[-1])

    def put_into(self, text: str) -> str:
        """A text with the ports in place of what stands for them."""
        return text.replace(PORT, str(self.serving)).replace(METRICS_PORT, str(self.metrics))


def keeper_argv(command: ServeCommand, port: int, log: Path) -> list[str]:
    """What `alertdrill.lifeline` is given to keep a server, its ports in place."""
    return [
        *("--guard", "-m", "alertdrill.adapters.keeper", "--port", str(port), "--ready", command.ready),
        *("--ready-timeout", f"{command.ready_timeout_s:g}", "--log", str(log.absolute())),
        *("--cwd", str(command.folder), "--", *command.words),
    ]


def keeper_environ(environ: Mapping[str, str]) -> dict[str, str]:
    """What the keeper's environment has for the server's, whose variables must not be the keeper's own."""
    return {TARGET_ENVIRONMENT: json.dumps(dict(environ))}


def own_command(target: CommandTarget, scenario_path: Path, environ: Mapping[str, str] = os.environ) -> ServeCommand:
    """The command of a scenario. Nothing is started.

    One thread of OpenMP unless somebody says otherwise: a pool of them on the cores that the load needs too made a
    p99 of 2 s out of a model that answers in milliseconds.

    Raises:
        BadInput: there is no such folder or program.
    """
    folder = (beside(scenario_path, target.cwd) if target.cwd is not None else scenario_path.parent).absolute()
    if not folder.is_dir():
        finding = Finding(("target", "cwd"), "a folder", "correct it: the path is relative to the scenario")
        raise BadInput(locate(scenario_path, [finding]))
    words = shlex.split(target.command)
    program = words[0] if os.sep not in words[0] else str(folder / words[0])
    path = target.env.get("PATH", environ.get("PATH"))
    if shutil.which(program, path=path) is None:
        expected = "a program that is found and can be run"
        fix = "correct its name, or give its path (relative to target.cwd)"
        raise BadInput(locate(scenario_path, [Finding(("target", "command"), expected, fix, words[0])]))
    few = {} if ONE_THREAD in environ else {ONE_THREAD: "1"}
    return ServeCommand(
        words=[program, *words[1:]] if os.sep in words[0] else words,
        folder=folder,
        ready=target.ready,
        ready_timeout_s=target.ready_timeout,
        environ={**few, **target.env},
        metrics=target.metrics,
        metrics_apart=target.has_metrics_port,
    )


def bundled_command(script: Path, arguments: Sequence[str], ready: str, timeout_s: float) -> ServeCommand:
    """How the server of a bundled model is started where faults stop or end it: at a port that stays the same."""
    words = [sys.executable, str(script), *arguments, "--port", PORT]
    return ServeCommand(words, Path.cwd(), ready, timeout_s, metrics="/metrics")
