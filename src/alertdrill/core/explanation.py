"""Why a verdict is what it is: the evidence that it was drawn from, what it means, and what would change it."""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from alertdrill.core.errors import nearest
from alertdrill.core.matchers import in_braces
from alertdrill.core.meanings import DRILLS, PROHIBITIONS, REASONS, VERDICTS
from alertdrill.core.result import (
    DrillVerdict,
    ExpectationResult,
    FaultResult,
    HopResult,
    ProhibitionResult,
    ProhibitionVerdict,
    Reason,
    ReplicasResult,
    Result,
    Verdict,
    WitnessResult,
)
from alertdrill.core.view import in_words


@dataclass(frozen=True)
class Line:
    """One line of an explanation: what it is about, and what is said of it."""

    about: str
    text: str


@dataclass(frozen=True)
class Explanation:
    """A verdict in words.

    Attributes:
        name: of the expectation, the prohibition or the drill.
        verdict: the verdict.
        lines: what was asked, what happened, why the verdict follows, and what would change it.
    """

    name: str
    verdict: Verdict | ProhibitionVerdict | DrillVerdict
    lines: tuple[Line, ...]


class Unknown(LookupError):
    """There is no expectation of that name.

    Attributes:
        known: the names that there are.
        near: the one that was most likely meant, or None.
    """

    def __init__(self, name: str, known: tuple[str, ...]) -> None:
        super().__init__(name)
        self.known, self.near = known, nearest(name, known)


def explain(result: Result, expectation: str | None = None) -> tuple[Explanation, ...]:
    """The whole drill in words, its verdict last, or one expectation of it.

    Raises:
        Unknown: there is no such expectation.
    """
    known = {one.id: one for one in result.expectations}
    if expectation is not None:
        if expectation not in known:
            raise Unknown(expectation, tuple(known))
        return (of_expectation(result, known[expectation]),)
    expectations = tuple(of_expectation(result, one) for one in result.expectations)
    return (*expectations, *(of_prohibition(one) for one in result.prohibitions), of_drill(result))


def of_expectation(result: Result, one: ExpectationResult) -> Explanation:
    """One expectation in words."""
    fault = next((f for f in result.faults if (f.phase, f.id) == (one.phase, one.fault)), None)
    lines = [
        Line("asked", _asked(one)),
        *_fault(one, fault),
        *_rule(one),
        *_instants(one),
        *_signal(one),
        *_time(one),
        *_labels(one),
        *_notification(one),
        *_replicas(one.replicas),
        *_why(VERDICTS[one.verdict], one.reason),
        *_parts(one),
        Line("to change it", _change(one)),
    ]
    return Explanation(one.id, one.verdict, tuple(lines))


def _asked(one: ExpectationResult) -> str:
    parts = [f"{one.alert}{in_braces(one.labels, one.matchers)} fires within {one.within_s:g} s of the first effect"]
    if one.notifies_within_s is not None:
        parts.append(f"{one.notifies_receiver or 'somebody'} is told within {one.notifies_within_s:g} s of it")
    if one.resolves_within_s is not None:
        parts.append(f"it resolves within {one.resolves_within_s:g} s of the last effect")
    if one.probability is not None:
        parts.append(f"in {one.probability:.1%} of drills, which run --repeat judges")
    return "; ".join(parts)


def _at(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S.%f")[:-3] + " UTC"


def _fault(one: ExpectationResult, fault: FaultResult | None) -> Iterator[Line]:
    kind = f"{fault.kind} at {fault.share:.0%} of what it can touch" if fault else one.fault
    touched, planned, requests = (one.evidence.get(key, 0) for key in ("touched", "planned", "requests"))
    counts = f"{touched:,} of {planned:,} planned effects confirmed among {requests:,} requests"
    yield Line("fault", f"{one.fault} ({kind}): {counts}")
    if one.fault_start is None:
        yield Line("fault", "it had no effect at any time, so no time to detect can be counted from it")
        return
    last = one.evidence.get("last_effect_at")
    lasted = "" if last is None else f", last {last - one.fault_start:+.3f} s"
    full = one.full_dose_at
    strong = (
        f", at full strength {full - one.fault_start:+.3f} s" if full is not None and full > one.fault_start else ""
    )
    yield Line("fault", f"first effect {_at(one.fault_start)}{strong}{lasted}")


def _rule(one: ExpectationResult) -> Iterator[Line]:
    rule, settings = one.evidence.get("rule"), one.evidence.get("settings", {})
    if rule is None:
        yield Line("rule", "none of that name was loaded")
        return
    yield Line("rule", f"{rule['query']} for {rule['for_s']:g} s (group {rule['group']} of {rule['file']})")
    if settings:
        every = f"evaluated each {settings['evaluation_s']:g} s, its inputs scraped each {settings['scrape_s']:g} s"
        yield Line("rule", f"looks back {settings['window_s']:g} s; {every}")
    if one.views:
        yield Line("view", f"all that it reads is {in_words(one.views)}")
    seen = one.evidence.get("scrapes")
    if seen is not None:
        yield Line("rule", f"{seen['seen']} of {seen['due']} scrapes due up to the deadline were seen")


def _instants(one: ExpectationResult) -> Iterator[Line]:
    start = one.fault_start
    if start is None:
        return
    instants = {
        "pending": one.pending_at,
        "firing": one.firing_at,
        "told": one.notified_at,
        "resolved": one.resolved_at,
        "deadline": start + one.within_s,
    }
    known = sorted((at - start, name) for name, at in instants.items() if at is not None)
    yield Line("instants", ", ".join(f"{name} {seconds:+.3f} s" for seconds, name in known) + ", from the first effect")
    if one.silent_s is not None:
        yield Line("instants", f"certain not to have fired for {one.silent_s:g} s")


def _signal(one: ExpectationResult) -> Iterator[Line]:
    signal = one.evidence.get("signal")
    if signal is not None:
        at = "" if one.fault_start is None else f", {signal['peak_at'] - one.fault_start:+.1f} s"
        needs = f"the rule needs {signal['op']} {signal['threshold']:g}"
        yield Line("signal", f"peaked at {signal['peak']:.4g}{at}; {needs}")
    if one.carry_over is not None:
        yield Line(
            "signal", f"{round(one.carry_over, 2) + 0.0:.0%} of the way from baseline to threshold when the fault began"
        )


def _time(one: ExpectationResult) -> Iterator[Line]:
    if one.ttd_s is not None and one.waterfall:
        hops = " + ".join(f"{hop.hop} {hop.seconds:.3f}" for hop in one.waterfall)
        exact = "" if one.ttd_error_s is None else f" (± {one.ttd_error_s * 1000:.1f} ms, what the clocks may differ)"
        yield Line("time", f"{hops} = {one.ttd_s:.3f} s{exact}")
        slowest = _slowest(one)
        moved = f", which {slowest.setting} moves" if slowest.setting else ""
        yield Line("time", f"most of it is `{slowest.hop}`, {slowest.seconds / max(one.ttd_s, 1e-9):.0%}{moved}")
    if one.floor_s is not None:
        parts = {"floor": one.floor_s, "expected": one.expected_s, "worst": one.worst_s}
        known = ", ".join(f"{name} {seconds:g} s" for name, seconds in parts.items() if seconds is not None)
        yield Line("time", f"the settings allow: {known}")


def _slowest(one: ExpectationResult) -> HopResult:
    return max(one.waterfall, key=lambda hop: hop.seconds)


def _labels(one: ExpectationResult) -> Iterator[Line]:
    for difference in one.label_differences:
        got = "no such label" if difference.got is None else difference.got
        yield Line("labels", f"{difference.label}: got {got}, expected {difference.expected}")


def _notification(one: ExpectationResult) -> Iterator[Line]:
    """How far the alert was seen to come on its way to people, and what held it back."""
    seen, start = one.evidence.get("notification"), one.fault_start
    if seen is None or start is None:
        return
    instants = ((level, seen.get(f"{level}_at")) for level in ("posted", "accepted", "delivered"))
    came = ", ".join(f"{level} {at - start:+.3f} s" for level, at in instants if at is not None)
    if came or one.notifies_within_s is not None:
        reach = f"can be seen as far as `{seen['level']}`" if seen["level"] else "cannot be seen in this set-up"
        yield Line("told", f"{reach}: {came or 'nothing was'}")
    if seen.get("routed_to"):
        wait_s = seen["group_wait_s"]
        waits = f", which waits {wait_s:g} s for others of a group" if wait_s else ""
        yield Line("told", f"the Alertmanager routes it to {', '.join(seen['routed_to'])}{waits}")
    for to in dict.fromkeys(_recipient(one) for one in seen.get("delivered_to", ())):
        yield Line("told", f"delivered to {to}")
    for holder in seen.get("held_back_by", ()):
        yield Line("told", f"held back: {holder}")


def _recipient(delivered: Mapping[str, Any]) -> str:
    to = f" to {', '.join(delivered['to'])}" if delivered["to"] else ""
    return f"{delivered['receiver']} ({delivered['integration']}{to})"


def _replicas(replicas: ReplicasResult | None) -> Iterator[Line]:
    """What each replica of the Prometheus alone would say, and in what they differ."""
    if replicas is None:
        return
    for one in replicas.said:
        after = "" if one.ttd_s is None else f" after {one.ttd_s:.3f} s"
        because = f": {one.reason.text} [{one.reason.code}]" if one.reason is not None else ""
        yield Line("replica", f"{one.replica} alone says {one.verdict}{after}{because}")
    yield Line("replicas", f"instants are those of {replicas.decisive}")
    if replicas.disagreement is not None:
        yield Line("replicas", f"they disagree: {replicas.disagreement}")


def _why(verdict: str, reason: Reason | None) -> Iterator[Line]:
    yield Line("verdict", verdict)
    if reason is not None:
        yield Line("because", f"{reason.text} [{reason.code}]")
        yield Line("because", REASONS[reason.code].meaning)


def _parts(one: ExpectationResult) -> Iterator[Line]:
    parts = {"detection": one.detection, "resolution": one.resolution, "notification": one.notification}
    said = ", ".join(f"{name} {part}" for name, part in parts.items() if part is not None)
    yield Line("parts", f"{said}; the headline is the first that applies")


def _change(one: ExpectationResult) -> str:
    if one.reason is not None:
        if one.passes_as_control:
            return "nothing needs to: the fault was written with share 0, and this is how a control passes"
        return f"{one.reason.decide_it_by}; in general: {REASONS[one.reason.code].change}"
    spare = one.within_s - (one.ttd_s or 0.0)
    said = f"it had {spare:.3f} s to spare; with `within` below {one.ttd_s or 0.0:.3f} s it would have been late"
    if one.notifies_within_s is None or one.ttn_s is None:
        return said
    return f"{said}; to notify there were {one.notifies_within_s - one.ttn_s:.3f} s more"


def of_prohibition(one: ProhibitionResult) -> Explanation:
    """One prohibition in words."""
    alert = one.matcher.get("alert", "any alert")
    asked = f"{alert}{in_braces(one.matcher.get('labels', {}), tuple(one.matcher.get('matchers', ())))}"
    spared = f", {', '.join(one.matcher['except'])} apart" if one.matcher.get("except") else ""
    when = f"in {one.phase} and one tail after it" if one.phase else "from the steady state to the end"
    lines = [Line("asked", f"{asked} does not fire {when}{spared}")]
    for episode in one.episodes:
        fired = episode.firing_at or episode.pending_at
        lines.append(Line("fired", f"{episode.alert}{in_braces(episode.labels)} at {_at(fired)}"))
        if episode.host_stalls:
            stalled = f"our own sends around it were up to {max(episode.host_stalls):.2f} s late: the host stalled"
            lines.append(Line("fired", stalled))
    if one.disagreement is not None:
        lines.append(Line("replicas", f"they disagree: {one.disagreement}"))
    lines += _why(PROHIBITIONS[one.verdict], one.reason)
    change = {
        ProhibitionVerdict.QUIET: "nothing needs to",
        ProhibitionVerdict.FALSE_ALARM: "a rule that does not fire then, an `except`, or an expectation of it",
        ProhibitionVerdict.INCONCLUSIVE: "run again",
    }[one.verdict]
    if one.reason is not None:
        change = f"{one.reason.decide_it_by}; in general: {REASONS[one.reason.code].change}"
    name = f"must_not_fire {asked}" + (f" in {one.phase}" if one.phase else "")
    return Explanation(name, one.verdict, (*lines, Line("to change it", change)))


def of_drill(result: Result) -> Explanation:
    """The verdict of the drill in words, and what it follows from."""
    lines = [Line("verdict", DRILLS[result.verdict])]
    failing = {Verdict.DETECTED, Verdict.INCONCLUSIVE}
    proven = [f"{one.id} is {one.verdict}" for one in result.expectations if one.verdict not in failing]
    proven += [f"{len(one.episodes)} false alarms" for one in result.prohibitions if one.episodes]
    proven += [f"{one.alert} fired where no fault explains it" for one in result.false_alarms]
    open_ones = [
        f"{one.id} is inconclusive"
        for one in result.expectations
        if one.verdict is Verdict.INCONCLUSIVE and not one.passes_as_control
    ]
    open_ones += [
        f"{of_prohibition(one).name} is inconclusive"
        for one in result.prohibitions
        if one.verdict is ProhibitionVerdict.INCONCLUSIVE
    ]
    lines += [Line("proven", text) for text in proven]
    lines += [Line("open", text) for text in open_ones]
    lines += [Line("trouble", text) for text in result.troubles]
    lines += _witness(result.second_witness)
    return Explanation(result.scenario, result.verdict, tuple(lines))


def _witness(witness: WitnessResult | None) -> Iterator[Line]:
    """What the engine's own posts state of the instants that its samples show."""
    if witness is None:
        return
    agree = witness.instants - len(witness.differences)
    yield Line("witness", f"{agree} of {witness.instants} instants are the same in the engine's own posts")
    yield from (Line("witness", text) for text in witness.differences)
