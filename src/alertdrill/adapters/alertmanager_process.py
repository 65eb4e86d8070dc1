"""Runs an Alertmanager of our own for the length of a drill: no cluster, own port, own data, gone without trace."""

import asyncio
import os
from pathlib import Path

from alertdrill.adapters.alertmanager_binary import Alertmanager
from alertdrill.adapters.scratch import Scratch
from alertdrill.adapters.server_process import START_TIMEOUT_S, ServerFailed, ServerProcess, spawn


class AlertmanagerFailed(ServerFailed):
    """A managed Alertmanager did not start; nothing of it is left."""


class ManagedAlertmanager(ServerProcess):
    """An Alertmanager that runs until `stop`."""

    name = "alertmanager"
    failure = AlertmanagerFailed

    def __init__(self, process: asyncio.subprocess.Process, scratch: Scratch, deaf: bool) -> None:
        super().__init__(process, scratch)
        self.deaf = deaf


async def start_alertmanager(
    alertmanager: Alertmanager, config: str, *, parent: Path | None = None, timeout_s: float = START_TIMEOUT_S
) -> ManagedAlertmanager:
    """Start an Alertmanager on a free port of 127.0.0.1 and wait until it has loaded its configuration.

    Call it from the main thread: on Linux the process dies with the thread that started it.

    Args:
        alertmanager: the program, and how it is started.
        config: text of its configuration; the paths in it are absolute.
        parent: where its directory is made; by default that for temporary files.
        timeout_s: how long it may take.

    Raises:
        AlertmanagerFailed: it ended, or was not ready in time; the message has what it logged.
    """
    scratch = Scratch("alertdrill-alertmanager-", parent)
    managed: ManagedAlertmanager | None = None
    way = alertmanager.way
    try:
        (scratch.path / "alertmanager.yml").write_text(config, encoding="utf-8")
        command = [
            *(*way.prefix, str(alertmanager.program.path)),
            f"--config.file={scratch.path / 'alertmanager.yml'}",
            f"--storage.path={scratch.path / 'data'}",
            "--web.listen-address=127.0.0.1:0",
            "--web.external-url=http://127.0.0.1",
            "--cluster.listen-address=",
            "--log.format=json",
        ]
        process = await spawn(command, scratch.path, {**os.environ, **way.environ})
        managed = ManagedAlertmanager(process, scratch, way.deaf)
        await managed.wait_until_ready(timeout_s)
    except BaseException:
        if managed is None:
            scratch.remove()
        else:
            await managed.stop(timeout_s=0.5)
        raise
    return managed
