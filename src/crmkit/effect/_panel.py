"""Means of groups over periods with their covariance, and what differences of them say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["PanelMeans", "as_period", "first_period_at", "panel_means", "present_rows"]


@dataclass(frozen=True)
class PanelMeans:
    """The mean of each group in each period.

    Parameters
    ----------
    means, rows : ndarray, shape (n_groups, n_periods)
        Means (NaN where there is no row) and how many rows they are of.
    covariances : ndarray, shape (n_groups, n_periods, n_periods)
        Of each group's means over periods, clustered by unit; groups are independent.
    units : ndarray of int, shape (n_groups,)
        Units of each group.
    """

    means: npt.NDArray[np.float64]
    rows: npt.NDArray[np.float64]
    covariances: npt.NDArray[np.float64]
    units: npt.NDArray[np.int64]

    def contrast(self, weights: npt.NDArray[np.float64]) -> tuple[float, float, float]:
        """Give a weighted sum of the means, its standard error, and Welch's degrees of freedom."""
        own = np.einsum("gs,gst,gt->g", weights, self.covariances, weights)
        spread = float(np.sum(own**2 / (self.units - 1)))
        freedom = float(own.sum() ** 2 / spread) if spread > 0 else float((self.units - 1).sum())
        value = float(np.sum(np.where(weights != 0, self.means, 0.0) * weights))
        return value, float(np.sqrt(max(own.sum(), 0.0))), freedom

    def covariance(self, weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the covariance of several weighted sums, weights of shape (n_sums, n_groups, n_periods)."""
        return np.asarray(
            np.einsum("ags,gst,bgt->ab", weights, self.covariances, weights, optimize=True), dtype=np.float64
        )

    def none_differs(self, weights: npt.NDArray[np.float64]) -> float:
        """Test that several weighted sums are all 0 (Hotelling, as the covariance is estimated from as many units)."""
        spread = self.covariance(weights)
        rank = int(np.linalg.matrix_rank(spread, hermitian=True))
        freedom = int((self.units - 1).sum())
        if rank < 1 or freedom <= rank:
            return float("nan")
        gaps = np.array([self.contrast(one)[0] for one in weights])
        statistic = float(gaps @ np.linalg.pinv(spread, hermitian=True) @ gaps)
        return float(fdtrc(rank, freedom - rank + 1, statistic * (freedom - rank + 1) / (rank * freedom)))


def panel_means(
    values: npt.NDArray[np.float64],
    group: npt.NDArray[np.intp],
    when: npt.NDArray[np.intp],
    units: npt.NDArray[np.intp],
    shape: tuple[int, int],
) -> PanelMeans:
    """Give the means of groups over periods.

    Parameters
    ----------
    values : ndarray, shape (n_rows,)
        Finite outcomes.
    group, when, units : ndarray of int, shape (n_rows,)
        The group (the same in all rows of a unit), period and unit of each row.
    shape : (int, int)
        How many groups, each of at least two units, and periods.

    Returns
    -------
    PanelMeans
        Means and covariances.
    """
    n_groups, n_periods = shape
    means, rows = np.empty(shape), np.empty(shape)
    covariances, n_units = np.empty((n_groups, n_periods, n_periods)), np.empty(n_groups, dtype=np.int64)
    for at in range(n_groups):
        own = group == at
        codes, period = pd.factorize(units[own])[0], when[own]
        rows[at] = np.bincount(period, minlength=n_periods)
        with np.errstate(invalid="ignore"):
            means[at] = np.bincount(period, weights=values[own], minlength=n_periods) / rows[at]
        residual = (values[own] - means[at][period]) / rows[at][period]
        n_units[at] = int(codes.max()) + 1
        influence = np.bincount(codes * n_periods + period, weights=residual, minlength=n_units[at] * n_periods)
        influence = influence.reshape(n_units[at], n_periods)
        covariances[at] = influence.T @ influence * n_units[at] / (n_units[at] - 1)
    return PanelMeans(means, rows, covariances, n_units)


def present_rows(
    usable: npt.NDArray[np.bool_],
    units: npt.NDArray[np.intp],
    when: npt.NDArray[np.intp],
    n_periods: int,
    *,
    complete: bool,
) -> tuple[npt.NDArray[np.bool_], list[str]]:
    """Say which rows are used, and tell of units that are not there in every period.

    Parameters
    ----------
    usable : ndarray of bool, shape (n_rows,)
        Rows with an outcome.
    units, when : ndarray of int, shape (n_rows,)
        Their unit and period.
    n_periods : int
        How many periods there are.
    complete : bool
        Leave out units that are not there in all of them.

    Returns
    -------
    usable : ndarray of bool, shape (n_rows,)
        Rows to use.
    notes : list of str
        What is to be told.
    """
    pairs = np.unique(np.column_stack([units[usable], when[usable]]), axis=0)
    seen = np.bincount(pairs[:, 0], minlength=int(units.max()) + 1)
    partly = (seen > 0) & (seen < n_periods)
    if not partly.any():
        return usable, []
    if not complete:
        told = f"{int(partly.sum()):,} of {int((seen > 0).sum()):,} units are not there in every period"
        return usable, [f"{told}, so that who is compared changes; complete=True leaves them out"]
    told = f"{int(partly.sum()):,} units that are not there in every period are left out"
    return np.asarray(usable & (seen[units] == n_periods), dtype=bool), [told]


def first_period_at(periods: list[Any], start: Any, name: str) -> int:
    """Find the first period at or after a start.

    Parameters
    ----------
    periods : list
        In order.
    start : object
        A value like them; of times and calendar periods also as text.
    name : str
        The periods' column, for messages.

    Returns
    -------
    int
        Its place, or how many periods there are where all lie before it.

    Raises
    ------
    DataError
        If it cannot be compared with the periods.
    """
    try:
        begin = as_period(start, periods[0])
        return next((at for at, one in enumerate(periods) if one >= begin), len(periods))
    except (TypeError, ValueError):
        raise DataError(
            f"start must be a value like those of {name} ({type(periods[0]).__name__}), got {type(start).__name__}"
        ) from None


def as_period(value: Any, like: Any) -> Any:
    """Read a text as a time or calendar period, where the periods are such.

    Parameters
    ----------
    value : object
        What was given.
    like : object
        One of the periods.

    Returns
    -------
    object
        In the kind of ``like`` where it was text; a time without a zone is in that of ``like``.

    Raises
    ------
    ValueError
        If the text is no time.
    """
    if not isinstance(value, str):
        return value
    if isinstance(like, pd.Period):
        return pd.Period(value, freq=like.freqstr)
    if isinstance(like, pd.Timestamp):
        time = pd.Timestamp(value)
        return time.tz_localize(like.tz) if time.tz is None and like.tz is not None else time
    return value
