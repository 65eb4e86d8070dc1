"""One drill of several that run at the same time: a process that its controller starts, hears and ends."""

import json
import signal
import sys
from collections.abc import Sequence
from dataclasses import asdict
from pathlib import Path
from typing import Any

from alertdrill.cli.json_file import writing
from alertdrill.compose import Options, run_drill
from alertdrill.core.errors import AlertdrillError
from alertdrill.core.kept import Kept
from alertdrill.lifeline import emit, flush
from alertdrill.run.ports import ActiveAlert, Traffic


class _ToController:
    """A progress that goes to the controller."""

    def traffic(self, now: Traffic) -> None:
        emit({"event": "traffic", **asdict(now)})

    def segment(self, title: str, until: float | None) -> None:
        emit({"event": "segment", "title": title, "until": until})

    def alerts(self, active: Sequence[ActiveAlert]) -> None:
        emit({"event": "alerts", "active": [{"labels": dict(one.labels), "state": one.state} for one in active]})

    def note(self, text: str) -> None:
        emit({"event": "note", "text": text})


def _options(asked: dict[str, Any]) -> Options:
    return Options(
        results=Path(asked["results"]),
        rules=tuple(map(Path, asked["rules"])),
        prometheus=asked["prometheus"],
        only=tuple(asked["only"]),
        workers=asked["workers"],
        allow_locustfile=asked["allow_locustfile"],
        allow_commands=asked["allow_commands"],
        record=Kept(asked["record"]),
    )


def main() -> None:
    """Run the drill that the first argument describes."""
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(0))  # until the drill takes signals itself: leave, saying nothing
    asked = json.loads(sys.argv[1])
    options = _options(asked)
    try:
        with writing(options.results, "--results DIR"):
            outcome = run_drill(asked["argument"], options, _ToController())
        emit({"event": "ended", "folder": str(outcome.folder)})
    except AlertdrillError as error:
        emit({"event": "broke", "exit_code": error.exit_code, "what": str(error)})
    flush(5.0)


if __name__ == "__main__":
    main()
