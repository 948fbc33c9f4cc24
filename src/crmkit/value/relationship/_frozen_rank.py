"""Where a value stands among those of one month, so that the next month can be placed without moving anyone."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["FrozenRank"]

_STEPS = 1000
"""How many steps of rank are kept; values between two of them are placed on the line that joins these."""


@dataclass(frozen=True)
class FrozenRank:
    """The distribution of one column, at some of its values.

    Parameters
    ----------
    values : ndarray of float, shape (n_kept,)
        Values, rising.
    below, upto : ndarray of float, shape (n_kept,)
        Share of the column below each value, and up to it.
    """

    values: Floats
    below: Floats
    upto: Floats

    @classmethod
    def of(cls, column: Floats) -> FrozenRank:
        """Freeze a column of at least one finite value.

        Values that many share are kept, for their ties are what a rank must get right; of the others about a thousand.
        """
        values, counts = np.unique(column, return_counts=True)
        upto = np.cumsum(counts) / len(column)
        below = upto - counts / len(column)
        kept = np.ones(len(values), dtype=bool)
        kept[1:] = np.floor(upto[1:] * _STEPS) > np.floor(upto[:-1] * _STEPS)
        # The value before a kept one closes the gap, so that a tie stays a step and does not become a slope.
        common = counts * _STEPS >= len(column)
        kept |= common
        kept[:-1] |= common[1:]
        return cls(values[kept], below[kept], upto[kept])

    def shares(self, column: Floats) -> tuple[Floats, Floats]:
        """Give the share of the frozen column below each value, and up to it; missing for missing values."""
        last = len(self.values) - 1
        left = np.clip(np.searchsorted(self.values, column, side="right") - 1, 0, last)
        right = np.minimum(left + 1, last)
        width = self.values[right] - self.values[left]
        part = np.divide(column - self.values[left], width, out=np.zeros(len(column)), where=width > 0)
        between = self.upto[left] + np.clip(part, 0, 1) * (self.below[right] - self.upto[left])
        between = np.where(column < self.values[0], 0.0, np.where(column > self.values[last], 1.0, between))
        exact = column == self.values[left]
        below, upto = np.where(exact, self.below[left], between), np.where(exact, self.upto[left], between)
        known = ~np.isnan(column)
        return np.where(known, below, np.nan), np.where(known, upto, np.nan)
