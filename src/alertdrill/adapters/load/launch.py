"""How the processes of the load are started, and what they are told."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.plan import LOAD_TIMEOUT_S
from alertdrill.tls import SYSTEM_ROOTS, TlsSettings

VARIABLE = "ALERTDRILL_LOAD"
MODULE = ("-m", "alertdrill.adapters.load")
HERE = "127.0.0.1"
SILENT_S = 10.0
JOIN_S = 90.0  # how long the master waits for workers that are started elsewhere


class Address(BaseModel):
    """Where a master listens."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    host: str = Field(default=HERE, description="address of a network interface, or a name that has one")
    port: int = Field(default=0, ge=0, le=65535, description="TCP port; 0: one that is free")

    def __str__(self) -> str:
        return f"{self.host}:{self.port}"


class LoadArguments(BaseModel):
    """What the load needs to know before its first command; handed over as JSON in `ALERTDRILL_LOAD`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Path = Field(description="plan.json of the drill")
    sample: Path = Field(description="CSV file that rows are drawn from")
    url: str = Field(description="address of the first server on the wire, such as http://127.0.0.1:8000")
    authority: str | None = Field(default=None, description="value of the Host header; null: what url says")
    secret_headers: dict[str, str] = Field(
        default_factory=dict, description="headers that the plan leaves out, as it is kept", repr=False
    )
    tls: TlsSettings = Field(default=SYSTEM_ROOTS, description="how an https url is checked")
    timeout_s: float = Field(
        default=LOAD_TIMEOUT_S, gt=0, description="a request without a whole answer after this has failed"
    )
    max_connections: int = Field(
        default=8192, gt=0, description="open connections at most, of all workers; further requests wait"
    )
    locustfile: Path | None = Field(
        default=None, description="file whose users make the requests; null: the load makes them itself"
    )
    users: int = Field(default=1, gt=0, description="how many users of the locustfile there are")
    workers: int = Field(default=1, gt=0, description="processes that share the load")
    listen: Address | None = Field(
        default=None, description="where workers that are started elsewhere join; null: they are started here"
    )
    silent_s: float = Field(
        default=SILENT_S, gt=0, description="users that send nothing for this long while requests are due end the load"
    )
    join_s: float = Field(default=JOIN_S, gt=0, description="how long the master waits for the workers")

    @property
    def alone(self) -> bool:
        """Whether one process sends all of it, without a master."""
        return self.workers == 1 and self.listen is None


def argv(arguments: LoadArguments) -> list[str]:
    """Command line of the load for its lifeline: Locust, headless, or the role that the arguments ask for."""
    if arguments.locustfile is not None:
        return ["--guard", *MODULE, "users"]
    if not arguments.alone:
        return [*MODULE, "master"]
    return [*MODULE, "--headless", "--only-summary", "-u", "1", "--host", arguments.url]


def worker_argv() -> list[str]:
    """Command line of a worker behind its lifeline; the command `join` tells it where the master is."""
    return [*MODULE, "worker"]


def environment(arguments: LoadArguments) -> Mapping[str, str]:
    """Environment variables to add for the load process; relative paths are made absolute."""
    absolute = {"plan": arguments.plan.resolve(), "sample": arguments.sample.resolve(), "tls": arguments.tls.absolute()}
    if arguments.locustfile is not None:
        absolute["locustfile"] = arguments.locustfile.resolve()
    return {VARIABLE: arguments.model_copy(update=absolute).model_dump_json()}


def own_arguments() -> LoadArguments:
    """What this process was told.

    Raises:
        ValueError: the variable is missing or does not hold what it should.
    """
    if VARIABLE not in os.environ:
        raise ValueError(f"{VARIABLE} is not set: start the load with alertdrill.adapters.load.launch")
    return LoadArguments.model_validate_json(os.environ[VARIABLE])
