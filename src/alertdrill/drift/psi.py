"""The population stability index of a feature's cells, with the part that sampling alone explains taken off."""

import numpy as np
from numpy.typing import NDArray

PSEUDO_ROWS = 5.0
SMALLEST_SHARE = 0.01


def smoothed_shares(counts: NDArray[np.int64], reference_shares: NDArray[np.float64]) -> NDArray[np.float64]:
    """Shares of the cells in a window, pulled towards the reference by `PSEUDO_ROWS` rows drawn from it.

    An empty cell then has a share above 0 and a rare one that stays empty adds almost nothing (the posterior mean under
    a Dirichlet prior centred on the reference). Without rows the window looks like the reference.

    Args:
        counts: shape (cells,); rows of the window.
        reference_shares: shape (cells,), all above 0, sum 1.
    """
    shares: NDArray[np.float64] = (counts + PSEUDO_ROWS * reference_shares) / (counts.sum() + PSEUDO_ROWS)
    return shares


def psi(shares: NDArray[np.float64], reference_shares: NDArray[np.float64]) -> float:
    """Sum over cells of (p - r) ln(p / r): the Jeffreys divergence (Jeffreys 1946). Both all above 0."""
    return float(((shares - reference_shares) * np.log(shares / reference_shares)).sum())


def expected_psi(rows: float, reference_rows: float, cells: int) -> float:
    """The mean of PSI where nothing drifted: (cells - 1) (1 / rows + 1 / reference_rows).

    Yurdakul, "Statistical properties of population stability index", Western Michigan University 2018: PSI
    is about (1 / n + 1 / m) times a chi-squared variable with cells - 1 degrees of freedom.
    """
    return (cells - 1) * (1 / rows + 1 / reference_rows)


def debiased_psi(counts: NDArray[np.int64], reference_shares: NDArray[np.float64], reference_rows: int) -> float:
    """PSI of a window less its mean under no drift, no lower than 0; about 0 on average where nothing drifted.

    The cells that count for the mean are those with a reference share of at least `SMALLEST_SHARE`. The recording rule
    `model:feature_psi:rate5s` computes the same.

    Args:
        counts: shape (cells,); rows of the window.
        reference_shares: shape (cells,), all above 0, sum 1.
        reference_rows: rows that they were counted on.
    """
    cells = int((reference_shares >= SMALLEST_SHARE).sum())
    bias = expected_psi(counts.sum() + PSEUDO_ROWS, reference_rows, cells)
    return max(0.0, psi(smoothed_shares(counts, reference_shares), reference_shares) - bias)
