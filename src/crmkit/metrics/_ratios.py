"""The interval of a ratio of two totals, from sums over what was drawn independently."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ratio_interval"]


def ratio_interval(
    n: Any, count: Any, exposure: Any, squares: tuple[Any, Any, Any], *, level: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give ``count / exposure`` with a t interval by the delta method, cut off at 0, for one or many ratios.

    Parameters
    ----------
    n : array-like of int
        How many periods (or customers) the sums are over.
    count, exposure : array-like of float
        The two totals.
    squares : tuple of array-like of float
        The sums of count squared, count times exposure, and exposure squared.
    level : float
        Nominal coverage.

    Returns
    -------
    rate, low, high : ndarray of float64
        NaN where there is no exposure; the ends NaN where there are fewer than two periods.
    """
    number, total, base = (np.asarray(given, dtype=np.float64) for given in (n, count, exposure))
    of_count, crossed, of_exposure = (np.asarray(given, dtype=np.float64) for given in squares)
    check_level(level)
    with np.errstate(divide="ignore", invalid="ignore"):
        rate = np.where(base > 0, total / base, np.nan)
        residual = np.maximum(of_count - 2 * rate * crossed + rate**2 * of_exposure, 0.0)
        half = stdtrit(number - 1, 0.5 + level / 2) * np.sqrt(number / (number - 1) * residual) / base
    half = np.where((number > 1) & (base > 0), half, np.nan)
    return rate, np.maximum(rate - half, 0.0), rate + half
