"""Says whether a new model should take the place of the one in use."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from crmkit import metrics
from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics.intervals import normal_quantile
from crmkit.prediction._respond import labels_of, respond
from crmkit.prediction._rows import known_rows

__all__ = ["Challenge", "challenge"]


@dataclass(frozen=True)
class Challenge:
    """A model in use against a new one, on the same rows.

    Parameters
    ----------
    verdict : {"keep", "replace"}
        What to do with the model in use.
    reason : str
        Why, in a sentence.
    champion, challenger : Estimate
        The figure of each.
    difference : Estimate
        The challenger's less the champion's, row by row the same, turned so that more is better.
    rows_needed : int or None
        About how many rows (customers, where groups were given) would decide for the challenger if the difference is
        what it seems; None where it is decided, or where there is no lead worth deciding.
    evaluator : str
        The figure.
    """

    verdict: str
    reason: str
    champion: Estimate
    challenger: Estimate
    difference: Estimate
    rows_needed: int | None
    evaluator: str

    @property
    def table(self) -> pd.DataFrame:
        """Champion, challenger and difference: value, low, high, n, method."""
        fields = ("value", "low", "high", "n", "method")
        named = {"champion": self.champion, "challenger": self.challenger, "difference": self.difference}
        rows = {name: [getattr(one, field) for field in fields] for name, one in named.items()}
        return pd.DataFrame.from_dict(rows, orient="index", columns=list(fields)).rename_axis("model")

    def __repr__(self) -> str:
        return f"{self.verdict}: {self.reason}"

    def _repr_html_(self) -> str:
        shown = self.table.reset_index()
        return html.table(list(shown.columns), shown.to_numpy().tolist(), caption=repr(self))


def challenge(
    champion: Any,
    challenger: Any,
    X: Any,
    y: Any,
    *,
    evaluator: Any,
    worth: float = 0.0,
    groups: Any = None,
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> Challenge:
    """Compare a fitted model in use with a fitted new one on rows that neither has seen.

    Both answer on the same rows, and the difference is taken row by row (paired), so that what is easy or hard for both
    does not count. The champion is replaced only where the challenger is better by more than ``worth`` beyond chance:
    changing a model costs, and the one in use is known. Where rows of the two were chosen by one of the models (only
    its high scores were called), they are no fair ground.

    Parameters
    ----------
    champion, challenger : fitted classifiers or regressors
        Whole pipelines where there are steps that learn.
    X : table, array, sparse matrix or texts, shape (n_rows, n_features) or (n_rows,)
        New rows.
    y : array-like, shape (n_rows,)
        What happened; rows where it is not known are set aside with a warning.
    evaluator : evaluator
        By what to judge; it must be known whether greater is better.
    worth : float, default=0.0
        The least gain for which the change is worth its trouble, in units of the figure.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is, where a customer has several: customers are drawn whole.
    level : float, default=0.95
        Nominal coverage of the intervals.
    n_resamples : int, default=1000
        Of the bootstrap over rows.
    random_state : int, RandomState or None, default=0
        Of the bootstrap.

    Returns
    -------
    Challenge
        ``.verdict``, ``.reason``, ``.difference``, ``.table``.

    Raises
    ------
    DataError
        If the evaluator's direction is unknown, a model lacks what it asks, or rows do not fit.
    NotFittedError
        If a model is not fitted.

    Notes
    -----
    The interval of the difference is the bootstrap's percentiles, moved out as far as Student's t lies beyond the
    normal distribution (Hesterberg 2015): percentiles alone are too narrow for few rows. Where there are fewer rows
    (customers, where groups were given) than would decide if all of them spoke for the challenger, 6 at a level of
    95 %, nothing is replaced.

    References
    ----------
    Hesterberg, T. C. (2015). What teachers should know about the bootstrap. The American Statistician 69, 371-386.
    doi:10.1080/00031305.2015.1089789

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.linear_model import LogisticRegression
    >>> from crmkit.prediction import challenge
    >>> random = np.random.default_rng(0)
    >>> X = random.normal(size=(3_000, 2))
    >>> y = (X.sum(axis=1) + random.normal(size=3_000) > 0).astype(int)
    >>> old = LogisticRegression().fit(X[:500] * [1, 0], y[:500])
    >>> new = LogisticRegression().fit(X[:500], y[:500])
    >>> challenge(old, new, X[500:], y[500:], evaluator="brier").verdict
    'replace'
    """
    evaluation = metrics.resolve(evaluator)
    if evaluation.greater_is_better is None:
        raise DataError(f"nobody said whether a greater {evaluation.name!r} is better: wrap it with metrics.evaluator")
    if not worth >= 0:
        raise DataError(f"worth must not be negative, got {worth!r}")
    rows, known, groups = known_rows(X, y, groups)
    target = np.asarray(known)
    if not len(target):
        raise DataError("there are no rows to compare the models on")
    labels = [labels_of(model, target) for model in (champion, challenger)]
    if (labels[0] is None) != (labels[1] is None):
        raise DataError("one of the models is a classifier and the other a regressor")
    if labels[0] is not None and labels[1] is not None and labels[0].tolist() != labels[1].tolist():
        raise DataError("the models have learned different labels")
    answers = [
        respond(model, rows, evaluation, learned) for model, learned in zip((champion, challenger), labels, strict=True)
    ]
    options: dict[str, Any] = {"level": level, "n_resamples": n_resamples, "random_state": random_state}
    each = [
        evaluation.estimate(target, answer, classes=learned, groups=groups, **options)
        for answer, learned in zip(answers, labels, strict=True)
    ]
    sign = 1.0 if evaluation.greater_is_better else -1.0

    def lead(actual: Any, first: Any, second: Any) -> float:
        old, new = (evaluation.value(actual, one, classes=labels[0]) for one in (first, second))
        return sign * (new - old)

    difference = _expanded(metrics.bootstrap(lead, target, *answers, groups=groups, **options))
    verdict, reason, needed = _judge(difference, worth, evaluation.name)
    return Challenge(verdict, reason, each[0], each[1], difference, needed, evaluation.name)


def _expanded(difference: Estimate) -> Estimate:
    """Widen a percentile interval by what it falls short for few rows, as t does the normal interval (Hesterberg)."""
    n = difference.n
    if n == 1:
        low = high = float("nan")
    else:
        wider = float(stdtrit(n - 1, 0.5 + difference.level / 2)) / normal_quantile(difference.level)
        wider *= math.sqrt(n / (n - 1))
        low, high = (difference.value + wider * (end - difference.value) for end in (difference.low, difference.high))
    told = difference.method.replace("bootstrap", "expanded bootstrap", 1)
    return Estimate(difference.value, n=n, low=low, high=high, level=difference.level, method=told)


def _judge(difference: Estimate, worth: float, name: str) -> tuple[str, str, int | None]:
    """Say what to do, why, and how many rows would decide."""
    ends = f"{difference.value:.4g} [{difference.low:.4g}, {difference.high:.4g}]"
    said = f"the challenger's {name} is better by {ends}"
    more = f"more than {worth:g}" if worth else "more than nothing"
    # Fewer could not decide even if every one of them spoke for the challenger, as heads alone do not convict a coin.
    least = math.ceil(1 - math.log2(1 - difference.level))
    if difference.n < least or not np.isfinite([difference.low, difference.high]).all():
        return "keep", f"{said}: {difference.n:,} rows or customers do not decide it", None
    if difference.low > worth:
        return "replace", f"{said}, {more} beyond chance", None
    if difference.high <= worth:
        return "keep", f"{said}, which is not {more}", None
    over = difference.value - worth
    if over <= 0:
        return "keep", f"{said}: no lead of {more}", None
    needed = int(np.ceil(difference.n * ((difference.value - difference.low) / over) ** 2))
    return "keep", f"{said}, which may be chance; about {needed:,} rows would decide", needed
