"""Reduces the rows of opportunities to stays in stages and one row a deal."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataWarning
from crmkit.value.sales._instants import NONE, timestamps
from crmkit.value.sales._opportunity_rows import OpportunityRows
from crmkit.value.sales._stage_names import MISSING, StageNames

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["LOST", "OPEN", "STATUS", "WON", "States", "Visits", "deal_table", "rows_before", "stays"]

OPEN, WON, LOST = 0, 1, 2
"""Codes of how a deal stands."""

STATUS = np.array(["open", "won", "lost"], dtype=object)
"""Their names."""


@dataclass(frozen=True)
class Visits:
    """Stays of deals in stages as arrays, sorted by deal and time.

    Parameters
    ----------
    deal : ndarray of int
        Position in ``StageHistory.deals``.
    stage : ndarray of int
        Position in ``StageHistory.stages``.
    entered, left : ndarray of int64
        Microseconds; ``left`` is ``NONE`` where the stay goes on.
    next : ndarray of int
        Where it went: a stage, the number of stages for won, one more for lost, -1 where it goes on.
    """

    deal: npt.NDArray[np.intp]
    stage: npt.NDArray[np.int64]
    entered: npt.NDArray[np.int64]
    left: npt.NDArray[np.int64]
    next: npt.NDArray[np.int64]


def rows_before(rows: OpportunityRows, now: int) -> OpportunityRows:
    """Leave out what lies at or after the moment of asking.

    Parameters
    ----------
    rows : OpportunityRows
        All rows that can be used.
    now : int
        The moment, in microseconds.

    Returns
    -------
    OpportunityRows
        The rows known by then, with the stages and ends known by then.
    """
    late = (rows.end >= 0) & (rows.ended >= now)
    stage = rows.stage
    if rows.form == "current" and ((rows.seen >= now) | late).any():
        # The table was read after that moment; only the first stage is one that deals were in before any other.
        stage = np.where((rows.end < 0) & (stage > 0), MISSING, stage)
        stage = np.where(late & (stage > 0), MISSING, stage)
    rows = OpportunityRows(
        **{
            **vars(rows),
            "stage": stage,
            "end": np.where(late, MISSING, rows.end),
            "ended": np.where(late, NONE, rows.ended),
        }
    )
    rows = rows.take(rows.known < now)
    used, deal = np.unique(rows.deal, return_inverse=True)
    return OpportunityRows(**{**vars(rows), "ids": rows.ids[used], "deal": deal})


@dataclass(frozen=True)
class States:
    """The states a deal went through, open stages and ends alike, each once until it changes.

    Parameters
    ----------
    deal : ndarray of int
        Position in the deals.
    state : ndarray of int
        A stage, the number of stages for won, one more for lost.
    when : ndarray of int64
        Since when, in microseconds.
    """

    deal: npt.NDArray[np.intp]
    state: npt.NDArray[np.int64]
    when: npt.NDArray[np.int64]


def stays(rows: OpportunityRows, names: StageNames) -> tuple[Visits, States]:
    """Give the stays in stages, and all states, of the deals whose stages are timed.

    Parameters
    ----------
    rows : OpportunityRows
        What is known.
    names : StageNames
        The declared stages.

    Returns
    -------
    visits : Visits
        The stays.
    states : States
        Stays and ends together.
    """
    # A row with an outcome says two things: in which stage the deal was, and that it ended there.
    timed = (rows.stage >= 0) & ((rows.form == "history") | (rows.stage == 0))
    shown, ends = np.flatnonzero(timed), np.flatnonzero(rows.end >= 0)
    place = np.concatenate([2 * shown, 2 * ends + 1])
    order = np.argsort(place, kind="stable")
    source = place[order] // 2
    is_end = (place[order] % 2).astype(bool)
    deal = rows.deal[source]
    state = np.where(is_end, rows.end[source], rows.stage[source])
    at = np.where(is_end, rows.ended[source], rows.seen[source])
    # The order of the rows is kept where a closing date lies before the moment of an earlier row.
    at = np.asarray(pd.Series(at).groupby(deal).cummax(), dtype=np.int64)
    changed = np.concatenate([[True], (deal[1:] != deal[:-1]) | (state[1:] != state[:-1])])[: len(deal)]
    deal, state, at = deal[changed], state[changed], at[changed]
    follows = np.concatenate([deal[1:] == deal[:-1], [False]])[: len(deal)]
    is_open = state < names.won_code
    left = np.where(follows, np.roll(at, -1), NONE)
    after = np.where(follows, np.roll(state, -1), MISSING)
    visits = Visits(deal[is_open], state[is_open], at[is_open], left[is_open], after[is_open])
    return visits, States(deal, state, at)


def deal_table(
    rows: OpportunityRows, names: StageNames, steps: Visits, states: States
) -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.int64]]]:
    """Give one row a deal, and its coded columns.

    Parameters
    ----------
    rows : OpportunityRows
        What is known.
    names : StageNames
        The declared stages.
    steps : Visits
        The stays.
    states : States
        Stays and ends together.

    Returns
    -------
    deals : pandas.DataFrame
        As ``StageHistory.deals``.
    codes : dict of str to ndarray of int64
        status, opened, closed, expected, stage, furthest, first.
    """
    n_deals, won = len(rows.ids), names.won_code
    last_row = np.flatnonzero(np.concatenate([rows.first[1:], [True]]))
    last = _last(states.deal, n_deals)
    end = np.where(last >= 0, states.state[last], MISSING)
    status = np.select([end == won, end == won + 1], [WON, LOST], OPEN).astype(np.int64)
    closed = np.where(status != OPEN, states.when[last], NONE)
    stage = rows.stage[last_row]
    last_stay = _last(steps.deal, n_deals)
    stage = np.where(last_stay >= 0, steps.stage[last_stay] if len(steps.deal) else MISSING, stage)
    furthest = stage.copy()
    np.maximum.at(furthest, steps.deal, steps.stage)
    first = np.full(n_deals, names.lost_code)
    # Rows are sorted by time, so the first stay of each deal is the one written last when they are read backwards.
    first[steps.deal[::-1]] = steps.stage[::-1]
    same = steps.deal[1:] == steps.deal[:-1]
    back = np.bincount(steps.deal[1:][same & (steps.stage[1:] < steps.stage[:-1])], minlength=n_deals)
    reopened = np.bincount(
        states.deal[:-1][(states.state[:-1] >= won) & (states.deal[1:] == states.deal[:-1]) & (states.state[1:] < won)],
        minlength=n_deals,
    )
    expected = np.where(status == OPEN, _last_known(rows, rows.close, rows.close != NONE, NONE), NONE)
    codes = {
        "status": status,
        "opened": rows.opened[last_row],
        "closed": closed,
        "expected": expected,
        "stage": stage,
        "furthest": furthest,
        "first": np.where(last_stay >= 0, first, MISSING),
    }
    # A name for each stage, and none for -1.
    words = np.array([*names.names, None], dtype=object)
    deals = pd.DataFrame(
        {
            "status": STATUS[status],
            "opened": timestamps(codes["opened"]),
            "closed": timestamps(closed),
            "stage": words[stage],
            "furthest": words[furthest],
            "timed": last_stay >= 0,
            "visits": np.bincount(steps.deal, minlength=n_deals),
            "reopened": reopened,
            "moved_back": back,
            "amount": _last_known(rows, rows.amount, ~np.isnan(rows.amount), np.nan),
            "expected_close": timestamps(expected),
        },
        index=pd.Index(rows.ids, name="opportunity_id"),
    )
    _carry(rows, deals)
    return deals, codes


def _carry(rows: OpportunityRows, deals: pd.DataFrame) -> None:
    """Add the columns of the caller, or tell which have the name of a figure."""
    taken = [str(name) for name in rows.carried.columns if name in deals.columns and name != "amount"]
    for name in rows.carried.columns:
        if name not in deals.columns:
            deals[name] = _carried(rows, rows.carried[name]).array
    if taken:
        warnings.warn(
            f"columns of opportunities are left out, because deals have figures of these names: {', '.join(taken)}; "
            "rename the columns to group by them",
            DataWarning,
            stacklevel=4,
        )


def _last(deal: npt.NDArray[np.intp], n_deals: int) -> npt.NDArray[np.intp]:
    """Give the position of each deal's last entry in a sorted array, -1 where it has none."""
    last = np.full(n_deals, -1)
    last[deal] = np.arange(len(deal))
    return last


def _last_known(rows: OpportunityRows, values: Any, known: npt.NDArray[np.bool_], missing: Any) -> Any:
    """Give each deal's last value that is not missing."""
    last = np.full(len(rows.ids), -1)
    last[rows.deal[known]] = np.flatnonzero(known)
    return np.where(last >= 0, values[last], missing)


def _carried(rows: OpportunityRows, column: pd.Series) -> pd.Series:
    """Give each deal's last value of a column of any type."""
    known = column.notna().to_numpy(dtype=bool)
    last = np.full(len(rows.ids), -1)
    last[rows.deal[known]] = np.flatnonzero(known)
    return column.reset_index(drop=True).reindex(np.where(last >= 0, last, -1))
