"""The drills that arguments of a command stand for: files, bundled names, folders of scenarios; or a share of them."""

import os
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.bundled import bundled_scenarios
from alertdrill.adapters.scenario_folder import read_scenario_folder
from alertdrill.compose.options import Options, read_to_run
from alertdrill.core.errors import BadInput, Mistake
from alertdrill.core.scenario import Scenario
from alertdrill.core.shards import Shard, planned_s, shares


@dataclass(frozen=True, eq=False)
class Chosen:
    """One drill that is to be run.

    Attributes:
        argument: what names it to `run_drill`.
        path: its file.
        scenario: as it is to be run, the options applied.
    """

    argument: str
    path: Path
    scenario: Scenario


@dataclass(frozen=True)
class Choice:
    """The drills that are to be run.

    Attributes:
        drills: of this shard, in the order of the arguments, those of a folder by path.
        of: how many there are in all shards.
        together: whether more than one drill can have been meant: a folder, or several arguments.
        passed_by: YAML files in the folders that are no scenarios.
    """

    drills: tuple[Chosen, ...]
    of: int
    together: bool
    passed_by: tuple[Path, ...] = ()


def choose(arguments: Sequence[str], options: Options, shard: Shard | None = None) -> Choice:
    """Read all scenarios that are meant, each once.

    Raises:
        BadInput: with all mistakes of all files.
    """
    mistakes: list[Mistake] = []
    passed_by: dict[Path, None] = {}
    chosen: dict[str, Chosen] = {}
    for argument in arguments:
        for name in _names(argument, mistakes, passed_by):
            try:
                scenario, path = read_to_run(name, options)
                chosen.setdefault(os.path.realpath(path), Chosen(name, path, scenario))
            except BadInput as error:
                mistakes += error.mistakes
    if mistakes:
        raise BadInput(tuple(dict.fromkeys(mistakes)))
    drills = tuple(chosen.values())
    together = len(arguments) > 1 or any(map(_is_folder, arguments))
    return Choice(_share(drills, shard), len(drills), together, tuple(passed_by))


def _is_folder(argument: str) -> bool:
    """A bundled scenario goes before a folder of the same name, which is meant by a path such as ./NAME."""
    return os.path.isdir(argument) and argument not in bundled_scenarios()


def _names(argument: str, mistakes: list[Mistake], passed_by: dict[Path, None]) -> Iterator[str]:
    if not _is_folder(argument):
        yield argument
        return
    found = read_scenario_folder(Path(argument))
    passed_by.update(dict.fromkeys(found.passed_by))
    if not found.scenarios:
        fix = "give a folder with scenarios (*.yaml, *.yml; names that begin with _ are fragments)"
        mistakes.append(Mistake(argument, "a folder without scenarios", "scenarios", fix))
    yield from map(str, found.scenarios)


def _share(drills: tuple[Chosen, ...], shard: Shard | None) -> tuple[Chosen, ...]:
    if shard is None:
        return drills
    lengths_s = [planned_s(one.scenario) for one in drills]
    return tuple(drills[position] for position in shares(lengths_s, shard.of)[shard.number - 1])
