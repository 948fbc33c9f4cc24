"""Lets a fitted model answer in the form that an evaluator takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.metrics import Evaluation

__all__ = ["labels_of", "respond"]


def labels_of(model: Any, target: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Give a classifier's labels in the order of its columns, or None for a regressor."""
    if not is_classifier(model):
        return None
    known = getattr(model, "classes_", None)
    labels = np.unique(target) if known is None else np.asarray(known)
    strange = ~pd.Series(target).isin(labels).to_numpy(dtype=bool)
    if strange.any():
        raise DataError(f"{int(strange.sum()):,} rows of y have a label that {type(model).__name__} never learned")
    return labels


def respond(model: Any, X: Any, evaluation: Evaluation, labels: npt.NDArray[Any] | None) -> npt.NDArray[Any]:
    """Let a fitted model answer; of two labels only the second's column is given.

    Parameters
    ----------
    model : estimator
        Fitted.
    X : table, array or texts
        The rows.
    evaluation : Evaluation
        Says which of the model's methods it takes.
    labels : ndarray or None
        As of :func:`labels_of`.

    Returns
    -------
    ndarray, shape (n_rows,) or (n_rows, n_labels)
        The answer.

    Raises
    ------
    DataError
        If the model has none of the methods.
    """
    name = next((one for one in evaluation.responses if callable(getattr(model, one, None))), None)
    if name is None:
        wanted = " or ".join(evaluation.responses)
        raise DataError(
            f"evaluator {evaluation.name!r} needs {wanted} of the model, which {type(model).__name__} lacks"
        )
    answer = np.asarray(getattr(model, name)(X))
    two_columns = name != "predict" and labels is not None and answer.ndim == 2 and answer.shape[1] == 2
    return answer[:, 1] if two_columns else answer
