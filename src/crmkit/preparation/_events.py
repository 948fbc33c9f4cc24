"""The columns every step reads from an event table, brought to arrays once and checked once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = [
    "amounts",
    "calendar_days",
    "check_one_currency",
    "customer_codes",
    "numbers",
    "times",
    "transactions_frame",
]

_SHORT = 64
"""Characters of an id up to which ids are sorted as an array of characters."""

_DIGITS = 18
"""Digits up to which whole numbers can be filled up with zeros in 64 bits."""

_READ_FIRST = "read the table with records.read(source, records.TRANSACTIONS), which makes and checks it"


def transactions_frame(transactions: Any) -> pd.DataFrame:
    """Bring a transactions table to pandas and check that it says who.

    Parameters
    ----------
    transactions : table
        One row an order line or a purchase.

    Returns
    -------
    pandas.DataFrame
        The table.

    Raises
    ------
    DataError
        If there is no ``customer_id``.
    """
    frame = as_frame(transactions, what="transactions")
    require_columns(frame, ["customer_id"], what="transactions", hint=_READ_FIRST)
    return frame


def customer_codes(frame: pd.DataFrame, *, what: str = "transactions") -> tuple[npt.NDArray[np.intp], pd.Index]:
    """Number the customers of a table in the order of their ids.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``customer_id``.
    what : str, default="transactions"
        Its name in messages.

    Returns
    -------
    codes : ndarray of int, shape (n_rows,)
        The customer of each row.
    ids : pandas.Index, shape (n_customers,)
        Sorted ids as text, named ``customer_id``.

    Raises
    ------
    DataError
        If an id is missing.
    """
    codes, unique = pd.factorize(frame["customer_id"], use_na_sentinel=True)
    if (codes < 0).any():
        raise DataError(
            f"{what}: customer_id is missing in {positions(codes < 0)}; set those rows aside with "
            "records.read(..., on_error='set-aside') or preparation.clean"
        )
    ids = pd.Index(unique)
    if isinstance(ids.dtype, pd.CategoricalDtype):
        ids = pd.Index(ids.to_numpy())
    if pd.api.types.is_float_dtype(ids.dtype) and np.equal(np.mod(ids.to_numpy(dtype=float), 1), 0).all():
        ids = ids.astype("int64")  # 13085.0 is how pandas shows the id 13085 beside a missing one
    if pd.api.types.is_integer_dtype(ids.dtype) and ids.min() >= 0 and ids.max() < 10**_DIGITS:
        order = _digit_order(ids.to_numpy(dtype=np.int64))
        ids = ids[order].astype(str)
    else:
        codes, ids = _as_text(codes, ids)
        order = _text_order(ids)
        ids = ids[order]
    rank = np.empty(len(order), dtype=np.intp)
    rank[order] = np.arange(len(order))
    return rank[codes], ids.rename("customer_id")


def _as_text(codes: npt.NDArray[np.intp], ids: pd.Index) -> tuple[npt.NDArray[np.intp], pd.Index]:
    """Turn ids into text, under which some may be equal."""
    mixed = ids.dtype == object and pd.api.types.infer_dtype(ids, skipna=False) not in {"string", "empty"}
    if mixed or not pd.api.types.is_string_dtype(ids.dtype):
        ids = ids.astype(str)
        if not ids.is_unique:
            # 1 and "1" are one customer.
            again, ids = pd.factorize(ids)
            codes, ids = again[codes], pd.Index(ids)
    return codes, ids


def _text_order(ids: pd.Index) -> npt.NDArray[np.intp]:
    """Sort distinct texts by their characters."""
    if ids.dtype != object:
        return np.asarray(ids.argsort(), dtype=np.intp)
    texts = ids.tolist()
    if max(map(len, texts), default=0) <= _SHORT:
        # Arrays of characters sort several times faster than objects, but are as wide as their longest text.
        return np.argsort(np.array(texts, dtype=str), kind="stable")
    return np.array(sorted(range(len(texts)), key=texts.__getitem__), dtype=np.intp)


def _digit_order(ids: npt.NDArray[np.int64]) -> npt.NDArray[np.intp]:
    """Sort distinct whole numbers as their texts sort, 10 before 9, without making the texts."""
    powers = 10 ** np.arange(1, _DIGITS, dtype=np.int64)
    digits = np.searchsorted(powers, ids, side="right") + 1
    # Filled up with zeros to one length they compare as texts do; 1 and 10 are then equal, and the shorter is first.
    return np.lexsort((digits, ids * 10 ** (_DIGITS - digits)))


def times(frame: pd.DataFrame) -> pd.Series | None:
    """Give the column ``time`` where it holds times.

    Parameters
    ----------
    frame : pandas.DataFrame
        An event table.

    Returns
    -------
    Series or None
        None where there is no such column.

    Raises
    ------
    DataError
        If ``time`` holds something else.
    """
    if "time" not in frame.columns:
        return None
    time = frame["time"]
    if not pd.api.types.is_datetime64_any_dtype(time.dtype):
        raise DataError(f"time must hold times, got {time.dtype}: {_READ_FIRST}")
    return time


def calendar_days(frame: pd.DataFrame, *, what: str = "transactions") -> npt.NDArray[np.int64]:
    """Give the local calendar day of every row as days since 1970-01-01.

    Where there is no ``day``, it is the calendar day of ``time`` in the zone that column is kept in: UTC for a table
    in UTC, in which purchases before 08:00 in Shanghai fall on the day before. ``records.read`` makes the exact one.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``day`` (integers, or dates), or ``time``.
    what : str, default="transactions"
        Its name in messages.

    Returns
    -------
    ndarray of int64, shape (n_rows,)
        Days.

    Raises
    ------
    DataError
        If neither column is there, or a day is missing or no whole number.
    """
    if "day" not in frame.columns and "time" not in frame.columns:
        require_columns(frame, ["day"], what=what, hint=_READ_FIRST)
    column = frame["day"] if "day" in frame.columns else times(frame)
    assert column is not None  # noqa: S101 -- one of the two columns is there, as checked above
    missing = column.isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"{what}: {column.name} is missing in {positions(missing)}")
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        if getattr(column.dt, "tz", None) is not None:
            column = column.dt.tz_localize(None)
        # Flooring by the numpy unit is exact for every resolution pandas keeps times in.
        return column.to_numpy().astype("datetime64[D]").view(np.int64)
    if not pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype):
        raise DataError(f"{what}: day must be whole days since 1970-01-01, got {column.dtype}: {_READ_FIRST}")
    values = column.to_numpy(dtype=np.float64)
    odd = ~np.isfinite(values) | (values != np.floor(values))
    if odd.any():
        raise DataError(f"{what}: day must be whole days since 1970-01-01; {positions(odd)} are not")
    return values.astype(np.int64)


def numbers(frame: pd.DataFrame, column: str, *, what: str = "transactions") -> npt.NDArray[np.float64]:
    """Give a numeric column as finite floats.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    column : str
        Its column.
    what : str, default="transactions"
        The table's name in messages.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        Values.

    Raises
    ------
    DataError
        If the column holds no numbers, or a value is missing or infinite.
    """
    series = frame[column]
    if not pd.api.types.is_numeric_dtype(series.dtype):
        raise DataError(f"{what}: {column} must hold numbers, got {series.dtype}: {_READ_FIRST}")
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    odd = ~np.isfinite(values)
    if odd.any():
        raise DataError(f"{what}: {column} is missing or infinite in {positions(odd)}")
    return values


def check_one_currency(frame: pd.DataFrame, *, what: str = "transactions") -> None:
    """Refuse a table whose amounts cannot be added up.

    Parameters
    ----------
    frame : pandas.DataFrame
        The table.
    what : str, default="transactions"
        Its name in messages.

    Raises
    ------
    DataError
        If it holds more than one currency.
    """
    if "currency" in frame.columns:
        n_currencies = frame["currency"].nunique()
        if n_currencies > 1:
            raise DataError(f"{what} are in {n_currencies} currencies; amounts cannot be added up: convert them")


def amounts(frame: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Give the amount of every row: ``amount``, or quantity times unit price where there is none.

    Parameters
    ----------
    frame : pandas.DataFrame
        With ``amount``, or ``quantity`` and ``unit_price``.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        Amounts; refunds are negative.

    Raises
    ------
    DataError
        If the columns are not there, a value is missing or infinite, or the table holds two currencies.
    """
    check_one_currency(frame)
    if "amount" not in frame.columns and {"quantity", "unit_price"} <= set(frame.columns):
        return numbers(frame, "quantity") * numbers(frame, "unit_price")
    require_columns(frame, ["amount"], what="transactions", hint=_READ_FIRST)
    return numbers(frame, "amount")
