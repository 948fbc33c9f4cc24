"""Churn of customers under contract: by calendar period, and by how long they have been customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.metrics._calendar import FREQUENCIES, Period, check_period, period_of
from crmkit.metrics._purchases import cutoff_day
from crmkit.metrics.intervals import check_level, wilson
from crmkit.metrics.survival import kaplan_meier

if TYPE_CHECKING:
    import numpy.typing as npt

    Days = npt.NDArray[np.int64]

__all__ = ["contract_churn", "contract_survival"]

_OPEN = np.int64(2**40)
"""A day after all others: the end of what has no end yet."""


@dataclass(frozen=True)
class _Spells:
    """Times without a break in which customers were under contract, sorted by customer and start.

    Parameters
    ----------
    customer : ndarray of int, shape (n_spells,)
        Codes.
    start, end : ndarray of int64, shape (n_spells,)
        The first day, and the first day after.
    cutoff : int
        The first day that is not seen.
    """

    customer: npt.NDArray[np.intp]
    start: Days
    end: Days
    cutoff: int


def contract_churn(
    contracts: Any,
    *,
    period: Period = "month",
    cutoff: Any = None,
    grace_days: int = 1,
    start: str = "start",
    end: str = "end",
    level: float = 0.95,
) -> pd.DataFrame:
    """Give the churn of each calendar period from a table of contracts.

    Of the customers under contract when a period begins, the share who are not when it ends: ``churn_rate``, worked
    out from the dates. Contracts of one customer that overlap or follow each other are one; who comes back within the
    period, or goes from one contract to the next, has not churned. Customers who joined within a period count neither
    above nor below the line. The cost is one sort of the contracts, whatever the number of periods.

    Parameters
    ----------
    contracts : table
        One row a contract or a term of it: ``customer_id``, its start and its end as dates, texts of them such as
        2024-03-31, times, or days since 1970-01-01. The end is the first day no longer covered, or the last one that is
        (the churn of a period is the same where contracts end with it), and missing where there is none yet.
    period : {"day", "week", "month", "quarter", "year"}, default="month"
        Calendar periods; weeks start on Monday.
    cutoff : str, date or int, default=None
        The first day that is not seen: contracts that start at it or later are not there, and those that end after it
        have not ended. Where None, the day after the last start or end.
    grace_days : int, default=1
        A contract that begins at most so many days after the last one ended continues it: 1 lets an end be the last day
        under contract as well as the first day after it.
    start, end : str, default="start", "end"
        The columns.
    level : float, default=0.95
        Nominal coverage of Wilson's interval.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``period``, from the first start. A period is there once the day after it, and ``grace_days`` more,
        were seen: only then does it show who renewed a contract that ended with it. ``opening`` (customers when it
        begins), ``lost``, ``joined`` (customers when it ends who were none when it began), ``closing``, ``churn``,
        ``low``, ``high``; the last three are missing where nobody was there to lose. ``closing`` is ``opening - lost +
        joined``.

    Raises
    ------
    DataError
        If a column, customer or start is missing, an end is before its start, or no contract starts before the cutoff.

    See Also
    --------
    contract_survival : Churn by how long customers have been there.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import contract_churn
    >>> contracts = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "b", "b", "c"],
    ...         "start": pd.to_datetime(["2024-01-10", "2024-01-15", "2024-02-15", "2024-02-20"]),
    ...         "end": pd.to_datetime(["2024-02-10", "2024-02-15", None, None]),
    ...     }
    ... )
    >>> contract_churn(contracts, cutoff="2024-03-03").iloc[:, :5]  # doctest: +NORMALIZE_WHITESPACE
             opening  lost  joined  closing  churn
    period
    2024-01        0     0       2        2    NaN
    2024-02        2     1       1        2    0.5
    """
    check_level(level)
    check_period(period)
    spells = _spells(contracts, cutoff, grace_days, start, end)
    first = int(period_of(spells.start.min()[None], period)[0])
    origin = pd.Period("1970-01-01", freq=FREQUENCIES[period])
    seen = int(period_of(np.array([spells.cutoff - 1 - grace_days]), period)[0]) - first
    periods = pd.period_range(origin + first, periods=max(seen, 0) + 1, name="period")
    # The start of the period after the last one is its end.
    edges = periods.start_time.to_numpy().astype("datetime64[D]").astype(np.int64)
    there, stayed = _presence(spells, edges)
    opening, closing = there[:-1], there[1:]
    lost, joined = opening - stayed, closing - stayed
    table = pd.DataFrame({"opening": opening, "lost": lost, "joined": joined, "closing": closing}, index=periods[:-1])
    low, high = wilson(lost, opening, level=level)
    churn = np.divide(lost, opening, out=np.full(len(opening), np.nan), where=opening > 0)
    return table.assign(churn=churn, low=low, high=high)


def contract_survival(
    contracts: Any,
    *,
    cutoff: Any = None,
    grace_days: int = 1,
    start: str = "start",
    end: str = "end",
    level: float = 0.95,
) -> pd.DataFrame:
    """Give the share of customers still under contract after each number of days, running contracts censored.

    A contract that still runs has lasted at least so long: leaving it out, or taking it as ended, makes all contracts
    look short. A customer who comes back after more than ``grace_days`` counts again from the new start.

    Parameters
    ----------
    contracts, cutoff, grace_days, start, end
        As for ``contract_churn``. Where an end lies so close before the cutoff that a renewal within ``grace_days`` may
        still come, the contract counts as running until that end.
    level : float, default=0.95
        Nominal coverage of the interval.

    Returns
    -------
    pandas.DataFrame
        As ``kaplan_meier`` gives it, indexed by ``time`` in days: ``at_risk``, ``events`` (ended), ``censored``,
        ``survival``, ``low``, ``high``. ``median_survival`` and ``restricted_mean`` read it.

    Raises
    ------
    DataError
        As for ``contract_churn``.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import contract_survival, median_survival
    >>> contracts = pd.DataFrame({"customer_id": ["a", "b", "c"], "start": [0, 0, 5], "end": [30, None, 65]})
    >>> curve = contract_survival(contracts, cutoff=100)
    >>> curve["survival"].round(2).tolist(), float(median_survival(curve))
    ([0.67, 0.33, 0.33], 60.0)
    """
    spells = _spells(contracts, cutoff, grace_days, start, end)
    ended = spells.end + grace_days < spells.cutoff
    last = np.minimum(spells.end, spells.cutoff)
    return kaplan_meier(last - spells.start, ended, level=level)


def _presence(spells: _Spells, edges: Days) -> tuple[Days, Days]:
    """Count the customers who were there before each day begins and still are, and those there at one and the next."""
    size = len(edges)
    first = np.searchsorted(edges, spells.start, side="right")
    last = np.searchsorted(edges, spells.end, side="left") - 1
    seen = first <= last
    first, last, customer = first[seen], last[seen], spells.customer[seen]
    begun = np.bincount(first, minlength=size)
    there = np.cumsum(begun - np.bincount(last + 1, minlength=size + 1)[:size])
    stayed = np.cumsum(begun - np.bincount(last, minlength=size))[:-1]
    # Who left and came back between two days is there at both.
    back = (customer[1:] == customer[:-1]) & (first[1:] == last[:-1] + 1)
    return there, stayed + np.bincount(last[:-1][back], minlength=size)[: size - 1]


def _spells(contracts: Any, cutoff: Any, grace_days: Any, start: str, end: str) -> _Spells:
    """Join the contracts of each customer that overlap or follow each other."""
    if isinstance(grace_days, bool) or not isinstance(grace_days, int | np.integer) or grace_days < 0:
        raise DataError(f"grace_days must be a whole number of at least 0, got {grace_days!r}")
    frame = as_frame(contracts, what="contracts")
    require_columns(frame, ["customer_id", start, end], what="contracts")
    for column in ("customer_id", start):
        missing = frame[column].isna().to_numpy(dtype=bool)
        if missing.any():
            raise DataError(f"contracts: {column} is missing in {positions(missing)}")
    begin, finish = _dates(frame[start], start), _dates(frame[end], end)
    if (finish < begin).any():
        raise DataError(f"contracts: {end} is before {start} in {positions(finish < begin)}")
    if not len(frame):
        raise DataError("contracts is empty: there is nothing to measure")
    ends = finish[finish < _OPEN]
    limit = cutoff_day(cutoff) if cutoff is not None else int(max(begin.max(), ends.max(initial=begin.max()))) + 1
    known = begin < limit
    if not known.any():
        raise DataError("no contract starts before the cutoff")
    codes, begin, finish = pd.factorize(frame["customer_id"])[0][known], begin[known], finish[known]
    # An end that lies ahead may still be moved: what was known at the cutoff is that the contract ran.
    finish = np.where(finish >= limit, limit + 1, finish)
    order = np.lexsort((begin, codes))
    codes, begin, finish = codes[order], begin[order], finish[order]
    # The latest end so far of the same customer: customers are laid one after the other on one line of days.
    span = int(finish.max() - begin.min()) + int(grace_days) + 2
    shift = codes.astype(np.int64) * span
    reached = np.maximum.accumulate(finish + shift)
    new = np.ones(len(codes), dtype=bool)
    new[1:] = (codes[1:] != codes[:-1]) | (begin[1:] + shift[1:] > reached[:-1] + grace_days)
    first = np.flatnonzero(new)
    return _Spells(codes[first], begin[first], np.maximum.reduceat(finish, first), limit)


def _dates(column: pd.Series, name: str) -> Days:
    """Give the local days of a column of dates, times or day numbers; open where it is missing."""
    expected = f"contracts: {name} must be dates (such as 2024-03-31) or whole days since 1970-01-01"
    missing = column.isna().to_numpy(dtype=bool)
    if missing.all():
        return np.full(len(column), _OPEN)
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        odd = ~missing & (~np.isfinite(values) | (values != np.floor(values)))
        if odd.any():
            raise DataError(f"{expected}; it is not in {positions(odd)}")
        return np.where(missing, _OPEN, np.where(missing, 0.0, values).astype(np.int64))
    if not pd.api.types.is_datetime64_any_dtype(column.dtype):
        # Only the one order of year, month and day that is never another date.
        try:
            read = pd.to_datetime(column, errors="coerce", format="ISO8601")
        except ValueError:
            raise DataError(f"{expected}; they are in several time zones, so that their days are not known") from None
        odd = read.isna().to_numpy(dtype=bool) & ~missing
        if odd.any() or not pd.api.types.is_datetime64_any_dtype(read.dtype):
            raise DataError(f"{expected}; it is not in {positions(odd)}")
        column = read
    local = column.dt.tz_localize(None) if column.dt.tz is not None else column
    days = local.to_numpy(dtype="datetime64[D]").astype(np.int64)
    return np.where(missing, _OPEN, days)
