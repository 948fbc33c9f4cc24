"""Churn of customers without a contract: the share a model takes to be lost, and what happened beside it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import expit, logit

from crmkit.core.checks import as_frame, require_columns, require_methods
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics import wilson
from crmkit.metrics.intervals import check_level, normal_quantile
from crmkit.value._base import LikelihoodModel
from crmkit.value._calibration import forecast_groups
from crmkit.value._delta import log_error
from crmkit.value._holdout import fit_each, hold_out

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from crmkit.value.protocols import LifetimeModel

    Floats = npt.NDArray[np.float64]

__all__ = ["churn_calibration", "expected_churn"]


def expected_churn(model: LifetimeModel, summary: Any, *, min_repeats: int = 0, level: float = 0.95) -> Estimate:
    """Give the share of customers who are expected to be lost by the cutoff, though none of them said so.

    It is the mean of ``1 - p_alive``. Nobody can check it customer by customer: ``churn_calibration`` lays what the
    model says of silence beside the silence that came.

    Parameters
    ----------
    model : lifetime model
        Fitted.
    summary : table
        Made by ``preparation.purchase_summary`` in the model's unit; of all customers, or of those asked about.
    min_repeats : int, default=0
        Count only customers with at least so many repeat purchases. With ``bg-nbd`` take 1: it takes everyone who
        bought once to be a customer still, so that all of them would only water the share down.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    Estimate
        Between 0 and 1, ``n`` being the customers counted. Its interval holds the chance of each customer's being lost
        or not, given their probability, and, where the model is estimated by maximum likelihood, the error of its
        parameters (delta method); ``method`` says which. It does not hold that the model may be wrong.

    Raises
    ------
    DataError
        If the table is not one the model reads or one of contracts, or no customer has so many repeat purchases.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import BGNBD, expected_churn
    >>> kinds = pd.DataFrame(
    ...     {
    ...         "repeats": [0, 1, 1, 2, 3, 6, 6, 12],
    ...         "last_purchase_weeks": [0.0, 5.0, 30.0, 20.0, 35.0, 15.0, 37.0, 38.0],
    ...         "age_weeks": [39.0] * 8,
    ...     }
    ... )
    >>> summary = kinds.loc[kinds.index.repeat([60, 12, 6, 5, 4, 2, 2, 1])]
    >>> churn = expected_churn(BGNBD().fit(summary), summary, min_repeats=1)
    >>> round(churn, 2), churn.n
    (0.5, 32)
    """
    check_level(level)
    require_methods(model, ["predict"], role="a lifetime model")
    if isinstance(min_repeats, bool | str) or not min_repeats >= 0:
        raise DataError(f"min_repeats must be at least 0, got {min_repeats!r}")
    if "churned" in as_frame(summary, what="summary").columns:
        raise DataError(
            "summary is a table of contracts, which says who left: metrics.contract_churn and metrics.kaplan_meier "
            "count them"
        )
    alive = model.predict(summary, horizon=0.0)["p_alive"].to_numpy(dtype=np.float64)
    counted = _repeats(model, summary) >= min_repeats if min_repeats else np.ones(len(alive), dtype=bool)
    n = int(counted.sum())
    if not n:
        raise DataError(f"no customer has at least {min_repeats} repeat purchases")
    lost = 1 - alive[counted]
    share = float(lost.mean())
    variance = float(np.sum(lost * (1 - lost))) / n**2
    method = "normal on the logit scale, of who is lost"
    if isinstance(model, LikelihoodModel):
        variance += (share * _parameter_error(model, summary, counted)) ** 2
        method += " and of the parameters (delta)"
    low, high = share, share
    if 0 < share < 1:
        half = normal_quantile(level) * np.sqrt(variance) / (share * (1 - share))
        low, high = float(expit(logit(share) - half)), float(expit(logit(share) + half))
    return Estimate(share, n=n, low=low, high=high, level=level, method=method)


def _repeats(model: Any, summary: Any) -> Floats:
    """Give the repeat purchases of customers as the model counts them."""
    if isinstance(model, LikelihoodModel):
        return model._read(summary).x  # noqa: SLF001 -- one room
    frame = as_frame(summary, what="summary")
    column = "frequency" if "frequency" in frame.columns else "repeats"
    require_columns(frame, [column], what="summary")
    return frame[column].to_numpy(dtype=np.float64)


def _parameter_error(model: LikelihoodModel, summary: Any, counted: npt.NDArray[np.bool_]) -> float:
    """Give the standard error of the logarithm of the share of the lost, from that of the parameters."""
    rows = model._rows(model._read(summary))  # noqa: SLF001 -- one room
    weights = np.bincount(rows.inverse[counted], minlength=len(rows.x)) / counted.sum()

    def mean_lost(shift: Floats) -> Floats:
        alive = model._p_alive(model._at(rows, shift), rows.x, rows.t_x, rows.T)  # noqa: SLF001 -- one room
        return np.array([weights @ (1 - alive)])

    return float(log_error(mean_lost, model._shift_covariance())[0])  # noqa: SLF001 -- one room


def churn_calibration(
    models: str | LifetimeModel | Iterable[str | LifetimeModel],
    transactions: Any,
    *,
    split: Any,
    until: Any = None,
    unit: str = "week",
    refunds: str = "net",
    period: str | None = None,
    covariates: Any = None,
    n_groups: int = 10,
    level: float = 0.95,
) -> pd.DataFrame:
    """Lay the silence that models foretell beside the silence that came, on a holdout in time.

    Whether a silent customer is lost or only slow is never seen, but whether they were silent is. So models are judged
    by the probability of no purchase in the holdout: those who are lost, and those who are still there and happen not
    to buy. Customers are put into groups of about the same size by that probability.

    Parameters
    ----------
    models : str, lifetime model, or several of them
        Names of plugins of kind lifetime-model, or instances, which are cloned and stay unfitted. Their forecast must
        tell the probability of 0 purchases (``predict(..., n_max=0)``), as all built-in models do.
    transactions, split, until, unit, refunds, period, covariates
        As for ``compare``; with ``period``, silence is a holdout in no period of which was bought, as for ``bg-bb``.
    n_groups : int, default=10
        How many groups; equal probabilities stay together, so there may be fewer.
    level : float, default=0.95
        Nominal coverage of Wilson's interval.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``model`` and ``group`` (1 is the least silence foretold; ``"all"`` is everyone): ``n`` (customers),
        ``expected_lost`` (mean of ``1 - p_alive`` at the split), ``expected_silent`` (mean probability of no purchase
        in the holdout), ``silent`` (the share without one), ``low``, ``high``. A model that could not be fitted is not
        there, and a warning says why.

    Raises
    ------
    DataError
        As ``compare`` does, or if a model does not tell the probability of 0 purchases.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.value import churn_calibration
    >>> rng = np.random.default_rng(0)
    >>> who = np.repeat(np.arange(60), 15)
    >>> bought = rng.random(900) < (who % 10) / 10
    >>> sales = pd.DataFrame({"customer_id": who.astype(str), "day": rng.integers(0, 365, 900), "amount": 1.0})[bought]
    >>> churn_calibration("nbd", sales, split=240, n_groups=2)["n"].tolist()
    [25, 25, 50]
    """
    check_level(level)
    if isinstance(n_groups, bool) or not isinstance(n_groups, int | np.integer) or n_groups < 1:
        raise DataError(f"n_groups must be a whole number of at least 1, got {n_groups!r}")
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
    tables = {}
    for name, model in fit_each(models, holdout, stacklevel=3).items():
        if model is None:
            continue
        try:
            forecast = model.predict(holdout.summary, horizon=holdout.horizon, n_max=0)
        except TypeError:
            raise DataError(f"{name} does not tell the probability of 0 purchases: predict takes no n_max") from None
        require_columns(forecast, ["p_alive", "p_0"], what=f"the forecast of {name}")
        lost, silent = 1 - forecast["p_alive"].to_numpy(), forecast["p_0"].to_numpy()
        tables[name] = _silence(lost, silent, holdout.actual == 0, n_groups, level)
    if not tables:
        raise DataError("no model could be fitted before the split")
    return pd.concat(tables, names=["model", "group"])


def _silence(lost: Any, foretold: Any, silent: Any, n_groups: int, level: float) -> pd.DataFrame:
    """Give one row a group, and one for all."""
    frame = pd.DataFrame({"lost": lost, "foretold": foretold, "silent": silent})
    found = frame.groupby((forecast_groups(foretold, n_groups) + 1).astype(str), sort=False)
    table = found.agg(
        n=("silent", "size"),
        expected_lost=("lost", "mean"),
        expected_silent=("foretold", "mean"),
        silent=("silent", "mean"),
    )
    table = table.loc[sorted(table.index, key=int)]
    table.loc["all"] = [len(frame), *(float(frame[name].mean()) for name in ("lost", "foretold", "silent"))]
    low, high = wilson(table["silent"] * table["n"], table["n"], level=level)
    return table.assign(low=low, high=high).astype({"n": "int64"})
