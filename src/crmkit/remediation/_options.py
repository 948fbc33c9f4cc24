"""The eligible pairs of case and remedy as one flat list, and what prices say about them."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from crmkit.remediation._steps import common_step, lowered

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._tableau import Arrays, Limits, Row
    from crmkit.remediation._tier import Tier

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Options"]

EXACT = 1e-9
"""How far, relative to a limit, rounding of floating-point sums may carry a use beyond it."""


@dataclass(frozen=True)
class Options:
    """All that may be chosen: maximise ``value . x`` with ``matrix x <= bound`` and at most one option a group.

    Floors are turned round (``-count <= -floor``), so that every row reads ``<=`` and every multiplier is >= 0.

    Parameters
    ----------
    case, remedy : ndarray of int, shape (n_options,)
        What each option is, sorted by group, then case, then remedy.
    value : ndarray, shape (n_options,)
        What each option is worth.
    group : ndarray of int, shape (n_options,)
        Number of its group among those with any option.
    start : ndarray of int, shape (n_groups,)
        Where each group begins.
    matrix : scipy.sparse.csr_array of shape (n_rows, n_options)
        What each option counts against each limit.
    bound, sign : ndarray, shape (n_rows,)
        The turned limits, ``inf`` where there is none; -1 where a row was turned.
    names : tuple of str
        The limits' names.
    tier : Tier
        What may be used beyond each limit, and what that costs.
    """

    case: Ints
    remedy: Ints
    value: Floats
    group: Ints
    start: Ints
    matrix: Any
    bound: Floats
    sign: Floats
    names: tuple[str, ...]
    tier: Tier

    @classmethod
    def of(cls, arrays: Arrays, tier: Tier) -> Self:
        """List the eligible options of a problem."""
        case, remedy = np.nonzero(arrays.eligible)
        position = np.full(arrays.eligible.shape, -1, dtype=np.intp)
        # np.unique's numbers grow with the group, so a stable sort keeps cases and remedies in order.
        order = np.argsort(arrays.group[case], kind="stable")
        case, remedy = case[order], remedy[order]
        position[case, remedy] = np.arange(len(case))
        lines = []
        for row in arrays.rows:
            entries = row.coefficients.tocoo()
            column = position[entries.coords[0], entries.coords[1]]
            there = column >= 0
            lines.append((column[there], entries.data[there]))
        pointer = np.cumsum([0, *(len(column) for column, _ in lines)])
        columns = np.concatenate([column for column, _ in lines]) if lines else np.zeros(0, dtype=np.intp)
        data = np.concatenate([data for _, data in lines]) if lines else np.zeros(0)
        matrix = sparse.csr_array((data, columns, pointer), shape=(len(lines), len(case)))
        matrix.sort_indices()
        numbers = arrays.group[case]
        new = np.ones(len(numbers), dtype=bool)
        new[1:] = numbers[1:] != numbers[:-1]
        blank = np.zeros(len(lines))
        options = cls(
            case=case,
            remedy=remedy,
            value=arrays.value[case, remedy],
            group=np.cumsum(new) - 1,
            start=np.flatnonzero(new),
            matrix=matrix,
            bound=blank,
            sign=np.ones(len(lines)),
            names=(),
            tier=tier,
        )
        return options._turned(arrays.rows)

    def _turned(self, rows: Sequence[Row]) -> Self:
        """Bring rows to one sense; the matrix is still as the rows have it."""
        sign = np.array([1.0 if row.sense == "<=" else -1.0 for row in rows])
        turned = self.matrix.copy()
        turned.data = turned.data * np.repeat(sign, np.diff(turned.indptr))
        bound = sign * np.array([row.bound for row in rows], dtype=np.float64)
        return replace(self, matrix=turned, bound=bound, sign=sign, names=tuple(row.name for row in rows))

    def with_rows(self, rows: Sequence[Row | Limits]) -> Self:
        """Give the same options under other bounds."""
        return self.with_bound(self.sign * np.array([row.bound for row in rows], dtype=np.float64))

    def with_bound(self, bound: Floats) -> Self:
        """Give the same options under other turned bounds."""
        return replace(self, bound=bound)

    def hardest(self) -> Self:
        """Give the same options under the limits that no plan may break at any price."""
        hard = self.tier.hard(len(self.bound))
        return replace(self, bound=self.bound + self.tier.most, tier=hard)

    def without_value(self) -> Self:
        """Give the same options worth nothing, where any plan will do."""
        return replace(self, value=np.zeros(len(self.value)))

    def take(self, keep: Bools, bound: Floats) -> Self:
        """Give only some of the options, under other turned bounds."""
        group = self.group[keep]
        new = np.ones(len(group), dtype=bool)
        new[1:] = group[1:] != group[:-1]
        return replace(
            self,
            case=self.case[keep],
            remedy=self.remedy[keep],
            value=self.value[keep],
            group=np.cumsum(new) - 1,
            start=np.flatnonzero(new),
            matrix=self.matrix[:, np.flatnonzero(keep)],
            bound=bound,
        )

    @property
    def n_options(self) -> int:
        """How many options there are."""
        return len(self.value)

    @property
    def n_groups(self) -> int:
        """How many groups have an option."""
        return len(self.start)

    @property
    def limited(self) -> Bools:
        """Which rows have a finite bound."""
        return np.isfinite(self.bound)

    @property
    def scale(self) -> float:
        """The size of a typical value, 1 where all are zero."""
        size = float(np.mean(np.abs(self.value))) if self.n_options else 0.0
        return size if size > 0 else 1.0

    def size(self, value: float) -> float:
        """Give what a gap of a value is relative to: the value itself, at least a typical value of an option."""
        return max(abs(value), self.scale)

    @property
    def row_scale(self) -> Floats:
        """The largest coefficient of each row, 1 where it has none."""
        largest = np.zeros(len(self.bound))
        filled = np.diff(self.matrix.indptr) > 0
        if filled.any():
            largest[filled] = np.maximum.reduceat(np.abs(self.matrix.data), self.matrix.indptr[:-1][filled])
        largest[largest == 0] = 1.0
        return largest

    @property
    def extent(self) -> Floats:
        """How large each limit is, for comparing changes: itself, or the most that one option counts.

        Of a row that is a floor to some and a limit to others it is how much could count in its favour.
        """
        lines = np.repeat(np.arange(len(self.bound)), np.diff(self.matrix.indptr))
        against = np.bincount(lines, self.matrix.data > 0, len(self.bound)) > 0
        first = np.flatnonzero(np.diff(self.case, prepend=-1)) if self.n_options else np.zeros(0, dtype=np.intp)
        favour = np.zeros(len(self.bound))
        for row in np.flatnonzero(against & (np.bincount(lines, self.matrix.data < 0, len(self.bound)) > 0)):
            counts = np.maximum(-self.matrix[[row], :].toarray().ravel(), 0.0)
            favour[row] = np.maximum.reduceat(counts, first).sum()
        size = np.maximum(np.abs(np.where(self.limited, self.bound, np.inf)), self.row_scale)
        return np.asarray(np.maximum(size, favour), dtype=np.float64)

    @property
    def members(self) -> Any:
        """A line a group, with a 1 for each of its options."""
        pointer = np.append(self.start, self.n_options)
        entries = (np.ones(self.n_options), np.arange(self.n_options), pointer)
        return sparse.csr_array(entries, shape=(self.n_groups, self.n_options))

    def system(self, rows: Ints, *, elastic: bool = False) -> tuple[Any, Floats]:
        """Write some rows, scaled to their largest coefficient, and all groups as ``matrix @ x <= bound``.

        Parameters
        ----------
        rows : ndarray of int
            Which rows.
        elastic : bool, default=False
            Whether each of them gets a column after the options by which it may be broken, in its scale.

        Returns
        -------
        matrix : scipy.sparse.csr_array of shape (n_rows + n_groups, n_options or n_options + n_rows)
            The rows, then the groups.
        bound : ndarray, shape (n_rows + n_groups,)
            The turned limits in the rows' scales, then ones.
        """
        scale = self.row_scale[rows]
        parts = [[sparse.diags_array(1.0 / scale) @ self.matrix[rows]], [self.members]]
        if elastic:
            parts[0].append(-sparse.eye_array(len(rows), format="csr"))
            parts[1].append(sparse.csr_array((self.n_groups, len(rows))))
        lines: list[Any] = [sparse.hstack(part, format="csr") for part in parts]
        matrix = sparse.vstack(lines, format="csr")
        return matrix, np.concatenate([self.bound[rows] / scale, np.ones(self.n_groups)])

    def overtime(self, rows: Ints) -> tuple[Any, Floats, Floats]:
        """Write what may be used beyond some rows as columns after the options of :meth:`system`.

        Parameters
        ----------
        rows : ndarray of int
            As given to :meth:`system`.

        Returns
        -------
        columns : scipy.sparse.csr_array of shape (n_rows + n_groups, n_soft)
            In the rows' scales.
        cost, most : ndarray, shape (n_soft,)
            What one unit of each costs, and how many there may be, in the rows' scales.
        """
        place = np.flatnonzero(self.tier.most[rows] > 0)
        scale = self.row_scale[rows[place]]
        entries = (np.full(len(place), -1.0), (place, np.arange(len(place))))
        columns = sparse.csr_array(entries, shape=(len(rows) + self.n_groups, len(place)))
        return columns, self.tier.penalty[rows[place]] * scale, self.tier.most[rows[place]] / scale

    def used(self, share: Floats) -> Floats:
        """Say how much of each turned row a choice uses."""
        return np.asarray(self.matrix @ share, dtype=np.float64)

    def within(self, share: Floats, bound: Floats | None = None) -> bool:
        """Say whether a choice keeps every limit, up to the rounding of sums."""
        limit = (self.bound if bound is None else bound) + self.tier.most
        return bool(np.all(self.used(share) <= limit + EXACT * np.maximum(1.0, np.abs(limit))))

    def adjusted(self, prices: Floats) -> Floats:
        """Give each option's value less what it uses at these prices."""
        return self.value - np.asarray(self.matrix.T @ prices, dtype=np.float64)

    def best(self, adjusted: Floats) -> Floats:
        """Give the best of each group, nothing (0) included."""
        if not self.n_groups:
            return np.zeros(0)
        return np.maximum(np.maximum.reduceat(adjusted, self.start), 0.0)

    def dual(self, prices: Floats) -> float:
        """Bound the value of every plan from above, by weak duality, for any prices >= 0.

        ``prices . bound + sum over groups of max(0, best of value - prices . use)``, and what using more than a soft
        limit would gain at these prices. No solver is trusted for it.
        """
        limited = self.limited
        used = self.tier.clip(np.where(limited, prices, 0.0))
        fixed = float(used[limited] @ self.bound[limited]) + self.tier.gain(used)
        return fixed + float(np.sum(self.best(self.adjusted(used))))

    def whole(self, bound: float) -> float:
        """Lower a bound to the next multiple of what every value is a multiple of, where no limit has a penalty."""
        return bound if len(self.tier.rows) else lowered(bound, common_step(self.value))

    def gross(self, share: Floats) -> float:
        """Give the value of a choice before anything is paid for going beyond limits."""
        return float(self.value @ share)

    def total(self, share: Floats) -> float:
        """Give the value of a choice less what going beyond limits costs."""
        if not len(self.tier.rows):
            return self.gross(share)
        return self.gross(share) - self.tier.cost(self.used(share) - self.bound)
