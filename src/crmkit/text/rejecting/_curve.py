"""How many texts of the known classes each threshold keeps, and how many others it leaves out."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

__all__ = ["rejection_curve"]


def rejection_curve(sure: Any, right: Any, *, outside: Any = None, n_points: int = 101) -> pd.DataFrame:
    """Give what each threshold would do, from keeping every text to keeping almost none.

    For choosing what to promise: how many texts get a label, how many of the labels are right and, where texts about
    none of the classes are at hand, how many of those are left out. Use texts that were not trained on.

    Parameters
    ----------
    sure : array-like of float, shape (n_texts,)
        How sure the classifier is of texts of the known classes (`RejectingClassifier.sureness`, or any score).
    right : array-like of bool, shape (n_texts,)
        Whether the likeliest label of each is right.
    outside : array-like of float, shape (n_others,), default=None
        How sure it is of texts about none of the classes.
    n_points : int, default=101
        How many thresholds, at equal steps of the share kept.

    Returns
    -------
    pandas.DataFrame
        By falling share kept: ``threshold``, ``kept`` (share of the texts that get a label), ``precision`` (share of
        these labels that is right), ``answered_right`` (share of all texts that get the right label) and, with
        ``outside``, ``outside_left`` (share of the others that get no label) and ``precision_with_outside`` (share of
        all labels given that is right, the others' being wrong).

    Raises
    ------
    DataError
        If there are no texts, the lengths differ, or a score is no number.

    Examples
    --------
    >>> from crmkit.text import rejection_curve
    >>> curve = rejection_curve([0.9, 0.8, 0.3, 0.6], [True, True, False, True], outside=[0.2, 0.7], n_points=5)
    >>> curve[["kept", "precision", "outside_left"]].to_numpy().tolist()
    [[1.0, 0.75, 0.5], [0.75, 1.0, 0.5], [0.5, 1.0, 1.0], [0.25, 1.0, 1.0]]
    """
    known, hits = _finite(sure, "sure"), np.asarray(right, dtype=bool)
    if hits.shape != known.shape:
        raise DataError(f"sure and right must be as long: {len(known)} and {hits.size}")
    if not len(known):
        raise DataError("a curve of no texts is not defined")
    if n_points < 2:
        raise DataError(f"n_points must be at least 2, got {n_points}")
    order = np.argsort(-known, kind="stable")
    falling, right_so_far = known[order], np.cumsum(hits[order])
    wanted = np.unique(np.ceil(np.linspace(0.0, 1.0, n_points)[1:] * len(known) - 1e-9).astype(np.int64))[::-1]
    thresholds = falling[wanted - 1]
    # Equal scores are kept together.
    n_kept = np.searchsorted(-falling, -thresholds, side="right")
    n_right = right_so_far[n_kept - 1]
    curve = pd.DataFrame(
        {
            "threshold": thresholds,
            "kept": n_kept / len(known),
            "precision": n_right / n_kept,
            "answered_right": n_right / len(known),
        }
    )
    if outside is not None:
        others = np.sort(_finite(outside, "outside"))
        if not len(others):
            raise DataError("outside has no texts: leave it out")
        n_left = np.searchsorted(others, thresholds, side="left")
        curve["outside_left"] = n_left / len(others)
        curve["precision_with_outside"] = n_right / (n_kept + len(others) - n_left)
    return curve.drop_duplicates("threshold", ignore_index=True)


def _finite(values: Any, what: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give scores as floats."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1:
        raise DataError(f"{what} must be one score a text, got shape {numbers.shape}")
    if np.isnan(numbers).any():
        raise DataError(f"{what} is missing in {positions(np.isnan(numbers))}")
    return numbers
