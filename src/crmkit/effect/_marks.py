"""Satisfaction as a score for each answer, so that experiments, panels and tracking can average it."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics import ces, csat, nps

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["METRICS", "scores"]

METRICS: dict[str, Callable[..., Any]] = {
    "nps": nps,
    "csat": csat,
    "csat-mean": lambda ratings, **options: csat(ratings, method="mean", **options),
    "ces": ces,
    "ces-share": lambda ratings, **options: ces(ratings, method="share", **options),
}
"""Figures that are the mean of a score over answers, by the name they are asked for."""


def scores(ratings: Any, metric: str, *, scale: tuple[float, float] | None = None, **options: Any) -> pd.Series[float]:
    """Give each answer the number whose mean is the metric.

    What is a mean over answers can be compared between arms, over time and between groups: hand the result to
    ``compare_arms``, ``difference_in_differences`` or ``policy_value`` as the outcome. The score is read off the metric
    itself, one mark at a time, so that it cannot differ from it.

    Parameters
    ----------
    ratings : array-like of float, shape (n_answers,)
        Whole marks; fractions are allowed for means.
    metric : {"nps", "csat", "csat-mean", "ces", "ces-share"}
        100 for a promoter and -100 for a detractor; 1 for a satisfied answer; the mark itself; 1 for an answer that
        agrees that it was easy.
    scale : (float, float) or None, default=None
        Lowest and highest mark; None takes the metric's own (0 to 10, 1 to 5, 1 to 7).
    **options : object
        Of the metric: ``top=1`` for CSAT of the best mark alone, ``positive=6`` for the share of effort.

    Returns
    -------
    Series of float
        With the index of the ratings; missing where the mark is.

    Raises
    ------
    DataError
        If the metric is unknown, or a mark is off the scale or not whole.

    Examples
    --------
    >>> from crmkit.effect import scores
    >>> scores([10, 8, 3], "nps").tolist()
    [100.0, 0.0, -100.0]
    """
    if metric not in METRICS:
        raise DataError(f"metric must be one of {', '.join(map(repr, METRICS))}, got {metric!r}")
    marks = ratings if isinstance(ratings, pd.Series) else pd.Series(np.asarray(ratings))
    if scale is not None:
        options["scale"] = scale
    known = marks.notna().to_numpy(dtype=bool)
    result = np.full(len(marks), np.nan)
    if known.any():
        with warnings.catch_warnings():
            # Missing marks stay missing. Marks that the scale does not have are refused, all of them at once.
            warnings.simplefilter("ignore", DataWarning)
            METRICS[metric](marks, **options)
        codes, values = pd.factorize(marks[known])
        result[known] = np.array([float(METRICS[metric]([value], **options)) for value in values])[codes]
    return pd.Series(result, index=marks.index, name=metric)
