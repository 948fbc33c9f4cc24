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
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["GROUPS", "Drawing", "Group", "difference_table", "drawn_groups", "mean_table", "variety_table"]

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
    random_state : int
        Seed.
    """

    level: float
    n_resamples: int
    random_state: Any


@dataclass(frozen=True)
class Group:
    """The scores of one group, and their means on resamples of its customers.

    Attributes
    ----------
    customers, pairs : str
        Whose, and which pairs.
    models : list of str
        Those that scored them.
    means : ndarray of shape (n_models * n_figures,)
        The figures of one model after the other.
    drawn : ndarray of shape (n_resamples, n_models * n_figures)
        The same on each resample.
    n_customers, n_lists : int
        Different customers, and customers at a cutoff.
    """

    customers: str
    pairs: str
    models: list[str]
    means: npt.NDArray[np.float64]
    drawn: npt.NDArray[np.float64]
    n_customers: int
    n_lists: int


def drawn_groups(scores: pd.DataFrame, models: Sequence[str], drawing: Drawing) -> list[Group]:
    """Put the scores of each group that holds anybody side by side, and draw its customers.

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
    list of Group
        In the order of the tables.
    """
    found = []
    for customers, pairs in GROUPS:
        here = scores["pairs"] == pairs
        if customers != "all":
            here &= scores["warm"] == (customers == "warm")
        if not here.any():
            continue
        # Every model scored the same customers in the same order.
        parts = {str(model): part for model, part in scores[here].groupby("model", sort=False)}
        values = np.column_stack([parts[model][list(FIGURES)].to_numpy(dtype=np.float64) for model in models])
        codes = pd.factorize(parts[models[0]]["customer_id"])[0].astype(np.int64)
        drawn = resampled_means(values, codes, drawing.n_resamples, drawing.random_state)
        n_customers = int(codes.max()) + 1
        found.append(Group(customers, pairs, list(models), values.mean(axis=0), drawn, n_customers, len(codes)))
    return found


def mean_table(groups: Sequence[Group], level: float) -> pd.DataFrame:
    """Give the mean of each figure of each model in each group.

    Parameters
    ----------
    groups : sequence of Group
        What was drawn.
    level : float
        Nominal coverage.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customers``, ``pairs``, ``model``.
    """
    tables = []
    for group in groups:
        low, high = ends(group.drawn, level)
        # Where no customer differs from another the draws do not either, which is no certainty.
        flat = low == high
        some = wilson(group.means * group.n_customers, group.n_customers, level=level)
        low, high = np.where(flat, some[0], low), np.where(flat, some[1], high)
        table = _frame(group, {"": group.means, "_low": low, "_high": high})
        table.insert(0, "n_customers", group.n_customers)
        table.insert(1, "n_lists", group.n_lists)
        tables.append(table)
    return _in_order(tables)


def difference_table(groups: Sequence[Group], baseline: str, level: float) -> pd.DataFrame:
    """Give how much better each model is than one of them, customer by customer.

    Parameters
    ----------
    groups : sequence of Group
        What was drawn.
    baseline : str
        The model that the others are held against.
    level : float
        Nominal coverage.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customers``, ``pairs``, ``model``.
    """
    tables = []
    for group in groups:
        place = group.models.index(baseline) * len(FIGURES)
        own = np.tile(np.arange(place, place + len(FIGURES)), len(group.models))
        low, high = ends(group.drawn - group.drawn[:, own], level)
        table = _frame(group, {"": group.means - group.means[own], "_low": low, "_high": high})
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


def _frame(group: Group, columns: dict[str, npt.NDArray[np.float64]]) -> pd.DataFrame:
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
