"""What the requests of a drill are made of: the target's sample, or a log of traffic."""

import hashlib
import math
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.target import PreparedTarget
from alertdrill.adapters.traffic_log import read_log
from alertdrill.core.faults.base import Spread
from alertdrill.core.log_fit import played_s
from alertdrill.core.payloads import spreads
from alertdrill.core.plan import Plan, SegmentKind, speed_of
from alertdrill.core.scenario import RecordedLoad, Scenario, locustfile
from alertdrill.core.traffic_log import TrafficLog
from alertdrill.core.units import format_duration
from alertdrill.protocols.csv_text import to_csv
from alertdrill.protocols.rows import Rows


@dataclass(frozen=True, eq=False)
class Material:
    """What the requests of a drill are made of.

    Attributes:
        rows: what they send, as far as is known: users of a locustfile bring their own.
        sha256: of the CSV file of these rows.
        csv: that file; None where it is the target's own sample.
        reference: the target's own sample, where the rows are not drawn from it.
        spreads: of the reference.
        log: when they come, where that is recorded.
    """

    rows: Rows
    sha256: str
    csv: bytes | None = None
    reference: Rows | None = None
    spreads: Mapping[str, Spread] | None = None
    log: TrafficLog | None = None

    def notes(self, plan: Plan) -> Iterator[str]:
        """What is worth knowing of where the rows come from."""
        file = locustfile(plan.scenario.load)
        if file is not None:
            yield (
                f"what the users of {file} send is not known beforehand: the requests touched, and what alerts see of "
                "them, are estimates from the target's sample; their calls beside the endpoint are not counted"
            )
        if self.log is None:
            return
        yield from self.log.notes
        longest_s = max(one.duration_s for one in plan.segments if one.kind is not SegmentKind.PHASE)
        if self.reference is not None and longest_s * speed_of(plan.scenario, None) > self.log.length_s:
            lasts = format_duration(math.floor(self.log.length_s * 1000) / 1000)
            yield (
                f"steady state, gates and settle play the {lasts} of the log over and over: statistics that take rows "
                "for independent count each repeat as new"
            )


def recorded_traffic(scenario: Scenario, path: Path, target: PreparedTarget) -> TrafficLog | None:
    """The log of a scenario, if its load is recorded.

    Raises:
        BadInput: the log cannot be used.
    """
    return read_log(path, scenario.load.log, target.schema) if isinstance(scenario.load, RecordedLoad) else None


def material(scenario: Scenario, tail_s: float, target: PreparedTarget, log: TrafficLog | None) -> Material:
    """What a drill needs of its target's sample and of its log.

    Args:
        scenario: the drill.
        tail_s: how long a fault can still make an alert in scope fire after its last effect.
        target: where the requests go.
        log: all of it.
    """
    played = log.until(played_s(scenario, tail_s)) if log is not None else None
    if played is None or played.rows is None:
        if locustfile(scenario.load) is None:
            return Material(target.sample, target.sample_sha256, log=played)
        own, spread = target.sample, spreads(target.sample)
        return Material(own, target.sample_sha256, reference=own, spreads=spread)
    csv = to_csv(played.rows, target.schema).encode()
    digest = hashlib.sha256(csv).hexdigest()
    return Material(played.rows, digest, csv, target.sample, spreads(target.sample), played)
