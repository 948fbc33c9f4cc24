"""Compares recommenders at cutoffs in time, customers and pairs apart, what was popular lately always among them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics.intervals import check_level
from crmkit.preparation import calendar_days
from crmkit.recommendation.evaluation._arguments import (
    counting_of,
    goods,
    moments,
    share_of_one,
    usable_rows,
    whole_number,
)
from crmkit.recommendation.evaluation._entrants import named, yardsticks
from crmkit.recommendation.evaluation._figures import Drawing, difference_table, drawn_groups, mean_table, variety_table
from crmkit.recommendation.evaluation._judging import Sides, judge
from crmkit.recommendation.evaluation._result import RankingEvaluation
from crmkit.recommendation.evaluation._windows import held_out_at_random, window_after

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmkit.preparation import Cutoff
    from crmkit.recommendation.evaluation._windows import Window

__all__ = ["evaluate"]

_FLATTERS = (
    "pairs held out at random flatter models: they learn from what other customers, and the same one, did later. "
    "Choose by split='time'"
)


def evaluate(
    models: Any,
    interactions: Any,
    *,
    cutoffs: Any = None,
    horizon: int = 30,
    n: int = 10,
    split: Literal["time", "random"] = "time",
    holdout: float = 0.2,
    events: tuple[str, ...] | None = None,
    min_rating: float | None = None,
    items: Any = None,
    customers: Any = None,
    baseline: str | None = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> RankingEvaluation:
    """Judge recommenders by what customers did next.

    Each model is fitted anew on the events strictly before each cutoff and asked for lists for every customer who then
    bought anything within ``horizon`` days, known or not. What most customers bought in the 30 days before the cutoff
    is always judged beside them: where there are seasons it is hard to beat, and a model that does not beat it is not
    worth its upkeep. Where there are hardly any events in 30 days, judge ``popularity`` with a longer window too.

    Two jobs are judged apart, because no model is best at both. For *any* pair a model may recommend what the customer
    already has (``exclude="nothing"``): among these are *repeat* purchases. For *new* pairs it is asked for lists
    without it (``exclude="bought"``), and only what the customer did not have before counts. A model that takes no
    ``exclude`` is judged by one list. Customers without a history are counted, and shown in rows of their own.

    Parameters
    ----------
    models : str, recommender, (label, recommender), mapping of label to recommender, or a list of the first three
        Names of plugins of kind recommender, or anything with ``fit(interactions)`` and
        ``recommend(customer_ids, n)``; copies are fitted, what is handed in stays as it is. ``fit`` is also given
        ``items``, ``customers`` and ``cutoff`` where it takes them.
    interactions : table
        One row an event: ``customer_id``, ``item_id`` (or ``product_id``), ``time`` or ``day``, and where there are any
        ``event``, ``quantity``, ``amount``, ``rating``. What was taken back within the window does not count as
        wanted.
    cutoffs : date, time, text of one, or several of them
        Where models stop seeing. Several average over the moods of one month. Not with ``split="random"``.
    horizon : int, default=30
        How many days from a cutoff on count.
    n : int, default=10
        How many places count.
    split : {"time", "random"}, default="time"
        ``"random"`` holds out a share of each customer's items whenever they were, as many papers do. It flatters, and
        the result says so; customers without a history and repeat purchases do not exist in it. For tables without
        times, and to compare with published figures.
    holdout : float, default=0.2
        The share of each customer's items that ``split="random"`` holds out: at least one, and never all.
    events : tuple of str or None, default=None
        The kinds of event that count as wanting an item; None for ``"purchase"`` where that is one of the kinds, and
        for all kinds otherwise.
    min_rating : float or None, default=None
        Only events rated at least so high count.
    items, customers : table or None, default=None
        What is known of items and customers, for models that take it. It is not divided in time: leave out what was
        not known at the first cutoff. Coverage of lists is of ``items`` and all known before the cutoff; with a
        column ``category`` in ``items``, diversity of lists is measured by it.
    baseline : str or None, default=None
        The model that ``paired`` compares with; None for what was popular in the last 30 days (of pairs held out at
        random: ever).
    level : float, default=0.95
        Coverage of the intervals.
    n_resamples : int, default=1000
        How many times customers are drawn for the intervals; a customer is drawn with all their cutoffs.
    random_state : int, RandomState or None, default=0
        Draws customers, and what ``split="random"`` holds out.

    Returns
    -------
    RankingEvaluation
        ``table``, ``paired``, ``variety``, ``per_customer``, ``windows``, and ``against(model)``.

    Raises
    ------
    DataError
        If nothing lies before a cutoff or nothing that counts after it, a model gives lists that are none, or options
        contradict each other.

    Warns
    -----
    DataWarning
        If a model could not be fitted (it is left out), is worse than the yardstick at both jobs, the table ends well
        before a window does, rows have no customer or item, or ``split="random"`` was chosen.

    Notes
    -----
    The cost is that of fitting each model once a cutoff, and of two calls of ``recommend``.

    References
    ----------
    Ji, Y., Sun, A., Zhang, J., & Li, C. (2023). A critical study on data leakage in recommender system offline
    evaluation. ACM Transactions on Information Systems 41, 75. doi:10.1145/3569930

    Examples
    --------
    >>> from crmkit import recommendation
    >>> from crmkit.testing.tables import interactions
    >>> found = recommendation.evaluate(
    ...     ["item-knn"], interactions(n_customers=200), cutoffs=["2024-02-15", "2024-03-01"], horizon=14, n=3)
    >>> found.table.loc[("warm", "any"), ["n_customers", "ndcg"]].round(2)  # doctest: +NORMALIZE_WHITESPACE
                          n_customers  ndcg
    model
    item-knn                      182  0.31
    popularity (30 days)          182  0.18
    """
    if split not in {"time", "random"}:
        raise DataError(f"split must be 'time' or 'random', got {split!r}")
    asked = moments(cutoffs, split)
    n, horizon, share = whole_number(n, "n"), whole_number(horizon, "horizon"), share_of_one(holdout)
    check_level(level)
    frame = usable_rows(interactions)
    counting = counting_of(frame, events, min_rating)
    popular = yardsticks(frame, split, counting.counted(), min_rating)
    entrants, own = _with_yardsticks(named(models), popular), next(iter(popular))
    chosen = own if baseline is None else baseline
    if chosen not in entrants:
        raise DataError(f"baseline {chosen!r} is none of the models: {', '.join(map(repr, entrants))}")
    seen: list[int] | None = None
    if split == "random":
        warnings.warn(_FLATTERS, DataWarning, stacklevel=2)
        windows = [held_out_at_random(frame, share, counting, random_state)]
    else:
        windows = [window_after(frame, moment, horizon, counting) for moment in asked]
        seen = _days_seen(frame, asked, horizon)
        _warn_of_short_windows(asked, seen, horizon)
    catalogue, features = goods(items)
    sides = Sides(items, customers, features, None if events is None else counting.events, catalogue)
    judged = [judge(entrants, window, n, sides, level=level, needed=own) for window in windows]
    scores, everywhere = _of_all_windows([part for parts, _ in judged for part in parts], len(windows))
    if chosen not in everywhere:
        raise DataError(f"baseline {chosen!r} could not be judged at every cutoff: see the warnings")
    drawing = Drawing(level, n_resamples, _seed(random_state))
    groups = drawn_groups(scores, everywhere, drawing)
    table = mean_table(groups, level).assign(split=split if split == "time" else "random (flatters)")
    _warn_of_losers(table, everywhere, own)
    return RankingEvaluation(
        table=table,
        paired=difference_table(groups, chosen, level),
        variety=variety_table([row for _, rows in judged for row in rows], everywhere),
        per_customer=scores,
        windows=_window_table(windows, seen),
        split=split,
        n=n,
        baseline=chosen,
        models=tuple(everywhere),
        drawing=drawing,
    )


def _seed(random_state: Any) -> int:
    """Fix what customers are drawn by, so that every comparison is made on the same draws."""
    if isinstance(random_state, int | np.integer):
        return int(random_state)
    return int(check_random_state(random_state).randint(2**31 - 1))


def _with_yardsticks(models: dict[str, Any], popular: Mapping[str, Any]) -> dict[str, Any]:
    """Put the yardsticks beside the models, whose names they must not share."""
    taken = sorted(set(popular) & set(models))
    if taken:
        raise DataError(f"{taken[0]!r} is the name of the yardstick, which is always judged: give another label")
    return {**models, **popular}


def _of_all_windows(parts: list[pd.DataFrame], n_windows: int) -> tuple[pd.DataFrame, list[str]]:
    """Keep the models that were judged in every window: one that failed in some was not asked the same."""
    scores = pd.concat(parts, ignore_index=True)
    seen = scores.groupby("model", sort=False)["window"].nunique()
    everywhere = [str(name) for name in seen.index[seen == n_windows]]
    return scores[scores["model"].isin(everywhere)].reset_index(drop=True), everywhere


def _days_seen(frame: pd.DataFrame, asked: list[Cutoff], horizon: int) -> list[int]:
    """Count the days of each window until the table's last event."""
    last = int(calendar_days(frame, what="interactions").max())
    return [min(horizon, last + 1 - cutoff.day) for cutoff in asked]


def _warn_of_short_windows(asked: list[Cutoff], seen: list[int], horizon: int) -> None:
    """Say where the table ends so early that a window holds less than it promises."""
    short = [str(cutoff) for cutoff, days in zip(asked, seen, strict=True) if days < horizon - horizon // 4]
    if short:
        warnings.warn(
            f"the table ends more than a quarter of {horizon} days before the window of {', '.join(short)} does: what "
            "customers went on to buy is not counted",
            DataWarning,
            stacklevel=3,
        )


def _warn_of_losers(table: pd.DataFrame, models: list[str], yardstick_name: str) -> None:
    """Name the models that lose to the yardstick whatever pairs are asked for."""
    ndcg = table["ndcg"].xs("all", level="customers")
    behind = ndcg < ndcg.xs(yardstick_name, level="model").reindex(ndcg.index, level="pairs")
    worse = behind.groupby(level="model").all()
    losers = [name for name in models if worse[name]]
    if losers:
        warnings.warn(
            f"{', '.join(losers)} put what customers wanted lower than {yardstick_name} does, new items and all "
            "items alike: see .paired for how sure that is",
            DataWarning,
            stacklevel=3,
        )


def _window_table(windows: list[Window], seen: list[int] | None) -> pd.DataFrame:
    """Describe the windows; pairs held out at random have no days."""
    table = pd.DataFrame([_said_of(window) for window in windows]).set_index("window")
    if seen is not None:
        table.insert(1, "days_seen", seen)
    return table


def _said_of(window: Window) -> dict[str, Any]:
    """Describe a window."""
    customers = window.relevant.drop_duplicates("customer_id")
    return {
        "window": window.label,
        "until": window.until,
        "known_events": len(window.known),
        "known_customers": window.n_customers,
        "known_items": len(window.items),
        "customers": len(customers),
        "cold_share": float((~customers["warm"]).mean()),
        "relevant": len(window.relevant),
        "repeat_share": float((~window.relevant["new"]).mean()),
    }
