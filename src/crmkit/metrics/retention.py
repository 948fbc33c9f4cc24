"""Who stays: churn, retention, and retention by cohort."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.metrics._calendar import FREQUENCIES, Period, check_period, period_of
from crmkit.metrics._columns import as_column
from crmkit.metrics._purchases import purchase_table
from crmkit.metrics.intervals import share, wilson

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.core.estimate import Estimate

__all__ = ["churn_rate", "cohort", "cohort_rates", "retention"]


def retention(before: Any, after: Any, *, level: float = 0.95) -> Estimate:
    """Give the share of a period's opening customers who are customers at its end.

    Customers who joined within the period count neither above nor below the line.

    Parameters
    ----------
    before, after : array-like, shape (n_before,) and (n_after,)
        Ids of the customers at the start and at the end of the period; an id counts once however often it stands there.
    level : float, default=0.95
        Nominal coverage of Wilson's interval.

    Returns
    -------
    Estimate
        Between 0 and 1; ``n`` is how many there were at the start.

    Raises
    ------
    DataError
        If there was no customer at the start, an id is missing, or the two lists hold ids of different kinds.

    Examples
    --------
    >>> from crmkit.metrics import retention
    >>> float(retention(["a", "b", "c", "d"], ["a", "b", "c", "e"]))
    0.75
    """
    start = pd.unique(as_column(before, "before"))
    stayed = _stayed(start, after)
    return share(int(stayed.sum()), len(start), level=level)


def churn_rate(before: Any, after: Any, *, level: float = 0.95) -> Estimate:
    """Give the share of a period's opening customers who are lost at its end: one less ``retention``.

    Parameters
    ----------
    before, after : array-like, shape (n_before,) and (n_after,)
        Ids of the customers at the start and at the end of the period.
    level : float, default=0.95
        Nominal coverage of Wilson's interval.

    Returns
    -------
    Estimate
        Between 0 and 1; ``n`` is how many there were at the start.

    Raises
    ------
    DataError
        As for ``retention``.

    Examples
    --------
    >>> from crmkit.metrics import churn_rate
    >>> float(churn_rate(["a", "b", "c", "d"], ["a", "b", "c", "e"]))
    0.25
    """
    start = pd.unique(as_column(before, "before"))
    stayed = _stayed(start, after)
    return share(int((~stayed).sum()), len(start), level=level)


def _stayed(start: npt.NDArray[Any], after: Any) -> npt.NDArray[np.bool_]:
    """Say which opening customers are still there; nobody need be."""
    if not isinstance(after, str | bytes) and not len(after):
        return np.zeros(len(start), dtype=bool)
    end = as_column(after, "after")
    if (start.dtype.kind in "biuf") != (end.dtype.kind in "biuf"):
        raise DataError("before and after hold ids of different kinds (numbers and text): no id could be in both")
    return np.asarray(pd.Index(start).isin(end), dtype=bool)


def cohort(
    transactions: Any,
    *,
    period: Period = "month",
    cutoff: Any = None,
    values: Literal["share", "customers"] = "share",
) -> pd.DataFrame:
    """Count, for each period's new customers, how many bought again in each later period.

    A cell whose period had not ended at the cutoff is missing, not zero: the last diagonal of a retention table drawn
    with zeros always falls, whatever the customers do.

    Parameters
    ----------
    transactions : table
        ``customer_id`` and ``day`` (or ``time``); where there is an ``amount``, only rows above 0 are purchases.
    period : {"day", "week", "month", "quarter", "year"}, default="month"
        Calendar periods; weeks start on Monday.
    cutoff : str, date or int, default=None
        The first day that no longer counts; where None, the day after the last row.
    values : {"share", "customers"}, default="share"
        Shares of the cohort, or numbers of customers (column 0 is the cohort's size).

    Returns
    -------
    pandas.DataFrame
        Index ``cohort`` (the period of the first purchase; every period from the first to the last), columns
        ``periods_later`` 0, 1, 2, … as far as any period had ended. A cohort without customers has count 0 and
        no share.

    Raises
    ------
    DataError
        If there is no purchase, or a customer or day is missing.

    Notes
    -----
    Customers who first bought before the table begins stand in its first cohort.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import cohort
    >>> days = pd.to_datetime(["2024-01-05", "2024-02-07", "2024-01-09", "2024-02-10", "2024-03-05"])
    >>> sales = pd.DataFrame({"customer_id": ["a", "a", "b", "c", "c"], "time": days})
    >>> cohort(sales, values="customers")  # doctest: +NORMALIZE_WHITESPACE
    periods_later    0    1
    cohort
    2024-01        2.0  1.0
    2024-02        1.0  NaN
    """
    check_period(period)
    if values not in {"share", "customers"}:
        raise DataError(f"values must be 'share' or 'customers', got {values!r}")
    table, end = purchase_table(transactions, cutoff)
    when = period_of(table["day"].to_numpy(), period)
    born = pd.Series(when).groupby(table["customer"].to_numpy()).transform("min").to_numpy()
    active = pd.DataFrame({"customer": table["customer"], "born": born, "later": when - born}).drop_duplicates()
    first, last = int(born.min()), int(born.max())
    # A period is complete when its last day lies before the cutoff: then the day at the cutoff is in a later period.
    open_from = int(period_of(np.array([end]), period)[0])
    width = max(open_from - first, 1)
    active = active[active["born"] + active["later"] < open_from]
    counts = np.zeros((last - first + 1, width))
    np.add.at(counts, (active["born"].to_numpy() - first, active["later"].to_numpy()), 1)
    reached = np.arange(first, last + 1)[:, None] + np.arange(width)[None, :]
    counts[reached >= open_from] = np.nan
    if values == "share":
        size = counts[:, :1]
        counts = counts / np.where(size > 0, size, np.nan)
    origin = pd.Period("1970-01-01", freq=FREQUENCIES[period])
    index = pd.period_range(origin + first, periods=last - first + 1, name="cohort")
    return pd.DataFrame(counts, index=index, columns=pd.RangeIndex(width, name="periods_later"))


def cohort_rates(
    transactions: Any, *, period: Period = "month", cutoff: Any = None, level: float = 0.95
) -> pd.DataFrame:
    """Give the retention of each period's new customers with its interval, one row a cohort and later period.

    The cells of ``cohort`` in long form: those whose period had not ended at the cutoff are not there, and neither are
    cohorts without customers.

    Parameters
    ----------
    transactions, period, cutoff
        As for ``cohort``.
    level : float, default=0.95
        Nominal coverage of Wilson's interval.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``cohort`` and ``periods_later`` (from 1): ``customers`` (who bought in that period), ``n`` (the
        cohort's size), ``share``, ``low``, ``high``.

    Raises
    ------
    DataError
        If there is no purchase, or a customer or day is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import cohort_rates
    >>> days = pd.to_datetime(["2024-01-05", "2024-02-07", "2024-01-09", "2024-02-10", "2024-03-05"])
    >>> sales = pd.DataFrame({"customer_id": ["a", "a", "b", "c", "c"], "time": days})
    >>> cohort_rates(sales)[["customers", "n", "share"]]  # doctest: +NORMALIZE_WHITESPACE
                           customers  n  share
    cohort  periods_later
    2024-01 1                      1  2    0.5
    """
    counts = cohort(transactions, period=period, cutoff=cutoff, values="customers")
    cells = counts.to_numpy()
    size = np.repeat(cells[:, :1], cells.shape[1], axis=1)
    known = ~np.isnan(cells) & (size > 0)
    known[:, 0] = False
    row, later = np.nonzero(known)
    customers, n = cells[row, later].astype(np.int64), size[row, later].astype(np.int64)
    low, high = wilson(customers, n, level=level)
    index = pd.MultiIndex.from_arrays([counts.index[row], later], names=["cohort", "periods_later"])
    return pd.DataFrame({"customers": customers, "n": n, "share": customers / n, "low": low, "high": high}, index=index)
