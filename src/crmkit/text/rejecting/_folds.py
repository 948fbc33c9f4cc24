"""Scores of texts by models that were not fitted on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.utils import check_random_state

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.text._texts import is_frame, read_texts

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt
    import pandas as pd

__all__ = ["assign_folds", "out_of_fold", "readable_rows", "score_columns", "take_rows"]

_TINY = 1e-12


def readable_rows(X: Any) -> Any:
    """Give texts, a table or numbers in a form that rows can be taken from by position.

    Parameters
    ----------
    X : list, array or Series of str, or table, or array of numbers, shape (n_rows, …)
        What a user handed in.

    Returns
    -------
    ndarray, pandas.DataFrame or scipy.sparse matrix
        The same rows.
    """
    if sparse.issparse(X):
        matrix: Any = X
        return matrix.tocsr()
    if isinstance(X, np.ndarray) and X.ndim == 2:
        return X
    return as_frame(X, what="X") if is_frame(X) else read_texts(X, what="X")


def take_rows(X: Any, rows: npt.NDArray[Any]) -> Any:
    """Take rows by position or mask."""
    return _frame_rows(X, rows) if hasattr(X, "iloc") else X[rows]


def _frame_rows(X: pd.DataFrame, rows: npt.NDArray[Any]) -> pd.DataFrame:
    return X.iloc[rows] if rows.dtype != bool else X[rows]


def assign_folds(codes: npt.NDArray[np.int64], n_folds: int, random_state: Any) -> npt.NDArray[np.int64]:
    """Spread the texts of each class over folds as evenly as they go.

    Parameters
    ----------
    codes : ndarray of int64, shape (n_texts,)
        The class of each text.
    n_folds : int
        How many folds, at least two.
    random_state : int, RandomState or None
        Which text goes where.

    Returns
    -------
    ndarray of int64, shape (n_texts,)
        The fold each text is tested in; -1 for the only text of its class, which every model needs to learn from.

    Raises
    ------
    DataError
        If no class has two texts.
    """
    order = check_random_state(random_state).permutation(len(codes))
    order = order[np.argsort(codes[order], kind="stable")]
    alone = np.bincount(codes)[codes[order]] < 2
    if alone.all():
        raise DataError("no class has two texts: there is none to try a model on that did not learn from it")
    fold = np.full(len(codes), -1, dtype=np.int64)
    tested = order[~alone]
    fold[tested] = np.arange(len(tested)) % n_folds
    return fold


def score_columns(classifier: Any, X: Any) -> npt.NDArray[np.float64]:
    """Give one score a class, larger for the likelier, whatever the classifier calls them.

    Parameters
    ----------
    classifier : object
        Fitted, with ``decision_function`` or ``predict_proba``.
    X : texts or rows
        As for its ``predict``.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_classes)
        Decision values (of two classes, the one number with both signs), or logarithms of probabilities.

    Raises
    ------
    TypeError
        If it has neither.
    """
    if callable(getattr(classifier, "decision_function", None)):
        scores = np.asarray(classifier.decision_function(X), dtype=np.float64)
        return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
    if not callable(getattr(classifier, "predict_proba", None)):
        raise TypeError(
            f"{type(classifier).__name__} has neither decision_function nor predict_proba: there is nothing to "
            "tell a sure answer from an unsure one by"
        )
    chances = np.asarray(classifier.predict_proba(X), dtype=np.float64)
    return np.log(np.maximum(chances, _TINY))


def out_of_fold(
    make: Callable[[], Any], X: Any, labels: npt.NDArray[Any], folds: npt.NDArray[np.int64]
) -> npt.NDArray[np.float64]:
    """Score each text by a model that was fitted on the other folds.

    Parameters
    ----------
    make : callable
        Gives the classifier to fit, not fitted.
    X : as from `readable_rows`, shape (n_texts, …)
        The texts.
    labels : ndarray, shape (n_texts,)
        Their labels.
    folds : ndarray of int64, shape (n_texts,)
        From `assign_folds`.

    Returns
    -------
    ndarray of float64, shape (n_texts, n_classes)
        From `score_columns`; NaN for a text that is in no fold.
    """
    scores = np.full((len(labels), len(np.unique(labels))), np.nan)
    for fold in np.unique(folds[folds >= 0]).tolist():
        tested = np.flatnonzero(folds == fold)
        trained = np.flatnonzero(folds != fold)
        model = make().fit(take_rows(X, trained), labels[trained])
        scores[tested] = score_columns(model, take_rows(X, tested))
    return scores
