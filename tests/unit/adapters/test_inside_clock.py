from alertdrill.adapters.inside_clock import READINGS, InsideClock


def test_clocks_that_may_be_one_are_taken_for_one() -> None:
    clock = InsideClock()
    clock.read(100.0, 100.003, 100.005)
    assert clock.ours(50.123456) == 50.123456
    assert clock.ours(None) is None


def test_a_clock_that_differs_is_set_right_by_the_middle_of_the_narrowest_reading() -> None:
    clock = InsideClock()
    clock.read(100.0, 107.9, 101.0)
    clock.read(102.0, 110.0, 102.01)
    assert clock.ours(110.0) == 102.005
    assert clock.ours(109.0) == 101.005


def test_old_readings_are_forgotten() -> None:
    clock = InsideClock()
    clock.read(0.0, 9.0, 0.001)
    for second in range(1, READINGS + 1):
        clock.read(second, second + 0.05, second + 0.1)
    assert clock.ours(5.0) == 5.0
