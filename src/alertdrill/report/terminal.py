"""Results for a terminal: a table of verdicts, one block of text a verdict, and the sentence that sums them up."""

from collections.abc import Mapping
from typing import Any

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from alertdrill.core.matchers import in_braces
from alertdrill.core.repeat import NoiseSummary
from alertdrill.core.result import (
    DrillVerdict,
    EpisodeResult,
    ExpectationResult,
    FaultResult,
    NoiseResult,
    ProhibitionResult,
    ProhibitionVerdict,
    Reason,
    Result,
    Verdict,
)

_STYLES = {
    Verdict.DETECTED: "bold green",
    Verdict.INCONCLUSIVE: "bold yellow",
    DrillVerdict.PASSED: "bold green",
    DrillVerdict.INCONCLUSIVE: "bold yellow",
    ProhibitionVerdict.QUIET: "green",
    ProhibitionVerdict.INCONCLUSIVE: "bold yellow",
}


def styled(verdict: Verdict | DrillVerdict | ProhibitionVerdict, upper: bool = False) -> Text:
    """A verdict in its colour."""
    text = verdict.value.upper() if upper else verdict.value
    return Text(text, style=_STYLES.get(verdict, "bold red"))


def _s(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f} s"


_MOVED_BY = {"served": "serving", "pending": "evaluation", "engine_gap": "engine gap"}


def mostly(expectation: ExpectationResult) -> str:
    """What took most of ttd, and its share: `for 51%`, `window 44%`."""
    if not expectation.waterfall or not expectation.ttd_s:
        return "–"
    hop = max(expectation.waterfall, key=lambda h: h.seconds)
    name = _MOVED_BY.get(hop.hop) or (hop.setting or hop.hop).partition(":")[0].removesuffix("_interval")
    return f"{name} {hop.seconds / expectation.ttd_s:.0%}"


def _dose(fault: FaultResult | None) -> str:
    return "" if fault is None else f"{fault.kind} {fault.share:.0%}"


def verdict_table(result: Result) -> Table:
    """One row an expectation: fault, alert, verdict, ttd, floor, and the hop that took most."""
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("FAULT", overflow="fold")
    table.add_column("ALERT", overflow="fold")
    table.add_column("VERDICT", no_wrap=True)
    table.add_column("TTD", justify="right", no_wrap=True)
    table.add_column("FLOOR", justify="right", no_wrap=True)
    table.add_column("MOSTLY", overflow="fold")
    faults = {(fault.phase, fault.id): fault for fault in result.faults}
    for one in result.expectations:
        fault = faults.get((one.phase, one.fault))
        table.add_row(_dose(fault), one.alert, styled(one.verdict), _s(one.ttd_s), _s(one.floor_s), mostly(one))
    return table


def _hops(expectation: ExpectationResult) -> str:
    return " + ".join(f"{hop.hop} {hop.seconds:.3f}" for hop in expectation.waterfall)


def _detected(one: ExpectationResult) -> list[str]:
    touched, requests = one.evidence.get("touched", 0), one.evidence.get("requests", 0)
    share = f" ({touched / requests:.1%})" if requests else ""
    lines = [f"{one.ttd_s:.3f} s (within {one.within_s:g} s)" if one.ttd_s is not None else ""]
    if one.waterfall:
        lines.append(_hops(one) + " s")
    limits = (
        f"floor {_s(one.floor_s)}, expected {_s(one.expected_s)}, worst {_s(one.worst_s)}"
        if one.floor_s is not None
        else ""
    )
    said = f"{touched:,}/{requests:,} requests touched{share}"
    if one.notify_s is not None:
        word = "to" if one.notification == "delivered" else "for"
        to = f" {word} {', '.join(one.notified_receivers)}" if one.notified_receivers else ""
        said += f"; {one.notification}{to} {one.notify_s:+.3f} s"
    resolved, last = one.resolved_at, one.evidence.get("last_effect_at")
    if resolved is not None and last is not None:
        said += f"; resolved {resolved - last:.1f} s after the last effect"
    return [*lines, *([limits] if limits else []), said]


def expectation_block(one: ExpectationResult) -> Text:
    """One verdict in words: what happened, why, and what would decide or change it."""
    text = Text.assemble(styled(one.verdict, upper=True), f" {one.alert}{in_braces(one.labels, one.matchers)} ")
    if one.reason is None:
        first, *rest = _detected(one)
        text.append(first)
        for line in rest:
            text.append(f"\n  {line}")
        return text.append(_by_replica(one))
    text.append(_because(one.reason))
    if one.ttd_s is not None:
        text.append(f"\n  ttd {one.ttd_s:.3f} s: {_hops(one)} s")
    return text.append(_by_replica(one))


def _by_replica(expectation: ExpectationResult) -> Text:
    """What each replica alone would say, and loudly where they do not say the same, unless the reason says it."""
    replicas, reason = expectation.replicas, expectation.reason
    if replicas is None:
        return Text()
    said = (f"{one.replica} {one.verdict}" + _after(one.ttd_s) for one in replicas.said)
    text = Text(f"\n  replicas: {', '.join(said)}")
    if replicas.disagreement is not None and (reason is None or replicas.disagreement not in reason.text):
        text.append(f"\n  replicas disagree: {replicas.disagreement}", style="bold yellow")
    return text


def _after(ttd_s: float | None) -> str:
    return "" if ttd_s is None else f" after {ttd_s:.3f} s"


def _because(reason: Reason) -> str:
    return f"{reason.text} · to decide it: {reason.decide_it_by} [{reason.code}]"


def matcher_text(matcher: Mapping[str, Any]) -> str:
    """What a prohibition speaks of, such as `{severity="P0"} except ModelDown`."""
    excepted = f" except {', '.join(matcher['except'])}" if matcher.get("except") else ""
    return f"{matcher.get('alert', '')}{in_braces(matcher.get('labels', {}), matcher.get('matchers', ()))}{excepted}"


def prohibition_block(one: ProhibitionResult) -> Text:
    """One prohibition in words, with what fired against it."""
    where = f" in {one.phase}" if one.phase else ""
    text = Text.assemble(styled(one.verdict, upper=True), f" {matcher_text(one.matcher)}{where}")
    if one.reason is not None:
        text.append(f" {_because(one.reason)}")
    if one.disagreement is not None:
        text.append(f"\n  replicas disagree: {one.disagreement}", style="bold yellow")
    for episode in one.episodes:
        text.append(f"\n  {_episode(episode)}")
    return text


_PLUMBING = ("instance", "job", "severity", "type", "pillar", "model", "version")


def _episode(episode: EpisodeResult) -> str:
    labels = {name: value for name, value in episode.labels.items() if name not in _PLUMBING}
    during = f" during {episode.phase}" if episode.phase else ""
    stalls = (
        f"; our own sends were up to {max(episode.host_stalls):.2f} s late: the host stalled"
        if episode.host_stalls
        else ""
    )
    before = ", as before any fault" if episode.in_baseline else ""
    return f"{episode.alert}{in_braces(labels)}{during}{before}{stalls}"


def _list(title: str, episodes: tuple[EpisodeResult, ...], style: str) -> list[RenderableType]:
    return [Text(f"{title}: {_episode(episode)}", style=style) for episode in episodes]


def noise_lines(noise: NoiseResult | NoiseSummary | None) -> list[Text]:
    """How many false alarms an hour the drill speaks for, and which alerts flapped."""
    if noise is None or noise.total.per_hour is None:
        return []
    total, count = noise.total, many(noise.total.episodes, "false alarm") if noise.total.episodes else "no false alarm"
    limits = f"{_rate(total.low_per_hour)} to {_rate(total.high_per_hour)} an hour ({noise.confidence:.0%} interval)"
    said = Text(f"{count} in {noise.fault_free_s:.0f} s without a fault: {limits}", style="dim")
    flapped = [f"{one.alert} flapped {many(one.flaps, 'time')}" for one in noise.alerts if one.flaps]
    return [said, *(Text(line, style="yellow") for line in flapped)]


def _rate(per_hour: float | None) -> str:
    return f"{per_hour or 0.0:,.0f}" if (per_hour or 0.0) >= 100 else f"{per_hour or 0.0:.3g}"


def many(count: int, noun: str) -> str:
    """So many of something: 1 run, 2 runs."""
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"


def _no_predictions(result: Result) -> list[RenderableType]:
    read = sum(segment.answers_read for segment in result.load.segments)
    wrong = [segment for segment in result.load.segments if segment.answers_unreadable]
    if not wrong:
        return []
    count = sum(segment.answers_unreadable for segment in wrong)
    what = f"no predictions: {count:,} of {read:,} answers that were read (of every 50th request) hold none"
    return [Text(f"{what}: {wrong[0].unreadable_example}, in {wrong[0].name}", style="yellow")]


def _turned_away(result: Result) -> list[RenderableType]:
    load, said = result.load, []
    if load.rate_limited:
        what = f"turned away: {load.rate_limited:,} of {load.answered:,} answers are 429, too many requests"
        said.append(f"{what}; the load keeps to its plan and does not wait as Retry-After asks")
    if load.denied:
        said.append(f"not let in: {load.denied:,} of {load.answered:,} answers are 401 or 403; see target.headers")
    return [Text(one, style="yellow") for one in said]


def _alarms(result: Result) -> int:
    """Alarms that no fault explains, and those that a prohibition forbids, each once."""
    forbidden = [one for prohibition in result.prohibitions for one in prohibition.episodes]
    every = [*result.false_alarms, *forbidden]
    return len({(one.alert, tuple(sorted(one.labels.items())), one.pending_at) for one in every})


def summary(result: Result) -> Text:
    """The sentence at the end."""
    detected = sum(one.verdict is Verdict.DETECTED for one in result.expectations)
    text = Text.assemble(styled(result.verdict, upper=True), f" in {result.ended_at - result.started_at:.0f} s.")
    text.append(f" {detected} of {len(result.expectations)} expected alerts detected, false alarms {_alarms(result)}")
    late = result.load.schedule_error_p99_s
    text.append(
        f"; {result.load.sent:,} requests"
        + (f", sent within {late * 1000:.1f} ms of plan (p99)." if late is not None else ".")
    )
    return text


def render(result: Result) -> RenderableType:
    """Everything about a result."""
    parts: list[RenderableType] = [verdict_table(result), Text()]
    parts += [expectation_block(one) for one in result.expectations]
    parts += [prohibition_block(one) for one in result.prohibitions]
    parts += _list("FALSE ALARM", result.false_alarms, "bold red")
    parts += _list("also fired", result.also_fired, "")
    if result.background:
        names = sorted({episode.alert for episode in result.background})
        parts.append(Text(f"background, before the drill counted: {', '.join(names)}", style="dim"))
    parts += noise_lines(result.noise)
    parts += _no_predictions(result)
    parts += _turned_away(result)
    parts += [Text(f"trouble: {trouble}", style="yellow") for trouble in result.troubles]
    return Group(*parts, Text(), summary(result))


def show(console: Console, result: Result) -> None:
    """Print a result."""
    console.print(render(result), soft_wrap=False)
