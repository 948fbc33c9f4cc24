"""Forecasts sales from transactions, by group and period, with intervals, and says how well it did before."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core.errors import DataError
from crmkit.metrics._calendar import check_period
from crmkit.value.forecasting._customers import customers_beside
from crmkit.value.forecasting._projection import project
from crmkit.value.forecasting._rolling_origin import METHODS
from crmkit.value.forecasting._sales import sales_table
from crmkit.value.forecasting._settings import SEASONS, settings_of
from crmkit.value.forecasting._tables import forecast_of, told_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.value.forecasting._result import Forecast

__all__ = ["forecast"]

_RESERVED = frozenset(
    {"scope", "period", "method", "forecast", "value", "season", "chosen", "reason"}
    | {"n_origins", "n_forecasts", "mae", "rmse", "mase", "bias"}
)
_RESERVED_BEGINNINGS = ("low_", "high_", "coverage_")


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
    settings = settings_of(horizon, wanted, methods, levels, reconcile)
    sales = sales_table(
        transactions, by=columns, period=period, measure=measure, begin=begin, cutoff=cutoff, refunds=refunds
    )
    found = project(sales.values, sales.first, settings, total=bool(columns))
    notes = [*sales.notes, *told_of(found, settings)]
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
    return forecast_of(found, sales.groups, pd.Index(days), settings, customers, notes, (measure, period))


def _check_columns(columns: Sequence[str]) -> None:
    """Refuse group columns whose names the tables need."""
    taken = [name for name in columns if name in _RESERVED or str(name).startswith(_RESERVED_BEGINNINGS)]
    if taken:
        raise DataError(f"by cannot be {', '.join(map(repr, taken))}, which the forecast's own tables use: rename it")
    if len(set(columns)) < len(columns):
        raise DataError("by names a column twice")
