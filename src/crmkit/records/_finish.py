"""The steps after the columns are read: amounts, currency, keys, days, and what the report counts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import SchemaProblem
from crmkit.records._cells import NOT_FINITE, counted, text_series
from crmkit.records._times import local_days

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    import numpy.typing as npt

    from crmkit.records._cells import Converted
    from crmkit.records._schema import Schema

    Table = dict[str, pd.Series]
    Wrong = Mapping[str, npt.NDArray[np.bool_]]

__all__ = ["add_day", "counts", "derive", "equal_to_earlier", "keep_others", "repeated_keys", "settle_currency", "span"]


def derive(
    table: Table, schema: Schema, cells: Mapping[str, Converted], wrong: Wrong, notes: list[str], n_rows: int
) -> dict[str, npt.NDArray[np.bool_]]:
    """Fill a product where it is absent, and give the rows where it stays so.

    A factor that is wrong is reason enough of its own, so such rows are not told twice.
    """
    found: dict[str, npt.NDArray[np.bool_]] = {}
    for column in schema:
        factors = column.product_of
        whole = bool(factors) and all(factor in table for factor in factors)
        if not factors or not (column.name in table or whole):
            continue
        names = [name for name in (column.name, *factors) if name in cells]
        refused = np.zeros(n_rows, dtype=bool)
        for mask in (mask for name in names for mask in cells[name].wrong.values()):
            refused |= mask
        values = table[column.name].to_numpy(dtype=np.float64) if column.name in table else np.full(n_rows, np.nan)
        if whole:
            with np.errstate(over="ignore", invalid="ignore"):
                product = np.prod([table[factor].to_numpy(dtype=np.float64) for factor in factors], axis=0)
            filled = np.isnan(values) & ~refused & ~np.isnan(product)
            values = np.where(filled, product, values)
            if filled.any():
                where = counted(int(filled.sum()))
                notes.append(f"{column.name}: {' x '.join(factors)} in {where} where it was absent")
        infinite = np.isinf(values)
        absent = np.isnan(values) & ~refused
        table[column.name] = pd.Series(np.where(infinite, np.nan, values))
        if infinite.any():
            reason = f"{column.name}: {NOT_FINITE}"
            found[reason] = infinite | wrong.get(reason, np.False_)
        if absent.any() and not column.nullable:
            found[f"{column.name}: missing"] = absent
    for name in [name for name in schema.names if name in table]:
        table[name] = table.pop(name)
    return found


def settle_currency(
    table: Table, schema: Schema, currency: str | None, wrong: dict[str, npt.NDArray[np.bool_]], n_rows: int
) -> tuple[str | None, list[SchemaProblem]]:
    """Find the one currency of a table; rows set aside for other reasons have no say.

    Returns
    -------
    currency : str or None
        The code, upper case.
    problems : list of SchemaProblem
        Where there are two.
    """
    if "currency" not in schema:
        return None, []
    wanted = None if currency is None else currency.strip().upper()
    if "currency" not in table:
        table["currency"] = text_series([wanted] * n_rows)
        return wanted, []
    codes = table["currency"].str.strip().str.upper()
    empty = codes.isna().to_numpy(dtype=bool)
    usable = ~empty
    for mask in wrong.values():
        usable &= ~mask
    found = list(pd.unique(codes[usable]))
    known = wanted or (found[0] if found else None)
    others = usable & (codes != known).to_numpy(dtype=bool) if known is not None else np.zeros(n_rows, dtype=bool)
    if others.any():
        rows = np.flatnonzero(others)
        against = f"other than the currency={wanted!r} asked for" if wanted else "different from the first row's"
        problem = SchemaProblem(
            "currency",
            f"is {against}: one table has one currency, so convert the amounts or read each currency by itself",
            len(rows),
            tuple(int(row) for row in rows[:5]),
        )
        return known, [problem]
    if wanted is not None:
        codes = codes.fillna(wanted)
    elif known is not None and empty.any():
        wrong["currency: missing where other rows have one (pass currency= to fill it)"] = empty
    table["currency"] = codes
    return known, []


def repeated_keys(table: Table, schema: Schema, wrong: Wrong, n_rows: int) -> dict[str, npt.NDArray[np.bool_]]:
    """Give the rows of a keyed table whose key stands in an earlier row that can be used."""
    if schema.key is None or schema.key not in table:
        return {}
    usable = np.ones(n_rows, dtype=bool)
    for mask in wrong.values():
        usable &= ~mask
    rows = np.flatnonzero(usable)
    again = np.zeros(n_rows, dtype=bool)
    again[rows[table[schema.key].iloc[rows].duplicated().to_numpy(dtype=bool)]] = True
    return {f"{schema.key}: stands in an earlier row": again} if again.any() else {}


def add_day(
    valid: pd.DataFrame, frame: pd.DataFrame, headers: Mapping[str, str], rows: npt.NDArray[np.intp], zone: ZoneInfo
) -> set[str]:
    """Put the local calendar day beside the time, and give the source's columns that this used up.

    A source that was read before carries its ``day`` already; where every one of them is within a day of the instant's
    UTC day it is kept, because a day is fixed at its first reading.
    """
    if "time" not in valid:
        return set()
    instants = valid["time"].dt.tz_localize(None).to_numpy(dtype="datetime64[us]")
    days = local_days(instants, zone)
    known = ~np.isnat(instants)
    used: set[str] = set()
    if "day" in frame.columns and "day" not in headers.values() and known.all():
        given = pd.to_numeric(frame["day"].iloc[rows], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        utc_days = instants.astype("datetime64[D]").astype(np.int64)
        if (np.abs(given - utc_days) <= 1).all() and (given == np.floor(given)).all():
            days, used = given.astype(np.int64), {"day"}
    column: Any = days if known.all() else pd.Series(days, dtype="Int64").mask(~known)
    valid.insert(list(valid.columns).index("time") + 1, "day", column)
    return used


def keep_others(
    valid: pd.DataFrame,
    frame: pd.DataFrame,
    headers: Mapping[str, str],
    rows: npt.NDArray[np.intp],
    *,
    without: set[str],
) -> tuple[str, ...]:
    """Add the columns of the source that stand for nothing, as they were; a taken name gets "(source)" behind it."""
    used = set(headers.values()) | without
    others = [header for header in frame.columns if header not in used]
    names = []
    for header in others:
        name = str(header)
        while name in valid.columns:
            name += " (source)"
        valid[name] = frame[header].iloc[rows].reset_index(drop=True)
        names.append(name)
    return tuple(names)


def counts(valid: pd.DataFrame, schema: Schema) -> dict[str, int]:
    """Count what is valid but worth knowing."""
    found: dict[str, int] = {}
    for column in schema:
        if column.role == "money" and column.name in valid:
            values = valid[column.name].to_numpy(dtype=np.float64)
            found[f"{column.name} below zero"] = int((values < 0).sum())
            found[f"{column.name} of zero"] = int((values == 0).sum())
    if "time" in valid and pd.api.types.is_datetime64_any_dtype(valid["time"].dtype):
        # A day of grace: clocks and time zones of the sources may be a few hours ahead of ours.
        found["times in the future"] = int((valid["time"] > pd.Timestamp.now("UTC") + pd.Timedelta(days=1)).sum())
    if schema.key is None and len(valid):
        found["lines equal to an earlier line"] = int(equal_to_earlier(valid).sum())
    return {what: count for what, count in found.items() if count}


def equal_to_earlier(valid: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which rows equal an earlier row; cells that cannot be compared are compared as text."""
    try:
        return valid.duplicated().to_numpy(dtype=bool)
    except TypeError:
        return valid.astype(str).duplicated().to_numpy(dtype=bool)


def span(valid: pd.DataFrame) -> dict[str, Any]:
    """Give the first and the last instant of the rows."""
    known = valid["time"].dropna() if "time" in valid else valid.iloc[:0]
    if not len(known):
        return {"first": None, "last": None}
    return {"first": known.min(), "last": known.max()}
