"""Fits each model on what was known, asks it for lists, and scores these by what came of it."""

from __future__ import annotations

import time
import warnings
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import CrmkitError, DataError, DataWarning
from crmkit.metrics import concentration, coverage, diversity, list_scores, novelty
from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._ids import Ids, as_ids, number_ids
from crmkit.recommendation.evaluation._entrants import accepts, fresh

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.recommendation.evaluation._windows import Window

__all__ = ["FIGURES", "VARIETY", "Sides", "judge"]

FIGURES = ("ndcg", "recall", "precision", "hit", "average_precision", "reciprocal_rank")
VARIETY = ("coverage", "concentration", "novelty", "diversity")

# What models say of data they cannot learn from, scikit-learn's ValueError among it; what is a mistake in their code
# (a TypeError, a KeyError) is not hidden.
_REFUSALS = (CrmkitError, ValueError, ArithmeticError, MemoryError)


@dataclass(frozen=True)
class Sides:
    """What is known of items and customers beside the events.

    Attributes
    ----------
    items, customers : table or None
        Handed to models that take them.
    features : pandas.DataFrame or None
        The category of each item, by which lists are diverse; None where it is not known.
    events : tuple of str or None, default=None
        The kinds of event that count, where they were named; handed to recommenders of crmkit.
    catalogue : ndarray or None, default=None
        The ids of ``items``: they could be recommended, sold before or not.
    """

    items: Any
    customers: Any
    features: pd.DataFrame | None
    events: tuple[str, ...] | None = None
    catalogue: npt.NDArray[Any] | None = None


def judge(
    models: Mapping[str, Any], window: Window, n: int, sides: Sides, *, level: float, needed: str
) -> tuple[list[pd.DataFrame], list[dict[str, Any]]]:
    """Score every model in one window.

    Parameters
    ----------
    models : mapping of str to recommender
        Unfitted, and left so.
    window : Window
        The question.
    n : int
        How many places count.
    sides : Sides
        Tables for the models.
    level : float
        Coverage of the intervals of variety.
    needed : str
        The model that must not fail.

    Returns
    -------
    tuple of list of pandas.DataFrame and list of dict
        For each model that could be judged the scores of every customer (``customer_id``, ``warm``, ``pairs``, the
        figures) and what its lists offer besides.
    """
    scores, variety = [], []
    for name, model in models.items():
        try:
            given, spent = _lists(name, model, window, n, sides)
            lists, judged_by = _alike(given, window)
            found = _scores(lists, judged_by, n).assign(model=name)
            offered = {asked: _variety(table, judged_by, n, sides, level=level) for asked, table in lists.items()}
        except _REFUSALS as error:
            if name == needed:
                raise DataError(
                    f"the yardstick, {name}, could not be judged ({window.label}), and without it no model is: {error}"
                ) from error
            warnings.warn(f"{name} could not be judged ({window.label}): {error}", DataWarning, stacklevel=4)
            continue
        scores.append(found)
        variety += [{"model": name, "lists": asked, **figures, **spent} for asked, figures in offered.items()]
    return scores, variety


def _lists(
    name: str, model: Any, window: Window, n: int, sides: Sides
) -> tuple[dict[str, pd.DataFrame], dict[str, float]]:
    """Fit one model and ask it for lists of anything, and of what customers have not had."""
    given = {"cutoff": window.cutoff, "items": sides.items, "customers": sides.customers}
    learner = fresh(model)
    given["events"] = sides.events if isinstance(model, BaseRecommender) else None
    begin = time.perf_counter()
    options = {key: value for key, value in given.items() if value is not None and accepts(learner.fit, key)}
    learner.fit(window.known, **options)
    fitted = time.perf_counter()
    customers = pd.unique(window.relevant["customer_id"])
    choosy = accepts(learner.recommend, "exclude")
    anything = learner.recommend(customers, n, **({"exclude": "nothing"} if choosy else {}))
    asked = time.perf_counter()
    unseen = learner.recommend(customers, n, exclude="bought") if choosy else anything
    lists = {"any": _checked(anything, customers, n, name), "new": _checked(unseen, customers, n, name)}
    return lists, {"fit_seconds": fitted - begin, "recommend_seconds": asked - fitted}


def _checked(lists: Any, customers: Any, n: int, name: str) -> pd.DataFrame:
    """Refuse lists that were not asked for, or are longer."""
    frame = as_frame(lists, what=f"the lists of {name}")
    missing = [column for column in ("customer_id", "item_id", "rank") if column not in frame.columns]
    if missing:
        raise DataError(f"the lists of {name} have no {', '.join(missing)}")
    if not frame["customer_id"].isin(customers).all():
        raise DataError(f"{name} recommends to customers who were not asked for, or gives their ids another type")
    if (frame["rank"] > n).any():
        raise DataError(f"{name} gives lists longer than the {n} places asked for")
    # Lists of nobody hold no ids and no ranks of any type; they found nothing.
    return frame[["customer_id", "item_id", "rank"]] if len(frame) else frame[["customer_id", "item_id"]].assign(rank=0)


def _alike(lists: dict[str, pd.DataFrame], window: Window) -> tuple[dict[str, pd.DataFrame], Window]:
    """Bring items to text where lists or the window hold them as text and the other as numbers: 7 and "7" are one."""
    in_numbers = pd.api.types.is_numeric_dtype(window.items.dtype)
    if all(pd.api.types.is_numeric_dtype(table["item_id"].dtype) == in_numbers for table in lists.values()):
        return lists, window
    read = {asked: as_ids(table["item_id"]) for asked, table in lists.items()}
    if any(missing.any() for _, missing in read.values()):
        return lists, window
    lists = {asked: table.assign(item_id=_as_text(read[asked][0])) for asked, table in lists.items()}
    relevant, bought = (
        table.assign(item_id=_as_text(table["item_id"].to_numpy())) for table in (window.relevant, window.bought)
    )
    return lists, replace(window, items=_as_text(window.items), relevant=relevant, bought=bought)


def _as_text(ids: npt.NDArray[Any]) -> npt.NDArray[Any]:
    """Write ids as text."""
    return ids.astype(str).astype(object)


def _scores(lists: Mapping[str, pd.DataFrame], window: Window, n: int) -> pd.DataFrame:
    """Score lists of anything by all pairs and by repeated ones, and lists of new items by new pairs."""
    relevant = window.relevant
    warm = relevant.drop_duplicates("customer_id").set_index("customer_id")["warm"]
    parts = []
    for pairs, rows in {
        "any": relevant,
        "repeat": relevant[~relevant["new"]],
        "new": relevant[relevant["new"]],
    }.items():
        if len(rows):
            found = list_scores(lists["new" if pairs == "new" else "any"], rows, n=n)
            parts.append(found.assign(warm=warm.reindex(found.index).to_numpy(dtype=bool), pairs=pairs).reset_index())
    return pd.concat(parts, ignore_index=True).assign(window=window.label)


def _variety(lists: pd.DataFrame, window: Window, n: int, sides: Sides, *, level: float) -> dict[str, float]:
    """Measure what lists offer besides being right; missing where there is no list."""
    found: dict[str, float] = {}
    figures: dict[str, Any] = dict.fromkeys(VARIETY)
    if len(lists):
        listed, of_lists = number_ids(lists["item_id"])
        if (listed < 0).any():
            raise DataError(f"item_id is empty in {positions(listed < 0)} of the lists")
        # All that could have been recommended, the same for every model that keeps to what is known.
        everything = Ids(window.items).joined(of_lists.values)
        everything = everything if sides.catalogue is None else everything.joined(sides.catalogue)
        lists = lists.assign(item_id=everything.numbers_of(of_lists.values)[listed])
        catalogue = np.arange(len(everything))
        figures["coverage"] = coverage(lists, catalogue, n=n, level=level)
        figures["concentration"] = concentration(lists, catalogue, n=n, level=level)
        if len(window.bought):
            had, of_bought = number_ids(window.bought["item_id"])
            bought = window.bought.assign(item_id=everything.numbers_of(of_bought.values)[had])
            figures["novelty"] = novelty(lists, bought, n=n, level=level)
        if sides.features is not None and lists["customer_id"].duplicated().any():
            place = pd.Index(Ids(sides.features.index.to_numpy()).numbers_of(everything.values))
            features = sides.features.reset_index(drop=True).reindex(place)
            features = features.set_axis(pd.Index(catalogue, name="item_id"))
            figures["diversity"] = diversity(lists, features, n=n, level=level)
    for name, figure in figures.items():
        ends = (np.nan, np.nan, np.nan) if figure is None else (figure.value, figure.low, figure.high)
        found.update(zip((name, f"{name}_low", f"{name}_high"), ends, strict=True))
    return found
