"""Segments found anew on resamples of the customers, and how much each is like its first self."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.metrics.stability import best_jaccard

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["SCHEMES", "numbered", "resampled_jaccard"]

SCHEMES = ("bootstrap", "subset")


def resampled_jaccard(
    labels: npt.NDArray[np.intp],
    refit: Callable[[npt.NDArray[np.intp], int], npt.NDArray[Any]],
    *,
    n_resamples: int,
    scheme: str,
    seed: int,
) -> npt.NDArray[np.float64]:
    """Refit on resamples and give the best Jaccard similarity of each segment, resample by resample.

    Parameters
    ----------
    labels : ndarray of int, shape (n_customers,)
        The segments, numbered from 0; negative is in none.
    refit : callable
        ``refit(rows, seed)`` gives the segments found among these customers, who may come repeatedly.
    n_resamples : int
        How many.
    scheme : {"bootstrap", "subset"}
        As many customers with replacement, of whom each is compared once; or half of them without.
    seed : int
        Draws them.

    Returns
    -------
    ndarray of shape (n_resamples, n_segments)
        NaN where a resample holds nobody of a segment.
    """
    random = np.random.default_rng(seed)
    n, n_segments = len(labels), int(labels.max(initial=-1)) + 1
    found = np.empty((n_resamples, n_segments))
    for place in range(n_resamples):
        if scheme == "bootstrap":
            drawn = np.sort(random.integers(n, size=n))
        else:
            drawn = np.sort(random.choice(n, size=(n + 1) // 2, replace=False))
        with warnings.catch_warnings():
            # What a segmenter has to say of a resample it has said of the customers themselves.
            warnings.simplefilter("ignore")
            refound = np.asarray(refit(drawn, seed + place + 1))
        rows, first = np.unique(drawn, return_index=True)
        found[place] = best_jaccard(labels[rows], numbered(refound[first]), n_segments)
    return found


def numbered(labels: npt.NDArray[Any]) -> npt.NDArray[np.intp]:
    """Number segments from 0 in order; negative labels are -1."""
    codes = np.full(len(labels), -1, dtype=np.intp)
    inside = labels >= 0
    codes[inside] = np.unique(labels[inside], return_inverse=True)[1]
    return codes
