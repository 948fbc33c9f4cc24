"""Probabilities that can be planned with, from any classifier."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, ClassifierMixin, MetaEstimatorMixin, _fit_context, clone
from sklearn.model_selection import StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import get_tags
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, column_or_1d

from crmkit import metrics
from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.core.registry import create
from crmkit.prediction._calibrators import CURVES, fit_temperature
from crmkit.prediction._rows import known_rows, take_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["CalibratedProbabilities", "compare_calibration"]

_TINY = 1e-12
_METHODS = ("sigmoid", "isotonic", "temperature", "beta")


class CalibratedProbabilities(ClassifierMixin, MetaEstimatorMixin, BaseEstimator):
    """A classifier whose probabilities happen as often as they say.

    The classifier is fitted within folds, each time without some rows, which it then scores; from these scores a curve
    to probabilities is learned, and then the classifier is fitted on all rows. Which curve: "sigmoid" has two numbers
    and serves with few rows; "beta" has three and bends differently at both ends, where models are too sure at one of
    them; "temperature" has one and never changes the predicted label; "isotonic" is a staircase of any form, for
    thousands of rows. Logistic regression and boosting with crmkit's defaults are seldom far off; support vectors,
    forests, rare labels, and ``class_weight="balanced"`` are. Costs one fit a fold and one more.

    Assumes that new rows come as the rows did that the folds tested: where the base rate has moved since, see
    ``estimate_prior``.

    Parameters
    ----------
    estimator : str or classifier, default="boosting"
        The name of a classifier, or one with ``decision_function`` or ``predict_proba``, such as a whole pipeline; it
        is cloned.
    method : {"sigmoid", "isotonic", "temperature", "beta"}, default="sigmoid"
        How scores become probabilities. With more than two labels each but "temperature" is learned for each label
        against the rest, and the results are brought to sum 1.
    cv : int or splitter, default=5
        A number gives shuffled folds with each label alike, whole groups together where ``fit`` is given groups. With a
        time splitter the scores are those of later rows than were learned from; rows that no fold tests are not used
        for the curve.
    random_state : int, RandomState or None, default=None
        Of the folds, and of a classifier given by name.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Labels in ascending order.
    estimator_ : classifier
        Fitted on all rows.
    curves_ : list
        From scores to probabilities, one for each label, or one in all.
    n_calibrated_ : int
        Rows the curve was learned from.

    Raises
    ------
    DataError
        If a fold does not train on every label, or no fold tests a row.
    TypeError
        If the classifier has neither ``decision_function`` nor ``predict_proba``.

    See Also
    --------
    compare_calibration : Which curve, with ECE and Brier before and after.
    crmkit.text.CalibratedTextClassifier : The same for texts.

    References
    ----------
    Platt, J. (2000). Probabilities for SV machines. In Advances in Large Margin Classifiers, MIT Press, 61-74.
    Zadrozny, B., & Elkan, C. (2002). Transforming classifier scores into accurate multiclass probability estimates.
    KDD, 694-699. doi:10.1145/775047.775151
    Kull, M., Silva Filho, T., & Flach, P. (2017). Beta calibration: a well-founded and easily implemented improvement
    on logistic calibration for binary classifiers. AISTATS, PMLR 54, 623-631.
    Guo, C., Pleiss, G., Sun, Y., & Weinberger, K. Q. (2017). On calibration of modern neural networks. ICML, PMLR 70,
    1321-1330.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.prediction import CalibratedProbabilities
    >>> X = np.random.default_rng(0).normal(size=(200, 2))
    >>> model = CalibratedProbabilities("svm", random_state=0).fit(X, X[:, 0] > 0)
    >>> model.predict_proba([[2.0, 0.0]]).round(1).tolist()
    [[0.0, 1.0]]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "estimator": [str, HasMethods(["fit", "predict"])],
        "method": [StrOptions(set(_METHODS))],
        "cv": [Interval(Integral, 2, None, closed="left"), HasMethods(["split"])],
        "random_state": ["random_state"],
    }
    classes_: npt.NDArray[Any]
    estimator_: Any
    n_calibrated_: int

    def __init__(
        self, estimator: Any = "boosting", *, method: str = "sigmoid", cv: Any = 5, random_state: Any = None
    ) -> None:
        self.estimator = estimator
        self.method = method
        self.cv = cv
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Fit the classifier, and the curve from its scores to probabilities.

        Parameters
        ----------
        X : table, array or sparse matrix, shape (n_rows, n_features)
            As for the classifier.
        y : array-like, shape (n_rows,)
            Labels.
        groups : array-like, shape (n_rows,), default=None
            Whose row it is, where a customer has several.

        Returns
        -------
        CalibratedProbabilities
            Itself.
        """
        rows = _indexable(X)
        labels = column_or_1d(y, warn=True)
        check_classification_targets(labels)
        found, codes = np.unique(labels, return_inverse=True)
        if len(found) < 2:
            raise DataError("y holds one class only: there is nothing to classify")
        self.classes_ = found
        self.estimator_ = self._made().fit(rows, labels)
        if hasattr(self.estimator_, "n_features_in_"):
            self.n_features_in_: int = self.estimator_.n_features_in_
        if hasattr(self.estimator_, "feature_names_in_"):
            self.feature_names_in_: npt.NDArray[Any] = self.estimator_.feature_names_in_
        scores, tested = self._out_of_fold(rows, labels, groups)
        right = codes[tested]
        self.n_calibrated_ = len(tested)
        if self.method == "temperature":
            self.curves_: list[Any] = [fit_temperature(scores, right)]
        else:
            odds = _odds(scores)
            places = range(1, 2) if len(self.classes_) == 2 else range(len(self.classes_))
            self.curves_ = [CURVES[self.method].fit(odds[:, place], right == place) for place in places]
        return self

    def _made(self) -> Any:
        """Give the classifier, not fitted."""
        if not isinstance(self.estimator, str):
            return clone(self.estimator)
        model = create("classifier", self.estimator)
        seeded = "random_state" in model.get_params(deep=False) and self.random_state is not None
        return model.set_params(random_state=self.random_state) if seeded else model

    def _out_of_fold(
        self, X: Any, labels: npt.NDArray[Any], groups: Any
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """Score rows by models that have not seen them; give the scores, and which rows they are of."""
        folds = self.cv
        if isinstance(folds, Integral):
            kind = StratifiedKFold if groups is None else StratifiedGroupKFold
            seed = 0 if self.random_state is None else self.random_state
            rarest = int(np.unique(labels, return_counts=True)[1].min())
            if rarest < 2:
                raise DataError("a label has one row only: there is none to try a model on that did not learn from it")
            folds = kind(min(int(folds), rarest), shuffle=True, random_state=seed)
        found: list[npt.NDArray[np.float64]] = []
        tested: list[npt.NDArray[np.intp]] = []
        for train, test in folds.split(X, labels, groups):
            if len(np.unique(labels[train])) < len(self.classes_):
                raise DataError("a fold does not train on every label: take fewer folds, or join rare labels")
            model = self._made().fit(take_rows(X, train), labels[train])
            found.append(_score_columns(model, take_rows(X, test)))
            tested.append(np.asarray(test, dtype=np.intp))
        if not sum(map(len, tested)):
            raise DataError("no fold tests a row: there is nothing to learn a curve from")
        return np.concatenate(found), np.concatenate(tested)

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability of each label.

        Parameters
        ----------
        X : table, array or sparse matrix, shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes)
            Rows sum to 1.
        """
        check_is_fitted(self, "curves_")
        scores = _score_columns(self.estimator_, X)
        if self.method == "temperature":
            return np.asarray(self.curves_[0](scores))
        odds = _odds(scores)
        if len(self.classes_) == 2:
            positive = self.curves_[0](odds[:, 1])
            return np.column_stack([1 - positive, positive])
        each = np.column_stack([curve(odds[:, place]) for place, curve in enumerate(self.curves_)])
        return np.asarray(each / each.sum(axis=1, keepdims=True))

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Give the most likely label of each row.

        Parameters
        ----------
        X : table, array or sparse matrix, shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray, shape (n_rows,)
            Labels.
        """
        places = self.predict_proba(X).argmax(axis=1)
        return np.asarray(self.classes_[places])

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        inner = create("classifier", self.estimator) if isinstance(self.estimator, str) else self.estimator
        tags.input_tags = get_tags(inner).input_tags
        return tags


def _indexable(X: Any) -> Any:
    """Give rows in a form that can be taken from by position."""
    if isinstance(X, pd.DataFrame) or hasattr(X, "tocsr"):
        return X
    return as_frame(X, what="X") if hasattr(X, "columns") else np.asarray(X)


def _score_columns(model: Any, X: Any) -> npt.NDArray[np.float64]:
    """Give one score a label: decision values, or logarithms of probabilities."""
    if callable(getattr(model, "decision_function", None)):
        scores = np.asarray(model.decision_function(X), dtype=np.float64)
        return np.column_stack([-scores / 2, scores / 2]) if scores.ndim == 1 else scores
    if not callable(getattr(model, "predict_proba", None)):
        raise TypeError(
            f"{type(model).__name__} has neither decision_function nor predict_proba: there is no score to learn from"
        )
    return np.log(np.maximum(np.asarray(model.predict_proba(X), dtype=np.float64), _TINY))


def _odds(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the log-odds of each label against the rest."""
    if scores.shape[1] == 2:
        apart = scores[:, 1] - scores[:, 0]
        return np.column_stack([-apart, apart])
    highest = scores.max(axis=1, keepdims=True)
    weights = np.exp(scores - highest)
    others = np.maximum(weights.sum(axis=1, keepdims=True) - weights, _TINY)
    return np.asarray(np.log(np.maximum(weights, _TINY)) - np.log(others))


def compare_calibration(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    methods: Sequence[str] = _METHODS,
    evaluators: Any = ("brier", "ece", "log-loss"),
    cv: Any = 5,
    inner_cv: Any = 5,
    groups: Any = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
    n_jobs: int | None = None,
    n_threads: int | None = 1,
) -> pd.DataFrame:
    """Compare a classifier's probabilities as they are with calibrated ones, on rows that neither has seen.

    Costs one fit a fold for the classifier as it is, and (inner folds + 1) a fold for each method.

    Parameters
    ----------
    estimator : str or classifier
        The name of a classifier, or one; it is cloned.
    X : table, array or sparse matrix, shape (n_rows, n_features)
        The rows.
    y : array-like, shape (n_rows,)
        Labels; rows where they are missing are set aside with a warning.
    methods : sequence of str, default=("sigmoid", "isotonic", "temperature", "beta")
        See ``CalibratedProbabilities``.
    evaluators : evaluators, default=("brier", "ece", "log-loss")
        Figures of probabilities.
    cv : int, splitter or iterable of (train, test) positions, default=5
        The folds tested on.
    inner_cv : int or splitter, default=5
        The folds within the training rows that curves are learned from.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is: a customer's rows stay together in both layers.
    level : float, default=0.95
        Nominal coverage.
    n_resamples : int, default=1000
        Of the bootstrap, for figures that have no interval of their own.
    random_state : int, RandomState or None, default=0
        Of the folds, the bootstrap, and a classifier given by name.
    n_jobs : int or None, default=None
        How many folds at once; changes only the speed.
    n_threads : int or None, default=1
        Threads of the numerical libraries; changes only the speed.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``method``, "as it is" first (absent where the classifier gives no probabilities): each evaluator's
        value with ``<name>_low`` and ``<name>_high``.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.prediction import compare_calibration
    >>> X = np.random.default_rng(0).normal(size=(300, 2))
    >>> table = compare_calibration("svm", X, X[:, 0] > 0, methods=["sigmoid"], cv=3)
    >>> table.index.tolist(), bool(table.loc["sigmoid", "brier"] < 0.05)
    (['sigmoid'], True)
    """
    X, y, groups = known_rows(X, y, groups)
    plain = CalibratedProbabilities(estimator, random_state=random_state)._made()  # noqa: SLF001 -- of this module
    models: dict[str, Any] = {"as it is": plain} if callable(getattr(plain, "predict_proba", None)) else {}
    for method in methods:
        models[method] = CalibratedProbabilities(plain, method=method, cv=inner_cv, random_state=random_state)
    rows = {}
    for name, model in models.items():
        passed = {} if groups is None or name == "as it is" else {"groups": groups}
        found = metrics.cross_validate(
            model,
            X,
            y,
            evaluators=list(evaluators) if isinstance(evaluators, tuple) else evaluators,
            cv=cv,
            groups=groups,
            fit_params=passed,
            level=level,
            n_resamples=n_resamples,
            random_state=random_state,
            n_jobs=n_jobs,
            n_threads=n_threads,
        )
        rows[name] = {
            f"{figure}{ending}": getattr(estimate, part)
            for figure, estimate in found.estimates.items()
            for ending, part in (("", "value"), ("_low", "low"), ("_high", "high"))
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("method")
