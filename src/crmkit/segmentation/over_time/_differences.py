"""Differences of shares and of means with their intervals, also where some customers are in both samples."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from crmkit.core.estimate import Estimate
from crmkit.metrics.intervals import check_level, wilson

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Overlap", "mean_difference", "share_difference"]


@dataclass(frozen=True)
class Overlap:
    """What is known of the customers in both samples.

    Parameters
    ----------
    n : int
        How many there are.
    first, second, together : ndarray of shape (n_shares,)
        How many of them have the property in the first sample, in the second, and in both.
    """

    n: int
    first: npt.NDArray[np.float64]
    second: npt.NDArray[np.float64]
    together: npt.NDArray[np.float64]


def share_difference(
    first: npt.ArrayLike,
    n_first: npt.ArrayLike,
    second: npt.ArrayLike,
    n_second: npt.ArrayLike,
    *,
    overlap: Overlap | None = None,
    level: float = 0.95,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give second less first share, with Newcombe's interval from the two Wilson intervals.

    Customers in both samples are paired: the correlation of their two answers narrows the interval, as in Newcombe's
    interval for paired shares; customers in one sample only count as independent. With nobody in both it is his
    interval for independent shares, with the same customers in both his paired one.

    Parameters
    ----------
    first, second : array-like of float, shape (n_shares,)
        How many have the property in each sample.
    n_first, n_second : array-like of float, shape (n_shares,) or a number
        How many customers each sample has.
    overlap : Overlap or None, default=None
        The customers in both; None where the samples are independent.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    difference, low, high : ndarray of shape (n_shares,)
        Missing where a sample is empty.

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions.
    Statistics in Medicine 17, 873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    Newcombe, R. G. (1998). Improved confidence intervals for the difference between binomial proportions based on
    paired data. Statistics in Medicine 17, 2635-2650.
    """
    x, y = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    n, m = np.asarray(n_first, dtype=np.float64), np.asarray(n_second, dtype=np.float64)
    low_x, high_x = wilson(x, n, level=level)
    low_y, high_y = wilson(y, m, level=level)
    with np.errstate(divide="ignore", invalid="ignore"):
        p, q = x / n, y / m
    alike = np.zeros(np.broadcast_shapes(p.shape, q.shape))
    if overlap is not None and overlap.n:
        both = overlap.n
        covariance = overlap.together / both - (overlap.first / both) * (overlap.second / both)
        # Newcombe's continuity correction: few customers never show that two answers go together perfectly.
        covariance = np.where(covariance > 0, np.maximum(covariance - 0.5 / both, 0.0), covariance)
        spread = np.sqrt(p * (1 - p) * q * (1 - q) / (n * m))
        joint = both * covariance / (n * m)
        alike = np.clip(np.divide(joint, spread, out=np.zeros_like(joint), where=spread > 0), -1.0, 1.0)
    difference = q - p
    low = difference - _hypotenuse(q - low_y, high_x - p, alike)
    high = difference + _hypotenuse(high_y - q, p - low_x, alike)
    return difference, low, high


def _hypotenuse(
    a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], alike: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Join two half-widths of correlated figures."""
    return np.sqrt(np.maximum(a**2 + b**2 - 2 * alike * a * b, 0.0))


def mean_difference(first: npt.ArrayLike, second: npt.ArrayLike, *, level: float = 0.95) -> Estimate:
    """Give first less second mean, with Welch's interval, which lets their variances differ.

    Fair from some 30 customers on each side, optimistic for a few very skewed amounts.

    Parameters
    ----------
    first, second : array-like of float, shape (n,) and (m,)
        Known values of each side, at least one.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        The difference; without an interval (NaN) where a side has one value only. ``n`` counts both sides.

    References
    ----------
    Welch, B. L. (1947). The generalization of Student's problem when several different population variances are
    involved. Biometrika 34, 28-35. doi:10.1093/biomet/34.1-2.28
    """
    check_level(level)
    a, b = np.asarray(first, dtype=np.float64), np.asarray(second, dtype=np.float64)
    difference, half = float(a.mean() - b.mean()), float("nan")
    if min(len(a), len(b)) > 1:
        of_a, of_b = float(a.var(ddof=1)) / len(a), float(b.var(ddof=1)) / len(b)
        half = 0.0
        if of_a + of_b > 0:
            freedom = (of_a + of_b) ** 2 / (of_a**2 / (len(a) - 1) + of_b**2 / (len(b) - 1))
            half = float(stdtrit(freedom, 0.5 + level / 2)) * float(np.sqrt(of_a + of_b))
    return Estimate(
        difference, n=len(a) + len(b), low=difference - half, high=difference + half, level=level, method="welch"
    )
