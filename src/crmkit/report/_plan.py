"""Shows a plan: what it gains and can gain at most, cases by remedy, limits and their prices, and what-if curves."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import InfeasiblePlanError
from crmkit.core.html import cell, element, escape
from crmkit.pictures import bars, curve, percent
from crmkit.report._tables import frame_html

if TYPE_CHECKING:
    from crmkit.report._words import Words

__all__ = ["plan_blocks"]

_FACTORS = (0.25, 0.5, 1.0, 1.5, 2.0)
_MOST_STEPS = 12  # a waterfall solves about three programmes a limit, and nobody reads hundreds of bars


def plan_blocks(plan: Any, words: Words) -> list[str]:
    """Write the blocks of a plan.

    Parameters
    ----------
    plan : remediation.Plan
        ``table``, ``prices``, ``value``, ``bound``, ``gap``, ``waterfall`` and ``what_if`` are read.
    words : Words
        The report's language.

    Returns
    -------
    list of str
        HTML.
    """
    table = pd.DataFrame(plan.table)
    n_cases = int(table["case_id"].nunique()) if "case_id" in table else len(table)
    n = f"{n_cases:,} {words('cases')}"
    known = math.isfinite(float(plan.bound))
    told = words(
        "plan_value" if known else "plan_value_open",
        value=cell(float(plan.value)), bound=cell(float(plan.bound)), gap=f"{float(plan.gap):.1e}",
    )  # fmt: skip
    by_remedy = _by_remedy(table, words)
    blocks = [
        element("p", escape(told)),
        bars(by_remedy[words("count")], title=words("by_remedy"), n=n)._repr_html_(),
        frame_html(by_remedy, words, caption=words("by_remedy_table"), most=len(by_remedy)),
    ]
    prices = pd.DataFrame(plan.prices)
    if len(prices):
        used = _used(prices)
        if len(used):
            blocks.append(bars(used, title=words("use"), n=n, write=percent)._repr_html_())
        blocks.append(frame_html(prices, words, caption=words("prices"), most=len(prices)))
        blocks += _waterfall(plan, len(prices), words, n)
    blocks += [_what_if(plan, name, limit, words, n) for name, limit in _resources(prices, table).items()]
    return blocks


def _by_remedy(table: pd.DataFrame, words: Words) -> pd.DataFrame:
    """Sum the plan up by remedy, most cases first; a case shared between remedies counts by its shares."""
    share = table["share"] if "share" in table else pd.Series(1.0, index=table.index)
    counted = share.groupby(table["remedy"].astype(str), sort=True).sum()
    whole = bool((share == 1.0).all())
    sums = pd.DataFrame({words("count"): counted.astype(np.int64) if whole else counted})
    # What stands in the table already belongs to the share of the case the row is about.
    for name in ("value", *(name for name in table.columns if str(name).startswith("uses_"))):
        if name in table:
            sums[words("value") if name == "value" else name] = table[name].groupby(table["remedy"].astype(str)).sum()
    sums.index.name = words("remedy")
    return sums.sort_values(words("count"), ascending=False, kind="stable")


def _used(prices: pd.DataFrame) -> pd.Series:
    """Give the share of each limit that is used, where there is one to use."""
    limits = prices["limit"].to_numpy(dtype=np.float64)
    there = np.isfinite(limits) & (limits > 0)
    used: pd.Series = (prices["used"][there] / prices["limit"][there]).astype(np.float64)
    return used


def _resources(prices: pd.DataFrame, table: pd.DataFrame) -> dict[str, float]:
    """Give the limits that are resources: those whose use stands in the plan's table."""
    return {
        str(name): float(limit)
        for name, limit in prices.get("limit", pd.Series(dtype=float)).items()
        if f"uses_{name}" in table.columns and np.isfinite(limit) and limit > 0
    }


def _waterfall(plan: Any, n_limits: int, words: Words, n: str) -> list[str]:
    """Draw what is kept as the limits come in one by one, and say what each of them costs."""
    if getattr(getattr(plan, "problem", None), "intensities", None) is not None:
        return []  # what limits cost where amounts follow them is told by what_if
    if n_limits > _MOST_STEPS:
        return [element("p", escape(words("waterfall_many", limits=n_limits, most=_MOST_STEPS)))]
    try:
        steps = plan.waterfall()
    except InfeasiblePlanError:
        return [element("p", escape(words("waterfall_none")))]
    ends = [words("everything"), *map(str, steps.index[1:-1]), words("whole_cases")]
    steps.index = pd.Index(ends, name=words("limit"), dtype=object)
    return [
        bars(steps["value"], title=words("waterfall"), n=n, most=len(steps))._repr_html_(),
        frame_html(steps, words, caption=words("waterfall_table"), most=len(steps)),
    ]


def _what_if(plan: Any, name: str, limit: float, words: Words, n: str) -> str:
    """Draw what the plan would keep with more or less of one limit."""
    tried = plan.what_if(name, [limit * factor for factor in _FACTORS])
    return curve(
        [limit * factor for factor in _FACTORS], list(tried["value"]), title=words("what_if", limit=name), n=n,
        x_label=name, y_label=words("value"), mark=limit, mark_label=words("now"),
    )._repr_html_()  # fmt: skip
