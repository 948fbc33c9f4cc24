"""Instants with a time zone and the zones of customers, checked at the border."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["check_zone", "instant", "instants", "zones_of"]


def check_zone(name: Any) -> str:
    """Give the name of a time zone that the system knows."""
    try:
        ZoneInfo(name)
    except (KeyError, ValueError, OSError, TypeError, AttributeError):
        raise DataError(
            f"timezone {name!r} is unknown: give a name of the IANA database, such as 'Asia/Shanghai'"
        ) from None
    return str(name)


def instant(value: Any, name: str = "at") -> pd.Timestamp:
    """Read one instant with a time zone, in UTC."""
    try:
        stamp = pd.Timestamp(value)
    except (ValueError, TypeError):
        raise ValueError(f"{name} must be an instant such as '2024-03-02T09:00+08:00', got {value!r}") from None
    if pd.isna(stamp) or stamp.tzinfo is None:
        raise ValueError(f"{name} needs a time zone, such as '2024-03-02T09:00+08:00', got {value!r}")
    return stamp.tz_convert("UTC").as_unit("us")


def instants(column: Any, what: str) -> pd.DatetimeIndex:
    """Read a column of instants with a time zone, in UTC."""
    series = column if isinstance(column, pd.Series) else pd.Series(column)
    if not isinstance(series.dtype, pd.DatetimeTZDtype):
        if len(series) == 0:
            return pd.DatetimeIndex([], dtype="datetime64[us, UTC]")
        raise DataError(
            f"{what} must hold instants with a time zone, got {series.dtype}; read the table with records.read, or "
            "give times their zone with .dt.tz_localize"
        )
    return pd.DatetimeIndex(series).tz_convert("UTC").as_unit("us")


def zones_of(customers: pd.DataFrame, default: str) -> npt.NDArray[np.object_]:
    """Give each customer's zone: the column ``timezone`` where it is filled, else the default."""
    if "timezone" not in customers.columns:
        return np.full(len(customers), default, dtype=object)
    column = customers["timezone"].astype(object)
    zones = column.where(column.notna() & (column != ""), default).to_numpy(dtype=object)
    codes, names = pd.factorize(zones)
    unknown = [place for place, name in enumerate(names) if not _known(name)]
    if unknown:
        raise DataError(
            f"customers: timezone is not a name of the IANA database in {positions(np.isin(codes, unknown))}"
        )
    return zones


def _known(name: Any) -> bool:
    """Say whether the system knows a zone."""
    try:
        check_zone(name)
    except DataError:
        return False
    return True
