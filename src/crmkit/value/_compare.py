"""Forecasts of lifetime models beside what happened and beside naive forecasts, on a holdout in time."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd
from sklearn.base import clone

from crmkit.core.checks import require_methods
from crmkit.core.errors import ConvergenceError, DataError, DataWarning
from crmkit.core.registry import create
from crmkit.metrics import mae, rmse
from crmkit.preparation import as_cutoff, calendar_days, purchase_summary, rfm_table, time_split
from crmkit.preparation.units import days_in
from crmkit.value._summary import Summary, read_summary

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from crmkit.value.protocols import LifetimeModel

__all__ = ["compare"]

RATE, MEAN = "naive: own rate", "naive: mean rate"


def compare(
    models: str | LifetimeModel | Iterable[str | LifetimeModel],
    transactions: Any,
    *,
    split: Any,
    until: Any = None,
    unit: str = "week",
    refunds: str = "net",
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
        Where the holdout begins: exclusive for what the models see.
    until : date, time, text of one, or None
        Where the holdout ends, exclusive as well; None for the day after the last row.
    unit : {"day", "week", "month"}, default="week"
        The unit the models are fitted in; it changes no forecast.
    refunds : {"net", "ignore", "match"}, default="net"
        As for ``preparation.purchase_summary``, on either side of the split.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``model``: ``n`` (customers), ``horizon`` (in units), ``actual`` and ``predicted`` (purchases of all
        customers), ``bias`` (predicted over actual, less 1), ``mae`` and ``rmse`` (purchases a customer). A model that
        could not be fitted has missing values, and a warning says why.

    Raises
    ------
    DataError
        If nothing lies before or after the split.

    Warns
    -----
    DataWarning
        If a model is worse than naive, or could not be fitted.

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
    known, later = time_split(transactions, split, until=until)
    if len(known) == 0 or len(later) == 0:
        side = "before" if len(known) == 0 else "after"
        raise DataError(f"split={split!r} leaves no rows {side} it")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        summary = purchase_summary(known, cutoff=split, unit=unit, refunds=refunds)
    for warning in told:
        # Told again from here, so that it points at the caller's line.
        warnings.warn(str(warning.message), warning.category, stacklevel=2)
    if len(summary) == 0:
        raise DataError(f"split={split!r} leaves no purchase before it")
    table = read_summary(summary, unit=unit)
    actual, horizon = _holdout(later, summary.index, split, until, unit, refunds)
    rows = {}
    for name, model in _named(models).items():
        try:
            rows[name] = model.fit(summary).predict(summary, horizon=horizon)["expected_purchases"].to_numpy()
        except ConvergenceError as error:
            warnings.warn(f"{name} could not be fitted before the split: {error}", DataWarning, stacklevel=2)
            rows[name] = np.full(len(actual), np.nan)
    naive = _naive(table, horizon)
    result = pd.DataFrame(
        {name: _judge(forecast, actual, horizon) for name, forecast in {**rows, **naive}.items()}
    ).T.rename_axis("model")
    result = result.astype({"n": "int64", "actual": "int64"})
    best = result.loc[list(naive), "rmse"].min()
    worse = [name for name in rows if result.loc[name, "rmse"] > best]
    if worse:
        warnings.warn(
            f"{', '.join(worse)} forecast this holdout worse than naive (RMSE above {best:.4g})",
            DataWarning,
            stacklevel=2,
        )
    return result


def _holdout(
    later: pd.DataFrame, customers: pd.Index, split: Any, until: Any, unit: str, refunds: str
) -> tuple[npt.NDArray[np.float64], float]:
    """Count each customer's purchase days after the split, and how long that was in units."""
    begin = as_cutoff(split).day
    end = as_cutoff(until).day if until is not None else int(calendar_days(later).max()) + 1
    with warnings.catch_warnings():
        # A customer who only got refunds in the holdout bought nothing in it, which is no surprise here.
        warnings.simplefilter("ignore", DataWarning)
        bought = rfm_table(later, cutoff=end, refunds=refunds)["frequency"]
    return bought.reindex(customers, fill_value=0).to_numpy(dtype=np.float64), (end - begin) / days_in(unit)


def _naive(table: Summary, horizon: float) -> dict[str, npt.NDArray[np.float64]]:
    """Forecast without a model; a customer of age 0 has shown no rate."""
    own = np.divide(table.x, table.T, out=np.zeros_like(table.x), where=table.T > 0) * horizon
    age = float(table.T.sum())
    mean = float(table.x.sum()) / age * horizon if age > 0 else 0.0
    return {RATE: own, MEAN: np.full(len(table.x), mean)}


def _named(models: str | LifetimeModel | Iterable[str | LifetimeModel]) -> dict[str, Any]:
    """Give unfitted models with a name each."""
    # A model's methods are looked for, never its type: anyone's model is one.
    alone = isinstance(models, str) or hasattr(models, "fit")
    listed = [models] if alone else list(cast("Iterable[Any]", models))
    named: dict[str, Any] = {}
    for model in listed:
        if isinstance(model, str):
            name, made = model, create("lifetime-model", model)
        else:
            require_methods(model, ["fit", "predict"], role="a lifetime model")
            name, made = getattr(model, "_title", type(model).__name__), clone(model)
        taken = sum(other == name or other.startswith(f"{name} (") for other in named)
        named[f"{name} ({taken + 1})" if taken else name] = made
    return named


def _judge(forecast: npt.NDArray[np.float64], actual: npt.NDArray[np.float64], horizon: float) -> dict[str, float]:
    """Measure one forecast."""
    total, known = float(actual.sum()), bool(np.isfinite(forecast).all())
    return {
        "n": len(actual),
        "horizon": horizon,
        "actual": total,
        "predicted": float(forecast.sum()),
        "bias": float(forecast.sum()) / total - 1 if total > 0 else np.nan,
        "mae": float(mae(actual, forecast)) if known else np.nan,
        "rmse": float(rmse(actual, forecast)) if known else np.nan,
    }
