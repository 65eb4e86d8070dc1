"""Reads the JSON log of a Prometheus: the address it listens on, and what it says when it gives up."""

import json
from collections.abc import Iterable

# 2.x writes {"level":"error","err":…,"msg":…,"ts":…}, 3.x {"time":…,"level":"ERROR","msg":…,"err":…}.
LISTENING = "Listening on"


def parse_line(line: str) -> dict[str, str]:
    """The fields of a line as text; a line that is no JSON object (a crash, a flag error) is its own `msg`."""
    try:
        fields = json.loads(line)
    except ValueError:
        fields = None
    return (
        {str(key): str(value) for key, value in fields.items()} if isinstance(fields, dict) else {"msg": line.strip()}
    )


def listening_address(log: str) -> str | None:
    """`host:port` once the log says where it listens; lines that are not written to their end do not count.

    The message must be exactly "Listening on": an earlier line, "Start listening for connections", repeats port 0.
    """
    for line in log.splitlines(keepends=True):
        if LISTENING in line and line.endswith("\n"):
            fields = parse_line(line)
            if fields.get("msg") == LISTENING and "address" in fields:
                return fields["address"]
    return None


def errors(log: str, at_most: int = 5) -> list[str]:
    """The last errors of the log, each as `message: cause`; its last lines if it has none."""
    parsed = [parse_line(line) for line in log.splitlines() if line.strip()]
    failed = [_text(fields) for fields in parsed if fields.get("level", "error").lower() in ("error", "fatal")]
    return _unique(failed)[-at_most:] or [_text(fields) for fields in parsed[-at_most:]]


def _text(fields: dict[str, str]) -> str:
    return ": ".join(fields[key] for key in ("msg", "err") if fields.get(key))


def _unique(lines: Iterable[str]) -> list[str]:
    return list(dict.fromkeys(lines))
