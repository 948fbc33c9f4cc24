"""What one event table says at one cutoff: every aggregate by sums over sorted rows, without a loop over customers."""

from __future__ import annotations

from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

import numpy as np

from crmkit.preparation.feature_tables._levels import level_codes

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from crmkit.preparation.feature_tables._aggregates import Aggregate
    from crmkit.preparation.feature_tables._rows import EventRows

    Floats = npt.NDArray[np.float64]

__all__ = ["Snapshot"]

_MONTH = 30

T = TypeVar("T")


class Snapshot:
    """The rows that were known before a cutoff, cut into stretches by the starts of all windows.

    A sum over a window is the sum over its stretches, so every sum is taken once for all windows. Sums run over the
    rows of one customer in the order of their moments, and over no others: a row of someone else, or of later, cannot
    change even the last digit.

    Parameters
    ----------
    rows : EventRows
        The table.
    place : ndarray of int
        The row of the result of each customer of the table; -1 for customers who have none.
    size : int
        Rows of the result.
    tick : int
        The cutoff.
    day_ticks : int
        Ticks in a day.
    aggregates : sequence of Aggregate
        What is going to be asked; their windows are the stretches.
    levels : dict of str to tuple of str
        The frozen levels of categories.

    Attributes
    ----------
    visible : ndarray of int
        Positions of the rows that were known.
    """

    def __init__(
        self,
        rows: EventRows,
        place: npt.NDArray[np.intp],
        size: int,
        tick: int,
        day_ticks: int,
        aggregates: Sequence[Aggregate],
        levels: dict[str, tuple[str, ...]],
    ) -> None:
        self._rows, self._place, self._size = rows, place, size
        self._tick, self._day, self._levels = tick, day_ticks, levels
        lengths = {one.window for one in aggregates if one.window is not None}
        lengths |= {2 * one.window for one in aggregates if one.window is not None and one.how in _BEFORE}
        lengths |= {one.against for one in aggregates if one.against is not None}
        self._lengths = sorted(lengths, reverse=True)
        self._starts = np.array([tick - length * day_ticks for length in self._lengths], dtype=np.int64)
        visible = rows.known < tick
        if (place < 0).any():
            visible &= place[rows.customer] >= 0
        self.visible = np.flatnonzero(visible)
        self._cache: dict[Any, Any] = {}

    @property
    def seen(self) -> npt.NDArray[np.bool_]:
        """Which rows of the result had any row before the cutoff."""
        return np.bincount(self._place[self._rows.customer[self.visible]], minlength=self._size) > 0

    def column(self, aggregate: Aggregate) -> Floats:
        """Compute one aggregate.

        Parameters
        ----------
        aggregate : Aggregate
            What to compute.

        Returns
        -------
        ndarray of float64, shape (size,)
            A value a row of the result; NaN where nothing can be said.
        """
        return self._HOW[aggregate.how](self, aggregate)

    def _once(self, key: Any, make: Callable[[], T]) -> T:
        """Compute what several aggregates share once."""
        if key not in self._cache:
            self._cache[key] = make()
        return cast("T", self._cache[key])

    def _of_kind(self, kind: str) -> npt.NDArray[np.intp]:
        """Give the visible rows that take nothing back, that do, or both."""

        def choose() -> npt.NDArray[np.intp]:
            if kind == "net":
                return self.visible
            back = self._rows.back[self.visible]
            return self.visible if kind == "events" and not back.any() else self.visible[back == (kind == "refunds")]

        return self._once(("rows", kind), choose)

    def _cell(self, kind: str) -> npt.NDArray[np.int64]:
        """Give for each row of a kind its customer and stretch as one number, in ascending order."""

        def number() -> npt.NDArray[np.int64]:
            chosen = self._of_kind(kind)
            return self._cell_of(self._rows.customer[chosen], self._rows.moment[chosen])

        return self._once(("cell", kind), number)

    def _cell_of(self, customer: npt.NDArray[Any], moment: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        """Number customers and stretches; the last stretch is the one that ends at the cutoff."""
        stretch = np.searchsorted(self._starts, moment, side="right")
        return np.asarray(self._place[customer] * np.int64(len(self._starts) + 1) + stretch, dtype=np.int64)

    def _totals(self, cell: npt.NDArray[np.int64], weights: Any = None) -> Floats:
        """Add up by customer and stretch, then from each stretch to the cutoff."""
        width = len(self._starts) + 1
        sums = np.bincount(cell, weights, minlength=self._size * width).reshape(self._size, width)
        return np.cumsum(sums[:, ::-1], axis=1, dtype=np.float64)[:, ::-1]

    def _since(self, window: int | None) -> int:
        """Give the place of the stretch in which a window starts."""
        return 0 if window is None else self._lengths.index(window) + 1

    def _counts(self, kind: str) -> Floats:
        return self._once(("counts", kind), lambda: self._totals(self._cell(kind)))

    def _known(self, column: str, kind: str) -> tuple[npt.NDArray[np.int64], Floats]:
        """Give the cells and the numbers of the rows that have one."""

        def choose() -> tuple[npt.NDArray[np.int64], Floats]:
            values, cell = self._rows.measures[column][self._of_kind(kind)], self._cell(kind)
            there = ~np.isnan(values)
            return (cell, values) if there.all() else (cell[there], values[there])

        return self._once(("known", column, kind), choose)

    def _sums(self, column: str, kind: str) -> Floats:
        return self._once(("sums", column, kind), lambda: self._totals(*self._known(column, kind)))

    def _numbers(self, column: str, kind: str) -> Floats:
        """Count the rows that have a number."""
        return self._once(("numbers", column, kind), lambda: self._totals(self._known(column, kind)[0]))

    def _latest(self, column: str) -> Floats:
        """Count distinct values: of each, the latest row says in which windows it is."""

        def count() -> Floats:
            chosen = self._of_kind("events")
            customer = self._rows.customer[chosen].astype(np.int64)
            value = self._rows.values(column)[0][chosen].astype(np.int64)
            there = value >= 0
            if not there.all():
                chosen, customer, value = chosen[there], customer[there], value[there]
            pair = customer * (int(value.max(initial=0)) + 1) + value
            order = np.argsort(pair, kind="stable")
            last = order[np.append(np.diff(pair[order]) != 0, True)] if len(order) else order
            return self._totals(self._cell_of(customer[last], self._rows.moment[chosen[last]]))

        return self._once(("distinct", column), count)

    @cached_property
    def _active(self) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give customer, day and latest moment of every day with a row, sorted by customer and day."""
        chosen = self._of_kind("events")
        customer, day, moment = (part[chosen] for part in (self._rows.customer, self._rows.day, self._rows.moment))
        same = np.diff(customer) == 0
        if (np.diff(day)[same] < 0).any():
            # Days that contradict their instants.
            order = np.lexsort((moment, day, customer))
            customer, day, moment = customer[order], day[order], moment[order]
        ends = np.append((np.diff(customer) != 0) | (np.diff(day) != 0), True)[: len(customer)]
        return customer[ends], day[ends], moment[ends]

    def _days(self) -> Floats:
        customer, _, moment = self._active
        return self._once("days", lambda: self._totals(self._cell_of(customer, moment)))

    @cached_property
    def _gaps(self) -> tuple[npt.NDArray[np.intp], Floats, Floats, Floats]:
        """Give whose and how long the gaps between days with a row are, and the number and mean of everyone's."""
        customer, day, _ = self._active
        same = np.diff(customer) == 0
        gap, owner = np.diff(day)[same].astype(np.float64), self._place[customer[1:][same]]
        number = np.bincount(owner, minlength=self._size).astype(np.float64)
        return owner, gap, number, divide(np.bincount(owner, gap, minlength=self._size), number)

    def _extremes(self, column: str, how: Any) -> Floats:
        cell, values = self._known(column, "events")
        owner = cell // (len(self._starts) + 1)
        result = np.full(self._size, np.nan)
        order = slice(None) if (np.diff(owner) >= 0).all() else np.argsort(owner, kind="stable")
        owner, values = owner[order], values[order]
        starts = np.flatnonzero(np.diff(owner, prepend=-1))
        if len(starts):
            result[owner[starts]] = how.reduceat(values, starts)
        return result

    def _count(self, one: Aggregate) -> Floats:
        return self._counts(one.rows)[:, self._since(one.window)]

    def _day_count(self, one: Aggregate) -> Floats:
        return self._days()[:, self._since(one.window)]

    def _sum(self, one: Aggregate) -> Floats:
        return self._sums(str(one.column), one.rows)[:, self._since(one.window)]

    def _mean(self, one: Aggregate) -> Floats:
        place, column = self._since(one.window), str(one.column)
        return divide(self._sums(column, one.rows)[:, place], self._numbers(column, one.rows)[:, place])

    def _min(self, one: Aggregate) -> Floats:
        return self._extremes(str(one.column), np.minimum)

    def _max(self, one: Aggregate) -> Floats:
        return self._extremes(str(one.column), np.maximum)

    def _std(self, one: Aggregate) -> Floats:
        cell, values = self._known(str(one.column), "events")
        owner = cell // (len(self._starts) + 1)
        number = np.bincount(owner, minlength=self._size).astype(np.float64)
        mean = divide(np.bincount(owner, values, minlength=self._size), number)
        spread = np.bincount(owner, (values - mean[owner]) ** 2, minlength=self._size)
        return np.sqrt(divide(spread, number - 1))

    def _distinct(self, one: Aggregate) -> Floats:
        return self._latest(str(one.column))[:, self._since(one.window)]

    def _level_counts(self, column: str) -> Floats:
        """Count rows by customer, level and stretch."""

        def count() -> Floats:
            levels, width = self._levels[column], len(self._starts) + 1
            code = level_codes(*self._rows.values(column), levels)[self._of_kind("events")]
            customer, stretch = np.divmod(self._cell("events"), width)
            cell = (customer * len(levels) + code) * width + stretch
            sums = np.bincount(cell, minlength=self._size * len(levels) * width)
            stretches = sums.reshape(self._size, len(levels), width).astype(np.float64)
            return np.asarray(np.cumsum(stretches[:, :, ::-1], axis=2)[:, :, ::-1])

        return self._once(("levels", column), count)

    def _level(self, one: Aggregate) -> Floats:
        column, level = str(one.column), str(one.level)
        return self._level_counts(column)[:, self._levels[column].index(level), self._since(one.window)]

    def _level_share(self, one: Aggregate) -> Floats:
        return divide(self._level(one), self._counts("events")[:, self._since(one.window)])

    def _since_days(self, *, last: bool) -> Floats:
        customer, day, moment = self._active
        when = day if self._day == 1 else moment
        ends = np.flatnonzero(np.diff(customer, append=-1) if last else np.diff(customer, prepend=-1))
        result = np.full(self._size, np.nan)
        result[self._place[customer[ends]]] = (self._tick - when[ends]) / self._day
        return result

    def _recency(self, _: Aggregate) -> Floats:
        return self._since_days(last=True)

    def _tenure(self, _: Aggregate) -> Floats:
        return self._since_days(last=False)

    def _gap_mean(self, _: Aggregate) -> Floats:
        return self._gaps[3]

    def _gap_std(self, _: Aggregate) -> Floats:
        owner, gap, number, mean = self._gaps
        return np.sqrt(divide(np.bincount(owner, (gap - mean[owner]) ** 2, minlength=self._size), number - 1))

    def _gap_last(self, _: Aggregate) -> Floats:
        owner, gap, *_rest = self._gaps
        result = np.full(self._size, np.nan)
        ends = np.append(np.diff(owner) != 0, True)[: len(owner)]
        result[owner[ends]] = gap[ends]
        return result

    def _overdue(self, one: Aggregate) -> Floats:
        return divide(self._recency(one), self._gaps[3])

    def _trend(self, one: Aggregate) -> Floats:
        return self._change(self._days(), one)

    def _sum_trend(self, one: Aggregate) -> Floats:
        return self._change(self._sums(str(one.column), one.rows), one)

    def _change(self, totals: Floats, one: Aggregate) -> Floats:
        """Give a window less the one before it."""
        assert one.window is not None  # noqa: S101 -- a trend is declared of a window
        now = totals[:, self._since(one.window)]
        return 2 * now - totals[:, self._since(2 * one.window)]

    def _slope(self, one: Aggregate) -> Floats:
        # The straight line that fits a stream of events over [-w, 0) best in least squares rises by 12 / w^3 times the
        # sum of their distances from its middle. A day's events stand in the middle of the day.
        assert one.window is not None  # noqa: S101 -- a slope is declared of a window
        customer, day, moment = self._active
        middle = (day - self._tick + 0.5) if self._day == 1 else (moment - self._tick) / self._day
        inside = moment >= self._tick - one.window * self._day
        lever = np.bincount(self._place[customer[inside]], middle[inside] + one.window / 2, minlength=self._size)
        return lever * 12 * _MONTH**2 / one.window**3

    def _ratio(self, one: Aggregate) -> Floats:
        return divide(self._days()[:, self._since(one.window)], self._days()[:, self._since(one.against)])

    _HOW: ClassVar[dict[str, Callable[[Snapshot, Aggregate], Floats]]] = {
        "count": _count,
        "days": _day_count,
        "sum": _sum,
        "mean": _mean,
        "min": _min,
        "max": _max,
        "std": _std,
        "distinct": _distinct,
        "level": _level,
        "level_share": _level_share,
        "recency": _recency,
        "tenure": _tenure,
        "gap_mean": _gap_mean,
        "gap_std": _gap_std,
        "gap_last": _gap_last,
        "overdue": _overdue,
        "trend": _trend,
        "sum_trend": _sum_trend,
        "slope": _slope,
        "ratio": _ratio,
    }


_BEFORE = frozenset({"trend", "sum_trend"})
"""Reductions that also look at the window before."""


def divide(top: npt.NDArray[Any], bottom: npt.NDArray[Any]) -> Floats:
    """Divide; missing where there is nothing to divide by."""
    return np.asarray(np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0), dtype=np.float64)
