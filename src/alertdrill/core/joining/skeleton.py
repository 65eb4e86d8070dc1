"""A scenario for the rules that a Prometheus of the user's own has loaded: a phase for each fault that is proposed."""

import math
from collections.abc import Iterator, Mapping, Sequence
from textwrap import wrap
from typing import Any

from alertdrill.core.joining.flow import flow
from alertdrill.core.joining.proposals import Proposal, Proposals, grouped
from alertdrill.core.joining.starter import TARGET

ROOM_S = 30.0
WIDTH = 118


def skeleton_text(found: Proposals, name: str, prometheus: str, rate_per_s: int) -> str:
    """own-rules.yaml, with a comment at each phase that says what it was inferred from.

    Args:
        found: what is proposed; at least one fault.
        name: of the scenario.
        prometheus: its address.
        rate_per_s: requests a second.
    """
    phases = list(grouped(found.proposed))
    longest_s = max(one.wait_s for one in found.proposed)
    needed_s = sum(_lasts_s(members) for _, members in phases) + (len(phases) + 2) * (longest_s + ROOM_S) + 60
    lines = [
        *_comment("Proposed from the rules that this Prometheus has loaded: read each phase before you run it."),
        *_comment("Not proposed:" if found.left_out else "", *(f"  {one.alert}: {one.why}" for one in found.left_out)),
        "version: 1",
        f"name: {name}",
        "target:",
        f"  include: {TARGET}",
        "monitoring:",
        "  monitor: none                   # the model's own metrics and your own rules; nothing stands in front",
        f"  prometheus: {{url: {flow(prometheus)}}}",
        f"load: {{rate: {rate_per_s}/s}}",
        f"limits: {{max_duration: {math.ceil(needed_s / 60)}m}}",
        "",
        "phases:",
        f"  - {{name: baseline, duration: {math.ceil(longest_s)}s}}",
    ]
    used: dict[str, int] = {}
    for fault, members in phases:
        lines += ["", *_phase(fault, members, used)]
    return "\n".join(lines) + "\n"


def _phase(fault: Mapping[str, Any], members: Sequence[Proposal], used: dict[str, int]) -> Iterator[str]:
    kind = str(fault["kind"])
    used[kind] = used.get(kind, 0) + 1
    name = kind.replace("_", "-") + (f"-{used[kind]}" if used[kind] > 1 else "")
    for why in dict.fromkeys(one.why for one in members):
        yield from (f"  {line}" for line in _comment(why))
    yield f"  - name: {name}"
    yield f"    duration: {_lasts_s(members)}s"
    yield "    end_when: decided"
    yield f"    faults: [{flow(fault)}]"
    yield "    expect:"
    for one in {one.alert: one for one in members}.values():
        labels = f", labels: {flow(one.labels)}" if one.labels else ""
        yield f"      - {{alert: {flow(one.alert)}{labels}, within: {math.ceil(one.wait_s)}s}}"


def _lasts_s(members: Sequence[Proposal]) -> int:
    return math.ceil(max(one.wait_s for one in members) + ROOM_S)


def _comment(*texts: str) -> Iterator[str]:
    for text in texts:
        plain = "".join(character if character.isprintable() else " " for character in text)
        indent = " " * (len(plain) - len(plain.lstrip()))
        yield from (f"# {indent}{line}" for line in wrap(plain.lstrip(), WIDTH - len(indent), subsequent_indent="  "))
