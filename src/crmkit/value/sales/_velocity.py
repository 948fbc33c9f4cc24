"""Sales velocity: what the open deals bring in a day, from its four parts."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics.intervals import check_level, percentile_interval
from crmkit.value.sales._deal_groups import group_codes, rows_by
from crmkit.value.sales._instants import DAY
from crmkit.value.sales._stage_history import Reading, StageHistory, as_history
from crmkit.value.sales._stage_reduction import OPEN, WON

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["sales_velocity"]

_CHUNK = 2**21
"""How many cells of resampled deals are held at once (16 MB of float64)."""

_FIGURES = ("velocity", "win_rate", "mean_won_amount", "cycle_days")


def sales_velocity(
    opportunities: StageHistory | Any,
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    n_resamples: int = 500,
    random_state: Any = 0,
    **reading: Unpack[Reading],
) -> pd.DataFrame:
    """Give the sales velocity: open deals x win rate x mean won amount / days from opening to winning.

    It reads "at this pace the open deals bring so much a day". Win rate and cycle are those that come in the end, with
    open deals as censored: counted among the deals closed so far, both would be those of the quick ones. It needs no
    history of stages. Costs ``n_resamples`` passes over the deals: about three seconds for 100,000.

    Parameters
    ----------
    opportunities : StageHistory or table
        What ``stage_history`` made, or a table to make it of.
    by : str, sequence of str or None, default=None
        Columns of the deals to tell apart; velocities of groups do not add up to that of all, because rates, amounts
        and cycles differ.
    level : float, default=0.95
        Nominal coverage of the intervals.
    n_resamples : int, default=500
        Bootstrap resamples; 0 gives no intervals. Changes the ends a little, never the figures.
    random_state : int, RandomState or None, default=0
        Changes the ends of the intervals a little.
    **reading
        The keywords of ``stage_history`` where a table is given; ``stages`` is then required.

    Returns
    -------
    pandas.DataFrame
        Indexed by the groups (one row ``all`` without them): ``velocity`` (money a day), ``open`` (deals), ``win_rate``
        (Aalen and Johansen's, as ``ever`` in ``win_rate``), ``mean_won_amount``, ``cycle_days`` (mean days from opening
        to winning, of the deals that are won in the end), each but ``open`` with ``_low`` and ``_high``; ``n`` (deals),
        ``won``. Figures of a group that has won nothing are missing, but for its win rate.

    Raises
    ------
    DataError
        If ``n_resamples`` is no whole number of at least 0.

    Warns
    -----
    DataWarning
        If won deals without an amount are left out of the mean.

    Notes
    -----
    The intervals are percentiles of the bootstrap over deals, all parts drawn together, with the number of open deals
    as it is: how many will be opened is not forecast. Nothing is known beyond the longest time a deal was seen, so the
    cycle is that of the deals won within it.

    Examples
    --------
    >>> from crmkit import datasets, value
    >>> deals = datasets.make_company(4_000, seed=1).opportunity_history
    >>> stages = ["lead", "qualified", "proposal", "negotiation", "won", "lost"]
    >>> speed = value.sales_velocity(deals, stages=stages)
    >>> speed[["velocity", "open", "win_rate", "mean_won_amount", "cycle_days"]].round(2)
         velocity  open  win_rate  mean_won_amount  cycle_days
    all    437.02    44      0.35          2473.49       87.26
    """
    check_level(level)
    if isinstance(n_resamples, bool) or not isinstance(n_resamples, int | np.integer) or n_resamples < 0:
        raise DataError(f"n_resamples must be an int of at least 0, got {n_resamples!r}")
    history = as_history(opportunities, reading)
    groups, index = group_codes(history, by)
    names = index if index is not None else pd.Index(["all"])
    status, amount = history.code("status"), history.deals["amount"].to_numpy(dtype=np.float64)
    without = int(((status == WON) & np.isnan(amount)).sum())
    if without:
        warnings.warn(
            f"{without:,} of {int((status == WON).sum()):,} won opportunities have no amount and are left out of the "
            "mean won amount",
            DataWarning,
            stacklevel=2,
        )
    end = np.where(status == OPEN, history.moment, history.code("closed"))
    days = (end - history.code("opened")) / DAY
    rng = check_random_state(random_state)
    everyone = np.ones(len(status), dtype=bool)
    rows = [
        _figures(days[deals], status[deals], amount[deals], n_resamples, level, rng)
        for deals in rows_by(groups, everyone, len(names))
    ]
    return pd.DataFrame(rows, index=names)


def _figures(
    days: Floats, status: npt.NDArray[np.int64], amount: Floats, n_resamples: int, level: float, rng: Any
) -> dict[str, float]:
    """Give one group's velocity and parts with their intervals."""
    order = np.argsort(days, kind="stable")
    days, status, amount = days[order], status[order], amount[order]
    n, n_open = len(days), int((status == OPEN).sum())
    point = _parts(np.ones((1, n)), days, status, amount, n_open)[0]
    most = max(1, _CHUNK // n)
    drawn = [np.empty((0, len(_FIGURES)))]
    for start in range(0, n_resamples, most):
        size = min(most, n_resamples - start)
        picked = rng.randint(n, size=(size, n)) + n * np.arange(size)[:, None]
        weights = np.bincount(picked.ravel(), minlength=size * n).reshape(size, n).astype(np.float64)
        drawn.append(_parts(weights, days, status, amount, n_open))
    replicates = np.concatenate(drawn)
    row: dict[str, float] = {}
    for column, name in enumerate(_FIGURES):
        low, high, _ = percentile_interval(replicates[:, column], level)
        row |= {name: float(point[column]), f"{name}_low": low, f"{name}_high": high}
        if name == "velocity":
            row["open"] = n_open
    return {**row, "n": n, "won": int((status == WON).sum())}


def _parts(weights: Floats, days: Floats, status: npt.NDArray[np.int64], amount: Floats, n_open: int) -> Floats:
    """Give velocity, win rate, mean won amount and cycle for each row of weights, deals being sorted by days."""
    steps, starts = np.unique(days, return_index=True)
    won = np.add.reduceat(weights * (status == WON), starts, axis=1)
    ended = np.add.reduceat(weights * (status != OPEN), starts, axis=1)
    leaving = np.add.reduceat(weights, starts, axis=1)
    at_risk = np.cumsum(leaving[:, ::-1], axis=1)[:, ::-1]
    with np.errstate(divide="ignore", invalid="ignore"):
        stays = np.where(at_risk > 0, 1 - ended / at_risk, 1.0)
        before = np.cumprod(np.concatenate([np.ones((len(weights), 1)), stays[:, :-1]], axis=1), axis=1)
        gained = np.where(at_risk > 0, before * won / at_risk, 0.0)
        lost = np.where(at_risk > 0, before * (ended - won) / at_risk, 0.0).sum(axis=1)
        total = gained.sum(axis=1)
        rate = total / (total + lost)
        cycle = gained @ steps / total
        known = (status == WON) & ~np.isnan(amount)
        mean = weights[:, known] @ amount[known] / weights[:, known].sum(axis=1)
        velocity = n_open * rate * mean / cycle
    # A cycle of 0 days would make the velocity infinite.
    velocity = np.where(cycle > 0, velocity, np.nan)
    return np.column_stack([velocity, rate, mean, cycle])
