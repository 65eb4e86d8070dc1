"""Many simulated streams of one feature at once: independent rows with known shares of the cells, and who alarms when.

The feature is standard normal with 1% nulls, the reference exact: its cells are those of 10,000 normal quantiles, and
clean rows have its very shares. Rows come in batches of ten, as 100 a second do for a detector that is updated each
0.1 s; a week has 6,048,000 updates, and ten features share one false alarm in it.
"""

from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.cells import NumericCells
from alertdrill.drift.e_detector import UPDATE_S, EDetector, log_threshold
from alertdrill.drift.quantiles import chi_squared_above
from alertdrill.drift.windows import g_statistic, groups, share_of_budget

FEATURES = 10
BATCH = 10
ROWS_PER_S = BATCH / UPDATE_S
NULLS = 0.01
WARM_BATCHES = 200
GRID = np.array([NormalDist().inv_cdf((i + 0.5) / 10_000) for i in range(10_000)])
CELLS = NumericCells.from_reference(GRID, nulls=round(NULLS * len(GRID) / (1 - NULLS)))
CLEAN = CELLS.reference_counts / CELLS.reference_rows
THRESHOLD = log_threshold(FEATURES)
WINDOWS = (50, 100, 200, 500, 1000, 2000)
PSI_ROWS, PSI_FOLKLORE = 1000, 0.2

Shares = NDArray[np.float64]
Rows = NDArray[np.float64]


def shares_of(values: Rows = GRID, nulls: float = NULLS) -> Shares:
    """Shares of the cells where values are drawn from these, and a share of all rows is null."""
    counts = np.bincount(CELLS.place_numbers(values), minlength=len(CELLS.names))
    shares = (1 - nulls) * counts / counts.sum()
    shares[CELLS.null] = nulls
    return shares


def sentinel(share: float) -> Shares:
    """-999 in a share of all rows, where the reference has none: out of range."""
    shares = (1 - share) * CLEAN
    shares[CELLS.place_value(-999.0)] += share
    return shares


def swapped() -> Shares:
    """Half of the top decile's rows come from the bottom one instead."""
    shares = CLEAN.copy()
    shares[1] += CLEAN[CELLS.above - 1] / 2
    shares[CELLS.above - 1] /= 2
    return shares


FAULTS = {
    "mean_0_25sd": shares_of(GRID + 0.25),
    "mean_0_5sd": shares_of(GRID + 0.5),
    "mean_1sd": shares_of(GRID + 1.0),
    "mean_2sd": shares_of(GRID + 2.0),
    "scale_1_5": shares_of(GRID * 1.5),
    "nulls_5pct": shares_of(nulls=0.05),
    "nulls_20pct": shares_of(nulls=0.2),
    "top_decile_half": swapped(),
    "sentinel_5pct": sentinel(0.05),
}


def detectors(streams: int, threshold: float = THRESHOLD) -> EDetector:
    """One detector for all streams: to it they are features, each with an alarm of its own at the threshold."""
    return EDetector([CELLS] * streams, threshold, exact_reference=True)


def e_delays(shares: Shares, streams: int, batches: int, rng: np.random.Generator) -> Rows:
    """Shape (streams,): rows from the onset of a drift until the feature alarms; infinite where it did not."""
    detector = detectors(streams)
    for _ in range(WARM_BATCHES):
        detector.update(rng.multinomial(BATCH, CLEAN, streams))
    delays = np.full(streams, np.inf)
    for batch in range(1, batches + 1):
        over = detector.update(rng.multinomial(BATCH, shares, streams)) >= THRESHOLD
        delays[over & np.isinf(delays)] = batch * BATCH
        if np.isfinite(delays).all():
            break
    return delays


def run_length(threshold: float, features: int, streams: int, updates: int, rng: np.random.Generator) -> float:
    """Mean updates of clean streams until the first alarm of any kind, in streams of several features.

    Streams without one count as if it came at the last update: the figure is a lower bound.
    """
    apart = [EDetector([CELLS] * features, threshold, exact_reference=True) for _ in range(streams)]
    first = np.full(streams, updates)
    for at in range(1, updates + 1):
        counts = rng.multinomial(BATCH, CLEAN, (streams, features))
        for stream, detector in enumerate(apart):
            detector.update(counts[stream])
            if first[stream] == updates and (detector.globally_alarmed or detector.alarmed.any()):
                first[stream] = at
    return float(first.mean())


def sliding_counts(
    shares: Shares, rows: int, streams: int, batches: int, rng: np.random.Generator
) -> NDArray[np.int64]:
    """Shape (batches, streams, cells): the last `rows` rows after each batch since the onset, clean before it."""
    steps = rows // BATCH
    clean = rng.multinomial(BATCH, CLEAN, (steps, streams))
    moved = rng.multinomial(BATCH, shares, (batches, streams))
    total = np.cumsum(np.concatenate([np.zeros_like(clean[:1]), clean, moved]), axis=0)
    window: NDArray[np.int64] = total[steps + 1 :] - total[1 : batches + 1]
    return window


def first_row(over: NDArray[np.bool_]) -> Rows:
    """Rows until the first true of each stream, over: shape (batches, streams); infinite where there is none."""
    return np.where(over.any(axis=0), (over.argmax(axis=0) + 1.0) * BATCH, np.inf)


def g_delays(shares: Shares, rows: int, streams: int, batches: int, rng: np.random.Generator) -> Rows:
    """Shape (streams,): the same for a G-test of the last `rows` rows after each batch, at the same budget.

    In the peer's favour, cells may be so rare that one row is expected; `g_test` would ask for five.
    """
    group = groups(CELLS.reference_counts, rows, 1.0)
    members = np.equal.outer(group, np.arange(group.max() + 1)).astype(np.int64)
    reference = CELLS.reference_counts @ members
    expected = rows * reference / reference.sum()
    threshold = chi_squared_above(share_of_budget(FEATURES, UPDATE_S), len(expected) - 1)
    counts = sliding_counts(shares, rows, streams, batches, rng) @ members
    return first_row(g_statistic(counts, expected) > threshold)


def quantile(delays: Rows, share: float) -> float:
    """Rows by which a share of the streams has alarmed; infinite where they did not."""
    return float(np.quantile(delays, share, method="inverted_cdf"))


@dataclass(frozen=True)
class BestWindow:
    """The window that, in hindsight, served a fault best, and the rows by which a share of streams had alarmed."""

    rows: int
    delay_rows: float


def best_sliding_g(
    shares: Shares, streams: int, batches: int, rng: np.random.Generator
) -> tuple[BestWindow, BestWindow]:
    """The window sizes of `WINDOWS` by which half of the streams, and nine of ten, have alarmed soonest.

    They differ: a window that sees the drift in every other look alone is soon right in half of the streams.
    """
    found = [(n, g_delays(shares, n, streams, batches, rng)) for n in WINDOWS]
    half, most = (
        min((BestWindow(n, quantile(delays, share)) for n, delays in found), key=lambda one: one.delay_rows)
        for share in (0.5, 0.9)
    )
    return half, most


def oracle_delays(shares: Shares, streams: int, batches: int, rng: np.random.Generator) -> Rows:
    """Shape (streams,): the same for a detector that bets on the very drift to come and on nothing else.

    The Shiryaev-Roberts procedure with both distributions known is all but optimal in mean delay at its run length
    (Pollak 1985): no detector that keeps the promise is much sooner.
    """
    held = shares > 0
    gain = np.log(shares[held] / CELLS.reference_shares[held])
    evidence, delays = np.full(streams, -np.inf), np.full(streams, np.inf)
    for batch in range(1 - WARM_BATCHES, batches + 1):
        counts = rng.multinomial(BATCH, CLEAN if batch < 1 else shares, streams)
        evidence = np.logaddexp(0.0, evidence) + counts[:, held] @ gain
        evidence[counts[:, ~held].any(axis=1)] = -np.inf
        if batch > 0:
            delays[(evidence >= THRESHOLD) & np.isinf(delays)] = batch * BATCH
    return delays


def _psi(counts: NDArray[np.int64]) -> Rows:
    """PSI over the cells that the reference holds rows of, half a row added to each, over the last axis."""
    held = CELLS.reference_counts > 0
    p0, p = CLEAN[held], counts[..., held] + 0.5
    p = p / p.sum(axis=-1, keepdims=True)
    return np.asarray(((p - p0) * np.log(p / p0)).sum(axis=-1))


def psi_delays(shares: Shares, streams: int, rng: np.random.Generator, windows: int = 12) -> Rows:
    """Shape (streams,): rows until PSI exceeds 0.2 in one of successive windows of 1,000; the onset falls anywhere."""
    before = rng.integers(0, PSI_ROWS, streams)
    first = rng.multinomial(before, CLEAN) + rng.multinomial(PSI_ROWS - before, shares)
    counts = np.concatenate([first[None], rng.multinomial(PSI_ROWS, shares, (windows - 1, streams))])
    over = _psi(counts) > PSI_FOLKLORE
    return np.where(over.any(axis=0), (over.argmax(axis=0) + 1.0) * PSI_ROWS - before, np.inf)


def sliding_psi_delays(shares: Shares, streams: int, batches: int, rng: np.random.Generator) -> Rows:
    """Shape (streams,): the same where the last 1,000 rows are looked at after each batch."""
    return first_row(_psi(sliding_counts(shares, PSI_ROWS, streams, batches, rng)) > PSI_FOLKLORE)


@dataclass(frozen=True)
class Aftermath:
    """What alarms do once they stand.

    Attributes:
        flips_per_minute: alarms raised anew while the drift lasts.
        resolve_rows: shape (streams,), from the end of the drift until the alarm is off.
    """

    flips_per_minute: float
    resolve_rows: Rows


def aftermath(shares: Shares, streams: int, batches: int, rng: np.random.Generator) -> Aftermath:
    """A drift that lasts `batches` batches, long enough to alarm early, and then ends."""
    detector = detectors(streams)
    raised, minutes, before = 0, 0.0, detector.alarmed
    began = np.zeros(streams, dtype=bool)
    for _ in range(batches):
        detector.update(rng.multinomial(BATCH, shares, streams))
        raised += int((detector.alarmed & ~before & began).sum())
        before = detector.alarmed
        began |= before
        minutes += int(began.sum()) * UPDATE_S / 60
    resolve = np.full(streams, np.inf)
    for batch in range(500):
        resolve[~detector.alarmed & np.isinf(resolve)] = batch * BATCH
        if np.isfinite(resolve).all():
            break
        detector.update(rng.multinomial(BATCH, CLEAN, streams))
    return Aftermath(raised / minutes, resolve)


def small_drifts(shares: Shares, streams: int, rng: np.random.Generator) -> tuple[Rows, Rows]:
    """Rows until the first feature, and until the global alarm, where all ten features drift; each shape (streams,)."""
    own, together = np.full(streams, np.inf), np.full(streams, np.inf)
    for stream in range(streams):
        detector = detectors(FEATURES)
        batch = 0
        while np.isinf(own[stream]) or np.isinf(together[stream]):
            batch += 1
            detector.update(rng.multinomial(BATCH, shares, FEATURES))
            if np.isinf(together[stream]) and detector.globally_alarmed:
                together[stream] = batch * BATCH
            if np.isinf(own[stream]) and detector.alarmed.any():
                own[stream] = batch * BATCH
    return own, together
