"""The drills that arguments of a command stand for: files, bundled names, folders of scenarios; or a share of them."""

import os
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from alertdrill.compose.named import is_folder, named
from alertdrill.compose.options import Options, read_to_run
from alertdrill.core.errors import BadInput
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
    names = named(arguments)
    mistakes = [*names.mistakes]
    chosen: dict[str, Chosen] = {}
    for name in names.scenarios:
        try:
            scenario, path = read_to_run(name, options)
            chosen.setdefault(os.path.realpath(path), Chosen(name, path, scenario))
        except BadInput as error:
            mistakes += error.mistakes
    if mistakes:
        raise BadInput(tuple(dict.fromkeys(mistakes)))
    drills = tuple(chosen.values())
    together = len(arguments) > 1 or any(map(is_folder, arguments))
    return Choice(_share(drills, shard), len(drills), together, names.passed_by)


def _share(drills: tuple[Chosen, ...], shard: Shard | None) -> tuple[Chosen, ...]:
    if shard is None:
        return drills
    lengths_s = [planned_s(one.scenario) for one in drills]
    return tuple(drills[position] for position in shares(lengths_s, shard.of)[shard.number - 1])
