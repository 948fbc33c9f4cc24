"""Tries models and their parameters, and gives one table of all of them."""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit import metrics
from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.prediction._candidates import configurations, configured, named_candidates
from crmkit.prediction._measured import MEMORY
from crmkit.prediction._race import Race
from crmkit.prediction._rows import known_rows
from crmkit.prediction.choice import Chooser, inner_folds
from crmkit.prediction.untouched import UntouchedTest, check_not_scored, set_test_aside

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit.core.estimate import Estimate
    from crmkit.prediction._race import Outcome

__all__ = ["SearchResult", "search"]

_ORDER = {"finished": 0, "dropped": 1, "out of time": 2, "failed": 3}


@dataclass(frozen=True)
class SearchResult:
    """What ``search`` found.

    Parameters
    ----------
    name : str
        The configuration chosen.
    parameters : dict
        Its parameters, of those that were tried.
    model : estimator
        It, fitted on all rows but the test's.
    table : pandas.DataFrame
        A row a configuration, the best first: ``candidate``, ``parameters``, for each evaluator its value and its
        interval (``<name>_low``, ``<name>_high``), ``n_train``, ``fit_seconds`` and ``predict_seconds`` (means over
        folds), ``peak_mb`` (the most of any fold), ``status`` (finished, dropped, out of time, failed), ``reason``,
        ``times_chosen`` in the outer folds, and ``chosen``. The first row's figure is too good, by luck, the more rows
        there are.
    estimate : Estimate or None
        How good searching like this is on rows that neither search nor fit has seen; where ``outer_cv`` was asked for.
    test : dict of str to Estimate or None
        The chosen model's figures on the test, where there was one.
    evaluator : str
        The figure that decided.
    greater_is_better : bool
        Which way it points.
    memory : str
        How ``peak_mb`` was taken: "resident set" is the rise of the process's memory, what was freed before given back
        first; "tracemalloc" is what Python allocated, without trees grown in compiled code.
    errors : dict of str to Exception
        Of configurations that failed.
    """

    name: str
    parameters: dict[str, Any]
    model: Any
    table: pd.DataFrame
    estimate: Estimate | None
    test: dict[str, Estimate] | None
    evaluator: str
    greater_is_better: bool
    memory: str = MEMORY
    errors: dict[str, Exception] = field(default_factory=dict)

    def __repr__(self) -> str:
        first = self.table[self.evaluator].to_numpy()[self.table["chosen"].to_numpy(dtype=bool)][0]
        lines = [f"{self.name}, chosen of {len(self.table)} by {self.evaluator}: {first:.4g} where it was chosen"]
        if self.estimate is not None:
            lines.append(f"searching like this: {self.estimate}")
        if self.test is not None:
            lines += [f"test, {name}: {figure}" for name, figure in self.test.items()]
        if self.estimate is None and self.test is None:
            lines.append("too good by luck, the more was tried: ask for outer_cv=5, or set a test aside (test=0.2)")
        counts = self.table["status"].value_counts()
        others = [f"{counts[status]} {status}" for status in _ORDER if status != "finished" and status in counts]
        return "\n".join([*lines, *([", ".join(others)] if others else [])])

    def _repr_html_(self) -> str:
        shown = self.table.reset_index()
        return html.table(list(shown.columns), shown.to_numpy().tolist(), caption=repr(self))


def search(
    candidates: Mapping[str, Any] | Sequence[Any],
    X: Any,
    y: Any,
    *,
    evaluators: Any,
    strategy: str = "grid",
    n_draws: int = 20,
    factor: float = 3.0,
    cv: Any = 5,
    outer_cv: Any = None,
    groups: Any = None,
    test: UntouchedTest | float | None = None,
    time_budget: float | None = None,
    kind: str = "auto",
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
    n_jobs: int | None = None,
    n_threads: int | None = 1,
) -> SearchResult:
    """Try models with their parameters by cross-validation; give the best, and one table of all.

    Every configuration is fitted within the same folds, preparation and selection of columns included, and judged by
    every evaluator; the first evaluator decides. What fails is a row of the table with its reason. Costs one fit a
    configuration and fold; with ``outer_cv`` as many times more as there are outer folds, and once more.

    Parameters
    ----------
    candidates : mapping of str to candidate, or sequence of candidates
        A candidate is a name (``"boosting"``), an estimator, a whole pipeline, or a pair of one of these and the values
        of its parameters to try (``("logistic", {"C": [0.1, 1]})``); see ``Candidate``.
    X : table, array, sparse matrix or texts, shape (n_rows, …)
        The rows; of tables the index stays, for splitters that read it.
    y : array-like, shape (n_rows,)
        What is to be predicted; rows where it is missing are set aside with a warning.
    evaluators : evaluator, sequence of them, or mapping of str to evaluator
        The figures; it must be known of the first whether greater is better. See ``metrics.resolve``.
    strategy : {"grid", "random", "halving"}, default="grid"
        "grid" tries every combination of values; "random" draws ``n_draws`` of each candidate, from lists or
        distributions; "halving" begins with a share of the training rows (200 at least) and goes on with one in
        ``factor`` and ``factor`` times the rows, until all rows are used. Halving is quick with many configurations,
        and loses models that need many rows to be good.
    n_draws : int, default=20
        Configurations drawn of each candidate that has parameters.
    factor : float, default=3.0
        Of halving.
    cv : int or splitter, default=5
        The folds; use ``preparation.TimeFolds`` and its kin to train on the past and test on the future.
    outer_cv : int, splitter or iterable of (train, test) positions, default=None
        Outer folds for ``estimate``: each searches anew within its training rows and is tested on the others.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is, where a customer has several: they stay together.
    test : UntouchedTest, float or None, default=None
        A test to score the chosen model by, once; a share sets one aside at random (whole groups, where there are any).
    time_budget : float or None, default=None
        Seconds after which no further fit begins; what is tried then depends on the machine. One configuration is
        always judged. Not with ``outer_cv``, whose searches would each be cut elsewhere.
    kind : {"auto", "classifier", "regressor"}, default="auto"
        What names mean. "auto": regressors where y holds fractions, classifiers elsewhere.
    level : float, default=0.95
        Nominal coverage of the intervals.
    n_resamples : int, default=1000
        Of the bootstrap, for figures that have no interval of their own.
    random_state : int, RandomState or None, default=0
        Of folds, draws, bootstrap, test, and candidates given by name; other estimators have their own.
    n_jobs : int or None, default=None
        How many configurations at once; changes only the speed, and the measured seconds and memory.
    n_threads : int or None, default=1
        Threads of the numerical libraries in each fit; changes only the speed.

    Returns
    -------
    SearchResult
        ``.table``, ``.model``, ``.estimate``, ``.test``.

    Raises
    ------
    DataError
        If nothing could be judged, the evaluator's direction is unknown, or arguments contradict each other.
    UnknownPluginError
        If no model has such a name.

    See Also
    --------
    select_model : A few models without parameters, always with the nested estimate.

    References
    ----------
    Bergstra, J., & Bengio, Y. (2012). Random search for hyper-parameter optimization. Journal of Machine Learning
    Research 13, 281-305.
    Jamieson, K., & Talwalkar, A. (2016). Non-stochastic best arm identification and hyperparameter optimization.
    AISTATS, PMLR 51, 240-248.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.prediction import search
    >>> X = np.random.default_rng(0).normal(size=(200, 3))
    >>> y = np.where(X[:, 0] > 0, "stay", "go")
    >>> found = search([("logistic", {"C": [0.01, 1.0]}), "tree"], X, y, evaluators=["accuracy", "log-loss"], cv=3)
    >>> found.name, found.table["candidate"].tolist()
    ('tree', ['tree', 'logistic', 'logistic'])
    """
    if strategy not in {"grid", "random", "halving"}:
        raise DataError(f"strategy must be 'grid', 'random' or 'halving', got {strategy!r}")
    if factor <= 1 or n_draws < 1:
        raise DataError(f"factor must be above 1 and n_draws at least 1, got {factor} and {n_draws}")
    if time_budget is not None and outer_cv is not None:
        raise DataError(
            "time_budget cuts each outer search elsewhere: leave outer_cv out, and set a test aside instead"
        )
    evaluations = metrics.resolve_all(evaluators)
    first = evaluations[0]
    if first.greater_is_better is None:
        raise DataError(
            f"nobody said whether a greater {first.name!r} is better: "
            "wrap it with metrics.evaluator(function, greater_is_better=…)"
        )
    if isinstance(test, UntouchedTest):
        check_not_scored(test)
    X, y, groups = known_rows(X, y, groups)
    if isinstance(test, float | int):
        X, y, groups, test = set_test_aside(X, y, share=float(test), groups=groups, random_state=random_state)
    entries = configurations(named_candidates(candidates, kind, y, random_state), strategy, n_draws, random_state)
    options = {"level": level, "n_resamples": n_resamples, "random_state": random_state, "n_threads": n_threads}
    race = Race(evaluations, inner_folds(cv, None), halving=strategy == "halving", factor=factor, options=options)
    deadline = None if time_budget is None else time.time() + time_budget
    outcomes = race.run(entries, X, y, groups, n_jobs=n_jobs, deadline=deadline)
    best = race.best(outcomes)
    estimate, times_chosen = None, None
    if outer_cv is not None:
        outer = metrics.cross_validate(
            Chooser(entries, race),
            X,
            y,
            evaluators=first,
            cv=outer_cv,
            groups=groups,
            fit_params=None if groups is None else {"groups": groups},
            keep_models=True,
            n_jobs=n_jobs,
            **options,
        )
        estimate = outer.estimates[first.name]
        times_chosen = [model.chosen_ for model in outer.models]
    model = configured(entries[best]).fit(X, y)
    figures = None
    if test is not None:
        figures = test.score(model, evaluations, level=level, n_resamples=n_resamples, random_state=random_state)
    return SearchResult(
        entries[best].name,
        entries[best].parameters,
        model,
        _table(outcomes, evaluations, best, times_chosen),
        estimate,
        figures,
        first.name,
        first.greater_is_better,
        errors={one.configuration.name: one.error for one in outcomes if one.error is not None},
    )


def _table(
    outcomes: list[Outcome], evaluations: list[metrics.Evaluation], best: int, chosen_in: list[str] | None
) -> pd.DataFrame:
    """Put all configurations into one table, the best first."""
    rows = []
    for place, one in enumerate(outcomes):
        row: dict[str, Any] = {"candidate": one.configuration.candidate, "parameters": one.configuration.words}
        for evaluation in evaluations:
            figure = None if one.found is None else one.found.estimates[evaluation.name]
            for ending, part in (("", "value"), ("_low", "low"), ("_high", "high")):
                row[f"{evaluation.name}{ending}"] = float("nan") if figure is None else getattr(figure, part)
        row |= {
            "n_train": one.n_train,
            "fit_seconds": one.fit_seconds,
            "predict_seconds": one.predict_seconds,
            "peak_mb": one.peak_mb,
            "status": one.status,
            "reason": one.reason,
            "times_chosen": None if chosen_in is None else chosen_in.count(one.configuration.name),
            "chosen": place == best,
        }
        rows.append(row)
    table = pd.DataFrame(rows, index=pd.Index([one.configuration.name for one in outcomes], name="configuration"))
    sign = -1.0 if evaluations[0].greater_is_better else 1.0
    order = pd.DataFrame(
        {
            "status": table["status"].map(_ORDER).to_numpy(),
            "n_train": -table["n_train"].to_numpy(),
            "value": sign * table[evaluations[0].name].to_numpy(),
        }
    )
    # Configurations left behind are ordered among those that had as many rows.
    finished = order["status"] == 0
    order.loc[finished, "n_train"] = 0.0
    if chosen_in is None:
        table = table.drop(columns="times_chosen")
    return table.iloc[order.sort_values(["status", "n_train", "value"], kind="stable").index]
