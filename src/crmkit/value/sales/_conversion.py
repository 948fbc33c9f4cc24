"""Conversion of stages and win rates: what is counted among the decided, and what comes in the end."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Unpack

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics import wilson
from crmkit.metrics.intervals import check_level, normal_quantile
from crmkit.value.sales._deal_groups import group_codes, indexed, rows_by
from crmkit.value.sales._eventual import eventual
from crmkit.value.sales._instants import DAY
from crmkit.value.sales._stage_history import Reading, StageHistory, as_history
from crmkit.value.sales._stage_passages import MOVED, stage_passages, warn_of_unknown_stages
from crmkit.value.sales._stage_reduction import LOST, OPEN, WON

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["stage_conversion", "win_rate"]


def stage_conversion(
    opportunities: StageHistory | Any,
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    **reading: Unpack[Reading],
) -> pd.DataFrame:
    """Tell for each stage how many deals came, moved on, were lost and are still there, and the share that moves on.

    Two shares stand side by side. ``conversion`` counts among those decided so far; where deals are lost more slowly
    than they move on, it is too high, because the recent ones show their successes first. ``ever`` corrects that: it
    is Aalen and Johansen's incidence of moving on, with the open deals counted for as long as they have been seen.

    Parameters
    ----------
    opportunities : StageHistory or table
        What ``stage_history`` made, or a table to make it of.
    by : str, sequence of str or None, default=None
        Columns of the deals (agent, channel, region) to tell apart; a missing value is a group of its own.
    level : float, default=0.95
        Nominal coverage of the intervals.
    **reading
        The keywords of ``stage_history`` where a table is given; ``stages`` is then required.

    Returns
    -------
    pandas.DataFrame
        Indexed by the groups and ``stage``, in order: ``entered`` (deals that were in it), ``skipped`` (that passed it
        without having been in it), ``moved_on`` (came to a later stage or were won, at any time after), ``lost`` (and
        never moved on), ``open``; ``n`` (decided), ``conversion`` with Wilson's ``conversion_low`` and
        ``conversion_high``; ``ever``, ``ever_low``, ``ever_high``, and ``undecided``: the share that was not decided
        after the longest time seen, of which nothing is known. Shares of nothing are missing.

    Raises
    ------
    DataError
        If it is not known of any deal which stages it passed.

    Warns
    -----
    DataWarning
        If closed deals show only how they ended: they are left out, and so are all deals whose stages are not timed.

    Notes
    -----
    Every deal counts once a stage. Moving back is neither success nor loss; a loss that was undone is none. Deals of
    which only the stage reached is known (a table of what stands now, with ``outcome``) count as having been in every
    stage before it, and do not enter ``ever``.

    Examples
    --------
    >>> from crmkit import datasets, value
    >>> deals = datasets.make_company(4_000, seed=1).opportunity_history
    >>> stages = ["lead", "qualified", "proposal", "negotiation", "won", "lost"]
    >>> table = value.stage_conversion(deals, stages=stages)
    >>> table[["entered", "moved_on", "lost", "open", "conversion"]].round(2)  # doctest: +NORMALIZE_WHITESPACE
                 entered  moved_on  lost  open  conversion
    stage
    lead             568       394   151    23        0.72
    qualified        394       291    94     9        0.76
    proposal         291       221    64     6        0.78
    negotiation      221       176    39     6        0.82
    """
    check_level(level)
    history = as_history(opportunities, reading)
    groups, index = group_codes(history, by)
    n_groups = 1 if index is None else len(index)
    tables, any_known = [], False
    for stage, name in enumerate(history.stages):
        passed = stage_passages(history, stage, reached=False)
        any_known |= bool(len(passed.deal))
        group = groups[passed.deal]
        counts = np.zeros((n_groups, 3), dtype=np.int64)
        np.add.at(counts, (group, passed.result), 1)
        through = stage_passages(history, stage, reached=True)
        skipped = through.deal[~np.isin(through.deal, passed.deal)]
        decided = counts[:, MOVED] + counts[:, LOST]
        low, high = wilson(counts[:, MOVED], decided, level=level)
        moved, ended, timed = passed.result == MOVED, passed.result != OPEN, ~np.isnan(passed.days)
        ever = [_ever(passed.days[rows], moved[rows], ended[rows], level) for rows in rows_by(group, timed, n_groups)]
        table = pd.DataFrame(
            {
                "entered": counts.sum(axis=1),
                "skipped": np.bincount(groups[skipped], minlength=n_groups),
                "moved_on": counts[:, MOVED],
                "lost": counts[:, LOST],
                "open": counts[:, OPEN],
                "n": decided,
                "conversion": _ratio(counts[:, MOVED], decided),
                "conversion_low": low,
                "conversion_high": high,
            }
        )
        table[["ever", "ever_low", "ever_high", "undecided"]] = ever
        tables.append(table.assign(stage=name, group=np.arange(n_groups)))
    if not any_known:
        raise DataError(
            "it is not known of any opportunity which stages it passed: the table tells how deals stand now; "
            "stage_conversion needs their history, or an outcome beside the stage reached"
        )
    warn_of_unknown_stages(history)
    # Grouped by a stable sort: the stages stay in their order.
    result = pd.concat(tables).sort_values("group", kind="stable", ignore_index=True)
    return indexed(result, index)


def win_rate(
    opportunities: StageHistory | Any,
    *,
    by: str | Sequence[str] | None = None,
    level: float = 0.95,
    **reading: Unpack[Reading],
) -> pd.DataFrame:
    """Tell how many deals are won, by count and by amount, among the decided and in the end.

    It needs no history: a table of how deals stand now, with when they were opened and closed, is enough.

    Parameters
    ----------
    opportunities : StageHistory or table
        What ``stage_history`` made, or a table to make it of.
    by : str, sequence of str or None, default=None
        Columns of the deals to tell apart; a missing value is a group of its own.
    level : float, default=0.95
        Nominal coverage of the intervals.
    **reading
        The keywords of ``stage_history`` where a table is given.

    Returns
    -------
    pandas.DataFrame
        Indexed by the groups (one row ``all`` without them): ``deals``, ``won``, ``lost``, ``open``; ``n`` (decided),
        ``win_rate`` with Wilson's ``win_rate_low`` and ``win_rate_high``; ``ever``, ``ever_low``, ``ever_high`` and
        ``undecided`` as in ``stage_conversion``; ``amount_won``, ``amount_decided``, ``amount_rate`` (money won over
        money decided) with ``amount_rate_low`` and ``amount_rate_high``: the ratio's interval by linearisation, which
        needs some tens of deals and is cut to [0, 1]; it is missing for fewer than two.

    Warns
    -----
    DataWarning
        If decided deals without an amount are left out of the figures by amount.

    Examples
    --------
    >>> from crmkit import datasets, value
    >>> deals = datasets.make_company(4_000, seed=1).opportunities
    >>> rate = value.win_rate(deals, stages=["lead", "qualified", "proposal", "negotiation"])
    >>> rate[["deals", "won", "lost", "open", "win_rate", "ever"]].round(3)
         deals  won  lost  open  win_rate  ever
    all    568  176   348    44     0.336  0.35
    """
    z = normal_quantile(level)
    history = as_history(opportunities, reading)
    groups, index = group_codes(history, by)
    n_groups = 1 if index is None else len(index)
    status = history.code("status")
    counts = np.zeros((n_groups, 3), dtype=np.int64)
    np.add.at(counts, (groups, status), 1)
    decided = counts[:, WON] + counts[:, LOST]
    low, high = wilson(counts[:, WON], decided, level=level)
    end = np.where(status == OPEN, history.moment, history.code("closed"))
    days, everyone = (end - history.code("opened")) / DAY, np.ones(len(status), dtype=bool)
    table = pd.DataFrame(
        {
            "deals": counts.sum(axis=1),
            "won": counts[:, WON],
            "lost": counts[:, LOST],
            "open": counts[:, OPEN],
            "n": decided,
            "win_rate": _ratio(counts[:, WON], decided),
            "win_rate_low": low,
            "win_rate_high": high,
        },
        index=index if index is not None else pd.Index(["all"]),
    )
    table[["ever", "ever_low", "ever_high", "undecided"]] = [
        _ever(days[rows], status[rows] == WON, status[rows] != OPEN, level)
        for rows in rows_by(groups, everyone, n_groups)
    ]
    return table.join(_by_amount(history, groups, n_groups, z).set_index(table.index))


def _by_amount(history: StageHistory, groups: npt.NDArray[np.intp], n_groups: int, z: float) -> pd.DataFrame:
    """Give the share of decided money that was won."""
    status, amount = history.code("status"), history.deals["amount"].to_numpy(dtype=np.float64)
    without = (status != OPEN) & np.isnan(amount)
    if without.any():
        warnings.warn(
            f"{int(without.sum()):,} of {int((status != OPEN).sum()):,} closed opportunities have no amount and are "
            "left out of the figures by amount",
            DataWarning,
            stacklevel=3,
        )
    used = (status != OPEN) & ~np.isnan(amount)
    group, money, won = groups[used], amount[used], (status[used] == WON).astype(np.float64)
    total = np.bincount(group, weights=money, minlength=n_groups)
    gained = np.bincount(group, weights=money * won, minlength=n_groups)
    n = np.bincount(group, minlength=n_groups)
    rate = _ratio(gained, total)
    # A ratio of two sums over deals: each deal's deviation from it, weighted by its money.
    square = np.bincount(group, weights=(money * (won - rate[group])) ** 2, minlength=n_groups)
    with np.errstate(divide="ignore", invalid="ignore"):
        half = z * np.sqrt(square * n / (n - 1)) / total
    return pd.DataFrame(
        {
            "amount_won": gained,
            "amount_decided": total,
            "amount_rate": rate,
            "amount_rate_low": np.clip(np.where(n > 1, rate - half, np.nan), 0.0, 1.0),
            "amount_rate_high": np.clip(np.where(n > 1, rate + half, np.nan), 0.0, 1.0),
        }
    )


def _ratio(part: npt.NDArray[Any], whole: npt.NDArray[Any]) -> npt.NDArray[np.float64]:
    """Divide, with nothing where there is nothing to divide by."""
    return np.asarray(np.divide(part, whole, out=np.full(len(whole), np.nan), where=whole > 0), dtype=np.float64)


def _ever(
    days: npt.NDArray[np.float64], success: npt.NDArray[np.bool_], ended: npt.NDArray[np.bool_], level: float
) -> tuple[float, float, float, float]:
    """Give the share that comes in the end, its interval, and the share that is not decided at the longest time."""
    found = eventual(days, success, ended)
    low, high = wilson(found.share * found.n, found.n, level=level)
    return found.share, float(low), float(high), found.waiting
