"""Time until something happens where it has not happened to all yet: Kaplan-Meier's curve and what is read off it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import as_numbers, check_lengths, check_same_order
from crmkit.metrics._durations import as_durations, as_flags, as_weights
from crmkit.metrics.intervals import check_level, normal_quantile

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["kaplan_meier", "median_survival", "restricted_mean", "survival_at"]

# Products of shares that should be exactly one half differ from it by rounding.
_ROUNDING = 1e-12


def kaplan_meier(duration: Any, observed: Any, *, weights: Any = None, level: float = 0.95) -> pd.DataFrame:
    """Estimate the share to whom something has not happened yet, by the time since their start (Kaplan-Meier).

    Whoever is still waiting when the table ends (``observed`` false: censored) counts as at risk for as long as they
    were seen, and is neither taken for an event nor left out: leaving them out makes every wait look short. At a time
    with events and censorings the events come first. Costs one sort: a million rows take about half a second. It
    assumes that those who were censored at a time are like those who were not.

    Parameters
    ----------
    duration : array-like of float, shape (n,)
        Time from start to event or to the end of watching; at least 0, in any one unit.
    observed : array-like of bool, shape (n,)
        True (1) where the event happened at ``duration``, false (0) where watching ended without it.
    weights : array-like of float, shape (n,), default=None
        How many equal rows each row stands for; where None, one. A row of weight 0 does not count.
    level : float, default=0.95
        Nominal coverage of the interval at each time.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``time`` (the distinct durations, rising): ``at_risk`` (not yet ended just before that time),
        ``events``, ``censored``, ``survival`` (the share without the event just after that time), ``low``, ``high``.

    Raises
    ------
    DataError
        If there is no row, the lengths differ, or a cell is missing, infinite, negative or no flag, by position.

    Notes
    -----
    The interval is Greenwood's on the log-log scale, which stays within 0 and 1. Greenwood's error is 0 or undefined
    where nothing, or everything, has happened. There the exact binomial bound stands in: before the first event ``low``
    is ``(alpha / 2) ** (1 / at_risk)``; where the last ones at risk all had it, ``high`` is the one before times
    ``1 - (alpha / 2) ** (1 / at_risk)``.

    References
    ----------
    Kaplan, E. L., & Meier, P. (1958). Nonparametric estimation from incomplete observations. Journal of the American
    Statistical Association 53, 457-481. doi:10.1080/01621459.1958.10501452

    Kalbfleisch, J. D., & Prentice, R. L. (2002). The Statistical Analysis of Failure Time Data, 2nd ed., 1.4. Wiley.
    doi:10.1002/9781118032985

    Examples
    --------
    >>> from crmkit.metrics import kaplan_meier
    >>> kaplan_meier([2, 3, 3, 5], [True, True, False, True]).round(3)  # doctest: +NORMALIZE_WHITESPACE
          at_risk  events  censored  survival    low   high
    time
    2.0       4.0     1.0       0.0      0.75  0.128  0.961
    3.0       3.0     1.0       1.0      0.50  0.058  0.845
    5.0       1.0     1.0       0.0      0.00  0.000  0.824
    """
    check_level(level)
    check_same_order(duration=duration, observed=observed)
    time = as_durations(duration)
    happened = as_flags(observed)
    check_lengths(duration=time, observed=happened)
    weight = as_weights(weights, len(time))
    # Codes of sorted distinct times; a row of weight 0 makes no step of its own.
    steps, code = np.unique(time[weight > 0], return_inverse=True)
    weight, happened = weight[weight > 0], happened[weight > 0]
    events = np.asarray(np.bincount(code, weights=weight * happened, minlength=len(steps)), dtype=np.float64)
    ends = np.asarray(np.bincount(code, weights=weight, minlength=len(steps)), dtype=np.float64)
    at_risk = np.cumsum(ends[::-1])[::-1]
    survival = _survival(at_risk, events)
    low, high = _interval(at_risk, events, survival, level)
    curve = pd.DataFrame(
        {
            "at_risk": at_risk,
            "events": events,
            "censored": ends - events,
            "survival": survival,
            "low": low,
            "high": high,
        },
        index=pd.Index(steps, name="time"),
    )
    curve.attrs["level"] = level
    return curve


def _survival(at_risk: Floats, events: Floats) -> Floats:
    """Multiply the shares that stay at each time."""
    # Where all who are left have the event, the product is exactly 0.
    return np.cumprod(np.where(events >= at_risk, 0.0, 1.0 - events / at_risk), dtype=np.float64)


def _greenwood(at_risk: Floats, events: Floats) -> Floats:
    """Give Greenwood's terms, whose running sum is the relative variance of survival."""
    left = at_risk - events
    return np.divide(events, at_risk * left, out=np.zeros_like(at_risk), where=left > _ROUNDING * at_risk)


def _interval(at_risk: Floats, events: Floats, survival: Floats, level: float) -> tuple[Floats, Floats]:
    """Give the interval of a Kaplan-Meier curve from its counts."""
    return log_log_interval(survival, np.sqrt(np.cumsum(_greenwood(at_risk, events))), at_risk, level)


def log_log_interval(survival: Floats, error: Floats, at_risk: Floats, level: float) -> tuple[Floats, Floats]:
    """Give the interval of a falling curve on the log-log scale, and exact bounds where it is still 1 or already 0.

    Parameters
    ----------
    survival : ndarray of float, shape (n_times,)
        The curve, falling from at most 1.
    error : ndarray of float, shape (n_times,)
        Standard errors over the curve.
    at_risk : ndarray of float, shape (n_times,)
        How many could still have the event just before each time.
    level : float
        Nominal coverage.

    Returns
    -------
    low, high : ndarray of float, shape (n_times,)
        The ends.
    """
    z, tail = normal_quantile(level), (1 - level) / 2
    inside = (survival > 0) & (survival < 1)
    log = np.log(survival, out=np.full_like(survival, -1.0), where=inside)
    # Next to 1 the scale is so steep that the spread overflows: the bound is then 0, which holds.
    with np.errstate(over="ignore"):
        spread = np.exp(z * np.where(inside, error, 0.0) / -log)
    low = np.where(inside, np.exp(log * spread), 0.0)
    high = np.where(inside, np.exp(log / spread), 1.0)
    none_yet = survival >= 1
    low[none_yet] = tail ** (1 / at_risk[none_yet])
    ended = np.flatnonzero(survival <= 0)
    if len(ended):
        first = int(ended[0])
        before = high[first - 1] if first else 1.0
        high[ended] = before * (1 - tail ** (1 / at_risk[first]))
    return low, high


def survival_at(curve: pd.DataFrame, times: Any) -> pd.DataFrame:
    """Read a curve off at given times; it is a step function that changes at its own times.

    Parameters
    ----------
    curve : pandas.DataFrame
        What ``kaplan_meier`` gave.
    times : float or array-like of float, shape (k,)
        In the curve's unit.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``time`` as asked: ``survival``, ``low``, ``high``. Before the curve's first time survival is 1 and
        ``low`` the exact bound for nothing among ``at_risk``; after its last time survival is missing unless it had
        come down to 0, because nobody was watched for so long.

    Raises
    ------
    DataError
        If it is no such curve, or a time is missing or infinite.

    Examples
    --------
    >>> from crmkit.metrics import kaplan_meier, survival_at
    >>> curve = kaplan_meier([2, 3, 3, 5], [True, True, False, False])
    >>> survival_at(curve, [1, 3, 4.9, 6])["survival"].tolist()
    [1.0, 0.5, 0.5, nan]
    """
    steps, at_risk, _ = _read(curve)
    asked = as_numbers(np.atleast_1d(times) if np.ndim(times) == 0 else times, "times")
    step = np.searchsorted(steps, asked, side="right") - 1
    columns = curve[["survival", "low", "high"]].to_numpy(dtype=np.float64)
    # The level goes with a curve as long as nobody makes another table of it.
    tail = (1 - curve.attrs.get("level", 0.95)) / 2
    none_yet = np.array([1.0, tail ** (1 / at_risk[0]), 1.0])
    read = np.where((step < 0)[:, None], none_yet, columns[np.maximum(step, 0)])
    unknown = (asked > steps[-1]) & (columns[-1, 0] > 0)
    read[unknown] = np.nan
    return pd.DataFrame(read, index=pd.Index(asked, name="time"), columns=["survival", "low", "high"])


def median_survival(curve: pd.DataFrame, *, share: float = 0.5, level: float = 0.95) -> Estimate:
    """Give the time by which half (or another share) have had the event, with Brookmeyer and Crowley's interval.

    Parameters
    ----------
    curve : pandas.DataFrame
        What ``kaplan_meier`` gave; only its counts are used.
    share : float, default=0.5
        The share that has had the event: 0.5 for the median, 0.9 for the time by which nine in ten have.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        The first time at which survival is at most ``1 - share``; infinite where the curve does not come down so far.
        The interval holds the times at which the curve's own (log-log) interval holds ``1 - share``; its upper end is
        infinite where that goes on beyond the last time seen. ``n`` is how many there were.

    Raises
    ------
    DataError
        If it is no such curve, or ``share`` is not between 0 and 1.

    References
    ----------
    Brookmeyer, R., & Crowley, J. (1982). A confidence interval for the median survival time. Biometrics 38, 29-41.
    doi:10.2307/2530286

    Examples
    --------
    >>> from crmkit.metrics import kaplan_meier, median_survival
    >>> median_survival(kaplan_meier([1, 2, 3, 4, 5, 6, 7], [1, 1, 1, 1, 1, 1, 0]))
    4 [1, 6] (n=7, 95% brookmeyer-crowley)
    """
    if not 0.0 < share < 1.0:
        raise DataError(f"share must lie between 0 and 1, such as 0.5, got {share!r}")
    check_level(level)
    steps, at_risk, events = _read(curve)
    survival = _survival(at_risk, events)
    low, high = _interval(at_risk, events, survival, level)
    reached = [_first(steps, column <= 1 - share + _ROUNDING) for column in (low, survival, high)]
    return Estimate(
        reached[1], n=round(at_risk[0]), low=reached[0], high=reached[2], level=level, method="brookmeyer-crowley"
    )


def _first(steps: Floats, holds: npt.NDArray[np.bool_]) -> float:
    """Give the first time at which something holds, infinite where it never does."""
    return float(steps[int(holds.argmax())]) if holds.any() else float("inf")


def restricted_mean(curve: pd.DataFrame, *, until: float | None = None, level: float = 0.95) -> Estimate:
    """Give the mean time to the event, counting no one's time beyond ``until``: the area under the curve.

    A mean without a limit cannot be known while some are still waiting; a restricted one can, and two of them can be
    compared where ``until`` is the same.

    Parameters
    ----------
    curve : pandas.DataFrame
        What ``kaplan_meier`` gave; only its counts are used.
    until : float or None, default=None
        The limit, in the curve's unit; None for the last time of the curve.
    level : float, default=0.95
        Nominal coverage of the normal interval, cut to [0, ``until``].

    Returns
    -------
    Estimate
        The restricted mean. Where nothing has happened until then, it is ``until`` itself, and ``low`` the area under
        the curve's lower bound.

    Raises
    ------
    DataError
        If it is no such curve, or some were still waiting at its end and ``until`` lies after it.

    References
    ----------
    Klein, J. P., & Moeschberger, M. L. (2003). Survival Analysis, 2nd ed., 4.5. Springer. doi:10.1007/b97377

    Examples
    --------
    >>> from crmkit.metrics import kaplan_meier, restricted_mean
    >>> float(restricted_mean(kaplan_meier([1, 2, 3], [True, True, True])))
    2.0
    """
    z = normal_quantile(level)
    steps, at_risk, events = _read(curve)
    survival = _survival(at_risk, events)
    end = float(steps[-1]) if until is None else float(until)
    if not (np.isfinite(end) and end >= 0):
        raise DataError(f"until must be a number of at least 0, got {until!r}")
    if end > steps[-1] and survival[-1] > 0:
        raise DataError(
            f"until={end:g} lies after the last time of the curve ({steps[-1]:g}), at which a share of "
            f"{survival[-1]:.3g} was still waiting: take until={steps[-1]:g} or less"
        )
    edges = np.minimum(np.concatenate([[0.0], steps, [max(end, float(steps[-1]))]]), end)
    areas = np.diff(edges) * np.concatenate([[1.0], survival])
    # What is left of the area after each time, with which an error at that time grows.
    after = np.cumsum(areas[::-1])[::-1][1:]
    half = z * float(np.sqrt(np.sum(after**2 * _greenwood(at_risk, events))))
    mean = float(areas.sum())
    low, high = max(mean - half, 0.0), min(mean + half, end)
    if not events[steps <= end].any():
        # Nothing has happened, and Greenwood's error is 0: the area under the curve's exact lower bound holds.
        least, _ = _interval(at_risk, events, survival, level)
        low = float(np.diff(edges) @ np.concatenate([least[:1], least]))
    return Estimate(mean, n=round(at_risk[0]), low=low, high=high, level=level, method=f"greenwood, until {end:g}")


def _read(curve: Any) -> tuple[Floats, Floats, Floats]:
    """Take times and counts out of a curve."""
    frame = as_frame(curve, what="curve")
    require_columns(frame, ["at_risk", "events", "survival"], what="curve", hint="make it with metrics.kaplan_meier")
    if not len(frame):
        raise DataError("curve is empty: make it with metrics.kaplan_meier")
    steps, at_risk, events = (np.asarray(part, dtype=np.float64) for part in (frame.index, frame.at_risk, frame.events))
    if (np.diff(steps) <= 0).any():
        raise DataError("curve must be indexed by rising times, as metrics.kaplan_meier gives it")
    return steps, at_risk, events
