"""What a drill shows while it runs: a line for every phase and change of an alert, and on a terminal a clock."""

import time
from collections.abc import Callable, Mapping, Sequence

from rich.console import Console
from rich.markup import escape
from rich.status import Status
from rich.text import Text

from alertdrill.run.ports import ActiveAlert, Traffic

MOST_KINDS = 3
LABEL_WIDTH = 20


def _ms(seconds: float) -> str:
    return f"{seconds * 1000:.1f}" if seconds < 0.01 else f"{seconds * 1000:,.0f}"


def _name(labels: Mapping[str, str]) -> str:
    feature = labels.get("feature")
    return labels.get("alertname", "") + (f"[{feature}]" if feature else "")


def _short(name: str, width: int) -> str:
    """A name cut to a width; of a path the end says more than the beginning."""
    if len(name) <= width:
        return name
    return f"…{name[1 - width :]}" if "/" in name else f"{name[: width - 1]}…"


class TerminalProgress:
    """Prints what happens; on a terminal the current stretch and its remaining time stay at the bottom."""

    def __init__(
        self,
        console: Console,
        quiet: bool = False,
        label: str = "",
        show: Callable[[str], None] | None = None,
        began: float | None = None,
    ) -> None:
        """Nothing is printed yet.

        Args:
            console: where to print.
            quiet: print nothing at all.
            label: stands before every line: which of several drills it is about.
            show: takes what is to stay at the bottom, in rich's markup; None: it is shown there.
            began: when its clock began, as `time.monotonic`; None: at this moment.
        """
        self._console = console
        self._quiet = quiet
        self._label = label
        self._began = time.monotonic() if began is None else began
        self._states: dict[str, str] = {}
        self._title, self._traffic = "starting", ""
        self._until: float | None = None
        shown = console.is_terminal and not quiet and show is None
        self._status: Status | None = console.status("starting") if shown else None
        self._show = show or (self._status.update if self._status else None)

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
        self._update()

    def traffic(self, now: Traffic) -> None:
        """Show what the load does."""
        parts = [f"{now.rate_per_s:,.0f}/s"]
        if now.latencies_s is not None:
            parts.append("p50 {} p95 {} p99 {} ms".format(*(_ms(one) for one in now.latencies_s)))
        parts.append(f"{now.in_flight:,} in flight")
        parts += [
            f"{count:,} {kind}" for kind, count in sorted(now.errors.items(), key=lambda one: -one[1])[:MOST_KINDS]
        ]
        self._traffic = " · ".join(parts)
        self._update()

    def note(self, text: str) -> None:
        """Print a line."""
        self._title = text.splitlines()[0]
        self._line(text, "dim")
        self._update()

    def _update(self) -> None:
        if self._show:
            left = "" if self._until is None else f", at most {max(0, self._until - time.time()):.0f} s"
            self._show(f"{escape(self._title)}{left}" + (f"\n  [dim]{self._traffic}[/]" if self._traffic else ""))

    def _line(self, text: str, style: str) -> None:
        if not self._quiet:
            head = (f"{time.monotonic() - self._began:6.1f} s  {self._label}", "dim")
            self._console.print(Text.assemble(head, (text, style)))


class DrillsProgress:
    """The same for several drills at the same time: each line names its drill, all have one clock.

    At the bottom of a terminal each has a line.
    """

    def __init__(self, console: Console, names: Sequence[str], quiet: bool = False) -> None:
        self._console, self._quiet, self._began = console, quiet, time.monotonic()
        self._width = min(LABEL_WIDTH, max(map(len, names), default=0))
        self._bottom: dict[str, str] = {}
        self._status: Status | None = console.status("") if console.is_terminal and not quiet else None

    def __enter__(self) -> "DrillsProgress":
        if self._status:
            self._status.start()
        return self

    def __exit__(self, *_: object) -> None:
        if self._status:
            self._status.stop()

    def of(self, name: str) -> TerminalProgress:
        """The progress of one drill."""
        label = f"{_short(name, self._width):<{self._width}}  "
        bottom = escape(label)
        return TerminalProgress(
            self._console, self._quiet, label, lambda text: self._show(name, bottom + text), self._began
        )

    def note(self, text: str) -> None:
        """Print a line that is about no drill."""
        if not self._quiet:
            self._console.print(Text(text, style="dim"))

    def ended(self, name: str) -> None:
        """A drill needs its line no more."""
        self._bottom.pop(name, None)
        self._update()

    def _show(self, name: str, text: str) -> None:
        self._bottom[name] = "  " + text.partition("\n")[0]
        self._update()

    def _update(self) -> None:
        if self._status:
            self._status.update("\n".join([f"{len(self._bottom)} running", *self._bottom.values()]))
