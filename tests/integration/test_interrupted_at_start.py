"""A signal that comes while the command line is still importing."""

import signal
import subprocess
import sys

import pytest

COMMAND = [sys.executable, "-X", "importtime", "-m", "alertdrill", "run", "no-such-scenario"]


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
@pytest.mark.parametrize("module", ["click.exceptions", "alertdrill.core.errors", "numpy"])
def test_a_signal_while_the_command_line_is_imported_ends_it_without_a_traceback(
    module: str, number: signal.Signals
) -> None:
    with subprocess.Popen(COMMAND, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True) as process:
        assert process.stderr is not None
        assert any(line.split()[-1] == module for line in process.stderr)
        process.send_signal(number)
        said = process.stderr.read()
    assert process.returncode == 130
    assert "Traceback" not in said
