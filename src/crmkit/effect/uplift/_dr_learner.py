"""The DR-learner: doubly robust scores regressed on features."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import HasMethods

from crmkit.effect.uplift._base import UpliftLearner
from crmkit.effect.uplift._learners import expectation, fitted, regression_learner
from crmkit.effect.uplift._parameters import PARAMETERS
from crmkit.effect.uplift._sandwich import Line

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.effect.uplift._trial import Trial

__all__ = ["DRLearner"]


class DRLearner(UpliftLearner):
    """Regresses doubly robust scores, whose expectation is the customer's effect, on the features.

    A score is the difference of the expected outcomes in two arms (by models that have not seen the customer), plus
    what the customer's own outcome adds, weighted by one over the chance of the arm. It is right on average if either
    the models or the chances are, so that in a randomised experiment a poor model costs precision, not truth. The first
    choice for standard errors; where chances are near 0 scores are wild, and the X-learner steadier. Costs
    ``n_folds`` fits an arm and the final regression; another final model than the linear one costs and keeps
    ``n_resamples`` more.

    With ``effect_model="linear"`` standard errors are the sandwich's (HC3), of the straight line that comes nearest to
    the effects; where effects bend, single customers lie off that line, whereas the average holds. With another model
    they are the spread over half-samples of the scores, and do not tell how far a regularised model draws effects
    together. It assumes that, given the features, chance decided who was in which arm.

    Parameters
    ----------
    outcome_model : str or estimator, default="auto"
        How the outcome is learned: a classifier's name or classifier for a binary outcome, a regressor's else.
        ``"auto"`` is logistic regression or a linear model. Changes the result.
    effect_model : str or regressor, default="linear"
        How scores are regressed on features. Changes the result.
    control : object, default=None
        The label of the arm that got nothing; where None, the one called control, holdout, placebo, 对照, 0 or False.
        Where none is called so, a loud ``DataWarning`` says that there is no control group.
    propensity : mapping, str or classifier, default=None
        The chance of each arm: None takes the arms' shares (a randomised experiment), a mapping from label to chance
        what was designed, a classifier (or its name) learns it where arms were not drawn at random.
    n_folds : int, default=5
        Of the cross-fitting.
    n_resamples : int, default=50
        Models learned on halves of the customers, from whose spread standard errors come; 0 gives none (NaN). A
        hundred know a standard error to some 7 %. Changes only the standard errors. Not used
        by the linear model of effects.
    random_state : int, RandomState or None, default=0
        Draws folds and halves, and seeds models that have no seed of their own.

    Attributes
    ----------
    arms_ : list
        Labels of the treated arms, in the order of the columns of effects.
    control_ : object
        The arm they are compared with.
    average_effects_ : dict of label to Estimate
        The average effect of each treated arm by AIPW on cross-fitted models of the outcome.
    binary_ : bool
        Whether the outcome was 0 or 1.
    n_by_arm_ : list of int
        Customers of each arm, the control first.
    n_features_in_ : int
        Features.

    Raises
    ------
    DataError
        From ``fit`` and ``predict``: see there.

    References
    ----------
    Kennedy, E. H. (2023). Towards optimal doubly robust estimation of heterogeneous causal effects. Electronic Journal
    of Statistics 17, 3008-3049. doi:10.1214/23-EJS2157
    Semenova, V., & Chernozhukov, V. (2021). Debiased machine learning of conditional average treatment effects and
    other causal functions. The Econometrics Journal 24, 264-289. doi:10.1093/ectj/utaa027
    Long, J. S., & Ervin, L. H. (2000). Using heteroscedasticity consistent standard errors in the linear regression
    model. The American Statistician 54, 217-224. doi:10.1080/00031305.2000.10474549

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.effect.uplift import DRLearner
    >>> random = np.random.default_rng(0)
    >>> age, letter = random.uniform(20, 60, 4_000), random.integers(0, 2, 4_000)
    >>> spend = 10 + letter * (age - 40) / 4 + random.normal(size=4_000)
    >>> model = DRLearner().fit(age[:, np.newaxis], letter, spend)
    >>> model.predict([[20.0], [60.0]]).effects.round(0)[1].tolist()
    [-5.0, 5.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        **PARAMETERS,
        "effect_model": [str, HasMethods(["fit", "predict"])],
    }

    def __init__(
        self,
        outcome_model: Any = "auto",
        *,
        effect_model: Any = "linear",
        control: Any = None,
        propensity: Any = None,
        n_folds: int = 5,
        n_resamples: int = 50,
        random_state: Any = 0,
    ) -> None:
        self.outcome_model = outcome_model
        self.effect_model = effect_model
        self.control = control
        self.propensity = propensity
        self.n_folds = n_folds
        self.n_resamples = n_resamples
        self.random_state = random_state

    def _learn_all(self, model: Any, trial: Trial, rng: np.random.RandomState) -> None:
        self._lines: list[Line] = []
        if isinstance(self.effect_model, str) and self.effect_model == "linear":
            self._lines = [Line.through(trial.matrix, score) for score in trial.scores.T]
        else:
            super()._learn_all(model, trial, rng)

    def _learn(
        self,
        model: Any,  # noqa: ARG002 -- one signature for all learners
        trial: Trial,
        rng: np.random.RandomState,
    ) -> list[Any]:
        final = regression_learner(self.effect_model)
        return [fitted(final, trial.matrix, score, rng) for score in trial.scores.T]

    def _effects(
        self,
        models: list[Any],
        matrix: npt.NDArray[np.float64],
        chances: npt.NDArray[np.float64],  # noqa: ARG002 -- one signature for all learners
    ) -> npt.NDArray[np.float64]:
        return np.column_stack([expectation(one, matrix) for one in models])

    def _effects_and_errors(
        self, matrix: npt.NDArray[np.float64], chances: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        if not self._lines:
            return super()._effects_and_errors(matrix, chances)
        found = [line.at(matrix) for line in self._lines]
        return np.column_stack([value for value, _ in found]), np.column_stack([error for _, error in found])
