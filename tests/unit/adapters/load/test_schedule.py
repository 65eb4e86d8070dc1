"""Tests of the schedule under a clock that only moves when told."""

from collections.abc import Callable
from dataclasses import dataclass, field

import pytest

from alertdrill.adapters.load.schedule import Schedule, Timetable


@dataclass
class SteppedClock:
    """A clock and its timer."""

    now: float = 100.0
    due: float | None = None
    callback: Callable[[], None] = lambda: None

    def __call__(self) -> float:
        return self.now

    def timer(self, callback: Callable[[], None]) -> "SteppedClock":
        self.callback = callback
        return self

    def set(self, at: float) -> None:
        self.due = at

    def close(self) -> None:
        self.due = None

    def advance(self, to: float) -> None:
        """Move to `to`, firing the timer on the way each time that it is due."""
        while self.due is not None and self.due <= to:
            self.now, self.due = max(self.now, self.due), None
            self.callback()
        self.now = to


@dataclass
class Line:
    """Remembers what the schedule asked for."""

    clock: SteppedClock
    room: int = 1000
    sent: list[tuple[int, int, float, float]] = field(default_factory=list)
    told: list[tuple[object, ...]] = field(default_factory=list)
    slacks: list[float] = field(default_factory=list)

    def send(self, k: int, i: int, intended: float, now: float) -> bool:
        if self.room <= 0:
            return False
        self.room -= 1
        assert now == self.clock.now
        self.sent.append((k, i, intended, now))
        return True

    def began(self, k: int) -> None:
        self.told.append(("began", k))

    def ended(self, k: int, scheduled: int) -> None:
        self.told.append(("ended", k, scheduled))

    def closed(self) -> None:
        self.told.append(("closed",))

    def idle(self, slack_s: float) -> None:
        self.slacks.append(slack_s)


@pytest.fixture
def clock() -> SteppedClock:
    return SteppedClock()


@pytest.fixture
def line(clock: SteppedClock) -> Line:
    return Line(clock)


@pytest.fixture
def schedule(line: Line, clock: SteppedClock) -> Schedule:
    return Schedule(line, clock.timer, clock)


def test_every_arrival_is_sent_when_it_is_due(schedule: Schedule, line: Line, clock: SteppedClock) -> None:
    schedule.announce(Timetable(0, 101.0, [0.5, 1.5, 1.5]))
    clock.advance(110)
    assert line.sent == [(0, 0, 101.5, 101.5), (0, 1, 102.5, 102.5), (0, 2, 102.5, 102.5)]
    assert line.told == [("began", 0)]


def test_the_next_segment_takes_over_at_its_time(schedule: Schedule, line: Line, clock: SteppedClock) -> None:
    schedule.announce(Timetable(0, 100.0, [1.0, 2.0, 3.0]))
    clock.advance(101.5)
    schedule.announce(Timetable(1, 102.0, [0.25]))
    clock.advance(110)
    assert [(k, i) for k, i, _, _ in line.sent] == [(0, 0), (1, 0)]
    assert line.told == [("began", 0), ("ended", 0, 1), ("began", 1)]


def test_an_announcement_replaces_what_was_to_begin_then_or_later(
    schedule: Schedule, line: Line, clock: SteppedClock
) -> None:
    schedule.announce(Timetable(0, 100.0, [1.0, 2.0, 3.0, 4.0]))
    schedule.announce(Timetable(1, 102.5, [0.0]))
    schedule.announce(Timetable(2, 101.5, [2.0]))
    clock.advance(110)
    assert [(k, i) for k, i, _, _ in line.sent] == [(0, 0), (2, 0)]
    assert line.told == [("began", 0), ("ended", 0, 1), ("began", 2)]


def test_segments_may_be_announced_far_ahead(schedule: Schedule, line: Line, clock: SteppedClock) -> None:
    for k in range(3):
        schedule.announce(Timetable(k, 101.0 + k, [0.5, 5.0]))
    schedule.close(104.0)
    clock.advance(110)
    assert [(k, i) for k, i, _, _ in line.sent] == [(0, 0), (1, 0), (2, 0)]
    assert line.told[-2:] == [("ended", 2, 1), ("closed",)]


def test_a_segment_announced_for_the_past_sends_late_and_in_order(
    schedule: Schedule, line: Line, clock: SteppedClock
) -> None:
    schedule.announce(Timetable(0, 99.0, [0.1, 0.2, 2.0]))
    assert line.sent == [(0, 0, 99.1, 100.0), (0, 1, 99.2, 100.0)]


def test_without_room_arrivals_wait_and_go_out_late(schedule: Schedule, line: Line, clock: SteppedClock) -> None:
    line.room = 1
    schedule.announce(Timetable(0, 100.0, [1.0, 2.0, 3.0]))
    clock.advance(102.5)
    assert len(line.sent) == 1
    line.room = 5
    schedule.go_on()
    clock.advance(110)
    assert [(i, intended, at) for _, i, intended, at in line.sent] == [
        (0, 101.0, 101.0),
        (1, 102.0, 102.5),
        (2, 103.0, 103.0),
    ]


def test_what_waits_for_room_is_dropped_when_its_segment_ends(
    schedule: Schedule, line: Line, clock: SteppedClock
) -> None:
    line.room = 1
    schedule.announce(Timetable(0, 100.0, [1.0, 2.0, 3.0]))
    schedule.announce(Timetable(1, 103.5, [0.5]))
    clock.advance(103.9)
    line.room = 5
    schedule.go_on()
    clock.advance(110)
    assert [(k, i) for k, i, _, _ in line.sent] == [(0, 0), (1, 0)]
    assert ("ended", 0, 3) in line.told


def test_a_wake_up_just_after_the_change_still_sends_what_was_due_before(
    schedule: Schedule, line: Line, clock: SteppedClock
) -> None:
    schedule.announce(Timetable(0, 100.0, [1.0]))
    schedule.announce(Timetable(1, 101.001, [0.5]))
    clock.now = 101.01
    schedule.go_on()
    assert [(k, i) for k, i, _, _ in line.sent] == [(0, 0)]
    assert line.told == [("began", 0), ("ended", 0, 1), ("began", 1)]


def test_a_wake_up_long_after_the_change_drops_what_was_due_before(
    schedule: Schedule, line: Line, clock: SteppedClock
) -> None:
    schedule.announce(Timetable(0, 100.0, [1.0]))
    schedule.announce(Timetable(1, 101.001, [0.5]))
    clock.now = 102.0
    schedule.go_on()
    assert [(k, i) for k, i, _, _ in line.sent] == [(1, 0)]
    assert ("ended", 0, 1) in line.told


def test_stop_ends_the_running_segment_at_once(schedule: Schedule, line: Line, clock: SteppedClock) -> None:
    schedule.announce(Timetable(0, 100.0, [1.0, 2.0]))
    schedule.announce(Timetable(1, 105.0, [1.0]))
    clock.advance(101.5)
    schedule.stop()
    clock.advance(110)
    assert len(line.sent) == 1
    assert line.told == [("began", 0), ("ended", 0, 1), ("closed",)]


def test_arrivals_already_sent_stay_scheduled_when_the_end_comes_announced_for_the_past(
    schedule: Schedule, line: Line, clock: SteppedClock
) -> None:
    schedule.announce(Timetable(0, 100.0, [1.0, 2.0, 3.0]))
    clock.advance(102.5)
    schedule.announce(Timetable(1, 101.5, [5.0]))
    assert ("ended", 0, 2) in line.told


def test_slack_is_the_time_until_something_is_due(schedule: Schedule, line: Line, clock: SteppedClock) -> None:
    schedule.announce(Timetable(0, 100.0, [1.0, 4.0]))
    clock.advance(101.5)
    assert line.slacks[-1] == pytest.approx(3.0)
    assert schedule.slack_s() == pytest.approx(2.5)
    schedule.announce(Timetable(1, 102.0, [1.0]))
    assert schedule.slack_s() == pytest.approx(0.5)


def test_a_request_that_fails_while_it_is_sent_does_not_disturb_the_order(clock: SteppedClock) -> None:
    class Failing(Line):
        def send(self, k: int, i: int, intended: float, now: float) -> bool:
            sent = super().send(k, i, intended, now)
            failing.go_on()
            return sent

    line = Failing(clock)
    failing = Schedule(line, clock.timer, clock)
    failing.announce(Timetable(0, 100.0, [1.0] * 5000))
    line.room = 5000
    clock.advance(102)
    assert [i for _, i, _, _ in line.sent] == list(range(5000))


def test_a_timer_that_goes_off_early_is_set_again(schedule: Schedule, line: Line, clock: SteppedClock) -> None:
    schedule.announce(Timetable(0, 100.0, [1.0]))
    clock.now, clock.due = 100.999, None
    clock.callback()
    clock.advance(102)
    assert len(line.sent) == 1
