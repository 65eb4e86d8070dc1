"""How soon the monitor's drift alarms see a drift, how rarely they err, and what they cost, beside fixed windows.

    python benchmarks/monitor_power.py [--quick] [--json FILE]

Simulated streams of 100 rows/s, ten a batch, exact reference, one false alarm a week over ten features. Delays are
medians, in rows from the onset; -1 where half of the streams never alarmed. Peers see the same drifts: a G-test of the
last n rows after each batch, for the n that serves that drift best in hindsight, at the same budget; PSI > 0.2 over
windows of 1,000 rows, which has no budget; and an oracle that knows the drift beforehand, which bounds any detector.
"""

import math
import os
import time
from collections.abc import Callable, Mapping

import numpy as np
from support import figures as figures_file
from support import soak as soaks
from support import streams

from alertdrill.drift.alternatives import alternatives
from alertdrill.drift.conditions import Conditions, Warned
from alertdrill.drift.e_detector import EDetector, log_threshold
from alertdrill.drift.expected_delay import expected_delay_rows
from alertdrill.monitor.features import FeatureCounters

FIVE_BATCHES = 5 * streams.BATCH
BARS_ROWS = {"mean_0_5sd": 250, "mean_1sd": 80, "nulls_20pct": 80, "nulls_5pct": 600, "sentinel_5pct": 120}
FOLD_ROWS = 128  # as many as the sidecar counts at a time
UPDATES = 300
LAID_OUT = 44

Figures = dict[str, float]
Bar = tuple[str, float]


def finite(value: float) -> float:
    """JSON has no infinity: a delay beyond the simulation's end is -1."""
    return float(value) if math.isfinite(value) else -1.0


def delays(options: Mapping[str, int], rng: np.random.Generator) -> Figures:
    """Delays of the e-detector and its peers, and the closed form beside them."""
    count, batches = options["streams"], options["batches"]
    figures: Figures = {}
    ratios = []
    print(f"{'median, rows':18} {'ours':>6} {'closed form':>12} {'oracle':>8} {'best sliding G':>16} {'PSI > 0.2':>10}")
    for name, shares in streams.FAULTS.items():
        ours = streams.e_delays(shares, count, batches, rng)
        expected = expected_delay_rows(streams.CELLS, shares, streams.THRESHOLD, exact_reference=True)
        half, most = streams.best_sliding_g(shares, count, batches, rng)
        found = {
            "delay_rows": streams.quantile(ours, 0.5),
            "delay_p90_rows": streams.quantile(ours, 0.9),
            "closed_form_rows": round(expected, 1),
            "oracle_delay_rows": streams.quantile(streams.oracle_delays(shares, count, batches, rng), 0.5),
            "sliding_g_delay_rows": half.delay_rows,
            "sliding_g_window": half.rows,
            "sliding_g_delay_p90_rows": most.delay_rows,
            "psi_delay_rows": streams.quantile(streams.psi_delays(shares, 4 * count, rng), 0.5),
        }
        if FIVE_BATCHES < ours.mean() < math.inf:
            ratios.append(float(ours.mean() / expected))
        figures |= {f"{figure}_{name}": finite(value) for figure, value in found.items()}
        row = [found[of] for of in ("delay_rows", "closed_form_rows", "oracle_delay_rows")]
        best = f"{half.delay_rows:.0f} (n {half.rows})"
        print(
            f"{name:18} {row[0]:6.0f} {row[1]:12.0f} {row[2]:8.0f} {best:>16} {found['psi_delay_rows']:10.0f}",
            flush=True,
        )
    sliding = streams.sliding_psi_delays(streams.FAULTS["mean_0_5sd"], count, batches, rng)
    figures["sliding_psi_delay_rows_mean_0_5sd"] = finite(streams.quantile(sliding, 0.5))
    return figures | {"closed_form_ratio_low": round(min(ratios), 3), "closed_form_ratio_high": round(max(ratios), 3)}


def sooner(figures: Figures) -> Figures:
    """How many times sooner than its peers it sees half a deviation."""
    ours, ours_p90 = figures["delay_rows_mean_0_5sd"], figures["delay_p90_rows_mean_0_5sd"]
    names = ("sliding_g", "psi", "sliding_psi", "oracle")
    found = {f"{peer}_ratio_mean_0_5sd": figures[f"{peer}_delay_rows_mean_0_5sd"] / ours for peer in names}
    found["sliding_g_p90_ratio_mean_0_5sd"] = figures["sliding_g_delay_p90_rows_mean_0_5sd"] / ours_p90
    return {name: round(value, 2) for name, value in found.items()}


def together(options: Mapping[str, int], rng: np.random.Generator) -> Figures:
    """A quarter of a deviation in all ten features: the first feature's own alarm, and the global one."""
    own, whole = streams.small_drifts(streams.FAULTS["mean_0_25sd"], options["streams"] // 5, rng)
    return {
        "first_feature_delay_rows_all_0_25sd": float(np.median(own)),
        "global_delay_rows_all_0_25sd": float(np.median(whole)),
    }


def resolving(options: Mapping[str, int], rng: np.random.Generator) -> Figures:
    """What alarms do after they were raised."""
    figures: Figures = {}
    for name in ("mean_0_5sd", "mean_1sd", "nulls_20pct"):
        found = streams.aftermath(streams.FAULTS[name], options["streams"], options["fault_batches"], rng)
        figures[f"resolve_rows_p50_{name}"] = finite(np.quantile(found.resolve_rows, 0.5, method="inverted_cdf"))
        figures[f"resolve_rows_p95_{name}"] = finite(np.quantile(found.resolve_rows, 0.95, method="inverted_cdf"))
        figures[f"flips_per_minute_{name}"] = round(found.flips_per_minute, 3)
    return figures


def promise(options: Mapping[str, int], rng: np.random.Generator) -> Figures:
    """Run lengths at a threshold of 1,000, a clean stream, and one whose rows come five times."""
    found = soaks.soak(options["soak_rows"], 1, rng)
    fivefold = soaks.soak(options["soak_rows"] // 20, 5, rng)
    warned = [soaks.rows_until_warned(5, rng) for _ in range(5)]
    return {
        "arl_at_1000": streams.run_length(math.log(1000), 1, options["arl_streams"], options["arl_updates"], rng),
        "arl_global_at_1000": streams.run_length(
            math.log(1000 * streams.FEATURES), streams.FEATURES, options["arl_streams"], options["arl_updates"], rng
        ),
        "soak_rows": found.rows,
        "soak_alarms": found.alarms,
        "soak_highest_share_of_threshold": round(found.highest, 3),
        "soak_warned_updates": sum(found.warnings.values()),
        "fivefold_alarms": fivefold.alarms,
        "fivefold_warned_share": round(fivefold.warnings[Warned.REPEATED_ROWS] / (fivefold.rows / streams.BATCH), 4),
        "fivefold_rows_until_warned": float(np.median(warned)),
    }


def best_us(run: Callable[[], int], turns: int) -> float:
    """CPU microseconds for one of the things that a run counts, the best of some turns."""
    found = []
    for _ in range(turns):
        began = time.process_time()
        done = run()
        found.append((time.process_time() - began) / done)
    return min(found) * 1e6


def speed(options: Mapping[str, int], rng: np.random.Generator) -> Figures:
    """CPU time of an update, with and without watching the conditions, and of counting rows."""
    source = soaks.pool(rng)
    cells = list(source.cells.values())
    detector = EDetector(cells, log_threshold(len(cells)), exact_reference=True)
    conditions = Conditions(cells, exact_reference=True)
    features, width = detector.shape
    batches = np.zeros((100, features, width), dtype=np.int64)
    for batch in batches:
        for feature, of in enumerate(source.placed[rng.integers(0, soaks.POOL, streams.BATCH)].T):
            np.add.at(batch[feature], of, 1)

    def updates() -> int:
        for at in range(UPDATES):
            detector.update(batches[at % 100])
        return UPDATES

    def watched() -> int:
        for at in range(UPDATES):
            detector.update(batches[at % 100])
            conditions.update(batches[at % 100], detector.alarmed)
        return UPDATES

    columns = source.values
    rows = [{name: columns[name][i] for name in columns} for i in rng.integers(0, soaks.POOL, FOLD_ROWS * 8).tolist()]
    labels = {"model": "m", "version": "1"}
    counters = FeatureCounters(labels, source.cells, (), EDetector(cells, log_threshold(len(cells))))

    def counted(at_once: int) -> Callable[[], int]:
        def run() -> int:
            for start in range(0, len(rows), at_once):
                counters.add(rows[start : start + at_once])
                counters.update()
            return len(rows)

        return run

    turns = options["turns"]
    return {
        "update_us": round(best_us(updates, turns), 2),
        "update_and_conditions_us": round(best_us(watched, turns), 2),
        "alternatives_mean": round(float(np.mean([len(alternatives(of, exact_reference=True)) for of in cells])), 1),
        "count_and_update_rows_per_s": round(1e6 / best_us(counted(FOLD_ROWS), turns)),
        "count_and_update_rows_per_s_by_ten": round(1e6 / best_us(counted(streams.BATCH), turns)),
    }


def bars(figures: Figures, quick: bool) -> dict[str, Bar]:
    """What each figure must be: at most or at least a number."""
    wanted: dict[str, Bar] = {f"delay_rows_{name}": ("<=", rows) for name, rows in BARS_ROWS.items()}
    wanted |= {
        "psi_ratio_mean_0_5sd": (">=", 5),
        "sliding_g_ratio_mean_0_5sd": (">=", 1.5),
        "closed_form_ratio_low": (">=", 0.75),
        "closed_form_ratio_high": ("<=", 1.25),
        "arl_at_1000": (">=", 1000),
        "arl_global_at_1000": (">=", 1000),
        "soak_alarms": ("<=", 0),
        "soak_warned_updates": ("<=", 0),
        "fivefold_warned_share": (">=", 0.9),
        "resolve_rows_p95_mean_0_5sd": ("<=", 300),
        "flips_per_minute_mean_0_5sd": ("<=", 1),
        "update_us": ("<=", 50),
        "count_and_update_rows_per_s": (">=", 50_000),
    }
    return wanted if quick else wanted | {"soak_rows": (">=", 6_000_000)}


def show(figures: Figures, wanted: Mapping[str, Bar]) -> None:
    for name, value in figures.items():
        line = f"{name:{LAID_OUT}} {value:12,.3f}".rstrip("0").rstrip(".")
        if name in wanted:
            sign, bar = wanted[name]
            met = value >= bar if sign == ">=" else 0 <= value <= bar
            line = f"{line:{LAID_OUT + 14}}  {sign} {bar:<12,g} {'met' if met else 'NOT MET'}"
        print(line)


QUICK = {
    "streams": 100, "batches": 300, "fault_batches": 600, "soak_rows": 300_000, "arl_streams": 20, "arl_updates": 3_000,
    "turns": 25,
}  # fmt: skip
FULL = {
    "streams": 300, "batches": 600, "fault_batches": 1_200, "soak_rows": 6_000_000, "arl_streams": 40,
    "arl_updates": 12_000, "turns": 100,
}  # fmt: skip


def main() -> None:
    asked = figures_file.options(__doc__)
    options = QUICK if asked.quick else FULL
    rng = np.random.default_rng(5)
    figures: Figures = {}
    for part in (delays, together, resolving, promise, speed):
        began = time.monotonic()
        figures |= part(options, rng)
        print(f"-- {part.__name__}: {time.monotonic() - began:.1f} s", flush=True)
    figures |= sooner(figures)
    show(figures, bars(figures, asked.quick))
    figures_file.write(asked.json, figures, {"numpy": np.__version__, "cpus": os.cpu_count(), "quick": asked.quick})


if __name__ == "__main__":
    main()
