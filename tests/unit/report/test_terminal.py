import io

from drill import Drill, expect, nulls_phase
from pairs import NAMES, pair
from rich.console import Console

from alertdrill.core.result import Result
from alertdrill.report.terminal import mostly, show

MISSED = 'MISSED NullsHigh{feature="amount"} never pending in 10 s'


def text_of(result: Result, width: int = 80, terminal: bool = False) -> str:
    console = Console(file=io.StringIO(), width=width, force_terminal=terminal, highlight=False, markup=False)
    show(console, result)
    return console.file.getvalue()


def test_a_table_and_blocks_fit_eighty_columns() -> None:
    lines = text_of(Drill().detect().judge()).splitlines()
    assert max(map(len, lines)) <= 80
    assert lines[0].split() == ["FAULT", "ALERT", "VERDICT", "TTD", "FLOOR", "MOSTLY"]


def test_there_is_no_colour_in_a_pipe() -> None:
    result = Drill().detect().judge()
    assert "\x1b[" not in text_of(result)
    assert "\x1b[" in text_of(result, terminal=True)


def test_a_miss_says_why_and_what_would_decide_it() -> None:
    text = " ".join(text_of(Drill().judge(), width=400).split())
    assert MISSED in text
    assert "requests touched · to decide it:" in text
    assert "[never_pending]" in text


def test_a_detection_says_where_its_time_went() -> None:
    result = Drill().detect().judge()
    assert "served" in text_of(result)
    assert mostly(result.expectations[0]).endswith("%")


def test_the_last_sentence_is_the_verdict_of_the_drill() -> None:
    assert text_of(Drill().detect().judge(), width=400).splitlines()[-1].startswith("PASSED in")
    assert text_of(Drill().judge(), width=400).splitlines()[-1].startswith("FAILED in")


def test_a_target_that_answers_something_else_than_predictions_is_shown() -> None:
    result = Drill().detect().judge()
    assert "no predictions" not in text_of(result)
    first, *rest = result.load.segments
    login = first.model_copy(update={"answers_read": 4, "answers_unreadable": 3, "unreadable_example": "'<p>': why"})
    load = result.load.model_copy(update={"segments": (login, *rest)})
    text = text_of(result.model_copy(update={"load": load}), width=400)
    assert "no predictions: 3 of 4 answers that were read (of every 50th request)" in text
    assert f"'<p>': why, in {first.name}" in text


def test_matchers_are_shown_beside_labels() -> None:
    wanted = expect(matchers=['severity=~"P[01]"'])
    result = Drill(nulls_phase(expect=[wanted], must_not_fire=[{"matchers": ['team="a"']}])).detect().judge()
    text = text_of(result, width=400)
    assert 'DETECTED NullsHigh{feature="amount", severity=~"P[01]"}' in text
    assert '{team="a"} in nulls' in text


def test_false_alarms_are_said_with_the_time_they_speak_for() -> None:
    drill = Drill(monitoring={"scope": {"alerts": ["Slow"]}}).detect()
    text = text_of(drill.judge(), width=400)
    assert "no false alarm in " in text
    assert " s without a fault: 0 to " in text
    at = drill.evaluation(drill.start_ms() - 8000)
    drill.fire(at, at + 1000, at + 2000, alert="Slow", job="monitor")
    drill.fire(at + 4000, at + 5000, at + 6000, alert="Slow", job="monitor")
    text = text_of(drill.judge(), width=400)
    assert "2 false alarms in " in text
    assert "Slow flapped 1 time" in text


def test_what_replicas_say_is_shown_and_their_disagreement_loudly() -> None:
    both = pair()
    both.a.detect()
    text = " ".join(text_of(both.judge(), width=400).split())
    assert "INCONCLUSIVE NullsHigh" in text
    assert "[replicas_disagree]" in text
    assert "replicas: http://a:9090 detected after 3." in text
    assert text.count("http://a:9090 says detected") == 1
    both.b.detect()
    text = text_of(both.judge(), width=400)
    assert "replicas: http://a:9090 detected after 3." in text
    assert "disagree" not in text


def test_a_replica_that_died_is_shown_beside_what_the_other_detected() -> None:
    both = pair().lose(NAMES[1], 1000)
    both.a.detect()
    text = text_of(both.judge(), width=400)
    assert "replicas disagree: http://a:9090 says detected after" in text
    assert "trouble: engine_gone: http://b:9090 has given no answer" in text
