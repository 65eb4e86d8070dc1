from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.e2e.drills import Drill, run

RUNS = 10
REPEATS_AT_MOST = 5
LATE_S = 0.05
LIMIT_S = 120.0
MEAN_WITHIN = 0.1


def summary(drill: Drill) -> dict[str, Any]:
    result = drill.result
    return {
        "verdict": result["verdict"],
        "seconds": round(result["ended_at"] - result["started_at"], 1),
        "schedule_error_p99_s": result["load"]["schedule_error_p99_s"],
        "false_alarms": [episode["alert"] for episode in result["false_alarms"]],
        "expectations": {
            one["id"]: {
                name: one[name] for name in ("verdict", "ttd_s", "floor_s", "expected_s", "worst_s", "carry_over")
            }
            for one in result["expectations"]
        },
    }


@pytest.mark.timeout(LIMIT_S * 2 * (RUNS + REPEATS_AT_MOST))
def test_seed_disaster_passes_ten_times_out_of_ten(tmp_path: Path, keep: Callable[[Any], None]) -> None:
    runs: list[dict[str, Any]] = []
    repeated: list[dict[str, Any]] = []
    while len(runs) < RUNS:
        directory = tmp_path / str(len(runs) + len(repeated))
        directory.mkdir()
        one = summary(run(directory, "seed-disaster").ended())
        # A run whose own load was sent late says something of the host, not of the drill: it is repeated and counted.
        late = one["schedule_error_p99_s"] > LATE_S
        (repeated if late else runs).append(one)
        keep({"runs": runs, "repeated": repeated})
        assert len(repeated) <= REPEATS_AT_MOST
    assert [one["verdict"] for one in runs] == ["passed"] * RUNS
    found = [expectation for one in runs for expectation in one["expectations"].values()]
    mean_ttd_s, mean_expected_s = (sum(one[name] for one in found) / len(found) for name in ("ttd_s", "expected_s"))
    assert abs(mean_ttd_s / mean_expected_s - 1) < MEAN_WITHIN
    for one in runs:
        assert one["seconds"] <= LIMIT_S
        assert one["false_alarms"] == []
        for expectation in one["expectations"].values():
            assert expectation["verdict"] == "detected"
            assert expectation["floor_s"] <= expectation["ttd_s"] <= expectation["worst_s"]
