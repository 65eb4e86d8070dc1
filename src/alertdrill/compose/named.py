"""The scenarios that arguments of a command name: files, bundled ones, and those of folders."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.bundled import bundled_scenarios
from alertdrill.adapters.scenario_folder import read_scenario_folder
from alertdrill.core.errors import Mistake


@dataclass(frozen=True)
class Named:
    """What arguments name.

    Attributes:
        scenarios: files and bundled names, in the order of the arguments, those of a folder by path.
        passed_by: YAML files in the folders that are no scenarios.
        mistakes: of arguments that name nothing.
    """

    scenarios: tuple[str, ...]
    passed_by: tuple[Path, ...]
    mistakes: tuple[Mistake, ...]


def is_folder(argument: str) -> bool:
    """A bundled scenario goes before a folder of the same name, which is meant by a path such as ./NAME."""
    return os.path.isdir(argument) and argument not in bundled_scenarios()


def named(arguments: Sequence[str]) -> Named:
    """Look what arguments name; no scenario is read as one."""
    scenarios: list[str] = []
    passed_by: dict[Path, None] = {}
    mistakes: list[Mistake] = []
    for argument in arguments:
        if not is_folder(argument):
            scenarios.append(argument)
            continue
        found = read_scenario_folder(Path(argument))
        scenarios += map(str, found.scenarios)
        passed_by.update(dict.fromkeys(found.passed_by))
        if not found.scenarios:
            fix = "give a folder with scenarios (*.yaml, *.yml; names that begin with _ are fragments)"
            mistakes.append(Mistake(argument, "a folder without scenarios", "scenarios", fix))
    return Named(tuple(scenarios), tuple(passed_by), tuple(mistakes))
