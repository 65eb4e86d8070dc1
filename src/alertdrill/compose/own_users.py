"""The users of a team's own locustfile, as a scenario names them."""

import hashlib
from dataclasses import dataclass
from pathlib import Path

from alertdrill.adapters.processes import Child, Event, ProcessFailed
from alertdrill.adapters.yaml_file import beside
from alertdrill.compose.options import in_file
from alertdrill.core.errors import BadInput
from alertdrill.core.scenario import Load, Scenario
from alertdrill.core.scenario.finding import TOP, Finding


@dataclass(frozen=True)
class OwnUsers:
    """Users of a locustfile.

    Attributes:
        file: the locustfile.
        count: how many of them there are.
        scenario: the file that names it.
    """

    file: Path
    count: int
    scenario: Path

    @classmethod
    def of(cls, scenario: Scenario, path: Path) -> "OwnUsers | None":
        """Those of a scenario in a file, if it has some."""
        load = scenario.load
        if not isinstance(load, Load) or load.locustfile is None or load.users is None:
            return None
        return cls(beside(path, load.locustfile), load.users, path)

    @property
    def sha256(self) -> str:
        """Hash of the file, for the evidence: nothing of it is kept."""
        return hashlib.sha256(self.file.read_bytes()).hexdigest()

    async def imported(self, load: Child, timeout_s: float) -> None:
        """Wait until the load has imported the file.

        Raises:
            BadInput: it cannot, or takes too long.
            ProcessFailed: the load ended for another reason.
        """
        try:
            await load.event("imported", timeout_s)
        except ProcessFailed:
            unusable = await _unusable(load)
            if unusable is not None:
                raise self._refused(unusable["got"], unusable["expected"], unusable["fix"]) from None
            if not load.alive():
                raise
            got, fix = f"{self.file.name}, not imported after {timeout_s:g} s", "let it do nothing but define classes"
            raise self._refused(got, "a locustfile that can be imported", fix) from None

    def _refused(self, got: str, expected: str, fix: str) -> BadInput:
        return BadInput(in_file(self.scenario, [Finding((TOP, "load", "locustfile"), expected, fix, got)]))


async def _unusable(load: Child) -> Event | None:
    """What the load said of a file that it cannot run, if it did."""
    try:
        return await load.event("unusable", 0.0)
    except ProcessFailed:
        return None
