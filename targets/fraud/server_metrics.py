"""Metrics that the model server exports about itself.

The names of requests and durations are not those of the reference monitor, which counts the same requests from
outside: a sum over both would count twice. What only the server can know, its dependency and its fallbacks, carries
the `model_` names of the catalogue.
"""

from typing import Literal, get_args

from prometheus_client import Counter, Histogram
from request_check import REASONS

Fallback = Literal["timeout", "unreachable", "status", "bad_answer", "unknown_card"]
FALLBACKS: tuple[Fallback, ...] = get_args(Fallback)
CODES = ("200", "422", "429", "499", "500", "502", "503", "504")  # 499: the client went; 429, 502 to 504: in drills
_BUCKETS = (0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.2, 0.4, 0.8, 1.6, 3.2)

REQUESTS = Counter("server_requests", "Predictions answered, by HTTP status code.", ["code"])
DURATION = Histogram(
    "server_request_duration_seconds",
    "Seconds from a request's headers to the end of its answer; reading the body counts.",
    buckets=_BUCKETS,
)
INVALID = Counter("server_invalid_requests", "Mistakes found in requests that were answered 422.", ["reason"])
DEPENDENCY_DURATION = Histogram(
    "model_dependency_duration_seconds",
    "Seconds that a lookup took, failed ones and waiting for a connection included.",
    ["model", "version", "dependency"],
    buckets=_BUCKETS,
)
FALLBACK = Counter("model_fallback", "Predictions made on a default history.", ["model", "version", "reason"])


for _code in CODES:  # every series starts at zero: `rate` does not see the birth of a series
    REQUESTS.labels(_code)
for _reason in REASONS:
    INVALID.labels(_reason)
