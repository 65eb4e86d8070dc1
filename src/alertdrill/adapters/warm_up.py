"""Requests that wake a target before the drill: one that scales to zero needs time for its first answers."""

import asyncio
import time
from collections.abc import Callable

import httpx
import numpy as np

from alertdrill.adapters.target import PreparedTarget
from alertdrill.core.blotted import blotted_bytes
from alertdrill.core.errors import AlertdrillError
from alertdrill.core.scenario import Warmup
from alertdrill.core.scenario.target import is_loopback
from alertdrill.protocols.encoding import encode

AGAIN_S = 0.25
SHOWN = 120
ANSWERED = "2xx"
Outcome = tuple[str, float]
"""What came back, and after how many seconds to come again."""

LONGEST_WAIT_DIGITS = 6


class NotWarm(AlertdrillError):
    """The target did not answer as it should in time."""


async def warm_up(origin: str, target: PreparedTarget, warmup: Warmup, say: Callable[[str], None]) -> None:
    """Send rows of the sample, one after the other, until enough have been answered with 2xx.

    They go straight to the target, past monitor and proxies, and are no part of the drill: no header of it, no journal.

    Args:
        origin: scheme, host and port of the target.
        target: its path, headers and rows.
        warmup: how many answers, and how long that may take.
        say: is told how it goes.

    Raises:
        NotWarm: it took longer.
    """
    url, began = f"{origin}{target.base_path}{target.schema.path}", time.monotonic()
    say(f"warming up {url}")
    secure, loopback = url.startswith("https:"), is_loopback(httpx.URL(url).host)
    client = httpx.AsyncClient(verify=target.tls.context() if secure else False, trust_env=not loopback)
    answered, last = 0, "no answer"
    async with client:
        while answered < warmup.requests:
            left_s = began + warmup.within - time.monotonic()
            if left_s <= 0:
                got = f"{answered} of {warmup.requests} answers of 2xx within {warmup.within:g} s, then {last}"
                fix = "raise load.warmup.within, or see why the target does not answer"
                raise NotWarm(f"{url}: the target is not warm\n  got {got}\n  fix: {fix}")
            last, again_s = await _sent(client, url, target, answered, left_s)
            if last == ANSWERED:
                answered += 1
            else:
                await asyncio.sleep(min(again_s, left_s))
    say(f"warm after {time.monotonic() - began:.1f} s")


async def _sent(client: httpx.AsyncClient, url: str, target: PreparedTarget, n: int, timeout_s: float) -> Outcome:
    """Send row `n` of the sample."""
    (body,) = encode(target.sample.take(np.array([n % len(target.sample)])), target.schema)
    headers = {"Content-Type": target.schema.form.content_type, **target.all_headers}
    extensions = {"sni_hostname": target.tls.server_name} if target.tls.server_name else {}
    try:
        async with asyncio.timeout(timeout_s):
            answer = await client.post(url, content=body, headers=headers, timeout=timeout_s, extensions=extensions)
    except (TimeoutError, httpx.HTTPError) as error:
        return str(error)[:SHOWN] or "no answer", AGAIN_S
    if answer.is_success:
        return ANSWERED, AGAIN_S
    said = target.schema.protocol.error_of(blotted_bytes(answer.content, target.secret_headers.values()))
    wait = answer.headers.get("retry-after", "")
    again_s = float(wait) if wait.isdecimal() and len(wait) < LONGEST_WAIT_DIGITS else AGAIN_S
    return f"HTTP {answer.status_code}" + (f": {said}"[:SHOWN] if said else ""), again_s
