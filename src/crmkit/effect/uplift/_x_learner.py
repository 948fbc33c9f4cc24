"""The X-learner: effects imputed in each arm from the other's model, learned and put together."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.utils._param_validation import HasMethods

from crmkit.effect.uplift._base import UpliftLearner, out_of_fold
from crmkit.effect.uplift._learners import expectation, fitted, regression_learner
from crmkit.effect.uplift._parameters import PARAMETERS

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.effect.uplift._trial import Trial

__all__ = ["XLearner"]


class XLearner(UpliftLearner):
    """Imputes each customer's effect from the model of the other arm, learns it in both arms, and weights the two.

    A treated customer's effect is the outcome less what the control's model expects, an untreated one's what the
    treated model expects less the outcome; both are learned, and put together by the chance of treatment, so that the
    larger arm's model of the outcome counts more. Made for arms of very unequal size. Outcomes are expected by models
    that have not seen the customer (cross-fitted). Costs ``(n_folds + 2) * (n_resamples / 2 + 1)`` fits an arm, and
    keeps two models of effects an arm and resample.

    Standard errors tell how far the model would differ on other customers, not how wrong its form is. It assumes that,
    given the features, chance decided who was in which arm.

    Parameters
    ----------
    outcome_model : str or estimator, default="auto"
        How the outcome is learned: a classifier's name or classifier for a binary outcome, a regressor's else.
        ``"auto"`` is logistic regression or a linear model. Changes the result.
    effect_model : str or regressor, default="linear"
        How imputed effects are learned. Changes the result.
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
        hundred know a standard error to some 7 %. Changes only the standard errors.
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
    Künzel, S. R., Sekhon, J. S., Bickel, P. J., & Yu, B. (2019). Metalearners for estimating heterogeneous treatment
    effects using machine learning. PNAS 116, 4156-4165. doi:10.1073/pnas.1804597116

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.effect.uplift import XLearner
    >>> random = np.random.default_rng(0)
    >>> age, letter = random.uniform(20, 60, 4_000), random.integers(0, 2, 4_000)
    >>> spend = 10 + letter * (age - 40) / 4 + random.normal(size=4_000)
    >>> model = XLearner().fit(age[:, np.newaxis], letter, spend)
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

    def _learn(self, model: Any, trial: Trial, rng: np.random.RandomState) -> list[Any]:
        final = regression_learner(self.effect_model)
        expected = out_of_fold(model, trial, trial.folds(self.n_folds, rng), rng)
        control = trial.codes == 0
        models: list[Any] = []
        for arm in range(1, len(trial.labels)):
            treated = trial.codes == arm
            without = expected[control, arm] - trial.outcome[control]
            with_it = trial.outcome[treated] - expected[treated, 0]
            models.append(fitted(final, trial.matrix[control], without, rng))
            models.append(fitted(final, trial.matrix[treated], with_it, rng))
        return models

    def _effects(
        self,
        models: list[Any],
        matrix: npt.NDArray[np.float64],
        chances: npt.NDArray[np.float64],
    ) -> npt.NDArray[np.float64]:
        weight = chances[:, 1:] / (chances[:, 1:] + chances[:, :1])
        imputed = np.column_stack([expectation(one, matrix) for one in models])
        return np.asarray(weight * imputed[:, ::2] + (1 - weight) * imputed[:, 1::2], dtype=np.float64)
