"""Who buys again, by how long ago they first bought, with everyone counted for as long as they were seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._purchases import purchase_table
from crmkit.metrics.intervals import check_level, share
from crmkit.metrics.survival import kaplan_meier

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["repeat_purchase", "repeat_purchase_curve"]


def repeat_purchase(
    transactions: Any,
    *,
    horizon_days: int = 90,
    cutoff: Any = None,
    method: Literal["followed", "kaplan-meier"] = "followed",
    level: float = 0.95,
) -> Estimate:
    """Give the share of customers who buy again within some days of their first purchase.

    A customer who first bought last week has not had the time to come back: counted as lost, every young cohort would
    drag the rate down (it is right-censored). So either only customers seen for the whole horizon count, and the
    estimate says how many were too young; or all count, each for as long as they were seen (Kaplan-Meier). Purchases of
    one customer on one day are one purchase.

    Parameters
    ----------
    transactions : table
        ``customer_id`` and ``day`` (or ``time``); where there is an ``amount``, only rows above 0 are purchases.
    horizon_days : int, default=90
        How long a customer has to come back: the last day that counts is first day + horizon_days.
    cutoff : str, date or int, default=None
        The first day that no longer counts; where None, the day after the last row.
    method : {"followed", "kaplan-meier"}, default="followed"
        ``"followed"`` needs no assumption and wastes the young; ``"kaplan-meier"`` uses them, which narrows the
        interval, and assumes that they come back like the older ones did at their age.
    level : float, default=0.95
        Nominal coverage of Wilson's interval, or of Kaplan-Meier's on the log-log scale.

    Returns
    -------
    Estimate
        Between 0 and 1; ``n`` is how many customers were seen long enough, or, by Kaplan-Meier, all.

    Raises
    ------
    DataError
        If no customer was seen long enough, or a customer or day is missing.

    See Also
    --------
    repeat_purchase_curve : The share for every number of days.

    Notes
    -----
    Customers who first bought before the table begins are taken as new at its beginning.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import repeat_purchase
    >>> sales = pd.DataFrame({"customer_id": ["a", "a", "b", "c"], "day": [0, 20, 5, 95]})
    >>> repeat_purchase(sales, horizon_days=30)
    0.5 [0.09453, 0.9055] (n=2, 95% wilson; 1 customers seen for less than 30 days left out)
    >>> repeat_purchase(sales, horizon_days=30, method="kaplan-meier")
    0.5 [0.08959, 0.994] (n=3, 95% kaplan-meier; 1 customers seen for less than 30 days)
    """
    if isinstance(horizon_days, bool | str) or not horizon_days >= 1:
        raise DataError(f"horizon_days must be at least 1, got {horizon_days!r}")
    if method not in {"followed", "kaplan-meier"}:
        raise DataError(f"method must be 'followed' or 'kaplan-meier', got {method!r}")
    wait, back, seen = _waits(transactions, cutoff)
    old_enough = seen >= horizon_days
    if not old_enough.any():
        raise DataError(f"no customer was seen for {horizon_days} days: take a shorter horizon_days")
    young = int((~old_enough).sum())
    note = f"; {young:,} customers seen for less than {horizon_days} days" if young else ""
    if method == "followed":
        again = back & (wait <= horizon_days)
        note += " left out" if young else ""
        return share(int(again[old_enough].sum()), int(old_enough.sum()), level=level, method=f"wilson{note}")
    # What happens after the horizon says nothing of it.
    curve = kaplan_meier(np.minimum(wait, horizon_days), back & (wait <= horizon_days), level=level)
    still, low, high = curve[["survival", "low", "high"]].iloc[-1]
    return Estimate(1 - still, n=len(wait), low=1 - high, high=1 - low, level=level, method=f"kaplan-meier{note}")


def repeat_purchase_curve(transactions: Any, *, cutoff: Any = None, level: float = 0.95) -> pd.DataFrame:
    """Give the share of customers who have bought again by each number of days after their first purchase.

    All customers count, each for as long as they were seen (Kaplan-Meier): a young cohort neither drags the curve down
    nor is left out. It assumes that those who came later come back like those before them; where that has changed,
    look at ``cohort``. The cost is one sort of the rows.

    Parameters
    ----------
    transactions : table
        ``customer_id`` and ``day`` (or ``time``); where there is an ``amount``, only rows above 0 are purchases.
        Purchases of one customer on one day are one purchase.
    cutoff : str, date or int, default=None
        The first day that no longer counts; where None, the day after the last row.
    level : float, default=0.95
        Nominal coverage of the interval at each day.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``days`` since the first purchase, those on which somebody came back or was last seen: ``at_risk``
        (had not come back before and were still seen), ``events`` (came back), ``censored`` (no longer seen),
        ``repeated`` (the share that has come back), ``low``, ``high``. The last rows rest on few: look at ``at_risk``.

    Raises
    ------
    DataError
        If there is no purchase, or a customer or day is missing.

    See Also
    --------
    repeat_purchase : The share at one number of days.

    Notes
    -----
    Customers who first bought before the table begins are taken as new at its beginning.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import repeat_purchase_curve
    >>> sales = pd.DataFrame({"customer_id": ["a", "a", "b", "c"], "day": [0, 20, 5, 95]})
    >>> repeat_purchase_curve(sales)[["at_risk", "events", "repeated"]]  # doctest: +NORMALIZE_WHITESPACE
          at_risk  events  repeated
    days
    0         3.0     0.0       0.0
    20        2.0     1.0       0.5
    90        1.0     0.0       0.5
    """
    check_level(level)
    wait, back, _ = _waits(transactions, cutoff)
    curve = kaplan_meier(wait, back, level=level)
    curve.index = curve.index.astype(np.int64).rename("days")
    counts = curve[["at_risk", "events", "censored"]]
    return counts.assign(repeated=1 - curve["survival"], low=1 - curve["high"], high=1 - curve["low"])


def _waits(
    transactions: Any, cutoff: Any
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.bool_], npt.NDArray[np.int64]]:
    """Give each customer's days to the second purchase or to the end, whether there was one, and the days seen."""
    table, end = purchase_table(transactions, cutoff)
    days, customers = table["day"].to_numpy(), table["customer"].to_numpy()
    # Sorted by customer and day: a second purchase stands right after the first.
    starts = np.flatnonzero(np.diff(customers, prepend=customers[0] - 1))
    following = np.minimum(starts + 1, len(table) - 1)
    back = (following > starts) & (customers[following] == customers[starts])
    seen = end - 1 - days[starts]
    return np.where(back, days[following] - days[starts], seen), back, seen
