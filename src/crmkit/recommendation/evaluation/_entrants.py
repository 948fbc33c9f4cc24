"""The models that are judged, each under a name, the yardstick among them."""

from __future__ import annotations

import inspect
from collections.abc import Iterable, Mapping
from typing import TYPE_CHECKING, Any

from sklearn.base import clone

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.core.registry import available, create
from crmkit.recommendation._popularity import Popularity

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["ALL_TIME", "YARDSTICK", "accepts", "fresh", "named", "yardsticks"]

YARDSTICK = "popularity (30 days)"
ALL_TIME = "popularity (all time)"


def named(models: Any) -> dict[str, Any]:
    """Give unfitted models with a name each.

    Parameters
    ----------
    models : str, recommender, (label, recommender), mapping of label to recommender, or several of the first three
        What was handed in. Two names in a tuple could be two models or one with its label, and are refused where the
        first is that of a recommender.

    Returns
    -------
    dict of str to recommender
        In the order given; ``"name (2)"`` where a name stands twice.

    Raises
    ------
    TypeError
        If something is no recommender.
    DataError
        If there is no model, or it cannot be said which are meant.
    """
    if isinstance(models, Mapping):
        listed: list[Any] = list(models.items())
    elif isinstance(models, str) or hasattr(models, "fit"):
        listed = [models]
    elif _is_labelled(models):
        label, model = models
        if isinstance(model, str) and label in available("recommender"):
            raise DataError(
                f"models=({label!r}, {model!r}) may be two models or one under a label: write [{label!r}, {model!r}] "
                f"or [({label!r}, {model!r})]"
            )
        listed = [models]
    elif isinstance(models, Iterable):
        listed = list(models)
    else:
        raise TypeError(f"models must be names, recommenders or (label, recommender), got {type(models).__name__}")
    found: dict[str, Any] = {}
    for one in listed:
        label, model = one if _is_labelled(one) else (None, one)
        name = str(label) if label is not None else model if isinstance(model, str) else type(model).__name__
        made = create("recommender", model) if isinstance(model, str) else model
        require_methods(made, ["fit", "recommend"], role="a recommender")
        taken = sum(other == name or other.startswith(f"{name} (") for other in found)
        found[f"{name} ({taken + 1})" if taken and name in found else name] = made
    if not found:
        raise DataError("name at least one model: a recommender's name, a recommender, or (label, recommender)")
    return found


def _is_labelled(one: Any) -> bool:
    """Say whether this is a model with its label."""
    return isinstance(one, tuple) and len(one) == 2 and isinstance(one[0], str) and not isinstance(one[1], tuple | list)


def yardsticks(
    interactions: pd.DataFrame, split: str, counted: Mapping[str, float] | None, min_rating: float | None
) -> dict[str, Popularity]:
    """Make the models that every other is held against, the one that matters first.

    In time that is what most customers bought in the last 30 days. Of pairs held out at random most are not of the last
    days, so that what was ever popular is the harder one.

    Parameters
    ----------
    interactions : pandas.DataFrame
        The events; without days, all of them count.
    split : {"time", "random"}
        How they are divided.
    counted : mapping of str to float or None
        What each kind of event weighs; None where there are no kinds.
    min_rating : float or None
        Only events rated at least so high count.

    Returns
    -------
    dict of str to Popularity
        Unfitted.
    """
    given: dict[str, Any] = {"event_weights": counted, "min_rating": min_rating}
    found = {ALL_TIME: Popularity(window_days=None, **given)} if split == "random" else {}
    if split == "time" or "day" in interactions.columns or "time" in interactions.columns:
        found[YARDSTICK] = Popularity(window_days=30, **given)
    return found


def fresh(model: Any) -> Any:
    """Give a copy that has learned nothing, so that the caller's stays as it is."""
    return clone(model, safe=False)


def accepts(method: Any, option: str) -> bool:
    """Say whether a method takes an option by name."""
    parameters = inspect.signature(method).parameters.values()
    by_name = {inspect.Parameter.POSITIONAL_OR_KEYWORD, inspect.Parameter.KEYWORD_ONLY}
    return any(
        one.kind is inspect.Parameter.VAR_KEYWORD or (one.name == option and one.kind in by_name) for one in parameters
    )
