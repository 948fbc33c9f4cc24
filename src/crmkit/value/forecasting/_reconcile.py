"""Makes the forecasts of groups and of their total add up, by the combination of both that erred least."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["RECONCILE", "Reconciled", "reconcile"]

RECONCILE = ("combined", "bottom-up")


@dataclass(frozen=True)
class Reconciled:
    """Forecasts that add up, and the errors that forecasts made in the same way had.

    Parameters
    ----------
    forecasts : ndarray of float, shape (n_groups, horizon)
        Of the groups.
    errors : ndarray of float, shape (n_groups, n_origins, horizon)
        Of the groups.
    total_errors : ndarray of float, shape (n_origins, horizon)
        Of the sum of the groups. From origins at which a group had not yet begun, it is the error of the total's own
        forecast.
    weight : float
        How much the total's own forecast counts against the sum of the groups' forecasts, from 0 to 1.
    """

    forecasts: Floats
    errors: Floats
    total_errors: Floats
    weight: float


def reconcile(
    forecasts: Floats,
    errors: Floats,
    total_forecast: Floats,
    total_errors: Floats,
    *,
    how: str,
    floor: npt.NDArray[np.bool_],
) -> Reconciled:
    """Move the groups' forecasts until their sum is the better of what they and the total's own forecast say.

    Of all weighted means of the sum of the groups' forecasts and the total's own, the one whose errors from earlier
    origins had the least square is taken as the total. What it differs from the sum is spread over the groups in
    proportion to the standard deviations of their errors. This is the minimum-trace reconciliation (Wickramasuriya
    et al. 2019) of one total with groups whose errors hang together as one number only, which is what so few origins
    can tell; the errors of the sum themselves are used, so correlation between groups is in them.

    Parameters
    ----------
    forecasts : ndarray of float, shape (n_groups, horizon)
        Of the groups.
    errors : ndarray of float, shape (n_groups, n_origins, horizon)
        Of the groups; missing where not known.
    total_forecast : ndarray of float, shape (horizon,)
        Of the series of totals itself.
    total_errors : ndarray of float, shape (n_origins, horizon)
        Of the same.
    how : {"combined", "bottom-up"}
        ``"bottom-up"`` leaves the groups' forecasts as they are.
    floor : ndarray of bool, shape (n_groups,)
        Groups that cannot fall below 0.

    Returns
    -------
    Reconciled
        Forecasts and errors.

    References
    ----------
    Wickramasuriya, S. L., Athanasopoulos, G. and Hyndman, R. J. (2019), Optimal forecast reconciliation for
    hierarchical and grouped time series through trace minimization, doi:10.1080/01621459.2018.1448825.
    """
    summed = errors.sum(axis=0)
    gap = summed - total_errors
    known = np.isfinite(gap)
    weight = 0.0
    if how == "combined" and known.any():
        length = float(np.sum(gap[known] ** 2))
        weight = float(np.clip(np.sum(summed[known] * gap[known]) / length, 0.0, 1.0)) if length > 0 else 0.0
    count = np.isfinite(errors).sum(axis=(1, 2))
    deviation = np.sqrt(np.nansum(errors**2, axis=(1, 2)) / np.maximum(count, 1))
    share = deviation / deviation.sum() if deviation.sum() > 0 else deviation
    moved = forecasts + weight * share[:, None] * (total_forecast - forecasts.sum(axis=0))
    moved = np.where(floor[:, None], np.maximum(moved, 0.0), moved)
    step = np.where(known, weight * gap, 0.0)
    adjusted = errors - share[:, None, None] * step
    together = np.where(known, summed - step * share.sum(), total_errors)
    return Reconciled(moved, adjusted, together, weight)
