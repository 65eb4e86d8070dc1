"""Locust's own users, run in a process of their own: `python locust_peers.py saturate|rate|stall URL …` prints JSON.

saturate URL SECONDS         32 FastHttpUsers without waiting: CPU seconds and requests
rate URL RATE USERS SECONDS  FastHttpUsers with constant_throughput: seconds off an even grid from the first send
stall URL RATE USERS SECONDS FastHttpUsers in a closed loop: what Locust shows as p99, in ms
"""

import gevent.monkey

gevent.monkey.patch_all()

import json  # noqa: E402
import random  # noqa: E402
import sys  # noqa: E402
import time  # noqa: E402
from typing import Any  # noqa: E402

import gevent  # noqa: E402
from locust import FastHttpUser, constant, constant_throughput, task  # noqa: E402
from locust.env import Environment  # noqa: E402

NUMBERS = [f"x{i}" for i in range(10)]
POOL = [{name: round(random.lognormvariate(3, 1), 2) for name in NUMBERS} for _ in range(5000)]
sends: list[float] = []


class Sender(FastHttpUser):
    """Posts rows of a pool; json.dumps is part of every request, as in any locustfile."""

    @task
    def predict(self) -> None:
        """Send one row."""
        sends.append(time.perf_counter())
        self.client.post("/predict", json=random.choice(POOL))


def environment(url: str, users: int, wait: Any) -> Environment:
    """Start the users at once."""
    Sender.host, Sender.wait_time = url, wait
    result = Environment(user_classes=[Sender])
    result.create_local_runner().start(users, spawn_rate=users)
    return result


def saturate(url: str, seconds: str) -> dict[str, float]:
    """CPU per request once all users run."""
    running = environment(url, 32, constant(0))
    gevent.sleep(1.0)
    cpu, count = time.process_time(), running.stats.total.num_requests
    gevent.sleep(float(seconds))
    return {"cpu_s": time.process_time() - cpu, "requests": running.stats.total.num_requests - count}


def rate(url: str, per_s: str, users: str, seconds: str) -> dict[str, list[float]]:
    """How far sends are from an even grid."""
    environment(url, int(users), constant_throughput(float(per_s) / int(users)))
    gevent.sleep(float(seconds))
    times = sorted(sends)
    return {"errors_s": [abs(at - times[0] - n / float(per_s)) for n, at in enumerate(times)]}


def stall(url: str, per_s: str, users: str, seconds: str) -> dict[str, float]:
    """The p99 that a closed loop shows."""
    running = environment(url, int(users), constant_throughput(float(per_s) / int(users)))
    gevent.sleep(float(seconds))
    total = running.stats.total
    return {"p99_ms": total.get_response_time_percentile(0.99), "requests": total.num_requests}


if __name__ == "__main__":
    found = {"saturate": saturate, "rate": rate, "stall": stall}[sys.argv[1]](*sys.argv[2:])
    print(json.dumps(found), flush=True)
    sys.stdout.flush()
    import os

    os._exit(0)
