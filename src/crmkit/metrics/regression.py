"""How far predicted numbers are off: mean squared error, its root, and mean absolute error, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import as_numbers, check_lengths, check_same_order
from crmkit.metrics.intervals import mean

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["mae", "mse", "rmse"]


def _errors(actual: Any, predicted: Any) -> npt.NDArray[np.float64]:
    """Give what is missing from each prediction."""
    check_same_order(actual=actual, predicted=predicted)
    left, right = as_numbers(actual, "actual"), as_numbers(predicted, "predicted")
    check_lengths(actual=left, predicted=right)
    return left - right


def mse(actual: Any, predicted: Any, *, level: float = 0.95) -> Estimate:
    """Give the mean squared error.

    Its unit is the square of the figure's own; a few large errors decide it.

    Parameters
    ----------
    actual, predicted : array-like of float, shape (n_rows,)
        Numbers, matched by position.
    level : float, default=0.95
        Nominal coverage of the t interval of the mean, cut off at 0.

    Returns
    -------
    Estimate
        At least 0.

    Raises
    ------
    DataError
        If the columns are empty, of unequal length, or have missing or infinite entries (naming the positions).

    Examples
    --------
    >>> from crmkit.metrics import mse
    >>> float(mse([1.0, 2.0, 3.0], [1.0, 2.0, 5.0]))
    1.3333333333333333
    """
    estimate = mean(_errors(actual, predicted) ** 2, level=level)
    low = estimate.low if np.isnan(estimate.low) else max(0.0, estimate.low)
    return Estimate(estimate.value, n=estimate.n, low=low, high=estimate.high, level=level, method=estimate.method)


def rmse(actual: Any, predicted: Any, *, level: float = 0.95) -> Estimate:
    """Give the root of the mean squared error, in the figure's own unit.

    Its interval is the root of that of ``mse``, so that both order models alike.

    Parameters
    ----------
    actual, predicted : array-like of float, shape (n_rows,)
        Numbers, matched by position.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        At least 0.

    Raises
    ------
    DataError
        As for ``mse``.

    Examples
    --------
    >>> from crmkit.metrics import rmse
    >>> float(rmse([1.0, 2.0, 3.0], [1.0, 2.0, 6.0]))
    1.7320508075688772
    """
    squared = mse(actual, predicted, level=level)
    low, high = np.sqrt([squared.low, squared.high])
    return Estimate(np.sqrt(squared.value), n=squared.n, low=low, high=high, level=level, method="t, root")


def mae(actual: Any, predicted: Any, *, level: float = 0.95) -> Estimate:
    """Give the mean absolute error, in the figure's own unit.

    Less moved by a few large errors than ``rmse``; the constant that makes it least is the median, not the mean.

    Parameters
    ----------
    actual, predicted : array-like of float, shape (n_rows,)
        Numbers, matched by position.
    level : float, default=0.95
        Nominal coverage of the t interval of the mean, cut off at 0.

    Returns
    -------
    Estimate
        At least 0.

    Raises
    ------
    DataError
        As for ``mse``.

    Examples
    --------
    >>> from crmkit.metrics import mae
    >>> float(mae([1.0, 2.0, 3.0], [1.0, 2.0, 6.0]))
    1.0
    """
    estimate = mean(np.abs(_errors(actual, predicted)), level=level)
    low = estimate.low if np.isnan(estimate.low) else max(0.0, estimate.low)
    return Estimate(estimate.value, n=estimate.n, low=low, high=estimate.high, level=level, method=estimate.method)
