"""A forecast with everything needed to believe it or not."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from crmkit.core import html

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Forecast"]

_SHOWN = 40


@dataclass(frozen=True, eq=False)
class Forecast:
    """Sales to come, with intervals, the errors they rest on, and what customer models expect.

    Parameters
    ----------
    table : pandas.DataFrame
        A row for each series and period ahead: ``scope`` ("group" or "total"), the columns of the groups (missing in
        rows of the total), ``period`` (its first day, or its place), ``method``, ``forecast``, and ``low_80``,
        ``high_80``, … for each level. In every period the groups' forecasts add up to the total's.
    evaluation : pandas.DataFrame
        A row for each series and method, the seasonal naive always among them: ``scope``, group columns, ``method``,
        ``season``, ``n_origins``, ``n_forecasts``, ``mae``, ``rmse``, ``mase``, ``bias`` (forecast over actual, less
        1), ``coverage_80``, … (of intervals learned on the first half of the origins, in the second half), ``chosen``,
        ``reason``.
    history : pandas.DataFrame
        What was forecast from, in the same form: ``scope``, group columns, ``period``, ``value``.
    customers : pandas.DataFrame or None
        A row a period: ``period``, ``present`` (what customer models expect of the customers of today, which leaves
        out customers yet to come), ``newcomers`` (an estimate for these), ``together``, ``forecast`` (the total).
    notes : tuple of str
        What was left out or done, and what to know before the figures are used.
    measure, period : str
        What is forecast, in which steps.
    levels : tuple of float
        Nominal coverages of the intervals.
    """

    table: pd.DataFrame
    evaluation: pd.DataFrame
    history: pd.DataFrame
    customers: pd.DataFrame | None
    notes: tuple[str, ...]
    measure: str
    period: str
    levels: tuple[float, ...]

    @property
    def total(self) -> pd.DataFrame:
        """The rows of the total, a row a period."""
        return self._rows("total")

    @property
    def groups(self) -> pd.DataFrame:
        """The rows of the groups."""
        return self._rows("group")

    def _rows(self, scope: str) -> pd.DataFrame:
        """Take the rows of one scope."""
        return self.table[self.table["scope"] == scope].reset_index(drop=True)

    def _headline(self) -> str:
        """Say what was forecast."""
        n_periods = self.table["period"].nunique()
        n_groups = len(self.groups) // n_periods
        over = f", {n_groups:,} {'group' if n_groups == 1 else 'groups'}" if n_groups else ""
        return f"Forecast of {self.measure}: {n_periods:,} periods ({self.period}){over}"

    def _shown(self) -> pd.DataFrame:
        """Give the rows people look at first: the total where there is one."""
        whole = self.total
        rows = whole if len(whole) else self.table
        return rows.dropna(axis=1, how="all").head(_SHOWN)

    def _judged(self) -> pd.DataFrame:
        """Give the evaluation of the rows that are shown."""
        scope = "total" if (self.evaluation["scope"] == "total").any() else "group"
        rows = self.evaluation[self.evaluation["scope"] == scope]
        return rows.drop(columns="scope").dropna(axis=1, how="all").head(_SHOWN)

    def __str__(self) -> str:
        parts = [self._headline(), self._shown().drop(columns="scope").to_string(index=False, float_format=html.cell)]
        parts.append(self._judged().to_string(index=False, float_format=html.cell))
        if self.customers is not None:
            parts.append("customer models (of the present customers, and an estimate for newcomers):")
            parts.append(self.customers.to_string(index=False, float_format=html.cell))
        parts += [f"- {note}" for note in self.notes]
        return "\n".join(parts)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        """Show the forecast, the evaluation, the customer models' total and the notes."""
        parts = [_table(self._shown().drop(columns="scope"), self._headline())]
        parts.append(_table(self._judged(), "Errors from earlier origins"))
        if self.customers is not None:
            parts.append(_table(self.customers, "What customer models expect"))
        if self.notes:
            items = "".join(html.element("li", html.escape(note)) for note in self.notes)
            parts.append(html.element("ul", items))
        return "".join(parts)


def _table(frame: pd.DataFrame, caption: str) -> str:
    """Write a frame."""
    rows: list[list[Any]] = [[_plain(value) for value in row] for row in frame.itertuples(index=False)]
    return html.table(list(frame.columns), rows, caption=caption)


def _plain(value: Any) -> Any:
    """Write a period by its first day."""
    date = getattr(value, "date", None)
    return str(date()) if callable(date) and value == value else value  # noqa: PLR0124 -- a missing time has no date
