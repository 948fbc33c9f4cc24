"""Purchase days and the day of a cutoff, as figures over customers and time need them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["cutoff_day", "local_days", "purchase_table"]

_EARLIEST, _LATEST = -62_091, 84_005  # 1800-01-01 and 2199-12-31 as days since 1970-01-01


def purchase_table(transactions: Any, cutoff: Any) -> tuple[pd.DataFrame, int]:
    """Give one row a customer and purchase day before the cutoff, and the cutoff's day."""
    frame = as_frame(transactions, what="transactions")
    require_columns(frame, ["customer_id"], what="transactions")
    missing = frame["customer_id"].isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"transactions: customer_id is missing in {positions(missing)}")
    days = local_days(frame)
    kept = np.ones(len(frame), dtype=bool)
    if "amount" in frame.columns:
        amount = pd.to_numeric(frame["amount"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = ~np.isfinite(amount)
        if wrong.any():
            raise DataError(f"transactions: amount is missing, infinite or no number in {positions(wrong)}")
        kept = amount > 0
    end = int(days.max()) + 1 if cutoff is None and len(days) else cutoff_day(cutoff)
    kept = kept & (days < end)
    if not kept.any():
        raise DataError("transactions holds no purchase (amount above 0) before the cutoff")
    codes = pd.factorize(frame["customer_id"])[0]
    table = pd.DataFrame({"customer": codes[kept], "day": days[kept]}).drop_duplicates()
    return table.sort_values(["customer", "day"], kind="stable", ignore_index=True), end


def local_days(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Give the local day of each row, from ``day`` (whole numbers or dates) or else from ``time`` as it is written."""
    if "day" in frame.columns and not pd.api.types.is_datetime64_any_dtype(frame["day"].dtype):
        days = pd.to_numeric(frame["day"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = ~np.isfinite(days) | (days != np.floor(days)) | pd.api.types.is_bool_dtype(frame["day"].dtype)
        if wrong.any():
            raise DataError(f"transactions: day must be whole days since 1970-01-01; it is not in {positions(wrong)}")
        return days.astype(np.int64)
    column = "day" if "day" in frame.columns else "time"
    require_columns(frame, [column], what="transactions", hint="day (whole days since 1970-01-01) serves as well")
    times = frame[column]
    if not pd.api.types.is_datetime64_any_dtype(times.dtype):
        raise DataError(f"transactions: time must hold instants, got {times.dtype}; read it with records.read")
    missing = times.isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"transactions: {column} is missing in {positions(missing)}")
    local = times.dt.tz_localize(None) if times.dt.tz is not None else times
    return local.to_numpy(dtype="datetime64[D]").astype(np.int64)


def cutoff_day(cutoff: Any) -> int:
    """Give the first day that no longer counts."""
    if cutoff is None:
        raise DataError("transactions is empty: there is nothing to measure")
    if isinstance(cutoff, int | np.integer) and not isinstance(cutoff, bool):
        if not _EARLIEST <= cutoff <= _LATEST:
            raise DataError(
                f"cutoff {cutoff} counts days since 1970-01-01 and is outside the years 1800 to 2199; write a date as "
                "text, such as '2024-01-20'"
            )
        return int(cutoff)
    instant = pd.to_datetime(cutoff, errors="coerce")
    if not isinstance(instant, pd.Timestamp) or instant != instant.normalize():
        raise DataError(f"cutoff must be a day such as '2010-12-10', or whole days since 1970-01-01, got {cutoff!r}")
    return int(np.datetime64(instant.date(), "D").astype(np.int64))
