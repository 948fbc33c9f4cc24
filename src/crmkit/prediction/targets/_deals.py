"""What the history of opportunities said at a moment, deal by deal."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.preparation._events import calendar_days, customer_codes, times

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.preparation.feature_tables._clock import Clock

__all__ = ["Deals"]

_WEIGHT = 10.0
"""How many deals of average success stand beside the own ones of an agent or channel."""


@dataclass(frozen=True, eq=False)
class Deals:
    """The rows of the history, sorted by deal and moment.

    Parameters
    ----------
    frame : pandas.DataFrame
        The rows.
    deal, customer : ndarray of int, shape (n_rows,)
        Whose rows they are.
    ids : pandas.Index
        Customers by number.
    moment, known : ndarray of int64, shape (n_rows,)
        When rows held, and from when on they were known, in ticks.
    stage : ndarray of int, shape (n_rows,)
        Places of stages; ``n_open`` is won, one more is lost.
    n_open : int
        How many open stages there are.
    by : tuple of str
        Columns whose success so far is a feature.
    amount : ndarray of float, shape (n_rows,), or None
        What deals were thought to be worth; NaN where missing.
    close : ndarray of float, shape (n_rows,)
        Expected close in ticks; NaN where missing.
    day : int
        Ticks in a day.
    """

    frame: pd.DataFrame
    deal: npt.NDArray[np.intp]
    customer: npt.NDArray[np.intp]
    ids: pd.Index
    moment: npt.NDArray[np.int64]
    known: npt.NDArray[np.int64]
    stage: npt.NDArray[np.intp]
    n_open: int
    by: tuple[str, ...]
    amount: npt.NDArray[np.float64] | None
    close: npt.NDArray[np.float64]
    day: int

    @classmethod
    def of(cls, frame: pd.DataFrame, stage: Any, n_open: int, by: tuple[str, ...], clock: Clock) -> Deals:
        """Sort the rows.

        Parameters
        ----------
        frame : pandas.DataFrame
            The history.
        stage : ndarray of int
            Places of stages.
        n_open : int
            How many open stages there are.
        by : tuple of str
            Columns; those that are not there are left out.
        clock : Clock
            The cutoffs.

        Returns
        -------
        Deals
            The deals.

        Raises
        ------
        DataError
            If an id is missing, or no deal has a history.
        """
        deal, names = pd.factorize(frame["opportunity_id"], sort=True)
        if (deal < 0).any():
            raise DataError(f"opportunities: opportunity_id is missing in {positions(deal < 0)}")
        if len(deal) and len(names) == len(deal):
            raise DataError(
                "opportunities have one row each, as they stand now: what they were at the cutoff is not in it. Give "
                "the history, a row for each stage entered"
            )
        customer, ids = customer_codes(frame, what="opportunities")
        day, time = calendar_days(frame, what="opportunities"), times(frame)
        moment = clock.moments(day, time)
        known = moment
        if "recorded_time" in frame.columns:
            known = clock.known(moment, day, time, frame["recorded_time"])
        close = np.full(len(frame), np.nan)
        if "close_time" in frame.columns and frame["close_time"].notna().any():
            if not pd.api.types.is_datetime64_any_dtype(frame["close_time"].dtype):
                raise DataError(
                    f"opportunities: close_time must hold times, got {frame['close_time'].dtype}: read text with "
                    "pandas.to_datetime"
                )
            there = frame["close_time"].notna().to_numpy(dtype=bool)
            expected = frame.loc[there, "close_time"].rename("time")
            close[there] = clock.moments(calendar_days(expected.to_frame(), what="close_time"), expected)
        order = np.lexsort((moment, deal))
        worth = _amounts(frame["amount"])[order] if "amount" in frame.columns else None
        chosen = frame.iloc[order].reset_index(drop=True)
        kept = tuple(name for name in by if name in frame.columns)
        parts = deal[order], customer[order], ids, moment[order], known[order], np.asarray(stage)[order]
        return cls(chosen, *parts, n_open, kept, worth, close[order], clock.day)

    def at(self, tick: int, horizon: int, when: pd.Timestamp) -> tuple[pd.DataFrame, npt.NDArray[np.float64]]:
        """Give features of the deals open at a cutoff, and whether each is won within the horizon.

        Parameters
        ----------
        tick : int
            The cutoff.
        horizon : int
            Days.
        when : Timestamp
            The cutoff as it stands in the index.

        Returns
        -------
        features : pandas.DataFrame
            A row an open deal.
        won : ndarray of float
            1 or 0.
        """
        seen = np.flatnonzero(self.known < tick)
        deal, stage = self.deal[seen], self.stage[seen]
        new = np.diff(deal, prepend=-1) != 0
        first = np.flatnonzero(new)
        last = np.append(first[1:], len(deal))[: len(first)] - 1
        ended = stage[last] >= self.n_open
        table = self._own(seen, first, last, new, tick)
        table |= self._success("customer", pd.Series(self.customer[seen[last]]), stage[last], ended, rate=False)
        for name in self.by:
            table |= self._success(name, self.frame[name].iloc[seen[last]], stage[last], ended, rate=True)
        # A win before the cutoff that was written down later is one that was not known then.
        inside = (self.known >= tick) & (self.moment < tick + horizon * self.day) & (self.stage == self.n_open)
        won = np.isin(deal[last], self.deal[inside]).astype(np.float64)
        rows = np.flatnonzero(~ended)
        index = pd.MultiIndex.from_arrays(
            [
                self.ids[self.customer[seen[last]]][rows],
                pd.Index(self.frame["opportunity_id"].iloc[seen[last]])[rows],
                pd.DatetimeIndex([when] * len(rows)).as_unit("us"),
            ],
            names=["customer_id", "opportunity_id", "cutoff"],
        )
        made = {name: np.asarray(values, dtype=np.float64)[rows] for name, values in table.items()}
        return pd.DataFrame(made, index=index), won[rows]

    def _own(
        self,
        seen: npt.NDArray[np.intp],
        first: npt.NDArray[np.intp],
        last: npt.NDArray[np.intp],
        new: npt.NDArray[np.bool_],
        tick: int,
    ) -> dict[str, Any]:
        """Give what a deal's own rows say."""
        deal, stage, moment, close = (part[seen] for part in (self.deal, self.stage, self.moment, self.close))
        step = np.where(new, 0, np.diff(stage, prepend=stage[:1]))
        entered = np.maximum.accumulate(np.where(new | (step != 0), np.arange(len(deal)), 0))
        later = np.where(new, 0.0, np.diff(close, prepend=close[:1])) > 0
        table: dict[str, Any] = {
            "stage": stage[last],
            "age_days": (tick - moment[first]) / self.day,
            "stage_days": (tick - moment[entered[last]]) / self.day,
            "moves": self._per_deal(step != 0, first),
            "moves_back": self._per_deal(step < 0, first),
        }
        if self.amount is not None:
            amount = self.amount[seen]
            table |= {"amount": amount[last], "amount_change": amount[last] - amount[first]}
        if not np.isnan(self.close).all():
            table |= {
                "days_to_close": (close[last] - tick) / self.day,
                "put_off": self._per_deal(later, first),
                "put_off_days": (close[last] - close[first]) / self.day,
            }
        return table

    @staticmethod
    def _per_deal(mask: npt.NDArray[np.bool_], first: npt.NDArray[np.intp]) -> npt.NDArray[Any]:
        """Count a deal's rows for which something holds."""
        return np.add.reduceat(mask.astype(np.int64), first) if len(first) else np.zeros(0)

    def _success(
        self, name: str, values: pd.Series, stage: npt.NDArray[np.intp], ended: npt.NDArray[np.bool_], *, rate: bool
    ) -> dict[str, Any]:
        """Give how many deals of the same value had ended, and how many or which share of them were won."""
        codes, names = pd.factorize(values)
        place = codes + 1
        n_ended = np.bincount(place, ended, minlength=len(names) + 1)
        n_won = np.bincount(place, stage == self.n_open, minlength=len(names) + 1)
        if not rate:
            return {f"{name}_ended": n_ended[place], f"{name}_won": n_won[place]}
        mean = (n_won.sum() + 1) / (n_ended.sum() + 2)
        drawn = (n_won + _WEIGHT * mean) / (n_ended + _WEIGHT)
        return {f"{name}_ended": n_ended[place], f"{name}_win_rate": drawn[place]}


def _amounts(column: pd.Series) -> npt.NDArray[np.float64]:
    """Give what deals are thought to be worth; of some nobody has said it yet."""
    if column.isna().all():
        return np.full(len(column), np.nan)
    if not pd.api.types.is_numeric_dtype(column.dtype):
        raise DataError(
            f"opportunities: amount must hold numbers, got {column.dtype}: read text with pandas.to_numeric"
        )
    values = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError(f"opportunities: amount is infinite in {positions(np.isinf(values))}")
    return values
