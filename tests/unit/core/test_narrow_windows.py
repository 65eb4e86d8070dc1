"""Rules whose windows hold too few scrapes."""

from tests.unit.core.drill import Drill, group, rule

from alertdrill.core.blind import blindness
from alertdrill.core.replay.narrow_windows import narrow_windows

RATE = "sum(rate(values_total[{}])) > 0"
RULES = (rule("recorded", "sum(rate(values_total[1500ms]))", kind="recording"), rule("Chained", "recorded > 1"))


def test_alerts_are_named_with_their_shortest_window_recording_rules_included() -> None:
    groups = (group(*RULES, rule("Wide", RATE.format("4s")), rule("Latest", "max_over_time(values_total[2s]) > 1")),)
    assert list(narrow_windows(groups, 0.5)) == []
    (said,) = narrow_windows(groups, 2.0)
    assert said.endswith("or only now and then: Chained [1s500ms]")
    (said,) = narrow_windows(groups, 2.5)
    assert said.endswith("Chained [1s500ms], Wide [4s], Latest [2s]")


def test_a_rate_over_less_than_the_time_between_two_scrapes_is_why_a_rule_is_silent() -> None:
    for window, seen in (("500ms", False), ("1s", False), ("1500ms", True), ("2s", True)):
        case = Drill(rules=group(rule("NullsHigh", RATE.format(window)))).case()
        found = blindness(case, case.book.alerts[0], case.recording.from_ms, case.recording.to_ms)
        narrow = found is not None and "sees two scrapes seldom or never: they are 1 s apart" in found.text
        assert narrow is not seen, window
        if narrow:
            assert found is not None
            assert found.fix == "a window of 2s or more"
