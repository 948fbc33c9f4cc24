"""Whether what was called likely happens as often as that: calibration error and reliability."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._labels import positive_label
from crmkit.metrics.intervals import check_level, mean, wilson
from crmkit.metrics.probability import coded_probabilities

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["ece", "reliability"]


def ece(
    actual: Any,
    probabilities: Any,
    *,
    n_bins: int = 15,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    level: float = 0.95,
) -> Estimate:
    """Give the expected calibration error: how far confidence is from being right.

    The likeliest label of a row is given with its probability, the confidence. Rows are put into bins of equal width
    by it; in each bin the share that is right should be the mean confidence, and the distances are averaged, weighted
    by the rows. 0 is perfect; .05 means that a probability is off by five points on average.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels.
    probabilities : array-like of float, shape (n_rows,) or (n_rows, n_labels)
        Of the positive label of two, or of each label in the order of ``labels``.
    n_bins : int, default=15
        How many bins. Changes the figure: more bins see finer faults, and more chance.
    labels : sequence, default=None
        The label of each column; where None, those seen, in ascending order.
    positive : object, default=None
        The label one column is about; where None, the second of two.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        Between 0 and 1. The interval takes for granted on which side of its confidence each bin lies.

    Raises
    ------
    DataError
        If what is given are no probabilities, or their columns do not fit the labels.

    See Also
    --------
    reliability : The bins themselves.

    Notes
    -----
    The figure is never below what chance alone gives: with few rows a bin it is too large. Compare figures on the same
    rows.

    References
    ----------
    Naeini, M. P., Cooper, G. F., & Hauskrecht, M. (2015). Obtaining well calibrated probabilities using Bayesian
    binning. AAAI, 2901-2907.

    Examples
    --------
    >>> from crmkit.metrics import ece
    >>> round(float(ece(["a", "a", "b", "b"], [[0.9, 0.1], [0.8, 0.2], [0.7, 0.3], [0.2, 0.8]])), 3)
    0.3
    """
    confidence, right = _confidence(actual, probabilities, labels, positive)
    bins = _bins(confidence, n_bins)
    gaps = right - confidence
    side = np.sign(np.bincount(bins, weights=gaps, minlength=n_bins))
    found = mean(side[bins] * gaps, level=level)
    low = max(found.low, 0.0) if np.isfinite(found.low) else found.low
    return Estimate(
        max(found.value, 0.0), n=found.n, low=low, high=found.high, level=level, method="t, sides of the bins as found"
    )


def reliability(
    actual: Any,
    probabilities: Any,
    *,
    n_bins: int = 15,
    labels: Sequence[Any] | None = None,
    positive: Any = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Give how often rows of each confidence are right.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels.
    probabilities : array-like of float, shape (n_rows,) or (n_rows, n_labels)
        As for ``ece``.
    n_bins : int, default=15
        How many bins of equal width.
    labels : sequence, default=None
        The label of each column; where None, those seen, in ascending order.
    positive : object, default=None
        The label one column is about; where None, the second of two.
    level : float, default=0.95
        Nominal coverage of Wilson's intervals.

    Returns
    -------
    pandas.DataFrame
        A row a bin that has rows, by rising confidence: ``from``, ``to``, ``n``, ``confidence`` (their mean), ``right``
        (the share that is right), ``low``, ``high``.

    Raises
    ------
    DataError
        As for ``ece``.

    Examples
    --------
    >>> from crmkit.metrics import reliability
    >>> reliability([1, 0, 1], [0.9, 0.2, 0.85], n_bins=10)[["n", "right"]].to_numpy().tolist()
    [[2.0, 1.0], [1.0, 1.0]]
    """
    check_level(level)
    confidence, right = _confidence(actual, probabilities, labels, positive)
    bins = _bins(confidence, n_bins)
    n = np.bincount(bins, minlength=n_bins)
    here = np.flatnonzero(n)
    hits = np.bincount(bins, weights=right, minlength=n_bins)[here]
    low, high = wilson(hits, n[here], level=level)
    return pd.DataFrame(
        {
            "from": here / n_bins,
            "to": (here + 1) / n_bins,
            "n": n[here],
            "confidence": np.bincount(bins, weights=confidence, minlength=n_bins)[here] / n[here],
            "right": hits / n[here],
            "low": low,
            "high": high,
        }
    )


def _confidence(
    actual: Any, probabilities: Any, labels: Sequence[Any] | None, positive: Any
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the probability of each row's likeliest label and whether it is the right one."""
    given, codes, found = coded_probabilities(actual, probabilities, labels)
    if given.ndim == 1:
        place = 1 if positive is None and len(found) == 2 else positive_label(found, positive)
        is_positive = codes == place
        said = given >= 0.5
        return np.where(said, given, 1 - given), np.asarray(said == is_positive, dtype=np.float64)
    likeliest = given.argmax(axis=1)
    return given[np.arange(len(given)), likeliest], np.asarray(likeliest == codes, dtype=np.float64)


def _bins(confidence: npt.NDArray[np.float64], n_bins: int) -> npt.NDArray[np.int64]:
    """Give the bin of each row; a confidence of 1 belongs to the last."""
    if n_bins < 1:
        raise DataError(f"n_bins must be at least 1, got {n_bins}")
    bins: npt.NDArray[np.int64] = np.minimum((confidence * n_bins).astype(np.int64), n_bins - 1)
    return bins
