"""What may be used beyond a limit, and what that costs: overtime, and limits that are soft."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple, Self

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._terms import Limit

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Tier"]


class Tier(NamedTuple):
    """The second price tier of some limits: up to ``most`` units beyond the limit, at ``penalty`` each.

    Parameters
    ----------
    penalty : ndarray, shape (n_rows,)
        What one unit beyond the limit costs; ``inf`` where the limit is hard.
    most : ndarray, shape (n_rows,)
        How many units beyond it there may be: 0 where the limit is hard, ``inf`` where only the penalty holds.
    """

    penalty: Floats
    most: Floats

    @classmethod
    def of(cls, limits: Sequence[Limit]) -> Self:
        """Read the tiers of some terms."""
        hard = [limit.penalty is None for limit in limits]
        penalty = [np.inf if each else limit.penalty for each, limit in zip(hard, limits, strict=True)]
        most = [0.0 if each else limit.beyond for each, limit in zip(hard, limits, strict=True)]
        return cls(np.array(penalty, dtype=np.float64), np.array(most, dtype=np.float64))

    @classmethod
    def hard(cls, n_rows: int) -> Self:
        """Give the tiers of limits that must be kept."""
        return cls(np.full(n_rows, np.inf), np.zeros(n_rows))

    @property
    def rows(self) -> Ints:
        """Which limits may be gone beyond."""
        return np.flatnonzero(self.most > 0)

    def take(self, rows: Ints) -> Self:
        """Give the tiers of some rows."""
        return type(self)(self.penalty[rows], self.most[rows])

    def scaled(self, factor: float) -> Self:
        """Give the tiers of a part of the problem."""
        return type(self)(self.penalty, self.most * factor)

    def with_hard(self, n_rows: int) -> Self:
        """Add rows that must be kept."""
        more = self.hard(n_rows)
        return type(self)(np.append(self.penalty, more.penalty), np.append(self.most, more.most))

    def cost(self, over: Floats) -> float:
        """Say what using so much more than each limit costs; below 0 is room to spare and costs nothing."""
        rows = self.rows
        return float(np.maximum(over[rows], 0.0) @ self.penalty[rows])

    def clip(self, prices: Floats) -> Floats:
        """Lower prices to the penalty where there is no end to what may be bought at it."""
        return np.where(np.isinf(self.most), np.minimum(prices, self.penalty), prices)

    def gain(self, prices: Floats) -> float:
        """Say what buying at the penalty brings at these prices, at most; they are clipped."""
        rows = np.flatnonzero((self.most > 0) & (prices > self.penalty))
        return float((prices[rows] - self.penalty[rows]) @ self.most[rows])
