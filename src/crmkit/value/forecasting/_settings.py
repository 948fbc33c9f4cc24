"""What is asked of a forecast, checked once."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError
from crmkit.value.forecasting._reconcile import RECONCILE
from crmkit.value.forecasting._rolling_origin import METHODS, NAIVE

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["SEASONS", "Settings", "settings_of"]

SEASONS = {"day": 7, "week": 52, "month": 12, "quarter": 4, "year": 1}
"""Periods a season: a week of days, a year of everything longer."""


@dataclass(frozen=True)
class Settings:
    """What is asked of a forecast.

    Parameters
    ----------
    horizon : int
        Periods to forecast.
    season : int
        Periods a season; 1 for none.
    methods : tuple of str
        The seasonal naive first.
    levels : tuple of float
        Nominal coverages of the intervals.
    reconcile : {"combined", "bottom-up"}
        How groups and total are made to add up.
    """

    horizon: int
    season: int
    methods: tuple[str, ...]
    levels: tuple[float, ...]
    reconcile: str = "combined"


def settings_of(horizon: int, season: int, methods: Sequence[str], levels: Sequence[float], reconcile: str) -> Settings:
    """Check what is asked for.

    Parameters
    ----------
    horizon, season : int
        Periods to forecast; periods a season.
    methods : sequence of str
        Names in ``METHODS``; the seasonal naive takes part in any case.
    levels : sequence of float
        Nominal coverages.
    reconcile : {"combined", "bottom-up"}
        How groups and total are made to add up.

    Returns
    -------
    Settings
        The same, in order.

    Raises
    ------
    DataError
        If one of them is out of range.
    """
    for name, value in (("horizon", horizon), ("season", season)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise DataError(f"{name} must be a whole number of at least 1, got {value!r}")
    listed = [methods] if isinstance(methods, str) else list(methods)
    unknown = [name for name in listed if name not in METHODS]
    if unknown:
        raise DataError(f"methods must be of {', '.join(map(repr, METHODS))}, got {', '.join(map(repr, unknown))}")
    if reconcile not in RECONCILE:
        raise DataError(f"reconcile must be one of {', '.join(map(repr, RECONCILE))}, got {reconcile!r}")
    if np.ndim(levels) != 1 or not len(levels) or any(not 0 < level < 1 for level in levels):
        raise DataError(f"levels must list shares between 0 and 1, such as (0.80, 0.95), got {levels!r}")
    used = (NAIVE, *(name for name in METHODS if name in listed and name != NAIVE))
    return Settings(int(horizon), int(season), used, tuple(float(level) for level in levels), reconcile)
