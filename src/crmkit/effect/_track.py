"""Figures by period, segment and channel, with an alarm whose false alarms are counted."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import ndtr

from crmkit.core import html
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.effect._alarm import alarm_p_values, coarse
from crmkit.effect._columns import column_numbers, labels_and_codes
from crmkit.effect._marks import METRICS, scores
from crmkit.metrics import mean
from crmkit.metrics._calendar import FREQUENCIES, check_period, period_of
from crmkit.metrics.intervals import check_level, normal_quantile

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["Tracking", "track"]

_ENOUGH = 8
"""Fewer periods say too little of how far a figure goes up and down."""


@dataclass(frozen=True)
class Tracking:
    """A figure over time, in all and by group.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by ``group`` (``all``, or ``<column>=<value>``) and ``period``: ``n``, ``value``, ``low``, ``high``,
        ``expected`` (the mean of the periods since the last alarm), ``p_value`` and ``alarm``.
    metric : str
        What is tracked.
    comparisons : int
        Periods and groups that were compared with what went before, or that were planned to be.
    false_alarm : float
        The chance of one false alarm or more among all of them, if nothing ever changed.
    level : float
        Nominal coverage of each period's own interval.
    wander : float
        The standard deviation from period to period that alarms allow for.
    wander_seen : float
        What it seems to be over the periods of ``all``, beyond what the number of answers explains; NaN for fewer than
        eight periods. Roughly: a single change of level hardly raises it, few answers blur it.
    """

    table: pd.DataFrame
    metric: str
    comparisons: int
    false_alarm: float
    level: float
    wander: float = 0.0
    wander_seen: float = float("nan")

    @property
    def alarms(self) -> pd.DataFrame:
        """The periods that differ from what went before."""
        return self.table[self.table["alarm"].to_numpy(dtype=bool)]

    def _head(self) -> str:
        found = len(self.alarms)
        chance = f"{self.false_alarm:.0%} chance of any false alarm over {self.comparisons:,} comparisons"
        seen = (
            "" if np.isnan(self.wander_seen) else f"; from period to period it wanders by about {self.wander_seen:.2g}"
        )
        allowed = f", {self.wander:.4g} of it allowed for" if self.wander else ""
        return f"{self.metric}: {found:,} {'alarm' if found == 1 else 'alarms'} ({chance}{seen}{allowed})"

    def __repr__(self) -> str:
        return f"{self._head()}\n\n{self.table.to_string(float_format='%.4g')}"

    def _repr_html_(self) -> str:
        """Show all periods under the number of alarms."""
        plain = self.table.reset_index()
        plain["period"] = plain["period"].astype(str)
        return html.table(list(plain.columns), plain.astype(object).to_numpy().tolist(), caption=self._head())


def track(
    table: Any,
    *,
    metric: str | Callable[[pd.DataFrame], Estimate] = "nps",
    column: str = "rating",
    by: str = "month",
    segment: str | None = None,
    channel: str | None = None,
    customer: str | None = None,
    scale: tuple[float, float] | None = None,
    false_alarm: float = 0.05,
    comparisons: int | None = None,
    wander: float = 0.0,
    least: int = 20,
    level: float = 0.95,
) -> Tracking:
    """Follow a figure by period, in all and by segment and channel, and say where it changed.

    Each period is compared with all periods since the last alarm (or the first). If nothing changes, such comparisons
    are independent of one another, so that the limit of each can be set (Sidak) to keep the chance of *any* false alarm
    over all periods and groups at ``false_alarm``; groups that overlap only lower it. Close to the limit a p-value
    comes from drawing rows anew, so that it holds for skewed amounts and rare events too. A change that stays is told
    once, in the period in which it shows. Small and slow drifts need many answers; an alarm says that something
    changed, not why. Nothing changes only where answers differ by chance alone: a figure that goes up and down from
    month to month for no reason that matters sets off alarms as soon as there are many answers, unless ``wander`` says
    how far it does. The cost is one pass over the rows and one figure a period and group.

    Parameters
    ----------
    table : table
        One row for each answer or event, with ``day`` (local calendar day as an integer) or ``time``.
    metric : str or callable, default="nps"
        ``"nps"``, ``"csat"``, ``"csat-mean"``, ``"ces"``, ``"ces-share"``, ``"mean"`` (of any number: 0 and 1 for
        cancelled or came back), or a function of the rows of a period that gives an ``Estimate``.
    column : str, default="rating"
        Marks or numbers; not used by a function.
    by : {"day", "week", "month", "quarter", "year"}, default="month"
        Calendar periods; weeks begin on Mondays.
    segment, channel : str or None, default=None
        Columns to look at separately.
    customer : str or None, default=None
        Several answers of one customer in one period count for less, as far as they agree.
    scale : (float, float) or None, default=None
        Of the marks.
    false_alarm : float, default=0.05
        The chance of one false alarm or more.
    comparisons : int or None, default=None
        How many comparisons there will be in all, where the table is tracked again each month: fix it for the year, so
        that the chance holds over the year. None counts those of this table.
    wander : float, default=0.0
        How far the figure goes up and down from period to period for no reason that matters: a standard deviation, in
        the metric's unit, such as ``wander_seen`` of earlier years. Alarms allow for it.
    least : int, default=20
        Periods of a group with fewer answers are shown and not compared.
    level : float, default=0.95
        Nominal coverage of each period's own interval.

    Returns
    -------
    Tracking
        ``table`` and ``alarms``.

    Raises
    ------
    DataError
        If a column is missing, a day is missing, or the metric is unknown.

    Warns
    -----
    DataWarning
        If answers are missing.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.effect import track
    >>> rng = np.random.default_rng(0)
    >>> day = np.sort(rng.integers(19_723, 19_723 + 366, 6000))
    >>> marks = rng.choice([10, 8, 3], 6000, p=[0.5, 0.3, 0.2])
    >>> marks = np.where((day >= 19_997) & (rng.random(6000) < 0.4), 3, marks)
    >>> tracking = track({"day": day, "rating": marks}, metric="nps")
    >>> tracking.alarms.index.get_level_values("period").astype(str).tolist()
    ['2024-10']
    """
    level = check_level(level)
    check_period(by)
    if not 0 < false_alarm < 1:
        raise DataError(f"false_alarm must lie between 0 and 1, got {false_alarm!r}")
    if not (np.isfinite(wander) and wander >= 0):
        raise DataError(f"wander must be a standard deviation of at least 0, got {wander!r}")
    frame = as_frame(table)
    if customer is not None and frame.index.name == customer:
        frame = frame.reset_index()
    columns = [None if callable(metric) else column, segment, channel, customer]
    require_columns(frame, [name for name in columns if name is not None])
    if not len(frame):
        raise DataError("table has no rows: there is nothing to track")
    number = period_of(_days(frame), by)
    frame = frame.reset_index(drop=True)
    score = None if callable(metric) else _scores(frame, metric, column, scale)
    if score is not None:
        known = np.isfinite(score)
        _tell_lost(known, column)
        frame, number, score = frame[known].reset_index(drop=True), number[known], score[known]
    first, size = int(number.min()), int(number.max() - number.min()) + 1
    place = number - first
    periods = pd.period_range(pd.Period("1970-01-01", freq=FREQUENCIES[by]) + first, periods=size, name="period")
    groups = _groups(frame, [name for name in (segment, channel) if name is not None])
    parts = {
        name: _cells(frame, rows, place, size, metric, column, scale, level).set_index(periods)
        for name, rows in groups.items()
    }
    counted = sum(max(0, int((part["n"] >= least).sum()) - 1) for part in parts.values())
    planned = counted if comparisons is None else int(comparisons)
    if planned < counted:
        raise DataError(f"comparisons must be at least the {counted} of this table, got {planned}")
    limit = -float(np.expm1(np.log1p(-false_alarm) / max(planned, 1)))
    who = None if customer is None else pd.factorize(frame[customer])[0].astype(np.intp)
    for name, part in parts.items():
        compared = part["n"].to_numpy() >= least
        if score is None:
            part["expected"], part["p_value"] = _from_estimates(part, compared, limit, level, wander)
        else:
            rows = groups[name]
            cost = 1.0 if who is None else _agreement(score[rows], place[rows], size, who[rows])
            part["expected"], part["p_value"] = _compared(score[rows], place[rows], compared, limit, cost, wander)
        part["alarm"] = part["p_value"].to_numpy() < limit
    title = metric if isinstance(metric, str) else getattr(metric, "__name__", "metric")
    seen = _wander(parts["all"], parts["all"]["n"].to_numpy() >= least, level)
    return Tracking(pd.concat(parts, names=["group"]), title, planned, false_alarm, level, float(wander), seen)


def _tell_lost(known: npt.NDArray[np.bool_], column: str) -> None:
    """Tell the rows without a mark."""
    if not known.any():
        raise DataError(f"{column} holds no mark: there is nothing to track")
    if not known.all():
        text = f"{int((~known).sum()):,} of {len(known):,} rows have no {column} and are left out"
        warnings.warn(text, DataWarning, stacklevel=3)


def _days(frame: pd.DataFrame) -> npt.NDArray[np.int64]:
    """Give the calendar day of each row."""
    if "day" in frame.columns:
        days = column_numbers(frame, "day")
    elif "time" in frame.columns and pd.api.types.is_datetime64_any_dtype(frame["time"].dtype):
        times = frame["time"]
        local = times.dt.tz_localize(None) if times.dt.tz is not None else times
        days = np.where(times.isna(), np.nan, local.to_numpy().astype("datetime64[D]").astype(np.float64))
    else:
        raise DataError("table needs day (whole days since 1970-01-01) or time (a column of times)")
    missing = np.isnan(days)
    if missing.any():
        raise DataError(f"the day is missing in {positions(missing)}")
    return days.astype(np.int64)


def _scores(
    frame: pd.DataFrame, metric: str, column: str, scale: tuple[float, float] | None
) -> npt.NDArray[np.float64]:
    """Give each row the number whose mean is the metric."""
    if metric == "mean":
        return column_numbers(frame, column)
    marks = scores(frame[column].reset_index(drop=True), metric, scale=scale)
    return np.asarray(marks, dtype=np.float64)


def _groups(frame: pd.DataFrame, columns: list[str]) -> dict[str, npt.NDArray[np.bool_]]:
    """Give the rows of everybody, and of each value of each column."""
    groups = {"all": np.ones(len(frame), dtype=bool)}
    for column in columns:
        labels, codes = labels_and_codes(frame[column])
        groups |= {f"{column}={label}": codes == at for at, label in enumerate(labels)}
    return groups


def _cells(
    frame: pd.DataFrame,
    rows: npt.NDArray[np.bool_],
    place: npt.NDArray[np.int64],
    size: int,
    metric: str | Callable[[pd.DataFrame], Estimate],
    column: str,
    scale: tuple[float, float] | None,
    level: float,
) -> pd.DataFrame:
    """Give the figure of each period of one group with its own interval."""
    own = np.flatnonzero(rows)
    order = own[np.argsort(place[own], kind="stable")]
    ends = np.searchsorted(place[order], np.arange(size + 1))
    options: dict[str, Any] = {"level": level} | ({} if scale is None else {"scale": scale})
    cells = []
    for at in range(size):
        chosen = order[ends[at] : ends[at + 1]]
        if not len(chosen):
            cells.append((0, np.nan, np.nan, np.nan))
            continue
        if callable(metric):
            figure = metric(frame.iloc[chosen])
            if not isinstance(figure, Estimate):
                raise DataError(f"the metric must give an Estimate, got {type(figure).__name__}")
        elif metric == "mean":
            figure = mean(frame[column].to_numpy(dtype=np.float64)[chosen], level=level)
        else:
            figure = METRICS[metric](frame[column].iloc[chosen], **options)
        cells.append((figure.n, float(figure), figure.low, figure.high))
    return pd.DataFrame(cells, columns=["n", "value", "low", "high"]).astype({"n": np.int64})


def _agreement(
    score: npt.NDArray[np.float64], place: npt.NDArray[np.int64], size: int, who: npt.NDArray[np.intp]
) -> float:
    """Say how many answers are worth one, for customers with several answers in one period; at least 1."""
    n = np.maximum(np.bincount(place, minlength=size), 1)
    residual = score - (np.bincount(place, weights=score, minlength=size) / n)[place]
    pair = pd.factorize(place * (int(who.max()) + 2) + who)[0]
    summed = np.bincount(pair, weights=residual)
    spread = float(residual @ residual)
    return max(1.0, float(summed @ summed) / spread) if spread > 0 else 1.0


def _compared(
    score: npt.NDArray[np.float64],
    place: npt.NDArray[np.int64],
    compared: npt.NDArray[np.bool_],
    limit: float,
    cost: float,
    wander: float,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Compare the periods of one group that have enough answers."""
    size = len(compared)
    # Scores far from 0 would lose their variance in the difference of two large sums.
    middle = float(score.mean())
    moved = score - middle
    values, codes = np.unique(coarse(moved), return_inverse=True)
    counts = np.zeros((size, len(values)), dtype=np.int64)
    np.add.at(counts, (place, codes.reshape(-1)), 1)
    counts[~compared] = 0
    total, squares = np.zeros(size), np.zeros(size)
    np.add.at(total, place, moved)
    np.add.at(squares, place, moved**2)
    expected, p_value = alarm_p_values(counts, values, (total, squares), limit, cost=cost, wander=wander)
    return expected + middle, p_value


def _errors(part: pd.DataFrame, level: float) -> npt.NDArray[np.float64]:
    """Give the standard error of each period's figure as its interval tells it."""
    return (part["high"] - part["low"]).to_numpy(dtype=np.float64) / (2 * normal_quantile(level))


def _from_estimates(
    part: pd.DataFrame, compared: npt.NDArray[np.bool_], limit: float, level: float, wander: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Compare figures of any kind by the errors that their intervals tell."""
    value, error = part["value"].to_numpy(dtype=np.float64), np.hypot(_errors(part, level), wander)
    expected, p_value = np.full(len(value), np.nan), np.full(len(value), np.nan)
    weight = weighted = 0.0
    for at in np.flatnonzero(compared & np.isfinite(error) & (error > 0)):
        own = 1 / error[at] ** 2
        if weight > 0:
            expected[at] = weighted / weight
            p_value[at] = 2 * ndtr(-abs(value[at] - expected[at]) / np.sqrt(error[at] ** 2 + 1 / weight))
            if p_value[at] < limit:
                weight = weighted = 0.0
        weight, weighted = weight + own, weighted + own * value[at]
    return expected, p_value


def _wander(part: pd.DataFrame, compared: npt.NDArray[np.bool_], level: float) -> float:
    """Give how far a figure goes up and down from one period to the next, beyond its own errors."""
    error = _errors(part, level)
    known = compared & np.isfinite(error)
    if known.sum() < _ENOUGH:
        return float("nan")
    steps = np.diff(part["value"].to_numpy(dtype=np.float64)[known]) ** 2
    # The median of squared steps is that of chi-square with one degree of freedom: one change of level is one step.
    spread = float(np.median(steps)) / 0.4549
    return float(np.sqrt(max(spread - 2 * float(np.mean(error[known] ** 2)), 0.0) / 2))
