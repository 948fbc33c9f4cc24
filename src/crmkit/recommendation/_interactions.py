"""Events of customers with items, as one sparse matrix: refunds taken back, kinds of event weighed, days kept."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation import calendar_days, time_split
from crmkit.preparation._last_day import day_after_last
from crmkit.recommendation._ids import Ids, number_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["Events", "Interactions", "add_pairs", "item_column", "read_events", "read_interactions"]

_WHAT = "interactions"


def _no_goods() -> tuple[npt.NDArray[np.int64], pd.DataFrame]:
    """Give an empty table of items."""
    return np.zeros(0, dtype=np.int64), pd.DataFrame()


@dataclass
class Events:
    """The rows of an event table that have a customer and an item, as arrays.

    Attributes
    ----------
    customers, items : Ids
        The distinct ids; ``items`` may hold more than have events.
    customer, item : ndarray of int64, shape (n_events,)
        Their numbers.
    weight : ndarray of float64, shape (n_events,)
        What the kind of event weighs; 0 for a refund.
    measure : ndarray of float64, shape (n_events,), or None
        Quantity, or amount where there is no quantity; negative for a refund, 0 where it is missing.
    had : ndarray of bool, shape (n_events,)
        Whether the customer has had the item from then on: it was bought, rather than looked at.
    day : ndarray of int64, shape (n_events,), or None
        Local calendar days; None where the table tells no time.
    rating : ndarray of float64, shape (n_events,), or None
        Ratings, NaN where missing.
    now : int
        The first day that is not known: the cutoff, or the day after the last event; 0 without days.
    set_aside : dict of str to int
        How many rows could not be used, by reason.
    goods : tuple of ndarray of int64 and pandas.DataFrame
        The table of items, and the number of the item of each of its rows.
    """

    customers: Ids
    items: Ids
    customer: npt.NDArray[np.int64]
    item: npt.NDArray[np.int64]
    weight: npt.NDArray[np.float64]
    measure: npt.NDArray[np.float64] | None
    had: npt.NDArray[np.bool_]
    day: npt.NDArray[np.int64] | None
    rating: npt.NDArray[np.float64] | None
    now: int
    set_aside: dict[str, int]
    goods: tuple[npt.NDArray[np.int64], pd.DataFrame] = field(default_factory=_no_goods)

    def between(self, first: int, last: int) -> Events:
        """Give the events from one day up to, and without, another, which is then the first that is not known."""
        if self.day is None:
            raise DataError(f"dividing events by time needs the column time or day in {_WHAT}")
        kept = (self.day >= first) & (self.day < last)
        arrays: dict[str, Any] = {
            name: None if values is None else values[kept]
            for name in ("customer", "item", "weight", "measure", "had", "day", "rating")
            for values in (getattr(self, name),)
        }
        return replace(self, **arrays, now=last)


@dataclass
class Interactions:
    """What is left of the events once they are learned from.

    Attributes
    ----------
    customers, items : Ids
        The distinct ids, in the order of rows and columns.
    matrix : csr_array of float64, shape (n_customers, n_items)
        The value of each pair, above 0.
    had : csr_array of int32, shape (n_customers, n_items)
        A stored entry for each pair that the customer has had: the day of the last time, 0 without days.
    has_days : bool
        Whether days are known.
    now : int
        The first day that is not known.
    set_aside : dict of str to int
        How many rows could not be used, by reason.
    """

    customers: Ids
    items: Ids
    matrix: sparse.csr_array
    had: sparse.csr_array
    has_days: bool
    now: int
    set_aside: dict[str, int]


def item_column(frame: pd.DataFrame, *, what: str) -> str:
    """Give the name of the column of items.

    Parameters
    ----------
    frame : pandas.DataFrame
        A table.
    what : str
        Its name in messages.

    Returns
    -------
    str
        ``"item_id"``, or ``"product_id"`` where there is none.

    Raises
    ------
    DataError
        If neither is there.
    """
    name = "item_id" if "item_id" in frame.columns or "product_id" not in frame.columns else "product_id"
    require_columns(frame, [name], what=what, hint="items stand in item_id, or in product_id")
    return name


def read_events(
    interactions: Any,
    *,
    event_weights: Mapping[str, float] | None = None,
    had_events: tuple[str, ...] | None = None,
    cutoff: Any = None,
    more_items: npt.NDArray[Any] | None = None,
) -> Events:
    """Read an event table into arrays.

    Parameters
    ----------
    interactions : table
        One row an event: ``customer_id``, ``item_id`` (or ``product_id``), and where there are any ``time`` or
        ``day``, ``event``, ``quantity``, ``amount``, ``rating``.
    event_weights : mapping of str to float or None, default=None
        What each kind of event weighs.
    had_events : tuple of str or None, default=None
        The kinds by which a customer comes to have an item; None for ``"purchase"`` where that is one of the kinds,
        and for all kinds otherwise.
    cutoff : date, time or None, default=None
        Rows at or after it are not read.
    more_items : ndarray or None, default=None
        Further items, that have no events.

    Returns
    -------
    Events
        The rows that have a customer and an item.

    Raises
    ------
    DataError
        If columns are not there, kinds of event have no weight, or no row is left.
    """
    frame = as_frame(interactions, what=_WHAT)
    require_columns(frame, ["customer_id"], what=_WHAT)
    column = item_column(frame, what=_WHAT)
    if cutoff is not None:
        frame = time_split(frame, cutoff).before
    customer, customers = number_ids(frame["customer_id"])
    item, items = number_ids(frame[column])
    kept = (customer >= 0) & (item >= 0)
    set_aside = {"no customer_id": int((customer < 0).sum()), f"no {column}": int(((item < 0) & (customer >= 0)).sum())}
    if not kept.all():
        lost = positions(~kept)
        warnings.warn(
            f"{_WHAT}: {int((~kept).sum()):,} of {len(frame):,} rows have no customer_id or no {column} and are set "
            f"aside: {lost}",
            DataWarning,
            stacklevel=4,
        )
        frame, customer, item = frame.loc[kept], customer[kept], item[kept]
    if not len(frame):
        raise DataError(f"{_WHAT} hold no event of a customer with an item" + (" before the cutoff" if cutoff else ""))
    weight, had = _weights(frame, event_weights, had_events)
    measure = _measure(frame)
    if measure is not None:
        refunds = measure < 0
        weight, had = np.where(refunds, 0.0, weight), had & ~refunds
    day, now = None, 0
    if "day" in frame.columns or "time" in frame.columns:
        day = calendar_days(frame, what=_WHAT)
        # In zones to the east, the day of an instant begins before it does in UTC: what was read is known.
        now = day_after_last(day, what=_WHAT) if cutoff is None else max(int(day.max()) + 1, _day_of(cutoff))
    if more_items is not None and len(more_items):
        wider = items.joined(more_items)
        item, items = wider.numbers_of(items.values)[item], wider
    rating = _floats(frame, "rating") if "rating" in frame.columns else None
    return Events(customers, items, customer, item, weight, measure, had, day, rating, now, set_aside)


def read_interactions(
    events: Events,
    *,
    values: str = "binary",
    window_days: int | None = None,
    half_life_days: float | None = None,
    min_rating: float | None = None,
) -> Interactions:
    """Add events up to one value a pair of customer and item.

    Parameters
    ----------
    events : Events
        The rows.
    values : {"binary", "count", "log"}, default="binary"
        The value of a pair: the greatest weight among its events, their sum, or log(1 + sum).
    window_days : int or None, default=None
        Only events of that many days before the cutoff (or up to the last event) are learned from.
    half_life_days : float or None, default=None
        Days after which an event weighs half.
    min_rating : float or None, default=None
        Events that are rated lower, or not at all, are not learned from.

    Returns
    -------
    Interactions
        The matrix and what the customers have had.

    Raises
    ------
    DataError
        If days or ratings are asked for that are not there, or nothing is left to learn from.
    """
    weight = events.weight
    if window_days is not None or half_life_days is not None:
        if events.day is None:
            raise DataError(f"window_days and half_life_days need the column time or day in {_WHAT}")
        age = events.now - 1 - events.day
        if window_days is not None:
            weight = np.where(age < window_days, weight, 0.0)
        if half_life_days is not None:
            weight = weight * np.exp2(-age / half_life_days)
    if min_rating is not None:
        if events.rating is None:
            raise DataError(f"min_rating needs the column rating in {_WHAT}")
        weight = np.where(events.rating >= min_rating, weight, 0.0)
    shape = (len(events.customers), len(events.items))
    matrix, had = add_pairs(events, weight, values)
    if not matrix.nnz:
        why = "is a refund, weighs nothing, or was taken back"
        if window_days is not None:
            why = f"is older than the window of {window_days} days, {why}"
        if min_rating is not None:
            why = f"is rated below {min_rating} or not at all, {why}"
        raise DataError(f"{_WHAT} leave nothing to learn from: every event {why}")
    assert matrix.shape == shape  # noqa: S101 -- rows and columns are the ids
    return Interactions(
        events.customers, events.items, matrix, had, events.day is not None, events.now, dict(events.set_aside)
    )


def add_pairs(
    events: Events, weight: npt.NDArray[np.float64], values: str
) -> tuple[sparse.csr_array, sparse.csr_array]:
    """Add weights up by pair, less the share that was given back.

    Parameters
    ----------
    events : Events
        The rows.
    weight : ndarray of float64, shape (n_events,)
        What each row weighs.
    values : {"binary", "count", "log"}
        How a pair's weights become its value.

    Returns
    -------
    tuple of csr_array and csr_array
        The values above 0, and the last day of the pairs that were had.
    """
    n_customers, n_items = len(events.customers), len(events.items)
    key = events.customer * n_items + events.item
    order = np.argsort(key, kind="stable")
    key = key[order]
    starts = np.flatnonzero(np.r_[True, key[1:] != key[:-1]])
    pair = key[starts]
    add = np.maximum if values == "binary" else np.add
    value = add.reduceat(weight[order], starts)
    if events.measure is not None and (events.measure < 0).any():
        measure = events.measure[order]
        bought, net = np.add.reduceat(np.maximum(measure, 0.0), starts), np.add.reduceat(measure, starts)
        left = np.divide(net, bought, out=np.ones_like(net), where=bought > 0)
        # What is left of a pair is a share of it; a value that only says whether stays whole until all is given back.
        value = np.where(left > 1e-9, value if values == "binary" else value * left, 0.0)
    if values == "log":
        value = np.log1p(np.maximum(value, 0.0))
    day = np.zeros(len(order), dtype=np.int64) if events.day is None else events.day[order]
    never = np.iinfo(np.int32).min
    last = np.maximum.reduceat(np.where(events.had[order], day, never), starts)
    learned, had = value > 0, last > never
    return (
        _as_csr(pair[learned], value[learned], n_customers, n_items),
        _as_csr(pair[had], last[had].astype(np.int32), n_customers, n_items),
    )


def _as_csr(pair: npt.NDArray[np.int64], stored: npt.NDArray[Any], n_rows: int, n_columns: int) -> sparse.csr_array:
    """Make a matrix of sorted pairs without adding or dropping any."""
    row, column = np.divmod(pair, n_columns)
    pointer = np.zeros(n_rows + 1, dtype=np.int64)
    np.cumsum(np.bincount(row, minlength=n_rows), out=pointer[1:])
    kind = np.int32 if len(pair) < np.iinfo(np.int32).max else np.int64
    return sparse.csr_array((stored, column.astype(kind), pointer.astype(kind)), shape=(n_rows, n_columns))


def _weights(
    frame: pd.DataFrame, event_weights: Mapping[str, float] | None, had_events: tuple[str, ...] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Give what each row weighs, and whether its customer has the item from then on."""
    if "event" not in frame.columns:
        if event_weights is not None or had_events is not None:
            hint = "event_weights and events are for tables with kinds of event"
            require_columns(frame, ["event"], what=_WHAT, hint=hint)
        return np.ones(len(frame)), np.ones(len(frame), dtype=bool)
    codes, distinct = pd.factorize(frame["event"])
    if (codes < 0).any():
        raise DataError(f"{_WHAT}: event is missing in {positions(codes < 0)}")
    kinds = [str(kind) for kind in distinct]
    if event_weights is None:
        if len(kinds) > 1:
            raise DataError(
                f"{_WHAT} hold several kinds of event ({', '.join(sorted(kinds))}): say what each weighs, such as "
                f"event_weights={{{kinds[0]!r}: 1.0, …}}"
            )
        event_weights = {kinds[0]: 1.0}
    event_weights = {str(kind): weight for kind, weight in event_weights.items()}
    unknown = sorted(set(kinds) - set(event_weights))
    if unknown:
        raise DataError(
            f"{_WHAT}: event_weights say nothing of {', '.join(map(repr, unknown))}; they name "
            f"{', '.join(sorted(event_weights))}. Give a weight of 0 to a kind that should not count"
        )
    weights = np.array([float(event_weights[kind]) for kind in kinds])
    if not np.isfinite(weights).all():
        raise DataError("event_weights must be finite numbers")
    if had_events is None:
        had_events = ("purchase",) if "purchase" in event_weights else tuple(event_weights)
    strange = sorted(set(had_events) - set(event_weights))
    if strange:
        raise DataError(
            f"events names {', '.join(map(repr, strange))}, of which nothing is known; event_weights name "
            f"{', '.join(sorted(event_weights))}"
        )
    return weights[codes], np.isin(kinds, had_events)[codes]


def _measure(frame: pd.DataFrame) -> npt.NDArray[np.float64] | None:
    """Give quantities, or amounts where there are none."""
    column = next((name for name in ("quantity", "amount") if name in frame.columns), None)
    return None if column is None else np.nan_to_num(_floats(frame, column), nan=0.0)


def _floats(frame: pd.DataFrame, column: str) -> npt.NDArray[np.float64]:
    """Give a numeric column, NaN where it is missing."""
    series = frame[column]
    if not pd.api.types.is_numeric_dtype(series.dtype) or pd.api.types.is_bool_dtype(series.dtype):
        raise DataError(f"{_WHAT}: {column} must hold numbers, got {series.dtype}")
    numbers = series.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(numbers).any():
        raise DataError(f"{_WHAT}: {column} is infinite in {positions(np.isinf(numbers))}")
    return numbers


def _day_of(cutoff: Any) -> int:
    """Give the first day that is not wholly before a cutoff."""
    from crmkit.preparation import as_cutoff

    return as_cutoff(cutoff).day
