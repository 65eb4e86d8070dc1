"""What a drill shows while it runs: a line for every phase and change of an alert, and on a terminal a clock."""

import time
from collections.abc import Mapping, Sequence

from rich.console import Console
from rich.status import Status
from rich.text import Text

from alertdrill.run.ports import ActiveAlert


def _name(labels: Mapping[str, str]) -> str:
    feature = labels.get("feature")
    return labels.get("alertname", "") + (f"[{feature}]" if feature else "")


class TerminalProgress:
    """Prints what happens; on a terminal the current stretch and its remaining time stay at the bottom."""

    def __init__(self, console: Console, quiet: bool = False) -> None:
        self._console = console
        self._quiet = quiet
        self._began = time.monotonic()
        self._states: dict[str, str] = {}
        self._title = "starting"
        self._until: float | None = None
        self._status: Status | None = console.status("starting") if console.is_terminal and not quiet else None

    def __enter__(self) -> "TerminalProgress":
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def segment(self, title: str, until: float | None) -> None:
        """A stretch began."""
        self._title, self._until = title, until
        self._line(title, "bold" if title.startswith("phase") else "")

    def alerts(self, active: Sequence[ActiveAlert]) -> None:
        """Print what changed since the last look."""
        states = {_name(one.labels): one.state for one in active}
        for name, state in states.items():
            if self._states.get(name) != state:
                self._line(f"  {name} {state}", "red" if state == "firing" else "yellow")
        for name in self._states.keys() - states.keys():
            self._line(f"  {name} inactive", "green")
        self._states = dict(states)
        if self._status:
            left = "" if self._until is None else f", at most {max(0, self._until - time.time()):.0f} s"
            self._status.update(f"{self._title}{left}")

    def note(self, text: str) -> None:
        """Print a line."""
        self._title = text.splitlines()[0]
        self._line(text, "dim")
        if self._status:
            self._status.update(self._title)

    def _line(self, text: str, style: str) -> None:
        if not self._quiet:
            self._console.print(Text.assemble((f"{time.monotonic() - self._began:6.1f} s  ", "dim"), (text, style)))
