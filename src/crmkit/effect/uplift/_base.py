"""What all uplift learners share: reading, cross-fitting, average effects, and standard errors from half-samples."""

from __future__ import annotations

from abc import ABC, abstractmethod
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError
from crmkit.effect.uplift._design import Design, features
from crmkit.effect.uplift._effects import Effects
from crmkit.effect.uplift._learners import expectation, fitted, outcome_learner
from crmkit.effect.uplift._parameters import PARAMETERS
from crmkit.effect.uplift._propensity import Propensity
from crmkit.effect.uplift._trial import Trial, check_order, read_arms, read_outcome
from crmkit.metrics import mean

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.core.estimate import Estimate

__all__ = ["UpliftLearner", "out_of_fold", "outcomes_by_arm"]


def outcomes_by_arm(model: Any, trial: Trial, rng: np.random.RandomState) -> list[Any]:
    """Fit a model of the outcome in each arm, the control first.

    Parameters
    ----------
    model : estimator
        To be cloned.
    trial : Trial
        Customers to learn from.
    rng : RandomState
        Seeds models.

    Returns
    -------
    list of estimator
        One an arm.
    """
    arms = range(len(trial.labels))
    return [fitted(model, trial.matrix[trial.codes == a], trial.outcome[trial.codes == a], rng) for a in arms]


def out_of_fold(
    model: Any, trial: Trial, folds: npt.NDArray[np.intp], rng: np.random.RandomState
) -> npt.NDArray[np.float64]:
    """Expect each customer's outcome in each arm, by models that have not seen the customer.

    Parameters
    ----------
    model : estimator
        To be cloned.
    trial : Trial
        Customers to learn from.
    folds : ndarray of int, shape (n_customers,)
        The fold of each.
    rng : RandomState
        Seeds models.

    Returns
    -------
    ndarray of float64, shape (n_customers, n_arms)
        Expected outcomes, the control first.
    """
    expected = np.empty((len(trial.codes), len(trial.labels)))
    for fold in range(int(folds.max()) + 1):
        here = folds == fold
        for arm, one in enumerate(outcomes_by_arm(model, trial.take(np.flatnonzero(~here)), rng)):
            expected[here, arm] = expectation(one, trial.matrix[here])
    return expected


class UpliftLearner(BaseEstimator, ABC):
    """Reads an experiment, cross-fits it, and gives effects with standard errors; the learners say how they learn."""

    _parameter_constraints: ClassVar[dict[str, Any]] = PARAMETERS

    outcome_model: Any
    control: Any
    propensity: Any
    n_folds: int
    n_resamples: int
    random_state: Any

    def fit(self, X: Any, treatment: Any, outcome: Any) -> Self:
        """Learn effects from an experiment.

        Parameters
        ----------
        X : table or array, shape (n_customers, n_features)
            What was known before the treatment. Categories become indicators; missing numbers take the mean and, where
            there are any, a mark of their own.
        treatment : array-like, shape (n_customers,)
            The arm of each customer, as labels.
        outcome : array-like, shape (n_customers,)
            What came of it; 0 and 1 (or truth values) make it binary.

        Returns
        -------
        self
            Fitted.

        Raises
        ------
        DataError
            If an arm or class has too few customers, an outcome or arm is missing, lengths differ, or Series have the
            index of ``X`` in another order.

        Warns
        -----
        DataWarning
            If there is no control group.
        """
        self._validate_params()
        frame = features(X)
        if isinstance(X, pd.DataFrame):
            check_order(frame.index, treatment=treatment, outcome=outcome)
        labels, codes = read_arms(treatment, self.control, len(frame))
        numbers, binary = read_outcome(outcome, len(frame))
        rng = check_random_state(self.random_state)
        model = outcome_learner(self.outcome_model, binary=binary)
        design = Design.learn(frame)
        matrix = design.matrix(frame)
        blank = np.empty((len(codes), 0))
        trial = Trial(matrix, codes, numbers, labels, binary, blank, blank)
        self._refuse_small(trial)
        folds = trial.folds(self.n_folds, rng)
        propensity, chances = Propensity.learn(self.propensity, matrix, codes, labels, folds, rng)
        expected = out_of_fold(model, trial, folds, rng)
        scores = _scores(trial, expected, chances)
        trial = replace(trial, propensity=chances, scores=scores)
        self.control_ = labels[0]
        self.arms_ = list(labels[1:])
        self.binary_ = binary
        self.n_features_in_ = frame.shape[1]
        self.n_by_arm_ = [int(n) for n in np.bincount(codes, minlength=len(labels))]
        self._averages = [mean(scores[:, at], method="aipw, cross-fitted") for at in range(len(self.arms_))]
        self._design = design
        self._propensity = propensity
        self._columns = list(frame.columns)
        self._learn_all(model, trial, rng)
        return self

    @property
    def average_effects_(self) -> dict[Any, Estimate]:
        """The average effect of each treated arm by AIPW on cross-fitted models, with its interval."""
        return dict(zip(self.arms_, self._averages, strict=True))

    def predict(self, X: Any, arms: Sequence[Any] | None = None) -> Effects:
        """Give the effect of each treatment on each customer, with standard errors.

        Parameters
        ----------
        X : table or array, shape (n_customers, n_features)
            The features it was fitted on.
        arms : sequence, default=None
            Treated arms wanted; where None, all.

        Returns
        -------
        Effects
            ``effects`` and ``standard_errors``, frames of shape (n_customers, n_arms) with the index of ``X``.

        Raises
        ------
        DataError
            If features differ, or an arm is asked for that was not learned.
        """
        check_is_fitted(self, "arms_")
        wanted = list(self.arms_) if arms is None else list(arms)
        unseen = [arm for arm in wanted if arm not in self.arms_]
        if unseen:
            raise DataError(
                f"no effect was learned for {', '.join(map(repr, unseen))}; there are: "
                f"{', '.join(map(repr, self.arms_))} (against {self.control_!r})"
            )
        frame = features(X)
        if isinstance(X, list | tuple | np.ndarray) and frame.shape[1] != self.n_features_in_:
            raise DataError(f"X must have the {self.n_features_in_} features it was fitted on, got {frame.shape[1]}")
        if isinstance(X, list | tuple | np.ndarray):
            frame = frame.set_axis(self._columns, axis=1)
        matrix = self._design.matrix(frame)
        effects, errors = self._effects_and_errors(matrix, self._propensity.of(matrix))
        tables = (pd.DataFrame(one, index=frame.index, columns=pd.Index(self.arms_)) for one in (effects, errors))
        # By place: a list of truth values, which labels may be, would pick rows.
        places = [self.arms_.index(arm) for arm in wanted]
        return Effects(*(table.iloc[:, places] for table in tables))

    def _refuse_small(self, trial: Trial) -> None:
        """Refuse arms and classes that cannot be divided into folds and halves."""
        least = max(2 * self.n_folds, 10)
        for arm, label in enumerate(trial.labels):
            own = trial.outcome[trial.codes == arm]
            if len(own) < least:
                raise DataError(f"arm {label!r} has {len(own)} customers, too few: at least {least} are needed")
            if trial.binary and min(own.sum(), len(own) - own.sum()) < 2:
                raise DataError(f"arm {label!r} has fewer than two customers of one class: its outcome does not vary")

    def _learn_all(self, model: Any, trial: Trial, rng: np.random.RandomState) -> None:
        """Learn on all customers, and again on halves of them."""
        self._models = self._learn(model, trial, rng)
        self._replicas = [self._learn(model, trial.take(trial.half(rng)), rng) for _ in range(self.n_resamples)]

    @abstractmethod
    def _learn(self, model: Any, trial: Trial, rng: np.random.RandomState) -> list[Any]:
        """Give the models of one sample."""

    @abstractmethod
    def _effects(
        self, models: list[Any], matrix: npt.NDArray[np.float64], chances: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Give effects, shape (n_customers, n_treated_arms), by models of one sample."""

    def _effects_and_errors(
        self, matrix: npt.NDArray[np.float64], chances: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give effects, and how far those learned on halves lie from them.

        A half drawn without replacement differs from the whole as much as the whole from the population: the factor
        of two for its size and that for what it shares with the whole cancel.
        """
        effects = self._effects(self._models, matrix, chances)
        if not self._replicas:
            return effects, np.full_like(effects, np.nan)
        squares = np.zeros_like(effects)
        for models in self._replicas:
            squares += (self._effects(models, matrix, chances) - effects) ** 2
        return effects, np.sqrt(squares / len(self._replicas))


def _scores(
    trial: Trial, expected: npt.NDArray[np.float64], chances: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Give the doubly robust score of each treated arm against the control."""
    given = trial.codes[:, np.newaxis] == np.arange(len(trial.labels))
    corrected = expected + given * (trial.outcome[:, np.newaxis] - expected) / chances
    return np.asarray(corrected[:, 1:] - corrected[:, :1], dtype=np.float64)
