"""What the gaps between a customer's purchases come to, now and on the day before the last purchase."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.preparation.units import age_column, days_in, last_purchase_column

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.preparation._purchases import PurchaseDays

    Floats = npt.NDArray[np.float64]

__all__ = ["Gaps", "gaps_of"]


@dataclass(frozen=True)
class Gaps:
    """Gaps between the purchase days of customers.

    Parameters
    ----------
    n : ndarray of float, shape (n_customers,)
        How many there are: one less than the purchase days.
    total : ndarray of float, shape (n_customers,)
        Their sum in days: from the first to the last purchase.
    logs : ndarray of float, shape (n_customers,)
        The sum of their logarithms.
    first, last, longest : ndarray of float, shape (n_customers,)
        The gap before the second and before the last purchase, and the longest; 0 where there is none.
    silence : ndarray of float, shape (n_customers,)
        Days since the last purchase that were seen to the end without another.
    """

    n: Floats
    total: Floats
    logs: Floats
    first: Floats
    last: Floats
    longest: Floats
    silence: Floats

    def before_last(self) -> Gaps:
        """Give the gaps as they stood on the day before the last purchase; of one-time buyers, no silence at all."""
        again, more = self.n > 0, self.n > 1
        return Gaps(
            n=np.maximum(self.n - 1, 0),
            total=np.where(more, self.total - self.last, 0.0),
            logs=np.where(more, self.logs - np.log(np.maximum(self.last, 1)), 0.0),
            first=np.where(more, self.first, 0.0),
            last=np.zeros_like(self.last),
            longest=np.zeros_like(self.longest),
            silence=np.where(again, self.last - 1, 0.0),
        )

    def summary(self, ids: pd.Index, unit: str) -> pd.DataFrame:
        """Give the purchase summary that a lifetime model reads."""
        length, n = days_in(unit), np.maximum(self.n, 1)
        even = np.exp(np.minimum(self.logs / n - np.log(np.maximum(self.total, 1) / n), 0.0))
        return pd.DataFrame(
            {
                "repeats": self.n.astype(np.int64),
                last_purchase_column(unit): self.total / length,
                age_column(unit): (self.total + self.silence) / length,
                "gap_evenness": np.where(self.n > 0, even, 0.0),
            },
            index=ids,
        )


def gaps_of(purchases: PurchaseDays) -> Gaps:
    """Sum every customer's gaps up.

    Parameters
    ----------
    purchases : PurchaseDays
        Sorted by customer and day.

    Returns
    -------
    Gaps
        In the order of its customers.
    """
    size = len(purchases.ids)
    day = purchases.day.astype(np.float64)
    last_day = day[purchases.last]
    same = np.diff(purchases.customer) == 0
    gap, owner = np.diff(day)[same], purchases.customer[1:][same]
    first, last, longest = np.zeros(size), np.zeros(size), np.zeros(size)
    if len(gap):
        # Gaps stand in the order of customers: where a customer's begin, those of the one before have ended.
        begin = np.flatnonzero(np.diff(owner, prepend=-1))
        end = np.append(begin[1:], len(gap)) - 1
        longest[owner[begin]] = np.maximum.reduceat(gap, begin)
        first[owner[begin]], last[owner[end]] = gap[begin], gap[end]
    return Gaps(
        n=purchases.count.astype(np.float64) - 1,
        total=last_day - day[purchases.first],
        logs=np.asarray(np.bincount(owner, np.log(gap), minlength=size), dtype=np.float64),
        first=first,
        last=last,
        longest=longest,
        silence=purchases.cutoff_day - 1 - last_day,
    )
