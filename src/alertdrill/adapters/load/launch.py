"""How the load process is started, and what it is told."""

import os
from collections.abc import Mapping
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.plan import LOAD_TIMEOUT_S
from alertdrill.tls import SYSTEM_ROOTS, TlsSettings

VARIABLE = "ALERTDRILL_LOAD"


class LoadArguments(BaseModel):
    """What the load process needs to know before its first command; handed over as JSON in `ALERTDRILL_LOAD`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    plan: Path = Field(description="plan.json of the drill")
    sample: Path = Field(description="CSV file that rows are drawn from")
    url: str = Field(description="address of the first server on the wire, such as http://127.0.0.1:8000")
    authority: str | None = Field(default=None, description="value of the Host header; null: what url says")
    tls: TlsSettings = Field(default=SYSTEM_ROOTS, description="how an https url is checked")
    timeout_s: float = Field(
        default=LOAD_TIMEOUT_S, gt=0, description="a request without a whole answer after this has failed"
    )
    max_connections: int = Field(default=8192, gt=0, description="open connections at most; further requests wait")


def argv(arguments: LoadArguments) -> list[str]:
    """Command line of the load process behind its lifeline: Locust, headless."""
    locust = ["--headless", "--only-summary", "-u", "1", "--host", arguments.url]
    return ["-m", "alertdrill.adapters.load", *locust]


def environment(arguments: LoadArguments) -> Mapping[str, str]:
    """Environment variables to add for the load process; relative paths are made absolute."""
    absolute = {"plan": arguments.plan.resolve(), "sample": arguments.sample.resolve(), "tls": arguments.tls.absolute()}
    return {VARIABLE: arguments.model_copy(update=absolute).model_dump_json()}


def own_arguments() -> LoadArguments:
    """What this process was told.

    Raises:
        ValueError: the variable is missing or does not hold what it should.
    """
    if VARIABLE not in os.environ:
        raise ValueError(f"{VARIABLE} is not set: start the load with alertdrill.adapters.load.launch")
    return LoadArguments.model_validate_json(os.environ[VARIABLE])
