"""Intervals around a figure: Wilson's for shares, t for means, MOVER for averages of figures, else the bootstrap."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtri, stdtrit
from sklearn import config_context
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["average", "bootstrap", "check_level", "mean", "normal_quantile", "percentile_interval", "share", "wilson"]

_CHUNK = 2**22
"""How many resampled cells are held in memory at once (32 MB of float64)."""


def check_level(level: float) -> float:
    """Check that a nominal coverage lies strictly between 0 and 1.

    Parameters
    ----------
    level : float
        The coverage wanted, such as 0.95.

    Returns
    -------
    float
        The same.

    Raises
    ------
    DataError
        If it is not between 0 and 1.
    """
    if not 0.0 < level < 1.0:
        raise DataError(f"level must lie between 0 and 1, such as 0.95, got {level!r}")
    return float(level)


def normal_quantile(level: float) -> float:
    """Give the two-sided normal quantile of a coverage.

    Parameters
    ----------
    level : float
        The coverage wanted.

    Returns
    -------
    float
        1.96 for 0.95.
    """
    return float(ndtri(0.5 + check_level(level) / 2))


def wilson(
    successes: npt.ArrayLike, n: npt.ArrayLike, *, level: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give Wilson's score interval of one or many shares.

    It keeps its coverage for small ``n`` and shares near 0 or 1, where the usual plus-minus interval has no width.

    Parameters
    ----------
    successes : array-like of float
        How many of each ``n`` had the property.
    n : array-like of float
        How many there were; where 0, both ends are NaN.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    low, high : ndarray
        The ends, within [0, 1].

    References
    ----------
    Wilson, E. B. (1927). Probable inference, the law of succession, and statistical inference. Journal of the American
    Statistical Association 22, 209-212. doi:10.1080/01621459.1927.10502953

    Examples
    --------
    >>> from crmkit.metrics import wilson
    >>> low, high = wilson(3, 5)
    >>> round(float(low), 4), round(float(high), 4)
    (0.2307, 0.8824)
    """
    z2 = normal_quantile(level) ** 2
    count = np.asarray(n, dtype=np.float64)
    hits = np.asarray(successes, dtype=np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        observed = hits / count
        center = (observed + z2 / (2 * count)) / (1 + z2 / count)
        half = np.sqrt(z2 * (observed * (1 - observed) / count + z2 / (4 * count**2))) / (1 + z2 / count)
    # The ends are exactly 0 and 1 at the edges; rounding must not say otherwise.
    low = np.where(hits == 0, 0.0, np.clip(center - half, 0, 1))
    high = np.where(hits == count, 1.0, np.clip(center + half, 0, 1))
    empty = count == 0
    return np.where(empty, np.nan, low), np.where(empty, np.nan, high)


def share(successes: float, n: int, *, level: float = 0.95, method: str = "wilson") -> Estimate:
    """Give a share with Wilson's interval.

    Parameters
    ----------
    successes : float
        How many had the property.
    n : int
        How many there were, at least 1.
    level : float, default=0.95
        Nominal coverage.
    method : str, default="wilson"
        What the estimate says of itself.

    Returns
    -------
    Estimate
        The share.

    Raises
    ------
    DataError
        If there is nothing to take a share of.

    Examples
    --------
    >>> from crmkit.metrics import share
    >>> share(3, 5)
    0.6 [0.2307, 0.8824] (n=5, 95% wilson)
    """
    if n < 1:
        raise DataError("a share of nothing is not defined: there are no rows")
    low, high = wilson(successes, n, level=level)
    return Estimate(successes / n, n=n, low=float(low), high=float(high), level=level, method=method)


def mean(values: npt.ArrayLike, *, level: float = 0.95, method: str = "t") -> Estimate:
    """Give a mean with Student's t interval.

    Assumes independent values whose mean is about normal: fair from some 30 values on, optimistic for a few values of
    a very skewed kind. One value has no interval (NaN).

    Parameters
    ----------
    values : array-like of float, shape (n,)
        Finite numbers.
    level : float, default=0.95
        Nominal coverage.
    method : str, default="t"
        What the estimate says of itself.

    Returns
    -------
    Estimate
        The mean.

    Raises
    ------
    DataError
        If there are no values.

    Examples
    --------
    >>> from crmkit.metrics import mean
    >>> mean([1.0, 2.0, 3.0])
    2 [-0.4841, 4.484] (n=3, 95% t)
    """
    check_level(level)
    numbers = np.asarray(values, dtype=np.float64)
    if not len(numbers):
        raise DataError("the mean of nothing is not defined: there are no rows")
    center, half = float(numbers.mean()), float("nan")
    if len(numbers) > 1:
        half = float(stdtrit(len(numbers) - 1, 0.5 + level / 2) * numbers.std(ddof=1) / np.sqrt(len(numbers)))
    return Estimate(center, n=len(numbers), low=center - half, high=center + half, level=level, method=method)


def average(
    values: npt.ArrayLike,
    lows: npt.ArrayLike,
    highs: npt.ArrayLike,
    *,
    weights: npt.ArrayLike | None = None,
) -> tuple[float, float, float]:
    """Average independent figures and recover the interval of the average from theirs (MOVER).

    Each distance from figure to end is taken as that figure's own half-width, so that the lopsided intervals of
    shares near 0 or 1 stay lopsided in the average.

    Parameters
    ----------
    values, lows, highs : array-like of float, shape (k,)
        Independent figures and the ends of their intervals, all at the same level.
    weights : array-like of float, shape (k,), default=None
        Where None, all count the same.

    Returns
    -------
    value, low, high : float
        The average and its interval.

    References
    ----------
    Donner, A., & Zou, G. Y. (2012). Closed-form confidence intervals for functions of the normal mean and standard
    deviation. Statistical Methods in Medical Research 21, 347-359. doi:10.1177/0962280210383082
    """
    center = np.asarray(values, dtype=np.float64)
    weight = np.ones(len(center)) if weights is None else np.asarray(weights, dtype=np.float64)
    weight = weight / weight.sum()
    value = float(weight @ center)
    low = value - float(np.sqrt(np.sum((weight * (center - np.asarray(lows))) ** 2)))
    high = value + float(np.sqrt(np.sum((weight * (np.asarray(highs) - center)) ** 2)))
    return value, low, high


def percentile_interval(replicates: npt.NDArray[np.float64], level: float) -> tuple[float, float, str]:
    """Give the percentile interval of bootstrap replicates and what to say of it.

    A replicate may be undefined, as the AUC of a resample with one class. A few are left out and counted; where more
    than one in ten is, what is left would be a biased selection, so no interval is given.

    Parameters
    ----------
    replicates : ndarray, shape (n_resamples,)
        The figure on each resample; not finite where undefined.
    level : float
        Nominal coverage.

    Returns
    -------
    low, high : float
        The ends, or NaN.
    method : str
        ``"bootstrap"``, with the count of undefined replicates where there are any.
    """
    tail = (1 - check_level(level)) / 2
    finite = np.isfinite(replicates)
    undefined = len(replicates) - int(finite.sum())
    note = f"; undefined in {undefined} of {len(replicates)} resamples" if undefined else ""
    if not len(replicates) or undefined > 0.1 * len(replicates):
        return float("nan"), float("nan"), f"bootstrap{note}" if len(replicates) else ""
    low, high = np.quantile(replicates[finite], [tail, 1 - tail])
    return float(low), float(high), f"bootstrap{note}"


def bootstrap(
    statistic: Callable[..., Any],
    *columns: Any,
    n_resamples: int = 1000,
    level: float = 0.95,
    random_state: Any = 0,
    groups: Any = None,
    vectorized: bool = False,
) -> Estimate:
    """Give any figure of rows the percentile interval of its bootstrap.

    Rows (or, with ``groups``, whole groups of rows) are drawn with replacement, and the figure is worked out anew on
    each resample. Costs ``n_resamples`` calls, and memory for one resample at a time; a vectorised statistic is called
    on chunks of resamples of at most 32 MB a column. It assumes that rows (groups) are independent, and is too narrow
    for very few of them; for shares and means the analytic intervals are better and cheaper.

    Parameters
    ----------
    statistic : callable
        Takes the columns, gives a number. Where a resample leaves it undefined (it raises ``ValueError`` or gives NaN),
        that resample is left out and counted in the estimate's ``method``.
    *columns : array-like, shape (n_rows,) or (n_rows, k)
        What it takes, row by row.
    n_resamples : int, default=1000
        More give steadier ends. 0 gives the figure without an interval.
    level : float, default=0.95
        Nominal coverage.
    random_state : int, RandomState or None, default=0
        Changes the ends of the interval a little, never the figure.
    groups : array-like, shape (n_rows,), default=None
        Rows of one group (a customer's several messages) are drawn together; ``n`` then counts groups.
    vectorized : bool, default=False
        The statistic takes one-dimensional columns as ``(n_chunk, n_rows)`` arrays and gives ``(n_chunk,)`` numbers;
        changes only the speed. Not with ``groups``.

    Returns
    -------
    Estimate
        The figure on the rows as they are, with its interval.

    Raises
    ------
    DataError
        If there are no rows, the lengths differ, or the figure itself is undefined.

    References
    ----------
    Efron, B., & Tibshirani, R. J. (1993). An Introduction to the Bootstrap. Chapman & Hall. doi:10.1201/9780429246593

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.metrics import bootstrap
    >>> bootstrap(np.median, [1.0, 2.0, 3.0, 4.0, 100.0])
    3 [1, 100] (n=5, 95% bootstrap)
    """
    check_level(level)
    arrays = [np.asarray(column) for column in columns]
    lengths = sorted({len(array) for array in arrays})
    if len(lengths) != 1:
        raise DataError(f"the columns must be of one length, got {', '.join(map(str, lengths)) or 'no column'}")
    n_rows = lengths[0]
    if not n_rows:
        raise DataError("a figure of nothing is not defined: there are no rows")
    rng = check_random_state(random_state)
    if vectorized:
        value = float(np.asarray(statistic(*(array[np.newaxis] for array in arrays)))[0])
        chunks = [
            np.asarray(statistic(*(array[rows] for array in arrays)), dtype=np.float64)
            for rows in _chunks(rng, n_rows, n_resamples)
        ]
        replicates = np.concatenate(chunks) if chunks else np.empty(0)
        n = n_rows
    else:
        value = float(statistic(*arrays))
        draw, n = _row_drawer(rng, n_rows, groups)
        replicates = np.array([_attempt(statistic, arrays, draw()) for _ in range(n_resamples)], dtype=np.float64)
    if not np.isfinite(value):
        raise DataError("the figure is not defined on these rows")
    low, high, method = percentile_interval(replicates, level)
    method = method + " over groups" if groups is not None and method else method
    return Estimate(value, n=n, low=low, high=high, level=level, method=method)


def _chunks(rng: Any, n_rows: int, n_resamples: int) -> Any:
    """Draw resamples in chunks that fit in memory."""
    most = max(1, _CHUNK // n_rows)
    for start in range(0, n_resamples, most):
        yield rng.randint(n_rows, size=(min(most, n_resamples - start), n_rows))


def _row_drawer(rng: Any, n_rows: int, groups: Any) -> tuple[Callable[[], npt.NDArray[np.intp]], int]:
    """Give what draws one resample, and how many independent units there are."""
    if groups is None:
        return lambda: rng.randint(n_rows, size=n_rows), n_rows
    codes = pd.factorize(np.asarray(groups))[0]
    if len(codes) != n_rows:
        raise DataError(f"groups must have one entry a row: {len(codes)} for {n_rows} rows")
    members = np.argsort(codes, kind="stable")
    sizes = np.bincount(codes)
    starts = np.cumsum(sizes) - sizes

    def draw() -> npt.NDArray[np.intp]:
        chosen = rng.randint(len(sizes), size=len(sizes))
        lengths = sizes[chosen]
        offsets = np.arange(lengths.sum()) - np.repeat(np.cumsum(lengths) - lengths, lengths)
        return np.asarray(members[np.repeat(starts[chosen], lengths) + offsets], dtype=np.intp)

    return draw, len(sizes)


def _attempt(statistic: Callable[..., Any], arrays: list[Any], rows: npt.NDArray[np.intp]) -> float:
    """Work the figure out on a resample, NaN where it is undefined there."""
    try:
        # scikit-learn's own checks of each call would take most of the time; the first call has made them.
        with config_context(skip_parameter_validation=True, assume_finite=True):
            return float(statistic(*(array[rows] for array in arrays)))
    except ValueError:
        return float("nan")
