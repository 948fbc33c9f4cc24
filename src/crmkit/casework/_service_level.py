"""The share of cases in which the service was given by its deadline."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.casework._instants import from_instants
from crmkit.core.checks import require_columns
from crmkit.metrics import wilson

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["service_level"]


def service_level(cases: pd.DataFrame, moment: int, *, by: str | Sequence[str] | None, level: float) -> pd.DataFrame:
    """Count the deadlines that have passed, kept and missed.

    Parameters
    ----------
    cases : pandas.DataFrame
        Of ``CaseStore.cases``.
    moment : int
        Until when, in microseconds.
    by : str or sequence of str or None
        Columns to group by.
    level : float
        Coverage of the interval.

    Returns
    -------
    pandas.DataFrame
        As described at ``CaseStore.service_level``.
    """
    names = [] if by is None else [by] if isinstance(by, str) else list(by)
    require_columns(cases, names, what="cases")
    now = from_instants([moment])[0]
    due = cases[(cases["deadline"] <= now) & (cases["added_time"] <= now)]
    kept = due["settled_time"] <= due["deadline"]
    counts = due[names].assign(due=1, kept=kept, missed=~kept, missed_open=~kept & ~due["settled"])
    figures = ["due", "kept", "missed", "missed_open"]
    if names:
        table = counts.groupby(names, dropna=False)[figures].sum()
    else:
        table = counts[figures].sum().to_frame().T.set_axis(["all"])
    table = table.astype(np.int64)
    n = table["due"].to_numpy()
    known = n > 0
    share, low, high = (np.full(len(table), np.nan) for _ in range(3))
    share[known] = table["kept"].to_numpy()[known] / n[known]
    ends = [wilson(kept, n, level=level) for kept, n in zip(table["kept"][known], n[known], strict=True)]
    low[known], high[known] = [float(end[0]) for end in ends], [float(end[1]) for end in ends]
    return table.assign(share=share, low=low, high=high)
