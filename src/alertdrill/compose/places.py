"""On which line of its scenario each expectation stands."""

import os
from collections.abc import Mapping
from pathlib import Path

from alertdrill.adapters.yaml_file import load_scenario, locate
from alertdrill.core.asked import expectation_id
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario.finding import Finding


def expectation_places(scenario: Path) -> Mapping[str, tuple[str, int]]:
    """Id of an expectation to file (relative to the working directory, where it is inside) and line.

    Of expectations that are written once for several label sets, and of a scenario that is no more, none.
    """
    try:
        phases = load_scenario(scenario).phases
    except BadInput:
        return {}
    ids = [
        (expectation_id(phase, at), ("phases", number, "expect", at))
        for number, phase in enumerate(phases)
        for at in range(len(phase.expect))
    ]
    found = locate(scenario, [Finding(path, "", "") for _, path in ids])
    return {
        name: (_shown(one.file), one.line) for (name, _), one in zip(ids, found, strict=True) if one.file and one.line
    }


def _shown(file: str) -> str:
    relative = os.path.relpath(file)
    return file if relative.startswith("..") else relative
