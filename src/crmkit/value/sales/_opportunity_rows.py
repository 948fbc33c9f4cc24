"""Reads a table of opportunities into arrays, and finds every row that cannot be used."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.value.sales._instants import NONE, local_days, microseconds
from crmkit.value.sales._stage_names import MISSING, UNKNOWN, StageNames

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["OpportunityRows", "read_opportunity_rows"]

Form = Literal["history", "current"]
_RESERVED = frozenset({"opportunity_id", "time", "day", "recorded_time", "stage", "outcome", "close_time"})


@dataclass(frozen=True)
class OpportunityRows:
    """The rows that can be used, sorted by deal and moment; rows of one moment in the order of the table.

    Parameters
    ----------
    form : {"history", "current"}
        Whether a row says that a stage was entered at its moment, or how the deal stands now.
    ids : pandas.Index
        Deals by number.
    deal : ndarray of int
        The deal of each row.
    seen : ndarray of int64
        The moment of each row, in microseconds.
    known : ndarray of int64
        From when on the row can have been known: of a history its recorded_time where that is later.
    opened : ndarray of int64
        When the row's deal was opened.
    stage : ndarray of int
        The open stage the row shows, -1 where it shows none.
    end : ndarray of int
        Won or lost, -1 where the row ends nothing.
    ended : ndarray of int64
        When it ended; ``NONE`` where it did not.
    close : ndarray of int64
        The column close_time; ``NONE`` where missing.
    amount : ndarray of float
        NaN where missing.
    carried : pandas.DataFrame
        All other columns, in the same order.
    """

    form: Form
    ids: pd.Index
    deal: npt.NDArray[np.intp]
    seen: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]
    opened: npt.NDArray[np.int64]
    stage: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    ended: npt.NDArray[np.int64]
    close: npt.NDArray[np.int64]
    amount: npt.NDArray[np.float64]
    carried: pd.DataFrame

    @property
    def first(self) -> npt.NDArray[np.bool_]:
        """Whether a row is its deal's first."""
        return np.concatenate([[True], self.deal[1:] != self.deal[:-1]]) if len(self.deal) else np.zeros(0, dtype=bool)

    def take(self, rows: npt.NDArray[Any]) -> OpportunityRows:
        """Give some of the rows, in their order."""
        parts = {
            name: getattr(self, name)[rows]
            for name in ("deal", "seen", "known", "opened", "stage", "end", "ended", "close", "amount")
        }
        return OpportunityRows(form=self.form, ids=self.ids, carried=self.carried[rows], **parts)


def read_opportunity_rows(
    opportunities: Any,
    names: StageNames,
    *,
    moment: str,
    form: Form | None,
    timezone: str,
    on_error: str,
) -> OpportunityRows:
    """Read and check a table of opportunities.

    Parameters
    ----------
    opportunities : table
        As for ``value.stage_history``.
    names : StageNames
        The declared stages.
    moment : {"time", "recorded_time"}
        Which column says when a row held.
    form : {"history", "current"} or None
        None to tell it by whether deals have several rows.
    timezone : str
        For times without a zone, and for days.
    on_error : {"raise", "set-aside"}
        What to do with deals that cannot be used.

    Returns
    -------
    OpportunityRows
        The rows of the deals that can be used.

    Raises
    ------
    DataError
        Telling every problem with its row positions, or if the table is in two currencies or its form is not clear.
    """
    frame = as_frame(opportunities, what="opportunities")
    frame = frame.reset_index(drop=frame.index.name != "opportunity_id" or "opportunity_id" in frame.columns)
    require_columns(frame, ["opportunity_id", moment, "stage"], what="opportunities")
    _check_currency(frame)
    # Sorted, so that no figure depends on the order of the rows: random draws go deal by deal.
    deal, ids = pd.factorize(frame["opportunity_id"], sort=True)
    seen = microseconds(frame[moment], timezone)
    close, recorded = (_times(frame, name, timezone) for name in ("close_time", "recorded_time"))
    stage, end, clash, unclear = _states(frame, names)
    amount = _amounts(frame)
    problems = {
        "opportunity_id is missing": deal < 0,
        f"{moment} is missing": seen == NONE,
        "stage is missing": (stage == MISSING) & (end == MISSING),
        "stage is none of the declared ones, nor a word for won or lost": stage == UNKNOWN,
        "outcome is no word for won, lost or open (won=…, lost=…)": unclear,
        "stage and outcome contradict each other": clash,
        "amount is negative or infinite": (amount < 0) | np.isinf(amount),
    }
    if moment == "time":
        _check_moment(deal, seen, recorded)
    order, form = _order(deal, seen, stage, end, close, np.nan_to_num(amount, nan=-1.0), form=form)
    if len(order) < len(frame):
        again = len(frame) - len(order)
        warnings.warn(f"{again:,} rows of opportunities repeat another row and count once", DataWarning, stacklevel=3)
    opened = _opened(deal, seen, _times(frame, "time", timezone))
    rows = OpportunityRows(
        form=form,
        ids=pd.Index(ids),
        deal=deal[order],
        seen=seen[order],
        # What is missing is the smallest integer, so it never is the later one.
        known=(np.maximum(seen, recorded) if form == "history" else seen)[order],
        opened=opened[order],
        stage=np.where(stage < 0, MISSING, stage)[order],
        end=np.where(end < 0, MISSING, end)[order],
        ended=np.full(len(order), NONE),
        close=close[order],
        amount=amount[order],
        carried=frame.drop(columns=[name for name in frame.columns if name in _RESERVED]).take(order),
    )
    ended, late = _ended(rows, use_close=moment == "recorded_time", timezone=timezone)
    for reason, mask in late.items():
        problems[reason] = np.zeros(len(frame), dtype=bool)
        problems[reason][order] = mask
    rows = OpportunityRows(**{**vars(rows), "ended": ended})
    bad = _tell(problems, deal, on_error)
    return rows.take(~bad[order]) if bad.any() else rows


def _check_currency(frame: pd.DataFrame) -> None:
    """Refuse amounts that cannot be added up."""
    n_currencies = len(frame["currency"].dropna().unique()) if "currency" in frame.columns else 0
    if n_currencies > 1:
        raise DataError(f"opportunities are in {n_currencies} currencies; amounts cannot be added up: convert them")


def _times(frame: pd.DataFrame, name: str, timezone: str) -> npt.NDArray[np.int64]:
    """Give a column of times, all missing where there is no such column."""
    return microseconds(frame[name], timezone) if name in frame.columns else np.full(len(frame), NONE)


def _amounts(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Give amounts, all missing where there is no such column."""
    if "amount" not in frame.columns:
        return np.full(len(frame), np.nan)
    column = frame["amount"]
    if column.dtype == object and column.isna().all():
        return np.full(len(frame), np.nan)
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise DataError(f"opportunities: amount must hold numbers, got {column.dtype}")
    return column.to_numpy(dtype=np.float64, na_value=np.nan)


def _states(
    frame: pd.DataFrame, names: StageNames
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.bool_]]:
    """Give each row's open stage and its end, and where the two columns disagree or the outcome is not understood."""
    stage = names.stage_codes(frame["stage"])
    end = np.where(stage >= names.won_code, stage, MISSING)
    clash = unclear = np.zeros(len(frame), dtype=bool)
    if "outcome" in frame.columns:
        outcome = names.outcome_codes(frame["outcome"])
        unclear = outcome == UNKNOWN
        clash = (end >= 0) & (outcome >= 0) & (end != outcome)
        end = np.where(end >= 0, end, np.where(outcome >= 0, outcome, MISSING))
    return np.where(stage >= names.won_code, MISSING, stage), end, clash, unclear


def _order(
    deal: npt.NDArray[np.intp], seen: npt.NDArray[np.int64], *others: npt.NDArray[Any], form: Form | None
) -> tuple[npt.NDArray[np.intp], Form]:
    """Give the rows by deal and moment without those that say nothing new, and what a row says."""
    order = np.lexsort((seen, deal))
    repeated = pd.DataFrame(dict(enumerate((deal, seen, *others)))).duplicated(keep="last").to_numpy()
    form = _form(deal[~repeated], form)
    if form == "history":
        # A deal may come back to a stage within one moment, so only a row right before its equal says nothing more.
        repeated = np.zeros(len(order), dtype=bool)
        repeated[order[:-1]] = _equal_to_next(*(each[order] for each in (deal, seen, *others)))
    return order[~repeated[order]], form


def _equal_to_next(*columns: npt.NDArray[Any]) -> npt.NDArray[np.bool_]:
    """Say which rows but the last are equal to the one after them."""
    equal = np.ones(max(len(columns[0]) - 1, 0), dtype=bool)
    for column in columns:
        equal &= column[1:] == column[:-1]
    return equal


def _opened(
    deal: npt.NDArray[np.intp], seen: npt.NDArray[np.int64], time: npt.NDArray[np.int64]
) -> npt.NDArray[np.int64]:
    """Give when each row's deal was opened: its earliest time, or the moment it was first seen."""
    earliest = np.where(time == NONE, seen, np.minimum(time, seen))
    earliest = np.where(earliest == NONE, np.iinfo(np.int64).max, earliest)
    first = np.full(deal.max(initial=0) + 2, np.iinfo(np.int64).max)
    # A missing deal (-1) goes to the last place, which nobody reads.
    np.minimum.at(first, deal, earliest)
    return first[deal]


def _form(deal: npt.NDArray[np.intp], form: Form | None) -> Form:
    """Tell a history from a table of what stands now, where that is clear."""
    counts = np.bincount(deal[deal >= 0])
    n_deals, n_repeated = len(counts), int((counts > 1).sum())
    if form == "current" and n_repeated:
        raise DataError(
            f"rows='current' means one row a deal, but {n_repeated:,} of {n_deals:,} opportunities have several: "
            "write rows='history', or keep the last row of each"
        )
    if form is not None:
        return form
    if not n_repeated:
        return "current"
    if 2 * n_repeated < n_deals:
        raise DataError(
            f"{n_repeated:,} of {n_deals:,} opportunities have several rows, so it is not clear what a single row "
            "says: write rows='history' if each row says that a stage was entered at that time, rows='current' if "
            "it says how the deal stands now"
        )
    return "history"


def _check_moment(deal: npt.NDArray[np.intp], seen: npt.NDArray[np.int64], recorded: npt.NDArray[np.int64]) -> None:
    """Refuse snapshots whose ``time`` is the opening of the deal and does not tell them apart."""
    if (recorded == NONE).all():
        return
    spans = pd.DataFrame({"seen": seen, "recorded": recorded}).groupby(deal)
    earliest, latest = spans.min(), spans.max()
    several = latest["recorded"] > earliest["recorded"]
    if several.any() and (latest["seen"] == earliest["seen"])[several].mean() > 0.5:
        raise DataError(
            "most opportunities have several rows of one time but different recorded_time: time seems to be when "
            "the deal was opened; write moment='recorded_time'"
        )


def _ended(
    rows: OpportunityRows, *, use_close: bool, timezone: str
) -> tuple[npt.NDArray[np.int64], dict[str, npt.NDArray[np.bool_]]]:
    """Give when each ending row's deal ended, and the rows that contradict themselves.

    The moment of a row that reports the end is the end; close_time is, where the row's moment is another one: of a
    deal's only row and of a row with an outcome it is when the deal came there, of a snapshot when it was taken.
    """
    ending = rows.end >= 0
    alone = rows.first & np.append(rows.first[1:], True)
    by_close = ending & (use_close | alone | (rows.stage >= 0))
    given = by_close & (rows.close != NONE)
    ended = np.where(given, rows.close, np.where(ending, rows.seen, NONE))
    unknown = ending & alone & (rows.close == NONE) & ~use_close
    early = np.zeros(len(ended), dtype=bool)
    which = np.flatnonzero(given & (ended < rows.opened))
    # A close date without a time of day is midnight, which is before a deal that was opened later that day.
    early[which] = local_days(ended[which], timezone) < local_days(rows.opened[which], timezone)
    return np.where(ending, np.maximum(ended, rows.opened), NONE), {
        "the deal is closed but close_time is missing": unknown,
        "close_time is before the deal was opened": early,
    }


def _tell(
    problems: dict[str, npt.NDArray[np.bool_]], deal: npt.NDArray[np.intp], on_error: str
) -> npt.NDArray[np.bool_]:
    """Tell every problem at once, and give the rows of the deals that are left out for them."""
    found = {reason: mask for reason, mask in problems.items() if mask.any()}
    bad = np.zeros(len(deal), dtype=bool)
    if not found:
        return bad
    listed = "; ".join(f"{reason} ({positions(mask)})" for reason, mask in found.items())
    if on_error == "raise":
        raise DataError(f"opportunities: {listed}. Mend these rows, or write on_error='set-aside' to leave them out")
    for mask in found.values():
        bad |= mask
    deals = np.unique(deal[bad & (deal >= 0)])
    bad |= np.isin(deal, deals)
    warnings.warn(
        f"{len(deals):,} opportunities ({int(bad.sum()):,} rows) are left out: {listed}", DataWarning, stacklevel=4
    )
    return bad
