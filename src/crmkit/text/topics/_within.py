"""The topics within each class of texts, such as each kind of feedback."""

from __future__ import annotations

import warnings
from typing import Any, cast

import numpy as np
import pandas as pd
from sklearn.base import clone

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError, DataWarning
from crmkit.text._texts import read_texts
from crmkit.text.keywords._reading import read_classes

__all__ = ["topics_within"]


def topics_within(model: Any, texts: Any, by: Any, *, n_terms: int = 10) -> tuple[pd.DataFrame, dict[Any, Any]]:
    """Find topics within each class of texts by itself.

    Topics of the whole corpus mostly follow its classes; within complaints about delivery one wants to know what about
    delivery. A copy of the model is fitted on the texts of each class. A class with too few texts for so many topics is
    left out with a warning that counts its texts. Costs one fit a class.

    Parameters
    ----------
    model : topic model
        Cloned for each class, never changed.
    texts : list, array or Series of str, shape (n_texts,)
        The texts.
    by : array-like, shape (n_texts,)
        The class of each; texts without one are left out with a warning.
    n_terms : int, default=10
        At most how many terms a topic.

    Returns
    -------
    table : pandas.DataFrame
        What ``topics()`` of each model gives, below each other, indexed by ``class`` and ``topic``.
    models : dict
        From class to fitted model.

    Raises
    ------
    DataError
        If no class has enough texts.

    Examples
    --------
    >>> from crmkit import text
    >>> texts = ["refund late", "refund refused", "parcel late", "parcel broken"] * 3
    >>> model = text.NMFTopics(2, random_state=0)
    >>> table, models = text.topics_within(model, texts, ["money", "money", "post", "post"] * 3)
    >>> sorted(table.loc["post", "label"])
    ['broken / parcel', 'late / parcel']
    """
    require_methods(model, ["fit", "transform", "topics"], role="a topic model")
    values = read_texts(texts, what="texts")
    which, classes = read_classes(by, len(values))
    models: dict[Any, Any] = {}
    small: list[str] = []
    for number, label in enumerate(classes):
        members = np.flatnonzero(which == number)
        try:
            models[label] = cast("Any", clone(model)).fit(values[members])
        except DataError:
            small.append(f"{label!r} ({len(members)} texts)")
    if not models:
        raise DataError(f"no class has enough texts for the topics asked for: {', '.join(small)}; lower n_topics")
    if small:
        message = f"left out, for too few texts that differ: {', '.join(small)}; lower n_topics to see them"
        warnings.warn(message, DataWarning, stacklevel=2)
    tables = {label: fitted.topics(n_terms) for label, fitted in models.items()}
    return pd.concat(tables, names=["class", "topic"]), models
