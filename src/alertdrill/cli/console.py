"""The console that commands print to: once nobody reads any more, it is silent, and the command goes on."""

import os

from rich.console import Console


class Printer(Console):
    """One whose reader may leave, as `head` does: the command then ends as if it were read."""

    def on_broken_pipe(self) -> None:
        """Print nothing more; what is left in buffers goes nowhere."""
        self.quiet = True
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, self.file.fileno())
        os.close(nowhere)
