"""Before and after with a comparison group: differences in differences and the event study behind them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.effect._cluster_robust import FEW_CLUSTERS
from crmkit.effect._columns import column_numbers, evaluation_frame, labels_and_codes
from crmkit.effect._intervals import t_p_value, t_width
from crmkit.effect._panel import PanelMeans, first_period_at, panel_means, present_rows
from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["DifferenceInDifferences", "difference_in_differences"]

_ALARM = 0.05


@dataclass(frozen=True)
class DifferenceInDifferences:
    """How much more the treated changed than the others.

    Attributes
    ----------
    effect : Estimate
        Mean difference of the groups after the start, less that before it; ``n`` counts units.
    means : pandas.DataFrame
        Indexed by ``period``: ``treated``, ``comparison``, ``n_treated``, ``n_comparison`` (rows).
    event_study : pandas.DataFrame
        Indexed by ``period``: ``difference`` of the groups less that of the last period before the start (``base``),
        ``low``, ``high``, ``p_value``, ``after``. Before the start they are placebo effects: they should be about 0.
    trend_p_value : float
        Of the test that all placebo effects are 0; NaN where only one period lies before the start.
    placebo : Estimate or None
        The steepest sign of a different trend: the placebo effect of the first period before the start.
    outcome : str
        The outcome's column.
    base : object
        The period that the event study is relative to.
    notes : tuple of str
        What a reader must know before believing the effect.
    """

    effect: Estimate
    means: pd.DataFrame
    event_study: pd.DataFrame
    trend_p_value: float
    placebo: Estimate | None
    outcome: str
    base: Any
    notes: tuple[str, ...] = field(default=())

    def _heads(self) -> list[str]:
        if self.placebo is None:
            trend = "parallel trends cannot be tested: only one period lies before the start"
        elif np.isnan(self.trend_p_value):
            trend = "parallel trends cannot be tested: too few units, or nothing varies"
        else:
            verdict = "NOT parallel" if self.trend_p_value < _ALARM else "no sign against parallel trends"
            trend = f"before the start: {verdict} (p={self.trend_p_value:.2g}); this is no proof of what follows it"
        return [f"{self.outcome}: {self.effect!r}", trend, *self.notes]

    def __repr__(self) -> str:
        return "\n".join([*self._heads(), "", self.event_study.to_string(float_format="%.4g")])

    def _repr_html_(self) -> str:
        """Show the effect, the test of its assumption, and the event study."""
        shown = "".join(html.element("p", html.escape(line)) for line in self._heads())
        plain = self.event_study.reset_index()
        rows = plain.astype(object).to_numpy().tolist()
        return shown + html.table(list(plain.columns), rows, caption=f"event study, relative to {self.base}")


def difference_in_differences(
    table: Any,
    *,
    outcome: str,
    treated: str,
    period: str,
    start: Any,
    unit: str | None = "customer_id",
    complete: bool = False,
    level: float = 0.95,
) -> DifferenceInDifferences:
    """Estimate an effect that nobody randomised, from the change of a treated group less that of a comparison group.

    It assumes that without treatment both groups would have changed alike (parallel trends). That cannot be proved;
    what can be looked at are the periods before the start, in which nothing was done: their placebo effects and the
    test of all of them together are part of the result. A test that finds nothing in few rows proves little. All
    treated units start in the same period: where they start one after another, take ``staggered_differences``. The cost
    is one pass over the rows.

    Parameters
    ----------
    table : table
        One row for each unit and period (a panel), or each answer (repeated cross-sections, ``unit=None``).
    outcome : str
        Column of numbers or truth values; see ``scores`` for marks.
    treated : str
        Column of truth values (or 0 and 1): belongs to the treated group, before and after the start alike.
    period : str
        Column of periods, in anything that sorts.
    start : object
        The first period in which the treatment worked; of times and calendar periods also as text.
    unit : str or None, default="customer_id"
        Errors are clustered by it, whatever happens within a unit over time. Where treatment was given to shops,
        it is the shop, not the customer. None takes each row as independent.
    complete : bool, default=False
        Use only units that are there in every period. Else units that come and go change who is compared, which is
        told in a warning.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    DifferenceInDifferences
        ``effect``, ``event_study``, ``trend_p_value``.

    Raises
    ------
    DataError
        If a column is missing, a unit is in both groups, or a period lacks a group.

    Warns
    -----
    DataWarning
        If the groups did not move alike before the start, units come and go, rows are left out, there are fewer than 20
        units in a group, or nothing varies.

    See Also
    --------
    staggered_differences : Where units start one after another.

    Notes
    -----
    In a balanced panel the effect is that of the regression with unit and period effects. Errors come from the units'
    summed influence on all means, with Welch's degrees of freedom.

    References
    ----------
    Bertrand, M., Duflo, E., & Mullainathan, S. (2004). How much should we trust differences-in-differences estimates?
    The Quarterly Journal of Economics 119, 249-275. doi:10.1162/003355304772839588
    Roth, J. (2022). Pretest with caution: event-study estimates after testing for parallel trends. American Economic
    Review: Insights 4, 305-322. doi:10.1257/aeri.20210236

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.effect import difference_in_differences
    >>> rng = np.random.default_rng(1)
    >>> panel = pd.DataFrame({"customer_id": np.repeat(np.arange(300), 6), "month": np.tile(np.arange(6), 300)})
    >>> panel["coached"] = panel["customer_id"] % 2 == 0
    >>> own = rng.normal(size=300)[panel["customer_id"]]
    >>> panel["score"] = own + 0.1 * panel["month"] + 0.5 * (panel["coached"] & (panel["month"] >= 4))
    >>> panel["score"] += rng.normal(size=1800)
    >>> result = difference_in_differences(panel, outcome="score", treated="coached", period="month", start=4)
    >>> result.effect.low < 0.5 < result.effect.high
    True
    """
    level = check_level(level)
    frame = evaluation_frame(table, [outcome, treated, period, unit])
    values = column_numbers(frame, outcome)
    group = _group(frame, treated)
    periods, when = labels_and_codes(frame[period])
    if (when < 0).any():
        raise DataError(f"{period} is missing in {positions(when < 0)}")
    units = np.arange(len(frame)) if unit is None else pd.factorize(frame[unit])[0].astype(np.intp)
    if (units < 0).any():
        raise DataError(f"{unit} is missing in {positions(units < 0)}")
    notes: list[str] = []
    usable = np.isfinite(values)
    if not usable.all():
        notes.append(f"{outcome} is missing in {int((~usable).sum()):,} rows, which are left out")
    if unit is not None:
        usable, told = present_rows(usable, units, when, len(periods), complete=complete)
        notes += told
    values, group, when = values[usable], group[usable], when[usable]
    units = pd.factorize(units[usable])[0].astype(np.intp)
    first = _first_after(periods, start, period)
    _check_groups(group, when, units, periods, treated, unit)
    panel = panel_means(values, group, when, units, (2, len(periods)))
    fewest = int(panel.units.min())
    if fewest < FEW_CLUSTERS:
        notes.append(
            f"only {fewest} units in one group: the interval allows for their number, not for outcomes that are very "
            "lopsided or units of very unequal size"
        )
    after = np.arange(len(periods)) >= first
    effect = _estimate(panel, np.where(after, 1 / after.sum(), -1 / (~after).sum()), level)
    trend, placebo = _trend(panel, first, level)
    if np.isnan(effect.low):
        notes.append(f"{outcome} changes alike in all units of a group: such a difference has no interval")
    if trend < _ALARM:
        notes.append(
            f"before the start the groups did not move alike (p={trend:.2g}): the difference in differences "
            "also holds what would have happened anyway"
        )
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=2)
    table_of_means = pd.DataFrame(
        {
            "treated": panel.means[1],
            "comparison": panel.means[0],
            "n_treated": panel.rows[1].astype(np.int64),
            "n_comparison": panel.rows[0].astype(np.int64),
        },
        index=pd.Index(periods, name="period"),
    )
    study = _study(panel, first, periods, level)
    return DifferenceInDifferences(
        effect, table_of_means, study, trend, placebo, outcome, periods[first - 1], tuple(notes)
    )


def _group(frame: pd.DataFrame, treated: str) -> npt.NDArray[np.intp]:
    """Give 1 for the treated group and 0 for the other."""
    numbers = column_numbers(frame, treated)
    wrong = ~((numbers == 0) | (numbers == 1))
    if wrong.any():
        raise DataError(f"{treated} must be true or false; {positions(wrong)} are not")
    return numbers.astype(np.intp)


def _first_after(periods: list[Any], start: Any, period: str) -> int:
    """Find the first period at or after the start, which must leave periods on both sides."""
    first = first_period_at(periods, start, period)
    if not 0 < first < len(periods):
        raise DataError(f"start must leave periods on both sides: {first} of {len(periods)} lie before it")
    return first


def _check_groups(
    group: npt.NDArray[np.intp],
    when: npt.NDArray[np.intp],
    units: npt.NDArray[np.intp],
    periods: list[Any],
    treated: str,
    unit: str | None,
) -> None:
    """Refuse units in both groups, and periods without one of the groups."""
    if not len(group):
        raise DataError("no row is left to compare")
    both = np.bincount(units, weights=group) / np.bincount(units)
    mixed = (both > 0) & (both < 1)
    if mixed.any():
        raise DataError(
            f"{int(mixed.sum()):,} units change their group: {treated} must say for all rows of a {unit} whether it "
            "belongs to the treated, also before the start; where units start at different times, take "
            "staggered_differences"
        )
    counts = np.bincount(2 * when + group, minlength=2 * len(periods)).reshape(-1, 2)
    empty = (counts == 0).any(axis=1)
    if empty.any():
        lacking = ", ".join(str(one) for one, is_empty in zip(periods, empty.tolist(), strict=True) if is_empty)
        raise DataError(f"one of the two groups has no row in period {lacking}")
    for side, name in ((1, "treated"), (0, "comparison")):
        if len(np.unique(units[group == side])) < 2:
            raise DataError(f"the {name} group has a single unit: nothing tells how far units differ")


def _estimate(panel: PanelMeans, weights: npt.NDArray[np.float64], level: float) -> Estimate:
    """Give a weighted sum over periods of the groups' differences, with its interval."""
    value, error, freedom = panel.contrast(_both(weights))
    half = t_width(freedom, level) * error if error > 0 else np.nan
    n = int(panel.units.sum())
    return Estimate(value, n=n, low=value - half, high=value + half, level=level, method="difference in differences, t")


def _both(weights: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Weight the treated as said and the comparison group the other way."""
    return np.stack([-weights, weights], axis=-2)


def _study(panel: PanelMeans, first: int, periods: list[Any], level: float) -> pd.DataFrame:
    """Give each period's difference less that of the last period before the start."""
    rows = []
    for at, weights in enumerate(_from_base(len(periods), first - 1)):
        if at == first - 1:
            rows.append({"difference": 0.0, "low": 0.0, "high": 0.0, "p_value": np.nan, "after": False})
            continue
        one = _estimate(panel, weights, level)
        p_value = t_p_value(*panel.contrast(_both(weights)))
        rows.append(
            {"difference": float(one), "low": one.low, "high": one.high, "p_value": p_value, "after": at >= first}
        )
    return pd.DataFrame(rows, index=pd.Index(periods, name="period"))


def _from_base(n_periods: int, base: int) -> npt.NDArray[np.float64]:
    """Give the weights of each period less the base."""
    weights = np.eye(n_periods)
    weights[:, base] -= 1
    return weights


def _trend(panel: PanelMeans, first: int, level: float) -> tuple[float, Estimate | None]:
    """Test that no period before the start shows an effect, all of them together."""
    if first < 2:
        return float("nan"), None
    before = _from_base(panel.means.shape[1], first - 1)[: first - 1]
    return panel.none_differs(_both(before)), _estimate(panel, before[0], level)
