"""What each customer is worth over a horizon: discounted expected purchases times expected spend times margin."""

from __future__ import annotations

from math import inf, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.preparation.units import DAYS_PER_YEAR, days_in
from crmkit.value._base import LikelihoodModel
from crmkit.value._delta import log_error, log_interval
from crmkit.value._discount import schedule
from crmkit.value._gamma_gamma import GammaGamma
from crmkit.value._summary import read_summary

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.value.protocols import LifetimeModel, SpendModel

__all__ = ["lifetime_value"]


def lifetime_value(
    model: LifetimeModel,
    spend: SpendModel,
    summary: Any,
    *,
    horizon: float,
    margin: float,
    annual_discount_rate: float = 0.10,
    level: float = 0.95,
) -> pd.DataFrame:
    """Give each customer's expected margin from purchases after the cutoff, discounted to it.

    The expected purchases of each period (each week for a model in weeks) are discounted from the period's end,
    multiplied by the expected spend and the margin, and added up. Purchases so far do not count.

    The interval is for the expected value, by the delta method: it holds the error of the parameters of both models,
    taken as independent. It does not say how much one customer will differ from what is expected of customers like
    them, which is far more. Models that give no ``covariance_`` are taken as known; where neither model gives one,
    ``low`` and ``high`` are missing.

    Parameters
    ----------
    model : lifetime model
        Fitted, with ``predict(summary, horizon)``.
    spend : spend model
        Fitted, with ``predict(summary)``.
    summary : table
        Made by ``preparation.purchase_summary`` in the model's unit.
    horizon : float
        How far to look, in the model's unit: 52 for a year of a model in weeks. A part of a period is discounted from
        its own end. ``math.inf`` looks without end, which a positive ``annual_discount_rate`` makes finite.
    margin : float
        Share of spend that is earned, such as 0.3, at most 1. There is no default: revenue is not value.
    annual_discount_rate : float, default=0.10
        What money a year later is worth less: 0.10 divides it by 1.10. Must be greater than -1; 0 discounts nothing.
    level : float, default=0.95
        Coverage of the interval.

    Returns
    -------
    pandas.DataFrame
        Indexed like ``summary`` (by ``customer_id``): ``p_alive``, ``lifetime_value``, ``low``, ``high``, the last
        three in the currency of the table.

    Raises
    ------
    DataError
        If a number is out of range, or the table is not one the models read.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import MeanSpend, NBD, lifetime_value
    >>> summary = pd.DataFrame(
    ...     {
    ...         "repeats": [0, 0, 1, 6],
    ...         "last_purchase_weeks": [0.0, 0.0, 4.0, 25.0],
    ...         "age_weeks": [30.0] * 4,
    ...         "repeat_spend": [0.0, 0.0, 10.0, 20.0],
    ...     },
    ...     index=pd.Index(["a", "b", "c", "d"], name="customer_id"),
    ... )
    >>> model, spend = NBD().fit(summary), MeanSpend().fit(summary)
    >>> lifetime_value(model, spend, summary, horizon=52, margin=0.3)["lifetime_value"].round(1).tolist()
    [3.1, 3.1, 5.7, 51.3]
    """
    require_methods(model, ["predict"], role="a lifetime model")
    require_methods(spend, ["predict"], role="a spend model")
    if horizon != inf:
        _check_range("horizon", horizon, low=0.0)
    _check_range("margin", margin, low=0.0)
    if margin > 1:
        raise DataError(f"margin is a share of spend such as 0.3, got {margin:g}")
    _check_range("annual_discount_rate", annual_discount_rate, low=-1.0, closed=False)
    unit = getattr(model, "unit_", None) or read_summary(summary, unit=getattr(model, "unit", None)).unit
    now = model.predict(summary, horizon=0.0)
    purchases, purchase_error = _discounted_purchases(model, summary, unit, float(horizon), annual_discount_rate)
    each, spend_error = _spend(spend, summary)
    worth = margin * each * purchases
    low, high = log_interval(worth, np.sqrt(purchase_error**2 + spend_error**2), level)
    return pd.DataFrame(
        {
            "p_alive": now["p_alive"].to_numpy(),
            "lifetime_value": worth,
            "low": low,
            "high": high,
        },
        index=now.index,
    )


def _check_range(name: str, value: float, *, low: float, closed: bool = True) -> None:
    """Refuse a number that is out of range."""
    inside = isfinite(value) and (value >= low if closed else value > low)
    if not inside:
        raise DataError(f"{name} must be a finite number {'of at least' if closed else 'greater than'} {low:g}")


def _discounted_purchases(
    model: Any, summary: Any, unit: str, horizon: float, annual_discount_rate: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give discounted purchases, and the standard error of their logarithm."""
    if isinstance(model, LikelihoodModel):
        rows = model._rows(model._read(summary))  # noqa: SLF001 -- one room
        value, error = model._discounted(rows, horizon, annual_discount_rate, errors=True)  # noqa: SLF001 -- same
        return value[rows.inverse], error[rows.inverse]
    total: Any = 0.0
    for time, weight in zip(*schedule(horizon, days_in(unit) / DAYS_PER_YEAR, annual_discount_rate), strict=True):
        forecast = model.predict(summary, horizon=float(time))["expected_purchases"]
        total = total + weight * forecast.to_numpy(dtype=np.float64)
    return np.maximum(total, 0.0), np.zeros(len(total))


def _spend(spend: Any, summary: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the expected spend, and the standard error of its logarithm."""
    each = spend.predict(summary)["expected_spend"].to_numpy(dtype=np.float64)
    if isinstance(spend, GammaGamma):
        return each, log_error(lambda shift: spend._expected_spend(summary, shift), spend.covariance_)  # noqa: SLF001 -- one room
    return each, np.zeros(len(each))
