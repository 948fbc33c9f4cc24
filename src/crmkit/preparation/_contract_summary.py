"""What models of renewals read of every contract: how often it came up for renewal, and whether it was renewed."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._calendar import periods_between
from crmkit.preparation._cutoff import as_cutoff
from crmkit.preparation._events import customer_codes, numbers
from crmkit.preparation._missing_leavers import warn_of_missing_leavers
from crmkit.preparation.units import days_in

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["OPEN", "contract_days", "contract_summary"]

OPEN = np.iinfo(np.int64).max // 4
"""A day after all others: the end of what has no end yet."""


def contract_summary(
    contracts: Any,
    *,
    cutoff: Any,
    period: str = "month",
    grace_days: int = 1,
    start: str = "start",
    end: str = "end",
    price: str | None = None,
) -> pd.DataFrame:
    """Say of every customer under contract how many renewals came up and whether they left.

    Use it for ``sbg``. Periods run from each contract's own start, because that is when it comes up for renewal: a
    monthly contract of the 31st of January is renewed on the last of February and on the 31st of March. Who ends within
    a period counts as leaving at its end. Several rows of one customer that follow each other are one contract; after a
    gap only the latest one counts, and a warning says of how many. The cost is one sort.

    The curve beside that of ``sbg``, without its assumptions, is ``metrics.kaplan_meier(seen, table["churned"] &
    (table["tenure_periods"] <= table["age_periods"]))`` with ``seen = table[["tenure_periods",
    "age_periods"]].min(axis=1)``. Of a period that is not over only those who left would be counted otherwise, and not
    those who are going to stay.

    The assumption is that all who started are in the table. Where only those still there on some day were taken over
    from an older system, the customers who had left by then are missing and retention looks better than it was. A
    warning says so where ten or more of the renewals that came up before the first end in the table should have been
    refused, going by later contracts of the same age.

    Parameters
    ----------
    contracts : table
        One row a contract or a term of it: ``customer_id`` and the two dates.
    cutoff : date, time or text of one
        Exclusive: what is known on the evening before. Contracts that start later are left out; an end later than that
        has not happened yet, and the customer is still there. There is no default, because a table with open ends does
        not say when it was made.
    period : {"day", "week", "month", "quarter", "year"}, default="month"
        How often a contract comes up for renewal.
    grace_days : int, default=1
        A row that begins at most so many days after the last one ended continues it: 1 lets an end be the last day
        under contract as well as the first day after it. Who ended so shortly before the cutoff that they may still go
        on counts as there, with the renewals made so far.
    start : str, default="start"
        The column of the first day under contract: dates, times, or days since 1970-01-01.
    end : str, default="end"
        The column of the end: the last day under contract, or the first day after it (both give the same table where
        contracts end with a period); missing for contracts that have no end yet.
    price : str or None, default=None
        The column of the price of one period, which spend models read.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``, sorted: ``tenure_periods`` (of a customer who is still there, how often they have
        renewed; of one who left, which renewal they refused, counted from 1), ``churned`` (whether they left before the
        cutoff), ``age_periods`` (how many renewals came up by the cutoff, or would have; one less than the tenure of a
        customer who left in a period that is not over), ``period`` (its name), and with ``price`` also ``frequency``
        (periods paid for so far) and ``monetary_value`` (the latest price of one).

    Raises
    ------
    DataError
        If a column is missing or holds no dates, a start is missing or after its end; the message names positions.

    Warns
    -----
    DataWarning
        If customers came back after a gap, those who left early seem to be missing, or no contract starts before the
        cutoff.

    See Also
    --------
    contracts_from_survivors : The same from counts of those who are left of each cohort.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import contract_summary
    >>> contracts = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "b", "c"],
    ...         "start": pd.to_datetime(["2020-03-01", "2020-03-01", "2022-12-01"]),
    ...         "end": pd.to_datetime([None, "2022-02-28", None]),
    ...     }
    ... )
    >>> contract_summary(contracts, cutoff="2023-01-01", period="year").drop(columns="period").reset_index()
      customer_id  tenure_periods  churned  age_periods
    0           a               2    False            2
    1           b               2     True            2
    2           c               0    False            0
    """
    days_in(period, what="period")
    frame = as_frame(contracts, what="contracts")
    require_columns(frame, ["customer_id", start, end, *([] if price is None else [price])], what="contracts")
    if isinstance(grace_days, bool) or not isinstance(grace_days, int | np.integer) or grace_days < 0:
        raise DataError(f"grace_days must be a whole number of at least 0, got {grace_days!r}")
    limit = as_cutoff(cutoff).day
    codes, ids = customer_codes(frame, what="contracts")
    begin, finish = contract_days(frame, start), contract_days(frame, end, missing=OPEN)
    wrong = finish < begin
    if wrong.any():
        raise DataError(f"contracts: {end} is before {start} in {positions(wrong)}")
    paid = None if price is None else numbers(frame, price, what="contracts")
    rows = np.flatnonzero(begin < limit)
    if len(frame) and not len(rows):
        warnings.warn("no contract starts before the cutoff: the result is empty", DataWarning, stacklevel=2)
    rows = rows[np.lexsort((finish[rows], begin[rows], codes[rows]))]
    codes, begin, finish = codes[rows], begin[rows], finish[rows]
    first, last, left = _latest(codes, begin, finish, grace_days)
    who, joined = codes[last], begin[first]
    churned = left + grace_days < limit
    # The day before an end is under contract whether the end is the last day or the first one after it.
    refused = np.maximum(periods_between(joined, np.minimum(left, limit) - 1, period) + 1, 1)
    came_up = periods_between(joined, limit - 1, period)
    # Who has ended but may go on has refused nothing yet, and what came up at the end is not known.
    age = np.where(~churned & (left < limit), np.minimum(came_up, refused - 1), came_up)
    tenure = np.where(churned, refused, age)
    warn_of_missing_leavers(joined, left, churned, np.minimum(tenure, age), churned & (tenure <= age), period)
    table = pd.DataFrame(
        {"tenure_periods": tenure, "churned": churned, "age_periods": age, "period": period}, index=ids[who]
    )
    if paid is not None:
        table["frequency"] = np.where(churned, tenure, tenure + 1)
        table["monetary_value"] = paid[rows][last]
    return table


def _latest(
    codes: npt.NDArray[np.intp], begin: npt.NDArray[np.int64], finish: npt.NDArray[np.int64], grace_days: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Give first row, last row and end of each customer's latest contract, of rows sorted by customer and start."""
    if not len(codes):
        return codes, codes, finish
    reach = pd.Series(finish).groupby(codes).cummax().to_numpy()
    other = np.ones(len(codes), dtype=bool)
    other[1:] = codes[1:] != codes[:-1]
    gap = other.copy()
    gap[1:] |= begin[1:] > reach[:-1] + grace_days
    n_back = int((np.bincount(codes[gap]) > 1).sum())
    if n_back:
        warnings.warn(
            f"{n_back:,} customers came back after a gap: only their latest contract counts, as if they were new",
            DataWarning,
            stacklevel=3,
        )
    last = np.append(np.flatnonzero(other)[1:], len(codes)) - 1
    first = np.maximum.accumulate(np.where(gap, np.arange(len(codes)), 0))[last]
    return first, last, reach[last]


def contract_days(frame: pd.DataFrame, column: str, *, missing: int | None = None) -> npt.NDArray[np.int64]:
    """Give a column of dates as local days since 1970-01-01."""
    series = frame[column]
    gone = series.isna().to_numpy(dtype=bool)
    if missing is None and gone.any():
        raise DataError(f"contracts: {column} is missing in {positions(gone)}")
    if gone.all():
        return np.full(len(series), missing or 0, dtype=np.int64)
    if pd.api.types.is_datetime64_any_dtype(series.dtype):
        local = series.dt.tz_localize(None) if getattr(series.dt, "tz", None) is not None else series
        days = local.to_numpy().astype("datetime64[D]").astype(np.int64)
        return np.where(gone, missing or 0, days)
    if not pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
        raise DataError(
            f"contracts: {column} must hold dates or days since 1970-01-01, got {series.dtype}: read text with "
            "pandas.to_datetime"
        )
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = ~gone & (~np.isfinite(values) | (values != np.floor(values)))
    if odd.any():
        raise DataError(f"contracts: {column} must hold whole days since 1970-01-01; {positions(odd)} are not")
    return np.where(gone, float(missing or 0), values).astype(np.int64)
