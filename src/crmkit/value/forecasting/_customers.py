"""What customer models expect of the present customers in the same periods, and newcomers beside them."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone

from crmkit.core.checks import require_methods
from crmkit.core.errors import CrmkitError, DataWarning
from crmkit.core.registry import create
from crmkit.metrics._calendar import period_of
from crmkit.preparation import purchase_summary
from crmkit.preparation._purchases import purchase_days
from crmkit.preparation.units import age_column, days_in, last_purchase_column
from crmkit.value.forecasting._projection import project

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.value.forecasting._sales import Sales
    from crmkit.value.forecasting._settings import Settings

    Floats = npt.NDArray[np.float64]

__all__ = ["customers_beside"]

_UNIT = "week"


def customers_beside(
    transactions: Any,
    sales: Sales,
    settings: Settings,
    *,
    measure: str,
    customer_model: Any,
    spend_model: Any,
    refunds: str,
) -> tuple[pd.DataFrame | None, tuple[str, ...]]:
    """Add the expectations of customer models up over customers, period by period.

    Parameters
    ----------
    transactions : table
        As for ``preparation.purchase_summary``.
    sales : Sales
        The history that was forecast from: customers are taken as they stood at its end.
    settings : Settings
        Those of the forecast; newcomers are forecast by the same methods.
    measure : {"amount", "purchases"}
        What is forecast.
    customer_model, spend_model : str or model
        As for ``forecast``.
    refunds : {"net", "ignore", "match"}
        As for ``preparation.purchase_summary``.

    Returns
    -------
    table : pandas.DataFrame or None
        A row a period: ``present``, ``newcomers``, ``together``; None where a model cannot be fitted.
    notes : tuple of str
        What to know of it.
    """
    ends = sales.starts(settings.horizon + 1)[sales.values.shape[1] :]
    today, until = int(ends[0]), ends[1:]
    model, spend = _made("lifetime-model", customer_model), _made("spend-model", spend_model)
    notes = []
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        failure, expected = "", None
        try:
            expected = _present(transactions, today, until, model, spend, measure, refunds)
        except CrmkitError as error:
            failure = f"the customer models' total is not given: {error}"
    notes += [f"customer models: {one.message}" for one in told if issubclass(one.category, DataWarning)]
    if expected is None:
        warnings.warn(failure, DataWarning, stacklevel=3)
        return None, (*notes, failure)
    present, repeated, each = expected
    newcomers = np.full(len(until), np.nan)
    if repeated is not None:
        arrivals = _arrivals(transactions, sales, settings, today, refunds)
        newcomers = each * _bought_by_newcomers(arrivals, repeated)
    start = ends[:-1].astype("datetime64[D]").astype("datetime64[us]")
    table = pd.DataFrame({"period": start, "present": present, "newcomers": newcomers, "together": present + newcomers})
    return table, tuple(notes)


def _made(kind: str, model: Any) -> Any:
    """Give an unfitted model."""
    if isinstance(model, str):
        return create(kind, model)
    require_methods(model, ["fit", "predict"], role=f"a {kind.replace('-', ' ')}")
    return clone(model)


def _present(
    transactions: Any,
    today: int,
    until: npt.NDArray[np.int64],
    model: Any,
    spend: Any,
    measure: str,
    refunds: str,
) -> tuple[Floats, Floats | None, float]:
    """Forecast the customers of today; say too how often a new one comes again, and what they spend a purchase."""
    summary = purchase_summary(transactions, cutoff=today, unit=_UNIT, refunds=refunds)
    model.fit(summary)
    ahead = (until - today) / days_in(_UNIT)
    value, each = np.ones(len(summary)), 1.0
    if measure == "amount":
        spend.fit(summary)
        value = spend.predict(summary)["expected_spend"].to_numpy(dtype=np.float64)
        each = float(spend.predict(_unknown())["expected_spend"].iloc[0])
    grown = [float(value @ model.predict(summary, horizon=float(t))["expected_purchases"].to_numpy()) for t in ahead]
    present = np.asarray(np.diff(np.array([0.0, *grown])))
    if not callable(getattr(model, "expected_count", None)):
        return present, None, each
    # Newcomers arrive in the middle of their period on average; ages at the ends of the periods after that.
    length = np.diff(np.concatenate([[0.0], ahead]))
    age = ahead - length[0] / 2
    return present, np.asarray(model.expected_count(np.maximum(age, 0.0)), dtype=np.float64), each


def _unknown() -> pd.DataFrame:
    """Give the summary of a customer of whom nothing is known but that they came."""
    row = {"repeats": [0], last_purchase_column(_UNIT): [0.0], age_column(_UNIT): [0.0], "repeat_spend": [0.0]}
    return pd.DataFrame(row, index=pd.Index(["new"], name="customer_id"))


def _arrivals(transactions: Any, sales: Sales, settings: Settings, today: int, refunds: str) -> Floats:
    """Forecast how many customers buy for the first time in each period to come."""
    with warnings.catch_warnings():
        # What is left out here was told of when the summary was made.
        warnings.simplefilter("ignore", DataWarning)
        purchases = purchase_days(transactions, cutoff=today, refunds=refunds)
    number = period_of(purchases.day[purchases.first], sales.period) - sales.begin
    n_periods = sales.values.shape[1]
    count = np.bincount(number[number >= 0], minlength=n_periods)[:n_periods].astype(np.float64)
    found = project(count[None], np.zeros(1, dtype=np.intp), settings, total=False)
    return np.asarray(found.forecast[0] * found.scale)


def _bought_by_newcomers(arrivals: Floats, repeated: Floats) -> Floats:
    """Give the purchases of newcomers in each period: the first one, and those that follow it."""
    later = np.diff(np.concatenate([[0.0], repeated]))
    return np.asarray(arrivals + np.convolve(arrivals, later)[: len(arrivals)])
