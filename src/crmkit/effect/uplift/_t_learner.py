"""The T-learner: two models of the outcome, and the difference of their expectations."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.effect.uplift._base import UpliftLearner, outcomes_by_arm
from crmkit.effect.uplift._learners import expectation

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.effect.uplift._trial import Trial

__all__ = ["TLearner"]


class TLearner(UpliftLearner):
    """Learns the outcome in each arm by a model of its own; the effect is the difference from the control's.

    Simple, and right where arms are large and of about one size. Each model is regularised for itself, so that with
    flexible models the difference shows effects that are none; the DR-learner is steadier there. Costs
    ``n_folds + n_resamples / 2 + 1`` fits an arm, and keeps ``n_resamples + 1`` models an arm.

    Standard errors tell how far the model would differ on other customers, not how wrong its form is: a linear model
    of a curved effect is off by more. It assumes that, given the features, chance decided who was in which arm.

    Parameters
    ----------
    outcome_model : str or estimator, default="auto"
        How the outcome is learned: a classifier's name or classifier for a binary outcome, a regressor's else.
        ``"auto"`` is logistic regression or a linear model. Changes the result.
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
    Politis, D. N., & Romano, J. P. (1994). Large sample confidence regions based on subsamples under minimal
    assumptions. Annals of Statistics 22, 2031-2050. doi:10.1214/aos/1176325770

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.effect.uplift import TLearner
    >>> random = np.random.default_rng(0)
    >>> age, letter = random.uniform(20, 60, 4_000), random.integers(0, 2, 4_000)
    >>> spend = 10 + letter * (age - 40) / 4 + random.normal(size=4_000)
    >>> model = TLearner().fit(age[:, np.newaxis], letter, spend)
    >>> model.predict([[20.0], [60.0]]).effects.round(0)[1].tolist()
    [-5.0, 5.0]
    """

    def __init__(
        self,
        outcome_model: Any = "auto",
        *,
        control: Any = None,
        propensity: Any = None,
        n_folds: int = 5,
        n_resamples: int = 50,
        random_state: Any = 0,
    ) -> None:
        self.outcome_model = outcome_model
        self.control = control
        self.propensity = propensity
        self.n_folds = n_folds
        self.n_resamples = n_resamples
        self.random_state = random_state

    def _learn(self, model: Any, trial: Trial, rng: np.random.RandomState) -> list[Any]:
        return outcomes_by_arm(model, trial, rng)

    def _effects(
        self,
        models: list[Any],
        matrix: npt.NDArray[np.float64],
        chances: npt.NDArray[np.float64],  # noqa: ARG002 -- one signature for all learners
    ) -> npt.NDArray[np.float64]:
        expected = np.column_stack([expectation(one, matrix) for one in models])
        return np.asarray(expected[:, 1:] - expected[:, :1], dtype=np.float64)
