"""The share that comes in the end, straight from durations: what stages and pipelines are made of."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.metrics.incidence import decided_share

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Eventual", "eventual"]


class Eventual(NamedTuple):
    """A share of those decided in the end.

    Parameters
    ----------
    share : float
        The share; NaN where nothing is decided.
    n : float
        The number of plain observations that would be as sure; 0 where nothing is decided.
    waiting : float
        The share not decided at the longest time; NaN where there is nobody.
    """

    share: float
    n: float
    waiting: float


def eventual(days: npt.NDArray[np.float64], success: npt.NDArray[np.bool_], ended: npt.NDArray[np.bool_]) -> Eventual:
    """Give the share that ends in success, with those not ended counted for as long as they were seen.

    Parameters
    ----------
    days : ndarray of float, shape (n,)
        From start to end, or to the moment of asking.
    success, ended : ndarray of bool, shape (n,)
        Whether it ended in success, and whether it ended at all.

    Returns
    -------
    Eventual
        As ``metrics.eventual_share`` of ``metrics.cumulative_incidence`` gives it, without the tables in between.
    """
    if not len(days):
        return Eventual(np.nan, 0.0, np.nan)
    if not ended.any():
        return Eventual(np.nan, 0.0, 1.0)
    order = np.argsort(days, kind="stable")
    starts = np.flatnonzero(np.concatenate([[True], np.diff(days[order]) > 0]))
    at_risk = (len(days) - starts).astype(np.float64)
    events = np.add.reduceat((success & ended)[order].astype(np.float64), starts)
    all_events = np.add.reduceat(ended[order].astype(np.float64), starts)
    return Eventual(*decided_share(at_risk, events, all_events))
