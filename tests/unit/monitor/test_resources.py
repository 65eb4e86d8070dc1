import os
import subprocess
import sys
from collections.abc import Callable

from alertdrill.monitor.resources import Resources

Parse = Callable[[str], dict[tuple[str, ...], float]]
LABELS = {"model": "fraud", "version": "1"}


def seen_of(of: Resources, values: Parse) -> dict[str, float]:
    of.sample()
    return {name[0].removeprefix("model_process_"): n for name, n in values("".join(of.render())).items()}


def test_a_running_process_shows_what_it_takes(values: Parse) -> None:
    of = Resources(LABELS, os.getpid())
    first = seen_of(of, values)
    sum(range(3_000_000))
    second = seen_of(of, values)
    assert first["up"] == 1
    assert first["resident_memory_bytes"] > 10e6
    assert first["open_fds"] > 2
    assert first["threads"] >= 1
    assert 0 < first["cpu_seconds_total"] <= second["cpu_seconds_total"]


def test_children_count_and_what_they_took_stays(values: Parse) -> None:
    child = subprocess.Popen([sys.executable, "-c", "sum(range(20_000_000)); print(flush=True); input()"],
                             stdin=subprocess.PIPE, stdout=subprocess.PIPE)  # fmt: skip
    assert child.stdin
    assert child.stdout
    with child.stdin, child.stdout:
        child.stdout.readline()
        of = Resources(LABELS, child.pid)
        alive = seen_of(of, values)
        child.stdin.write(b"\n")
        child.stdin.flush()
        child.wait(10)
    gone = seen_of(of, values)
    assert (alive["up"], gone["up"]) == (1, 0)
    assert gone["cpu_seconds_total"] == alive["cpu_seconds_total"] > 0
    assert gone["resident_memory_bytes"] == 0


def test_a_process_that_never_was_is_down(values: Parse) -> None:
    assert seen_of(Resources(LABELS, 2**22 + 5), values)["up"] == 0
