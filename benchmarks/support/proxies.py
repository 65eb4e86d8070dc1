"""Reverse proxies in front of one target, each a process on a core of its own: nginx, and the monitor as a sidecar."""

import json
import os
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NamedTuple

import psutil

from support import debian

CONFIG = """
daemon off; master_process on; worker_processes 1; pid {folder}/proxy.pid; error_log {folder}/proxy.log;
events {{ worker_connections 4096; }}
http {{
    access_log off; keepalive_requests 1000000000; keepalive_timeout 300s; client_body_buffer_size 64k;
    client_body_temp_path {folder}/body; proxy_temp_path {folder}/proxy; fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi; scgi_temp_path {folder}/scgi;
    upstream model {{ server 127.0.0.1:{upstream}; keepalive 256; keepalive_requests 1000000000; }}
    server {{
        listen 127.0.0.1:{port} backlog=4096;
        location / {{ proxy_pass http://model; proxy_http_version 1.1; proxy_set_header Connection ""; }}
    }}
}}
"""


class Process(NamedTuple):
    """What answers on a port, and the process whose CPU counts."""

    port: int
    pid: int


@contextmanager
def nginx(folder: Path, upstream: int, core: int) -> Iterator[Process]:
    """Nginx with `proxy_pass` and kept connections."""
    programs = debian.programs()
    with socket.socket() as one:
        one.bind(("127.0.0.1", 0))
        port = int(one.getsockname()[1])
    config = folder / "proxy.conf"
    config.write_text(CONFIG.format(folder=folder, port=port, upstream=upstream))
    command = [programs / "usr/sbin/nginx", "-p", folder, "-c", config, "-e", folder / "proxy.log"]
    process = subprocess.Popen(command, env=debian.environment(programs))
    try:
        deadline = time.monotonic() + 10
        while not (children := psutil.Process(process.pid).children()) or not _answers(port):
            if time.monotonic() > deadline or process.poll() is not None:
                raise RuntimeError(f"nginx did not start: {(folder / 'proxy.log').read_text()[-500:]}")
            time.sleep(0.01)
        os.sched_setaffinity(children[0].pid, {core})
        yield Process(port, children[0].pid)
    finally:
        process.terminate()
        process.wait(10)


@contextmanager
def python(core: int, *argv: object, environ: dict[str, str] | None = None) -> Iterator[Process]:
    """A Python program on one core, that says its port in its first line: a number, or alertdrill's ready event."""
    process = subprocess.Popen(
        ["taskset", "-c", str(core), sys.executable, *map(str, argv)],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        env={**os.environ, **(environ or {})},
    )
    try:
        assert process.stdout
        said = json.loads(process.stdout.readline())
        yield Process(said if isinstance(said, int) else said["port"], process.pid)
    finally:
        process.terminate()
        process.wait(10)


def cpu_s(pid: int) -> float:
    """CPU seconds of a process with all its threads, to the nanosecond (Linux: CPUCLOCK_SCHED of a process)."""
    return time.clock_gettime(~pid << 3 | 2)


def _answers(port: int) -> bool:
    with socket.socket() as one:
        return one.connect_ex(("127.0.0.1", port)) == 0
