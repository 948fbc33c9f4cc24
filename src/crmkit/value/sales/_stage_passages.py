"""How each deal fared with one stage: when it came there, and when it moved on or was lost."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.core.errors import DataWarning
from crmkit.value.sales._instants import DAY, NONE
from crmkit.value.sales._stage_reduction import LOST, OPEN, WON

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.value.sales._stage_history import StageHistory

__all__ = ["MOVED", "Passages", "countable", "stage_passages", "warn_of_unknown_stages"]

MOVED = 1
"""The deal came to a later stage or was won; the other results are ``OPEN`` and ``LOST``."""


class Passages(NamedTuple):
    """Deals that came to a stage.

    Parameters
    ----------
    deal : ndarray of int
        Position in ``StageHistory.deals``; each at most once.
    days : ndarray of float
        From coming there to the result, or to ``as_of`` where open; NaN where that is not known.
    result : ndarray of int
        ``OPEN``, ``MOVED`` or ``LOST``.
    """

    deal: npt.NDArray[np.intp]
    days: npt.NDArray[np.float64]
    result: npt.NDArray[np.int64]


def countable(history: StageHistory) -> npt.NDArray[np.bool_]:
    """Say which deals count in stages.

    Those whose stages are timed do. Deals of which only the stage reached is known do as well, where it is known of all
    closed ones: counting the open and the won ones without the lost ones would make every conversion look like 1.

    Parameters
    ----------
    history : StageHistory
        The deals.

    Returns
    -------
    ndarray of bool, shape (n_deals,)
        True where the deal counts.
    """
    stage, closed = history.code("stage"), history.code("status") != OPEN
    timed = history.deals["timed"].to_numpy(dtype=bool)
    return timed if (closed & (stage < 0)).any() else stage >= 0


def warn_of_unknown_stages(history: StageHistory) -> None:
    """Tell, on behalf of a public function, how many closed deals are in no stage of its figures.

    Parameters
    ----------
    history : StageHistory
        The deals.

    Warns
    -----
    DataWarning
        If closed deals show only how they ended, not in which stage.
    """
    closed = history.code("status") != OPEN
    unknown = closed & (history.code("stage") < 0)
    if unknown.any():
        warnings.warn(
            f"{int(unknown.sum()):,} of {int(closed.sum()):,} closed opportunities show only how they ended, not in "
            "which stage: they are in no figure by stage",
            DataWarning,
            stacklevel=3,
        )


def stage_passages(history: StageHistory, stage: int, *, reached: bool) -> Passages:
    """Give how each deal fared with one stage.

    A deal is counted once, from its first coming; moving back later is no loss, and a closing that was undone is none.

    Parameters
    ----------
    history : StageHistory
        The deals.
    stage : int
        Position in ``history.stages``.
    reached : bool
        True counts deals that came to this stage or beyond it, having begun no later than in it: a stage that was
        skipped was passed in no time. False counts only deals that were in the stage itself.

    Returns
    -------
    Passages
        One entry a deal.
    """
    steps, status = history.steps, history.code("status")
    n_deals = len(status)
    here = np.flatnonzero((steps.stage >= stage) if reached else (steps.stage == stage))
    begin = _firsts(steps.deal, here, n_deals)
    came = begin >= 0
    if reached:
        # A deal that never showed an open stage from here on but was won passed them all at once.
        came |= (status == WON) & history.deals["timed"].to_numpy(dtype=bool)
        came &= history.code("first") <= stage
    start = np.where(begin >= 0, steps.entered[begin], history.code("closed")) if len(steps.deal) else _none(n_deals)
    above = np.flatnonzero(steps.stage > stage)
    # The first stay in a later stage after the deal came here: sorted by deal and time, it is the next such position.
    following = np.searchsorted(above, begin, side="right")
    nearest = above[np.minimum(following, max(len(above) - 1, 0))] if len(above) else np.zeros(n_deals, dtype=np.intp)
    beyond = came & (begin >= 0) & (following < len(above))
    if reached and len(above):
        # Coming beyond the stage is coming to it, so the stay itself may already be a later one.
        nearest = np.where((begin >= 0) & (steps.stage[begin] > stage), begin, nearest)
        beyond |= came & (begin >= 0) & (steps.stage[begin] > stage)
    if len(steps.deal):
        beyond &= steps.deal[nearest] == np.arange(n_deals)
    moved_at = np.where(beyond, steps.entered[nearest], NONE) if len(steps.deal) else _none(n_deals)
    result = np.where(beyond | (status == WON), MOVED, np.where(status == LOST, LOST, OPEN))
    closed = history.code("closed")
    end = np.where(beyond, moved_at, np.where(status == OPEN, history.moment, closed))
    days = np.where(came, (end - start) / DAY, np.nan)
    untimed = countable(history) & ~history.deals["timed"].to_numpy(dtype=bool) & (history.code("furthest") >= stage)
    beyond_untimed = (history.code("furthest") > stage) | (status == WON)
    result = np.where(untimed & beyond_untimed, MOVED, result)
    chosen = np.flatnonzero((came & countable(history)) | untimed)
    return Passages(chosen, days[chosen], result[chosen].astype(np.int64))


def _firsts(deal: npt.NDArray[np.intp], rows: npt.NDArray[np.intp], n_deals: int) -> npt.NDArray[np.intp]:
    """Give each deal's first of some rows, -1 where it has none."""
    first = np.full(n_deals, -1)
    first[deal[rows[::-1]]] = rows[::-1]
    return first


def _none(n_deals: int) -> npt.NDArray[np.int64]:
    """Give no moment for any deal."""
    return np.full(n_deals, NONE)
