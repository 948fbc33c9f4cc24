"""Several arms against one control: what all comparisons together may claim."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import brentq
from scipy.special import ndtr, ndtri

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["adjusted_p_value", "joint_level", "shared_control", "simultaneous_level"]

_DRAWS = 10_000

_POINTS, _WEIGHTS = np.polynomial.hermite_e.hermegauss(96)

_LARGEST = 0.97
"""Beyond it the sum over points is no longer exact; less correlation than there is errs on the safe side."""


def shared_control(control_variance: float, variances: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the loadings of differences to one control on that control.

    Parameters
    ----------
    control_variance : float
        Of the control's mean.
    variances : ndarray, shape (n_arms,)
        Of the other arms' means.

    Returns
    -------
    ndarray, shape (n_arms,)
        The correlation of two differences is the product of their loadings.
    """
    total = control_variance + variances
    share = np.divide(control_variance, total, out=np.zeros(len(variances)), where=total > 0)
    return np.asarray(np.minimum(np.sqrt(share), _LARGEST), dtype=np.float64)


def _all_within(limit: float, loadings: npt.NDArray[np.float64]) -> float:
    """Give the probability that all of some normal differences lie within a limit."""
    own = np.sqrt(1 - loadings**2)
    shift = _POINTS[:, None] * loadings
    inside = ndtr((limit - shift) / own) - ndtr((-limit - shift) / own)
    return float(_WEIGHTS @ inside.prod(axis=1) / np.sqrt(2 * np.pi))


def simultaneous_level(level: float, loadings: npt.NDArray[np.float64]) -> float:
    """Give the level each interval needs so that all of them cover together at ``level``.

    Parameters
    ----------
    level : float
        Wanted of all together.
    loadings : ndarray, shape (n_arms,)
        As ``shared_control`` gives them.

    Returns
    -------
    float
        At least ``level``; the same for one comparison.

    References
    ----------
    Dunnett, C. W. (1955). A multiple comparison procedure for comparing several treatments with a control. Journal of
    the American Statistical Association 50, 1096-1121. doi:10.1080/01621459.1955.10501294
    """
    if len(loadings) == 1:
        return level
    low, high = ndtri(0.5 + level / 2), ndtri(1 - (1 - level) / (2 * len(loadings))) + 0.01
    limit = float(brentq(lambda point: _all_within(point, loadings) - level, low, high, xtol=1e-10))
    return float(2 * ndtr(limit) - 1)


def joint_level(level: float, covariance: npt.NDArray[np.float64], draws: np.random.Generator) -> float:
    """Give the level each interval needs so that all of some correlated figures are covered together.

    Parameters
    ----------
    level : float
        Wanted of all together.
    covariance : ndarray, shape (n_figures, n_figures)
        Of the figures.
    draws : numpy.random.Generator
        Draws their joint normal distribution.

    Returns
    -------
    float
        At least ``level``, to about a tenth of what it is less than 1.

    References
    ----------
    Montiel Olea, J. L., & Plagborg-Moller, M. (2019). Simultaneous confidence bands: theory, implementation, and an
    application to SVARs. Journal of Applied Econometrics 34, 1-17. doi:10.1002/jae.2656
    """
    error = np.sqrt(np.diag(covariance))
    there = error > 0
    if there.sum() < 2:
        return level
    values, vectors = np.linalg.eigh(covariance[np.ix_(there, there)] / np.outer(error[there], error[there]))
    root = vectors * np.sqrt(np.maximum(values, 0))
    largest = np.abs(draws.standard_normal((_DRAWS, len(values))) @ root.T).max(axis=1)
    return max(level, float(2 * ndtr(np.quantile(largest, level)) - 1))


def adjusted_p_value(p_value: float, loadings: npt.NDArray[np.float64]) -> float:
    """Give the chance that the best of all comparisons looks at least as sure, if no arm had an effect.

    Parameters
    ----------
    p_value : float
        Of one comparison by itself.
    loadings : ndarray, shape (n_arms,)
        As ``shared_control`` gives them.

    Returns
    -------
    float
        Between ``p_value`` and ``p_value`` times the number of comparisons.
    """
    if len(loadings) == 1 or not np.isfinite(p_value):
        return p_value
    limit = float(-ndtri(p_value / 2)) if p_value > 0 else np.inf
    # Beyond eight standard errors the difference from 1 is below the accuracy of the sum; the bound is exact there.
    joint = 1 - _all_within(limit, loadings) if limit < 6 else p_value * len(loadings)
    return float(np.clip(joint, p_value, min(1.0, p_value * len(loadings))))
