"""Feature selectors: columns that tell most about the target, found on the training rows alone."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.feature_selection import RFE, SelectorMixin, mutual_info_classif, mutual_info_regression
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.prediction.linear import ScaledLogistic, ScaledRidge

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["InformationGain", "RecursiveElimination"]


def _is_regression(target: str, y: Any) -> bool:
    """Say whether the target is a number, guessing only from fractions."""
    return target == "number" or (target == "auto" and type_of_target(y).startswith("continuous"))


class _Selector(SelectorMixin, BaseEstimator):
    """What both selectors share: a mask of columns, and a target they cannot do without."""

    def _get_support_mask(self) -> Any:
        """Give the columns that stay."""
        check_is_fitted(self)
        mask: Any = getattr(self, "support_")  # noqa: B009 -- set by each selector's own fit
        return mask

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.target_tags.required = True
        return tags


class InformationGain(_Selector):
    """Keep the columns that share most information with the target.

    The mutual information of a column and the target is what knowing one tells of the other, whatever the form of the
    relation: unlike a correlation it sees bends. Each column is judged alone: two columns that say the same are both
    kept, and two that only tell together are both lost. Costs a nearest-neighbour search a column, about n log n.
    Chosen on all rows, noise columns look informative: put the selector into the pipeline that is cross-validated.

    Parameters
    ----------
    k : int or "all", default=10
        How many columns to keep at most.
    target : {"auto", "label", "number"}, default="auto"
        What y is. "auto" takes fractions for numbers and everything else for labels.
    discrete_features : bool, "auto" or array-like of bool or int, default="auto"
        Which columns are counted instead of measured; "auto": those of sparse tables.
    n_neighbors : int, default=3
        Neighbours in the estimate for measured columns; more is smoother.
    random_state : int, RandomState or None, default=None
        Of the tiny noise that breaks ties between equal values.

    Attributes
    ----------
    scores_ : ndarray of float, shape (n_features,)
        Mutual information in nats, at least 0.
    support_ : ndarray of bool, shape (n_features,)
        Which columns stay; of equal ones the first.
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    References
    ----------
    Kraskov, A., Stögbauer, H., & Grassberger, P. (2004). Estimating mutual information. Physical Review E 69, 066138.
    doi:10.1103/PhysRevE.69.066138
    Ross, B. C. (2014). Mutual information between discrete and continuous data sets. PLoS ONE 9(2), e87357.
    doi:10.1371/journal.pone.0087357

    Examples
    --------
    >>> import numpy as np
    >>> import crmkit
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> selector = crmkit.create("feature-selector", "information-gain", k=1, random_state=0)
    >>> selector.fit(X, X[:, 3] ** 2 > 1).get_support(indices=True).tolist()
    [3]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "k": [StrOptions({"all"}), Interval(Integral, 1, None, closed="left")],
        "target": [StrOptions({"auto", "label", "number"})],
        "discrete_features": [StrOptions({"auto"}), "boolean", "array-like"],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        k: Any = 10,
        *,
        target: str = "auto",
        discrete_features: Any = "auto",
        n_neighbors: int = 3,
        random_state: Any = None,
    ) -> None:
        self.k = k
        self.target = target
        self.discrete_features = discrete_features
        self.n_neighbors = n_neighbors
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Choose columns.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_rows, n_features)
            Finite numbers.
        y : array-like, shape (n_rows,)
            Labels or numbers.

        Returns
        -------
        self
            The fitted selector.
        """
        regression = _is_regression(self.target, y)
        X, y = validate_data(
            self, X, y, accept_sparse="csc", dtype=np.float64, y_numeric=regression, ensure_min_samples=2
        )
        measure = mutual_info_regression if regression else mutual_info_classif
        self.scores_: npt.NDArray[np.float64] = measure(
            X,
            y,
            discrete_features=self.discrete_features,
            n_neighbors=self.n_neighbors,
            random_state=self.random_state,
        )
        n_kept = X.shape[1] if self.k == "all" else min(self.k, X.shape[1])
        self.support_: npt.NDArray[np.bool_] = np.zeros(X.shape[1], dtype=bool)
        self.support_[np.argsort(-self.scores_, kind="stable")[:n_kept]] = True
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class RecursiveElimination(_Selector):
    """Drop the least important columns step by step, fitting a model anew after each step.

    Judges columns together: of two that say the same, one goes. Costs one fit a step: with the default step of a tenth,
    about ten fits. Chosen on all rows, noise columns look important: put the selector into the pipeline that is
    cross-validated.

    Parameters
    ----------
    estimator : estimator or None, default=None
        A model with ``coef_`` or ``feature_importances_``. Coefficients only compare columns of one scale: scale them
        before, unless it is a tree. Where None, logistic or ridge regression on standardised columns.
    k : int, default=10
        How many columns to keep at most.
    step : int or float, default=0.1
        Columns dropped at a time: a number, or a share of all columns.
    target : {"auto", "label", "number"}, default="auto"
        What y is, where ``estimator`` is None. "auto" takes fractions for numbers and everything else for labels.

    Attributes
    ----------
    support_ : ndarray of bool, shape (n_features,)
        Which columns stay.
    ranking_ : ndarray of int, shape (n_features,)
        1 for those that stay, 2 for the last dropped, and so on.
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    References
    ----------
    Guyon, I., Weston, J., Barnhill, S., & Vapnik, V. (2002). Gene selection for cancer classification using support
    vector machines. Machine Learning 46, 389-422. doi:10.1023/A:1012487302797

    Examples
    --------
    >>> import numpy as np
    >>> import crmkit
    >>> X = np.random.default_rng(0).normal(size=(200, 5))
    >>> selector = crmkit.create("feature-selector", "recursive-elimination", k=2)
    >>> selector.fit(X, X[:, 1] + X[:, 4] > 0).get_support(indices=True).tolist()
    [1, 4]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [HasMethods(["fit"]), None],
        "k": [Interval(Integral, 1, None, closed="left")],
        "step": [Interval(Integral, 1, None, closed="left"), Interval(Real, 0, 1, closed="neither")],
        "target": [StrOptions({"auto", "label", "number"})],
    }

    def __init__(self, estimator: Any = None, *, k: int = 10, step: float = 0.1, target: str = "auto") -> None:
        self.estimator = estimator
        self.k = k
        self.step = step
        self.target = target

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Choose columns.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_rows, n_features)
            Finite numbers.
        y : array-like, shape (n_rows,)
            Labels or numbers.

        Returns
        -------
        self
            The fitted selector.
        """
        regression = _is_regression(self.target, y)
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, ensure_min_features=2)
        if self.estimator is None:
            model: Any = ScaledRidge() if regression else ScaledLogistic()
            # The coefficients on standardised columns; those in original units would rank columns by their unit.
            getter = "model_.coef_"
        else:
            model, getter = self.estimator, "auto"
        n_kept = min(self.k, X.shape[1])
        step: Any = self.step
        eliminated = RFE(model, n_features_to_select=n_kept, step=step, importance_getter=getter).fit(X, y)
        self.support_: npt.NDArray[np.bool_] = eliminated.support_
        self.ranking_: npt.NDArray[np.int64] = eliminated.ranking_
        return self

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = self.estimator is None
        return tags
