"""Time until one of several things happens, which exclude each other: Aalen and Johansen's cumulative incidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import check_lengths, check_same_order
from crmkit.metrics._durations import as_durations, as_weights
from crmkit.metrics.intervals import check_level, wilson
from crmkit.metrics.survival import log_log_interval

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["cumulative_incidence", "decided_share", "eventual_share"]


def cumulative_incidence(duration: Any, cause: Any, *, weights: Any = None, level: float = 0.95) -> pd.DataFrame:
    """Estimate, by the time since the start, the share to whom each of several things has happened (Aalen-Johansen).

    A deal is won or lost, and one that is lost can no longer be won: one less Kaplan-Meier's curve of "won", with the
    lost ones as censored, would tell of a world without losses and is too high. Whoever still waits when watching ends
    (no cause) counts as at risk for as long as they were seen. Costs one sort. It assumes that those who were censored
    at a time are like those who were not.

    Parameters
    ----------
    duration : array-like of float, shape (n,)
        Time from start to event or to the end of watching; at least 0, in any one unit.
    cause : array-like, shape (n,)
        What happened at ``duration``, a label of any kind; missing where watching ended without anything.
    weights : array-like of float, shape (n,), default=None
        How many equal rows each row stands for; where None, one. A row of weight 0 does not count.
    level : float, default=0.95
        Nominal coverage of the interval at each time.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``cause`` (sorted) and ``time`` (all distinct durations): ``at_risk``, ``events`` (of that cause),
        ``incidence`` (the share to whom it has happened), ``low``, ``high``. The incidences of all causes and the
        share to whom nothing has happened add up to 1. Without any cause the table has no row.

    Raises
    ------
    DataError
        If there is no row, the lengths differ, or a duration is missing, infinite or negative, by position.

    Notes
    -----
    The variance is the delta method's (each time's events are multinomial among those at risk) and the interval is
    made on the log-log scale; with one cause alone both are those of ``kaplan_meier``.

    References
    ----------
    Aalen, O. O., & Johansen, S. (1978). An empirical transition matrix for non-homogeneous Markov chains based on
    censored observations. Scandinavian Journal of Statistics 5, 141-150. https://www.jstor.org/stable/4615704

    Examples
    --------
    >>> from crmkit.metrics import cumulative_incidence
    >>> shares = cumulative_incidence([1, 2, 3, 4], ["won", "lost", None, "won"])
    >>> shares["incidence"].loc["won"].tolist()
    [0.25, 0.25, 0.25, 0.75]
    """
    check_level(level)
    check_same_order(duration=duration, cause=cause)
    time = as_durations(duration)
    labels = cause if isinstance(cause, pd.Series) else pd.Series(list(cause), dtype=object)
    check_lengths(duration=time, cause=labels)
    weight = as_weights(weights, len(time))
    counted = weight > 0
    codes, names = pd.factorize(labels[counted], sort=True)
    steps, place = np.unique(time[counted], return_inverse=True)
    ends = np.bincount(place, weights=weight[counted], minlength=len(steps)).astype(np.float64)
    at_risk = np.cumsum(ends[::-1])[::-1]
    events = np.zeros((len(names), len(steps)))
    np.add.at(events, (codes[codes >= 0], place[codes >= 0]), weight[counted][codes >= 0])
    tables = [
        pd.DataFrame(_curve(at_risk, of, events.sum(axis=0), level), index=pd.Index(steps, name="time"))
        for of in events
    ]
    if not tables:
        index = pd.MultiIndex.from_arrays([[], np.empty(0)], names=["cause", "time"])
        return pd.DataFrame(columns=["at_risk", "events", "incidence", "low", "high"], index=index, dtype=np.float64)
    return pd.concat(tables, keys=list(names), names=["cause"])


def _curve(at_risk: Floats, events: Floats, all_events: Floats, level: float) -> dict[str, Floats]:
    """Give one cause's incidence with its interval."""
    hazard, others, before, factor = _hazards(at_risk, events, all_events)
    incidence = np.cumsum(before * hazard)
    # How the incidence at t moves with the hazards at s is a - F(t) u and b - F(t) u, so its variance is a parabola in
    # F(t) whose coefficients are running sums.
    a, b, u = before + incidence * factor, incidence * factor, factor
    risk = 1 / at_risk
    mean, slope = hazard * a + others * b, (hazard + others) * u
    constant = np.cumsum(risk * (hazard * a**2 + others * b**2 - mean**2))
    linear = np.cumsum(risk * (u * mean - mean * slope))
    square = np.cumsum(risk * (slope * u - slope**2))
    variance = np.maximum(constant - 2 * incidence * linear + incidence**2 * square, 0.0)
    # Sums that should be 1 differ from it by rounding.
    survival = np.where(incidence > 1 - 1e-12, 0.0, 1 - incidence)
    error = np.sqrt(variance) / np.where(survival > 0, survival, 1.0)
    low, high = log_log_interval(survival, error, at_risk, level)
    return {"at_risk": at_risk, "events": events, "incidence": 1 - survival, "low": 1 - high, "high": 1 - low}


def _hazards(at_risk: Floats, events: Floats, all_events: Floats) -> tuple[Floats, Floats, Floats, Floats]:
    """Give the hazards of the cause and of the others, the share waiting before each time, and 1 / (1 - hazard)."""
    hazard, others = events / at_risk, (all_events - events) / at_risk
    stays = np.where(all_events >= at_risk, 0.0, 1 - hazard - others)
    before = np.concatenate([[1.0], np.cumprod(stays)[:-1]])
    # Where nobody is left, nothing later depends on that time.
    factor = np.divide(1.0, stays, out=np.zeros_like(stays), where=stays > 0)
    return hazard, others, before, factor


def eventual_share(incidence: pd.DataFrame, cause: Any, *, level: float = 0.95) -> Estimate:
    """Give the share in which it ends with one cause, among those for whom it ends within the time that was watched.

    It corrects what a count of the ended ones gets wrong: where losses take longer than wins, the recently started show
    their wins first, and the plain share is too high.

    Parameters
    ----------
    incidence : pandas.DataFrame
        What ``cumulative_incidence`` gave; only its counts are used.
    cause : object
        One of its causes, or a label that never happened, whose share is 0.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        The cause's incidence at the last time over that of all causes. ``n`` is how many started. The interval is
        Wilson's at the sample size that has the variance of the delta method; without censoring it is Wilson's own.
        Where some still waited at the last time, ``method`` says which share: for them nothing is known, and
        the figure takes them to be like the others.

    Raises
    ------
    DataError
        If it is no such table, or nothing has happened to anyone.

    Examples
    --------
    >>> from crmkit.metrics import cumulative_incidence, eventual_share
    >>> eventual_share(cumulative_incidence([1, 2, 3, 4], ["won", "lost", None, "won"]), "won")
    0.75 [0.3006, 0.9544] (n=4, 95% wilson, aalen-johansen)
    """
    check_level(level)
    frame = as_frame(incidence, what="incidence")
    require_columns(frame, ["at_risk", "events"], what="incidence", hint="make it with metrics.cumulative_incidence")
    if not len(frame):
        raise DataError("nothing has happened to anyone: there is no share to give")
    at_risk, all_events, events = _counts(frame, cause)
    share, n_effective, waiting = decided_share(at_risk, events, all_events)
    low, high = wilson(share * n_effective, n_effective, level=level)
    note = f"; {waiting:.3g} still waiting at the end" if waiting > 0 else ""
    method = f"wilson, aalen-johansen{note}"
    return Estimate(share, n=round(at_risk[0]), low=float(low), high=float(high), level=level, method=method)


def _counts(frame: pd.DataFrame, cause: Any) -> tuple[Floats, Floats, Floats]:
    """Take at risk, all events and those of one cause, by time, out of a table of incidences."""
    by_time = frame.groupby(level="time")
    at_risk = by_time["at_risk"].first().to_numpy(dtype=np.float64)
    all_events = by_time["events"].sum().to_numpy(dtype=np.float64)
    own = frame.index.get_level_values("cause") == cause
    events = frame.loc[own, "events"].to_numpy(dtype=np.float64) if own.any() else np.zeros_like(all_events)
    return at_risk, all_events, events


def decided_share(at_risk: Floats, events: Floats, all_events: Floats) -> tuple[float, float, float]:
    """Give the share of one cause among those for whom it ends within the time watched, and how sure it is.

    Parameters
    ----------
    at_risk, events, all_events : ndarray of float, shape (n_times,)
        At each distinct time: how many still waited, and how many ended with the cause and with any.

    Returns
    -------
    share : float
        The share.
    n_effective : float
        The number of plain observations that would have the variance of the delta method.
    waiting : float
        The share of all who still waited at the last time.
    """
    hazard, others, before, factor = _hazards(at_risk, events, all_events)
    running = np.cumsum(before * hazard)
    ended = float(np.sum(before * (hazard + others)))
    share = min(float(running[-1]) / ended, 1.0)
    # Shares that add up to 1 differ from it by rounding.
    waiting = 1 - ended if ended < 1 - 1e-9 else 0.0
    later, rest = (running[-1] - running) * factor, waiting * factor
    # How the share moves with each time's hazards of the cause and of the others.
    own, other = (before - later - share * rest) / ended, (-later - share * rest) / ended
    mean = hazard * own + others * other
    variance = float(np.sum((hazard * own**2 + others * other**2 - mean**2) / at_risk))
    n_effective = float(all_events.sum())
    if variance > 0 and 0 < share < 1:
        n_effective = min(share * (1 - share) / variance, float(at_risk[0]))
    return share, n_effective, waiting
