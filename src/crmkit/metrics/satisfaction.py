"""What customers say of their satisfaction: CSAT, satisfaction index, net promoter score, effort and preference."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.checks import positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import Missing, as_marks, check_scale
from crmkit.metrics.intervals import check_level, mean, normal_quantile, share

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["ces", "csat", "csi", "nps", "preference"]


def _within(estimate: Estimate, low: float, high: float) -> Estimate:
    """Keep a mean's interval on the scale it is about."""
    return Estimate(
        estimate.value,
        n=estimate.n,
        low=np.fmax(estimate.low, low) if not np.isnan(estimate.low) else estimate.low,
        high=np.fmin(estimate.high, high) if not np.isnan(estimate.high) else estimate.high,
        level=estimate.level,
        method=estimate.method,
    )


def _top_share(
    ratings: Any, scale: tuple[float, float], top: int, missing: Missing, level: float, what: str
) -> Estimate:
    """Give the share of marks among the best ``top`` of a scale of whole marks."""
    low, high = check_scale(scale)
    marks = as_marks(ratings, scale, missing=missing, whole=True, what=what)
    if not 1 <= top <= high - low:
        raise DataError(f"top must be between 1 and {high - low:g} on the scale {low:g} to {high:g}, got {top!r}")
    return share(int((marks > high - top).sum()), len(marks), level=level)


def csat(
    ratings: Any,
    *,
    scale: tuple[float, float] = (1, 5),
    method: Literal["top", "mean"] = "top",
    top: int = 2,
    missing: Missing = "exclude",
    level: float = 0.95,
) -> Estimate:
    """Give customer satisfaction: the share of answers that are one of the two best marks.

    It speaks of those who answered. Who is very pleased or very angry answers more often; the interval does not know.

    Parameters
    ----------
    ratings : array-like of float, shape (n_answers,)
        Whole marks, larger is better.
    scale : (float, float), default=(1, 5)
        Lowest and highest mark that can be given.
    method : {"top", "mean"}, default="top"
        The share of the best marks, or, as some houses define it, the mean mark on the scale (fractions allowed).
    top : int, default=2
        How many of the best marks count as satisfied.
    missing : {"exclude", "raise"}, default="exclude"
        Leave missing answers out with a ``DataWarning`` that counts them, or refuse them.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        A share between 0 and 1 with Wilson's interval, or a mean mark with a t interval.

    Raises
    ------
    DataError
        If there is no answer, or a mark is off the scale or not whole (naming the positions).

    Examples
    --------
    >>> from crmkit.metrics import csat
    >>> csat([5, 5, 4, 2, 1])
    0.6 [0.2307, 0.8824] (n=5, 95% wilson)
    """
    if method == "top":
        return _top_share(ratings, scale, top, missing, level, "ratings")
    if method == "mean":
        marks = as_marks(ratings, scale, missing=missing, whole=False)
        return _within(mean(marks, level=level, method="mean, t"), *check_scale(scale))
    raise DataError(f"method must be 'top' or 'mean', got {method!r}")


def preference(
    ratings: Any,
    *,
    scale: tuple[float, float] = (1, 5),
    top: int = 2,
    missing: Missing = "exclude",
    level: float = 0.95,
) -> Estimate:
    """Give brand preference: the share of a brand's ratings that are one of the two best marks.

    Parameters
    ----------
    ratings : array-like of float, shape (n_answers,)
        Whole marks of one brand, larger is better.
    scale : (float, float), default=(1, 5)
        Lowest and highest mark that can be given.
    top : int, default=2
        How many of the best marks count.
    missing : {"exclude", "raise"}, default="exclude"
        Leave missing answers (brand unknown) out with a ``DataWarning`` that counts them, or refuse them.
    level : float, default=0.95
        Nominal coverage of Wilson's interval.

    Returns
    -------
    Estimate
        Between 0 and 1.

    Raises
    ------
    DataError
        If there is no answer, or a mark is off the scale or not whole (naming the positions).

    Notes
    -----
    Two brands rated by the same people are paired; that their intervals overlap does not say that they are alike.

    Examples
    --------
    >>> from crmkit.metrics import preference
    >>> float(preference([5, 4, 3, 1]))
    0.5
    """
    return _top_share(ratings, scale, top, missing, level, "ratings")


def nps(
    ratings: Any, *, scale: tuple[float, float] = (0, 10), missing: Missing = "exclude", level: float = 0.95
) -> Estimate:
    """Give the net promoter score: promoters (9-10) less detractors (0-6), per hundred answers.

    Parameters
    ----------
    ratings : array-like of float, shape (n_answers,)
        Whole marks from 0 to 10: how likely the customer is to recommend.
    scale : (float, float), default=(0, 10)
        Lowest and highest mark on the form, for forms that start at 1. Promoters and detractors stay 9-10 and up to 6,
        so the highest must be 10.
    missing : {"exclude", "raise"}, default="exclude"
        Leave missing answers out with a ``DataWarning`` that counts them, or refuse them.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        From -100 to 100. The interval is normal with variance (p + d - (p - d)^2) / n, after three answers are added:
        3/4 promoters, 3/4 detractors, 3/2 passives (adjusted Wald). Without them it covers too seldom for few answers
        and lopsided mixes, and has no width where all answers are of one group.

    Raises
    ------
    DataError
        If there is no answer, or a mark is off the scale or not whole (naming the positions).

    References
    ----------
    Reichheld, F. F. (2003). The one number you need to grow. Harvard Business Review 81(12), 46-54.
    Rocks, B. (2016). Interval estimation for the "Net Promoter Score". The American Statistician 70, 365-372.
    doi:10.1080/00031305.2016.1158124

    Examples
    --------
    >>> from crmkit.metrics import nps
    >>> nps([10, 9, 9, 8, 3])
    40 [-29.78, 79.78] (n=5, 95% adjusted wald)
    """
    if check_scale(scale)[1] != 10:
        raise DataError(f"the net promoter score is defined on marks up to 10, got the scale {scale!r}")
    marks = as_marks(ratings, scale, missing=missing, whole=True)
    n = len(marks)
    promoters, detractors = float((marks >= 9).mean()), float((marks <= 6).mean())
    net = promoters - detractors
    weight = n / (n + 3)
    center, either = weight * net, weight * (promoters + detractors) + 1.5 / (n + 3)
    half = normal_quantile(level) * np.sqrt((either - center**2) / (n + 3))
    # At the ends of the scale and low levels the shifted centre must not leave the score itself out.
    low, high = max(-1.0, min(center - half, net)), min(1.0, max(center + half, net))
    return Estimate(100 * net, n=n, low=100 * low, high=100 * high, level=level, method="adjusted wald")


def ces(
    ratings: Any,
    *,
    scale: tuple[float, float] = (1, 7),
    method: Literal["mean", "share"] = "mean",
    positive: float | None = None,
    missing: Missing = "exclude",
    level: float = 0.95,
) -> Estimate:
    """Give the customer effort score: how far customers agree that it was made easy for them.

    Parameters
    ----------
    ratings : array-like of float, shape (n_answers,)
        Marks, larger means easier. A form that asks how much *effort* it took must be turned round first.
    scale : (float, float), default=(1, 7)
        Lowest and highest mark that can be given.
    method : {"mean", "share"}, default="mean"
        The mean mark, or the share of answers that agree. The estimate's ``method`` says which.
    positive : float, default=None
        The lowest mark that agrees; where None, the first above the middle of the scale (5 of 1 to 7).
    missing : {"exclude", "raise"}, default="exclude"
        Leave missing answers out with a ``DataWarning`` that counts them, or refuse them.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        A mean mark with a t interval, or a share with Wilson's.

    Raises
    ------
    DataError
        If there is no answer, or a mark is off the scale (naming the positions).

    References
    ----------
    Dixon, M., Freeman, K., & Toman, N. (2010). Stop trying to delight your customers. Harvard Business Review 88(7/8),
    116-122.

    Examples
    --------
    >>> from crmkit.metrics import ces
    >>> float(ces([7, 6, 5, 2])), float(ces([7, 6, 5, 2], method="share"))
    (5.0, 0.75)
    """
    low, high = check_scale(scale)
    if method == "mean":
        marks = as_marks(ratings, scale, missing=missing, whole=False)
        return _within(mean(marks, level=level, method="mean, t"), low, high)
    if method != "share":
        raise DataError(f"method must be 'mean' or 'share', got {method!r}")
    marks = as_marks(ratings, scale, missing=missing, whole=True)
    agree = marks > (low + high) / 2 if positive is None else marks >= positive
    return share(int(agree.sum()), len(marks), level=level, method="share, wilson")


def csi(
    ratings: Any,
    *,
    weights: Mapping[str, float] | Sequence[float] | None = None,
    scale: tuple[float, float] = (1, 5),
    missing: Missing = "exclude",
    level: float = 0.95,
) -> Estimate:
    """Give the customer satisfaction index: the weighted mean of several marks, brought to 0 to 100.

    Each mark becomes 100 (mark - lowest) / (highest - lowest), an answer's index is the weighted mean over attributes,
    and the index is the mean over answers.

    Parameters
    ----------
    ratings : DataFrame or array-like of float, shape (n_answers, n_attributes) or (n_answers,)
        Marks of each attribute (price, quality, service…), larger is better.
    weights : mapping of column to float, or sequence of float, default=None
        How much each attribute counts, none negative; brought to sum 1. Where None, all count the same.
    scale : (float, float), default=(1, 5)
        Lowest and highest mark that can be given, the same for all attributes.
    missing : {"exclude", "raise"}, default="exclude"
        Leave answers with a missing mark out with a ``DataWarning`` that counts them, or refuse them.
    level : float, default=0.95
        Nominal coverage of the t interval over answers.

    Returns
    -------
    Estimate
        From 0 to 100.

    Raises
    ------
    DataError
        If there is no complete answer, a mark is off the scale, or the weights do not fit the attributes.

    References
    ----------
    Fornell, C., Johnson, M. D., Anderson, E. W., Cha, J., & Bryant, B. E. (1996). The American Customer Satisfaction
    Index: nature, purpose, and findings. Journal of Marketing 60(4), 7-18. doi:10.1177/002224299606000403

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import csi
    >>> answers = pd.DataFrame({"service": [5, 4], "price": [3, 2]})
    >>> float(csi(answers, weights={"service": 3, "price": 1}))
    75.0
    """
    check_level(level)
    frame = ratings if isinstance(ratings, pd.DataFrame) else pd.DataFrame(np.asarray(ratings))
    weight = _weights(frame, weights)
    absent = np.asarray(frame.isna().to_numpy(dtype=bool).any(axis=1), dtype=bool)
    if absent.any() and missing == "raise":
        raise DataError(f"ratings are missing in {positions(absent)}")
    low, high = check_scale(scale)
    marks = []
    for name, column in frame.items():
        # Checked on all rows, so that the positions named are those of the table given.
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            as_marks(column, scale, missing="exclude", whole=False, what=f"ratings of {name!r}")
        marks.append(column.to_numpy(dtype=np.float64)[~absent])
    if absent.all():
        raise DataError("ratings holds no complete answer: there is nothing to measure")
    if absent.any():
        warnings.warn(
            f"{int(absent.sum()):,} of {len(frame):,} answers lack a mark and are left out: {positions(absent)}",
            DataWarning,
            stacklevel=2,
        )
    # Divided last, so that equal marks give exactly their own place on the scale.
    index = 100 * (((np.column_stack(marks) - low) / (high - low)) @ weight) / weight.sum()
    return _within(mean(index, level=level), 0.0, 100.0)


def _weights(frame: pd.DataFrame, weights: Mapping[str, float] | Sequence[float] | None) -> npt.NDArray[np.float64]:
    """Give the weights in the order of the columns."""
    n_attributes = frame.shape[1]
    if weights is None:
        given = np.ones(n_attributes)
    elif isinstance(weights, Mapping | pd.Series):
        named: dict[Any, float] = dict(weights.items())
        require_columns(frame, list(named), what="ratings")
        unnamed = [str(column) for column in frame.columns if column not in named]
        if unnamed:
            raise DataError(f"weights names no weight of {', '.join(unnamed)}")
        given = np.array([named[column] for column in frame.columns], dtype=np.float64)
    else:
        given = np.asarray(weights, dtype=np.float64)
    if given.shape != (n_attributes,):
        raise DataError(f"weights must be one a column: {given.size} for {n_attributes}")
    if not np.isfinite(given).all() or (given < 0).any() or given.sum() <= 0:
        raise DataError("weights must be finite, none negative, and not all 0")
    return np.asarray(given, dtype=np.float64)
