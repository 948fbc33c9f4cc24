"""Whether stages of the lifecycle mean something: who of each bought again afterwards."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics import wilson
from crmkit.metrics.intervals import check_level
from crmkit.preparation import as_cutoff, calendar_days, rfm_table, time_split
from crmkit.value.relationship._lifecycle import lifecycle
from crmkit.value.relationship._stages import STAGES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

    from crmkit.value.protocols import LifetimeModel

__all__ = ["lifecycle_check"]


def lifecycle_check(
    transactions: Any,
    *,
    split: Any,
    until: Any = None,
    model: str | LifetimeModel | None = None,
    unit: str = "week",
    refunds: str = "net",
    covariates: Any = None,
    gap_below: Mapping[str, float] | None = None,
    active_below: Mapping[str, float] | None = None,
    usual_from: float = 0.5,
    level: float = 0.95,
) -> pd.DataFrame:
    """Put customers into stages by what was known at a moment, and count who of each bought afterwards.

    Where the stages mean something, fewer of the late bought: active, at-risk, lapsed, lost should fall. Take a holdout
    of several typical gaps: in a shorter one slow customers who are still there look like lost ones.

    Parameters
    ----------
    transactions : table
        As for ``lifecycle``.
    split : date, time or text of one
        Where the holdout begins: exclusive for what the stages rest on.
    until : date, time, text of one, or None
        Where it ends, exclusive as well; None for the day after the last row.
    model, unit, refunds, covariates, gap_below, active_below, usual_from
        As for ``lifecycle``. A model that is fitted already must not have seen the holdout.
    level : float, default=0.95
        Nominal coverage of Wilson's interval.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``stage``, all six in order: ``n`` (customers in it at the split), ``bought`` (those with a purchase
        in the holdout), ``share``, ``low``, ``high``, and the means of ``p_active``, of ``recency_days`` and of
        ``purchases`` in the holdout; missing where nobody is in the stage.

    Raises
    ------
    DataError
        If no row lies before or after the split, or as for ``lifecycle``.

    Warns
    -----
    DataWarning
        As for ``lifecycle``.

    Examples
    --------
    >>> from crmkit.datasets import make_company
    >>> from crmkit.value import lifecycle_check
    >>> sales = make_company(1_000, seed=0).transactions
    >>> table = lifecycle_check(sales, split="2024-01-01")
    >>> table.loc[["active", "at-risk", "lapsed", "lost"], "share"].round(2).tolist()
    [0.74, 0.52, 0.35, 0.32]
    """
    check_level(level)
    frame = as_frame(transactions, what="transactions")
    known, later = time_split(frame, split, until=until)
    if len(known) == 0 or len(later) == 0:
        side = "before" if len(known) == 0 else "after"
        raise DataError(f"split={split!r} leaves no rows {side} it")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        stages = lifecycle(
            known,
            cutoff=split,
            model=model,
            unit=unit,
            refunds=refunds,
            covariates=covariates,
            gap_below=gap_below,
            active_below=active_below,
            usual_from=usual_from,
        )
    for warning in told:
        # Told again from here, so that it points at the caller's line.
        warnings.warn(str(warning.message), warning.category, stacklevel=2)
    end = as_cutoff(until).day if until is not None else int(calendar_days(later).max()) + 1
    with warnings.catch_warnings():
        # A customer who only got refunds in the holdout bought nothing in it, which is no surprise here.
        warnings.simplefilter("ignore", DataWarning)
        purchases = rfm_table(later, cutoff=end, refunds=refunds)["frequency"].reindex(stages.index, fill_value=0)
    found = (
        stages[["stage", "p_active", "recency_days"]]
        .assign(purchases=purchases, bought=purchases > 0)
        .groupby("stage", observed=False)
    )
    table = found.agg(n=("bought", "size"), bought=("bought", "sum")).reindex(list(STAGES))
    low, high = wilson(table["bought"], table["n"], level=level)
    share = np.divide(table["bought"], table["n"], out=np.full(len(table), np.nan), where=table["n"] > 0)
    means = found[["p_active", "recency_days", "purchases"]].mean().reindex(list(STAGES))
    return table.assign(share=share, low=low, high=high).join(means)
