"""Forecasts of lifetime models beside what happened and beside naive forecasts, on a holdout in time."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from crmkit.core.errors import DataWarning
from crmkit.metrics import mae, rmse
from crmkit.value._arguments import check_level
from crmkit.value._calibration import calibration_error, forecast_groups
from crmkit.value._holdout import MEAN, RATE, fit_each, forecast_each, hold_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from crmkit.value.protocols import LifetimeModel

__all__ = ["compare"]


def compare(
    models: str | LifetimeModel | Iterable[str | LifetimeModel],
    transactions: Any,
    *,
    split: Any,
    until: Any = None,
    unit: str = "week",
    refunds: str = "net",
    period: str | None = None,
    covariates: Any = None,
    level: float = 0.95,
) -> pd.DataFrame:
    """Fit models on what was known at a moment and judge their forecasts by what came after it.

    Customers who bought before ``split`` are forecast to the end of the table, and the forecast is compared with the
    days on which they bought. Two naive forecasts always stand in the table: each customer goes on at their own rate
    (repeats times horizon over age), and everyone buys at the mean rate of all. A model that is worse than the better
    of these by RMSE is told of in a warning: RMSE, because models forecast means, and MAE rewards forecasting nothing.

    Parameters
    ----------
    models : str, lifetime model, or several of them
        Names of plugins of kind lifetime-model, or instances, which are cloned and stay unfitted.
    transactions : table
        As for ``preparation.purchase_summary``.
    split : date, time or text of one
        Where the holdout begins: exclusive for what the models see. Where it is a moment within a day, the rest of that
        day counts on neither side.
    until : date, time, text of one, or None
        Where the holdout ends, exclusive as well; None for the day after the last row.
    unit : {"day", "week", "month", "quarter", "year"}, default="week"
        The unit the models are fitted in; it changes no forecast.
    refunds : {"net", "ignore", "match"}, default="net"
        As for ``preparation.purchase_summary``, on either side of the split.
    period : {"day", "week", "month", "quarter", "year"} or None, default=None
        Count calendar periods with a purchase instead of purchase days, naive forecasts included: for models of
        discrete opportunities such as ``bg-bb``, and for these only. ``split`` and ``until`` must then be first days of
        periods, and ``unit`` is not used.
    covariates : table or None, default=None
        One row a customer, for models that read more than the summary: put beside it by ``customer_id``.
    level : float, default=0.95
        Coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``model``: ``n`` (customers), ``horizon`` (in units, or periods), ``actual`` and ``predicted``
        (purchases of all customers), ``bias`` (predicted over actual, less 1), ``mae`` and ``rmse`` (purchases a
        customer), ``calibration`` (the mean distance of forecast and fact over ten groups of customers by forecast,
        purchases a customer; the function ``calibration`` gives the groups), then ``<figure>_low`` and
        ``<figure>_high`` of bias, mae and rmse: what they might have been with other customers of the same kind. A
        model that could not be fitted has missing values, and a warning says why.

    Raises
    ------
    DataError
        If nothing lies before or after the split, or a model's answer is no forecast.

    Warns
    -----
    DataWarning
        If a model is worse than naive, or could not be fitted.

    See Also
    --------
    calibration : Forecast and fact by groups of customers.
    tracking : Forecast and fact week by week.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.value import compare
    >>> rng = np.random.default_rng(0)
    >>> who = np.repeat(np.arange(60), 15)
    >>> bought = rng.random(900) < (who % 10) / 10
    >>> sales = pd.DataFrame({"customer_id": who.astype(str), "day": rng.integers(0, 365, 900), "amount": 1.0})[bought]
    >>> compare("nbd", sales, split=240).reset_index()[["model", "n", "actual"]]
                  model   n  actual
    0               nbd  50     135
    1   naive: own rate  50     135
    2  naive: mean rate  50     135
    """
    level = check_level(level)
    holdout = hold_out(
        transactions,
        split=split,
        until=until,
        unit=unit,
        refunds=refunds,
        period=period,
        covariates=covariates,
        stacklevel=3,
    )
    forecasts = forecast_each(fit_each(models, holdout, stacklevel=3), holdout)
    rows = {
        name: {"n": len(forecast), "horizon": holdout.horizon, **_judge(forecast, holdout.actual, level)}
        for name, forecast in forecasts.items()
    }
    result = pd.DataFrame(rows).T.rename_axis("model").astype({"n": "int64", "actual": "int64"})
    best = result.loc[[RATE, MEAN], "rmse"].min()
    worse = [name for name in result.index if name not in {RATE, MEAN} and result.loc[name, "rmse"] > best]
    if worse:
        warnings.warn(
            f"{', '.join(worse)} forecast this holdout worse than naive (RMSE above {best:.4g})",
            DataWarning,
            stacklevel=2,
        )
    return result


def _judge(forecast: npt.NDArray[np.float64], actual: npt.NDArray[np.float64], level: float) -> dict[str, float]:
    """Measure one forecast."""
    total = float(actual.sum())
    figures = {"actual": total, "predicted": float(forecast.sum())}
    if not np.isfinite(forecast).all():
        names = ["bias", "mae", "rmse", "calibration"]
        return {**figures, **dict.fromkeys([*names, *_limits(["bias", "mae", "rmse"])], np.nan)}
    ratio, half = _ratio(forecast, actual, level)
    absolute, squared = mae(actual, forecast, level=level), rmse(actual, forecast, level=level)
    ends = [ratio - 1 - half, ratio - 1 + half, absolute.low, absolute.high, squared.low, squared.high]
    return {
        **figures,
        "bias": ratio - 1,
        "mae": float(absolute),
        "rmse": float(squared),
        "calibration": calibration_error(forecast, actual, forecast_groups(forecast, 10)),
        **dict(zip(_limits(["bias", "mae", "rmse"]), ends, strict=True)),
    }


def _limits(names: list[str]) -> list[str]:
    """Name the two ends of the intervals."""
    return [f"{name}_{end}" for name in names for end in ("low", "high")]


def _ratio(forecast: npt.NDArray[np.float64], actual: npt.NDArray[np.float64], level: float) -> tuple[float, float]:
    """Give forecast over fact, and half its interval, as a ratio of sums over customers."""
    total = float(actual.sum())
    if total == 0:
        return np.nan, np.nan
    ratio = float(forecast.sum()) / total
    residual = forecast - ratio * actual
    return ratio, float(norm.ppf((1 + level) / 2) * np.sqrt(residual @ residual) / total)
