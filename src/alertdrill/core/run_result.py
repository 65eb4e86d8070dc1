"""What one `alertdrill run` of several scenarios came to: schema `alertdrill/run/v1`."""

import json
from collections.abc import Iterable
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field

from alertdrill.core.repeat import RepeatResult
from alertdrill.core.result import Result

INTERRUPTED = 130
SEVERITY = (INTERRUPTED, 4, 2, 1, 3, 0)
"""Of several exit codes the first that occurs here counts."""

Status = Literal["ended", "no_result", "stopped", "not_run"]


def worst(codes: Iterable[int]) -> int:
    """The exit code of several drills: the first that occurs of 130, 4, 2, 1, 3, 0; without drills 0."""
    found = {0, *codes}
    return next(code for code in SEVERITY if code in found)


class DrillRun(BaseModel):
    """One scenario of several, and what became of it."""

    scenario: str = Field(description="its name")
    file: str
    status: Status = Field(
        description="ended: there is a verdict; no_result: it broke or was interrupted; stopped: it ran, and "
        "--fail-fast ended it; not_run: it was not begun"
    )
    exit_code: int | None = Field(description="what it alone would have exited with; null: it was stopped or not run")
    why: str | None = Field(description="why there is no verdict")
    folder: str | None = Field(default=None, description="its evidence")
    result: Result | None = Field(default=None, description="its verdicts")
    repeat: RepeatResult | None = Field(default=None, description="with --repeat: those of all its drills together")

    model_config = ConfigDict(defer_build=True, frozen=True, extra="forbid", serialize_by_alias=True)


class RunResult(BaseModel):
    """What became of all scenarios that were asked for."""

    schema_: Literal["alertdrill/run/v1"] = Field(default="alertdrill/run/v1", alias="schema")
    exit_code: int = Field(description="of the command: the first that occurs of 130, 4, 2, 1, 3, 0")
    shard: str | None = Field(description="K/N: the share of the scenarios that these are; null: all")
    of: int = Field(description="how many scenarios there are in all shards")
    drills: tuple[DrillRun, ...] = Field(description="in the order in which they were asked for")
    passed_by: tuple[str, ...] = Field(description="YAML files in the folders that are no scenarios")

    model_config = ConfigDict(frozen=True, extra="forbid", populate_by_name=True, serialize_by_alias=True)

    def to_json(self) -> bytes:
        """Canonical JSON: keys sorted, two spaces, a line end; the same result is the same bytes."""
        return json.dumps(self.model_dump(mode="json"), indent=2, sort_keys=True, ensure_ascii=False).encode() + b"\n"
