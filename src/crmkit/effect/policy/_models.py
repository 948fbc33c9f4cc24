"""Cross-fitted models: no row is judged by a model that has seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.core.registry import create

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["cross_fitted_outcomes", "cross_fitted_propensity", "folds_of"]


def folds_of(
    codes: npt.NDArray[np.intp], cluster: npt.NDArray[np.intp] | None, n_folds: int, rng: np.random.Generator
) -> npt.NDArray[np.intp]:
    """Draw folds, evenly within each arm, or of whole clusters.

    Parameters
    ----------
    codes : ndarray of int, shape (n_rows,)
        Arms.
    cluster : ndarray of int or None
        Rows of one cluster come into one fold.
    n_folds : int
        At least 2.
    rng : numpy.random.Generator
        Draws.

    Returns
    -------
    ndarray of int, shape (n_rows,)
        The fold of each row.

    Raises
    ------
    DataError
        If there are fewer than two folds, or fewer rows or clusters than folds.
    """
    unit = np.arange(len(codes)) if cluster is None else cluster
    n_units = int(unit.max()) + 1
    if n_folds < 2 or n_units < n_folds:
        raise DataError(f"n_folds must be at least 2 and at most the {n_units} independent rows, got {n_folds!r}")
    stratum = codes if cluster is None else np.zeros(n_units, dtype=np.intp)
    order = np.lexsort((rng.random(n_units), stratum))
    fold = np.empty(n_units, dtype=np.intp)
    fold[order] = np.arange(n_units) % n_folds
    return fold[unit]


def _model(model: Any, kind: str, methods: list[str], role: str) -> Any:
    """Give a model by its name or as it is handed in."""
    made = create(kind, model) if isinstance(model, str) else model
    require_methods(made, methods, role=role)
    return made


def cross_fitted_outcomes(
    model: Any,
    matrix: npt.NDArray[np.float64],
    outcome: npt.NDArray[np.float64],
    codes: npt.NDArray[np.intp],
    arms: list[Any],
    folds: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    """Predict each row's outcome under each arm from the other folds' rows of that arm.

    Parameters
    ----------
    model : str or regressor
        A regressor's name, or one to be cloned; an arm's mean is used where there are no covariates.
    matrix : ndarray, shape (n_rows, n_covariates)
        Covariates.
    outcome : ndarray, shape (n_rows,)
        Outcomes.
    codes : ndarray of int, shape (n_rows,)
        Arms given.
    arms : list
        Their labels, for messages.
    folds : ndarray of int, shape (n_rows,)
        Folds.

    Returns
    -------
    ndarray of float64, shape (n_rows, n_arms)
        Expected outcomes.

    Raises
    ------
    DataError
        If an arm has no rows outside a fold, or a model predicts no number.
    """
    fresh = _model(model, "regressor", ["fit", "predict"], "an outcome model") if matrix.shape[1] else None
    expected = np.empty((len(outcome), len(arms)))
    for fold in range(int(folds.max()) + 1):
        here = folds == fold
        for arm, label in enumerate(arms):
            rows = ~here & (codes == arm)
            if rows.sum() < 2:
                raise DataError(f"arm {label!r} has too few rows to learn its outcome outside a fold: take fewer folds")
            if fresh is None:
                expected[here, arm] = outcome[rows].mean()
                continue
            fitted: Any = clone(fresh)
            fitted.fit(matrix[rows], outcome[rows])
            expected[here, arm] = np.asarray(fitted.predict(matrix[here]), dtype=np.float64)
    if not np.isfinite(expected).all():
        raise DataError("the outcome model predicts what is no finite number")
    return expected


def cross_fitted_propensity(
    model: Any,
    matrix: npt.NDArray[np.float64],
    codes: npt.NDArray[np.intp],
    arms: list[Any],
    folds: npt.NDArray[np.intp],
) -> npt.NDArray[np.float64]:
    """Predict the chance of the arm each row was given from the other folds' rows.

    Parameters
    ----------
    model : str or classifier
        A classifier's name, or one to be cloned; with ``predict_proba``.
    matrix, codes, arms, folds
        As for the outcomes.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        Probabilities, 0 where the arm was not among the rows learned from.

    Raises
    ------
    DataError
        If there are no covariates to learn from.
    """
    if not matrix.shape[1]:
        raise DataError("propensity_model needs covariates: they are what the chance of an arm is learned from")
    fresh = _model(model, "classifier", ["fit", "predict_proba"], "a propensity model")
    chance = np.zeros(len(codes))
    for fold in range(int(folds.max()) + 1):
        here = np.flatnonzero(folds == fold)
        fitted: Any = clone(fresh)
        fitted.fit(matrix[folds != fold], codes[folds != fold])
        place = np.full(len(arms), -1)
        place[np.asarray(fitted.classes_, dtype=np.intp)] = np.arange(len(fitted.classes_))
        column = place[codes[here]]
        known = column >= 0
        chance[here[known]] = np.asarray(fitted.predict_proba(matrix[here]))[known, column[known]]
    return chance
