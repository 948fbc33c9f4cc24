"""Chooses a model inside the folds, so that the figure reported is that of rows the choice has not seen."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, MetaEstimatorMixin
from sklearn.utils import get_tags
from sklearn.utils.metaestimators import available_if

from crmkit import metrics
from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.prediction._candidates import configurations, configured, named_candidates
from crmkit.prediction._race import Race
from crmkit.prediction._rows import known_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit.core.estimate import Estimate
    from crmkit.prediction._candidates import Configuration
    from crmkit.prediction._race import Outcome

__all__ = ["Chooser", "ModelChoice", "inner_folds", "select_model"]


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
        What is to be predicted; rows without it are set aside with a warning.
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
    X, y, groups = known_rows(X, y, groups)
    inner = inner_folds(cv, inner_cv)
    named = named_candidates(candidates, kind, y, random_state)
    entries = configurations(named, "grid", 1, random_state)
    fit_params = None if groups is None else {"groups": groups}
    options = {"random_state": random_state, "n_threads": n_threads, "level": level, "n_resamples": n_resamples}
    race = Race([evaluation], inner, halving=False, factor=3.0, options=options)
    outer = metrics.cross_validate(
        Chooser(entries, race, strict=True),
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
    final = _strict(race.run(entries, X, y, groups, n_jobs=n_jobs))
    table = _table([one.name for one in entries], final, [model.chosen_ for model in outer.models])
    best = race.best(final)
    table["chosen"] = np.arange(len(table)) == best
    order = np.argsort(-table["value"] if evaluation.greater_is_better else table["value"], kind="stable")
    model = configured(entries[best])
    model.fit(X, y)
    return ModelChoice(
        entries[best].name,
        model,
        outer.estimates[evaluation.name],
        table.iloc[order],
        evaluation.name,
        evaluation.greater_is_better,
    )


def _table(names: list[str], outcomes: list[Outcome], chosen_in: list[str]) -> pd.DataFrame:
    """Put the candidates' own figures and how often each was chosen side by side."""
    found = [one.found.table.drop(columns=["greater_is_better"]) for one in outcomes if one.found is not None]
    table = pd.concat(found, ignore_index=True)
    table.index = pd.Index(names, name="candidate")
    table["times_chosen"] = [chosen_in.count(name) for name in names]
    return table


def _strict(outcomes: list[Outcome]) -> list[Outcome]:
    """Refuse a comparison in which a candidate is missing."""
    for one in outcomes:
        if one.error is not None:
            raise one.error
    return outcomes


def inner_folds(cv: Any, inner_cv: Any) -> Any:
    """Give the folds of the choice, which a list of positions in all rows cannot be."""
    inner = cv if inner_cv is None else inner_cv
    if isinstance(inner, int | np.integer) or callable(getattr(inner, "split", None)):
        return inner
    raise DataError(
        "inner_cv must be a number of folds or a splitter: positions in all rows mean nothing within a fold"
    )


def _answers(name: str) -> Any:
    """Offer a method where every candidate has it."""
    return available_if(lambda self: all(callable(getattr(one.estimator, name, None)) for one in self.entries))


class Chooser(MetaEstimatorMixin, BaseEstimator):
    """Chooses within the rows it is fitted on, as one estimator that can be cross-validated.

    Parameters
    ----------
    entries : list of Configuration
        What to choose from.
    race : Race
        How to judge.
    strict : bool, default=False
        Whether one that fails is an error instead of being passed over.
    """

    chosen_: str
    model_: Any
    classes_: Any

    def __init__(self, entries: list[Configuration], race: Race, *, strict: bool = False) -> None:
        self.entries = entries
        self.race = race
        self.strict = strict

    def fit(self, X: Any, y: Any, groups: Any = None) -> Self:
        """Choose by cross-validation and fit the winner on all rows given."""
        # Intervals are asked of all rows alone, and threads were capped where this was called from.
        quick = replace(self.race, options={**self.race.options, "n_resamples": 0, "n_threads": None})
        outcomes = quick.run(self.entries, X, y, groups)
        best = quick.best(_strict(outcomes) if self.strict else outcomes)
        self.chosen_ = self.entries[best].name
        self.model_ = configured(self.entries[best]).fit(X, y)
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
        first = get_tags(self.entries[0].estimator)
        tags.estimator_type = first.estimator_type
        tags.classifier_tags = first.classifier_tags
        tags.regressor_tags = first.regressor_tags
        return tags
