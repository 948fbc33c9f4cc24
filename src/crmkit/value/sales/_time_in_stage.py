"""How long deals stay in a stage, with those that are still there counted for as long as they have been."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.metrics import kaplan_meier, median_survival, restricted_mean
from crmkit.metrics.intervals import check_level
from crmkit.value.sales._deal_groups import group_codes, indexed, rows_by
from crmkit.value.sales._instants import DAY, NONE
from crmkit.value.sales._stage_history import Reading, StageHistory, as_history
from crmkit.value.sales._stage_passages import warn_of_unknown_stages

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["time_in_stage"]


def time_in_stage(
    opportunities: StageHistory | Any,
    *,
    by: str | Sequence[str] | None = None,
    until: float | None = None,
    level: float = 0.95,
    **reading: Unpack[Reading],
) -> pd.DataFrame:
    """Tell how long deals stay in each stage, whatever ends the stay.

    Deals that are still there are censored: they count as staying for at least as long as they have. Leaving them out
    makes every stage look faster than it is, and most of all the slow ones (Kaplan-Meier).

    Parameters
    ----------
    opportunities : StageHistory or table
        What ``stage_history`` made, or a table to make it of: a history, because a table of how deals stand now does
        not tell when a stage was entered.
    by : str, sequence of str or None, default=None
        Columns of the deals (agent, channel, region) to tell apart; a missing value is a group of its own.
    until : float or None, default=None
        Days beyond which the mean counts nobody's time. None takes, for each stage, the longest time for which every
        group of it was watched, so that groups of a stage can be compared.
    level : float, default=0.95
        Nominal coverage of the intervals.
    **reading
        The keywords of ``stage_history`` where a table is given; ``stages`` is then required.

    Returns
    -------
    pandas.DataFrame
        Indexed by the groups and ``stage``: ``n`` (stays; a deal that comes back has two), ``open`` (of these, still
        there), ``median`` with ``median_low`` and ``median_high`` (Brookmeyer and Crowley; infinite where fewer than
        half have left), ``mean`` (restricted to ``until``) with ``mean_low`` and ``mean_high`` (Greenwood), ``until``.
        All in days of 24 hours. A stage without a stay has missing values.

    Raises
    ------
    DataError
        If no stay is timed, or ``until`` is not positive.

    Warns
    -----
    DataWarning
        If closed deals show only how they ended.

    Examples
    --------
    >>> from crmkit import datasets, value
    >>> deals = datasets.make_company(4_000, seed=1).opportunity_history
    >>> stages = ["lead", "qualified", "proposal", "negotiation", "won", "lost"]
    >>> table = value.time_in_stage(deals, stages=stages, until=60)
    >>> table[["n", "open", "median", "mean"]].round(1)  # doctest: +NORMALIZE_WHITESPACE
                   n  open  median  mean
    stage
    lead         568    23    15.0  20.3
    qualified    394     9    13.3  19.4
    proposal     291     6    14.5  20.1
    negotiation  221     6    14.9  20.6
    """
    check_level(level)
    if until is not None and not (np.isfinite(until) and until > 0):
        raise DataError(f"until must be a positive number of days, got {until!r}")
    history = as_history(opportunities, reading)
    steps = history.steps
    if not len(steps.deal):
        raise DataError(
            "it is not known of any opportunity when it entered its stage: the table tells how deals stand now; "
            "time_in_stage needs their history"
        )
    warn_of_unknown_stages(history)
    groups, index = group_codes(history, by)
    n_groups = 1 if index is None else len(index)
    days = (np.where(steps.left == NONE, history.moment, steps.left) - steps.entered) / DAY
    ended = steps.left != NONE
    rows = []
    for stage, name in enumerate(history.stages):
        curves = [
            kaplan_meier(days[stays], ended[stays], level=level) if len(stays) else None
            for stays in rows_by(groups[steps.deal], steps.stage == stage, n_groups)
        ]
        limit = _limit([curve for curve in curves if curve is not None], until)
        rows += [{"group": group, "stage": name, **_row(curve, limit, level)} for group, curve in enumerate(curves)]
    result = pd.DataFrame(rows).sort_values("group", kind="stable", ignore_index=True)
    return indexed(result.astype({"n": np.int64, "open": np.int64}), index)


def _limit(curves: list[pd.DataFrame], until: float | None) -> float:
    """Give the longest time, up to a wanted one, to which all curves of a stage can be followed."""
    ends = [float(curve.index[-1]) for curve in curves if curve["survival"].iloc[-1] > 0]
    longest = [float(curve.index[-1]) for curve in curves]
    most = min(ends) if ends else max(longest, default=np.nan)
    if until is None:
        return most
    return min(until, most) if ends else until


def _row(curve: pd.DataFrame | None, limit: float, level: float) -> dict[str, Any]:
    """Read the figures off a curve."""
    names = ("median", "median_low", "median_high", "mean", "mean_low", "mean_high")
    if curve is None:
        return {"n": 0, "open": 0, **dict.fromkeys(names, np.nan), "until": np.nan}
    median, mean = median_survival(curve, level=level), restricted_mean(curve, until=limit, level=level)
    figures: npt.NDArray[np.float64] = np.array([median, median.low, median.high, mean, mean.low, mean.high])
    n, still = curve["at_risk"].iloc[0], curve["censored"].sum()
    return {"n": n, "open": still, **dict(zip(names, figures.tolist(), strict=True)), "until": limit}
