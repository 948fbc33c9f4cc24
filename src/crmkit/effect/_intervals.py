"""Intervals of one difference: Newcombe's for shares, Welch's t, always-valid, and Fieller's for the relative lift."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, stdtr, stdtrit

from crmkit.metrics import wilson

if TYPE_CHECKING:
    from crmkit.effect._arm_means import ArmMeans

__all__ = ["fieller", "newcombe", "newcombe_p_value", "t_p_value", "t_width"]

_LARGEST_Z = 37.0


def newcombe(hits: tuple[float, float], n: tuple[int, int], *, level: float) -> tuple[float, float]:
    """Give the ends of a difference of two shares, treated less control, from Wilson's intervals of both.

    Parameters
    ----------
    hits, n : tuple
        Of the treated arm and of the control.
    level : float
        Nominal coverage.

    Returns
    -------
    low, high : float
        Within [-1, 1].

    References
    ----------
    Newcombe, R. G. (1998). Interval estimation for the difference between independent proportions. Statistics in
    Medicine 17, 873-890. doi:10.1002/(SICI)1097-0258(19980430)17:8<873::AID-SIM779>3.0.CO;2-I
    """
    low, high = wilson(hits, n, level=level)
    treated, control = hits[0] / n[0], hits[1] / n[1]
    difference = treated - control
    down = float(np.hypot(treated - low[0], high[1] - control))
    up = float(np.hypot(high[0] - treated, control - low[1]))
    return difference - down, difference + up


def newcombe_p_value(hits: tuple[float, float], n: tuple[int, int]) -> float:
    """Give the p-value that agrees with Newcombe's interval: one less the level at which an end is 0.

    Parameters
    ----------
    hits, n : tuple
        Of the treated arm and of the control.

    Returns
    -------
    float
        1 for equal shares.
    """
    difference = hits[0] / n[0] - hits[1] / n[1]
    if difference == 0:
        return 1.0

    def end(z: float) -> float:
        low, high = newcombe(hits, n, level=float(2 * ndtr(z) - 1))
        return low if difference > 0 else -high

    # The level itself is 1 in floating point beyond eight standard errors.
    largest = 8.0
    if end(largest) > 0:
        treated, control = hits[0] / n[0], hits[1] / n[1]
        variance = treated * (1 - treated) / n[0] + control * (1 - control) / n[1]
        z = abs(difference) / np.sqrt(variance) if variance > 0 else _LARGEST_Z
        return float(2 * ndtr(-min(float(z), _LARGEST_Z)))
    z = float(brentq(end, 1e-9, largest, xtol=1e-10))
    return float(2 * ndtr(-z))


def t_width(freedom: float, level: float) -> float:
    """Give Student's two-sided quantile.

    Parameters
    ----------
    freedom : float
        Degrees of freedom.
    level : float
        Nominal coverage.

    Returns
    -------
    float
        1.96 for many degrees at .95.
    """
    return float(stdtrit(freedom, 0.5 + level / 2))


def t_p_value(difference: float, error: float, freedom: float) -> float:
    """Give the two-sided p-value of a difference.

    Parameters
    ----------
    difference, error : float
        The difference and its standard error.
    freedom : float
        Degrees of freedom.

    Returns
    -------
    float
        NaN where nothing varies.
    """
    return float(2 * stdtr(freedom, -abs(difference) / error)) if error > 0 else float("nan")


def fieller(means: ArmMeans, arm: int, control: int, width: float) -> tuple[float, float, float]:
    """Give the relative lift of an arm over the control with Fieller's interval.

    Parameters
    ----------
    means : ArmMeans
        All means with their covariance.
    arm, control : int
        Which two.
    width : float
        Half-width of an interval in standard errors.

    Returns
    -------
    lift, low, high : float
        NaN where the control's mean is not above 0, so that a share of it says nothing (a rise of a negative score
        would be a negative lift). The ends are also NaN where it may be 0, so that no ratio to it is bounded.

    References
    ----------
    Fieller, E. C. (1954). Some problems in interval estimation. Journal of the Royal Statistical Society B 16,
    175-185. doi:10.1111/j.2517-6161.1954.tb00159.x
    """
    top, base = float(means.means[arm]), float(means.means[control])
    nan = float("nan")
    if base <= 0:
        return nan, nan, nan
    cover, square = means.covariance, width**2
    a = base**2 - square * float(cover[control, control])
    b = top * base - square * float(cover[arm, control])
    c = top**2 - square * float(cover[arm, arm])
    inner = b**2 - a * c
    if a <= 0 or inner < 0:
        return top / base - 1, nan, nan
    root = float(np.sqrt(inner))
    return top / base - 1, (b - root) / a - 1, (b + root) / a - 1
