"""The columns of a customer table, family by family: habits, feedback, contacts."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataWarning
from crmkit.preparation._cutoff import Cutoff, rows_before
from crmkit.preparation._events import amounts, calendar_days, customer_codes, numbers, times

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.preparation._purchases import PurchaseDays

    Codes = npt.NDArray[np.intp]

__all__ = ["INBOUND", "contact_columns", "feedback_columns", "habit_columns"]

_SATURDAY = 2  # 1970-01-01 was a Thursday, so day 2 was a Saturday
INBOUND = ("in", "inbound", "incoming", "呼入", "来电")
_OUTBOUND = ("out", "outbound", "outgoing", "呼出", "去电")


def habit_columns(transactions: Any, purchases: PurchaseDays, limit: Cutoff) -> pd.DataFrame:
    """Say how each customer buys."""
    ids, who, day = purchases.ids, purchases.customer, purchases.day
    size, count = len(ids), purchases.count.astype(np.float64)
    gap = np.diff(day).astype(np.float64)
    same = np.diff(who) == 0
    gap, owner = gap[same], who[1:][same]
    n_gaps = count - 1
    mean_gap = _divide(np.bincount(owner, gap, minlength=size), n_gaps)
    spread = np.bincount(owner, (gap - mean_gap[owner]) ** 2, minlength=size)
    variation = _divide(np.sqrt(_divide(spread, n_gaps - 1)), mean_gap)
    frame, codes = _before(transactions, ids, limit, what="transactions")
    amount = amounts(frame)
    paid = np.bincount(codes, np.maximum(amount, 0.0), minlength=size)
    back = np.bincount(codes, np.maximum(-amount, 0.0), minlength=size)
    weekend = (day - _SATURDAY) % 7 < 2
    columns: dict[str, Any] = {
        "tenure_days": purchases.cutoff_day - day[purchases.first],
        "mean_spend": _divide(np.bincount(who, purchases.spend, minlength=size), count),
        "mean_gap_days": mean_gap,
        "gap_variation": variation,
        "weekend_share": _divide(np.bincount(who, weekend, minlength=size), count),
        "refund_share": _divide(back, paid),
    }
    product = next((name for name in ("product_id", "item_id") if name in frame.columns), None)
    if product is not None:
        columns["products"] = _distinct(codes[amount >= 0], frame[product][amount >= 0], size)
    return pd.DataFrame(columns, index=ids)


def feedback_columns(table: Any, ids: pd.Index, limit: Cutoff) -> pd.DataFrame:
    """Say what each customer answered."""
    frame = as_frame(table, what="feedback")
    require_columns(frame, ["customer_id", "score"], what="feedback")
    column = next((name for name in ("day", "time") if name in frame.columns), None)
    if column is not None and frame[column].isna().any():
        timeless = frame[column].isna()
        warnings.warn(f"feedback: {timeless.sum():,} answers have no {column}: left out", DataWarning, stacklevel=3)
        frame = frame.loc[~timeless]
    frame, codes = _before(frame, ids, limit, what="feedback")
    score, size = numbers(frame, "score", what="feedback"), len(ids)
    columns: dict[str, Any] = {"answers": np.bincount(codes, minlength=size)}
    asked, questions = pd.factorize(frame["question"] if "question" in frame.columns else np.empty(0), sort=True)
    for place, question in enumerate(questions if len(questions) > 1 else []):
        columns[f"score_{question}"] = _mean(codes[asked == place], score[asked == place], size)
    if len(questions) <= 1:
        columns["score"] = _mean(codes, score, size)
    columns["answer_days"] = _days_since_last(codes, frame, size, limit)
    return pd.DataFrame(columns, index=ids)


def contact_columns(table: Any, ids: pd.Index, limit: Cutoff) -> pd.DataFrame:
    """Say how each customer was in touch."""
    frame, codes = _before(as_frame(table, what="communications"), ids, limit, what="communications")
    size = len(ids)
    columns: dict[str, Any] = {
        "contacts": np.bincount(codes, minlength=size),
        "contact_days": _days_since_last(codes, frame, size, limit),
    }
    if "direction" in frame.columns:
        direction = frame["direction"].astype(str).str.lower()
        inbound = direction.isin(INBOUND).to_numpy(dtype=bool)
        known = inbound | direction.isin(_OUTBOUND).to_numpy(dtype=bool)
        columns["inbound_share"] = _mean(codes[known], inbound[known], size)
    if "channel" in frame.columns:
        columns["channels"] = _distinct(codes, frame["channel"], size)
    if "duration" in frame.columns:
        seconds = frame["duration"].to_numpy(dtype=np.float64, na_value=np.nan)
        columns["contact_seconds"] = np.bincount(codes, np.nan_to_num(seconds, posinf=0.0, neginf=0.0), minlength=size)
    return pd.DataFrame(columns, index=ids)


def _before(table: Any, ids: pd.Index, limit: Cutoff, *, what: str) -> tuple[pd.DataFrame, Codes]:
    """Give the rows before the cutoff of the customers in the table, and whose they are."""
    frame = as_frame(table, what=what)
    require_columns(frame, ["customer_id"], what=what)
    codes, own = customer_codes(frame, what=what)
    place = ids.get_indexer(own)[codes]
    keep = (place >= 0) & rows_before(limit, calendar_days(frame, what=what), times(frame))
    return frame.loc[keep], place[keep]


def _divide(top: npt.NDArray[Any], bottom: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Divide; missing where there is nothing to divide by."""
    return np.asarray(np.divide(top, bottom, out=np.full(len(top), np.nan), where=bottom > 0))


def _mean(codes: Codes, values: npt.NDArray[Any], size: int) -> npt.NDArray[np.float64]:
    """Give each customer's mean; missing where there is no value."""
    return _divide(np.bincount(codes, values, minlength=size), np.bincount(codes, minlength=size).astype(np.float64))


def _distinct(codes: Codes, values: pd.Series, size: int) -> npt.NDArray[np.intp]:
    """Count each customer's distinct known values."""
    value, unique = pd.factorize(values)
    known = value >= 0
    pairs = pd.unique(codes[known].astype(np.int64) * max(len(unique), 1) + value[known])
    return np.bincount(pairs // max(len(unique), 1), minlength=size)


def _days_since_last(codes: Codes, frame: pd.DataFrame, size: int, limit: Cutoff) -> npt.NDArray[np.float64]:
    """Give the days from each customer's last row to the cutoff; missing where there is none."""
    last = np.full(size, -np.inf)
    np.maximum.at(last, codes, calendar_days(frame).astype(np.float64))
    return np.where(np.isfinite(last), limit.day - last, np.nan)
