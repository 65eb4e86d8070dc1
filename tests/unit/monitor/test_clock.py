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
