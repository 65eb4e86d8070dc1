"""The scrape that made an alert's condition true, and the questions that only the engine can answer about it."""

from dataclasses import dataclass

import numpy as np

from alertdrill.core import journal as records
from alertdrill.core.alerts import Episode
from alertdrill.core.case import Case
from alertdrill.core.health import input_targets, scrape_ends, scrape_times
from alertdrill.core.scope import AlertRule

ASK_AFTER_MS = 1


@dataclass(frozen=True)
class Question:
    """For which label sets does an expression hold at an instant?"""

    query: str
    time_ms: int


def previous_evaluation(case: Case, rule: AlertRule, episode: Episode) -> int | None:
    """The evaluation before the one at which an episode became pending; None if unknown."""
    times = case.evaluations_ms(rule)
    before = times[times < episode.pending_at - rule.interval_ms // 4]
    return int(before[-1]) if len(before) else None


def candidates(case: Case, rule: AlertRule, episode: Episode) -> list[tuple[int, float]]:
    """Scrapes that the pending evaluation saw and the one before did not, as (timestamp, end) in ms, newest last.

    Where there is none, the newest that it saw. None at all where it is not known which samples an evaluation sees.
    """
    if rule.group.engine != "prometheus":
        return []
    previous = previous_evaluation(case, rule, episode)
    since = episode.pending_at - rule.interval_ms if previous is None else previous
    new: set[tuple[int, float]] = set()
    newest: list[tuple[int, float]] = []
    for target in input_targets(case, rule):
        times, ends = scrape_ends(case, target)
        seen = ends <= episode.pending_at
        fresh = seen & (ends > since)
        new |= set(zip(times[fresh].tolist(), ends[fresh].tolist(), strict=True))
        newest += list(zip(times[seen].tolist(), ends[seen].tolist(), strict=True))[-1:]
    return sorted(new) or [max(newest)] if newest else []


def questions(case: Case, rule: AlertRule, episode: Episode) -> tuple[Question, ...]:
    """What to ask the engine, where several scrapes could have made the condition true."""
    scrapes = candidates(case, rule, episode)
    expression = case.book.inlined(rule)
    if len(scrapes) < 2 or expression is None:
        return ()
    return tuple(Question(expression, at + ASK_AFTER_MS) for at, _ in scrapes)


def crossed(case: Case, rule: AlertRule, episode: Episode) -> tuple[int, float] | None:
    """The scrape (timestamp, end; ms) that made the condition true; None if no scrape is known.

    The earliest candidate at which the engine, asked, returned the label set; without such an answer the newest.
    """
    scrapes = candidates(case, rule, episode)
    if not scrapes:
        return None
    held = {
        (answer.query, answer.time_ms)
        for answer in case.all(records.Answer)
        if any(_same(labels, rule, episode) for labels in answer.labels)
    }
    for question, scrape in zip(questions(case, rule, episode), scrapes, strict=False):
        if (question.query, question.time_ms) in held:
            return scrape
    return scrapes[-1]


def scrapes_apart_ms(case: Case, rule: AlertRule, episode: Episode) -> int:
    """From the first to the last scrape that could have made the condition true; 0 where one is known to have."""
    scrapes = candidates(case, rule, episode)
    asked = {(question.query, question.time_ms) for question in questions(case, rule, episode)}
    answered = {(answer.query, answer.time_ms) for answer in case.all(records.Answer)}
    return scrapes[-1][0] - scrapes[0][0] if scrapes and not (asked and asked <= answered) else 0


def _same(labels: dict[str, str], rule: AlertRule, episode: Episode) -> bool:
    """Whether an answered label set is the one of the episode (which the rule's own labels were added to)."""
    own = {k: v for k, v in episode.label_map.items() if k not in rule.labels}
    return {k: v for k, v in labels.items() if k != "__name__" and k not in rule.rule.labels} == own


def phase_offset_ms(case: Case, rule: AlertRule) -> int | None:
    """(evaluation - scrape) mod E of a rule, from the recording: circular mean, ms; None where it is unknown."""
    evaluations = case.evaluations_ms(rule)
    targets = input_targets(case, rule)
    if not targets or not len(evaluations):
        return None
    times, _ = scrape_times(case, targets[0])
    if not len(times):
        return None
    scale = 2 * np.pi / rule.interval_ms
    nominal = np.exp(1j * scale * evaluations).mean()
    scraped = np.exp(1j * scale * times).mean()
    return round(float(np.angle(nominal * np.conj(scraped)) / scale)) % rule.interval_ms
