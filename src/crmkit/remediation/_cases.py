"""Makes cases out of events: one for each cancelled order, complaint or conversation."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, by_customer, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["make_cases"]


def make_cases(
    events: Any, *, by: str, where: Any = None, customers: Any = None, carry: Sequence[str] = ()
) -> pd.DataFrame:
    """Make one case of the events that belong together, beside what is known of their customer.

    Parameters
    ----------
    events : table
        One row an event, such as an invoice line, with ``customer_id``.
    by : str
        The column whose values are the cases, such as ``"order_id"``.
    where : array-like of bool, str or None, default=None
        Which events make cases: one entry a row (a missing one counts as False), or a condition such as
        ``"amount < 0"``; None means all.
    customers : table or None, default=None
        One row a customer, with ``customer_id`` as index or column; its columns are joined to each case. A column that
        the case has too is called ``customer_<name>``.
    carry : sequence of str, default=()
        Further columns of the events that each case takes along from its last row, such as ``"label"``.

    Returns
    -------
    pandas.DataFrame
        One row a case in the order in which they first appear: ``case_id`` (text), ``customer_id``, the column ``by``
        itself, ``amount`` (the sum at stake as a positive number, so the absolute value of the case's sum: amounts of
        cancelled orders are negative), ``currency``, ``time`` and ``day`` of its last event, ``lines`` (how many
        events), and the customer's columns. Of amount, currency, time and day those that the events have.

    Raises
    ------
    DataError
        If a column is missing, a case has two customers, its currencies differ, or ``where`` has another length.

    Warns
    -----
    DataWarning
        If events have no case id (they are left out), or cases lack a customer, an amount or a value of the customer
        table (they stay), with counts.

    Notes
    -----
    A case whose customer is not in the customer table stays, without the customer's values, so that nothing is lost on
    the way; a problem counts it as not eligible for remedies whose formulas need them.

    Examples
    --------
    >>> from crmkit.remediation import make_cases
    >>> events = {"order_id": ["C1", "C1", "7"], "customer_id": ["a", "a", "b"], "amount": [-5.0, -2.5, 9.0]}
    >>> cases = make_cases(events, by="order_id", where="amount < 0", customers={"customer_id": ["a"], "vip": [True]})
    >>> cases[["case_id", "customer_id", "amount", "lines", "vip"]].values.tolist()
    [['C1', 'a', 7.5, 2, True]]
    """
    table = as_frame(events, what="events")
    require_columns(table, [by, "customer_id", *carry], what="events")
    chosen = _chosen(where, table)
    without = chosen & table[by].isna().to_numpy(dtype=bool)
    notes = []
    if without.any():
        notes.append(f"{int(without.sum()):,} events have no {by} and make no case")
    at = np.flatnonzero(chosen & ~without)
    lines = table.iloc[at]
    codes, keys = pd.factorize(lines[by])
    first = np.unique(codes, return_index=True)[1]
    _refuse_mixed(lines["customer_id"], codes, at, f"a {by} belongs to more than one customer_id")
    columns: dict[str, Any] = {"case_id": _as_ids(keys)}
    by_case = lines.groupby(codes, sort=True)
    columns["customer_id"] = by_case["customer_id"].first().to_numpy(dtype=object)
    if by not in {"case_id", "customer_id"}:
        columns[by] = lines[by].to_numpy()[first]
    if "amount" in lines.columns:
        amount = pd.to_numeric(lines["amount"], errors="coerce").astype(np.float64)
        # A case with an unknown line has an unknown sum, which is not the sum of the others.
        columns["amount"] = amount.groupby(codes, sort=True).sum(min_count=1).abs().to_numpy(copy=True)
        columns["amount"][np.unique(codes[amount.isna().to_numpy()])] = np.nan
    if "currency" in lines.columns:
        _refuse_mixed(lines["currency"], np.zeros(len(lines), dtype=np.intp), at, "the cases have several currencies")
        columns["currency"] = by_case["currency"].first().to_numpy(dtype=object)
    columns |= {column: by_case[column].max().to_numpy() for column in ("time", "day") if column in lines.columns}
    columns["lines"] = np.bincount(codes, minlength=len(keys))
    columns |= {column: _last(lines[column], codes) for column in carry if column not in columns}
    cases = pd.DataFrame(columns)
    if "time" in cases.columns:
        cases["time"] = by_case["time"].max().array
    no_customer = cases["customer_id"].isna().to_numpy(dtype=bool)
    if no_customer.any():
        notes.append(f"{int(no_customer.sum()):,} have no customer_id")
    if "amount" in cases.columns and cases["amount"].isna().any():
        notes.append(f"{int(cases['amount'].isna().sum()):,} have no amount")
    if customers is not None:
        cases = _joined(cases, by_customer(customers, what="customers"), no_customer, notes)
    if notes:
        warnings.warn(f"of {len(cases):,} cases: {'; '.join(notes)}", DataWarning, stacklevel=2)
    return cases


def _last(column: pd.Series, codes: Any) -> Any:
    """Give the value of each case's last row, in the column's own type."""
    last = pd.Series(np.arange(len(codes))).groupby(codes, sort=True).last().to_numpy(dtype=np.intp)
    return column.iloc[last].array


def _chosen(where: Any, table: pd.DataFrame) -> Any:
    """Bring the choice of events to one bool a row."""
    if where is None:
        return np.ones(len(table), dtype=bool)
    if isinstance(where, str):
        result = parse(where).evaluate(table)
        if result.values.dtype.kind != "b":
            raise DataError(f"where must be a condition such as 'amount < 0'; {where!r} gives numbers, text or times")
        return result.values
    if isinstance(where, pd.Series) and not where.index.equals(table.index):
        if len(where) != len(table) or not where.index.is_unique or not table.index.isin(where.index).all():
            raise DataError(f"where must have one entry for each of the {len(table):,} events, got {len(where):,}")
        where = where.reindex(table.index)
    given = pd.Series(np.asarray(where, dtype=object) if not isinstance(where, pd.Series) else where.to_numpy(object))
    if len(given) != len(table):
        raise DataError(f"where must have one entry for each of the {len(table):,} events, got {len(given):,}")
    given = given.where(given.notna(), other=False)
    if not given.isin([True, False]).all():
        raise DataError("where must hold True and False, one entry for each event")
    return given.to_numpy(dtype=bool)


def _refuse_mixed(column: pd.Series, codes: Any, at: Any, what: str) -> None:
    """Refuse groups of rows that hold more than one value, naming positions only."""
    values = column.factorize()[0]
    known = values >= 0
    pairs = np.unique(np.column_stack([codes[known], values[known]]), axis=0)
    groups, counts = np.unique(pairs[:, 0], return_counts=True)
    mixed = np.isin(codes, groups[counts > 1])
    if mixed.any():
        where = np.zeros(int(at[-1]) + 1, dtype=bool)
        where[at[mixed]] = True
        raise DataError(f"events: {what}, in {positions(where)}")


def _as_ids(keys: Any) -> Any:
    """Write case ids as text, whole numbers without a decimal point."""
    series = pd.Series(keys)
    if pd.api.types.is_float_dtype(series.dtype) and bool((series == np.round(series)).all()):
        series = series.astype(np.int64)
    return series.astype(str).to_numpy(dtype=object)


def _joined(cases: pd.DataFrame, customers: pd.DataFrame, no_customer: Any, notes: list[str]) -> pd.DataFrame:
    """Put the customer's columns beside each case and count what is missing."""
    renamed = customers.rename(
        columns={name: f"customer_{name}" for name in customers.columns if name in cases.columns}
    )
    line = renamed.index.get_indexer(pd.Index(cases["customer_id"], dtype=object))
    unknown = (line < 0) & ~no_customer
    if unknown.any():
        notes.append(f"{int(unknown.sum()):,} have a customer who is not in the customer table")
    # reindex by position keeps the columns' types where nothing is missing.
    beside = renamed.reset_index(drop=True)
    beside = beside.take(line) if (line >= 0).all() else beside.reindex(np.where(line >= 0, line, -1))
    beside.index = cases.index
    known = (line >= 0) & beside.isna().any(axis=1).to_numpy(dtype=bool)
    if known.any():
        gaps = beside[line >= 0].isna().sum()
        listed = ", ".join(f"{name} ({int(count):,})" for name, count in gaps[gaps > 0].items())
        notes.append(f"{int(known.sum()):,} have a customer with missing values: {listed}")
    return pd.concat([cases, beside], axis=1)
