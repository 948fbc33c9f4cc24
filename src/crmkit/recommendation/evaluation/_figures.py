"""Means over customers and differences between models, with intervals from one set of draws of customers."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.metrics import wilson
from crmkit.metrics.paired import ends, resampled_means
from crmkit.recommendation.evaluation._judging import FIGURES, VARIETY

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

__all__ = ["GROUPS", "Drawing", "difference_table", "mean_table", "variety_table"]

GROUPS = (
    ("all", "any"),
    ("all", "new"),
    ("warm", "any"),
    ("warm", "new"),
    ("warm", "repeat"),
    ("cold", "any"),
)
"""Whose and which pairs: everyone or customers with or without a history; whatever they wanted, what they did not have
before, and what they had."""


@dataclass(frozen=True)
class Drawing:
    """How intervals are drawn.

    Attributes
    ----------
    level : float
        Nominal coverage.
    n_resamples : int
        How many times customers are drawn.
    random_state : int or None
        Seed.
    """

    level: float
    n_resamples: int
    random_state: Any


@dataclass(frozen=True)
class _Group:
    """The scores of one group: rows are customers at a cutoff, columns the figures of one model after the other."""

    customers: str
    pairs: str
    models: list[str]
    values: npt.NDArray[np.float64]
    codes: npt.NDArray[np.int64]

    @property
    def n_customers(self) -> int:
        """How many different customers there are."""
        return int(self.codes.max()) + 1

    def drawn(self, drawing: Drawing) -> npt.NDArray[np.float64]:
        """Give the means of all columns on resamples of customers."""
        return resampled_means(self.values, self.codes, drawing.n_resamples, drawing.random_state)


def _groups(scores: pd.DataFrame, models: Sequence[str]) -> Iterator[_Group]:
    """Give the groups that hold anybody."""
    for customers, pairs in GROUPS:
        here = scores["pairs"] == pairs
        if customers != "all":
            here &= scores["warm"] == (customers == "warm")
        rows = scores[here]
        if not len(rows):
            continue
        # Every model scored the same customers in the same order.
        parts = {str(model): part for model, part in rows.groupby("model", sort=False)}
        first = parts[models[0]]
        values = np.column_stack([parts[model][list(FIGURES)].to_numpy(dtype=np.float64) for model in models])
        codes = pd.factorize(first["customer_id"])[0].astype(np.int64)
        yield _Group(customers, pairs, list(models), values, codes)


def mean_table(scores: pd.DataFrame, models: Sequence[str], drawing: Drawing) -> pd.DataFrame:
    """Give the mean of each figure of each model in each group.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row a model, window, kind of pairs and customer.
    models : sequence of str
        Those that scored everyone.
    drawing : Drawing
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customers``, ``pairs``, ``model``.
    """
    tables = []
    for group in _groups(scores, models):
        means = group.values.mean(axis=0)
        low, high = ends(group.drawn(drawing), drawing.level)
        # Where no customer differs from another the draws do not either, which is no certainty.
        flat = low == high
        some = wilson(means * group.n_customers, group.n_customers, level=drawing.level)
        low, high = np.where(flat, some[0], low), np.where(flat, some[1], high)
        table = _frame(group, {"": means, "_low": low, "_high": high})
        table.insert(0, "n_customers", group.n_customers)
        table.insert(1, "n_lists", len(group.codes))
        tables.append(table)
    return _in_order(tables)


def difference_table(scores: pd.DataFrame, models: Sequence[str], baseline: str, drawing: Drawing) -> pd.DataFrame:
    """Give how much better each model is than one of them, customer by customer.

    Parameters
    ----------
    scores : pandas.DataFrame
        One row a model, window, kind of pairs and customer.
    models : sequence of str
        Those that scored everyone.
    baseline : str
        The one that the others are held against.
    drawing : Drawing
        Of the intervals.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customers``, ``pairs``, ``model``.
    """
    tables = []
    for group in _groups(scores, models):
        place = group.models.index(baseline) * len(FIGURES)
        own = np.tile(np.arange(place, place + len(FIGURES)), len(group.models))
        means, drawn = group.values.mean(axis=0), group.drawn(drawing)
        low, high = ends(drawn - drawn[:, own], drawing.level)
        table = _frame(group, {"": means - means[own], "_low": low, "_high": high})
        table.insert(0, "n_customers", group.n_customers)
        tables.append(table.drop(index=baseline, level="model"))
    return _in_order(tables)


def _in_order(tables: list[pd.DataFrame]) -> pd.DataFrame:
    """Put groups together under an index whose levels stand in the order of the rows, so that it can be sliced."""
    table = pd.concat(tables)
    found = [pd.factorize(table.index.get_level_values(level)) for level in range(table.index.nlevels)]
    levels: list[Any] = [level for _, level in found]
    codes: list[Any] = [code for code, _ in found]
    return table.set_axis(pd.MultiIndex(levels=levels, codes=codes, names=table.index.names))


def _frame(group: _Group, columns: dict[str, npt.NDArray[np.float64]]) -> pd.DataFrame:
    """Put columns of all models side by side into one row a model."""
    index = pd.MultiIndex.from_product(
        [[group.customers], [group.pairs], group.models], names=["customers", "pairs", "model"]
    )
    shaped = {end: column.reshape(len(group.models), len(FIGURES)) for end, column in columns.items()}
    cells = {f"{name}{end}": shaped[end][:, place] for place, name in enumerate(FIGURES) for end in columns}
    return pd.DataFrame(cells, index=index)


def variety_table(rows: list[dict[str, Any]], models: Sequence[str]) -> pd.DataFrame:
    """Give what the lists of each model offer besides being right, averaged over cutoffs.

    Parameters
    ----------
    rows : list of dict
        One a model, kind of lists and window.
    models : sequence of str
        Those that were judged in every window.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``lists``, ``model``. The ends are the means of the ends of each cutoff, as if cutoffs erred
        together.
    """
    table = pd.DataFrame(rows)
    columns = [f"{name}{end}" for name in VARIETY for end in ("", "_low", "_high")]
    columns = [name for name in columns if table[name].notna().any()]
    means = table.groupby(["lists", "model"], sort=False)[[*columns, "fit_seconds", "recommend_seconds"]].mean()
    return _in_order([means.loc[[(lists, model) for lists in ("any", "new") for model in models]]])
