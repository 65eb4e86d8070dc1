from drill import UP, Drill

from alertdrill.core import journal as records
from alertdrill.core.alerts import Episode
from alertdrill.core.crossing import (
    candidates,
    crossed,
    phase_offset_ms,
    previous_evaluation,
    questions,
    scrapes_apart_ms,
)
from alertdrill.core.scope import AlertRule


def fired(drill: Drill) -> tuple[AlertRule, Episode]:
    (one,) = drill.case().episodes
    return drill.case().book.named(one.alert)[0], one


def stalled() -> Drill:
    """The engine missed three evaluations before the alert became pending: four scrapes could have crossed."""
    drill = Drill().detect()
    at = fired(drill)[1].pending_at
    return drill.hole(at - 4000, at, "nulls:ratio5s")


def answer(drill: Drill, *times_ms: int, **labels: str) -> Drill:
    rule, _ = fired(drill)
    query = drill.case().book.inlined(rule)
    assert query is not None
    for at in times_ms:
        drill.add(records.Answer(at=0.0, query=query, time_ms=at, labels=(labels or {"feature": "amount"},)))
    return drill


def test_the_newest_scrape_that_the_pending_evaluation_saw_has_crossed() -> None:
    drill = Drill().detect()
    rule, episode = fired(drill)
    assert crossed(drill.case(), rule, episode) == (episode.pending_at - 300, episode.pending_at - 290)
    assert questions(drill.case(), rule, episode) == ()


def test_a_scrape_that_had_not_ended_was_not_seen() -> None:
    drill = Drill().detect()
    rule, episode = fired(drill)
    drill.series = [one for one in drill.series if one.labels["__name__"] != "scrape_duration_seconds"]
    times = drill.recording().named("up")[0].times_ms
    drill.record(UP | {"__name__": "scrape_duration_seconds"}, times, 0.35)
    found = crossed(drill.case(), rule, episode)
    assert found is not None
    assert found[0] == episode.pending_at - 1300


def test_between_two_evaluations_the_engine_is_asked_about_every_scrape() -> None:
    drill = stalled()
    rule, episode = fired(drill)
    asked = questions(drill.case(), rule, episode)
    assert [episode.pending_at - one.time_ms for one in asked] == [3299, 2299, 1299, 299]
    assert {one.query for one in asked} == {drill.case().book.inlined(rule)}


def test_the_earliest_scrape_at_which_the_condition_held_has_crossed() -> None:
    drill = stalled()
    rule, episode = fired(drill)
    answer(drill, episode.pending_at - 299, episode.pending_at - 2299)
    assert crossed(drill.case(), rule, episode) == (episode.pending_at - 2300, episode.pending_at - 2290)


def test_which_scrape_crossed_is_in_doubt_until_the_engine_has_answered_about_each() -> None:
    drill = stalled()
    rule, episode = fired(drill)
    asked = [one.time_ms for one in questions(drill.case(), rule, episode)]
    assert scrapes_apart_ms(drill.case(), rule, episode) == 3000
    answer(drill, *asked[:3])
    assert scrapes_apart_ms(drill.case(), rule, episode) == 3000
    answer(drill, asked[3])
    assert scrapes_apart_ms(drill.case(), rule, episode) == 0
    plain = Drill().detect()
    assert scrapes_apart_ms(plain.case(), *fired(plain)) == 0


def test_answers_about_other_label_sets_do_not_count() -> None:
    drill = stalled()
    rule, episode = fired(drill)
    answer(drill, episode.pending_at - 2299, feature="hour")
    assert crossed(drill.case(), rule, episode) == (episode.pending_at - 300, episode.pending_at - 290)


def test_without_answers_the_newest_scrape_counts() -> None:
    drill = stalled()
    rule, episode = fired(drill)
    assert crossed(drill.case(), rule, episode) == (episode.pending_at - 300, episode.pending_at - 290)


def test_where_the_evaluation_before_is_unknown_only_one_interval_is_looked_at() -> None:
    drill = Drill().detect()
    drill.series = [one for one in drill.series if one.labels["__name__"] != "nulls:ratio5s"]
    rule, episode = fired(drill)
    assert previous_evaluation(drill.case(), rule, episode) is None
    assert [one[0] for one in candidates(drill.case(), rule, episode)] == [episode.pending_at - 300]


def test_a_rule_without_scraped_inputs_has_no_crossing() -> None:
    drill = Drill().detect()
    drill.series = [one for one in drill.series if one.labels["__name__"] != "values_total"]
    rule, episode = fired(drill)
    assert crossed(drill.case(), rule, episode) is None


def test_the_offset_of_evaluations_from_scrapes_is_measured() -> None:
    drill = Drill()
    book = drill.case().book
    assert phase_offset_ms(drill.case(), book.named("NullsHigh")[0]) == 300
    assert phase_offset_ms(drill.case(), book.named("Slow")[0]) is None
