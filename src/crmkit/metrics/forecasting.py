"""How far forecasts of a series are off, measured by what repeating the last season would have cost."""

from __future__ import annotations

from typing import Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import as_numbers, check_lengths, check_same_order
from crmkit.metrics.intervals import mean

__all__ = ["mase"]


def mase(actual: Any, predicted: Any, history: Any, *, season: int = 1, level: float = 0.95) -> Estimate:
    """Give the mean absolute scaled error of forecasts.

    The mean absolute error is divided by the mean absolute step from one season to the next within the history, which
    is what the seasonal naive forecast would have missed there. It has no unit, so series of any size can be compared
    or averaged, and zeros do no harm. Below 1 the forecasts are closer than the seasonal naive was one season ahead.

    The scale is taken as known: the interval is for the mean absolute error over it, and as the errors of one forecast
    hang together it is optimistic for a single series.

    Parameters
    ----------
    actual, predicted : array-like of float, shape (n_forecasts,)
        What came, and what was forecast, matched by position.
    history : array-like of float, shape (n_periods,)
        The series before the forecasts were made, in order of time.
    season : int, default=1
        Periods a season; 1 compares each period with the one before.
    level : float, default=0.95
        Nominal coverage of the t interval, cut off at 0.

    Returns
    -------
    Estimate
        At least 0.

    Raises
    ------
    DataError
        If the columns are empty, of unequal length, or have missing or infinite entries (naming the positions), the
        history is no longer than a season, or it repeats itself exactly, so that there is nothing to scale by.

    References
    ----------
    Hyndman, R. J. and Koehler, A. B. (2006), Another look at measures of forecast accuracy, International Journal of
    Forecasting 22, 679-688. doi:10.1016/j.ijforecast.2006.03.001

    Examples
    --------
    >>> from crmkit.metrics import mase
    >>> round(float(mase([14.0, 15.0], [13.0, 13.0], [10.0, 12.0, 11.0, 13.0])), 3)
    0.9
    """
    if isinstance(season, bool) or not isinstance(season, int | np.integer) or season < 1:
        raise DataError(f"season must be a whole number of at least 1, got {season!r}")
    check_same_order(actual=actual, predicted=predicted)
    left, right = as_numbers(actual, "actual"), as_numbers(predicted, "predicted")
    check_lengths(actual=left, predicted=right)
    past = as_numbers(history, "history")
    if len(past) <= season:
        raise DataError(f"history must be longer than a season of {season} periods, got {len(past)}")
    scale = float(np.mean(np.abs(past[season:] - past[:-season])))
    if scale == 0:
        raise DataError("history repeats itself exactly: there is no error of the seasonal naive to scale by")
    estimate = mean(np.abs(left - right) / scale, level=level)
    low = estimate.low if np.isnan(estimate.low) else max(0.0, estimate.low)
    return Estimate(estimate.value, n=estimate.n, low=low, high=estimate.high, level=level, method=estimate.method)
