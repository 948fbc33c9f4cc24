"""Forecasts sales from transactions, by group and period, with intervals, and says how well it did before."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.value.forecasting._calendar import SEASONS, check_period
from crmkit.value.forecasting._customers import customers_beside
from crmkit.value.forecasting._evaluation import SUM, evaluation_of, no_better_than_naive
from crmkit.value.forecasting._projection import Projection, Settings, project
from crmkit.value.forecasting._reconcile import RECONCILE
from crmkit.value.forecasting._result import Forecast
from crmkit.value.forecasting._rolling_origin import METHODS, NAIVE, SMOOTHED_FROM
from crmkit.value.forecasting._sales import sales_table

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["forecast", "forecast_series"]

_RESERVED = {"scope", "period", "method", "forecast", "value", "season", "chosen", "reason"}


def forecast(
    transactions: Any,
    *,
    by: str | Sequence[str] | None = None,
    period: str = "month",
    horizon: int,
    measure: str = "amount",
    begin: Any = None,
    cutoff: Any = None,
    season: int | None = None,
    methods: Sequence[str] = tuple(METHODS),
    levels: Sequence[float] = (0.80, 0.95),
    refunds: str = "net",
    reconcile: str = "combined",
    customer_model: Any = "bg-nbd",
    spend_model: Any = "gamma-gamma",
) -> Forecast:
    """Forecast sales by group and calendar period.

    Transactions are added up by group and period. Three methods forecast each group and the total: the seasonal naive
    (what was sold a season ago), a trend with season by least squares, and exponential smoothing. The origin is rolled
    over the history, each method forecasts from the periods before it alone, and the one with the least squared error
    is chosen for each series; the seasonal naive stands beside it in ``evaluation``. The groups are made to add up to
    the total, and the intervals come from the errors that forecasts made in this very way had from earlier origins.

    Use it for what goes on as before: it knows no prices, campaigns or holidays that move. The intervals assume that
    the errors of the future are like those of the past. It takes about a CPU second for 1,000 groups of 100 months.

    Parameters
    ----------
    transactions : table
        As for ``preparation.rfm_table``.
    by : str, sequence of str, or None
        Columns whose combinations are the groups; a missing value is a group of its own. None for the total alone. A
        group begins with its first sale.
    period : {"day", "week", "month", "quarter", "year"}, default="month"
        Of the local calendar; weeks begin on Monday. Periods without sales are 0. Periods that are not complete, at
        the beginning and at the end, are left out, which ``notes`` says.
    horizon : int
        Periods to forecast, from the end of the last complete one.
    measure : {"amount", "purchases", "customers"}, default="amount"
        Money, purchase days (all purchases of a customer on one day in one group are one), or customers who bought.
    begin : date, text of one, or None
        From when on the table is complete; None for the day of the first row.
    cutoff : date, time, text of one, or None
        Exclusive; None for the day after the last row.
    season : int or None
        Periods a season, 1 for none; None for 7 days, 52 weeks, 12 months or 4 quarters. A series shorter than two
        seasons is forecast without one, with a warning.
    methods : sequence of str
        Of ``"seasonal-naive"``, ``"trend-season"``, ``"exponential-smoothing"``; the first always takes part.
    levels : sequence of float, default=(0.80, 0.95)
        Nominal coverages of the intervals.
    refunds : {"net", "ignore", "match"}, default="net"
        ``"net"``: a refund counts against the period in which it was made, and is never a purchase. ``"ignore"``: it
        is as if it were not there. ``"match"``: it undoes the purchase it belongs to, in the period of that purchase.
    reconcile : {"combined", "bottom-up"}, default="combined"
        How groups and total are made to add up: the mean of the groups' sum and of the total's own forecast that erred
        least, spread over the groups; or the groups' sum as it is.
    customer_model : str, lifetime model or None, default="bg-nbd"
        Whose expectation of the present customers stands beside the total; None for none. Not for customers.
    spend_model : str or spend model, default="gamma-gamma"
        Multiplied with it where money is forecast.

    Returns
    -------
    Forecast
        ``table``, ``evaluation``, ``history``, ``customers``, ``notes``.

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used, no period is complete, or a parameter is out of range.

    Warns
    -----
    DataWarning
        If no method is better than the seasonal naive for a series, series are too short for the season or for more
        than the seasonal naive, or the customer models could not be fitted.

    See Also
    --------
    forecast_series : The same for series that are already a table.

    References
    ----------
    Hyndman, R. J. and Koehler, A. B. (2006), Another look at measures of forecast accuracy,
    doi:10.1016/j.ijforecast.2006.03.001.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.value import forecast
    >>> rng = np.random.default_rng(0)
    >>> day = np.arange(18_262, 18_262 + 1_096)  # the years 2020 to 2022
    >>> amount = 100 + 40 * np.sin(2 * np.pi * day / 365.25) + rng.normal(0, 10, len(day))
    >>> sales = pd.DataFrame({"customer_id": "a", "day": day, "amount": amount})
    >>> found = forecast(sales, period="month", horizon=2, customer_model=None)
    >>> found.total.set_index("period")[["forecast", "low_80", "high_80"]].round(-1)  # doctest: +NORMALIZE_WHITESPACE
                forecast  low_80  high_80
    period
    2023-01-01    3370.0  3310.0   3420.0
    2023-02-01    3680.0  3540.0   3810.0
    """
    check_period(period)
    columns = [by] if isinstance(by, str) else list(by or [])
    _check_columns(columns)
    wanted = SEASONS[period] if season is None else season
    settings = _settings(horizon, wanted, methods, levels, reconcile)
    sales = sales_table(
        transactions, by=columns, period=period, measure=measure, begin=begin, cutoff=cutoff, refunds=refunds
    )
    found = project(sales.values, sales.first, settings, total=bool(columns))
    notes = [*sales.notes, *_warn(found, settings)]
    days = sales.starts(settings.horizon).astype("datetime64[D]").astype("datetime64[us]")
    customers = None
    if customer_model is not None and measure != "customers":
        customers, told = customers_beside(
            transactions,
            sales,
            settings,
            measure=measure,
            customer_model=customer_model,
            spend_model=spend_model,
            refunds=refunds,
        )
        notes += told
        if customers is not None:
            whole = found if found.total is None else found.total
            customers["forecast"] = whole.forecast[0] * whole.scale
    return _result(found, sales.groups, pd.Index(days), settings, customers, notes, (measure, period))


def forecast_series(
    series: Any,
    *,
    horizon: int,
    season: int = 1,
    methods: Sequence[str] = tuple(METHODS),
    levels: Sequence[float] = (0.80, 0.95),
    total: bool = False,
    reconcile: str = "combined",
) -> Forecast:
    """Forecast series that are already a regular table.

    Parameters
    ----------
    series : Series, DataFrame or array-like of float
        One series, or a column each; rows are consecutive periods. Missing values before a series begins are allowed,
        elsewhere not. Where the index is of periods, or of times at a regular distance, it is carried on; else the
        places are counted from 0.
    horizon : int
        Periods to forecast.
    season : int, default=1
        Periods a season; 1 for none.
    methods : sequence of str
        As for ``forecast``.
    levels : sequence of float, default=(0.80, 0.95)
        Nominal coverages of the intervals.
    total : bool, default=False
        Whether the series add up to something: then their total is forecast too, and they are made to add up to it.
    reconcile : {"combined", "bottom-up"}, default="combined"
        As for ``forecast``.

    Returns
    -------
    Forecast
        With the group column ``series``: the name of each column.

    Raises
    ------
    DataError
        If the table is empty or holds what is no finite number, naming positions.

    Warns
    -----
    DataWarning
        As for ``forecast``.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import forecast_series
    >>> level = pd.Series([20.0, 22.0, 21.0, 19.0, 20.0, 23.0, 21.0, 18.0, 20.0, 21.0, 19.0, 22.0, 20.0, 21.0])
    >>> forecast_series(level, horizon=2).table[["period", "method", "forecast"]].round(1)
       period                 method  forecast
    0      14  exponential-smoothing      20.5
    1      15  exponential-smoothing      20.5
    """
    frame = _wide(series)
    settings = _settings(horizon, season, methods, levels, reconcile)
    values = frame.to_numpy(dtype=np.float64).T
    known = np.isfinite(values)
    first = np.argmax(known, axis=1)
    gap = (~known & (np.arange(values.shape[1]) >= first[:, None])) | ~known.any(axis=1, keepdims=True)
    if gap.any():
        raise DataError(f"series: a value after the beginning is missing or infinite in {positions(gap.any(axis=0))}")
    found = project(np.where(known, values, 0.0), first.astype(np.intp), settings, total=total)
    notes = _warn(found, settings)
    groups = pd.DataFrame({"series": frame.columns})
    index = _carried_on(frame.index, settings.horizon)
    return _result(found, groups, index, settings, None, notes, ("series", "step"))


def _check_columns(columns: Sequence[str]) -> None:
    """Refuse group columns whose names the tables need."""
    taken = sorted(_RESERVED & set(columns))
    if taken:
        raise DataError(f"by cannot be {', '.join(map(repr, taken))}, which the forecast's own tables use: rename it")
    if len(set(columns)) < len(columns):
        raise DataError("by names a column twice")


def _settings(horizon: int, season: int, methods: Sequence[str], levels: Sequence[float], reconcile: str) -> Settings:
    """Check what is asked for."""
    for name, value in (("horizon", horizon), ("season", season)):
        if isinstance(value, bool) or not isinstance(value, int | np.integer) or value < 1:
            raise DataError(f"{name} must be a whole number of at least 1, got {value!r}")
    listed = [methods] if isinstance(methods, str) else list(methods)
    unknown = [name for name in listed if name not in METHODS]
    if unknown:
        raise DataError(f"methods must be of {', '.join(map(repr, METHODS))}, got {', '.join(map(repr, unknown))}")
    if reconcile not in RECONCILE:
        raise DataError(f"reconcile must be one of {', '.join(map(repr, RECONCILE))}, got {reconcile!r}")
    if not len(levels) or any(not 0 < level < 1 for level in levels):
        raise DataError(f"levels must lie between 0 and 1, such as (0.80, 0.95), got {tuple(levels)!r}")
    used = (NAIVE, *(name for name in METHODS if name in listed and name != NAIVE))
    return Settings(int(horizon), int(season), used, tuple(float(level) for level in levels), reconcile)


def _wide(series: Any) -> pd.DataFrame:
    """Bring series to a frame of floats."""
    if isinstance(series, pd.Series):
        frame = series.to_frame("series" if series.name is None else series.name)
    elif isinstance(series, pd.DataFrame):
        frame = series
    else:
        array = np.asarray(series)
        frame = pd.DataFrame(array if array.ndim == 2 else array.reshape(-1, 1))
        frame.columns = ["series"] if array.ndim == 1 else [str(place) for place in range(frame.shape[1])]
    if not len(frame) or not frame.shape[1]:
        raise DataError("series is empty: there is no history to forecast from")
    odd = [str(name) for name, kind in frame.dtypes.items() if not pd.api.types.is_numeric_dtype(kind)]
    if odd:
        raise DataError(f"series must hold numbers; these columns do not: {', '.join(odd)}")
    return frame.astype("float64")


def _carried_on(index: pd.Index, horizon: int) -> pd.Index:
    """Carry an index on; places where it says nothing regular."""
    if isinstance(index, pd.PeriodIndex):
        return index.append(pd.period_range(index[-1] + 1, periods=horizon, freq=index.freq))
    if isinstance(index, pd.DatetimeIndex) and len(index) > 2:
        rule = index.freq or pd.infer_freq(index)
        if rule is not None:
            return index.append(pd.date_range(index[-1], periods=horizon + 1, freq=rule)[1:])
    return pd.RangeIndex(len(index) + horizon)


def _warn(found: Projection, settings: Settings) -> list[str]:
    """Tell what the caller should know of the series; give the same as notes."""
    parts = [found] if found.total is None else [found, found.total]
    season, tried, level, blind = (
        np.concatenate(each)
        for each in zip(
            *(
                (
                    part.rolling.season < settings.season,
                    part.rolling.tried.sum(axis=0) < len(settings.methods),
                    no_better_than_naive(part),
                    ~np.isfinite(part.low).all(axis=(0, 2)),
                )
                for part in parts
            ),
            strict=True,
        )
    )
    told = {
        f"shorter than two seasons of {settings.season} periods: forecast without a season": season,
        f"shorter than {SMOOTHED_FROM} periods: forecast by the seasonal naive alone": tried,
        "only one period long: no error can be measured, so there is no interval": blind,
        "forecast by the seasonal naive, because no other method erred less": level,
    }
    notes = [f"{int(of.sum()):,} of {len(of):,} series {what}" for what, of in told.items() if of.any()]
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=3)
    return notes


def _result(
    found: Projection,
    groups: pd.DataFrame,
    index: pd.Index,
    settings: Settings,
    customers: pd.DataFrame | None,
    notes: Sequence[str],
    said: tuple[str, str],
) -> Forecast:
    """Put the tables together."""
    scope = "group" if groups.shape[1] else "total"
    parts = [(found, groups, scope)]
    if found.total is not None:
        parts.append((found.total, pd.DataFrame(index=pd.RangeIndex(1)), "total"))
    n_periods = found.values.shape[1]
    table = _stacked([_ahead(part, own, index[n_periods:], settings, name) for part, own, name in parts])
    history = _stacked([_past(part, own, index[:n_periods], name) for part, own, name in parts])
    evaluation = _stacked([evaluation_of(part, own, settings.levels, scope=name) for part, own, name in parts])
    order = [*groups.columns]
    return Forecast(
        table[["scope", *order, *[name for name in table.columns if name not in {"scope", *order}]]],
        evaluation[["scope", *order, *[name for name in evaluation.columns if name not in {"scope", *order}]]],
        history[["scope", *order, "period", "value"]],
        customers,
        tuple(notes),
        *said,
        settings.levels,
    )


def _stacked(frames: list[pd.DataFrame]) -> pd.DataFrame:
    """Put the total's rows under the groups'."""
    if len(frames) == 1:
        return frames[0]
    groups, whole = frames
    for column in groups.columns.difference(whole.columns):
        # A missing value of the groups' own type, so that stacking changes no type.
        whole[column] = (
            groups[column].iloc[[0] * len(whole)].reset_index(drop=True).where(pd.Series(False, whole.index))
        )
    return pd.concat([groups, whole[groups.columns]], ignore_index=True)


def _ahead(part: Projection, groups: pd.DataFrame, index: pd.Index, settings: Settings, scope: str) -> pd.DataFrame:
    """Give the rows of the forecast."""
    n_series, horizon = part.forecast.shape
    of = np.repeat(np.arange(n_series), horizon)
    columns: dict[str, Any] = {"scope": np.full(len(of), scope)}
    columns.update({name: groups[name].iloc[of].reset_index(drop=True) for name in groups.columns})
    columns["period"] = index[np.tile(np.arange(horizon), n_series)]
    names = np.array(part.rolling.names, dtype=object)[part.rolling.chosen]
    columns["method"] = np.full(len(of), SUM) if part.summed_errors is not None else names[of]
    columns["forecast"] = (part.forecast * part.scale).reshape(-1)
    for place, level in enumerate(settings.levels):
        columns[f"low_{100 * level:g}"] = (part.low[place] * part.scale).reshape(-1)
        columns[f"high_{100 * level:g}"] = (part.high[place] * part.scale).reshape(-1)
    return pd.DataFrame(columns)


def _past(part: Projection, groups: pd.DataFrame, index: pd.Index, scope: str) -> pd.DataFrame:
    """Give the rows of the history, each series from its beginning."""
    n_series, n_periods = part.values.shape
    row, column = np.nonzero(np.arange(n_periods) >= part.first[:n_series, None])
    columns: dict[str, Any] = {"scope": np.full(len(row), scope)}
    columns.update({name: groups[name].iloc[row].reset_index(drop=True) for name in groups.columns})
    columns["period"] = index[column]
    columns["value"] = part.values[row, column] * part.scale
    return pd.DataFrame(columns)
