"""Plan against actual: what was to be sold and what was, by period and group, with nothing dropped."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.core.html import element, table
from crmkit.metrics._calendar import FREQUENCIES, check_period
from crmkit.preparation import as_cutoff, calendar_days
from crmkit.value.sales._deal_groups import by_columns
from crmkit.value.sales._instants import local_days
from crmkit.value.sales._periods import days_to_periods
from crmkit.value.sales._stage_history import StageHistory
from crmkit.value.sales._stage_reduction import WON

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.metrics._calendar import Period

__all__ = ["PlanAgainstActual", "plan_against_actual"]

Measure = Literal["amount", "count"]

_BEFORE, _COMPLETE, _RUNNING, _AHEAD = "before the data", "complete", "running", "not begun"

_RESERVED = frozenset(
    {"period", "day", "amount", "plan", "plan_to_date", "actual", "unplanned", "variance", "attainment", "status"}
    | {"cumulative_plan", "cumulative_actual", "cumulative_attainment"}
)
"""Names of columns that the tables have themselves."""

_MONTH = re.compile(r"^(\d{4})年?(\d{1,2})月?$")
"""A month as 202403 or 2024年3月."""


@dataclass(frozen=True, repr=False, eq=False)
class PlanAgainstActual:
    """Plan and actual side by side, as ``plan_against_actual`` gives them.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by ``period`` and the groups: ``plan`` (missing where there is none), ``actual`` (0 where nothing was
        sold; missing where it cannot be known: a period before the data or not begun), ``variance`` (actual less plan),
        ``attainment`` (actual over plan), ``cumulative_plan``, ``cumulative_actual`` and ``cumulative_attainment``
        within the group, over the periods that have begun, and ``status``: "before the data", "complete", "running"
        (not ended) or "not begun".
    by_period, by_group, total : pandas.DataFrame
        The same added up over groups, periods, and both: ``plan``, ``plan_to_date`` (of periods that have begun and
        whose actual is known), ``actual``, ``unplanned`` (the part of actual that had no plan), ``variance`` and
        ``attainment`` of the planned part, to date. ``by_group`` is ``total`` where there are no groups.
    """

    table: pd.DataFrame
    by_period: pd.DataFrame
    by_group: pd.DataFrame
    total: pd.DataFrame

    def __repr__(self) -> str:
        one = self.total.iloc[0]
        return (
            f"PlanAgainstActual({len(self.table):,} rows, actual {one['actual']:,.0f} of plan "
            f"{one['plan_to_date']:,.0f} to date, attainment {one['attainment']:.1%})"
        )

    def _repr_html_(self) -> str:
        columns = ["plan", "actual", "variance", "attainment"]
        rows = [(str(name), *row) for name, *row in self.by_period[columns].itertuples()]
        return element("div", table(("period", *columns), rows, caption="Plan against actual"))


def plan_against_actual(
    actual: StageHistory | Any,
    plan: Any,
    *,
    period: Period = "month",
    by: str | Sequence[str] | None = None,
    measure: Measure = "amount",
    as_of: Any = None,
) -> PlanAgainstActual:
    """Put plan beside actual for every period and group that is in either.

    Parameters
    ----------
    actual : StageHistory or table
        Opportunities as ``stage_history`` made them, whose won deals count in the period of their closing; or
        transactions with ``day`` (or ``time``) and ``amount``, refunds negative.
    plan : table
        ``period`` (a pandas Period, or a date within the period as text, date or timestamp; or such text as "2024-03",
        "202403", "2024年3月", "2024Q1" or "2024"), the columns of ``by``, and ``plan``: missing is no plan, not 0.
    period : {"day", "week", "month", "quarter", "year"}, default="month"
        Calendar periods, local; weeks start on Monday. A plan for other periods is refused, not spread.
    by : str, sequence of str or None, default=None
        Columns of both tables (agent, region) to tell apart.
    measure : {"amount", "count"}, default="amount"
        Money, or the number of won deals (of rows with a positive amount, for transactions).
    as_of : date, time, text of one, or None
        The first day of transactions that is not seen; it says which periods are complete. None for the day after the
        last one. A history has its own.

    Returns
    -------
    PlanAgainstActual
        ``.table``, ``.by_period``, ``.by_group``, ``.total``, which add up.

    Raises
    ------
    DataError
        If a column is missing, two rows of the plan are for one period and group, a plan is negative or infinite, its
        period is not of the kind asked for, or a won deal has no amount (by count it needs none).

    Notes
    -----
    Every period from the first of either table to the last is there for each group that either table names, so a gap
    is seen as one. Of an incomplete period the actual so far stands beside the whole plan; it is marked, not scaled.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import plan_against_actual
    >>> days = pd.to_datetime(["2024-01-10", "2024-02-05", "2024-02-20", "2024-03-02"])
    >>> sales = pd.DataFrame({"time": days, "region": ["north", "north", "south", "north"], "amount": [80, 50, 30, 20]})
    >>> plan = pd.DataFrame({"period": ["2024-01", "2024-02", "2024-03"], "region": "north", "plan": [100, 40, 60]})
    >>> result = plan_against_actual(sales, plan, by="region")
    >>> result.by_period[["plan", "actual", "unplanned", "attainment"]]  # doctest: +NORMALIZE_WHITESPACE
              plan  actual  unplanned  attainment
    period
    2024-01  100.0    80.0        0.0    0.800000
    2024-02   40.0    80.0       30.0    1.250000
    2024-03   60.0    20.0        0.0    0.333333
    >>> result.table.loc[("2024-03", "north"), "status"]
    'running'
    """
    check_period(period)
    frequency = FREQUENCIES[period]
    if measure not in {"amount", "count"}:
        raise DataError(f"measure must be 'amount' or 'count', got {measure!r}")
    groups = by_columns(by)
    taken = sorted(name for name in groups if name in _RESERVED)
    if taken:
        raise DataError(f"by cannot name {', '.join(map(repr, taken))}: rename these columns")
    sold, first_day, end_day = _sold(actual, groups, measure, as_of)
    sold.insert(0, "period", days_to_periods(sold.pop("day").to_numpy(dtype=np.int64), frequency))
    last = days_to_periods(np.array([end_day - 1]), frequency)
    result = _side_by_side(sold, _planned(plan, groups, frequency), groups, last)
    return _compare(result, groups, first_day, end_day)


def _sold(actual: StageHistory | Any, groups: list[str], measure: Measure, as_of: Any) -> tuple[pd.DataFrame, int, int]:
    """Give what was sold on which day by whom, the first day of the data and the first day that is not seen."""
    if isinstance(actual, StageHistory):
        if as_of is not None:
            raise DataError("as_of cannot be changed in a StageHistory: write it in value.stage_history(...)")
        return _won_deals(actual, groups, measure)
    frame = as_frame(actual, what="actual")
    require_columns(frame, [*groups, "amount"], what="actual")
    days = calendar_days(frame, what="actual")
    if not len(days):
        raise DataError("actual holds no row: there is nothing to put beside the plan")
    amount = pd.to_numeric(frame["amount"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = ~np.isfinite(amount)
    if wrong.any():
        raise DataError(f"actual: amount is missing, infinite or no number in {positions(wrong)}")
    if "currency" in frame.columns and len(frame["currency"].dropna().unique()) > 1:
        raise DataError("actual is in more than one currency; amounts cannot be added up: convert them")
    cutoff = None if as_of is None else as_cutoff(as_of)
    if cutoff is not None and cutoff.instant is not None:
        raise DataError("as_of must be a date where actual is a table of transactions: its days decide")
    end = int(days.max()) + 1 if cutoff is None else cutoff.day
    seen = days < end
    if not seen.any():
        raise DataError(f"actual holds no row before as_of={as_of}")
    sold = frame.loc[seen, groups].reset_index(drop=True)
    sold["day"] = days[seen]
    sold["actual"] = amount[seen] if measure == "amount" else (amount[seen] > 0).astype(np.float64)
    return sold, int(days[seen].min()), end


def _won_deals(history: StageHistory, groups: list[str], measure: Measure) -> tuple[pd.DataFrame, int, int]:
    """Give the won deals by the day of their closing."""
    require_columns(history.deals, groups, what="opportunities")
    won = history.code("status") == WON
    amount = history.deals["amount"].to_numpy(dtype=np.float64)
    if measure == "amount" and (won & np.isnan(amount)).any():
        raise DataError(f"won opportunities have no amount: {positions(won & np.isnan(amount))} of .deals")
    sold = history.deals.loc[won, groups].reset_index(drop=True)
    sold["day"] = local_days(history.code("closed")[won], history.timezone)
    sold["actual"] = amount[won] if measure == "amount" else 1.0
    first = int(local_days(history.code("opened").min(keepdims=True), history.timezone)[0])
    # The day that contains the last moment seen is not over unless that moment is its midnight.
    end = int(local_days(np.array([history.moment - 1]), history.timezone)[0]) + 1
    return sold, first, end


def _planned(plan: Any, groups: list[str], frequency: str) -> pd.DataFrame:
    """Read the plan, one row a period and group."""
    frame = as_frame(plan, what="plan")
    require_columns(frame, ["period", *groups, "plan"], what="plan")
    periods = _read_periods(frame["period"], frequency)
    amount = pd.to_numeric(frame["plan"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    no_number = np.isnan(amount) & frame["plan"].notna().to_numpy(dtype=bool)
    for wrong, reason in (
        (no_number, "plan is no number"),
        ((amount < 0) | np.isinf(amount), "plan is negative or infinite"),
    ):
        if wrong.any():
            raise DataError(f"plan: {reason} in {positions(wrong)}")
    planned = frame[groups].reset_index(drop=True)
    planned.insert(0, "period", periods)
    planned["plan"] = amount
    twice = planned.duplicated(["period", *groups], keep=False).to_numpy()
    if twice.any():
        raise DataError(f"plan: two rows are for one period and group: {positions(twice)}; add them up first")
    return planned


def _read_periods(column: pd.Series, frequency: str) -> pd.PeriodIndex:
    """Read the periods of a plan; only those of the kind asked for are."""
    missing = column.isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"plan: period is missing in {positions(missing)}")
    if isinstance(column.dtype, pd.PeriodDtype):
        if column.dtype != pd.PeriodDtype(frequency):
            raise DataError(f"plan: its periods ({column.dtype}) are not of the kind asked for (period=…)")
        return pd.PeriodIndex(column)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        local = column.dt.tz_localize(None) if column.dt.tz is not None else column
        return pd.DatetimeIndex(local).to_period(frequency)
    names, codes = np.unique(column.astype(str).to_numpy(dtype=str), return_inverse=True)
    read = []
    for number, name in enumerate(names):
        try:
            one = pd.Period(_MONTH.sub(r"\1-\2", name))
        except ValueError:
            rows = positions(codes == number)
            raise DataError(f"plan: period is not understood in {rows}; write 2024-03, 2024Q1 or a date") from None
        # A date lies within one period of any kind; a longer period does not say how it is to be spread.
        if one.start_time.to_period(frequency) != one.end_time.to_period(frequency):
            raise DataError(f"plan: period is longer than asked for (period=…) in {positions(codes == number)}")
        read.append(one.start_time.to_period(frequency))
    return pd.PeriodIndex(pd.PeriodIndex(read, freq=frequency).take(codes))


def _side_by_side(sold: pd.DataFrame, planned: pd.DataFrame, groups: list[str], last: pd.PeriodIndex) -> pd.DataFrame:
    """Give every period from the first to the last for every group that there is, with what was sold and planned."""
    both = pd.concat([sold[["period"]], planned[["period"]]], ignore_index=True)
    periods = pd.PeriodIndex(both["period"])
    first = periods.min()
    span = pd.period_range(first, max(periods.max(), last[0]), freq=periods.freq)
    at = periods.asi8 - first.ordinal
    n_groups, group = 1, np.zeros(len(both), dtype=np.intp)
    result = pd.DataFrame({"period": span})
    if groups:
        # As objects, so that a column without any value in one table is no other type than in the other.
        named = pd.concat([table[groups].astype(object) for table in (sold, planned)], ignore_index=True)
        grouped = named.groupby(groups, dropna=False, sort=True)
        group, n_groups = np.asarray(grouped.ngroup(), dtype=np.intp), grouped.ngroups
        names = named.iloc[np.unique(group, return_index=True)[1]].infer_objects()
        result = result.merge(names, how="cross")
    cell, n_sold = at * n_groups + group, len(sold)
    amounts = np.bincount(cell[:n_sold], weights=sold["actual"], minlength=len(result))
    plans = np.full(len(result), np.nan)
    plans[cell[n_sold:]] = planned["plan"]
    return result.assign(actual=amounts, plan=plans)


def _compare(result: pd.DataFrame, groups: list[str], first_day: int, end_day: int) -> PlanAgainstActual:
    """Work out what stands in each row, and the sums."""
    periods = pd.PeriodIndex(result["period"])
    begins = periods.start_time.to_numpy().astype("datetime64[D]").astype(np.int64)
    ends = periods.end_time.to_numpy().astype("datetime64[D]").astype(np.int64) + 1
    status = np.select(
        [ends <= first_day, begins >= end_day, ends > end_day], [_BEFORE, _AHEAD, _RUNNING], _COMPLETE
    ).astype(object)
    known = (status == _COMPLETE) | (status == _RUNNING)
    plan = result["plan"].to_numpy(dtype=np.float64)
    sold = np.where(known, result["actual"].to_numpy(dtype=np.float64), np.nan)
    lines = result[["period", *groups]].assign(
        plan=plan, actual=sold, variance=sold - plan, attainment=_over(sold, plan)
    )
    to_date = pd.DataFrame({"plan": np.where(known, np.nan_to_num(plan), 0.0), "actual": np.nan_to_num(sold)})
    running = to_date.groupby([result[name] for name in groups], dropna=False).cumsum() if groups else to_date.cumsum()
    for name in ("plan", "actual"):
        lines[f"cumulative_{name}"] = np.where(known, running[name].to_numpy(), np.nan)
    lines["cumulative_attainment"] = _over(lines["cumulative_actual"], lines["cumulative_plan"])
    lines["status"] = status
    sums = result[["period", *groups]].assign(
        plan=np.nan_to_num(plan),
        plan_to_date=to_date["plan"].to_numpy(),
        actual=to_date["actual"].to_numpy(),
        unplanned=np.where(np.isnan(plan), to_date["actual"], 0.0),
    )
    total = _added(sums.assign(all="all"), ["all"]).rename_axis(None)
    return PlanAgainstActual(
        table=lines.set_index(["period", *groups]),
        by_period=_added(sums, ["period"]),
        by_group=_added(sums, groups) if groups else total,
        total=total,
    )


def _added(sums: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Add up over all but some keys, and judge the planned part."""
    columns = ["plan", "plan_to_date", "actual", "unplanned"]
    added = sums.groupby(keys, dropna=False, observed=True)[columns].sum()
    of_plan = added["actual"] - added["unplanned"]
    return added.assign(variance=of_plan - added["plan_to_date"], attainment=_over(of_plan, added["plan_to_date"]))


def _over(part: Any, whole: Any) -> npt.NDArray[np.float64]:
    """Divide, missing where there is no plan or a plan of 0."""
    above, below = np.asarray(part, dtype=np.float64), np.asarray(whole, dtype=np.float64)
    return np.asarray(np.divide(above, below, out=np.full(len(below), np.nan), where=below > 0), dtype=np.float64)
