"""Effects of each customer by a model that has not seen the customer."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.core.registry import create
from crmkit.effect.uplift._design import features
from crmkit.effect.uplift._trial import Trial, check_order, read_arms, read_outcome

if TYPE_CHECKING:
    from crmkit.effect.protocols import UpliftModel

__all__ = ["cross_fitted_effects"]


def cross_fitted_effects(
    model: str | UpliftModel, X: Any, treatment: Any, outcome: Any, *, n_folds: int = 5, random_state: Any = 0
) -> pd.DataFrame:
    """Give effects on the customers of an experiment, each by a model learned on the others.

    A ranking that is judged on the customers it was learned from looks better than it is. Out-of-fold effects may be
    judged (``metrics.qini``, ``uplift_by_decile``) on all customers; folds differ in their models, so that the figure
    is of the way of learning, not of one model. Costs ``n_folds`` fits, without standard errors.

    Parameters
    ----------
    model : str or uplift model
        An uplift model's name, or one; a copy is fitted on each fold.
    X : table or array, shape (n_customers, n_features)
        Features.
    treatment : array-like, shape (n_customers,)
        Arms, as labels.
    outcome : array-like, shape (n_customers,)
        What came of it.
    n_folds : int, default=5
        Folds, drawn evenly within each arm and class.
    random_state : int, RandomState or None, default=0
        Draws the folds.

    Returns
    -------
    pandas.DataFrame, shape (n_customers, n_arms)
        Effects with the index of ``X``; a column a treated arm where the model names them.

    Raises
    ------
    DataError
        If there are fewer than two folds, or what the model refuses.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.effect.uplift import cross_fitted_effects
    >>> random = np.random.default_rng(0)
    >>> age, letter = random.uniform(20, 60, 4_000), random.integers(0, 2, 4_000)
    >>> spend = 10 + letter * (age - 40) / 4 + random.normal(size=4_000)
    >>> cross_fitted_effects("dr-learner", age[:, np.newaxis], letter, spend).shape
    (4000, 1)
    """
    made = create("uplift-model", model) if isinstance(model, str) else model
    require_methods(made, ["fit", "predict"], role="an uplift model")
    if n_folds < 2:
        raise DataError(f"n_folds must be at least 2, got {n_folds!r}")
    frame = features(X)
    if isinstance(X, pd.DataFrame):
        check_order(frame.index, treatment=treatment, outcome=outcome)
    labels, codes = read_arms(treatment, getattr(made, "control", None), len(frame))
    numbers, binary = read_outcome(outcome, len(frame))
    blank = np.empty((len(codes), 0))
    trial = Trial(blank, codes, numbers, labels, binary, blank, blank)
    folds = trial.folds(n_folds, check_random_state(random_state))
    arms, results = pd.Series(treatment).to_numpy(), pd.Series(outcome).to_numpy()
    parts: list[pd.DataFrame] = []
    for fold in range(n_folds):
        rest, here = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        copy: Any = clone(made)
        if "n_resamples" in copy.get_params():
            copy.set_params(n_resamples=0)
        answer = copy.fit(frame.iloc[rest], arms[rest], results[rest]).predict(frame.iloc[here])
        part = pd.DataFrame(answer[0] if isinstance(answer, tuple) else answer)
        parts.append(part.set_axis(here, axis=0))
    return pd.concat(parts).sort_index().set_axis(frame.index, axis=0)
