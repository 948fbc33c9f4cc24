"""What each customer is worth over a horizon: discounted expected purchases times expected spend times margin."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_methods
from crmkit.core.errors import DataError
from crmkit.preparation.units import DAYS_PER_YEAR, days_in
from crmkit.value._answers import name_of, read_answer
from crmkit.value._arguments import check_horizon, check_level, check_number
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
    level: float | None = 0.95,
) -> pd.DataFrame:
    """Give each customer's expected margin from purchases after the cutoff, discounted to it.

    The expected purchases of each period (each week for a model in weeks) are discounted from the period's end,
    multiplied by the expected spend and the margin, and added up. Purchases so far do not count.

    The interval is for the expected value, by the delta method: it holds the error of the parameters of both models,
    taken as independent. It does not say how much one customer will differ from what is expected of customers like
    them, which is far more. The models of crmkit that are fitted by maximum likelihood tell their error; any other is
    taken as known, and where neither model tells one, ``low`` and ``high`` are missing.

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
    level : float or None, default=0.95
        Coverage of the interval; None leaves it missing, which is several times faster.

    Returns
    -------
    pandas.DataFrame
        Indexed like ``summary`` (by ``customer_id``): ``p_alive``, ``lifetime_value``, ``low``, ``high``, the last
        three in the currency of the table.

    Raises
    ------
    DataError
        If a number is out of range, the table is not one the models read, or an answer is no forecast of its customers.

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
    horizon = check_horizon(horizon, endless=True)
    level = None if level is None else check_level(level)
    margin = check_number("margin", margin, low=0.0)
    if margin > 1:
        raise DataError(f"margin is a share of spend such as 0.3, got {margin:g}")
    annual_discount_rate = check_number("annual_discount_rate", annual_discount_rate, low=-1.0, closed=False)
    asked = as_frame(summary, what="summary")
    index = pd.Index(asked["customer_id"]) if "customer_id" in asked.columns else asked.index
    alive = read_answer(model.predict(summary, horizon=0.0), "p_alive", index, name_of(model))
    wanted = level is not None
    purchases, purchase_error = _discounted_purchases(
        model, summary, index, horizon, annual_discount_rate, errors=wanted
    )
    each, spend_error = _spend(spend, summary, index, errors=wanted)
    worth = margin * each * purchases
    if level is None or (purchase_error is None and spend_error is None):
        low = high = np.full(len(worth), np.nan)
    else:
        low, high = log_interval(worth, np.hypot(_or_none(purchase_error), _or_none(spend_error)), level)
    columns = {"p_alive": alive, "lifetime_value": worth, "low": low, "high": high}
    return pd.DataFrame(columns, index=index)


def _or_none(error: npt.NDArray[np.float64] | None) -> Any:
    """Give no error where a model gives none."""
    return 0.0 if error is None else error


def _discounted_purchases(
    model: Any, summary: Any, index: pd.Index, horizon: float, annual_discount_rate: float, *, errors: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Give discounted purchases, and the standard error of their logarithm where the model gives one."""
    if isinstance(model, LikelihoodModel):
        rows = model._rows(model._read(summary))  # noqa: SLF001 -- one room
        value, error = model._discounted(rows, horizon, annual_discount_rate, errors=errors)  # noqa: SLF001 -- same
        return value[rows.inverse], error[rows.inverse]
    unit = getattr(model, "unit_", None) or read_summary(summary, unit=getattr(model, "unit", None)).unit
    total = np.zeros(len(index))
    for time, weight in zip(*schedule(horizon, days_in(unit) / DAYS_PER_YEAR, annual_discount_rate), strict=True):
        answer = model.predict(summary, horizon=float(time))
        total += weight * read_answer(answer, "expected_purchases", index, name_of(model))
    return np.maximum(total, 0.0), None


def _spend(
    spend: Any, summary: Any, index: pd.Index, *, errors: bool
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
    """Give the expected spend, and the standard error of its logarithm where the model gives one."""
    each = read_answer(spend.predict(summary), "expected_spend", index, name_of(spend))
    if errors and isinstance(spend, GammaGamma):
        return each, log_error(lambda shift: spend._expected_spend(summary, shift), spend.covariance_)  # noqa: SLF001 -- one room
    return each, None
