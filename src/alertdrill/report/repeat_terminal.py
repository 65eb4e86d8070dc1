"""Several drills together, for a terminal: detections, their bounds and times, gates, and what could not be told."""

from rich.console import Console, Group, RenderableType
from rich.table import Table
from rich.text import Text

from alertdrill.core.matchers import in_braces
from alertdrill.core.repeat import ExpectationSummary, RepeatResult, RunSummary
from alertdrill.core.result import DrillVerdict, Result, Verdict
from alertdrill.report.terminal import expectation_block, many, matcher_text, noise_lines, styled, summary

_STYLES = {"passed": "bold green", "failed": "bold red", "inconclusive": "bold yellow"}


def run_lines(number: int, asked: int, result: Result) -> RenderableType:
    """One drill of several: its last sentence, and every verdict that is not `detected`."""
    odd = [one for one in result.expectations if one.verdict is not Verdict.DETECTED]
    return Group(Text.assemble(f"run {number} of {asked}: ", summary(result)), *(expectation_block(one) for one in odd))


def _s(seconds: float | None) -> str:
    return "–" if seconds is None else f"{seconds:.2f} s"


def _named(one: ExpectationSummary) -> str:
    to = f" to {one.notifies_receiver}" if one.notifies_receiver else ""
    return one.alert + in_braces(one.labels, one.matchers) + to


def _table(result: RepeatResult) -> Table:
    table = Table(box=None, pad_edge=False, padding=(0, 1, 0, 0), header_style="bold")
    table.add_column("ALERT", overflow="fold")
    for title in ("DETECTED", "SHARE, 95%", "AT LEAST", "TTD P50", "P90", "P95"):
        table.add_column(title, justify="right", no_wrap=True)
    for one in result.expectations:
        e = one.estimate
        share = "–" if e.share is None else f"{e.share:.0%} ({e.wilson_low:.0%} to {e.wilson_high:.0%})"
        table.add_row(
            _named(one),
            f"{e.detected} of {e.runs}",
            share,
            f"{e.at_least:.1%}" if e.runs else "–",
            *(_s(seconds) for seconds in (one.ttd.p50_s, one.ttd.p90_s, one.ttd.p95_s)),
        )
    return table


def gate_text(one: ExpectationSummary) -> Text | None:
    """What became of the probability that was asked for, and what would decide it."""
    gate, e = one.gate, one.estimate
    if gate is None:
        return None
    text = Text.assemble(
        (gate.verdict.upper(), _STYLES[gate.verdict]), f" {one.id}: asked for {gate.probability:.1%}; "
    )
    text.append(
        f"after {many(e.runs, 'run')} that could tell it is at least {e.at_least:.1%} and at most {e.at_most:.1%}"
    )
    text.append(f" (each {e.confidence:.0%} sure)")
    if gate.verdict == "inconclusive":
        more = "over 100,000" if gate.more_if_all_detect is None else gate.more_if_all_detect
        text.append(f" · to decide it: {more} more runs if all detect, {gate.more_if_none_does} if none does")
    return text


def _misses(one: ExpectationSummary) -> Text | None:
    others = {verdict: count for verdict, count in one.verdicts.items() if verdict != Verdict.DETECTED.value}
    if not others:
        return None
    said = ", ".join(f"{count} {verdict}" for verdict, count in others.items())
    why = ", ".join(f"{count} {code}" for code, count in one.reasons.items())
    return Text(f"{one.id}: {said} ({why})")


def _could_not_tell(run: RunSummary) -> Text | None:
    if not run.could_not_tell and not run.troubles:
        return None
    what = "; ".join([*run.could_not_tell, *run.troubles])
    return Text(f"left out, as run {run.run_id} could not tell: {what}", style="yellow")


def render(result: RepeatResult) -> RenderableType:
    """Everything about several drills."""
    parts: list[RenderableType | None] = [_table(result), Text()]
    parts += [gate_text(one) for one in result.expectations]
    parts += [_misses(one) for one in result.expectations]
    for one in result.prohibitions:
        name = matcher_text(one.matcher) + (f" in {one.phase}" if one.phase else "")
        unsure = f", {one.inconclusive} could not tell" if one.inconclusive else ""
        loud = Text(f"{one.false_alarm} FALSE ALARMS ", style="bold red") if one.false_alarm else Text()
        parts.append(Text.assemble(loud, f"quiet in {many(one.quiet, 'run')}{unsure}: {name}"))
    parts += noise_lines(result.noise)
    parts += [_could_not_tell(run) for run in result.runs]
    parts += [Text(f"run {one.number} broke: {one.what}", style="yellow") for one in result.broken]
    return Group(*(part for part in parts if part is not None), Text(), last_sentence(result))


def last_sentence(result: RepeatResult) -> Text:
    """The verdict, and how many runs came to which."""
    counts = [f"{n} {verdict}" for verdict in DrillVerdict if (n := sum(r.verdict is verdict for r in result.runs))]
    said = f" after {len(result.runs)} of {result.asked} runs ({', '.join(counts) or 'none ended'})"
    return Text.assemble(styled(result.verdict, upper=True), said, ", interrupted." if result.interrupted else ".")


def show(console: Console, result: RepeatResult) -> None:
    """Print what several drills found."""
    console.print(render(result), soft_wrap=False)
