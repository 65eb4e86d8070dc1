"""Has amtool check a team's Alertmanager configuration before a drill starts, and reads it."""

import subprocess
from pathlib import Path

from alertdrill.adapters.alertmanager_config import AlertmanagerConfig, read_config, refused
from alertdrill.core.errors import BadInput, Mistake

TIMEOUT_S = 60.0
WHERE = "monitoring.alertmanager.config"


def checked_config(amtool: Path, file: Path) -> AlertmanagerConfig:
    """A configuration file that amtool accepts.

    Args:
        amtool: the program.
        file: shown in messages as it is given.

    Raises:
        BadInput: it cannot be read, or is refused; with file, line (where amtool or the file tells) and its own words.
    """
    fix = "write the path of an Alertmanager's configuration file"
    try:
        text = file.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as error:
        got = "no such file" if isinstance(error, FileNotFoundError) else str(error)
        raise BadInput([Mistake(WHERE, got, "a readable text file", fix, file=str(file))]) from None
    said = _said(amtool, file)
    if said is not None:
        raise refused(file, said, text.splitlines())
    try:
        return read_config(text, file.absolute().parent)
    except ValueError as error:
        fix = "write it plainly, without YAML that only few programs read"
        raise BadInput([Mistake(WHERE, str(error), "a configuration that we can read", fix, file=str(file))]) from None


def _said(amtool: Path, file: Path) -> str | None:
    """What amtool has against a file; None: nothing."""
    command = [str(amtool), "check-config", str(file)]
    try:
        done = subprocess.run(
            command,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            text=True,
            errors="replace",
            timeout=TIMEOUT_S,
        )
    except (OSError, subprocess.TimeoutExpired) as error:
        raise BadInput([Mistake("amtool", str(error), "an answer", f"try: {' '.join(command)}")]) from error
    return None if done.returncode == 0 else done.stdout
