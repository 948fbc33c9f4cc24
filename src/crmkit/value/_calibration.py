"""Forecast and fact by groups of customers, most of all tenths of them by what is forecast."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from crmkit.core.errors import DataError
from crmkit.value._arguments import check_level, check_whole_number
from crmkit.value._holdout import fit_each, forecast_each, hold_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from crmkit.value.protocols import LifetimeModel

__all__ = ["calibration", "calibration_error", "forecast_groups"]

_MANY = 7
"""Repeat purchases from which on customers are one group: the classic display ends with seven and more."""


def calibration(
    models: str | LifetimeModel | Iterable[str | LifetimeModel],
    transactions: Any,
    *,
    split: Any,
    until: Any = None,
    unit: str = "week",
    refunds: str = "net",
    period: str | None = None,
    covariates: Any = None,
    by: str = "forecast",
    n_groups: int = 10,
    level: float = 0.95,
) -> pd.DataFrame:
    """Compare mean forecast and mean fact within groups of customers, on a holdout in time.

    By ``"forecast"``, customers are put into groups of about the same size by what each model forecasts of them, equal
    forecasts together (so that there may be fewer groups): a model is calibrated where the forecast lies in the
    interval of the fact in all groups. By ``"repeats"``, they are grouped by their repeat purchases before the split,
    0 to 6 and 7 or more, the same for every model.

    Parameters
    ----------
    models, transactions, split, until, unit, refunds, period, covariates
        As for ``compare``. The naive forecasts are always there.
    by : {"forecast", "repeats"}, default="forecast"
        What makes the groups.
    n_groups : int, default=10
        How many, by forecast.
    level : float, default=0.95
        Coverage of the interval of the mean fact.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``model`` and ``group`` (1 is the least forecast; or the repeats as text): ``n`` (customers),
        ``predicted`` and ``actual`` (mean purchases a customer in the holdout), ``low`` and ``high`` of the latter by
        Student's t (where nobody of a group bought, ``high`` is the exact one of a Poisson count of 0); missing where a
        group has one customer.

    Raises
    ------
    DataError
        As ``compare`` does.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.value import calibration
    >>> rng = np.random.default_rng(0)
    >>> who = np.repeat(np.arange(60), 15)
    >>> bought = rng.random(900) < (who % 10) / 10
    >>> sales = pd.DataFrame({"customer_id": who.astype(str), "day": rng.integers(0, 365, 900), "amount": 1.0})[bought]
    >>> table = calibration("nbd", sales, split=240, n_groups=3)
    >>> table.loc["nbd"].round(1)  # doctest: +NORMALIZE_WHITESPACE
            n  predicted  actual  low  high
    group
    1      17        2.0     2.5  1.3   3.7
    2      16        2.5     2.2  1.7   2.8
    3      17        3.1     3.4  2.3   4.4
    """
    if by not in {"forecast", "repeats"}:
        raise DataError(f"by must be 'forecast' or 'repeats', got {by!r}")
    n_groups, level = check_whole_number("n_groups", n_groups, low=1), check_level(level)
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
    repeats = np.minimum(holdout.summary["repeats"].to_numpy(), _MANY)
    tables = {}
    for name, forecast in forecasts.items():
        if np.isfinite(forecast).all():
            groups = repeats if by == "repeats" else forecast_groups(forecast, n_groups) + 1
            tables[name] = _by_group(forecast, holdout.actual, groups, level)
    result = pd.concat(tables, names=["model", "group"])
    if by == "repeats":
        labels = [f"{_MANY}+" if group == _MANY else str(group) for group in result.index.get_level_values("group")]
        result.index = pd.MultiIndex.from_arrays(
            [result.index.get_level_values("model"), labels], names=["model", "group"]
        )
    return result


def forecast_groups(forecast: npt.NDArray[np.float64], n_groups: int) -> npt.NDArray[np.int64]:
    """Number customers by their forecast, least first, in groups of about the same size that split no ties.

    Parameters
    ----------
    forecast : ndarray of float, shape (n_customers,)
        Forecasts.
    n_groups : int
        The greatest number of groups.

    Returns
    -------
    ndarray of int, shape (n_customers,)
        From 0, without gaps.
    """
    _, code, counts = np.unique(forecast, return_inverse=True, return_counts=True)
    # A set of equal forecasts goes where its middle lies.
    middle = np.cumsum(counts) - counts / 2
    group = np.minimum((middle * n_groups / len(forecast)).astype(np.int64), n_groups - 1)
    return np.unique(group[code], return_inverse=True)[1].astype(np.int64)


def calibration_error(
    forecast: npt.NDArray[np.float64], actual: npt.NDArray[np.float64], groups: npt.NDArray[np.int64]
) -> float:
    """Give the mean distance of mean forecast and mean fact over groups, weighted by their size."""
    gap = np.bincount(groups, forecast - actual)
    return float(np.abs(gap).sum() / len(actual))


def _by_group(
    forecast: npt.NDArray[np.float64], actual: npt.NDArray[np.float64], groups: Any, level: float
) -> pd.DataFrame:
    """Give one row a group."""
    frame = pd.DataFrame({"group": groups, "predicted": forecast, "actual": actual})
    found = frame.groupby("group")
    table = found.agg(n=("actual", "size"), predicted=("predicted", "mean"), actual=("actual", "mean"))
    n = table["n"].to_numpy(dtype=np.float64)
    freedom = np.maximum(n - 1, 1)
    half = stdtrit(freedom, (1 + level) / 2) * found["actual"].std().to_numpy() / np.sqrt(n)
    # Where nobody bought the spread is 0, but the mean may be anything that a Poisson count of 0 does not exclude.
    high = np.where(table["actual"] > 0, table["actual"] + half, -np.log((1 - level) / 2) / n)
    low = np.maximum(table["actual"] - half, 0.0)
    return table.assign(low=np.where(n > 1, low, np.nan), high=np.where(n > 1, high, np.nan))
