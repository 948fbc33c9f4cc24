"""The columns of a feature table, declared as data: which rows, which window, which reduction, and in which words."""

from __future__ import annotations

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

__all__ = ["WORDS", "Aggregate", "declare", "read_windows"]

WORDS = {
    "count": "rows",
    "days": "days with a row",
    "sum": "sum of {column}",
    "mean": "mean of {column}",
    "min": "smallest {column}",
    "max": "greatest {column}",
    "std": "standard deviation of {column}",
    "distinct": "distinct {column}",
    "level": "rows whose {column} is {level}",
    "level_share": "share of the rows whose {column} is {level}",
    "recency": "days from the last row to the cutoff",
    "tenure": "days from the first row to the cutoff",
    "gap_mean": "mean days between days with a row",
    "gap_std": "standard deviation of the days between days with a row",
    "gap_last": "days between the last two days with a row",
    "overdue": "days since the last row, over the mean days between",
    "trend": "days with a row, less those in the window before",
    "sum_trend": "sum of {column}, less that in the window before",
    "slope": "by how much days with a row in 30 days grow in 30 days, by least squares",
    "ratio": "days with a row, over those {longer}",
    "component": "component {level} of {column}",
}
"""Every reduction there is, in words."""


@dataclass(frozen=True)
class Aggregate:
    """One column of a feature table.

    Parameters
    ----------
    name : str
        The column's name.
    how : str
        The reduction, one of ``WORDS``.
    column : str or None
        What is reduced; None where rows or days are counted.
    window : int or None
        Days before the cutoff that are looked at; None for all.
    against : int or None
        The longer window of a ratio.
    level : str or None
        The level of a category, or the number of a component.
    rows : {"events", "refunds", "net"}
        Which rows: those that take nothing back, those that do, or both.
    table : str
        Which event table, where there are several.
    """

    name: str
    how: str
    column: str | None = None
    window: int | None = None
    against: int | None = None
    level: str | None = None
    rows: str = "events"
    table: str = ""

    @property
    def words(self) -> str:
        """What the column is."""
        longer = "of all time" if self.against is None else f"of the last {self.against} days"
        what = WORDS[self.how].format(column=self.column, level=self.level, longer=longer)
        which = " (refunds)" if self.rows == "refunds" else " (net of refunds)" if self.rows == "net" else ""
        where = "" if self.window is None else f", last {self.window} days"
        return f"{what}{which}{where}"


def read_windows(windows: Any) -> tuple[int, ...]:
    """Check windows and give them in ascending order.

    Parameters
    ----------
    windows : int or sequence of int
        Days.

    Returns
    -------
    tuple of int
        Ascending, each once.

    Raises
    ------
    DataError
        If there is none, or one is no whole number of days.
    """
    given = [windows] if isinstance(windows, int) else list(windows)
    if not given or any(isinstance(one, bool) or not hasattr(one, "__index__") or one < 1 for one in given):
        raise DataError(f"windows must be whole days of at least 1, such as [30, 90, 365], got {windows!r}")
    return tuple(sorted({int(one) for one in given}))


def declare(
    windows: Sequence[int],
    *,
    measures: Sequence[str] = (),
    distinct: Sequence[str] = (),
    levels: dict[str, tuple[str, ...]],
    refunds: bool = False,
    table: str = "",
) -> tuple[Aggregate, ...]:
    """Declare what is computed of one event table.

    Parameters
    ----------
    windows : sequence of int
        Days, ascending.
    measures, distinct : sequence of str
        Columns of numbers, and columns whose distinct values are counted.
    levels : dict of str to tuple of str
        The levels of each category.
    refunds : bool, default=False
        Whether rows may take something back.
    table : str, default=""
        The table's name, which stands before its columns.

    Returns
    -------
    tuple of Aggregate
        In the order of the columns.
    """
    net = "net" if refunds else "events"
    parts = [
        *(Aggregate(f"{how}_days", how) for how in ("recency", "tenure", "gap_mean", "gap_std", "gap_last")),
        Aggregate("overdue", "overdue"),
        *(one for window in (*windows, None) for one in _totals(window, measures, distinct, net)),
        *(Aggregate(f"{column}_{how}", how, column=column) for column in measures for how in ("min", "max", "std")),
        *(one for window in windows for one in _changes(window, measures, net)),
        # The longest window is compared with all days there are.
        *(
            Aggregate(f"days_ratio_{window}d", "ratio", window=window, against=against)
            for window, against in pairwise((*windows, None))
        ),
        Aggregate(f"slope_{windows[-1]}d", "slope", window=windows[-1]),
        *(one for column, names in levels.items() for one in _shares(column, names, windows[-1])),
        *(_refunds(windows[-1], measures) if refunds else ()),
    ]
    return tuple(replace(one, table=table, name="_".join(filter(None, [table, one.name]))) for one in parts)


def _totals(window: int | None, measures: Sequence[str], distinct: Sequence[str], net: str) -> Iterator[Aggregate]:
    """Declare what is added up in one window, or over all time."""
    tail = "" if window is None else f"_{window}d"
    yield Aggregate(f"count{tail}", "count", window=window)
    yield Aggregate(f"days{tail}", "days", window=window)
    for column in distinct:
        yield Aggregate(f"{column}_distinct{tail}", "distinct", column=column, window=window)
    for column in measures:
        yield Aggregate(f"{column}_sum{tail}", "sum", column=column, window=window, rows=net)
        yield Aggregate(f"{column}_mean{tail}", "mean", column=column, window=window)


def _changes(window: int, measures: Sequence[str], net: str) -> Iterator[Aggregate]:
    """Declare how a window differs from the one before it."""
    yield Aggregate(f"days_trend_{window}d", "trend", window=window)
    for column in measures:
        yield Aggregate(f"{column}_trend_{window}d", "sum_trend", column=column, window=window, rows=net)


def _shares(column: str, levels: Sequence[str], longest: int) -> Iterator[Aggregate]:
    """Declare how often each level of a category stands, and in which share of the rows."""
    for level in levels:
        yield Aggregate(f"{column}={level}_count_{longest}d", "level", column=column, level=level, window=longest)
        yield Aggregate(f"{column}={level}_share", "level_share", column=column, level=level)


def _refunds(longest: int, measures: Sequence[str]) -> Iterator[Aggregate]:
    """Declare what was taken back."""
    yield Aggregate(f"refunds_{longest}d", "count", window=longest, rows="refunds")
    yield Aggregate("refunds", "count", rows="refunds")
    for column in measures[:1]:
        yield Aggregate(f"refunds_{column}", "sum", column=column, rows="refunds")
