"""How long cases take, where they wait, how many pass, and by which ways, from any event log."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._event_log import EventLog, Moment, read_log, variants_of
from crmkit.casework._instants import MISSING, from_instants
from crmkit.casework._store import CaseStore
from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics import kaplan_meier, mean, median_survival, restricted_mean, share, survival_at

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from crmkit.casework._business_hours import BusinessHours

    Floats = npt.NDArray[np.float64]

__all__ = ["Durations", "durations"]

_UNITS = {"minute": 60e6, "hour": 3.6e9, "day": 86.4e9}
_PERIODS = {"day": "D", "week": "W-SUN", "month": "M"}


class Durations:
    """How long cases take, made by :func:`durations`; each table is worked out when it is first asked for.

    Parameters
    ----------
    log : EventLog
        The events.
    unit : str
        Of all durations.
    hours : BusinessHours or None
        Where durations count working hours only.
    moment : {"entered", "completed"}
        What the time of an event says.
    timezone : str
        Of the borders of periods.
    level : float
        Coverage of all intervals.
    """

    def __init__(
        self, log: EventLog, *, unit: str, hours: BusinessHours | None, moment: Moment, timezone: str, level: float
    ) -> None:
        self.unit = unit
        self.level = level
        self._log = log
        self._hours = hours
        self._moment = moment
        self._timezone = timezone
        self._cached: dict[str, pd.DataFrame] = {}
        self._ways: tuple[Any, Any] | None = None

    @property
    def cases(self) -> pd.DataFrame:
        """One row a case.

        ``case_id``, ``start``, ``end`` (missing while it is open), ``duration`` (until now while it is open),
        ``events``, ``over``, ``variant`` (a position in :meth:`variants`).
        """
        if "cases" not in self._cached:
            log = self._log
            start = log.time[log.first]
            stop = np.where(log.over, log.time[log.last], log.as_of)
            self._cached["cases"] = pd.DataFrame(
                {
                    "case_id": log.case_ids[log.case[log.first]],
                    "start": from_instants(start),
                    "end": from_instants(np.where(log.over, stop, MISSING)),
                    "duration": self._length(start, np.maximum(stop, start)),
                    "events": log.last - log.first + 1,
                    "over": log.over,
                    "variant": self._ranked()[0],
                }
            )
        return self._cached["cases"].copy()

    @property
    def states(self) -> pd.DataFrame:
        """Time in each state (or of each activity), the one that takes the most time first.

        Indexed by activity: ``stays``, ``cases``, ``open`` (stays that go on), ``total``, ``share`` of all time,
        ``median`` with ``low`` and ``high``, ``p90``, and ``mean``. Stays that go on count for as long as they were
        seen (Kaplan-Meier): a median that was not reached is infinite, and the mean is restricted to the longest stay.
        """
        if "states" not in self._cached:
            stays = self._stays()
            rows = {}
            whole = stays["duration"].sum()
            for name, group in stays.groupby("activity", sort=False):
                curve = kaplan_meier(group["duration"], group["ended"], level=self.level)
                median = median_survival(curve, level=self.level)
                total = float(group["duration"].sum())
                rows[name] = {
                    "stays": len(group),
                    "cases": group["case"].nunique(),
                    "open": int((~group["ended"]).sum()),
                    "total": total,
                    "share": total / whole if whole else np.nan,
                    "median": float(median),
                    "low": median.low,
                    "high": median.high,
                    "p90": float(median_survival(curve, share=0.9, level=self.level)),
                    "mean": float(restricted_mean(curve, level=self.level)),
                }
            table = pd.DataFrame.from_dict(rows, orient="index")
            table.index.name = "activity"
            self._cached["states"] = table.sort_values("total", ascending=False, kind="stable") if len(table) else table
        return self._cached["states"].copy()

    @property
    def bottlenecks(self) -> pd.DataFrame:
        """Where the time goes: each step from one activity to the next, the one that takes the most time first.

        ``from``, ``to``, ``steps``, ``cases``, ``total``, ``share`` of all time between events, ``cumulative`` share,
        ``median``, ``mean`` with ``low`` and ``high`` (Student's t). Steps that have not ended are in :attr:`states`.
        """
        log = self._log
        inner = np.flatnonzero(log.case[1:] == log.case[:-1])
        table = pd.DataFrame(
            {
                "case": log.case[inner],
                "from": log.activities[log.activity[inner]],
                "to": log.activities[log.activity[inner + 1]],
                "duration": self._length(log.time[inner], log.time[inner + 1]),
            }
        )
        whole = table["duration"].sum()
        rows = []
        for (source, target), group in table.groupby(["from", "to"], sort=False):
            average = mean(group["duration"].to_numpy(), level=self.level)
            total = float(group["duration"].sum())
            rows.append(
                {
                    "from": source,
                    "to": target,
                    "steps": len(group),
                    "cases": group["case"].nunique(),
                    "total": total,
                    "share": total / whole if whole else np.nan,
                    "median": float(group["duration"].median()),
                    "mean": float(average),
                    "low": average.low,
                    "high": average.high,
                }
            )
        names = ["from", "to", "steps", "cases", "total", "share", "median", "mean", "low", "high"]
        told = pd.DataFrame(rows, columns=names).sort_values("total", ascending=False, kind="stable")
        told.insert(6, "cumulative", told["share"].cumsum())
        return told.reset_index(drop=True)

    @property
    def survival(self) -> pd.DataFrame:
        """The share of cases that is still open by the time since their start, as ``metrics.kaplan_meier`` gives it."""
        if "survival" not in self._cached:
            cases = self.cases
            self._cached["survival"] = kaplan_meier(cases["duration"], cases["over"], level=self.level)
        return self._cached["survival"].copy()

    @property
    def median(self) -> Estimate:
        """The time by which half of the cases are over, open ones counted for as long as they were seen."""
        return median_survival(self.survival, level=self.level)

    def within(self, limit: float) -> Estimate:
        """Give the share of cases that are over within a time: the share that keeps a service level.

        Parameters
        ----------
        limit : float
            In the unit of the durations, at least 0; exactly that long still keeps it.

        Returns
        -------
        Estimate
            With Wilson's interval where it is known of every case; where some are open and younger than the limit,
            from the survival curve (Kaplan-Meier), which counts them for as long as they were seen. Missing where no
            case was watched for so long.

        Raises
        ------
        DataError
            If the limit is no number of at least 0.
        """
        if not (isinstance(limit, int | float | np.number) and np.isfinite(limit) and limit >= 0):
            raise DataError(f"limit must be a number of at least 0, got {limit!r}")
        cases = self.cases
        kept = cases["over"] & (cases["duration"] <= limit)
        if (cases["over"] | (cases["duration"] >= limit)).all():
            return share(int(kept.sum()), len(cases), level=self.level)
        row = survival_at(self.survival, [limit]).iloc[0]
        low, high = 1 - row["high"], 1 - row["low"]
        return Estimate(1 - row["survival"], n=len(cases), low=low, high=high, level=self.level, method="kaplan-meier")

    def throughput(self, by: str = "week") -> pd.DataFrame:
        """Count the cases that started, ended and were open by period.

        Parameters
        ----------
        by : {"day", "week", "month"}, default="week"
            The period; weeks end on Sunday.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``period`` from the first start to the last moment of the log, with none left out: ``started``,
            ``ended``, ``open`` (at its end), ``median`` duration of those that ended.

        Raises
        ------
        DataError
            If it is no such period.
        """
        if by not in _PERIODS:
            raise DataError(f"by must be one of {', '.join(_PERIODS)}, got {by!r}")
        cases = self.cases

        def periods(times: Any) -> pd.PeriodIndex:
            local = pd.DatetimeIndex(times).tz_convert(self._timezone).tz_localize(None)
            return local.to_period(_PERIODS[by])

        ended = cases[cases["over"]]
        starts, ends = periods(cases["start"]), periods(ended["end"])
        last = periods(from_instants([max(self._log.as_of, int(self._log.time.max()))]))[0]
        index = pd.period_range(starts.min(), last, freq=_PERIODS[by], name="period")
        table = pd.DataFrame(index=index)
        table["started"] = pd.Series(1, index=starts).groupby(level=0).sum().reindex(index, fill_value=0)
        table["ended"] = pd.Series(1, index=ends).groupby(level=0).sum().reindex(index, fill_value=0).astype(np.int64)
        table["open"] = (table["started"] - table["ended"]).cumsum()
        table["median"] = pd.Series(ended["duration"].to_numpy(), index=ends).groupby(level=0).median().reindex(index)
        return table

    def variants(self, n: int | None = 20) -> pd.DataFrame:
        """List the ways that cases take, the most frequent first.

        Parameters
        ----------
        n : int or None, default=20
            How many; None for all.

        Returns
        -------
        pandas.DataFrame
            ``activities`` (a tuple), ``events``, ``cases``, ``share``, ``cumulative`` share, ``median`` duration of
            those that are over (missing where none is).
        """
        variant, example = self._ranked()
        log = self._log
        cases = self.cases
        count = np.bincount(variant, minlength=len(example))
        chosen = example[: len(example) if n is None else max(n, 0)]
        ways = [tuple(log.activities[log.activity[log.first[case] : log.last[case] + 1]]) for case in chosen.tolist()]
        over = cases[cases["over"]]
        median = over.groupby("variant")["duration"].median().reindex(range(len(example)))
        size = len(chosen)
        return pd.DataFrame(
            {
                "activities": pd.Series(ways, dtype=object),
                "events": (log.last - log.first + 1)[chosen],
                "cases": count[:size],
                "share": (count / len(cases))[:size],
                "cumulative": (np.cumsum(count) / len(cases))[:size],
                "median": median.to_numpy()[:size],
            }
        )

    def _ranked(self) -> tuple[Any, Any]:
        """Number the variants by how many cases they have."""
        if self._ways is None:
            variant, example = variants_of(self._log)
            order = np.argsort(-np.bincount(variant), kind="stable")
            place = np.empty(len(order), dtype=np.intp)
            place[order] = np.arange(len(order))
            self._ways = (place[variant], example[order])
        return self._ways

    def _stays(self) -> pd.DataFrame:
        """Give each stay in an activity, with its length and whether it has ended."""
        log = self._log
        inner = np.flatnonzero(log.case[1:] == log.case[:-1])
        stay = inner if self._moment == "entered" else inner + 1
        going = log.last[~log.over] if self._moment == "entered" else np.empty(0, dtype=np.intp)
        begin = np.concatenate([log.time[inner], log.time[going]])
        end = np.concatenate([log.time[inner + 1], np.full(len(going), log.as_of, dtype=np.int64)])
        at = np.concatenate([stay, going])
        return pd.DataFrame(
            {
                "case": log.case[at],
                "activity": log.activities[log.activity[at]],
                "duration": self._length(begin, np.maximum(end, begin)),
                "ended": np.arange(len(at)) < len(inner),
            }
        )

    def _length(self, start: Any, end: Any) -> Floats:
        """Give durations in the unit, of the clock or of working hours."""
        if self._hours is None:
            return np.asarray((end - start) / _UNITS[self.unit], dtype=np.float64)
        worked = self._hours.between(pd.Series(from_instants(start)), pd.Series(from_instants(end))).to_numpy()
        return np.asarray(worked * (_UNITS["hour"] / _UNITS[self.unit]), dtype=np.float64)

    def __repr__(self) -> str:
        log = self._log
        return (
            f"Durations({len(log.first):,} cases, {int((~log.over).sum()):,} of them open; {len(log.case):,} events of "
            f"{len(log.activities)} activities; in {self.unit}s)"
        )

    def _repr_html_(self) -> str:
        table = self.states.reset_index()
        rows = table.to_numpy(dtype=object).tolist()
        return html.table(table.columns.tolist(), rows, caption=f"Time in state, in {self.unit}s")


def durations(
    log: Any,
    *,
    case: str = "case_id",
    activity: str = "activity",
    time: str = "time",
    ends: Iterable[str] | None = None,
    as_of: Any = None,
    unit: str = "hour",
    hours: BusinessHours | None = None,
    moment: Moment = "entered",
    merge_repeats: bool = False,
    timezone: str | None = None,
    level: float = 0.95,
) -> Durations:
    """Measure how long cases take, of a store or of any event log.

    Costs one sort of the log; 65,000 events take well under a second. Assumes that events of one case and one moment
    stand in their order.

    Parameters
    ----------
    log : CaseStore or table
        A store gives its history, its ends and its time zone; else one row an event.
    case, activity, time : str, default="case_id", "activity", "time"
        The columns of a table.
    ends : iterable of str or None, default=None
        Activities with which a case is over; a case whose last event is another is still open. None takes every case
        to be over with its last event, which is right for a log of finished cases only.
    as_of : time, default=None
        Until when the log was watched, exclusive: later events are left out, and open cases are counted until then.
        None for the last event of a table, and for now of a store.
    unit : {"minute", "hour", "day"}, default="hour"
        Of all durations; a day is 24 hours, of working hours too.
    hours : BusinessHours or None, default=None
        Count working hours only; None for all.
    moment : {"entered", "completed"}, default="entered"
        ``"entered"``: at its time a case comes into the state, and stays until the next event. ``"completed"``: at its
        time an activity is finished, and it took the time since the event before.
    merge_repeats : bool, default=False
        Whether a state that follows itself is one stay.
    timezone : str or None, default=None
        Of times without an offset, and of the borders of periods; None for the store's own, else UTC.
    level : float, default=0.95
        Coverage of all intervals.

    Returns
    -------
    Durations
        ``.cases``, ``.states``, ``.bottlenecks``, ``.survival``, ``.median``, ``.within(limit)``, ``.throughput(by)``,
        ``.variants(n)``.

    Raises
    ------
    DataError
        If a column or a cell is missing, or an argument is not one of those above.

    Examples
    --------
    >>> from crmkit.casework import durations
    >>> log = {"case_id": ["a", "a", "b"], "activity": ["open", "closed", "open"],
    ...        "time": ["2026-03-02T09:00Z", "2026-03-02T11:00Z", "2026-03-02T10:00Z"]}
    >>> taken = durations(log, ends=["closed"])
    >>> taken
    Durations(2 cases, 1 of them open; 3 events of 2 activities; in hours)
    >>> taken.cases["duration"].tolist()
    [2.0, 1.0]
    """
    for name, given, known in (("unit", unit, _UNITS), ("moment", moment, ("entered", "completed"))):
        if given not in known:
            raise DataError(f"{name} must be one of {', '.join(known)}, got {given!r}")
    if isinstance(log, CaseStore):
        states = log.transitions
        history = log.history()
        timezone = log.timezone if timezone is None else timezone
        ends = states.ends if ends is None else ends
        as_of = pd.Timestamp.now(tz="UTC") if as_of is None else as_of
        log = history[(history["from"] != history["to"]) & (history["case_id"] != "")]
        case, activity, time = "case_id", "to", "time"
        wanted = [ends] if isinstance(ends, str) else list(ends)
        if len(log) and not log["to"].isin(wanted).any():
            for state in wanted:
                states.require(state, "ends")
            # No case is over yet.
            ends = ()
    timezone = "UTC" if timezone is None else timezone
    read = read_log(
        log, case=case, activity=activity, time=time, ends=ends, as_of=as_of, timezone=timezone,
        merge_repeats=merge_repeats,
    )  # fmt: skip
    return Durations(read, unit=unit, hours=hours, moment=moment, timezone=timezone, level=level)
