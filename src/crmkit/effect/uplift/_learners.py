"""Gives models of an outcome by name or as handed in, and their expectations from either kind of model."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.base import clone, is_classifier
from sklearn.dummy import DummyRegressor

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.core.registry import available, create

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["expectation", "fitted", "outcome_learner", "regression_learner"]


def outcome_learner(model: Any, *, binary: bool) -> Any:
    """Give the model of an outcome.

    Parameters
    ----------
    model : str or estimator
        ``"auto"`` is logistic regression for binary outcomes and a linear one for others; another name is a
        classifier's for binary outcomes where there is one, else a regressor's.
    binary : bool
        Whether outcomes are 0 or 1.

    Returns
    -------
    estimator
        To be cloned.

    Raises
    ------
    DataError
        If a classifier is to learn an outcome that is not binary.
    """
    if isinstance(model, str):
        name = ("logistic" if binary else "linear") if model == "auto" else model
        kind = "classifier" if binary and name in available("classifier") else "regressor"
        return create(kind, name)
    if is_classifier(model):
        require_methods(model, ["fit", "predict_proba"], role="a classifier of the outcome")
        if not binary:
            raise DataError("a classifier cannot learn an outcome that is not 0 or 1: hand in a regressor")
    else:
        require_methods(model, ["fit", "predict"], role="a model of the outcome")
    return model


def regression_learner(model: Any) -> Any:
    """Give a model of effects, which are numbers whatever the outcome is.

    Parameters
    ----------
    model : str or regressor
        A regressor's name, or one.

    Returns
    -------
    estimator
        To be cloned.

    Raises
    ------
    DataError
        If it is a classifier.
    """
    made = create("regressor", model) if isinstance(model, str) else model
    require_methods(made, ["fit", "predict"], role="a model of effects")
    if is_classifier(made):
        raise DataError("effects are numbers, also of binary outcomes: hand in a regressor")
    return made


def fitted(
    model: Any, matrix: npt.NDArray[np.float64], target: npt.NDArray[np.float64], rng: np.random.RandomState
) -> Any:
    """Fit a fresh copy; where a sample holds one class only, what is learned is that value.

    Parameters
    ----------
    model : estimator
        To be cloned; draws afresh where its ``random_state`` is None.
    matrix : ndarray, shape (n_rows, n_columns)
        Features.
    target : ndarray, shape (n_rows,)
        What to learn.
    rng : RandomState
        Seeds it.

    Returns
    -------
    estimator
        Fitted.
    """
    copy: Any = clone(model)
    if is_classifier(copy):
        if np.ptp(target) == 0:
            return DummyRegressor().fit(matrix, target)
        # Classes are numbers without decimals to some learners.
        return _seeded(copy, rng).fit(matrix, target.astype(np.intp))
    return _seeded(copy, rng).fit(matrix, target)


def _seeded(model: Any, rng: np.random.RandomState) -> Any:
    """Seed what draws and has no seed of its own."""
    parameters = model.get_params()
    free = [name for name in parameters if name.split("__")[-1] == "random_state" and parameters[name] is None]
    return model.set_params(**{name: int(rng.randint(2**31 - 1)) for name in free}) if free else model


def expectation(model: Any, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the expected outcome: a regressor's prediction, a classifier's probability of 1.

    Parameters
    ----------
    model : estimator
        Fitted.
    matrix : ndarray, shape (n_rows, n_columns)
        Features.

    Returns
    -------
    ndarray of float64, shape (n_rows,)
        Expected outcomes.

    Raises
    ------
    DataError
        If the model gives what is no finite number.
    """
    answer = model.predict_proba(matrix)[:, 1] if is_classifier(model) else model.predict(matrix)
    expected = np.asarray(answer, dtype=np.float64).reshape(len(matrix))
    if not np.isfinite(expected).all():
        raise DataError(f"{type(model).__name__} predicts what is no finite number")
    return expected
