"""How well segments are separated, missing where the question makes no sense."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.metrics import calinski_harabasz_score

from crmkit.metrics import silhouette

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["separation"]

# Distances from the sampled rows to more customers than this change no digit that is read, but fill a gigabyte.
MOST_ROWS = 20_000
LARGE, SMALL = 1e100, 1e-100


def separation(
    values: npt.NDArray[np.float64], labels: npt.NDArray[Any], *, sample_size: int, seed: int
) -> tuple[float, float]:
    """Give silhouette and Calinski-Harabasz index of the rows that are in a segment.

    Both are missing where there are fewer than two segments, every row is its own, or a value is missing.
    """
    inside = labels >= 0
    values, labels = values[inside], labels[inside]
    if not 1 < len(np.unique(labels)) < len(values) or np.isnan(values).any():
        return float("nan"), float("nan")
    largest = float(np.abs(values).max())
    if largest > 0 and not SMALL < largest < LARGE:
        # Both are the same in any unit, and squares of such sizes overflow or vanish.
        values = values / np.exp2(np.floor(np.log2(largest)))
    index = float(calinski_harabasz_score(values, labels))
    if len(values) > MOST_ROWS:
        rows = np.random.default_rng(seed).choice(len(values), MOST_ROWS, replace=False)
        values, labels = values[rows], labels[rows]
        if len(np.unique(labels)) < 2:
            return float("nan"), index
    return float(silhouette(values, labels, sample_size=sample_size, random_state=seed)), index
