"""`alertdrill worker`."""

import typer

from alertdrill.compose.crew import address
from alertdrill.compose.worker import join_drill


def join(master: str, wait_s: float) -> int:
    """Take part in the load of a drill until it is over.

    Raises:
        AlertdrillError: with the exit code of what went wrong.
    """
    join_drill(address("HOST:PORT", master), wait_s, typer.echo)
    return 0
