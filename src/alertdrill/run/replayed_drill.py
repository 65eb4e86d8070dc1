"""One recorded drill under other rules, from what was scraped to its result: the same checker as of live drills."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from alertdrill.core import journal as records
from alertdrill.core.case import Case
from alertdrill.core.crossing import Question
from alertdrill.core.observations import RawSeries, RuleGroup
from alertdrill.core.plan import RuleText
from alertdrill.core.promql import Selector, selectors
from alertdrill.core.recording import ALWAYS
from alertdrill.core.replay.coverage import lacking
from alertdrill.core.replay.dependencies import Place, Rules, close_readers
from alertdrill.core.replay.evidence import (
    active_before,
    as_loaded,
    as_recorded,
    recorded_group,
    replayed_journal,
    replayed_recording,
    scraped_series,
    unchanged,
    with_rules,
    with_steady_state,
)
from alertdrill.core.replay.grid import (
    Grid,
    Packing,
    confirmed_packing,
    groups_of,
    phase_ms,
    predicted_grid,
    recorded_grid,
)
from alertdrill.core.replay.refusals import by_storage, refusal, unknown_arrival
from alertdrill.core.replay.visibility import NEAR_MS, Scrapes, Target, scrapes_by_target
from alertdrill.core.result import Code, Reason, Result
from alertdrill.core.scope import AlertRule, RuleBook, in_scope
from alertdrill.run.checker import judge, open_questions
from alertdrill.run.replay import Replayed, replay
from alertdrill.run.replay_engine import Refused, ReplayEngine, Unreadable


@dataclass(frozen=True)
class Prepared:
    """What a replay needs to know before an engine is started.

    Attributes:
        case: the drill as it was.
        journal: that of the drill, without notifications.
        rules: those to be evaluated.
        texts: the files they stand in.
        grids: of each group.
        places: the alerts that can be evaluated.
        reasons: why others cannot.
        kept: those that cannot either, and are unchanged: what they wrote live stands.
        unchanged: the alerts whose rules, and all that they read, are evaluated as they were.
        scraped: what no rule wrote.
        scrapes: when it could be seen.
    """

    case: Case
    journal: tuple[records.Record, ...]
    rules: Rules
    texts: tuple[RuleText, ...]
    grids: tuple[Grid, ...]
    places: frozenset[Place]
    reasons: Mapping[Place, Reason]
    kept: frozenset[Place]
    unchanged: frozenset[Place]
    scraped: tuple[RawSeries, ...]
    scrapes: Mapping[Target, Scrapes]


@dataclass(frozen=True)
class ReplayedDrill:
    """A drill as it would have been under other rules; `unknown` says by alert why it could not be evaluated."""

    rules: Rules
    result: Result
    unknown: Mapping[str, Reason]
    notes: tuple[str, ...]
    questions: int


def prepare(
    case: Case,
    journal: tuple[records.Record, ...],
    rules: Rules,
    texts: Sequence[RuleText],
    asks: Mapping[Place, tuple[str, ...]],
    rescraped: bool = False,
) -> Prepared:
    """Work out when rules are evaluated, and which of them can be.

    Args:
        case: the drill as it was.
        journal: that of the drill, without notifications.
        rules: those to be evaluated, as their files have them.
        texts: the files they stand in.
        asks: by rule, settings of its group that a recording knows nothing of.
        rescraped: whether the recording has been thinned, so that no rule does what it did live.
    """
    rules = Rules(as_loaded(rules.groups, case))
    scraped = scraped_series(case)
    scrapes = scrapes_by_target(scraped)
    alerts = [place for place in rules.places if rules[place].type == "alerting"]
    recorded = _recorded_selectors(case)
    reasons = {
        place: reason
        for place in alerts
        if (reason := _why_not(case, rules, place, recorded, scraped, scrapes, asks)) is not None
    }
    places = frozenset(place for place in alerts if place not in reasons)
    grids, before = _grids(case, rules), Rules(groups_of(case))
    same = frozenset(
        place
        for place in alerts
        if not rescraped and grids[place.group].source == "recorded" and unchanged(rules, place, before)
    )
    read = rules.behind(places)
    kept = frozenset(place for place in reasons if place in same and place not in read)
    reasons = {place: reason for place, reason in reasons.items() if place not in kept}
    return Prepared(case, journal, rules, tuple(texts), grids, places, reasons, kept, same, scraped, scrapes)


def _recorded_selectors(case: Case) -> tuple[Selector, ...]:
    """What was asked for when the drill was recorded: all that the rules in scope read."""
    if case.recording.source.selectors is not None:
        return tuple(one for text in case.recording.source.selectors for one in selectors(text))
    scoped = (rule for rule in case.book.alerts if in_scope(case.plan.scenario, rule.labels))
    return tuple(dict.fromkeys(one for rule in scoped for one in case.book.inputs(rule)))


def _why_not(
    case: Case,
    rules: Rules,
    place: Place,
    recorded: Sequence[Selector],
    scraped: Sequence[RawSeries],
    scrapes: Mapping[Target, Scrapes],
    asks: Mapping[Place, tuple[str, ...]],
) -> Reason | None:
    """Why an alert cannot be evaluated as it would have been live."""
    behind = sorted(rules.behind([place]), key=lambda one: (one.group, one.rule))
    for one in behind:
        what = refusal(rules[one]) or next((f"its group has a {key}" for key in asks.get(one, ())), None)
        if what is not None:
            text = f"{rules[one].name} cannot be replayed exactly: {what}"
            return Reason(code=Code.NOT_REPLAYABLE, text=text, decide_it_by="run the drill with these rules")
    missing = lacking(rules, behind, recorded)
    if missing:
        text = f"the recording need not hold all of {', '.join(missing)}"
        fix = "record a drill with rules loaded that read these series, then replay it"
        return Reason(code=Code.SERIES_NOT_RECORDED, text=text, decide_it_by=fix)
    begins = case.recording.source.since_ms
    reach = _reach_ms(rules, place)
    if begins is not None and case.baseline_from_ms - reach < begins:
        text = f"{rules[place].name} looks back {reach / 1000:g} s, further than the recording reaches"
        fix = "record a drill with this rule loaded"
        return Reason(code=Code.SERIES_NOT_RECORDED, text=text, decide_it_by=fix)
    for selector in (each for one in behind for each in rules.selectors[one] if each.name not in ALWAYS):
        unknown = unknown_arrival(selector, scraped, scrapes)
        if unknown is not None:
            return Reason(code=Code.NOT_REPLAYABLE, text=unknown, decide_it_by="run the drill with these rules")
    return None


def _reach_ms(rules: Rules, place: Place) -> int:
    """For how long a sample can matter to an alert."""
    book, rule = RuleBook.of(rules.groups), rules[place]
    alert = AlertRule(rules.groups[place.group], rule)
    return book.lookback_ms(alert) + round(1000 * (rule.for_s + rule.keep_firing_for_s))


def _grids(case: Case, rules: Rules) -> tuple[Grid, ...]:
    version = case.engine.version if case.engine else ""
    packing = confirmed_packing(case, version)
    recorded = groups_of(case)
    known = {(one.file, one.name): grid for one in recorded if (grid := recorded_grid(case, one, packing)) is not None}
    ends = [at for grid in known.values() for at in (int(grid.times_ms[0]), int(grid.times_ms[-1]))]
    span = (min(ends), max(ends)) if ends else (case.recording.from_ms, case.recording.to_ms)
    return tuple(_grid(group, recorded, known, span, packing) for group in rules.groups)


def _grid(
    group: RuleGroup,
    recorded: Sequence[RuleGroup],
    known: Mapping[tuple[str, str], Grid],
    span: tuple[int, int],
    packing: Packing,
) -> Grid:
    """The recorded evaluations of a group; where it was not loaded like this, those that the engine's hash predicts."""
    same, interval = recorded_group(group, recorded), round(group.interval_s * 1000)
    grid = known.get((same.file, same.name)) if same is not None else None
    if grid is not None and grid.interval_ms == interval:
        return grid
    base = group.file.rsplit("/", 1)[-1]
    file = same.file if same else next((one.file for one in recorded if one.file.rsplit("/", 1)[-1] == base), None)
    phase = phase_ms(file or group.file, group.name, interval, packing)
    return predicted_grid(*span, interval, phase, "predicted" if file else "assumed")


def unreadable_rules(engine: ReplayEngine, prepared: Prepared) -> dict[Place, str]:
    """The rules to be evaluated that the engine cannot read, such as those with functions that it lacks, and why."""
    found = {}
    for place in sorted(prepared.rules.behind(prepared.places), key=lambda one: (one.group, one.rule)):
        try:
            engine.at(prepared.rules[place].query, prepared.case.recording.from_ms)
        except Unreadable as error:
            found[place] = str(error)
        except Refused:
            continue
    return found


def replayed_drill(engine: ReplayEngine, prepared: Prepared) -> ReplayedDrill:
    """Evaluate the rules over what was scraped, and judge the drill that this makes.

    Raises:
        AlertdrillError: the engine failed.
    """
    case, rules, grids = prepared.case, prepared.rules, prepared.grids
    active = {
        place: active_before(case, rules[place].name, grids[place.group])
        for place in prepared.places & prepared.unchanged
    }
    done = replay(engine, rules, grids, prepared.places, prepared.scraped, prepared.scrapes, active)
    plan = with_rules(case.plan, prepared.texts)
    recording = replayed_recording(
        case, (*done.written, *as_recorded(case, (rules[place].name for place in prepared.kept)))
    )
    journal = replayed_journal(case, rules, grids, done.failures, prepared.reasons, prepared.journal)
    fitting = frozenset(rules[place].name for place in prepared.unchanged)
    journal = with_steady_state(case, journal, Case(plan, journal, recording), fitting)
    questions = open_questions(plan, journal, recording)
    journal = (*journal, *(one for question in questions for one in _answered(engine, question, case)))
    result = judge(plan, journal, recording)
    unknown = {rules[place].name: reason for place, reason in prepared.reasons.items()}
    notes = _notes(prepared, done, result)
    return ReplayedDrill(rules, result.model_copy(update={"mode": "replay"}), unknown, notes, done.questions)


def _answered(engine: ReplayEngine, question: Question, case: Case) -> Iterable[records.Answer]:
    """What the engine answers to a question about a waterfall; nothing where it cannot."""
    try:
        found = engine.at(question.query, question.time_ms)
    except Refused:
        return
    labels = tuple(dict(one.labels) for one in found)
    at = case.all(records.Started)[0].at
    yield records.Answer(at=at, query=question.query, time_ms=question.time_ms, labels=labels)


def _notes(prepared: Prepared, done: Replayed, result: Result) -> tuple[str, ...]:
    """What makes instants uncertain, and which rules were left out."""
    rules, grids = prepared.rules, prepared.grids
    assumed = [
        f"group {group.name}: the path at which {group.file} is loaded is not known, so that its instants may be off "
        f"by up to {grid.interval_ms / 1000:g} s"
        for group, grid in zip(rules.groups, grids, strict=True)
        if grid.source == "assumed" and any(rules.groups[place.group] is group for place in prepared.places)
    ]
    phases = [(grid.interval_ms, int(grid.times_ms[0]) if len(grid.times_ms) else 0) for grid in grids]
    close = [
        f"{rules[reader].name} reads {rules[writer].name}, which another group writes at the same time: it may be one "
        "interval late live"
        for reader, writer in close_readers(rules, phases, NEAR_MS)
        if reader in prepared.places
    ]
    chosen = [
        f"{rules[place].name}: {what}, which may have been others live"
        for place in sorted(rules.behind(prepared.places), key=lambda one: (one.group, one.rule))
        if (what := by_storage(rules[place])) is not None
    ]
    left_out = [f"{rules[place].name} was not evaluated: {reason.text}" for place, reason in prepared.reasons.items()]
    failed = [f"{rules[place].name} failed {len(at):,} times: {what}" for place, (what, at) in done.failures.items()]
    return (*assumed, *close, *chosen, *_either_way(prepared, done, result), *left_out, *failed)


def _either_way(prepared: Prepared, done: Replayed, result: Result) -> Iterable[str]:
    """Expected alerts with an instant at an evaluation that began when a scrape that it reads had just ended."""
    rules = prepared.rules
    for one in result.expectations:
        instants = [round(at * 1000) for at in (one.pending_at, one.firing_at, one.resolved_at) if at is not None]
        places = rules.behind(place for place in prepared.places if rules[place].name == one.alert)
        for place in places & done.uncertain.keys():
            near = set(done.uncertain[place].tolist())
            interval = prepared.grids[place.group].interval_ms
            if any(at in near or at - interval in near for at in instants):
                yield (
                    f"{one.id}: an evaluation lies so near to the end of a scrape that instants may be off by "
                    f"{interval / 1000:g} s"
                )
                break
