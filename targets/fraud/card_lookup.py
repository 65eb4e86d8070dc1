"""Looks card histories up in the feature store, and falls back to a default history when it does not answer."""

import time
from collections.abc import Iterable
from urllib.parse import quote

import server_metrics as metrics
from history import History
from store_client import Header, StoreClient


class CardLookup:
    """Histories of cards. A lookup never fails: the fallback is counted by its reason."""

    def __init__(self, store: StoreClient, default: History, model: str, version: str) -> None:
        self._store = store
        self._default = default
        self._seconds = metrics.DEPENDENCY_DURATION.labels(model, version, "feature_store")
        self._fallbacks = {reason: metrics.FALLBACK.labels(model, version, reason) for reason in metrics.FALLBACKS}

    async def history(self, card_id: str, headers: Iterable[Header]) -> History:
        """The card's history, or the default one if the store does not answer with it in time."""
        started = time.perf_counter()
        found = await self._find(f"/cards/{quote(card_id, safe='')}", headers)
        self._seconds.observe(time.perf_counter() - started)
        if isinstance(found, History):
            return found
        self._fallbacks[found].inc()
        return self._default

    async def _find(self, path: str, headers: Iterable[Header]) -> History | metrics.Fallback:
        try:
            answer = await self._store.get(path, headers)
            if answer.code == 200:
                return History.from_json(answer.body)
        except TimeoutError:
            return "timeout"
        except OSError:
            return "unreachable"
        except ValueError:
            return "bad_answer"
        return "unknown_card" if answer.code == 404 else "status"
