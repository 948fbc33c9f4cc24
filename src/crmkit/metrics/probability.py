"""How good scores and probabilities of labels are: log loss, Brier score and the area under the ROC curve."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit, logit
from scipy.stats import rankdata

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import as_numbers, check_lengths
from crmkit.metrics._labels import code_actual, positive_label
from crmkit.metrics.intervals import mean, normal_quantile, wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["brier", "coded_probabilities", "log_loss", "roc_auc"]


def _scores(values: Any, what: str) -> npt.NDArray[np.float64]:
    """Give finite scores, one or several a row."""
    array = np.asarray(values)
    if array.ndim != 2 or array.shape[1] == 1:
        return as_numbers(values, what)
    try:
        numbers = array.astype(np.float64)
    except (TypeError, ValueError):
        raise DataError(f"{what} must hold numbers") from None
    wrong = ~np.isfinite(numbers).all(axis=1)
    if wrong.any():
        raise DataError(f"{what} is missing or not finite in {positions(wrong)}")
    return numbers


def _coded(
    actual: Any, scores: npt.NDArray[np.float64], what: str, labels: Sequence[Any] | None
) -> tuple[npt.NDArray[np.intp], list[Any]]:
    """Code the actual labels and check that they fit the columns of scores."""
    codes, found = code_actual(actual, labels)
    check_lengths(actual=codes, **{what: scores})
    if scores.ndim == 2 and len(found) != scores.shape[1]:
        raise DataError(
            f"{what} has {scores.shape[1]} columns but {len(found)} labels are known: "
            "name the label of each column in order (labels=…)"
        )
    if len(found) > 2 and scores.ndim == 1:
        raise DataError(f"{len(found)} labels need one column of {what} each, got one column")
    return codes, found


def _probabilities(values: Any) -> npt.NDArray[np.float64]:
    """Refuse what is no probability."""
    numbers = _scores(values, "probabilities")
    outside = (numbers < 0) | (numbers > 1)
    wrong = outside if numbers.ndim == 1 else outside.any(axis=1)
    if wrong.any():
        raise DataError(f"probabilities must lie between 0 and 1; {positions(wrong)} do not")
    if numbers.ndim == 2:
        off = np.abs(numbers.sum(axis=1) - 1) > 1e-6
        if off.any():
            raise DataError(f"probabilities of a row must sum to 1; {positions(off)} do not")
    return numbers


def coded_probabilities(
    actual: Any, probabilities: Any, labels: Sequence[Any] | None
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.intp], list[Any]]:
    """Check probabilities against labels.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels.
    probabilities : array-like of float, shape (n_rows,) or (n_rows, n_labels)
        Of one label or of each.
    labels : sequence or None
        The label of each column; where None, those seen, in ascending order.

    Returns
    -------
    probabilities : ndarray of float64
        The same.
    codes : ndarray of int, shape (n_rows,)
        Place of each actual label among the labels.
    labels : list
        The labels.

    Raises
    ------
    DataError
        If they are no probabilities, or do not fit the labels.
    """
    given = _probabilities(probabilities)
    return (given, *_coded(actual, given, "probabilities", labels))


def _of_positive(codes: npt.NDArray[np.intp], labels: list[Any], positive: Any) -> npt.NDArray[np.bool_]:
    """Say which rows are of the positive label: the named one, 1 or True, or the second of two."""
    if positive is None and len(labels) == 2:
        return np.asarray(codes == 1)
    return np.asarray(codes == positive_label(labels, positive))


def log_loss(
    actual: Any, probabilities: Any, *, labels: Sequence[Any] | None = None, positive: Any = None, level: float = 0.95
) -> Estimate:
    """Give the mean of minus the logarithm of the probability given to what happened.

    0 is perfect and certain; saying one half to either of two labels scores .693. A probability of 0 for what happened
    is infinitely wrong; it is taken as the smallest step of a float (2.2e-16), which costs 36 for that row.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels.
    probabilities : array-like of float, shape (n_rows,) or (n_rows, n_labels)
        Of the positive label, or of each label in the order of ``labels``.
    labels : sequence, default=None
        The label of each column; where None, those seen, in ascending order.
    positive : object, default=None
        The label one column is about; where None, the second of two.
    level : float, default=0.95
        Nominal coverage of the t interval of the mean.

    Returns
    -------
    Estimate
        At least 0, natural logarithm.

    Raises
    ------
    DataError
        If what is given are no probabilities, or their columns do not fit the labels.

    Examples
    --------
    >>> from crmkit.metrics import log_loss
    >>> round(float(log_loss([1, 0], [0.5, 0.5])), 4)
    0.6931
    """
    given, codes, found = coded_probabilities(actual, probabilities, labels)
    if given.ndim == 1:
        of_actual = np.where(_of_positive(codes, found, positive), given, 1 - given)
    else:
        of_actual = given[np.arange(len(codes)), codes]
    return _cut_at_zero(mean(-np.log(np.clip(of_actual, np.finfo(np.float64).eps, 1)), level=level))


def brier(
    actual: Any, probabilities: Any, *, labels: Sequence[Any] | None = None, positive: Any = None, level: float = 0.95
) -> Estimate:
    """Give the mean squared distance between probabilities and what happened.

    Of two labels, the squared error of the positive one's probability, from 0 to 1 (saying one half always: .25). Of
    more labels, the sum of the squared errors over labels, from 0 to 2, as Brier defined it.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels.
    probabilities : array-like of float, shape (n_rows,) or (n_rows, n_labels)
        Of the positive label, or of each label in the order of ``labels``.
    labels : sequence, default=None
        The label of each column; where None, those seen, in ascending order.
    positive : object, default=None
        The label one column is about; where None, the second of two.
    level : float, default=0.95
        Nominal coverage of the t interval of the mean.

    Returns
    -------
    Estimate
        At least 0.

    Raises
    ------
    DataError
        As for ``log_loss``.

    References
    ----------
    Brier, G. W. (1950). Verification of forecasts expressed in terms of probability. Monthly Weather Review 78, 1-3.
    doi:10.1175/1520-0493(1950)078<0001:VOFEIT>2.0.CO;2

    Examples
    --------
    >>> from crmkit.metrics import brier
    >>> float(brier([1, 0], [0.5, 0.5]))
    0.25
    """
    given, codes, found = coded_probabilities(actual, probabilities, labels)
    if given.ndim == 2 and given.shape[1] == 2:
        given, positive = given[:, 1], found[1]
    if given.ndim == 1:
        return _cut_at_zero(mean((given - _of_positive(codes, found, positive)) ** 2, level=level))
    happened = np.zeros_like(given)
    happened[np.arange(len(codes)), codes] = 1
    return _cut_at_zero(mean(((given - happened) ** 2).sum(axis=1), level=level))


def _cut_at_zero(estimate: Estimate) -> Estimate:
    """Keep the interval of a loss from reaching below 0."""
    if not estimate.low < 0:
        return estimate
    return Estimate(
        estimate.value, n=estimate.n, low=0.0, high=estimate.high, level=estimate.level, method=estimate.method
    )


def roc_auc(
    actual: Any, scores: Any, *, labels: Sequence[Any] | None = None, positive: Any = None, level: float = 0.95
) -> Estimate:
    """Give the probability that a positive row scores higher than another, a tie counting one half.

    .5 is chance, whatever the shares of the labels. With more than two labels it is the mean over labels of each
    against the rest. The interval is DeLong's, on the logit scale so that it stays within (0, 1). Where every positive
    row scores higher (or lower) than all others that variance is 0; the interval is then Wilson's for as many trials as
    the rarer side has rows. Costs one sort a label.

    Parameters
    ----------
    actual : array-like, shape (n_rows,)
        Labels, of which at least two are seen.
    scores : array-like of float, shape (n_rows,) or (n_rows, n_labels)
        Of the positive label (larger means more likely), or of each label in the order of ``labels``. Only their order
        counts: probabilities, decision values and marks all serve.
    labels : sequence, default=None
        The label of each column; where None, those seen, in ascending order.
    positive : object, default=None
        The label one column is about; where None, the second of two.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        Between 0 and 1.

    Raises
    ------
    DataError
        If only one label is seen, or the scores do not fit.

    References
    ----------
    DeLong, E. R., DeLong, D. M., & Clarke-Pearson, D. L. (1988). Comparing the areas under two or more correlated
    receiver operating characteristic curves. Biometrics 44, 837-845. doi:10.2307/2531595

    Examples
    --------
    >>> from crmkit.metrics import roc_auc
    >>> float(roc_auc([0, 0, 1, 1], [0.1, 0.4, 0.35, 0.8]))
    0.75
    """
    given = _scores(scores, "scores")
    codes, found = _coded(actual, given, "scores", labels)
    if given.ndim == 1 or given.shape[1] == 2:
        column = given if given.ndim == 1 else given[:, 1]
        sides = [(_of_positive(codes, found, positive if given.ndim == 1 else found[1]), column)]
    else:
        sides = [(codes == code, given[:, code]) for code in range(len(found))]
    areas, parts = zip(*(_area(is_positive, column) for is_positive, column in sides), strict=True)
    value, variance = float(np.mean(areas)), float((np.mean(parts, axis=0) ** 2).sum())
    z, n = normal_quantile(level), len(codes)
    if variance == 0 or not 0 < value < 1:
        rarer = min(int(min(side.sum(), n - side.sum())) for side, _ in sides)
        low, high = wilson(value * rarer, rarer, level=level)
        return Estimate(value, n=n, low=float(low), high=float(high), level=level, method="wilson of the rarer side")
    half = z * np.sqrt(variance) / (value * (1 - value))
    low, high = expit(logit(value) - half), expit(logit(value) + half)
    return Estimate(value, n=n, low=float(low), high=float(high), level=level, method="delong")


def _area(is_positive: npt.NDArray[np.bool_], scores: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
    """Give the area and what each row adds to its deviation: the sum of their squares is DeLong's variance."""
    n_positive = int(is_positive.sum())
    n_other = len(is_positive) - n_positive
    if not n_positive or not n_other:
        raise DataError("the area under the ROC curve needs rows of the positive label and of another; one is absent")
    ranks = rankdata(scores)
    within_positive, within_other = rankdata(scores[is_positive]), rankdata(scores[~is_positive])
    # Share of the other side that each row beats (positive) or is beaten by (other).
    beats = (ranks[is_positive] - within_positive) / n_other
    beaten = 1 - (ranks[~is_positive] - within_other) / n_positive
    area = float(beats.mean())
    parts = np.zeros(len(scores))
    parts[is_positive] = (beats - area) / np.sqrt(n_positive * max(n_positive - 1, 1))
    parts[~is_positive] = (beaten - area) / np.sqrt(n_other * max(n_other - 1, 1))
    return area, parts
