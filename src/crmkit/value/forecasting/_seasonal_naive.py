"""Seasonal naive: what was sold in the same period one season ago."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.value.forecasting._methods import Rolled

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["seasonal_naive"]


def seasonal_naive(
    values: npt.NDArray[np.float64],
    first: npt.NDArray[np.intp],
    season: int,
    origins: npt.NDArray[np.intp],
    horizon: int,
) -> Rolled:
    """Repeat the last season; without a season, the last period.

    The yardstick of every other method: it has no parameter to estimate, and where it wins there is nothing in the
    series that the others could use.

    Parameters
    ----------
    values : ndarray of float, shape (n_series, n_periods)
        One series a row, on one calendar.
    first : ndarray of int, shape (n_series,)
        The period in which each series begins.
    season : int
        Periods a season; 1 for none.
    origins : ndarray of int, shape (n_origins,)
        Numbers of periods known, ascending.
    horizon : int
        Periods to forecast.

    Returns
    -------
    Rolled
        Forecasts, missing where fewer than one season is known. The variance grows by the whole with every season,
        as it does where each season differs from the one before by an independent step.
    """
    ahead = np.arange(horizon)
    behind = season - ahead % season
    source = origins[:, None] - behind[None, :]
    forecasts = values[:, np.maximum(source, 0)]
    known = origins[None, :] - first[:, None] >= season
    forecasts = np.where(known[:, :, None], forecasts, np.nan)
    growth = np.broadcast_to(1.0 + ahead // season, (len(values), horizon))
    return Rolled(forecasts, growth.astype(np.float64))
