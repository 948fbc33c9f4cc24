"""Cross-validation that fits every step inside the folds and gives each figure with its interval."""

from __future__ import annotations

import warnings
from contextlib import nullcontext
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtr, stdtrit
from sklearn.base import clone, is_classifier
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.parallel import Parallel, delayed
from threadpoolctl import threadpool_limits

from crmkit.core import html
from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import as_column, check_lengths
from crmkit.metrics._folds import Fold, Rows, make_folds, take
from crmkit.metrics.evaluators import Evaluation, resolve_all
from crmkit.metrics.intervals import average, check_level, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

__all__ = ["CrossValidation", "cross_validate"]


@dataclass(frozen=True)
class CrossValidation:
    """What ``cross_validate`` found.

    Parameters
    ----------
    estimates : dict of str to Estimate
        Each evaluator's figure with its interval; ``result["f1"]`` gives one.
    folds : pandas.DataFrame
        Each evaluator's figure fold by fold, with ``n_train`` and ``n_test``.
    predictions : pandas.DataFrame
        A row for each tested row: ``row`` (its position in X), ``fold``, ``actual`` and ``predicted``, in the order of
        ``row``; each predicted by a model that has not seen it.
    greater_is_better : dict of str to bool or None
        Which way each figure points.
    models : tuple
        The fitted model of each fold, where ``keep_models`` asked for them.
    """

    estimates: dict[str, Estimate]
    folds: pd.DataFrame
    predictions: pd.DataFrame
    greater_is_better: dict[str, bool | None]
    models: tuple[Any, ...] = ()

    @property
    def table(self) -> pd.DataFrame:
        """One row an evaluator: value, low, high, n, level, method, greater_is_better."""
        fields = ("value", "low", "high", "n", "level", "method")
        records = [{name: getattr(one, name) for name in fields} for one in self.estimates.values()]
        table = pd.DataFrame(records, index=pd.Index(list(self.estimates), name="evaluator"), columns=list(fields))
        table["greater_is_better"] = pd.Series(self.greater_is_better, dtype=object)
        return table

    def __getitem__(self, name: str) -> Estimate:
        return self.estimates[name]

    def __repr__(self) -> str:
        lines = [f"{name}: {estimate}" for name, estimate in self.estimates.items()]
        return "\n".join([f"cross-validation, {len(self.folds)} folds", *lines])

    def _repr_html_(self) -> str:
        table = self.table.reset_index()
        return html.table(list(table.columns), table.to_numpy().tolist(), caption=f"{len(self.folds)} folds")


def cross_validate(
    estimator: Any,
    X: Any,
    y: Any,
    *,
    evaluators: Any,
    cv: Any = 5,
    groups: Any = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
    fit_params: Mapping[str, Any] | None = None,
    keep_models: bool = False,
    n_jobs: int | None = None,
    n_threads: int | None = 1,
) -> CrossValidation:
    """Estimate how well a model does on rows it has not seen.

    For each fold a clone is fitted on the other rows alone, so a pipeline's scaling, encoding and choice of columns
    see training rows only. Where ``cv`` is a number, folds are shuffled by what rows hold: the same rows in another
    order give the same result. Costs one fit a fold.

    Parameters
    ----------
    estimator : classifier or regressor
        Anything with ``fit`` and ``predict``; a whole pipeline, if there are steps that learn. It is cloned.
    X : table, array, sparse matrix or texts, shape (n_rows, n_features) or (n_rows,)
        The rows.
    y : array-like, shape (n_rows,)
        What is to be predicted; none missing.
    evaluators : evaluator, sequence of them, or mapping of str to evaluator
        Names (``"f1"``), specs, functions of (actual, predicted), scikit-learn's metrics and scorers; see ``resolve``.
    cv : int, splitter or iterable of (train, test) positions, default=5
        A number gives shuffled folds, stratified for classifiers, whole groups together where there are ``groups``. A
        splitter or pairs are used as they are, on the order given: use these to train on the past and test on the
        future.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is, where a customer has several.
    level : float, default=0.95
        Nominal coverage of the intervals.
    n_resamples : int, default=1000
        Of the bootstrap, for figures that have no interval of their own.
    random_state : int, RandomState or None, default=0
        Of shuffling and bootstrap. The estimator has its own.
    fit_params : mapping of str to array-like of shape (n_rows,), default=None
        What ``fit`` takes beside X and y, a value a row, such as ``sample_weight``: each fold gets its own rows.
    keep_models : bool, default=False
        Keep each fold's fitted model in ``.models``.
    n_jobs : int or None, default=None
        How many folds at once; changes only the speed.
    n_threads : int or None, default=1
        How many threads the numerical libraries may use in each fit; changes only the speed. On a machine that others
        share, more than one can make gradient boosting hundreds of times slower. None leaves them as they are.

    Returns
    -------
    CrossValidation
        ``.table``, ``.estimates``, ``.folds``, ``.predictions``.

    Raises
    ------
    DataError
        If a fold trains on rows it tests, lengths differ, y has missing entries, or a figure does not fit the model.

    Notes
    -----
    Where each row is tested once, the responses of all folds are put together and the figure's own interval is taken
    over rows (over groups, by bootstrap, where there are any). Taken as it is, that interval is too narrow: it tells
    how far the figure moves with other test rows, but the models share most of their training rows and so err together
    (on noise, 95 % intervals were seen to cover 83 to 95 %). No unbiased estimate of that part exists (Bengio &
    Grandvalet 2004), so the interval is widened by the factor of Nadeau & Bengio (2003), the root of
    1 + folds x test rows / training rows: 1.5 for five folds. ``method`` tells it. Figures of the order of scores
    (roc-auc) are averaged over folds, because scores of different models cannot be ordered against each other; their
    interval is recovered from the folds' own. Where rows are tested more than once (repeated folds), rows count only
    once as evidence: the interval is the corrected resampled t interval over folds (Nadeau & Bengio 2003).

    References
    ----------
    Bengio, Y., & Grandvalet, Y. (2004). No unbiased estimator of the variance of k-fold cross-validation. Journal of
    Machine Learning Research 5, 1089-1105.
    Nadeau, C., & Bengio, Y. (2003). Inference for the generalization error. Machine Learning 52, 239-281.
    doi:10.1023/A:1024068626366

    Examples
    --------
    >>> from sklearn.datasets import load_iris
    >>> from sklearn.linear_model import LogisticRegression
    >>> from crmkit.metrics import cross_validate
    >>> X, y = load_iris(return_X_y=True)
    >>> result = cross_validate(LogisticRegression(max_iter=1000), X, y, evaluators=["accuracy", "f1"])
    >>> bool(result["accuracy"] > 0.9), result["accuracy"].n
    (True, 150)
    """
    check_level(level)
    require_methods(estimator, ("fit", "predict"), role="an estimator to cross-validate")
    evaluations = resolve_all(evaluators)
    rows = Rows.of(X, y, groups)
    classes = _classes(estimator, rows.y)
    folds = make_folds(rows, cv, stratify=classes is not None, random_state=random_state)
    methods = {_method(estimator, one) for one in evaluations} | {("predict",)}
    aligned = {name: as_column(values, name) for name, values in (fit_params or {}).items()}
    check_lengths(y=rows.y, **aligned)
    fitted: Any = Parallel(n_jobs=n_jobs)(
        delayed(_fit_and_answer)(estimator, rows, fold, methods, classes, aligned, n_threads) for fold in folds
    )
    answers = [answer for answer, _ in fitted]
    options = {"level": level, "n_resamples": n_resamples, "random_state": random_state}
    estimates = {}
    by_fold: dict[str, list[float]] = {}
    for one in evaluations:
        responses = [answer[_method(estimator, one)] for answer in answers]
        by_fold[one.name] = [
            _fold_value(one, rows.y[fold.test], response, classes)
            for fold, response in zip(folds, responses, strict=True)
        ]
        estimates[one.name] = _estimate(one, rows, folds, responses, by_fold[one.name], classes, options)
    sizes = {"n_train": [len(fold.train) for fold in folds], "n_test": [len(fold.test) for fold in folds]}
    table = pd.DataFrame({**by_fold, **sizes}, index=pd.RangeIndex(len(folds), name="fold"))
    predictions = _predictions(rows, folds, [answer["predict",] for answer in answers])
    directions = {one.name: one.greater_is_better for one in evaluations}
    models = tuple(model for _, model in fitted) if keep_models else ()
    return CrossValidation(estimates, table, predictions, directions, models)


def _classes(estimator: Any, y: npt.NDArray[Any]) -> npt.NDArray[Any] | None:
    """Give a classifier's labels in ascending order, or None for a regressor."""
    if not is_classifier(estimator):
        return None
    kind = type_of_target(y)
    if kind not in {"binary", "multiclass"}:
        raise DataError(f"a classifier needs labels, but y is {kind}: bin it, or use a regressor")
    classes = np.unique(y)
    if len(classes) < 2:
        raise DataError("y holds one label only: there is nothing to classify")
    return classes


def _method(estimator: Any, evaluation: Evaluation) -> tuple[str, ...]:
    """Check that the model can answer what the figure asks; which of several it has is known once it is fitted."""
    if any(callable(getattr(estimator, name, None)) for name in evaluation.responses):
        return evaluation.responses
    wanted = " or ".join(evaluation.responses)
    raise DataError(
        f"evaluator {evaluation.name!r} needs {wanted} of the model, which {type(estimator).__name__} lacks"
    )


def _fit_and_answer(
    estimator: Any,
    rows: Rows,
    fold: Fold,
    methods: set[tuple[str, ...]],
    classes: npt.NDArray[Any] | None,
    fit_params: dict[str, npt.NDArray[Any]],
    n_threads: int | None,
) -> tuple[dict[tuple[str, ...], Any], Any]:
    """Fit a clone on the training rows and let it answer on the test rows."""
    # Looking the numerical libraries up takes longer than many a fit, so not where there is nothing to limit.
    with nullcontext() if n_threads is None else threadpool_limits(limits=n_threads):
        fresh: Any = clone(estimator)
        given = {name: values[fold.train] for name, values in fit_params.items()}
        model = fresh.fit(take(rows.X, fold.train), rows.y[fold.train], **given)
        tested = take(rows.X, fold.test)
        answers = {}
        for method in methods:
            name = next(one for one in method if callable(getattr(model, one, None)))
            answer = np.asarray(getattr(model, name)(tested))
            answers[method] = answer if name == "predict" or classes is None else _aligned(answer, model, classes, name)
    return answers, model


def _fold_value(evaluation: Evaluation, actual: Any, response: Any, classes: Any) -> float:
    """Give one fold's figure; one that a small fold leaves undefined is missing where the pooled rows decide."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        try:
            return evaluation.value(actual, response, classes=classes)
        except DataError:
            if evaluation.pool == "folds":
                raise
            return float("nan")


def _aligned(answer: npt.NDArray[Any], model: Any, classes: npt.NDArray[Any], name: str) -> npt.NDArray[np.float64]:
    """Give one column for each label of the whole table, or the positive label's alone where there are two."""
    seen = np.asarray(model.classes_)
    scores = np.asarray(answer, dtype=np.float64)
    if len(seen) != len(classes):
        if name != "predict_proba":
            raise DataError(
                f"{len(classes) - len(seen)} label(s) are absent from the training rows of a fold, and {name} has no "
                "value for them: take fewer folds, or join rare labels"
            )
        full = np.zeros((len(scores), len(classes)))
        full[:, np.searchsorted(classes, seen)] = scores
        scores = full
    return scores[:, 1] if scores.ndim == 2 and scores.shape[1] == 2 else scores


def _estimate(
    evaluation: Evaluation,
    rows: Rows,
    folds: Sequence[Fold],
    responses: Sequence[Any],
    by_fold: list[float],
    classes: Any,
    options: dict[str, Any],
) -> Estimate:
    """Put the folds together in the way that is honest for this figure and these folds."""
    tested = np.concatenate([fold.test for fold in folds])
    if len(np.unique(tested)) < len(tested):
        return _over_repeats(by_fold, rows, folds, options["level"])
    groups = rows.groups
    level, factor = options["level"], _widening(folds)
    options = {**options, "level": _level_of(factor * normal_quantile(level))}
    note = "" if factor == 1 else f" widened {factor:.2g} times"
    if evaluation.pool == "rows" or len(folds) == 1:
        estimate = evaluation.estimate(
            rows.y[tested],
            np.concatenate(responses),
            classes=classes,
            groups=None if groups is None else groups[tested],
            **options,
        )
        method = f"{estimate.method}{note}; {len(folds)} folds pooled"
        return Estimate(estimate.value, n=estimate.n, low=estimate.low, high=estimate.high, level=level, method=method)
    parts = [
        evaluation.estimate(
            rows.y[fold.test],
            response,
            classes=classes,
            groups=None if groups is None else groups[fold.test],
            **options,
        )
        for fold, response in zip(folds, responses, strict=True)
    ]
    value, low, high = average(parts, [part.low for part in parts], [part.high for part in parts])
    method = f"{parts[0].method}{note}; mean of {len(folds)} folds"
    return Estimate(value, n=sum(part.n for part in parts), low=low, high=high, level=level, method=method)


def _widening(folds: Sequence[Fold]) -> float:
    """Give how much wider an interval must be because the models of the folds share training rows."""
    if len(folds) == 1:
        return 1.0
    return float(np.sqrt(1 + sum(len(fold.test) / len(fold.train) for fold in folds)))


def _level_of(quantile: float) -> float:
    """Give the nominal level of a normal quantile, so that any kind of interval can be widened within its bounds."""
    return min(float(2 * ndtr(quantile) - 1), 1 - 1e-15)


def _over_repeats(by_fold: list[float], rows: Rows, folds: Sequence[Fold], level: float) -> Estimate:
    """Give the corrected resampled t interval of folds that test rows more than once."""
    values = np.array(by_fold)
    ratio = float(np.mean([len(fold.test) / len(fold.train) for fold in folds]))
    half = float("nan")
    if len(values) > 1:
        spread = np.sqrt((1 / len(values) + ratio) * values.var(ddof=1))
        half = float(stdtrit(len(values) - 1, 0.5 + level / 2) * spread)
    tested = np.unique(np.concatenate([fold.test for fold in folds]))
    n = len(tested) if rows.groups is None else len(pd.unique(rows.groups[tested]))
    center = float(values.mean())
    note = f"corrected t; {len(folds)} overlapping folds"
    return Estimate(center, n=n, low=center - half, high=center + half, level=level, method=note)


def _predictions(rows: Rows, folds: Sequence[Fold], predicted: Sequence[Any]) -> pd.DataFrame:
    """Give the out-of-fold predictions in the order of the rows."""
    tested = np.concatenate([fold.test for fold in folds])
    table = pd.DataFrame(
        {
            "row": tested,
            "fold": np.repeat(np.arange(len(folds)), [len(fold.test) for fold in folds]),
            "actual": rows.y[tested],
            "predicted": np.concatenate(predicted),
        }
    )
    return table.sort_values(["row", "fold"], kind="stable", ignore_index=True)
