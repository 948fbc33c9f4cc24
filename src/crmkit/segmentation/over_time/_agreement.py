"""How far two groupings of the same customers agree, beyond what chance would give."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics.intervals import percentile_interval

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["adjusted_rand"]

N_RESAMPLES = 999
CHUNK = 2**20


def adjusted_rand(
    counts: npt.ArrayLike, *, level: float = 0.95, n_resamples: int = N_RESAMPLES, seed: int = 0
) -> Estimate:
    """Give the adjusted Rand index of a contingency table, with its interval.

    1 is the same grouping whatever its labels, 0 what two unrelated groupings of these sizes give on average. The
    interval is the percentile bootstrap of the table: customers are drawn again from its cells (multinomial), which
    assumes that customers are independent of each other. Where the groupings agree on everybody it is [1, 1], which
    says nothing of those not seen; and where only a handful of 100 customers differ it is too narrow (it held the
    truth in 86 % of 1,500 draws; in 93 to 95 % with 400 customers or more).

    Parameters
    ----------
    counts : array-like of int, shape (n_first, n_second)
        Customers by group in the first (rows) and second grouping.
    level : float, default=0.95
        Nominal coverage.
    n_resamples : int, default=999
        More give steadier ends.
    seed : int, default=0
        Draws the resamples; changes the ends a little, never the figure.

    Returns
    -------
    Estimate
        The index; ``n`` is how many customers there are.

    Raises
    ------
    DataError
        If there are no customers.

    References
    ----------
    Hubert, L., & Arabie, P. (1985). Comparing partitions. Journal of Classification 2, 193-218.
    doi:10.1007/BF01908075
    """
    table = np.asarray(counts, dtype=np.int64)
    n = int(table.sum())
    if not n:
        raise DataError("two groupings of nobody cannot be compared: no customer is in both")
    rows, columns = np.nonzero(table)
    cells = table[rows, columns]
    by_row = np.zeros((len(cells), len(table)))
    by_row[np.arange(len(cells)), rows] = 1.0
    by_column = np.zeros((len(cells), table.shape[1]))
    by_column[np.arange(len(cells)), columns] = 1.0
    random = np.random.default_rng(seed)
    most = max(1, CHUNK // len(cells))
    replicates = [
        _index(random.multinomial(n, cells / n, size=min(most, n_resamples - start)), by_row, by_column)
        for start in range(0, n_resamples, most)
    ]
    value = float(_index(cells[None, :], by_row, by_column)[0])
    low, high, method = percentile_interval(np.concatenate(replicates) if replicates else np.empty(0), level)
    return Estimate(value, n=n, low=low, high=high, level=level, method=method)


def _index(
    cells: npt.NDArray[np.int64], by_row: npt.NDArray[np.float64], by_column: npt.NDArray[np.float64]
) -> npt.NDArray[Any]:
    """Work the index out for many tables, given by the same cells."""
    together = _pairs(cells)
    first, second = _pairs(cells @ by_row), _pairs(cells @ by_column)
    every = _pairs(cells.sum(axis=1, keepdims=True))
    by_chance = first * second / np.maximum(every, 1.0)
    most = (first + second) / 2
    # Both groupings put all into one group, or all apart: they agree, and nothing is left to adjust.
    alike = most == by_chance
    return np.where(alike, 1.0, (together - by_chance) / np.where(alike, 1.0, most - by_chance))


def _pairs(counts: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Count the pairs within groups, summed over the groups."""
    sizes = np.asarray(counts, dtype=np.float64)
    paired: npt.NDArray[np.float64] = (sizes * (sizes - 1) / 2).sum(axis=1)
    return paired
