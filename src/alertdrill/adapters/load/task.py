"""What a load has to do: plan, sample and arguments, read where the drill runs and handed to workers anywhere."""

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from alertdrill.adapters.load.launch import LoadArguments
from alertdrill.core.plan import Plan
from alertdrill.protocols.rows import Rows, parse_csv


@dataclass(frozen=True)
class Task:
    """What a load has to do.

    Attributes:
        arguments: as they were given to the load; their paths are those of the machine where the drill runs.
        plan: the plan.
        plan_json: its file.
        sample_csv: the file of the rows that requests are drawn from.
    """

    arguments: LoadArguments
    plan: Plan
    plan_json: bytes
    sample_csv: bytes

    @classmethod
    def read(cls, arguments: LoadArguments) -> "Task":
        """Read the files that the arguments name.

        Raises:
            ValueError: the plan cannot be used, or the sample is not the one that it was made with.
            OSError: a file cannot be read.
        """
        return cls._checked(arguments, arguments.plan.read_bytes(), arguments.sample.read_bytes())

    @classmethod
    def unpack(cls, packed: Mapping[str, Any]) -> "Task":
        """What `pack` gave.

        Raises:
            ValueError: it is not that.
        """
        arguments = LoadArguments.model_validate_json(packed["arguments"])
        return cls._checked(arguments, packed["plan"], packed["sample"])

    def pack(self) -> Mapping[str, Any]:
        """All of it, as text and bytes."""
        arguments = self.arguments.model_dump_json()
        return {"arguments": arguments, "plan": self.plan_json, "sample": self.sample_csv}

    def rows(self) -> Rows:
        """The rows that requests are drawn from."""
        return parse_csv(self.sample_csv.decode(), self.plan.target.schema_)

    @classmethod
    def _checked(cls, arguments: LoadArguments, plan_json: bytes, sample_csv: bytes) -> "Task":
        plan = Plan.model_validate_json(plan_json)
        found = hashlib.sha256(sample_csv).hexdigest()
        if found != plan.target.sample_sha256:
            raise ValueError(
                f"{arguments.sample}: got sha256 {found}, expected {plan.target.sample_sha256}; "
                "plan the drill again with this sample"
            )
        return cls(arguments, plan, plan_json, sample_csv)
