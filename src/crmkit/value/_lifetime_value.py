"""What each customer is worth over a horizon: discounted expected purchases times expected spend times margin."""

from __future__ import annotations

from math import ceil, isfinite
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import norm

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.preparation.units import DAYS_PER_YEAR, days_in
from crmkit.value._base import LikelihoodModel
from crmkit.value._collapse import collapse
from crmkit.value._gamma_gamma import GammaGamma
from crmkit.value._summary import read_summary

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from crmkit.value.protocols import LifetimeModel, SpendModel

__all__ = ["lifetime_value"]

_NODES = 16
_STEP = 1e-3


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
        its own end.
    margin : float
        Share of spend that is earned, such as 0.3. There is no default: revenue is not value.
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
    _check_range("horizon", horizon, low=0.0)
    _check_range("margin", margin, low=0.0)
    _check_range("annual_discount_rate", annual_discount_rate, low=-1.0, closed=False)
    if not 0 < level < 1:
        raise DataError(f"level must be between 0 and 1, got {level!r}")
    unit = getattr(model, "unit_", None) or read_summary(summary, unit=getattr(model, "unit", None)).unit
    now = model.predict(summary, horizon=0.0)
    times, weights = _schedule(float(horizon), days_in(unit) / DAYS_PER_YEAR, annual_discount_rate)
    purchases, purchase_slopes = _discounted_purchases(model, summary, times, weights)
    each, spend_slopes = _spend(spend, summary)
    worth = margin * each * purchases
    error = np.sqrt(purchase_slopes**2 + spend_slopes**2)
    # On the log scale the interval of a positive value stays positive.
    reach = np.exp(np.minimum(norm.ppf((1 + level) / 2) * error, 700.0))
    return pd.DataFrame(
        {
            "p_alive": now["p_alive"].to_numpy(),
            "lifetime_value": worth,
            "low": worth / reach,
            "high": np.minimum(worth * reach, np.finfo(float).max),
        },
        index=now.index,
    )


def _check_range(name: str, value: float, *, low: float, closed: bool = True) -> None:
    """Refuse a number that is out of range."""
    inside = isfinite(value) and (value >= low if closed else value > low)
    if not inside:
        raise DataError(f"{name} must be a finite number {'of at least' if closed else 'greater than'} {low:g}")


def _schedule(
    horizon: float, years: float, annual_discount_rate: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give times and weights such that the weighted cumulative purchases at them are the discounted sum.

    The discounted sum of the purchases of periods is linear in the cumulative purchases at the ends of the periods.
    These are a smooth function of time, so beyond a few periods they are interpolated from Chebyshev points of
    ``log(1 + time)``, whose weights are worked out once for all customers.
    """
    if horizon == 0:
        return np.zeros(1), np.zeros(1)
    ends = np.minimum(np.arange(1, ceil(horizon) + 1, dtype=np.float64), horizon)
    discount = (1 + annual_discount_rate) ** (-ends * years)
    weights = discount - np.append(discount[1:], 0.0)
    if len(ends) <= _NODES:
        return ends, weights
    angle = np.pi * (np.arange(_NODES) + 0.5) / _NODES
    reach = np.log1p(horizon)
    nodes = np.expm1((np.cos(angle) + 1) / 2 * reach)
    place = 2 * np.log1p(ends) / reach - 1
    # Barycentric interpolation at Chebyshev points of the first kind.
    strength = (-1.0) ** np.arange(_NODES) * np.sin(angle)
    distance = place[:, None] - np.cos(angle)[None, :]
    with np.errstate(divide="ignore", invalid="ignore"):
        terms = strength / distance
        basis = terms / terms.sum(axis=1, keepdims=True)
    hit = distance == 0
    basis[hit.any(axis=1)] = hit[hit.any(axis=1)]
    return nodes, weights @ basis


def _discounted_purchases(
    model: Any, summary: Any, times: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give discounted purchases, and the standard error of their logarithm."""
    if not isinstance(model, LikelihoodModel):
        forecasts = [
            model.predict(summary, horizon=float(time))["expected_purchases"].to_numpy(dtype=np.float64)
            for time in times
        ]
        total = weights @ np.array(forecasts)
        return np.maximum(total, 0.0), np.zeros(len(total))
    table = model._read(summary)  # noqa: SLF001 -- one room
    (x, t_x, age), _, inverse = collapse(table.x, table.t_x, table.T)

    def at(shift: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        params = model._parameters_at(shift)  # noqa: SLF001 -- one room
        total = np.zeros(len(x))
        for time, weight in zip(times, weights, strict=True):
            total += weight * model._expected(params, x, t_x, age, time)  # noqa: SLF001 -- one room
        return np.maximum(total, 0.0)

    value, error = _delta(at, model.covariance_)
    return value[inverse], error[inverse]


def _spend(spend: Any, summary: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the expected spend, and the standard error of its logarithm."""
    if isinstance(spend, GammaGamma):
        return _delta(lambda shift: spend._expected_spend(summary, shift), spend.covariance_)  # noqa: SLF001 -- one room
    each = spend.predict(summary)["expected_spend"].to_numpy(dtype=np.float64)
    return each, np.zeros(len(each))


def _delta(
    function: Callable[[npt.NDArray[np.float64]], npt.NDArray[np.float64]], covariance: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Carry the covariance of log-parameters to the logarithm of a positive function of them."""
    size = len(covariance)
    value = function(np.zeros(size))
    slopes = []
    for axis in range(size):
        shift = np.zeros(size)
        shift[axis] = _STEP
        up, down = function(shift), function(-shift)
        known = (up > 0) & (down > 0)
        slopes.append(np.where(known, np.log(np.where(known, up / np.where(known, down, 1.0), 1.0)), 0.0) / (2 * _STEP))
    slope = np.array(slopes)
    variance = np.einsum("in,ij,jn->n", slope, covariance, slope)
    return value, np.sqrt(np.maximum(variance, 0.0))
