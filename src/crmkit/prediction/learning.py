"""Says whether a model wants more rows, is too free for those it has, or has enough."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit
from sklearn.base import is_classifier
from sklearn.dummy import DummyClassifier, DummyRegressor
from sklearn.model_selection import GroupKFold, KFold, StratifiedGroupKFold, StratifiedKFold
from sklearn.utils import check_random_state

from crmkit import metrics
from crmkit.core import html
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.metrics.intervals import check_level
from crmkit.prediction._candidates import named_candidates
from crmkit.prediction._respond import respond
from crmkit.prediction._rows import known_rows, take_rows

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["LearningCurve", "learning_curve"]

MORE, SIMPLER, ENOUGH = "more data", "simpler", "enough"


@dataclass(frozen=True)
class LearningCurve:
    """How a model does by the number of rows it learned from.

    Parameters
    ----------
    verdict : {"more data", "simpler", "enough"}
        What to try next.
    reason : str
        The figures behind the verdict, in a sentence.
    table : pandas.DataFrame
        A row a size: ``n_train``, ``value`` with ``low`` and ``high`` on rows not learned from, ``training`` on those
        learned from, ``chance`` (of a model that looks at nothing but the target).
    doubling : Estimate
        What the last doubling of rows brought, in the direction in which the figure is better. The next brings less,
        as a rule.
    carried : float
        The share of what the model knows beyond chance of its training rows that it also knows of others; NaN where it
        knows nothing of its training rows.
    evaluator : str
        The figure.
    """

    verdict: str
    reason: str
    table: pd.DataFrame
    doubling: Estimate
    carried: float
    evaluator: str

    def __repr__(self) -> str:
        return f"{self.verdict}: {self.reason}"

    def _repr_html_(self) -> str:
        return html.table(list(self.table.columns), self.table.to_numpy().tolist(), caption=repr(self))


def learning_curve(
    model: Any,
    X: Any,
    y: Any,
    *,
    evaluator: Any,
    sizes: Sequence[float] = (0.125, 0.25, 0.5, 1.0),
    cv: int = 5,
    groups: Any = None,
    worth: float = 0.0,
    carry: float = 0.8,
    level: float = 0.95,
    random_state: Any = 0,
    n_jobs: int | None = None,
    n_threads: int | None = 1,
) -> LearningCurve:
    """Fit a model on ever more of the rows and say whether more, or a simpler model, would help.

    In each fold the model learns from parts of the training rows, each part holding the smaller ones, and is tested on
    the same rows. The verdict is ``"more data"`` where the last doubling brought more than ``worth`` and that is no
    chance (the whole interval lies above it); else ``"simpler"`` where the model carries less than the share ``carry``
    of what it knows of its own training rows over to others; else ``"enough"``. Costs ``cv * len(sizes)`` fits.

    Parameters
    ----------
    model : estimator or str
        A classifier or regressor, a whole pipeline, or the name of a classifier (of a regressor where y holds
        fractions).
    X : table, array, sparse matrix or texts, shape (n_rows, n_features) or (n_rows,)
        The rows.
    y : array-like, shape (n_rows,)
        What is to be predicted; rows without it are set aside with a warning.
    evaluator : evaluator
        By what to judge; it must be known whether greater is better.
    sizes : sequence of float, default=(0.125, 0.25, 0.5, 1.0)
        Shares of the training rows; 1 and one half must be among them.
    cv : int, default=5
        Number of folds: shuffled, stratified for classifiers.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is: customers are drawn and divided whole.
    worth : float, default=0.0
        The least gain that would be worth twice the rows.
    carry : float, default=0.8
        Between 0 and 1.
    level : float, default=0.95
        Nominal coverage of the intervals.
    random_state : int, RandomState or None, default=0
        Of folds and parts, and of a model given by name; one that is handed in has its own.
    n_jobs, n_threads : int or None
        As for ``metrics.cross_validate``; they change only the speed.

    Returns
    -------
    LearningCurve
        ``.verdict``, ``.reason``, ``.table``.

    Raises
    ------
    DataError
        If the evaluator's direction is unknown, sizes are no shares, or a part holds one label only.

    Notes
    -----
    Intervals are t over folds, with the variance raised for the rows that training sets share (Nadeau & Bengio 2003).
    ``"simpler"`` is a thing to try, not a promise: a forest knows its own rows nearly by heart and may be the best
    model all the same. A figure that does not move with more rows may also want better columns, which no curve can
    tell.

    References
    ----------
    Nadeau, C., & Bengio, Y. (2003). Inference for the generalization error. Machine Learning 52, 239-281.
    doi:10.1023/A:1024068626366

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.prediction import learning_curve
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(2_000, 3))
    >>> y = (X[:, 0] + random.normal(size=2_000) > 0).astype(int)
    >>> learning_curve("logistic", X, y, evaluator="roc-auc").verdict
    'enough'
    """
    check_level(level)
    evaluation = metrics.resolve(evaluator)
    if evaluation.greater_is_better is None:
        raise DataError(f"nobody said whether a greater {evaluation.name!r} is better: wrap it with metrics.evaluator")
    shares = _shares(sizes)
    rows, known, groups = known_rows(X, y, groups)
    target = np.asarray(known)
    estimator = named_candidates([model], "auto", target, random_state)[0][1]
    learns_labels = is_classifier(estimator)
    owners = None if groups is None else np.asarray(groups)
    folds = _folds(target, owners, cv, labels=learns_labels, random_state=random_state)
    nested = _nested(folds, target, owners, shares, labels=learns_labels, random_state=random_state)
    sign = 1.0 if evaluation.greater_is_better else -1.0
    options: dict[str, Any] = {
        "evaluators": evaluation,
        "n_resamples": 0,
        "n_jobs": n_jobs,
        "n_threads": n_threads,
    }
    classes = np.unique(target) if learns_labels else None
    with warnings.catch_warnings():
        # What single parts make of a figure is no news of the whole.
        warnings.simplefilter("ignore", DataWarning)
        pairs = [list(zip(parts, [test for _, test in folds], strict=True)) for parts in nested]
        tested, own = zip(
            *(_fit(estimator, rows, target, one, evaluation, classes, options) for one in pairs), strict=True
        )
        chance = _chance(target, folds, evaluation.name, options, labels=learns_labels)
    half, full = shares.index(0.5), shares.index(1.0)
    doubling = _over_folds(sign * (tested[full] - tested[half]), level)
    gained, learned = sign * (tested[full].mean() - chance), sign * (own[full].mean() - chance)
    carried = gained / learned if learned > 0 else float("nan")
    verdict, reason = _judge(doubling, carried, worth, carry, evaluation.name)
    estimates = [_over_folds(values, level) for values in tested]
    table = pd.DataFrame(
        {
            "n_train": [round(float(np.mean([len(part) for part in parts]))) for parts in nested],
            "value": [float(one) for one in estimates],
            "low": [one.low for one in estimates],
            "high": [one.high for one in estimates],
            "training": [float(values.mean()) for values in own],
            "chance": chance,
        }
    )
    return LearningCurve(verdict, reason, table, doubling, float(carried), evaluation.name)


def _fit(
    estimator: Any,
    X: Any,
    target: npt.NDArray[Any],
    pairs: list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]],
    evaluation: metrics.Evaluation,
    classes: npt.NDArray[Any] | None,
    options: dict[str, Any],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Fit on one part of each fold; give the figure on the rows tested and on those learned from."""
    found = metrics.cross_validate(estimator, X, target, cv=pairs, keep_models=True, **options)
    own = [
        evaluation.value(target[part], respond(model, take_rows(X, part), evaluation, classes), classes=classes)
        for model, (part, _) in zip(found.models, pairs, strict=True)
    ]
    return found.folds[evaluation.name].to_numpy(dtype=np.float64), np.array(own)


def _chance(
    target: npt.NDArray[Any], folds: list[tuple[Any, Any]], name: str, options: dict[str, Any], *, labels: bool
) -> float:
    """Give the figure of a model that looks at nothing but the target."""
    dummy: Any = DummyClassifier(strategy="prior") if labels else DummyRegressor()
    found = metrics.cross_validate(dummy, np.zeros((len(target), 1)), target, cv=folds, **options)
    return float(found.folds[name].mean())


def _judge(doubling: Estimate, carried: float, worth: float, carry: float, name: str) -> tuple[str, str]:
    """Say what to try next, and why."""
    step = f"the last doubling of rows changed {name} for the better by {doubling.value:.3g} "
    step += f"[{doubling.low:.3g}, {doubling.high:.3g}]"
    kept = (
        "nothing is known of the training rows" if np.isnan(carried) else f"{carried:.0%} of what is known carries over"
    )
    if doubling.low > worth:
        return MORE, f"{step}, {kept}"
    if carried < carry:
        return SIMPLER, f"{kept} to other rows, and {step}"
    return ENOUGH, f"{step}, {kept} to other rows"


def _over_folds(values: npt.NDArray[np.float64], level: float) -> Estimate:
    """Give the mean over folds with an interval that allows for the rows their training sets share."""
    n_folds = len(values)
    spread = values.std(ddof=1) * np.sqrt(1 / n_folds + 1 / (n_folds - 1))
    half = float(stdtrit(n_folds - 1, 0.5 + level / 2) * spread)
    center = float(values.mean())
    method = "t over folds, corrected"
    return Estimate(center, n=n_folds, low=center - half, high=center + half, level=level, method=method)


def _shares(sizes: Sequence[float]) -> list[float]:
    """Check the shares and put them in rising order."""
    shares = sorted({float(one) for one in sizes})
    if not shares or shares[0] <= 0 or shares[-1] > 1:
        raise DataError("sizes are shares of the training rows, above 0 and at most 1")
    if not {0.5, 1.0} <= set(shares):
        raise DataError("sizes must hold 0.5 and 1: the verdict rests on the last doubling")
    return shares


def _folds(
    target: npt.NDArray[Any], owners: npt.NDArray[Any] | None, n_folds: int, *, labels: bool, random_state: Any
) -> list[tuple[npt.NDArray[np.intp], npt.NDArray[np.intp]]]:
    """Divide the rows, labels alike in each fold and customers whole."""
    if not isinstance(n_folds, int) or n_folds < 2:
        raise DataError(f"cv must be a number of folds, at least 2; got {n_folds!r}")
    random = check_random_state(random_state)
    if owners is None:
        kind = StratifiedKFold if labels else KFold
        splitter: Any = kind(n_folds, shuffle=True, random_state=random)
    else:
        splitter = StratifiedGroupKFold(n_folds, shuffle=True, random_state=random) if labels else GroupKFold(n_folds)
    try:
        return list(splitter.split(np.zeros(len(target)), target, owners))
    except ValueError as problem:
        raise DataError(f"the rows cannot be divided into {n_folds} folds: {problem}") from problem


def _nested(
    folds: Sequence[tuple[Any, Any]],
    target: npt.NDArray[Any],
    owners: npt.NDArray[Any] | None,
    shares: Sequence[float],
    *,
    labels: bool,
    random_state: Any,
) -> list[list[npt.NDArray[np.intp]]]:
    """Draw parts of each fold's training rows, of which the larger hold the smaller; a list a share, of one a fold."""
    random = check_random_state(random_state)
    drawn: list[list[npt.NDArray[np.intp]]] = [[] for _ in shares]
    for train, _ in folds:
        unit = np.arange(len(train)) if owners is None else pd.factorize(owners[train])[0]
        place = random.permutation(unit.max() + 1)[unit]
        if labels and owners is None:
            # Within each label by chance, so that every part has the labels in the shares of the whole.
            _, codes = np.unique(target[train], return_inverse=True)
            order = np.lexsort((place, codes))
            counts = np.bincount(codes)
            within = np.empty(len(train))
            within[order] = np.arange(len(train)) - np.repeat(np.cumsum(counts) - counts, counts)
            position = (within + 0.5) / counts[codes]
        else:
            position = (place + 0.5) / (unit.max() + 1)
        for parts, share in zip(drawn, shares, strict=True):
            part = np.asarray(train[position <= share], dtype=np.intp)
            if labels and len(np.unique(target[part])) < len(np.unique(target)):
                raise DataError(f"{share:g} of the training rows do not hold every label: begin with a larger size")
            parts.append(part)
    return drawn
