"""A small sample of rows for the schema of `drill`, without nulls in `amount`."""

import numpy as np

from alertdrill.protocols.rows import Cell, Column, Rows

N = 400


def sample() -> Rows:
    """400 rows: a log-normal amount, an integer hour (some null), one of three countries."""
    generator = np.random.default_rng(5)
    cells = np.zeros(N, dtype=np.uint8)
    holes = np.where(np.arange(N) % 50 == 0, np.uint8(Cell.NULL), cells)
    countries = np.array(["CH", "NO", "SE"], dtype=object)[generator.integers(0, 3, N)]
    return Rows(
        {
            "amount": Column(np.round(generator.lognormal(3, 1, N), 2), cells),
            "hour": Column(generator.integers(0, 24, N).astype(np.float64), holes),
            "country": Column(countries, cells),
        }
    )
