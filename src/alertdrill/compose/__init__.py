"""The one place where ports meet adapters: whole drills on real processes, from scenario file to result."""

from alertdrill.compose.drill import Outcome, check_folder, run_drill
from alertdrill.compose.options import Options
from alertdrill.compose.planning import Prospectus, plan_drill

__all__ = ["Options", "Outcome", "Prospectus", "check_folder", "plan_drill", "run_drill"]
