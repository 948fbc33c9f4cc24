"""Whether segments come back when they are found anew: the best Jaccard similarity of each."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import as_column
from crmkit.metrics.intervals import mean

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["best_jaccard", "stability"]


def best_jaccard(labels: npt.NDArray[np.intp], refound: npt.NDArray[np.intp], n_segments: int) -> npt.NDArray[Any]:
    """Give the Jaccard similarity of each segment to the one most like it in another segmentation.

    Parameters
    ----------
    labels, refound : ndarray of int, shape (n_rows,)
        Two segmentations of the same rows; negative is in no segment.
    n_segments : int
        How many segments the first has, numbered from 0.

    Returns
    -------
    ndarray of float, shape (n_segments,)
        From 0 to 1; NaN where a segment has none of the rows.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.metrics.stability import best_jaccard
    >>> best_jaccard(np.array([0, 0, 1, 1]), np.array([5, 5, 5, 7]), 2).round(2).tolist()
    [0.67, 0.5]
    """
    sizes = np.bincount(labels[labels >= 0], minlength=n_segments)
    other = refound.max(initial=-1) + 1
    if not other:
        return np.where(sizes > 0, 0.0, np.nan)
    both = (labels >= 0) & (refound >= 0)
    shared = np.bincount(labels[both] * other + refound[both], minlength=n_segments * other)
    shared = shared.reshape(n_segments, other)
    theirs = np.bincount(refound[refound >= 0], minlength=other)
    together = sizes[:, None] + theirs - shared
    best = (shared / np.maximum(together, 1)).max(axis=1)
    return np.where(sizes > 0, best, np.nan)


def stability(labels: Any, refound: Any, *, level: float = 0.95) -> Estimate:
    """Give the mean Jaccard similarity of segments to those found anew on resamples.

    For each resample and segment, the segment that is most like it there is looked for (customers in both over
    customers in either, among those drawn); the mean over resamples and segments is 1 where every segment comes back
    whole. From .75 on segments are read as stable, from .6 on as showing a pattern, below .5 as dissolved. A low figure
    disproves segments; a high one does not prove them: one cloud cut in two at its waist comes back as well.
    Costs one pass over ``refound``.

    Parameters
    ----------
    labels : array-like, shape (n_rows,)
        The segments. Rows with a negative number are in no segment.
    refound : array-like, shape (n_resamples, n_rows)
        The segments found on each resample, under any names; missing where a row was not drawn, a negative number where
        it was, and is in no segment.
    level : float, default=0.95
        Nominal coverage of the t interval over resamples, which takes the customers as given.

    Returns
    -------
    Estimate
        From 0 to 1; ``n`` counts resamples.

    Raises
    ------
    DataError
        If shapes do not fit, nobody is in a segment, or no resample holds anybody.

    Warns
    -----
    DataWarning
        If resamples hold nobody of some segment: these pairs are left out.

    See Also
    --------
    crmkit.segmentation.stability : Draws the resamples, refits, and gives a table with a row for each segment.

    References
    ----------
    Hennig, C. (2007). Cluster-wise assessment of cluster stability. Computational Statistics & Data Analysis 52,
    258-271. doi:10.1016/j.csda.2006.11.025

    Examples
    --------
    >>> from crmkit.metrics import stability
    >>> round(stability([0, 0, 1, 1], [[0, 0, 1, 1], [1, 1, None, 0], [0, 0, 0, 1]]), 3)
    0.861
    """
    segments = as_column(labels, "labels")
    drawn = np.asarray(refound, dtype=object) if not isinstance(refound, np.ndarray) else refound
    if drawn.ndim != 2 or drawn.shape[1] != len(segments) or not len(drawn):
        raise DataError(
            f"refound must have a row for each resample and a column for each of the {len(segments):,} labels, got "
            f"shape {drawn.shape}"
        )
    codes, n_segments = _codes(segments)
    if not n_segments:
        raise DataError("nobody is in a segment: there is nothing to find again")
    found = np.full((len(drawn), n_segments), np.nan)
    for place, row in enumerate(drawn):
        present = ~np.asarray(pd.isna(row), dtype=bool)
        if present.any():
            found[place] = best_jaccard(codes[present], _codes(row[present])[0], n_segments)
    seen = ~np.isnan(found)
    if not seen.any():
        raise DataError("no resample holds anybody of any segment")
    if not seen.all():
        message = f"{int((~seen).sum())} of {found.size} pairs of resample and segment hold nobody and are left out"
        warnings.warn(message, DataWarning, stacklevel=2)
    kept = seen.any(axis=1)
    # A small segment that few resamples hold must not count for less than the others.
    value = float((np.nansum(found, axis=0) / np.maximum(seen.sum(axis=0), 1))[seen.any(axis=0)].mean())
    each = mean(np.nanmean(found[kept], axis=1), level=level)
    low, high = (min(max(value + end - each.value, 0.0), 1.0) for end in (each.low, each.high))
    return Estimate(value, n=each.n, low=low, high=high, level=level, method="t over resamples")


def _codes(labels: npt.NDArray[Any]) -> tuple[npt.NDArray[np.intp], int]:
    """Number segments from 0, with -1 for rows in none."""
    values = pd.Series(labels).infer_objects()
    outside = (values < 0).to_numpy() if pd.api.types.is_numeric_dtype(values.dtype) else np.zeros(len(values), bool)
    codes = np.full(len(values), -1, dtype=np.intp)
    codes[~outside], known = pd.factorize(values[~outside])
    return codes, len(known)
