"""An Alertmanager that runs before alertdrill comes and notifies people: a webhook that counts what it is told."""

import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import httpx

from alertdrill.adapters.alertmanager_api import AlertmanagerApi
from alertdrill.adapters.alertmanager_install import ensure_alertmanager
from alertdrill.adapters.alertmanager_process import start_alertmanager
from alertdrill.adapters.alertmanager_witness import WebhookWitness
from alertdrill.core.matchers import Matcher

CONFIG = """
route: {{receiver: people, group_by: ['...'], group_wait: 0s}}
receivers: [{{name: people, webhook_configs: [{{url: '{url}/0/webhook'}}]}}]
inhibit_rules:
  - {{source_matchers: [alertname="{source}"], target_matchers: [alertname="{inhibited}"], equal: [feature]}}
"""


@dataclass(frozen=True)
class OwnAlertmanager:
    """Where it answers, and the alerts that people were told of."""

    url: str
    told: list[str]

    async def silences(self) -> Any:
        """All its silences, ended ones too."""
        async with httpx.AsyncClient() as client:
            return (await client.get(f"{self.url}/api/v2/silences")).json()


@asynccontextmanager
async def own_alertmanager(source: str, inhibited: str, silenced: str) -> AsyncIterator[OwnAlertmanager]:
    """One in which the alert `source` inhibits another, and alice has silenced a third."""
    told: list[str] = []
    async with WebhookWitness(("people",), lambda one: told.append(one.labels["alertname"])) as people:
        config = CONFIG.format(url=people.url, source=source, inhibited=inhibited)
        managed = await start_alertmanager(ensure_alertmanager(), config)
        try:
            async with AlertmanagerApi(managed.url) as api:
                matchers, now = [Matcher("alertname", "=", silenced)], time.time()
                await api.set_silence(matchers, now - 9, now + 900, "alice", "maintenance")
            yield OwnAlertmanager(managed.url, told)
        finally:
            await managed.stop(1.0)
