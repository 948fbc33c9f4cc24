"""Measures how good the data of several tables are, in one table with counts and intervals."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.records._cells import missing_cells
from crmkit.records._finish import equal_to_earlier
from crmkit.records._schemas import CASES, CUSTOMERS, TRANSACTIONS
from crmkit.records._tables import Named, named_tables

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["quality"]

_COLUMNS = ("table", "dimension", "column", "check", "n", "count", "value")
# Which column points at which table.
_REFERENCES = (("customer_id", CUSTOMERS.name), ("order_id", TRANSACTIONS.name), ("case_id", CASES.name))
_CENT = 0.005


def quality(tables: Any, *, as_of: Any = None, level: float = 0.95) -> pd.DataFrame:
    """Measure completeness, uniqueness, validity, consistency and timeliness.

    Parameters
    ----------
    tables : mapping of str to Loaded or DataFrame
        What ``read`` gave counts rows set aside too; a frame is taken as it is. The name of a frame says what it is
        where it is a schema's name (in any case): only such frames are checked against a schema and for orphans.
    as_of : Timestamp or str, default=None
        The moment at which ages are measured, in UTC where it has no offset; None for the newest event of all tables.
    level : float, default=0.95
        Nominal coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row a measurement: ``table``, ``dimension``, ``column``, ``check`` (what is counted), ``n`` (out of how
        many), ``count``, ``share`` with Wilson interval ``low`` and ``high`` where the count is a share of ``n``, and
        ``value`` (a time, days or hours as the check says, else missing).

    Raises
    ------
    TypeError
        If ``tables`` is no mapping.
    DataError
        If it is empty.

    Notes
    -----
    The interval says how far the share could lie from that of the process which made these rows, if rows were
    independent; rows of one customer, and neighbouring days, are not quite, so read it as the narrowest that is honest.
    A frame's times count where they have a time zone, as ``read`` gives them.
    A silent day is a local day between the first and the last event of a channel without any event of it.

    Examples
    --------
    >>> from crmkit import records
    >>> sales = records.read({"customer_id": ["a", "b", None], "time": ["2024-05-01", "2024-05-04", "2024-05-04"],
    ...                       "amount": [1, 2, 3]}, records.TRANSACTIONS, on_error="set-aside")
    >>> report = records.quality({"transactions": sales})
    >>> report.loc[report["check"] == "cell filled", ["column", "n", "count"]].head(2).to_dict("records")
    [{'column': 'customer_id', 'n': 3, 'count': 2}, {'column': 'time', 'n': 3, 'count': 3}]
    >>> report.loc[report["check"] == "silent days", ["n", "count"]].to_dict("records")
    [{'n': 4, 'count': 2}]
    """
    from crmkit.metrics import wilson

    named = named_tables(tables)
    moment = _moment(as_of, named)
    found = _Found()
    for table in named:
        _completeness(table, found)
        _uniqueness(table, found)
        _validity(table, found)
        _consistency(table, named, found)
        _timeliness(table, moment, found)
    result = pd.DataFrame(found.rows, columns=list(_COLUMNS)).astype({"n": "int64", "count": "int64"})
    is_share = np.array(found.shares, dtype=bool) & (result["n"] > 0).to_numpy()
    count, n = result["count"].to_numpy(dtype=np.float64), result["n"].to_numpy(dtype=np.float64)
    low, high = wilson(np.where(is_share, count, 0.0), np.where(is_share, n, 0.0), level=level)
    share = np.divide(count, n, out=np.full(len(n), np.nan), where=is_share)
    result.insert(6, "share", share)
    result.insert(7, "low", low)
    result.insert(8, "high", high)
    return result


@dataclass
class _Found:
    """The measurements so far; ``shares`` says which counts are shares of their n."""

    rows: list[tuple[Any, ...]] = field(default_factory=list)
    shares: list[bool] = field(default_factory=list)

    def share(
        self, table: Named, dimension: str, column: str, check: str, n: int, count: int, value: Any = None
    ) -> None:
        """Add a count that is a share of n."""
        self.rows.append((table.name, dimension, column, check, n, count, value))
        self.shares.append(True)

    def value(self, table: Named, dimension: str, column: str, check: str, n: int, value: Any) -> None:
        """Add a value that rests on n rows."""
        self.rows.append((table.name, dimension, column, check, n, n, value))
        self.shares.append(False)


def _moment(as_of: Any, named: Sequence[Named]) -> pd.Timestamp | None:
    """Give the moment at which ages are measured."""
    if as_of is not None:
        moment = pd.Timestamp(as_of)
        return moment.tz_localize("UTC") if moment.tzinfo is None else moment.tz_convert("UTC")
    newest = [times.max() for times in map(_times, named) if times is not None and len(times)]
    return max(newest) if newest else None


def _times(table: Named, column: str = "time") -> pd.Series | None:
    """Give a column of instants without its gaps, or None where the table has none."""
    if column not in table.frame.columns or not isinstance(table.frame[column].dtype, pd.DatetimeTZDtype):
        return None
    return table.frame[column].dropna()


def _completeness(table: Named, found: _Found) -> None:
    """Count the filled cells of every column, of rows set aside as well."""
    loaded = table.loaded
    names = [str(name) for name in table.frame.columns]
    if table.schema is not None:
        names = [name for name in table.schema.names if name in table.frame.columns]
    for name in names:
        filled, n = int(table.frame[name].notna().sum()), len(table.frame)
        header = name if loaded is None else loaded.report.headers.get(name)
        if loaded is not None and header is not None and header in loaded.set_aside.columns:
            filled += int((~missing_cells(loaded.set_aside[header])).sum())
            n += len(loaded.set_aside)
        found.share(table, "completeness", name, "cell filled", n, filled)


def _uniqueness(table: Named, found: _Found) -> None:
    """Count the rows whose key, or which as a whole, stand once."""
    frame, schema, loaded = table.frame, table.schema, table.loaded
    if schema is not None and schema.key is not None and schema.key in frame.columns:
        again = int(frame[schema.key].duplicated().sum())
        n = len(frame)
        if loaded is not None:
            repeated = next(
                (
                    count
                    for reason, count in loaded.report.reasons.items()
                    if reason.endswith("stands in an earlier row")
                ),
                0,
            )
            again, n = again + repeated, n + repeated
        found.share(table, "uniqueness", schema.key, "key not in an earlier row", n, n - again)
        return
    equal = int(equal_to_earlier(frame).sum())
    found.share(table, "uniqueness", "", "row not equal to an earlier row", len(frame), len(frame) - equal)


def _validity(table: Named, found: _Found) -> None:
    """Count the rows that could be used, and those that could not by reason."""
    if table.loaded is None:
        return
    report = table.loaded.report
    found.share(table, "validity", "", "row valid", report.n_rows, report.n_valid)
    for reason, count in report.reasons.items():
        column, _, what = reason.partition(": ")
        found.share(table, "validity", column, f"set aside: {what}", report.n_rows, count)


def _consistency(table: Named, named: Sequence[Named], found: _Found) -> None:
    """Count the ids that point at nothing, and the columns of one row that contradict each other."""
    frame = table.frame
    for column, target in _REFERENCES:
        others = [
            each for each in named if each.schema is not None and each.schema.name == target and each is not table
        ]
        if column not in frame.columns or not others or (table.schema is not None and table.schema.name == target):
            continue
        known = pd.concat([each.frame[column].dropna() for each in others if column in each.frame.columns])
        given = frame[column].dropna()
        orphans = int((~given.isin(known)).sum())
        check = f"orphan: not in {' or '.join(each.name for each in others)}"
        found.share(table, "consistency", column, check, len(given), orphans)
    # An amount that reading worked out itself cannot differ.
    given_amount = table.loaded is None or "amount" in table.loaded.report.headers
    if given_amount and {"amount", "quantity", "unit_price"} <= set(frame.columns):
        numbers = frame[["amount", "quantity", "unit_price"]].apply(pd.to_numeric, errors="coerce").dropna()
        off = (numbers["amount"] - numbers["quantity"] * numbers["unit_price"]).abs()
        tolerance = _CENT + 1e-9 * numbers["amount"].abs()
        found.share(
            *(table, "consistency", "amount", "differs from quantity x unit_price"),
            n=len(numbers),
            count=int((off > tolerance).sum()),
        )
    for later in ("closed_time", "close_time"):
        if _times(table) is not None and _times(table, later) is not None:
            both = frame[["time", later]].dropna()
            found.share(table, "consistency", later, "before time", len(both), int((both[later] < both["time"]).sum()))


def _timeliness(table: Named, moment: pd.Timestamp | None, found: _Found) -> None:
    """Give the newest event, the lag of recording, and the days on which a channel is silent."""
    times = _times(table)
    if times is None or not len(times) or moment is None:
        return
    newest = times.max()
    found.value(table, "timeliness", "time", "newest event", len(times), newest)
    found.value(table, "timeliness", "time", "days since newest event", len(times), _days(moment - newest))
    ahead = int((times > moment).sum())
    found.share(table, "timeliness", "time", "after the moment of measuring", len(times), ahead)
    if _times(table, "recorded_time") is not None:
        both = table.frame[["time", "recorded_time"]].dropna()
        lag = (both["recorded_time"] - both["time"]).dt.total_seconds().to_numpy(dtype=np.float64) / 3600
        if len(lag):
            found.value(table, "timeliness", "recorded_time", "hours of lag, median", len(lag), float(np.median(lag)))
            late = float(np.quantile(lag, 0.95))
            found.value(table, "timeliness", "recorded_time", "hours of lag, 95th percentile", len(lag), late)
            before = int((lag < 0).sum())
            found.share(table, "timeliness", "recorded_time", "recorded before it happened", len(lag), before)
    _silence(table, found)


def _silence(table: Named, found: _Found) -> None:
    """Count the silent days of every channel, or of the table where it has none."""
    frame = table.frame
    if "day" not in frame.columns:
        return
    given = frame[frame["day"].notna().to_numpy()]
    groups: list[tuple[str, pd.DataFrame]] = [("", given)]
    if "channel" in given.columns and given["channel"].notna().any():
        groups = [(str(name), rows) for name, rows in given.groupby("channel", sort=True, observed=True)]
    for name, rows in groups:
        days = np.unique(rows["day"].to_numpy(dtype=np.int64))
        if not len(days):
            continue
        span = int(days[-1] - days[0]) + 1
        check = f"silent days of {name}" if name else "silent days"
        found.share(table, "timeliness", "day", check, span, span - len(days))
        check = f"longest silence of {name}, days" if name else "longest silence, days"
        found.value(table, "timeliness", "day", check, span, _longest(days))


def _longest(days: npt.NDArray[np.int64]) -> int:
    """Give the most days in a row without an event."""
    return int(np.diff(days).max() - 1) if len(days) > 1 else 0


def _days(span: pd.Timedelta) -> float:
    """Give a span in days."""
    return span.total_seconds() / 86_400
