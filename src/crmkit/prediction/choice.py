"""Chooses a model inside the folds, so that the figure reported is that of rows the choice has not seen."""

from __future__ import annotations

import warnings
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin, clone, is_classifier
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if
from sklearn.utils.multiclass import type_of_target

from crmkit import metrics
from crmkit.core import html
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.registry import create

if TYPE_CHECKING:
    from crmkit.core.estimate import Estimate

__all__ = ["ModelChoice", "select_model"]


@dataclass(frozen=True)
class ModelChoice:
    """What ``select_model`` found.

    Parameters
    ----------
    name : str
        The candidate chosen on all rows.
    model : estimator
        That candidate, fitted on all rows.
    estimate : Estimate
        How well choosing like this does on rows that neither choice nor fit has seen: the figure to report.
    table : pandas.DataFrame
        A row a candidate, the best first: its cross-validated value with low and high, n, method, ``times_chosen`` in
        the outer folds, and ``chosen``. The best value of many is too good, by luck: that is why ``estimate`` exists.
    evaluator : str
        The figure.
    greater_is_better : bool
        Which way it points.
    """

    name: str
    model: Any
    estimate: Estimate
    table: pd.DataFrame
    evaluator: str
    greater_is_better: bool

    def __repr__(self) -> str:
        chosen = self.table["times_chosen"]
        times, total = int(chosen[self.name]), int(chosen.sum())
        how = f"chosen of {len(self.table)} by {self.evaluator} (in {times} of {total} folds)"
        return f"{self.name}, {how}: {self.estimate}"

    def _repr_html_(self) -> str:
        shown = self.table.reset_index()
        return html.table(list(shown.columns), shown.to_numpy().tolist(), caption=repr(self))


def select_model(
    candidates: Mapping[str, Any] | Sequence[Any],
    X: Any,
    y: Any,
    *,
    evaluator: Any,
    cv: Any = 5,
    inner_cv: Any = None,
    groups: Any = None,
    kind: str = "auto",
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
    n_jobs: int | None = None,
    n_threads: int | None = 1,
) -> ModelChoice:
    """Choose the best of several models, and say honestly how good the choice is.

    Every outer fold chooses anew by cross-validation within its training rows, fits the winner on them, and is tested
    on the rows left out (nested cross-validation). So the estimate belongs to the whole procedure, choice included: of
    fifty models on pure noise, the best looks better than chance, and the estimate does not. The final choice is made
    in the same way on all rows. Costs (outer folds x inner folds + inner folds) fits a candidate.

    Parameters
    ----------
    candidates : mapping of str to estimator, or sequence of names and estimators
        Names are crmkit's classifiers or regressors (``"boosting"``); an estimator may be a whole pipeline.
    X : table, array, sparse matrix or texts, shape (n_rows, n_features) or (n_rows,)
        The rows.
    y : array-like, shape (n_rows,)
        What is to be predicted.
    evaluator : evaluator
        By what to choose; it must be known whether greater is better. See ``metrics.resolve``.
    cv : int, splitter or iterable of (train, test) positions, default=5
        The outer folds.
    inner_cv : int or splitter, default=None
        The folds of the choice; where None, as ``cv``. Must be named where ``cv`` is a list of positions.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is, where a customer has several: they stay together, in the outer and the inner folds.
    kind : {"auto", "classifier", "regressor"}, default="auto"
        What names mean. "auto": regressors where y holds fractions, classifiers elsewhere.
    level : float, default=0.95
        Nominal coverage of the intervals.
    n_resamples : int, default=1000
        Of the bootstrap, for figures that have no interval of their own.
    random_state : int, RandomState or None, default=0
        Of the folds, the bootstrap and candidates given by name; estimators that are handed in have their own.
    n_jobs : int or None, default=None
        How many outer folds at once; changes only the speed.
    n_threads : int or None, default=1
        Threads of the numerical libraries in each fit; changes only the speed.

    Returns
    -------
    ModelChoice
        ``.name``, ``.model``, ``.estimate``, ``.table``.

    Raises
    ------
    DataError
        If there is no candidate, the evaluator's direction is unknown, or rows and folds do not fit.
    UnknownPluginError
        If no model has such a name.

    References
    ----------
    Varma, S., & Simon, R. (2006). Bias in error estimation when using cross-validation for model selection. BMC
    Bioinformatics 7, 91. doi:10.1186/1471-2105-7-91
    Cawley, G. C., & Talbot, N. L. C. (2010). On over-fitting in model selection and subsequent selection bias in
    performance evaluation. Journal of Machine Learning Research 11, 2079-2107.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.prediction import select_model
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = np.where(X[:, 0] > 0, "stay", "go")
    >>> choice = select_model(["logistic", "tree"], X, y, evaluator="accuracy", cv=3)
    >>> choice.table.index.tolist() == ["tree", "logistic"], bool(choice.estimate > 0.9)
    (True, True)
    """
    evaluation = metrics.resolve(evaluator)
    if evaluation.greater_is_better is None:
        raise DataError(
            f"nobody said whether a greater {evaluation.name!r} is better: "
            "wrap it with metrics.evaluator(function, greater_is_better=…)"
        )
    inner = _inner_folds(cv, inner_cv)
    named = _named(candidates, kind, y, random_state)
    chooser = _Chooser(named, evaluation, inner, random_state)
    fit_params = None if groups is None else {"groups": groups}
    options = {"random_state": random_state, "n_threads": n_threads, "level": level, "n_resamples": n_resamples}
    outer = metrics.cross_validate(
        chooser,
        X,
        y,
        evaluators=evaluation,
        cv=cv,
        groups=groups,
        fit_params=fit_params,
        keep_models=True,
        n_jobs=n_jobs,
        **options,
    )
    final = [
        metrics.cross_validate(model, X, y, evaluators=evaluation, cv=inner, groups=groups, n_jobs=n_jobs, **options)
        for _, model in named
    ]
    table = _table([name for name, _ in named], final, [model.chosen_ for model in outer.models])
    best = _best(table["value"].tolist(), evaluation.greater_is_better)
    table["chosen"] = np.arange(len(table)) == best
    order = np.argsort(-table["value"] if evaluation.greater_is_better else table["value"], kind="stable")
    model: Any = clone(named[best][1])
    model.fit(X, y)
    return ModelChoice(
        named[best][0],
        model,
        outer.estimates[evaluation.name],
        table.iloc[order],
        evaluation.name,
        evaluation.greater_is_better,
    )


def _table(names: list[str], found: list[metrics.CrossValidation], chosen_in: list[str]) -> pd.DataFrame:
    """Put the candidates' own figures and how often each was chosen side by side."""
    table = pd.concat([one.table.drop(columns=["greater_is_better"]) for one in found], ignore_index=True)
    table.index = pd.Index(names, name="candidate")
    table["times_chosen"] = [chosen_in.count(name) for name in names]
    return table


def _inner_folds(cv: Any, inner_cv: Any) -> Any:
    """Give the folds of the choice, which a list of positions in all rows cannot be."""
    inner = cv if inner_cv is None else inner_cv
    if isinstance(inner, int | np.integer) or callable(getattr(inner, "split", None)):
        return inner
    raise DataError(
        "inner_cv must be a number of folds or a splitter: positions in all rows mean nothing within a fold"
    )


def _named(candidates: Any, kind: str, y: Any, random_state: Any) -> list[tuple[str, Any]]:
    """Give names and estimators, creating those that are given by name."""
    if kind not in {"auto", "classifier", "regressor"}:
        raise DataError(f"kind must be 'auto', 'classifier' or 'regressor', got {kind!r}")
    if isinstance(candidates, str) or not isinstance(candidates, Mapping | Sequence):
        raise DataError(f"candidates must be a mapping or a list, got {type(candidates).__name__}")
    if kind == "auto":
        kind = "regressor" if type_of_target(np.asarray(y)).startswith("continuous") else "classifier"
    pairs = candidates.items() if isinstance(candidates, Mapping) else [(None, one) for one in candidates]
    named = []
    for name, given in pairs:
        model = _seeded(create(kind, given), random_state) if isinstance(given, str) else given
        named.append((str(name or (given if isinstance(given, str) else type(given).__name__)), model))
    names = [name for name, _ in named]
    if not named:
        raise DataError("there is no candidate to choose from")
    if len(set(names)) != len(names):
        raise DataError(f"two candidates have one name ({', '.join(names)}): give a mapping of names to estimators")
    if len({is_classifier(model) for _, model in named}) > 1:
        raise DataError("candidates must be all classifiers or all regressors")
    return named


def _seeded(model: Any, random_state: Any) -> Any:
    """Give a model the seed where it takes one, so that the same call chooses and fits the same model."""
    return model.set_params(random_state=random_state) if "random_state" in model.get_params(deep=False) else model


def _best(values: list[float], greater_is_better: bool) -> int:  # noqa: FBT001 -- private, and named where it is called
    """Give the position of the best value, of equal ones the first."""
    return int(np.argmax(values) if greater_is_better else np.argmin(values))


def _answers(name: str) -> Any:
    """Offer a method where every candidate has it."""
    return available_if(lambda self: all(callable(getattr(model, name, None)) for _, model in self.candidates))


class _Chooser(MetaEstimatorMixin, BaseEstimator):
    """Chooses within the rows it is fitted on, as one estimator that can be cross-validated."""

    def __init__(self, candidates: list[tuple[str, Any]], evaluation: Any, inner: Any, random_state: Any) -> None:
        self.candidates = candidates
        self.evaluation = evaluation
        self.inner = inner
        self.random_state = random_state

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Choose by cross-validation and fit the winner on all rows given."""
        evaluation = self.evaluation
        with warnings.catch_warnings():
            # What these rows make of the figure is said once, for all rows, where the table is made.
            warnings.simplefilter("ignore", DataWarning)
            values = [
                float(
                    metrics.cross_validate(
                        model,
                        X,
                        y,
                        evaluators=evaluation,
                        cv=self.inner,
                        groups=groups,
                        n_resamples=0,
                        random_state=self.random_state,
                        n_threads=None,
                    ).estimates[evaluation.name]
                )
                for _, model in self.candidates
            ]
        best = _best(values, evaluation.greater_is_better)
        self.chosen_, winner = self.candidates[best]
        fresh: Any = clone(winner)
        self.model_ = fresh.fit(X, y)
        if hasattr(self.model_, "classes_"):
            self.classes_ = self.model_.classes_
        return self

    def predict(self, X: Any) -> Any:
        """Predict by the winner."""
        return self.model_.predict(X)

    @_answers("predict_proba")
    def predict_proba(self, X: Any) -> Any:
        """Give the winner's probabilities."""
        return self.model_.predict_proba(X)

    @_answers("decision_function")
    def decision_function(self, X: Any) -> Any:
        """Give the winner's decision values."""
        return self.model_.decision_function(X)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        first = get_tags(self.candidates[0][1])
        tags.estimator_type = first.estimator_type
        tags.classifier_tags = first.classifier_tags
        tags.regressor_tags = first.regressor_tags
        return tags
