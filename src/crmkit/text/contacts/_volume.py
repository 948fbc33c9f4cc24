"""How many conversations there are, and how much work they are, by hour, weekday, month, channel and type."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.core.errors import DataError
from crmkit.metrics import mean
from crmkit.metrics._calendar import period_of, period_start
from crmkit.metrics._ratios import ratio_interval
from crmkit.text.contacts._grouping import read_groups
from crmkit.text.contacts._reading import as_instants, check_timezone
from crmkit.text.contacts._repeats import require_conversations

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["contact_volume"]

_CALENDAR = ("hour", "weekday", "day", "week", "month")
_RATES = ("contacts", "share", "days", "exposure", "rate", "low", "high")
_WORK = ("handling_n", "handling_seconds", "handling_low", "handling_high")
_MONDAY = 3
"""1970-01-01 was a Thursday, three days after a Monday."""
_QUARTER = 900_000_000
"""A quarter of an hour in microseconds: no zone's clock differs from another's by less."""


def contact_volume(
    conversations: pd.DataFrame,
    by: str | Sequence[str] = "hour",
    *,
    timezone: str = "UTC",
    first: str | None = None,
    until: str | None = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Count conversations by when they began and by what they are, with the work they made.

    ``rate`` is how many there are for each hour (where ``by`` has the hour) or day that there was of the kind, days
    without any contact included: the two o'clocks of a day on which clocks were put back are two hours, and one that
    was left out is none. Its interval is that of `crmkit.metrics.contact_rate`, over days.

    Parameters
    ----------
    conversations : pandas.DataFrame
        From `conversations`.
    by : str or sequence of str, default="hour"
        ``"hour"`` (0 to 23), ``"weekday"`` (0 is Monday), ``"day"``, ``"week"`` (its Monday) and ``"month"`` (its
        first day), all by local clocks, and any columns, such as ``"channel"`` and ``"type"``; several are crossed,
        such as ``["weekday", "hour"]``.
    timezone : str, default="UTC"
        Whose clocks.
    first, until : str, default=None
        The days that count, such as ``"2024-01-01"``, the second excluded; where None, from the day of the first
        conversation through that of the last.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``by``: ``contacts``, ``share`` (of all that count), ``days`` (on how many days there was such a
        time), ``exposure`` (hours or days), ``rate``, ``low``, ``high``; ``handling_n``, ``handling_seconds`` (mean),
        ``handling_low``, ``handling_high`` where durations are known. Calendar groups without a contact are there with
        0.

    Raises
    ------
    DataError
        If a column is missing, is named twice, or has the name of one of the result's; or there is no conversation.

    Notes
    -----
    Contacts in which a column of ``by`` is missing are a group of their own.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import contact_volume, conversations
    >>> table = pd.DataFrame({
    ...     "customer_id": ["a", "b", "c"], "channel": ["chat", "chat", "call"],
    ...     "time": pd.to_datetime(["2024-05-01 23:30", "2024-05-03 01:00", "2024-05-03 02:00"], utc=True)})
    >>> volume = contact_volume(conversations(table), "channel", timezone="Asia/Shanghai")
    >>> volume[["contacts", "days", "rate"]]  # doctest: +NORMALIZE_WHITESPACE
             contacts  days  rate
    channel
    call            1     2   0.5
    chat            2     2   1.0
    """
    table = require_conversations(conversations, ["start", "handling_seconds"])
    check_timezone(timezone)
    names = read_groups(by, [*_RATES, *_WORK])
    calendar = [name for name in names if name in _CALENDAR]
    others = [name for name in names if name not in _CALENDAR]
    if not names:
        raise DataError(f"by must name columns or {', '.join(_CALENDAR)}")
    require_columns(table, others, what="conversations", hint=f"or one of {', '.join(_CALENDAR)}")
    if not len(table):
        raise DataError("conversations has no row")
    day, hour = _local(as_instants(table["start"], "UTC", "conversations: start"), timezone)
    begin, end = _days(day, first, until)
    inside = (day >= begin) & (day < end)
    if not inside.any():
        raise DataError("no conversation began on the days that count")
    open_ = _exposure(begin, end, calendar, timezone)
    # Columns go by a number meanwhile, so that none is taken for one of the sums.
    keys = [name if name in _CALENDAR else f"by {place}" for place, name in enumerate(names)]
    counted = table.loc[inside, others].reset_index(drop=True).rename(columns=dict(zip(names, keys, strict=True)))
    counted = counted.assign(day_=day[inside], **_parts(day[inside], hour[inside], calendar))
    rates = _rates(counted, open_, keys, table["handling_seconds"].to_numpy(dtype=np.float64)[inside], level)
    return rates.rename_axis(index=names)


def _local(instants: npt.NDArray[np.int64], timezone: str) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the local day and hour of instants."""
    stamps = pd.DatetimeIndex(instants.view("datetime64[us]")).tz_localize("UTC").tz_convert(timezone)
    days = stamps.tz_localize(None).to_numpy(dtype="datetime64[D]").astype(np.int64)
    return days, np.asarray(stamps.hour, dtype=np.int64)


def _days(day: npt.NDArray[np.int64], first: str | None, until: str | None) -> tuple[int, int]:
    """Give the first day that counts and the first that no longer does."""
    ends = [int(day.min()), int(day.max()) + 1]
    for place, (name, given) in enumerate((("first", first), ("until", until))):
        if given is None:
            continue
        stamp = pd.to_datetime(given, errors="coerce")
        if not isinstance(stamp, pd.Timestamp) or stamp != stamp.normalize():
            raise DataError(f"{name} must be a day such as '2024-01-20', got {given!r}")
        ends[place] = int(np.datetime64(stamp.date(), "D").astype(np.int64))
    if ends[0] >= ends[1]:
        raise DataError("first must lie before until")
    return ends[0], ends[1]


def _parts(day: npt.NDArray[np.int64], hour: npt.NDArray[np.int64], calendar: list[str]) -> dict[str, Any]:
    """Give the parts of the calendar that were asked for."""
    made: dict[str, Any] = {
        "hour": lambda: hour,
        "weekday": lambda: (day + _MONDAY) % 7,
        "day": lambda: day.view("datetime64[D]").astype("datetime64[s]"),
        "week": lambda: period_start(period_of(day, "week"), "week").view("datetime64[D]").astype("datetime64[s]"),
        "month": lambda: period_start(period_of(day, "month"), "month").view("datetime64[D]").astype("datetime64[s]"),
    }
    return {name: made[name]() for name in calendar}


def _exposure(begin: int, end: int, calendar: list[str], timezone: str) -> pd.DataFrame:
    """Give for each local day and part of the calendar how long it was, in hours or days."""
    if "hour" not in calendar:
        day = np.arange(begin, end)
        return pd.DataFrame({"day_": day, **_parts(day, day, calendar), "open": 1.0})
    # A day too many at both ends: zones are up to fourteen hours away from UTC.
    ticks = np.arange((begin - 1) * 96, (end + 1) * 96, dtype=np.int64) * _QUARTER
    day, hour = _local(ticks, timezone)
    inside = (day >= begin) & (day < end)
    cells = pd.DataFrame({"day_": day[inside], "hour_": hour[inside]})
    cells = cells.groupby(["day_", "hour_"]).size().rename("open").reset_index()
    parts = _parts(cells["day_"].to_numpy(), cells["hour_"].to_numpy(), calendar)
    return pd.DataFrame({"day_": cells["day_"], **parts, "open": cells["open"] / 4})


def _rates(
    counted: pd.DataFrame, open_: pd.DataFrame, names: list[str], handling: npt.NDArray[np.float64], level: float
) -> pd.DataFrame:
    """Set the contacts of each group against its exposure."""
    calendar = [name for name in names if name in open_.columns]
    by_day = open_.groupby([*calendar, "day_"])["open"].sum().rename("open").reset_index()
    by_day = by_day.assign(square=by_day["open"] ** 2)
    whole = {"days": ("open", "size"), "exposure": ("open", "sum"), "exposure_squares": ("square", "sum")}
    base = by_day.groupby(calendar).agg(**whole).reset_index() if calendar else _all_days(by_day)
    daily = counted.groupby([*names, "day_"], dropna=False, observed=True).size().rename("n").reset_index()
    daily = daily.merge(by_day[[*calendar, "day_", "open"]], on=[*calendar, "day_"], how="left")
    daily = daily.assign(square=daily["n"] ** 2, crossed=daily["n"] * daily["open"])
    sums = daily.groupby(names, dropna=False, observed=True).agg(
        contacts=("n", "sum"), squares=("square", "sum"), crossed=("crossed", "sum")
    )
    merged = _with_exposure(sums.reset_index(), base, calendar, names)
    rate, low, high = ratio_interval(
        merged["days"],
        merged["contacts"],
        merged["exposure"],
        (merged["squares"], merged["crossed"], merged["exposure_squares"]),
        level=level,
    )
    result = merged.assign(share=merged["contacts"] / len(counted), rate=rate, low=low, high=high)
    result = result.set_index(names)[[*_RATES]].sort_index()
    work = _handling(counted[names].assign(seconds=handling).dropna(subset=["seconds"]), names, level)
    result = result.join(work) if len(work) else result.assign(**dict.fromkeys(work.columns, np.nan))
    return result.fillna({"handling_n": 0}).astype({"handling_n": np.int64})


def _all_days(by_day: pd.DataFrame) -> pd.DataFrame:
    """Give the exposure of all days together."""
    return pd.DataFrame(
        {"days": [len(by_day)], "exposure": [by_day["open"].sum()], "exposure_squares": [by_day["square"].sum()]}
    )


def _with_exposure(sums: pd.DataFrame, base: pd.DataFrame, calendar: list[str], names: list[str]) -> pd.DataFrame:
    """Set groups and exposure side by side; parts of the calendar without a contact count 0."""
    if not calendar:
        return sums.merge(base, how="cross")
    others = [name for name in names if name not in calendar]
    frame = base
    if others:
        frame = base.merge(sums[others].drop_duplicates(), how="cross")
    merged = frame.merge(sums, on=names, how="left")
    return merged.fillna({"contacts": 0, "squares": 0, "crossed": 0}).astype({"contacts": np.int64})


def _handling(work: pd.DataFrame, names: list[str], level: float) -> pd.DataFrame:
    """Give the mean handling time of each group."""
    keys: list[Any] = []
    rows: list[list[float]] = []
    for key, group in work.groupby(names, dropna=False, observed=True):
        made = mean(group["seconds"].to_numpy(), level=level)
        keys.append(key if len(names) > 1 else key[0])
        rows.append([made.n, made.value, made.low, made.high])
    if not keys:
        return pd.DataFrame(columns=[*_WORK])
    index = pd.MultiIndex.from_tuples(keys, names=names) if len(names) > 1 else pd.Index(keys, name=names[0])
    return pd.DataFrame(rows, columns=[*_WORK], index=index)
