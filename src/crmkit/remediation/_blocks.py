"""A problem in the compact form in which large ones are planned: columns of numbers, gone through in stretches."""

from __future__ import annotations

import copy
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse

from crmkit.remediation._coefficients import Some
from crmkit.remediation._steps import common_step

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

    from crmkit.remediation._coefficients import Amounts
    from crmkit.remediation._tableau import Limits
    from crmkit.remediation._tier import Tier

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Blocks"]

_SHORTEST, _LONGEST, _STRETCHES = 4_096, 32_768, 12
"""Cases worked on at a time: so many that what is in work stays in the processor's cache, and a part of all cases, so
that a small problem takes little memory."""

_SAMPLE = 5_000


class Blocks:
    """Values, groups and limits of a problem, every limit read as ``<=`` and those without a bound left out.

    Cases are numbered by position: in their own order, or group by group where groups are not in order already.

    Parameters
    ----------
    value : ndarray, shape (n_cases, n_remedies)
        ``-inf`` where a remedy may not be given.
    shared : list of (int, Amounts)
        Rows that count every remedy alike, with what they count.
    own : list of list of (int, Amounts)
        For each remedy the other rows that most of its cases count in.
    table : scipy.sparse.csr_array of shape (n_cases * n_remedies, n_rows), or None
        All other coefficients, by position and remedy.
    bound, sign : ndarray, shape (n_rows,)
        The turned limits; -1 where a row was turned.
    tier : Tier
        What may be used beyond each row, and what that costs.
    rows : ndarray of int, shape (n_rows,)
        Which of the problem's limits each row is.
    order : ndarray of int, shape (n_cases,), or None
        The case at each position.
    start : ndarray of int, shape (n_groups,), or None
        Where each group begins; None where each case is its own.
    """

    value: Floats
    shared: list[tuple[int, Any]]
    own: list[list[tuple[int, Any]]]
    table: Any
    bound: Floats
    sign: Floats
    tier: Tier
    rows: Ints
    n_limits: int
    order: Ints | None
    start: Ints | None
    n_cases: int
    n_remedies: int
    n_rows: int
    n_groups: int

    def __init__(
        self,
        value: Floats,
        shared: list[tuple[int, Any]],
        own: list[list[tuple[int, Any]]],
        table: Any,
        *,
        bound: Floats,
        sign: Floats,
        tier: Tier,
        rows: Ints,
        n_limits: int,
        order: Ints | None,
        start: Ints | None,
    ) -> None:
        self.value, self.shared, self.own, self.table = value, shared, own, table
        self.bound, self.sign, self.tier, self.rows, self.n_limits = bound, sign, tier, rows, n_limits
        self.order, self.start = order, start
        self.n_cases, self.n_remedies = value.shape
        self.n_rows = len(bound)
        self.n_groups = self.n_cases if start is None else len(start)

    @classmethod
    def of(cls, value: Floats, group: Ints, limits: Sequence[Limits], tier: Tier) -> Self:
        """Bring a problem to this form without copying what can be shared."""
        n_cases, n_remedies = value.shape
        order, start = _grouped(group)
        place = np.arange(n_cases)
        if order is not None:
            place = np.empty(n_cases, dtype=np.intp)
            place[order] = np.arange(n_cases)
        rows = np.array([i for i, limit in enumerate(limits) if np.isfinite(limit.bound)], dtype=np.intp)
        sign = np.array([1.0 if limits[i].sense == "<=" else -1.0 for i in rows])
        shared: list[tuple[int, Any]] = []
        own: list[list[tuple[int, Any]]] = [[] for _ in range(n_remedies)]
        lines, columns, data = [], [], []
        for row, i in enumerate(rows):
            amounts = limits[i].coefficients.amounts
            kinds = {id(each) for each in amounts.values()}
            alike = len(kinds) == 1 and len(amounts) == n_remedies and n_remedies > 1
            first = next(iter(amounts.values()), 0.0)
            if alike and isinstance(first, np.ndarray):
                shared.append((row, _turned(first, sign[row])))
                continue
            for j, each in amounts.items():
                if isinstance(each, Some):
                    may = np.isfinite(value[each.case, j])
                    lines.append(place[each.case[may]] * n_remedies + j)
                    columns.append(np.full(int(may.sum()), row, dtype=np.int32))
                    data.append(sign[row] * each.data[may])
                elif isinstance(each, np.ndarray) or each:
                    own[j].append((row, _turned(each, sign[row])))
        table = None
        if lines:
            entries = (np.concatenate(data), (np.concatenate(lines), np.concatenate(columns)))
            table = sparse.csr_array(entries, shape=(n_cases * n_remedies, len(rows)))
        return cls(
            value,
            shared,
            own,
            table,
            bound=sign * np.array([limits[i].bound for i in rows], dtype=np.float64),
            sign=sign,
            tier=tier.take(rows),
            rows=rows,
            n_limits=len(limits),
            order=order,
            start=start,
        )

    def _with(self, **changes: Any) -> Self:
        """Give a copy with some attributes changed."""
        other = copy.copy(self)
        other.__dict__.update(changes)
        return other

    def with_limits(self, limits: Sequence[Limits]) -> Self | None:
        """Give the same blocks under other bounds; None where other limits have bounds at all."""
        bound = np.array([limit.bound for limit in limits], dtype=np.float64)
        if not np.array_equal(np.flatnonzero(np.isfinite(bound)), self.rows):
            return None
        return self.with_bound(self.sign * bound[self.rows])

    def with_bound(self, bound: Floats) -> Self:
        """Give the same blocks under other turned bounds."""
        return self._with(bound=bound)

    def sorted(self) -> Self:
        """Give the same blocks with their numbers copied to the order of the positions: each pass reads them faster."""
        if self.order is None:
            return self
        cut: dict[int, Any] = {}

        def moved(amounts: Any) -> Any:
            if not isinstance(amounts, np.ndarray):
                return amounts
            if id(amounts) not in cut:
                cut[id(amounts)] = amounts[self.order]
            return cut[id(amounts)]

        value = np.empty(self.value.shape, order="F")
        for j in range(self.n_remedies):
            value[:, j] = self.value[self.order, j]
        return self._with(
            value=value,
            shared=[(row, moved(amounts)) for row, amounts in self.shared],
            own=[[(row, moved(amounts)) for row, amounts in own] for own in self.own],
            order=None,
        )

    def without_value(self) -> Self:
        """Give the same blocks worth nothing, where any plan will do."""
        return self._with(value=np.where(np.isfinite(self.value), 0.0, -np.inf))

    def hardest(self) -> Self:
        """Give the same blocks under the limits that no plan may break; without one where any price may be paid."""
        most = np.where(np.isfinite(self.tier.most), self.tier.most, 0.0)
        return self._with(bound=self.bound + most, tier=self.tier.hard(self.n_rows))

    def sample(self, groups: Ints) -> Self:
        """Copy some groups, ascending, under their part of the limits."""
        part = len(groups) / self.n_groups
        sample = self.take(groups, self.bound * part)
        sample.tier = self.tier.scaled(part)
        return sample

    def take(self, groups: Ints, bound: Floats) -> Self:
        """Copy some groups, ascending, under other turned bounds."""
        at, of = self.positions(groups)
        case = at if self.order is None else self.order[at]
        start = None if self.start is None else np.flatnonzero(np.diff(of, prepend=-1))
        cut: dict[int, Any] = {}

        def part(amounts: Any) -> Any:
            if not isinstance(amounts, np.ndarray):
                return amounts
            if id(amounts) not in cut:
                cut[id(amounts)] = amounts[case]
            return cut[id(amounts)]

        table = None
        if self.table is not None:
            table = self.table[(at[:, None] * self.n_remedies + np.arange(self.n_remedies)).ravel()]
        return type(self)(
            np.asfortranarray(self.value[case]),
            [(row, part(amounts)) for row, amounts in self.shared],
            [[(row, part(amounts)) for row, amounts in own] for own in self.own],
            table,
            bound=bound,
            sign=self.sign,
            tier=self.tier,
            rows=self.rows,
            n_limits=self.n_limits,
            order=None,
            start=start,
        )

    def positions(self, groups: Ints) -> tuple[Ints, Ints]:
        """Give the positions of some groups, and to which of them each belongs."""
        if self.start is None:
            return groups, np.arange(len(groups))
        size = np.diff(np.append(self.start, self.n_cases))[groups]
        before = np.cumsum(size) - size
        of = np.repeat(np.arange(len(groups)), size)
        return self.start[groups][of] + np.arange(len(of)) - before[of], of

    def case_at(self, position: Ints) -> Ints:
        """Give the cases at some positions."""
        return position if self.order is None else self.order[position]

    def stretches(self) -> Iterator[tuple[int, int, int, int]]:
        """Go through positions and groups in stretches: ``begin, end, first group, group after the last``."""
        stretch = min(max(self.n_cases // _STRETCHES, _SHORTEST), _LONGEST)
        if self.start is None:
            for begin in range(0, self.n_cases, stretch):
                end = min(begin + stretch, self.n_cases)
                yield begin, end, begin, end
            return
        ends = np.append(self.start[1:], self.n_cases)
        first = 0
        while first < self.n_groups:
            begin = int(self.start[first])
            after = max(int(np.searchsorted(ends, begin + stretch, side="right")), first + 1)
            yield begin, int(ends[after - 1]), first, after
            first = after

    def adjusted(self, prices: Floats, begin: int, end: int, out: Floats) -> Floats:
        """Write each value less what it uses at the prices, for a stretch, a line a remedy; gives what was written."""
        where: Any = slice(begin, end) if self.order is None else self.order[begin:end]
        result = out[:, : end - begin]
        base: Any = None
        for row, amounts in self.shared:
            if prices[row]:
                part = prices[row] * amounts[where]
                base = part if base is None else base + part
        for j in range(self.n_remedies):
            np.copyto(result[j], self.value[where, j])
            if base is not None:
                result[j] -= base
            for row, amounts in self.own[j]:
                if prices[row]:
                    result[j] -= prices[row] * (amounts[where] if isinstance(amounts, np.ndarray) else amounts)
        if self.table is not None:
            result -= (self._lines(begin, end) @ prices).reshape(end - begin, self.n_remedies).T
        return result

    def _lines(self, begin: int, end: int) -> Any:
        """Give the lines of the table for a stretch without copying them, which a slice and a constructor would do."""
        pointer = self.table.indptr[begin * self.n_remedies : end * self.n_remedies + 1]
        where = slice(int(pointer[0]), int(pointer[-1]))
        lines = sparse.csr_array((len(pointer) - 1, self.n_rows))
        lines.data, lines.indices, lines.indptr = (
            self.table.data[where],
            self.table.indices[where],
            pointer - pointer[0],
        )
        return lines

    def count(self, remedy: npt.NDArray[Any], begin: int, end: int, used: Floats) -> None:
        """Add to ``used`` what a stretch uses that is given these remedies, -1 for nothing."""
        where: Any = slice(begin, end) if self.order is None else self.order[begin:end]
        some = remedy >= 0
        share = some.astype(np.float64)
        for row, amounts in self.shared:
            used[row] += amounts[where] @ share
        for j in range(self.n_remedies):
            share = (remedy == j).astype(np.float64)
            for row, amounts in self.own[j]:
                used[row] += amounts[where] @ share if isinstance(amounts, np.ndarray) else amounts * share.sum()
        if self.table is not None:
            given = np.flatnonzero(some)
            line = (begin + given) * self.n_remedies + remedy[given]
            first, size = self.table.indptr[line], self.table.indptr[line + 1] - self.table.indptr[line]
            at = np.repeat(first - (np.cumsum(size) - size), size) + np.arange(int(size.sum()))
            used += np.bincount(self.table.indices[at], weights=self.table.data[at], minlength=self.n_rows)

    def dual(self, prices: Floats) -> float:
        """Bound the value of every plan from above, by weak duality, for any prices >= 0; see ``Options.dual``."""
        prices = self.tier.clip(prices)
        total = float(prices @ self.bound) + self.tier.gain(prices)
        longest = max((end - begin for begin, end, _, _ in self.stretches()), default=0)
        out = np.empty((self.n_remedies, longest))
        for begin, end, first, after in self.stretches():
            best = self.adjusted(prices, begin, end, out).max(axis=0, initial=-np.inf)
            if self.start is not None:
                best = np.maximum.reduceat(best, self.start[first:after] - begin)
            total += float(np.maximum(best, 0.0).sum())
        return total

    def used(self, choice: npt.NDArray[Any]) -> Floats:
        """Say how much of each turned row a choice by position uses."""
        used = np.zeros(self.n_rows)
        for begin, end, _, _ in self.stretches():
            self.count(choice[begin:end], begin, end, used)
        return used

    def worth(self, choice: npt.NDArray[Any]) -> float:
        """Say what a choice by position is worth."""
        given = np.flatnonzero(choice >= 0)
        return float(np.sum(self.value[self.case_at(given), choice[given]]))

    def entries(self, position: Ints, remedy: Ints) -> Any:
        """Give the rows' coefficients of some options as a sparse table, one line each; -1 is nothing.

        Parameters
        ----------
        position, remedy : ndarray of int, shape (n_options,)
            Which.

        Returns
        -------
        scipy.sparse.csr_array of shape (n_options, n_rows)
            What each counts.
        """
        case = self.case_at(position)
        lines, columns, data = [np.zeros(0, dtype=np.intp)], [np.zeros(0, dtype=np.intp)], [np.zeros(0)]

        def add(at: Ints, row: int, amounts: Any) -> None:
            counts = np.broadcast_to(amounts[case[at]] if isinstance(amounts, np.ndarray) else amounts, len(at))
            some = np.flatnonzero(counts)
            lines.append(at[some])
            columns.append(np.full(len(some), row))
            data.append(counts[some].astype(np.float64))

        given = np.flatnonzero(remedy >= 0)
        for row, amounts in self.shared:
            add(given, row, amounts)
        for j in range(self.n_remedies):
            at = np.flatnonzero(remedy == j)
            for row, amounts in self.own[j] if len(at) else ():
                add(at, row, amounts)
        if self.table is not None:
            part = self.table[position[given] * self.n_remedies + remedy[given]].tocoo()
            lines.append(given[part.coords[0]])
            columns.append(part.coords[1])
            data.append(part.data)
        entries = (np.concatenate(data), (np.concatenate(lines), np.concatenate(columns)))
        return sparse.csr_array(entries, shape=(len(position), self.n_rows))

    def sizes(self) -> tuple[float, Floats]:
        """Give the size of a typical value, and of a typical coefficient of each row; 1 where all are 0."""
        step = max(1, self.n_cases // _SAMPLE)
        at = np.arange(0, self.n_cases, step)
        value = self.value[self.case_at(at)]
        i, j = np.nonzero(np.isfinite(value))
        typical = float(np.mean(np.abs(value[i, j]))) if len(i) else 0.0
        entries = abs(self.entries(at[i], j))
        total = np.asarray(entries.sum(axis=0), dtype=np.float64).ravel()
        number = np.asarray((entries != 0).sum(axis=0), dtype=np.float64).ravel()
        size = np.where(total > 0, total / np.maximum(number, 1.0), 1.0)
        return (typical if typical > 0 else 1.0), size

    def favoured(self) -> Floats:
        """Say how much could count in favour of each row that is a floor to some and a limit to others; else 0."""
        least, most = np.zeros(self.n_rows), np.zeros(self.n_rows)
        total = np.zeros((self.n_remedies, self.n_rows))
        for j, own in enumerate([*self.own, self.shared]):
            for row, amounts in own:
                part = np.asarray(amounts, dtype=np.float64)
                least[row], most[row] = min(least[row], part.min(initial=0.0)), max(most[row], part.max(initial=0.0))
                total[j % self.n_remedies, row] -= np.minimum(np.broadcast_to(part, self.n_cases), 0.0).sum()
        if self.table is not None:
            np.minimum.at(least, self.table.indices, self.table.data)
            np.maximum.at(most, self.table.indices, self.table.data)
            per_remedy = np.repeat(np.arange(self.table.shape[0]) % self.n_remedies, np.diff(self.table.indptr))
            np.add.at(total, (per_remedy, self.table.indices), np.maximum(-self.table.data, 0.0))
        return np.where((least < 0) & (most > 0), total.max(axis=0, initial=0.0), 0.0)

    def whole(self) -> Self:
        """Lower hard bounds to whole numbers in rows where only those count: whole plans lose nothing by it."""
        fraction = self.tier.most > 0
        for row, amounts in [*self.shared, *(pair for own in self.own for pair in own)]:
            fraction[row] |= not _integral(amounts)
        if self.table is not None:
            fraction[np.unique(self.table.indices[self.table.data != np.rint(self.table.data)])] = True
        return self.with_bound(
            np.where(fraction, self.bound, np.floor(self.bound + 1e-9 * np.maximum(1, abs(self.bound))))
        )

    def step(self) -> float:
        """Give what every value is a multiple of, 0 where there is no such thing."""
        step: float | None = None
        for begin, end, _, _ in self.stretches():
            value = self.value[begin:end]
            step = common_step(value[np.isfinite(value)], step)
            if step == 0:
                return 0.0
        return step or 0.0

    def full(self, prices: Floats) -> Floats:
        """Give prices of the turned rows as one number for each of the problem's limits, in their own direction."""
        result = np.zeros(self.n_limits)
        result[self.rows] = prices * self.sign
        return result


def _grouped(group: Ints) -> tuple[Ints | None, Ints | None]:
    """Give the order that brings groups together, and where each begins; None where it is not needed."""
    if len(group) < 2 or bool(np.all(group[1:] > group[:-1])):
        return None, None
    order = None if bool(np.all(group[1:] >= group[:-1])) else np.argsort(group, kind="stable")
    numbers = group if order is None else group[order]
    start = np.flatnonzero(np.diff(numbers, prepend=numbers[0] - 1))
    if len(start) == len(group):
        return None, None
    return order, start


def _turned(amounts: Amounts, sign: float) -> Any:
    """Give amounts with the sign of their row, sharing memory where it is not turned."""
    if not isinstance(amounts, np.ndarray):
        return sign * float(amounts)  # type: ignore[arg-type]  # no Some comes here
    return amounts if sign > 0 else (-amounts.astype(np.int8) if amounts.dtype == bool else -amounts)


def _integral(amounts: Any) -> bool:
    """Say whether amounts are whole numbers."""
    if not isinstance(amounts, np.ndarray):
        return float(amounts).is_integer()
    if amounts.dtype.kind != "f":
        return True
    return bool(np.all(amounts[:1_000] == np.rint(amounts[:1_000])) and np.all(amounts == np.rint(amounts)))
