"""A figure before and after something changed, with the interval of the change."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.effect._arm_means import arm_means
from crmkit.effect._columns import column_numbers, evaluation_frame
from crmkit.effect._intervals import t_width
from crmkit.effect._marks import METRICS, scores
from crmkit.metrics import churn_rate, mean, repeat_purchase
from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Change", "before_after"]

_COUNTED = {"nps", "csat", "ces-share"}
"""Figures that count answers: their own intervals hold for few answers and lopsided mixes, where Welch's does not."""


@dataclass(frozen=True)
class Change:
    """A figure before and after.

    Attributes
    ----------
    metric : str
        Its name.
    before, after : Estimate
        The figure on either side.
    change : Estimate
        After less before; its ``method`` says whether customers who are on both sides were taken into account.
    """

    metric: str
    before: Estimate
    after: Estimate
    change: Estimate

    def __repr__(self) -> str:
        lines = [f"{self.metric} before: {self.before!r}", f"{self.metric} after:  {self.after!r}"]
        return "\n".join([*lines, f"change: {self.change!r}", "a change is no effect: there is no comparison group"])

    def _repr_html_(self) -> str:
        """Show the three figures."""
        rows = [
            (name, one.n, float(one), one.low, one.high)
            for name, one in (("before", self.before), ("after", self.after), ("change", self.change))
        ]
        caption = f"{self.metric}; a change is no effect: there is no comparison group"
        return html.table(["", "n", "value", "low", "high"], rows, caption=caption)


def before_after(
    before: Any,
    after: Any,
    *,
    metric: str | Callable[..., Estimate] = "nps",
    column: str = "rating",
    customer: str | None = None,
    level: float = 0.95,
    **options: Any,
) -> Change:
    """Hold satisfaction, loyalty or value before a change against the same after it.

    What changed may have changed anyway: season, prices, who answers. Where there are customers to whom nothing was
    done, take ``difference_in_differences``; where it can be drawn who gets it, ``compare_arms``.

    Parameters
    ----------
    before, after : table, array, or pair of id lists
        Answers with marks in ``column`` (or the marks themselves); transactions for ``"repeat-purchase"``; for
        ``"churn-rate"`` two lists each, ids at the start and at the end of the period.
    metric : str or callable, default="nps"
        ``"nps"``, ``"csat"``, ``"csat-mean"``, ``"ces"``, ``"ces-share"``, ``"mean"`` (of any number, such as spend),
        ``"repeat-purchase"``, ``"churn-rate"``, or a function of one side that gives an ``Estimate``.
    column : str, default="rating"
        Marks or numbers, where tables are given.
    customer : str or None, default=None
        Column of who answered. Customers on both sides, and with several answers, are then taken into account, for
        figures that are means over answers; without it all answers count as independent.
    level : float, default=0.95
        Nominal coverage.
    **options : object
        Of the metric, such as ``scale=(1, 10)`` or ``horizon_days=60``.

    Returns
    -------
    Change
        Before, after, and the change with its interval.

    Raises
    ------
    DataError
        If the metric is unknown or a side has nothing to measure.

    Notes
    -----
    Shares and the net promoter score of independent answers get the interval of their difference from their own two
    (MOVER, which for shares is Newcombe's); means, and answers of the same customers, Welch's t.

    References
    ----------
    Zou, G. Y., & Donner, A. (2008). Construction of confidence limits about effect measures: a general approach.
    Statistics in Medicine 27, 1693-1702. doi:10.1002/sim.3095

    Examples
    --------
    >>> from crmkit.effect import before_after
    >>> before_after([9, 6, 3, 8, 10, 5], [9, 10, 9, 8, 10, 6], metric="nps").change.low < 0
    True
    """
    level = check_level(level)
    if callable(metric):
        return _from_estimates(
            getattr(metric, "__name__", "metric"), metric(before, **options), metric(after, **options)
        )
    if metric == "repeat-purchase":
        sides = [repeat_purchase(one, level=level, **options) for one in (before, after)]
        return _from_estimates(metric, sides[0], sides[1])
    if metric == "churn-rate":
        for side, one in (("before", before), ("after", after)):
            if not isinstance(one, list | tuple) or len(one) != 2:
                raise DataError(f"churn-rate needs a pair of id lists for {side}: those at the start and at the end")
        sides = [churn_rate(*one, level=level, **options) for one in (before, after)]
        return _from_estimates(metric, sides[0], sides[1])
    if metric != "mean" and metric not in METRICS:
        known = ", ".join(map(repr, [*METRICS, "mean", "repeat-purchase", "churn-rate"]))
        raise DataError(f"metric must be a function or one of {known}, got {metric!r}")
    if metric == "mean" and options:
        raise DataError(f"the mean has no option {', '.join(map(repr, options))}")
    return _from_answers(before, after, metric, column, customer, level, options)


def _from_estimates(name: str, before: Estimate, after: Estimate) -> Change:
    """Subtract independent figures, recovering the interval from theirs."""
    for side, one in (("before", before), ("after", after)):
        if not isinstance(one, Estimate):
            raise DataError(f"the metric must give an Estimate; {side} it gave {type(one).__name__}")
    difference = float(after) - float(before)
    down = float(np.hypot(float(after) - after.low, before.high - float(before)))
    up = float(np.hypot(after.high - float(after), float(before) - before.low))
    change = Estimate(
        difference,
        n=before.n + after.n,
        low=difference - down,
        high=difference + up,
        level=after.level,
        method="mover, independent sides",
    )
    return Change(name, before, after, change)


def _from_answers(
    before: Any, after: Any, metric: str, column: str, customer: str | None, level: float, options: dict[str, Any]
) -> Change:
    """Subtract means over answers, whose customers may be the same."""
    figures, values, owners = [], [], []
    refuse = options.pop("missing", "exclude") == "raise"
    for side, given in (("before", before), ("after", after)):
        marks, who = _side(given, column, customer, side)
        score = marks if metric == "mean" else scores(marks, metric, **options)
        known = score.notna().to_numpy(dtype=bool)
        if not known.any():
            raise DataError(f"{side} holds no {column}: there is nothing to measure")
        if refuse and not known.all():
            raise DataError(f"{side}: {column} is missing in {positions(~known)}")
        if not known.all():
            warnings.warn(
                f"{int((~known).sum()):,} of {len(known):,} answers {side} have no {column} and are left out",
                DataWarning,
                stacklevel=4,
            )
        own = score.to_numpy(dtype=np.float64)[known]
        figure = METRICS[metric](marks[known], level=level, **options) if metric in METRICS else mean(own, level=level)
        figures.append(figure)
        values.append(own)
        owners.append(None if who is None else who[known])
    if min(map(len, values)) < 2 or (metric in _COUNTED and customer is None):
        return _from_estimates(metric, figures[0], figures[1])
    arm = np.repeat([0, 1], [len(values[0]), len(values[1])])
    cluster = None
    if owners[0] is not None and owners[1] is not None:
        codes = pd.factorize(pd.concat([owners[0], owners[1]], ignore_index=True))[0]
        if (codes < 0).any():
            raise DataError(f"{customer} is missing in {int((codes < 0).sum()):,} answers")
        cluster = codes.astype(np.intp)
    means = arm_means(np.concatenate(values), arm, 2, cluster=cluster)
    difference, error, freedom = means.difference(1, 0)
    if error == 0:
        return _from_estimates(metric, figures[0], figures[1])
    half = t_width(freedom, level) * error
    n = len(arm) if cluster is None else int(cluster.max()) + 1
    method = "welch, independent answers" if cluster is None else "welch, clustered by customer"
    change = Estimate(difference, n=n, low=difference - half, high=difference + half, level=level, method=method)
    return Change(metric, figures[0], figures[1], change)


def _side(given: Any, column: str, customer: str | None, side: str) -> tuple[pd.Series[Any], pd.Series[Any] | None]:
    """Give the marks of one side, and who gave them."""
    if isinstance(given, list | tuple | np.ndarray | pd.Series):
        if customer is not None:
            raise DataError(f"{side} is a list of marks: to say who gave them (customer=…) hand in a table")
        column = side
        frame = pd.Series(given).rename(column).reset_index(drop=True).to_frame()
    else:
        frame = evaluation_frame(as_frame(given, what=side), [column, customer], what=side)
    marks = pd.Series(column_numbers(frame, column))
    return marks, None if customer is None else frame[customer]
