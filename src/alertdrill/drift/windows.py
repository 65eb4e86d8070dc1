"""Tests of one fixed window of rows against a reference, each with the threshold that a false-alarm budget asks for.

For those who must look at whole windows (a nightly batch, a report); a stream is better watched by the e-detector,
which needs no window and alarms sooner. Thresholds come from rows, reference rows and budget; where an approximation
behind one does not hold, the test is refused with a ValueError that says what is lacking.

    alpha = share_of_budget(features=10, every_s=3600)
    counts, reference = merged(cells.count(window), cells.reference_counts, FEWEST_EXPECTED_G)
    if g_test(counts, reference, alpha).drifted: ...

`g_test` and `psi_test` compare counts of cells, nulls and wrong types included; `ks_test` and `w1_test` compare the
numbers alone and see nothing else.
"""

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import NDArray

from alertdrill.drift.e_detector import WEEK_S
from alertdrill.drift.psi import expected_psi, psi
from alertdrill.drift.quantiles import chi_squared_above

FEWEST_EXPECTED_G = 5.0
FEWEST_EXPECTED_PSI = 50.0
FEWEST_ROWS_KS = 50
FEWEST_ROWS_W1 = 200
LARGEST_ALPHA_W1 = 1e-3
ALLOWANCE_W1 = 1.04
MOST_SKEWNESS, MOST_EXCESS_KURTOSIS = 0.3, 0.6

Counts = NDArray[np.int64]
Numbers = NDArray[np.float64]


@dataclass(frozen=True)
class Judgement:
    """What a test says of a window.

    Attributes:
        statistic: how far the window is from the reference.
        threshold: what clean windows exceed no more often than the budget allows.
    """

    statistic: float
    threshold: float

    @property
    def drifted(self) -> bool:
        """Whether the statistic is above the threshold."""
        return self.statistic > self.threshold


def share_of_budget(features: int, every_s: float, false_alarms_per_week: float = 1.0) -> float:
    """The false-alarm probability of a single test, alpha: the weekly budget over all tests of a week (Bonferroni).

    Args:
        features: tested each time, at least 1.
        every_s: seconds between two evaluations.
        false_alarms_per_week: over all features together.
    """
    return false_alarms_per_week * every_s / (WEEK_S * features)


def groups(reference_counts: Counts, rows: int, at_least: float) -> Counts:
    """Which cells to count together, so that enough rows are expected in each group: the rarest, nothing else.

    Args:
        reference_counts: shape (cells,), rows of the reference.
        rows: of a window.
        at_least: rows of the window that the reference lets us expect in every group.

    Returns:
        Shape (cells,): the group of each cell, from 0; a single group where rows are too few.
    """
    order = np.argsort(reference_counts, kind="stable")
    expected = reference_counts[order] * (rows / max(reference_counts.sum(), 1))
    rare = int((expected < at_least).sum())
    if rare and expected[:rare].sum() < at_least:
        rare += 1
    group = np.empty(len(order), dtype=np.int64)
    group[order] = np.maximum(np.arange(len(order)) - max(rare - 1, 0), 0)
    return group


def merged(counts: Counts, reference_counts: Counts, at_least: float) -> tuple[Counts, Counts]:
    """Counts of a window and of the reference by `groups`, both shape (groups,)."""
    group = groups(reference_counts, int(counts.sum()), at_least)
    few, few_reference = np.zeros((2, int(group.max()) + 1), dtype=np.int64)
    np.add.at(few, group, counts)
    np.add.at(few_reference, group, reference_counts)
    return few, few_reference


def g_statistic(counts: Counts, expected: Numbers) -> Numbers:
    """G = 2 sum O ln(O / E) over the last axis; both shape (…, cells), expected above 0."""
    return np.asarray(2 * (counts * np.log(np.maximum(counts, 1) / expected)).sum(axis=-1), dtype=np.float64)


def g_test(counts: Counts, reference_counts: Counts, alpha: float, exact_reference: bool = False) -> Judgement:
    """The likelihood-ratio test of the cells' counts: G = 2 sum O ln(O / E) against chi-squared.

    Wilks 1938: 2 ln of the likelihood ratio is about chi-squared with cells - 1 degrees of freedom. The sum is over
    both samples, each with the shares of the two together as its expectation; over the window alone where the reference
    is exact. To take a reference's shares for exact where they are not flags a third of clean columns at 5% and m = n.
    Expected counts of at least 5 (Cochran 1954).

    Args:
        counts: shape (cells,), rows of the window.
        reference_counts: shape (cells,), rows of the reference; see `merged`.
        alpha: probability that a clean window exceeds the threshold, above 0 and below 1.
        exact_reference: rows are drawn from the reference itself, so that its shares have no sampling error.

    Raises:
        ValueError: fewer than two cells, alpha out of range, or fewer than 5 rows expected in a cell.
    """
    expected = _expected(counts, reference_counts, alpha, FEWEST_EXPECTED_G, "G-test")
    threshold = chi_squared_above(alpha, len(counts) - 1)
    if exact_reference:
        return Judgement(float(g_statistic(counts, expected)), threshold)
    pair = np.array([counts, reference_counts])
    shares = pair.sum(axis=0) / pair.sum()
    return Judgement(float(g_statistic(pair, pair.sum(axis=1, keepdims=True) * shares).sum()), threshold)


def psi_test(counts: Counts, reference_counts: Counts, alpha: float, exact_reference: bool = False) -> Judgement:
    """PSI less its mean under no drift, against (1/n + 1/m) times (chi-squared less its mean).

    Yurdakul 2018 (see `psi.expected_psi`): PSI is about (1/n + 1/m) chi-squared with cells - 1 degrees of freedom. In
    the tail this is off by 40% at ten rows a cell and by nothing to speak of at 50. Arguments as of `g_test`.

    Raises:
        ValueError: fewer than two cells, alpha out of range, or fewer than 50 rows expected in a cell.
    """
    expected = _expected(counts, reference_counts, alpha, FEWEST_EXPECTED_PSI, "PSI")
    n, freedom = int(counts.sum()), len(counts) - 1
    m = math.inf if exact_reference else int(reference_counts.sum())
    shares = np.maximum(counts, 0.5) / n  # a cell of 50 expected rows without any has drifted by whatever measure
    bias = expected_psi(n, m, len(counts))
    threshold = (1 / n + 1 / m) * chi_squared_above(alpha, freedom) - bias
    return Judgement(psi(shares, expected / n) - bias, threshold)


def ks_test(window: Numbers, reference: Numbers, alpha: float) -> Judgement:
    """The largest distance of two distribution functions against sqrt(ln(2/alpha) / 2 * (1/n + 1/m)).

    Smirnov 1939; the one-sample form is a bound for every n (Massart 1990). Ties make it conservative.

    Args:
        window: shape (n,), numbers.
        reference: shape (m,), numbers.
        alpha: probability that a clean window exceeds the threshold, at most.

    Raises:
        ValueError: fewer than 50 numbers in either, alpha out of range, or a threshold of 1, which nothing exceeds.
    """
    _enough(window, reference, alpha, FEWEST_ROWS_KS, "KS")
    threshold = math.sqrt(math.log(2 / alpha) / 2 * (1 / len(window) + 1 / len(reference)))
    if threshold >= 1:
        raise ValueError(f"KS: {len(window)} rows cannot exceed a threshold for alpha {alpha:.3g}; take more rows")
    _, apart = _apart(window, reference)
    return Judgement(float(apart.max()), threshold)


def w1_test(window: Numbers, reference: Numbers, alpha: float) -> Judgement:
    """The area between two distribution functions (Wasserstein-1) against 1.04 z(alpha/2) sd sqrt(1/n + 1/m).

    W1 is the largest difference of means over all functions of slope at most 1 (Kantorovich and Rubinstein 1958). None
    of them varies more than the identity, so that far in the tail W1 exceeds no more than the mean's own shift: a
    leading-order argument. Simulated for normal values at alpha of 1e-3 and below it is short by up to 4%, which the
    factor makes up for.

    Args:
        window: shape (n,), numbers.
        reference: shape (m,), numbers, close to normal.
        alpha: probability that a clean window exceeds the threshold, at most 1e-3.

    Raises:
        ValueError: fewer than 200 numbers in either, alpha above 1e-3, or a reference far from normal.
    """
    _enough(window, reference, alpha, FEWEST_ROWS_W1, "W1")
    if alpha > LARGEST_ALPHA_W1:
        raise ValueError(f"W1: alpha is {alpha:.3g}, the threshold holds up to {LARGEST_ALPHA_W1:g}; take KS")
    sd = float(reference.std())
    scores = (reference - reference.mean()) / (sd or 1.0)
    skewness, excess = float((scores**3).mean()), float((scores**4).mean()) - 3
    if sd == 0 or abs(skewness) > MOST_SKEWNESS or abs(excess) > MOST_EXCESS_KURTOSIS:
        far = f"skewness {skewness:.2g}, excess kurtosis {excess:.2g}"
        raise ValueError(f"W1: the reference is far from normal ({far}); take KS or G")
    steps, apart = _apart(window, reference)
    normal = NormalDist().inv_cdf(1 - alpha / 2) * sd * math.sqrt(1 / len(window) + 1 / len(reference))
    threshold = ALLOWANCE_W1 * normal
    return Judgement(float((steps * apart[:-1]).sum()), threshold)


def _apart(window: Numbers, reference: Numbers) -> tuple[Numbers, Numbers]:
    """Steps between the pooled values in order, and the distance of the distribution functions at each value."""
    values = np.sort(np.concatenate([window, reference]))
    below = [np.searchsorted(np.sort(one), values, side="right") / len(one) for one in (window, reference)]
    return np.diff(values), np.abs(below[0] - below[1])


def _expected(counts: Counts, reference_counts: Counts, alpha: float, fewest: float, test: str) -> Numbers:
    """Rows expected in each cell, after the checks."""
    _check_alpha(alpha, test)
    if len(counts) < 2:
        raise ValueError(f"{test}: one cell can show no difference; take a larger window or reference")
    expected = np.asarray(reference_counts * (counts.sum() / max(reference_counts.sum(), 1)), dtype=np.float64)
    rarest = min(expected.min(), reference_counts.min())
    if rarest < fewest:
        got = f"{rarest:.3g} rows in the rarest cell, expected in the window or held by the reference"
        raise ValueError(f"{test}: {got}, {fewest:g} needed; take more rows, or merge rare cells")
    return expected


def _enough(window: Numbers, reference: Numbers, alpha: float, fewest: int, test: str) -> None:
    _check_alpha(alpha, test)
    if min(len(window), len(reference)) < fewest:
        got = f"{len(window)} numbers in the window and {len(reference)} in the reference"
        raise ValueError(f"{test}: {got}, {fewest} needed")


def _check_alpha(alpha: float, test: str) -> None:
    if not 0 < alpha < 1:
        raise ValueError(f"{test}: alpha is {alpha:g}, expected above 0 and below 1")
