"""Actual and expected repeat purchases week by week: the tracking display of customer-base models."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError, DataWarning
from crmkit.preparation._purchases import purchase_days
from crmkit.preparation.units import days_in
from crmkit.value._arguments import check_whole_number
from crmkit.value._holdout import fit_each, hold_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from crmkit.value.protocols import LifetimeModel

__all__ = ["tracking"]


def tracking(
    models: str | LifetimeModel | Iterable[str | LifetimeModel],
    transactions: Any,
    *,
    split: Any,
    until: Any = None,
    unit: str = "week",
    refunds: str = "net",
    covariates: Any = None,
    period_days: int = 7,
    cumulative: bool = False,
) -> pd.DataFrame:
    """Count the repeat purchases of every week beside what models fitted before the split expected.

    The customers are those who bought before ``split``, from their first purchase on; what is expected of each is
    what the model expects of a customer who began on that day, so that the weeks before the split show the fit and
    those after it the forecast. A model without ``expected_count`` is left out with a warning.

    Parameters
    ----------
    models, transactions, split, until, unit, refunds, covariates
        As for ``compare``.
    period_days : int, default=7
        Days of a period; the first begins on the first purchase day of the table.
    cumulative : bool, default=False
        Add up from the first period.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``period`` (1, 2, ...): ``begins`` (date of its first day), ``seen`` (whether it lies wholly before
        the split), ``actual`` (repeat purchases), and a column for each model. A last period that is not complete is
        left out.

    Raises
    ------
    DataError
        As ``compare`` does, or where there is not one whole period.

    Warns
    -----
    DataWarning
        If a model could not be fitted, or cannot say what it expects of a new customer.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005), figures 2 and 3, doi:10.1287/mksc.1040.0098.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.value import tracking
    >>> rng = np.random.default_rng(0)
    >>> who = np.repeat(np.arange(60), 15)
    >>> bought = rng.random(900) < (who % 10) / 10
    >>> sales = pd.DataFrame({"customer_id": who.astype(str), "day": rng.integers(0, 365, 900), "amount": 1.0})[bought]
    >>> table = tracking("nbd", sales, split=240, period_days=91)
    >>> table.round({"nbd": 0})  # doctest: +NORMALIZE_WHITESPACE
               begins   seen  actual   nbd
    period
    1      1970-01-01   True      61  51.0
    2      1970-04-02   True      73  84.0
    3      1970-07-02  False      90  90.0
    4      1970-10-01  False     104  92.0
    """
    period_days = check_whole_number("period_days", period_days, low=1)
    holdout = hold_out(
        transactions, split=split, until=until, unit=unit, refunds=refunds, covariates=covariates, stacklevel=3
    )
    fitted = fit_each(models, holdout, stacklevel=3)
    known = purchase_days(holdout.known, cutoff=split, refunds=refunds)
    joined = known.day[known.first]
    begin = int(joined.min())
    n_periods = (holdout.end - begin) // period_days
    if n_periods < 1:
        raise DataError(f"the table is shorter than one period of {period_days} days")
    edges = begin + period_days * np.arange(n_periods + 1)
    repeats = np.delete(known.day, known.first)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DataWarning)
        later = purchase_days(holdout.later, cutoff=holdout.end, refunds=refunds)
    back = later.day[(known.ids.get_indexer(later.ids) >= 0)[later.customer]]
    period = (np.concatenate([repeats, back]) - begin) // period_days
    table = pd.DataFrame(
        {
            "begins": pd.to_datetime(edges[:-1].astype("datetime64[D]")),
            "seen": edges[1:] <= holdout.begin,
            "actual": np.bincount(period[period < n_periods], minlength=n_periods),
        },
        index=pd.RangeIndex(1, n_periods + 1, name="period"),
    )
    for name, model in fitted.items():
        if model is None:
            continue
        if not callable(getattr(model, "expected_count", None)):
            warnings.warn(f"{name} has no expected_count(times) and is left out", DataWarning, stacklevel=2)
            continue
        table[name] = _expected(name, model, joined, edges, days_in(unit))
    if cumulative:
        counted = table.columns[2:]
        table[counted] = table[counted].cumsum()
    return table


def _expected(
    name: str, model: Any, joined: npt.NDArray[np.int64], edges: npt.NDArray[np.int64], days: float
) -> npt.NDArray[np.float64]:
    """Give the repeat purchases expected between the edges of customers who joined on certain days."""
    begun, customers = np.unique(joined, return_counts=True)
    # A purchase is seen on whole days, so that a customer's age at the end of a day counts from the end of the first.
    age = np.maximum(edges[None, :] - 1 - begun[:, None], 0)
    ages, code = np.unique(age, return_inverse=True)
    counts = np.asarray(model.expected_count(ages / days), dtype=np.float64)
    if counts.shape != ages.shape or not np.isfinite(counts).all():
        raise DataError(f"{name}: expected_count(times) must give a finite number for each of {len(ages):,} times")
    return np.diff(customers @ counts[code.reshape(age.shape)])
