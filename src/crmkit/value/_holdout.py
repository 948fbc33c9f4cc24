"""Divides transactions at a moment, fits models on what was known, and forecasts what came after."""

from __future__ import annotations

import warnings
from collections.abc import Iterable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

import numpy as np
from sklearn.base import clone

from crmkit.core.checks import by_customer, require_methods
from crmkit.core.errors import ConvergenceError, DataError, DataWarning
from crmkit.core.registry import create
from crmkit.preparation import (
    Cutoff,
    as_cutoff,
    calendar_days,
    period_summary,
    purchase_summary,
    rfm_table,
    time_split,
)
from crmkit.preparation._calendar import first_day, period_of
from crmkit.preparation.units import days_in
from crmkit.value._answers import name_of, read_answer
from crmkit.value._periods import read_periods
from crmkit.value._summary import read_summary

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from crmkit.value.protocols import LifetimeModel

__all__ = ["MEAN", "RATE", "Holdout", "beside", "fit_each", "forecast_each", "hold_out"]

RATE, MEAN = "naive: own rate", "naive: mean rate"


@dataclass(frozen=True)
class Holdout:
    """What was known of customers at a moment, and what they did after it.

    Parameters
    ----------
    summary : pandas.DataFrame, indexed by customer_id
        What models are fitted on.
    known, later : pandas.DataFrame
        Transactions before the moment, and after it.
    actual : ndarray of float, shape (n_customers,)
        Purchase days of each customer in the holdout.
    begin, end : int
        Days since 1970-01-01: the holdout's first day, and the first after it.
    unit : str
        Of the summary.
    period : str or None
        The calendar periods in which everything is counted, or None where purchase days are.
    """

    summary: pd.DataFrame
    known: pd.DataFrame
    later: pd.DataFrame
    actual: npt.NDArray[np.float64]
    begin: int
    end: int
    unit: str
    period: str | None = None

    @property
    def horizon(self) -> float:
        """How long the holdout is, in units or periods."""
        if self.period is not None:
            return float(period_of(self.end, self.period) - period_of(self.begin, self.period))
        return (self.end - self.begin) / days_in(self.unit)


def hold_out(
    transactions: Any,
    *,
    split: Any,
    until: Any,
    unit: str,
    refunds: str,
    period: str | None = None,
    covariates: Any = None,
    stacklevel: int = 3,
) -> Holdout:
    """Divide transactions into what models may see and what they are judged by.

    Parameters
    ----------
    transactions : table
        As for ``purchase_summary``.
    split, until : date, time or text of one
        The holdout's beginning and end, both exclusive; None for the day after the last row. Of a day that is divided
        the rest counts on neither side.
    unit : {"day", "week", "month", "quarter", "year"}
        Of the summary.
    refunds : {"net", "ignore", "match"}
        As for ``purchase_summary``.
    period : str or None, default=None
        Count calendar periods with a purchase instead of purchase days.
    covariates : table or None, default=None
        Columns by customer that are put beside the summary.
    stacklevel : int, default=3
        Whose line warnings point at.

    Returns
    -------
    Holdout
        The two sides.

    Raises
    ------
    DataError
        If nothing lies before or after the split, a customer has no row in ``covariates``, or the split or the end is
        not the first day of a calendar period where these are counted.
    """
    known, later = time_split(transactions, split, until=until)
    begin = as_cutoff(split).day
    # Purchases of one day are one purchase, so the rest of a day that is divided would count some of them twice.
    later = later[calendar_days(later) >= begin]
    if len(known) == 0 or len(later) == 0:
        side = "before" if len(known) == 0 else "after"
        raise DataError(f"split={split!r} leaves no rows {side} it")
    end = as_cutoff(until).day if until is not None else int(calendar_days(later).max()) + 1
    if period is not None:
        _check_edges(begin, end, split, until, period)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        if period is None:
            summary = purchase_summary(known, cutoff=split, unit=unit, refunds=refunds)
        else:
            summary = period_summary(known, cutoff=split, period=period, refunds=refunds)
    for warning in told:
        # Told again from here, so that it points at the caller's line.
        warnings.warn(str(warning.message), warning.category, stacklevel=stacklevel)
    if len(summary) == 0:
        raise DataError(f"split={split!r} leaves no purchase before it")
    if covariates is not None:
        summary = beside(summary, covariates)
    with warnings.catch_warnings():
        # A customer who only got refunds in the holdout bought nothing in it, which is no surprise here.
        warnings.simplefilter("ignore", DataWarning)
        if period is None:
            bought = rfm_table(later, cutoff=end, refunds=refunds)["frequency"]
        else:
            bought = period_summary(later, cutoff=end, period=period, refunds=refunds)["repeats"] + 1
    actual = bought.reindex(summary.index, fill_value=0).to_numpy(dtype=np.float64)
    return Holdout(summary, known, later, actual, begin, end, unit if period is None else period, period)


def _check_edges(begin: int, end: int, split: Any, until: Any, period: str) -> None:
    """Refuse a holdout that does not consist of whole periods: a part of one cannot be compared with a forecast."""
    for name, given, day in (("split", split, begin), ("until", until, end)):
        start = first_day(int(period_of(day, period)), period)
        if start != day:
            told = f"{name}={given!r}" if given is not None else "the end of the table"
            raise DataError(
                f"{told} is not the first day of a {period}: where calendar periods are counted, take "
                f"{name}='{Cutoff(start)}'"
            )


def beside(summary: pd.DataFrame, covariates: Any) -> pd.DataFrame:
    """Put covariates beside a summary, refusing customers of whom nothing is said."""
    table = by_customer(covariates, what="covariates")
    table = table.set_axis(table.index.astype(str))
    if not table.index.is_unique:
        raise DataError("covariates: two customer_id are the same as text, such as 1 and '1'")
    clash = [column for column in table.columns if column in summary.columns]
    if clash:
        raise DataError(f"covariates and the purchase summary share the columns {', '.join(map(repr, clash))}")
    unknown = table.index.get_indexer(summary.index) < 0
    if unknown.any():
        raise DataError(f"covariates has no row for {unknown.sum():,} of {len(summary):,} customers")
    return summary.join(table)


def fit_each(
    models: str | LifetimeModel | Iterable[str | LifetimeModel], holdout: Holdout, *, stacklevel: int = 3
) -> dict[str, Any]:
    """Fit models on what was known.

    Parameters
    ----------
    models : str, lifetime model, or several of them
        Names, or instances, which are cloned and stay unfitted.
    holdout : Holdout
        What was known.
    stacklevel : int, default=3
        Whose line warnings point at.

    Returns
    -------
    dict of str to fitted model
        None where one could not be fitted, which a warning tells.
    """
    fitted: dict[str, Any] = {}
    for name, model in _named(models).items():
        counts_periods = callable(getattr(model, "summarize", None))
        if counts_periods != (holdout.period is not None):
            raise DataError(
                f"{name} counts calendar periods with a purchase: compare such models by themselves, with "
                "period='month' or another"
                if counts_periods
                else f"{name} counts purchase days and cannot be judged by periods: compare it without period="
            )
        try:
            fitted[name] = model.fit(holdout.summary)
        except ConvergenceError as error:
            message = f"{name} could not be fitted before the split: {error}"
            warnings.warn(message, DataWarning, stacklevel=stacklevel)
            fitted[name] = None
    return fitted


def forecast_each(fitted: dict[str, Any], holdout: Holdout) -> dict[str, npt.NDArray[np.float64]]:
    """Forecast every customer's purchases in the holdout by every model and by two naive rules.

    Parameters
    ----------
    fitted : dict of str to fitted model
        From ``fit_each``.
    holdout : Holdout
        Its length.

    Returns
    -------
    dict of str to ndarray of float, shape (n_customers,)
        All missing where the model could not be fitted.
    """
    forecasts = {name: _forecast(name, model, holdout) for name, model in fitted.items()}
    return {**forecasts, **_naive(holdout)}


def _forecast(name: str, model: Any, holdout: Holdout) -> npt.NDArray[np.float64]:
    """Forecast by one model, whose answer may be anyone's."""
    if model is None:
        return np.full(len(holdout.actual), np.nan)
    predicted = model.predict(holdout.summary, horizon=holdout.horizon)
    return read_answer(predicted, "expected_purchases", holdout.summary.index, name)


def _naive(holdout: Holdout) -> dict[str, npt.NDArray[np.float64]]:
    """Forecast without a model; a customer of age 0 has shown no rate."""
    period = holdout.period
    table = (
        read_summary(holdout.summary, unit=holdout.unit)
        if period is None
        else read_periods(holdout.summary, unit=period)
    )
    own = np.divide(table.x, table.T, out=np.zeros_like(table.x), where=table.T > 0) * holdout.horizon
    age = float(table.T.sum())
    mean = float(table.x.sum()) / age * holdout.horizon if age > 0 else 0.0
    return {RATE: own, MEAN: np.full(len(table.x), mean)}


def _named(models: str | LifetimeModel | Iterable[str | LifetimeModel]) -> dict[str, Any]:
    """Give unfitted models with a name each."""
    # A model's methods are looked for, never its type: anyone's model is one.
    alone = isinstance(models, str) or hasattr(models, "fit")
    if not alone and not isinstance(models, Iterable):
        raise TypeError(f"models must be names or lifetime models, got {type(models).__name__}")
    listed = [models] if alone else list(cast("Iterable[Any]", models))
    named: dict[str, Any] = {}
    for model in listed:
        if isinstance(model, str):
            name, made = model, create("lifetime-model", model)
        else:
            require_methods(model, ["fit", "predict"], role="a lifetime model")
            # What scikit-learn cannot clone is copied.
            name, made = name_of(model), clone(model, safe=False)
        taken = sum(other == name or other.startswith(f"{name} (") for other in named)
        named[f"{name} ({taken + 1})" if taken else name] = made
    return named
