"""The one place where ports meet adapters: whole drills on real processes, from scenario file to result."""

from alertdrill.compose.drill import Outcome, check_folder, judge_folder, run_drill
from alertdrill.compose.options import Options
from alertdrill.compose.planning import Prospectus, plan_drill
from alertdrill.compose.repeats import Repeated, Watcher, check_repeat, is_repeat, run_repeats

__all__ = [
    "Options",
    "Outcome",
    "Prospectus",
    "Repeated",
    "Watcher",
    "check_folder",
    "check_repeat",
    "is_repeat",
    "judge_folder",
    "plan_drill",
    "run_drill",
    "run_repeats",
]
