"""The one place where ports meet adapters: whole drills on real processes, from scenario file to result.

What is named here is imported when it is used: judging and replaying need no load.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from alertdrill.compose.chosen import choose
    from alertdrill.compose.drill import run_drill
    from alertdrill.compose.judging import Outcome, Repeated, check_folder, check_repeat, is_repeat, judge_folder
    from alertdrill.compose.options import Options
    from alertdrill.compose.planned import plan_drill
    from alertdrill.compose.planning import Prospectus
    from alertdrill.compose.repeats import Watcher, run_repeats

__all__ = [
    "Options",
    "Outcome",
    "Prospectus",
    "Repeated",
    "Watcher",
    "check_folder",
    "check_repeat",
    "choose",
    "is_repeat",
    "judge_folder",
    "plan_drill",
    "run_drill",
    "run_repeats",
]

_MODULES = {
    "chosen": ("choose",),
    "drill": ("run_drill",),
    "judging": ("Outcome", "Repeated", "check_folder", "check_repeat", "is_repeat", "judge_folder"),
    "options": ("Options",),
    "planned": ("plan_drill",),
    "planning": ("Prospectus",),
    "repeats": ("Watcher", "run_repeats"),
}
_HOME = {name: module for module, names in _MODULES.items() for name in names}


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
