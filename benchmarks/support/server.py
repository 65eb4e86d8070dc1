"""nginx that answers every POST at once: a target that costs next to nothing, on a core of its own."""

import os
import signal
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import psutil

from support import debian

CONFIG = """
daemon off; master_process on; worker_processes 1; pid {folder}/pid; error_log {folder}/error.log;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; client_body_buffer_size 64k;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ default_type application/json; return 200 '{{"prediction": 0, "score": 0.25}}'; }}
    }}
}}
"""


@dataclass(frozen=True)
class Server:
    """A running nginx.

    Attributes:
        port: on 127.0.0.1.
        worker: process that answers.
    """

    port: int
    worker: psutil.Process

    @property
    def url(self) -> str:
        """Address without a path."""
        return f"http://127.0.0.1:{self.port}"

    def stall(self, for_s: float) -> tuple[float, float]:
        """Have it answer nothing for a while; wall times of beginning and end."""
        began = time.time()
        self.worker.send_signal(signal.SIGSTOP)
        time.sleep(for_s)
        self.worker.send_signal(signal.SIGCONT)
        return began, time.time()


def _free_port() -> int:
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        return int(one.getsockname()[1])


@contextmanager
def serving(core: int = 0) -> Iterator[Server]:
    """Run nginx on one core."""
    programs = debian.programs()
    with tempfile.TemporaryDirectory() as name:
        folder, port = Path(name), _free_port()
        (folder / "nginx.conf").write_text(CONFIG.format(folder=folder, port=port))
        command = [programs / "usr/sbin/nginx", "-p", folder, "-c", folder / "nginx.conf", "-e", folder / "error.log"]
        process = subprocess.Popen(command, env=debian.environment(programs))
        try:
            deadline = time.monotonic() + 10
            while not (children := psutil.Process(process.pid).children()) or not _answers(port):
                if time.monotonic() > deadline or process.poll() is not None:
                    raise RuntimeError(f"nginx did not start: {(folder / 'error.log').read_text()[-500:]}")
                time.sleep(0.01)
            os.sched_setaffinity(children[0].pid, {core})
            yield Server(port, children[0])
        finally:
            process.terminate()
            process.wait(10)


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
