"""Carries the error of estimated parameters to what is computed from them: the delta method on the log scale."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.stats import norm

from crmkit.value._arguments import check_level

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["log_error", "log_interval"]

_STEP = 1e-3


def log_error(
    function: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]], covariance: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Give the standard error of the logarithm of a positive function of log-parameters.

    Parameters
    ----------
    function : callable
        From a shift of the log-parameters, shape (n_parameters,), to positive values, shape (n_rows,).
    covariance : ndarray of float, shape (n_parameters, n_parameters)
        Of the log-parameters.

    Returns
    -------
    ndarray of float, shape (n_rows,)
        Standard errors; 0 where a value is 0.
    """
    slopes = []
    for axis in range(len(covariance)):
        shift = np.zeros(len(covariance))
        shift[axis] = _STEP
        up, down = function(shift), function(-shift)
        known = (up > 0) & (down > 0)
        slopes.append(np.where(known, np.log(np.where(known, up / np.where(known, down, 1.0), 1.0)), 0.0) / (2 * _STEP))
    slope = np.array(slopes)
    variance = np.einsum("in,ij,jn->n", slope, covariance, slope)
    return np.asarray(np.sqrt(np.maximum(variance, 0.0)))


def log_interval(
    value: npt.NDArray[np.float64], error: npt.NDArray[np.float64], level: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give an interval that stays positive.

    Parameters
    ----------
    value : ndarray of float, shape (n_rows,)
        Positive values, or 0.
    error : ndarray of float, shape (n_rows,)
        Standard errors of their logarithms.
    level : float
        Coverage.

    Returns
    -------
    low, high : ndarray of float, shape (n_rows,)
        Finite; both 0 where the value is.

    Raises
    ------
    DataError
        If the level is not between 0 and 1.
    """
    reach = np.exp(np.minimum(norm.ppf((1 + check_level(level)) / 2) * error, 700.0))
    with np.errstate(over="ignore"):
        high = np.minimum(value * reach, np.finfo(float).max)
    return value / reach, high
