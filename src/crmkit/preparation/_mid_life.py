"""Notices a customer base that is older than its table, whose first purchases are not the customers' first."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataWarning

if TYPE_CHECKING:
    from crmkit.preparation._purchases import PurchaseDays

__all__ = ["starts_mid_life", "warn_of_mid_life"]

_WINDOW = 28
"""Days: the customers first seen in the first window are compared with those of later ones."""

_FOLLOWED = 2 * _WINDOW
"""Days after the first purchase in which a customer may return."""

_CROWDED = 1.5
_FASTER = 1.2
_Z = 3.0
_LEAST = 50


def starts_mid_life(purchases: PurchaseDays) -> bool:
    """Say whether a table of purchases starts in the middle of the life of its customer base.

    Customers who were there before the table show up when they next buy: many at once in its first weeks, and the
    frequent buyers among them first. So two signs are asked for together: the first four weeks show at least half as
    many again new customers as the next four, and clearly more of them (a fifth, and three standard errors) return
    within eight weeks than of all customers first seen later. A cohort that joins over some weeks and then closes has
    neither, a shop that opens with a crowd has only the first. Where customers hardly differ in how often they buy
    the second sign fails and nothing is said. Fewer than fifty customers on either side, or a table of fewer than
    twelve weeks, is not judged.

    Parameters
    ----------
    purchases : PurchaseDays
        The purchase days.

    Returns
    -------
    bool
        True where both signs are there.
    """
    if len(purchases.ids) < 2 * _LEAST:
        return False
    first, second = purchases.first, purchases.first + 1
    joined = purchases.day[first]
    begin, end = int(joined.min()), purchases.cutoff_day
    if end - begin < _WINDOW + _FOLLOWED:
        return False
    has_second = second <= purchases.last
    gap = np.where(has_second, purchases.day[np.where(has_second, second, first)] - joined, np.inf)
    early = joined < begin + _WINDOW
    following = (joined >= begin + _WINDOW) & (joined < begin + 2 * _WINDOW)
    later = ~early & (joined + _FOLLOWED < end)
    n_early, n_later = int(early.sum()), int(later.sum())
    if min(n_early, n_later) < _LEAST or n_early < _CROWDED * following.sum():
        return False
    returned_early, returned_later = (gap[early] <= _FOLLOWED).mean(), (gap[later] <= _FOLLOWED).mean()
    pooled = (gap[early | later] <= _FOLLOWED).mean()
    error = np.sqrt(pooled * (1 - pooled) * (1 / n_early + 1 / n_later))
    return bool(returned_early > _FASTER * returned_later and returned_early - returned_later > _Z * error)


def warn_of_mid_life(purchases: PurchaseDays, *, stacklevel: int = 3) -> None:
    """Warn where the first purchase in the table is probably not the first purchase of many customers.

    Parameters
    ----------
    purchases : PurchaseDays
        The purchase days.
    stacklevel : int, default=3
        Whose line the warning points at.
    """
    if starts_mid_life(purchases):
        joined = purchases.day[purchases.first]
        share = (joined < joined.min() + _WINDOW).mean()
        warnings.warn(
            f"the table starts in the middle of its customers' lives: {share:.0%} of them are first seen in its first "
            f"{_WINDOW} days and return sooner than those first seen later. Their first purchase here is not their "
            "first, so ages are too short and lifetime models see too few leave; keep only customers known to be new, "
            "or read the forecasts with care",
            DataWarning,
            stacklevel=stacklevel,
        )
