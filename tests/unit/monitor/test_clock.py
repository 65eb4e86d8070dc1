from alertdrill.monitor.clock import WallClock


class Clocks:
    """Two clocks that a test sets."""

    wall = 1_790_000_000.0
    steady = 5.0


def test_only_a_wall_clock_that_was_set_is_a_jump() -> None:
    clocks = Clocks()
    clock = WallClock(lambda: clocks.wall, lambda: clocks.steady)
    clocks.wall += 100.0
    clocks.steady += 100.0
    assert clock.jumped() == 0
    clocks.wall += 0.5  # slewed
    assert clock.jumped() == 0
    clocks.wall -= 3600.0
    assert clock.jumped() == 1
    assert clock.jumped() == 0


def test_a_process_that_stands_still_between_two_clocks_sees_no_jump() -> None:
    clocks = Clocks()

    def read_slowly() -> float:
        clocks.steady += 2.0
        return clocks.wall

    clock = WallClock(lambda: clocks.wall, lambda: clocks.steady)
    clock._wall = read_slowly
    assert clock.jumped() == 0
    clock._wall = lambda: clocks.wall + 2.0
    assert clock.jumped() == 0
    clocks.wall += 3600.0
    assert clock.jumped() == 1
