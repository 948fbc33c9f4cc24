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

    import numpy.typing as npt

__all__ = ["make_cases"]


def make_cases(
    events: Any, *, by: str | None = None, where: Any = None, customers: Any = None, carry: Sequence[str] = ()
) -> pd.DataFrame:
    """Make one case of the events that belong together, beside what is known of their customer.

    Parameters
    ----------
    events : table
        One row an event, such as an invoice line, with ``customer_id``; without that column no case has a customer.
    by : str or None, default=None
        The column whose values are the cases, such as ``"order_id"``; None makes every event a case of its own, named
        by its position.
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
        If events have no case id or it is not known whether they meet ``where`` (they are left out), or cases lack a
        customer, an amount or a value of the customer table (they stay), with counts.

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
    table, by = _events(events, by)
    require_columns(table, list(dict.fromkeys([by, *carry])), what="events")
    chosen, unknown = _chosen(where, table)
    without = chosen & table[by].isna().to_numpy(dtype=bool)
    notes = []
    if unknown:
        notes.append(f"of {unknown:,} events it is not known whether they meet where=, and they make no case")
    if without.any():
        notes.append(f"{int(without.sum()):,} events have no {by} and make no case")
    at = np.flatnonzero(chosen & ~without)
    lines = table.iloc[at]
    codes, keys = pd.factorize(lines[by])
    first = np.unique(codes, return_index=True)[1]
    _refuse_mixed(lines["customer_id"], codes, at, f"a {by} belongs to more than one customer_id")
    if "currency" in lines.columns:
        _refuse_mixed(lines["currency"], np.zeros(len(lines), dtype=np.intp), at, "the cases have several currencies")
    _check_kinds(lines, at)
    columns = _columns(lines, codes, keys, first, by, carry)
    cases = pd.DataFrame(columns)
    if "time" in cases.columns:
        cases["time"] = lines.groupby(codes, sort=True)["time"].max().array
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


def _columns(lines: pd.DataFrame, codes: Any, keys: Any, first: Any, by: str, carry: Sequence[str]) -> dict[str, Any]:
    """Sum the events of each case up."""
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
        columns["currency"] = by_case["currency"].first().to_numpy(dtype=object)
    columns |= {column: by_case[column].max().to_numpy() for column in ("time", "day") if column in lines.columns}
    columns["lines"] = np.bincount(codes, minlength=len(keys))
    columns |= {column: _last(lines[column], codes) for column in carry if column not in columns}
    return columns


def _last(column: pd.Series, codes: Any) -> Any:
    """Give the value of each case's last row, in the column's own type."""
    last = pd.Series(np.arange(len(codes))).groupby(codes, sort=True).last().to_numpy(dtype=np.intp)
    return column.iloc[last].array


def _chosen(where: Any, table: pd.DataFrame) -> tuple[npt.NDArray[np.bool_], int]:
    """Bring the choice of events to one bool a row, and count those of which it is not known."""
    if where is None:
        return np.ones(len(table), dtype=bool), 0
    if isinstance(where, str):
        result = parse(where).evaluate(table)
        if result.values.dtype.kind != "b":
            raise DataError(f"where must be a condition such as 'amount < 0'; {where!r} gives numbers, text or times")
        return result.values, int(result.missing.sum())
    if isinstance(where, pd.Series) and not where.index.equals(table.index):
        if len(where) != len(table) or not where.index.is_unique or not table.index.isin(where.index).all():
            raise DataError(f"where must have one entry for each of the {len(table):,} events, got {len(where):,}")
        where = where.reindex(table.index)
    given = pd.Series(np.asarray(where, dtype=object) if not isinstance(where, pd.Series) else where.to_numpy(object))
    if len(given) != len(table):
        raise DataError(f"where must have one entry for each of the {len(table):,} events, got {len(given):,}")
    unknown = int(given.isna().sum())
    given = given.where(given.notna(), other=False)
    if not given.isin([True, False]).all():
        raise DataError("where must hold True and False, one entry for each event")
    return np.asarray(given, dtype=np.bool_), unknown


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


def _events(events: Any, by: str | None) -> tuple[pd.DataFrame, str]:
    """Give the events with a column of case ids and one of customers, which may be empty."""
    table = as_frame(events, what="events")
    if by is None:
        by = "case_id"
        table = table.assign(case_id=np.arange(len(table)).astype(str))
    if "customer_id" not in table.columns:
        table = table.assign(customer_id=pd.Series(np.nan, index=table.index, dtype=object))
    return table, by


def _check_kinds(lines: pd.DataFrame, at: Any) -> None:
    """Refuse text in the place of times and amounts, which would be compared letter by letter."""
    if "time" in lines.columns and not pd.api.types.is_datetime64_any_dtype(lines["time"].dtype):
        raise DataError("events: column 'time' must hold times, not text; read the table with records.read")
    if "amount" in lines.columns:
        given = lines["amount"]
        wrong = (pd.to_numeric(given, errors="coerce").isna() & given.notna()).to_numpy(dtype=bool)
        if wrong.any():
            where = np.zeros(int(at[-1]) + 1, dtype=bool)
            where[at[wrong]] = True
            raise DataError(f"events: column 'amount' holds what is no number in {positions(where)}")


def _as_ids(keys: Any) -> Any:
    """Write ids as text, whole numbers without a decimal point; what is missing stays missing."""
    series = pd.Series(keys).reset_index(drop=True)
    known = series.notna()
    floats = pd.api.types.infer_dtype(series[known], skipna=True) in {"floating", "mixed-integer-float"}
    numbers = series[known].astype(np.float64) if floats else None
    if numbers is not None and bool((numbers == np.round(numbers)).all()):
        texts = numbers.astype(np.int64).astype(str)
    else:
        texts = series[known].astype(str)
    ids = np.full(len(series), None, dtype=object)
    ids[known.to_numpy(dtype=bool)] = texts.to_numpy(dtype=object)
    return ids


def _joined(cases: pd.DataFrame, customers: pd.DataFrame, no_customer: Any, notes: list[str]) -> pd.DataFrame:
    """Put the customer's columns beside each case and count what is missing."""
    renamed = customers.rename(
        columns={name: f"customer_{name}" for name in customers.columns if name in cases.columns}
    )
    # 1 and "1" and 1.0 are one customer, whatever type each table keeps its ids in.
    wanted = pd.Index(np.where(no_customer, None, _as_ids(cases["customer_id"])), dtype=object)
    line = pd.Index(_as_ids(renamed.index), dtype=object).get_indexer(wanted)
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
