"""The stage each customer is in, by their own rhythm and the probability that they still are one."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import require_methods
from crmkit.core.errors import ConvergenceError, DataError, DataWarning
from crmkit.core.registry import create
from crmkit.preparation._mid_life import warn_of_mid_life
from crmkit.preparation._purchases import purchase_days
from crmkit.preparation._summary import summary_of
from crmkit.preparation.units import days_in
from crmkit.value._holdout import beside
from crmkit.value.relationship._gaps import Gaps, gaps_of
from crmkit.value.relationship._rhythm import Rhythm, fit_rhythm
from crmkit.value.relationship._stages import STAGES, Ladder, read_ladder

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from crmkit.preparation._purchases import PurchaseDays
    from crmkit.value.protocols import LifetimeModel

    Floats = npt.NDArray[np.float64]

__all__ = ["lifecycle", "stages_of"]

_LAPSED = 2
"""Severity before the last purchase from which on that purchase was a return."""


def lifecycle(
    transactions: Any,
    *,
    cutoff: Any = None,
    model: str | LifetimeModel | None = None,
    unit: str = "week",
    refunds: str = "net",
    covariates: Any = None,
    gap_below: Mapping[str, float] | None = None,
    active_below: Mapping[str, float] | None = None,
    usual_from: float = 0.5,
) -> pd.DataFrame:
    """Say which stage of the lifecycle each customer is in, and why.

    Two numbers decide, never a number of days. ``p_gap`` is the probability of a gap at least as long as the present
    silence, were the customer still active by their own rhythm: 60 days are usual for someone who buys once a year and
    next to impossible for someone who buys every week. ``p_active`` is the probability that they still are a customer,
    from a lifetime model. A silence that is shorter than the customer's typical gap is never late. Otherwise:

    ======== =================== ======================
    stage    ``p_gap`` below  or ``p_active`` below
    ======== =================== ======================
    at-risk  0.2                 0.7
    lapsed   0.01                0.5
    lost     0.001               0.1
    ======== =================== ======================

    A customer who is not late is ``new`` after one purchase; ``returned`` if they would have been lapsed or lost, by
    the same rule, on the day before their last purchase; else ``active``. The next purchase makes them active. Of
    customers who never leave and buy at random, about a fifth are at any time at risk, one or two in a hundred lapsed
    and in a thousand lost; fewer where they buy like clocks, and about twice as many where they buy in bursts.

    A customer's gaps are taken to be gamma distributed with a rate of their own, drawn towards everyone's for those
    with few gaps (see Notes). Most who buy once never return, and many models take P(alive) of one-time buyers to be
    1, so these are judged by the waits for a second purchase in the whole table (Kaplan-Meier): ``p_gap`` is the
    probability of so long a wait among those who come back, ``p_active`` the chance that they still do, as a share of
    what it was on the day of the first purchase. Only rows before the cutoff are read. The cost is one sort of the
    rows and the fit of the model: a few seconds for a million rows.

    Parameters
    ----------
    transactions : table
        As for ``preparation.rfm_table``. Purchases of one local calendar day are one purchase.
    cutoff : date, time, text of one, or None
        Exclusive; None for the day after the last line.
    model : str, lifetime model or None, default=None
        Gives P(alive). A name of kind lifetime-model, or an instance of one that reads a purchase summary: a fitted one
        is used as it is, another is cloned and fitted on the rows before the cutoff. None is ``"bg-nbd"``.
    unit : {"day", "week", "month", "quarter", "year"}, default="week"
        The unit a model is fitted in (a fitted one knows its own); it changes no stage.
    refunds : {"net", "ignore", "match"}, default="net"
        As for ``preparation.rfm_table``: what makes a purchase day.
    covariates : table or None, default=None
        One row a customer, for models that read more than the summary: put beside it by ``customer_id``.
    gap_below, active_below : mapping of str to float, or None
        Other thresholds than those above, for any of at-risk, lapsed and lost.
    usual_from : float, default=0.5
        ``p_gap`` from which on a silence is usual, whatever ``p_active`` says.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``, sorted: ``stage`` (ordered categorical: new, active, returned, at-risk, lapsed,
        lost), ``purchases`` (days), ``recency_days`` (from the last purchase to the cutoff; 1 for the day before),
        ``typical_gap_days`` (as likely to be exceeded by the next gap as not), ``longest_gap_days`` and
        ``last_gap_days`` (between purchases; missing for one-time buyers), ``p_gap``, ``p_alive`` (of the model, at the
        cutoff), ``p_active`` (by which the stage is judged: ``p_alive`` for those who came back at least once, else as
        said above).

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used, or a threshold is no probability.

    Warns
    -----
    DataWarning
        If the model cannot be fitted: ``p_alive`` is then missing, and ``p_active`` of those who came back is worked
        out from ``p_gap`` and the chance of leaving that was estimated with the rhythm. If nobody bought twice: then no
        rhythm is known and ``stage`` is missing. If customers have refunds only (they are left out), or the table
        starts in the middle of its customers' lives.

    See Also
    --------
    lifecycle_transitions : Stages at one date by stages at the next.

    Notes
    -----
    Given rates of shape ``r`` and scale ``alpha``, a customer whose ``x`` gaps sum to ``s`` days has a next gap ``G``
    with ``G / (alpha + s + G)`` beta distributed with parameters ``k`` and ``r + k x``, where ``k`` is the shape of
    all gaps. ``k``, ``r`` and ``alpha`` are estimated by maximum likelihood together with the chances of leaving after
    the first and after later purchases, so that the silence of those who left does not pass for a long gap. A model's
    own P(alive) usually takes purchases to fall at random; where customers buy regularly, ``p_gap`` sees sooner that
    they are late.

    References
    ----------
    Platzer, M., & Reutterer, T. (2016). Ticking away the moments: timing regularity helps to better predict customer
    activity. Marketing Science 35, 779-799. doi:10.1287/mksc.2015.0963

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.value import NBD, lifecycle
    >>> weekly, yearly = np.arange(0, 700, 7), np.arange(0, 740, 365)
    >>> sales = pd.DataFrame(
    ...     {
    ...         "customer_id": ["weekly"] * len(weekly) + ["yearly"] * len(yearly),
    ...         "day": [*weekly, *yearly],
    ...         "amount": 10.0,
    ...     }
    ... )
    >>> stages = lifecycle(sales, cutoff=790, model=NBD())  # both were last seen between 60 and 100 days ago
    >>> stages[["stage", "purchases", "recency_days"]].reset_index()
      customer_id   stage  purchases  recency_days
    0      weekly    lost        100            97
    1      yearly  active          3            60
    """
    ladder = read_ladder(gap_below, active_below, usual_from)
    days_in(unit)
    if model is not None and not isinstance(model, str):
        require_methods(model, ["fit", "predict"], role="a lifetime model")
    purchases = purchase_days(transactions, cutoff=cutoff, refunds=refunds)
    warn_of_mid_life(purchases)
    return stages_of(purchases, model, unit, covariates, ladder)


def stages_of(
    purchases: PurchaseDays,
    model: str | LifetimeModel | None,
    unit: str,
    covariates: Any,
    ladder: Ladder,
    *,
    stacklevel: int = 3,
) -> pd.DataFrame:
    """Give the stages of purchase days.

    Parameters
    ----------
    purchases : PurchaseDays
        The purchase days.
    model, unit, covariates : see ``lifecycle``
        What gives P(alive).
    ladder : Ladder
        The thresholds.
    stacklevel : int, default=3
        Whose line warnings point at.

    Returns
    -------
    pandas.DataFrame
        As ``lifecycle`` gives it.
    """
    size, gaps = len(purchases.ids), gaps_of(purchases)
    once = gaps.n == 0
    rhythm = fit_rhythm(gaps)
    p_gap, p_active, p_alive, typical = (np.full(size, np.nan) for _ in range(4))
    code = np.full(size, -1, dtype=np.int64)
    if rhythm is None and size:
        warnings.warn(
            f"none of the {size:,} customers bought on two days: no rhythm is known, and stage is missing",
            DataWarning,
            stacklevel=stacklevel,
        )
    if rhythm is not None:
        ask = _asker(model, purchases, unit, covariates, stacklevel=stacklevel + 1)
        p_alive = ask(gaps)
        p_gap, p_active = _judged(rhythm, gaps, p_alive)
        typical = np.where(once, rhythm.typical_second, rhythm.typical(gaps.n, gaps.total))
        late = ladder.severity(p_gap, p_active)
        before = gaps.before_last()
        returned = ~once & (ladder.severity(*_judged(rhythm, before, ask(before))) >= _LAPSED)
        code = np.where(late > 0, late + 2, np.where(once, 0, np.where(returned, 2, 1))).astype(np.int64)
    return pd.DataFrame(
        {
            "stage": pd.Categorical.from_codes(code, dtype=pd.CategoricalDtype(list(STAGES), ordered=True)),
            "purchases": purchases.count,
            "recency_days": purchases.cutoff_day - purchases.day[purchases.last],
            "typical_gap_days": typical,
            "longest_gap_days": np.where(once, np.nan, gaps.longest),
            "last_gap_days": np.where(once, np.nan, gaps.last),
            "p_gap": p_gap,
            "p_alive": p_alive,
            "p_active": p_active,
        },
        index=purchases.ids,
    )


def _judged(rhythm: Rhythm, gaps: Gaps, p_alive: Floats) -> tuple[Floats, Floats]:
    """Give the probability of so long a gap, and of still being a customer, by the rule for each kind of customer."""
    once = gaps.n == 0
    p_gap = np.where(once, rhythm.second_survival(gaps.silence), rhythm.survival(gaps.n, gaps.total, gaps.silence))
    by_rhythm = np.where(once, rhythm.still_to_come(gaps.silence), rhythm.still_active(p_gap))
    return p_gap, np.where(once | np.isnan(p_alive), by_rhythm, p_alive)


def _asker(
    model: str | LifetimeModel | None, purchases: PurchaseDays, unit: str, covariates: Any, *, stacklevel: int
) -> Callable[[Gaps], Floats]:
    """Give what asks a fitted model for P(alive); all of it is missing where the model cannot be fitted."""
    made: Any = create("lifetime-model", model or "bg-nbd") if model is None or isinstance(model, str) else model

    def with_covariates(summary: pd.DataFrame) -> pd.DataFrame:
        return summary if covariates is None else beside(summary, covariates)

    try:
        check_is_fitted(made)
        unit = getattr(made, "unit_", None) or unit
    except NotFittedError:
        unfitted: Any = clone(made)
        summary = with_covariates(summary_of(purchases, unit))
        try:
            made = unfitted.fit(summary)
        except ConvergenceError as error:
            warnings.warn(
                f"P(alive) is missing, and customers who came back are judged by their rhythm alone: {error}",
                DataWarning,
                stacklevel=stacklevel,
            )
            return lambda gaps: np.full(len(gaps.n), np.nan)
        except DataError as error:
            raise DataError(f"lifecycle needs a model that reads a purchase summary; this one says: {error}") from error
    return lambda gaps: np.asarray(
        made.predict(with_covariates(gaps.summary(purchases.ids, unit)), horizon=0.0)["p_alive"], dtype=np.float64
    )
