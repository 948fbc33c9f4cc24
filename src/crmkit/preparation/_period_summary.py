"""What lifetime models of discrete opportunities read of every customer: in which calendar periods they bought."""

from __future__ import annotations

import warnings
from typing import Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataWarning
from crmkit.preparation._calendar import first_day, period_of
from crmkit.preparation._cutoff import Cutoff, as_cutoff, rows_before
from crmkit.preparation._events import amounts, calendar_days, times, transactions_frame
from crmkit.preparation._last_day import day_after_last
from crmkit.preparation._matching import refund_lines
from crmkit.preparation._mid_life import warn_of_mid_life
from crmkit.preparation._purchases import PurchaseDays, purchase_days
from crmkit.preparation.units import days_in

__all__ = ["period_summary"]


def period_summary(
    transactions: Any, *, cutoff: Any = None, period: str = "month", refunds: str = "net"
) -> pd.DataFrame:
    """Count in how many calendar periods after the first one each customer bought again.

    Use it for ``bg-bb``, where there is at most one purchase to make in a period (a yearly gala, a monthly donation),
    or where what is known is only whether someone bought in it. The period of a customer's first purchase is not
    counted; each complete period after it is one opportunity, taken or not, however many purchases fall in it. Periods
    are those of the calendar, the same for all customers: what one buys at (the gala, the appeal, the payday) is on the
    calendar and not on the customer's own anniversary. A last period that is not over at the cutoff is left out with
    all its purchases, and a warning says so. The cost is one sort of the rows.

    The assumption is, as for ``purchase_summary``, that the first purchase seen is the customer's first.

    Parameters
    ----------
    transactions : table
        As for ``rfm_table``.
    cutoff : date, time, text of one, or None
        Exclusive; None for the day after the last line. The first day of a period loses nothing.
    period : {"day", "week", "month", "quarter", "year"}, default="month"
        How long an opportunity is. Weeks begin on Mondays, quarters in January, April, July and October.
    refunds : {"net", "ignore", "match"}, default="net"
        As for ``purchase_summary``.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``, sorted: ``repeats`` (periods after the first in which they bought),
        ``last_purchase_periods`` (number of the last of them, counted from the first period, which is 0),
        ``age_periods`` (complete periods after the first), ``repeat_spend`` (mean spend of a repeat period, in the
        currency of ``amount``; 0 without repeats, and negative where refunds exceed it), ``first_spend`` (of the first
        period), ``period`` (its name).

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used; the message names positions.

    Warns
    -----
    DataWarning
        If the last period is incomplete, the table starts in the middle of its customers' lives, or customers have
        refunds only (they are left out).

    See Also
    --------
    purchase_summary : The same in continuous time, for models of purchases at any moment.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import period_summary
    >>> gifts = pd.DataFrame(
    ...     {
    ...         "customer_id": ["a", "a", "a", "b"],
    ...         "time": pd.to_datetime(["2019-12-24", "2020-12-20", "2020-12-24", "2021-06-01"]),
    ...         "amount": [20.0, 30.0, 10.0, 5.0],
    ...     }
    ... )
    >>> table = period_summary(gifts, cutoff="2023-01-01", period="year")
    >>> table.drop(columns=["first_spend", "period"]).reset_index()
      customer_id  repeats  last_purchase_periods  age_periods  repeat_spend
    0           a        1                      1            3          40.0
    1           b        0                      0            1           0.0
    """
    days_in(period, what="period")
    frame = transactions_frame(transactions)
    frame, end = _complete(frame, _limit(frame, cutoff, refunds), period)
    purchases = purchase_days(frame, cutoff=end, refunds=refunds)
    warn_of_mid_life(purchases)
    return _periods_of(purchases, int(period_of(end, period)), period)


def _limit(frame: pd.DataFrame, cutoff: Any, refunds: str) -> Cutoff:
    """Give the cutoff, or the day after the last line that counts."""
    if cutoff is not None:
        return as_cutoff(cutoff)
    day = calendar_days(frame)
    counted = ~refund_lines(frame, amounts(frame)) if refunds == "ignore" else None
    return Cutoff(day_after_last(day, what="transactions", counted=counted))


def _complete(frame: pd.DataFrame, limit: Cutoff, period: str) -> tuple[pd.DataFrame, int]:
    """Give the rows before the cutoff, and the first day of the period that is not over at it."""
    day = calendar_days(frame)
    seen = rows_before(limit, day, times(frame))
    # Of a day that the cutoff divides, a part is missing.
    divided = limit.instant is not None and limit.instant != limit.instant.normalize()
    whole = limit.day - divided
    number = int(period_of(whole, period))
    end = first_day(number, period)
    if end < limit.day:
        n_left = int((seen & (day >= end)).sum())
        length = first_day(number + 1, period) - end
        warnings.warn(
            f"the last {period} is not over at the cutoff ({whole - end} of its {length} days are): it is left out "
            f"with its {n_left:,} rows; a cutoff on the first day of a {period}, such as '{Cutoff(end)}', leaves out "
            "nothing",
            DataWarning,
            stacklevel=3,
        )
    # A cutoff on a day needs no sorting out: the end of the last complete period is the cutoff then.
    return (frame if limit.instant is None else frame.loc[seen]), end


def _periods_of(purchases: PurchaseDays, after: int, period: str) -> pd.DataFrame:
    """Reduce purchase days to periods; ``after`` is the number of the first period that is not seen."""
    number = period_of(purchases.day, period)
    first, last = purchases.first, purchases.last
    joined = number[first]
    new = np.ones(len(number), dtype=bool)
    new[1:] = (np.diff(purchases.customer) != 0) | (np.diff(number) != 0)
    n_customers = len(purchases.ids)
    repeats = np.bincount(purchases.customer[new], minlength=n_customers).astype(np.int64) - 1
    again = number > joined[purchases.customer]
    spend = np.bincount(purchases.customer[again], purchases.spend[again], minlength=n_customers)
    return pd.DataFrame(
        {
            "repeats": repeats,
            "last_purchase_periods": number[last] - joined,
            "age_periods": after - 1 - joined,
            "repeat_spend": np.where(repeats > 0, spend / np.maximum(repeats, 1), 0.0),
            "first_spend": np.bincount(purchases.customer[~again], purchases.spend[~again], minlength=n_customers),
            "period": period,
        },
        index=purchases.ids,
    )
