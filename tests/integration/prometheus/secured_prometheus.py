"""A Prometheus of a team's own, behind TLS, a login and a path prefix of its own web server."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from alertdrill.adapters.prometheus_log import listening_address
from alertdrill.adapters.scratch import Scratch
from alertdrill.adapters.server_process import LOG, ServerProcess, spawn

USER, PASSWORD = "alertdrill", "s3cret-pa55"
BCRYPTED = "$2b$04$abcdefghijklmnopqrstuu8gPP2yRqExh/lIRca35HYwnrIzN4MVu"
PREFIX = "/team/prometheus"

RULES = "groups: [{name: g, rules: [{alert: Always, expr: vector(1), labels: {severity: P1}}]}]"


@asynccontextmanager
async def secured_prometheus(program: Path, web: str, config: str = "", prefix: str = PREFIX) -> AsyncIterator[str]:
    """Address without scheme of one that runs with a `--web.config.file`; readiness is for the caller to see."""
    scratch = Scratch("alertdrill-test-")
    folder = scratch.path
    (folder / "web.yml").write_text(web)
    (folder / "rules.yml").write_text(RULES)
    general = "global: {scrape_interval: 1s, evaluation_interval: 1s}\n"
    (folder / "prometheus.yml").write_text(general + f"rule_files: [{folder / 'rules.yml'}]\n" + config)
    command = [
        *(str(program), f"--config.file={folder / 'prometheus.yml'}", f"--storage.tsdb.path={folder / 'data'}"),
        *("--web.listen-address=127.0.0.1:0", f"--web.config.file={folder / 'web.yml'}", "--log.format=json"),
        *(f"--web.route-prefix={prefix}", f"--web.external-url=http://127.0.0.1{prefix}"),
    ]
    server = ServerProcess(await spawn(command, folder), scratch)
    try:
        async with asyncio.timeout(30):
            while (address := listening_address((folder / LOG).read_text())) is None:
                assert server.alive(), server.log_tail()
                await asyncio.sleep(0.01)
        yield address + prefix
    finally:
        await server.stop()
