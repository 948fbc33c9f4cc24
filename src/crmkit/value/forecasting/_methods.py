"""What every forecasting method answers, and how much history it needs for it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["SHORTEST", "Rolled", "seasonal_from"]

SHORTEST = 10
"""Periods from which on a level and a slope are estimated at all."""


@dataclass(frozen=True)
class Rolled:
    """Forecasts of many series from many origins, each made from the periods before its origin alone.

    Parameters
    ----------
    forecasts : ndarray of float, shape (n_series, n_origins, horizon)
        Missing where the method cannot forecast from so few periods.
    growth : ndarray of float, shape (n_series, horizon)
        How the method's own theory lets the variance of the error grow with the horizon, from the last origin; 1 for
        the first period ahead.
    """

    forecasts: npt.NDArray[np.float64]
    growth: npt.NDArray[np.float64]


def seasonal_from(season: int) -> int:
    """Give the number of periods from which on a season is estimated: two whole ones and two periods.

    Parameters
    ----------
    season : int
        Periods a season, greater than 1.

    Returns
    -------
    int
        Periods.
    """
    return max(2 * season + 2, SHORTEST)
