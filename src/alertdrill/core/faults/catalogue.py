"""Every fault there is, by kind."""

from collections.abc import Mapping
from typing import Annotated, get_args

from pydantic import Field

from alertdrill.core.faults.base import Fault
from alertdrill.core.faults.latency import Latency
from alertdrill.core.faults.malformed_json import MalformedJson
from alertdrill.core.faults.mean_shift import MeanShift
from alertdrill.core.faults.noop import Noop
from alertdrill.core.faults.nulls import Nulls

FaultSpec = Annotated[Latency | MalformedJson | MeanShift | Noop | Nulls, Field(discriminator="kind")]

KINDS: Mapping[str, type[Fault]] = {
    get_args(fault.model_fields["kind"].annotation)[0]: fault for fault in get_args(get_args(FaultSpec)[0])
}
