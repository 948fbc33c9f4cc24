"""Computes a feature table cutoff by cutoff, from a recipe and the rows."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from functools import partial
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import by_customer
from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._events import calendar_days, customer_codes, times
from crmkit.preparation.feature_tables._clock import Clock, make_clock
from crmkit.preparation.feature_tables._outcomes import (
    LABELS,
    censored_cutoffs,
    data_end,
    outcomes_after,
    outcomes_by,
)
from crmkit.preparation.feature_tables._table import FeatureTable

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.preparation.feature_tables._recipe import FeatureRecipe
    from crmkit.preparation.feature_tables._rows import EventRows

__all__ = ["Order", "make_table"]


@dataclass(frozen=True)
class Order:
    """What was asked of the label; makes the same table at other cutoffs."""

    horizon: int
    label: Any
    censored: str

    def __call__(
        self, recipe: FeatureRecipe, events: Any, cutoffs: Any, *, labels: bool, customers: Any, until: Any
    ) -> FeatureTable:
        clock = make_clock(cutoffs, recipe.timezone)
        rows = recipe.read(events, clock, stacklevel=5)
        return make_table(self, recipe, rows, clock, labels=labels, customers=customers, until=until, stacklevel=4)


def make_table(
    order: Order,
    recipe: FeatureRecipe,
    rows: tuple[EventRows, ...],
    clock: Clock,
    *,
    labels: bool,
    customers: Any,
    until: Any,
    stacklevel: int,
) -> FeatureTable:
    """Compute features and outcomes cutoff by cutoff."""
    ids, since = _population(rows, customers, clock)
    places = [ids.get_indexer(one.ids) for one in rows]
    late = np.zeros(len(clock.ticks), dtype=bool)
    if labels:
        end = data_end(rows[0], clock, until)
        late = censored_cutoffs(clock, order.horizon, end, order.censored, stacklevel=stacklevel + 1)
    kept, blocks, outcomes, coverage = [], [], [], []
    for number, tick in enumerate(clock.ticks.tolist()):
        snapshots = [
            table.snapshot(one, place, len(ids), tick, clock.day)
            for table, one, place in zip(recipe.tables, rows, places, strict=True)
        ]
        known = np.logical_or.reduce([one.seen for one in snapshots]) if since is None else since < tick
        chosen = np.flatnonzero(known)
        block = np.empty((len(chosen), len(recipe.aggregates)))
        start = 0
        for table, snapshot, one, place in zip(recipe.tables, snapshots, rows, places, strict=True):
            width = len(table.aggregates)
            table.fill(block[:, start : start + width], snapshot, one, place, chosen)
            start += width
        kept.append(chosen)
        blocks.append(block)
        if labels:
            found, told = _outcomes(order, rows, places[0], ids, chosen, tick, clock, unknown=bool(late[number]))
            outcomes.append(found)
            coverage.append(told)
    parts: Any = [ids, clock.index], [np.concatenate(kept), np.repeat(np.arange(len(kept)), list(map(len, kept)))]
    index = pd.MultiIndex(parts[0], parts[1], names=["customer_id", "cutoff"])
    names = [one.name for one in recipe.aggregates]
    made = pd.DataFrame(np.concatenate(blocks), index=index, columns=names, copy=False)
    _warn_of_nobody(kept, clock, stacklevel + 1)
    seen = pd.DataFrame({"customers": [len(one) for one in kept]}, index=clock.index)
    remake = partial(recipe.apply, customers=customers)
    if not labels:
        return FeatureTable(made, None, None, recipe, order.horizon, seen, order, remake)
    result = pd.concat(outcomes, ignore_index=True).set_axis(index)
    name = LABELS.get(order.label, "label") if isinstance(order.label, str) else "label"
    seen[["buyers", "cold"]] = np.array(coverage)
    return FeatureTable(made, result, result[name], recipe, order.horizon, seen, order, remake)


def _outcomes(
    order: Order,
    rows: tuple[EventRows, ...],
    place: npt.NDArray[np.intp],
    ids: pd.Index,
    chosen: npt.NDArray[np.intp],
    tick: int,
    clock: Clock,
    *,
    unknown: bool,
) -> tuple[pd.DataFrame, tuple[float, float]]:
    """Give the outcomes of the customers in the table, how many bought in all, and how many of these are not in it."""
    end = tick + order.horizon * clock.day
    everyone = pd.Index(rows[0].ids)
    after = outcomes_after(rows[0], np.arange(len(everyone)), len(everyone), tick, end)
    if isinstance(order.label, str) and LABELS[order.label] not in after:
        raise DataError("label 'sum' needs the column amount in the first table")
    # Customers of other tables only, and those without any row, bought nothing.
    of_chosen = np.full(len(ids), -1)
    of_chosen[place[place >= 0]] = np.flatnonzero(place >= 0)
    source = of_chosen[chosen]
    found = pd.DataFrame({name: np.append(values, 0.0)[source] for name, values in after.items()})
    if not isinstance(order.label, str):
        found["label"] = outcomes_by(order.label, rows, ids[chosen], tick, end).to_numpy()
    bought = after["bought"] > 0
    there = np.zeros(len(ids) + 1, dtype=bool)
    there[chosen] = True
    told = float(bought.sum()), float((bought & ~there[place]).sum())
    if unknown:
        return pd.DataFrame(np.nan, index=found.index, columns=found.columns), (np.nan, np.nan)
    return found, told


def _population(
    rows: tuple[EventRows, ...], customers: Any, clock: Clock
) -> tuple[pd.Index, npt.NDArray[np.int64] | None]:
    """Give the customers who may get rows, and from when on where a table of customers says so."""
    if customers is None:
        ids = rows[0].ids
        for one in rows[1:]:
            ids = ids if ids.equals(one.ids) else ids.union(one.ids)
        return pd.Index(ids, name="customer_id"), None
    frame = by_customer(customers, what="customers").reset_index()
    codes, ids = customer_codes(frame, what="customers")
    since = np.full(len(ids), np.iinfo(np.int64).min)
    if "day" in frame.columns or "time" in frame.columns:
        since[codes] = clock.moments(calendar_days(frame, what="customers"), times(frame))
    return ids, since


def _warn_of_nobody(kept: list[npt.NDArray[np.intp]], clock: Clock, stacklevel: int) -> None:
    """Say at which cutoffs nobody was known."""
    empty = [str(cutoff) for cutoff, chosen in zip(clock.cutoffs, kept, strict=True) if not len(chosen)]
    if empty:
        warnings.warn(
            f"no customer is known before {', '.join(empty)}: no rows there", DataWarning, stacklevel=stacklevel
        )
