"""Before and after where units start one after another: effects by cohort and period, and their averages."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.effect._cluster_robust import FEW_CLUSTERS
from crmkit.effect._cohorts import Cohorts, cohorts_of
from crmkit.effect._columns import column_numbers, evaluation_frame, labels_and_codes
from crmkit.effect._intervals import t_p_value, t_width
from crmkit.effect._panel import PanelMeans, panel_means, present_rows
from crmkit.effect._simultaneous import joint_level
from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["StaggeredDifferences", "staggered_differences"]

_ALARM = 0.05
_METHOD = "group-time differences, t"


@dataclass(frozen=True)
class StaggeredDifferences:
    """How much more the treated changed than those not treated, where they started one after another.

    Attributes
    ----------
    effect : Estimate
        The mean over treated units of their mean effect over the periods since they started; ``n`` counts units.
    event_study : pandas.DataFrame
        Indexed by ``since_start`` (periods since a cohort's first treated one, which is 0): ``difference``, ``low``,
        ``high`` (of all rows together where they are simultaneous), ``p_value`` (of the row alone), ``n_treated``
        (units that tell of it) and ``after``. Rows below -1 are placebo effects; -1 is what all are relative to.
    by_cohort, by_period : pandas.DataFrame
        Mean effects by the period of the start and by calendar period: ``difference``, ``low``, ``high``, ``p_value``,
        ``n_treated``.
    cells : pandas.DataFrame
        Indexed by ``cohort`` and ``period``: each effect of its own, ``n_treated``, ``n_comparison`` (units) and
        ``after``.
    trend_p_value : float
        Of the test that all placebo effects of the event study are 0; NaN where there are none.
    outcome : str
        The outcome's column.
    comparison : {"never", "not-yet"}
        Who the treated are compared with.
    notes : tuple of str
        What a reader must know before believing the effect.
    """

    effect: Estimate
    event_study: pd.DataFrame
    by_cohort: pd.DataFrame
    by_period: pd.DataFrame
    cells: pd.DataFrame
    trend_p_value: float
    outcome: str
    comparison: str
    notes: tuple[str, ...] = field(default=())

    def _heads(self) -> list[str]:
        if np.isnan(self.trend_p_value):
            trend = "parallel trends cannot be tested: too few periods before the starts, or too few units"
        else:
            verdict = "NOT parallel" if self.trend_p_value < _ALARM else "no sign against parallel trends"
            trend = f"before the starts: {verdict} (p={self.trend_p_value:.2g}); this is no proof of what follows them"
        against = {"never": "never treated", "not-yet": "not yet treated"}[self.comparison]
        return [f"{self.outcome}, against the {against}: {self.effect!r}", trend, *self.notes]

    def __repr__(self) -> str:
        return "\n".join([*self._heads(), "", self.event_study.to_string(float_format="%.4g")])

    def _repr_html_(self) -> str:
        """Show the effect, the event study, and the effects by cohort and period."""
        shown = "".join(html.element("p", html.escape(line)) for line in self._heads())
        for table, caption in (
            (self.event_study, "by periods since the start"),
            (self.by_cohort, "by the period of the start"),
            (self.by_period, "by calendar period"),
        ):
            plain = table.reset_index()
            shown += html.table(list(plain.columns), plain.astype(object).to_numpy().tolist(), caption=caption)
        return shown


def staggered_differences(
    table: Any,
    *,
    outcome: str,
    period: str,
    first_treated: str,
    unit: str = "customer_id",
    comparison: Literal["never", "not-yet"] = "never",
    complete: bool = False,
    simultaneous: bool = True,
    level: float = 0.95,
    random_state: int = 0,
) -> StaggeredDifferences:
    """Estimate effects that nobody randomised, where units started one after another.

    The regression with unit and period effects compares late starters with early ones that are treated already; where
    effects grow or differ between cohorts its answer can have the wrong sign. Here each cohort (the units that started
    in one period) is compared in each period with units that are not treated, relative to the last period before its
    start, and these effects are averaged: over all treated, by periods since the start, by cohort, by calendar period
    (Callaway & Sant'Anna). It assumes that without treatment each cohort would have changed like those it is compared
    with, and that nothing worked before the start; the placebo effects speak for or against that. The cost is one pass
    over the rows and the square of the number of cohorts times periods.

    Parameters
    ----------
    table : table
        One row for each unit and period.
    outcome : str
        Column of numbers or truth values; see ``scores`` for marks.
    period : str
        Column of periods, in anything that sorts; they count in their order, without gaps.
    first_treated : str
        Column with the first period in which the treatment worked on the unit, the same in all its rows; missing where
        it never did. A start after the last period counts as never.
    unit : str, default="customer_id"
        Errors are clustered by it.
    comparison : {"never", "not-yet"}, default="never"
        Compare with units that are never treated, or with all that are not treated yet in the period, which are more
        but must not change in the expectation of it.
    complete : bool, default=False
        Use only units that are there in every period.
    simultaneous : bool, default=True
        Intervals of the event study (and of the cells) cover all their rows together. False gives each its own.
    level : float, default=0.95
        Nominal coverage.
    random_state : int, default=0
        Of the draws behind simultaneous intervals.

    Returns
    -------
    StaggeredDifferences
        ``effect``, ``event_study``, ``by_cohort``, ``by_period``, ``cells``.

    Raises
    ------
    DataError
        If a column is missing, a unit has several starts, or nobody is left to compare with.

    Warns
    -----
    DataWarning
        If the cohorts did not move alike before their starts, units are left out or come and go, or there are few.

    See Also
    --------
    difference_in_differences : Where all start in the same period.

    Notes
    -----
    Effects are averaged with the cohorts' sizes as they are: the interval speaks of cohorts of these sizes. All
    averages are linear in the cohorts' means, so that the simultaneous limit is drawn from their joint normal
    distribution, which is the multiplier bootstrap with normal multipliers at no cost a unit.

    References
    ----------
    Callaway, B., & Sant'Anna, P. H. C. (2021). Difference-in-differences with multiple time periods. Journal of
    Econometrics 225, 200-230. doi:10.1016/j.jeconom.2020.12.001
    Goodman-Bacon, A. (2021). Difference-in-differences with variation in treatment timing. Journal of Econometrics 225,
    254-277. doi:10.1016/j.jeconom.2021.03.014

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.effect import staggered_differences
    >>> rng = np.random.default_rng(0)
    >>> panel = pd.DataFrame({"shop": np.repeat(np.arange(300), 8), "month": np.tile(np.arange(8), 300)})
    >>> panel["coached"] = np.array([3, 5, np.nan])[panel["shop"] % 3]
    >>> since = panel["month"] - panel["coached"]
    >>> panel["score"] = 0.1 * panel["month"] + (1 + since).where(since >= 0, 0) + rng.normal(size=2400)
    >>> result = staggered_differences(panel, outcome="score", period="month", first_treated="coached", unit="shop")
    >>> result.by_cohort["difference"].round(1).to_dict()
    {3: 2.9, 5: 2.1}
    """
    level = check_level(level)
    if comparison not in {"never", "not-yet"}:
        raise DataError(f"comparison must be 'never' or 'not-yet', got {comparison!r}")
    frame = evaluation_frame(table, [outcome, period, first_treated, unit])
    values = column_numbers(frame, outcome)
    periods, when = labels_and_codes(frame[period])
    units = pd.factorize(frame[unit])[0].astype(np.intp)
    for name, codes in ((period, when), (unit, units)):
        if (codes < 0).any():
            raise DataError(f"{name} is missing in {positions(codes < 0)}")
    usable, notes = np.isfinite(values), []
    if not usable.all():
        notes.append(f"{outcome} is missing in {int((~usable).sum()):,} rows, which are left out")
    usable, told = present_rows(usable, units, when, len(periods), complete=complete)
    cohorts = cohorts_of(frame[first_treated], units, usable, periods, period)
    values, when, units = values[cohorts.rows], when[cohorts.rows], units[cohorts.rows]
    panel = panel_means(values, cohorts.group, when, units, (len(cohorts.starts), len(periods)))
    notes += [*told, *cohorts.notes]
    cells, weights = _cells(panel, cohorts, periods, comparison)
    fewest = int(panel.units.min())
    if fewest < FEW_CLUSTERS:
        notes.append(
            f"a cohort or the comparison has {fewest} units only: it tells little, and of lopsided outcomes less"
        )
    placebo, study = _event_study(panel, cells, weights)
    trend = panel.none_differs(placebo) if len(placebo) else float("nan")
    if trend < _ALARM:
        notes.append(
            f"before their starts the cohorts did not move like those they are compared with (p={trend:.2g}): the "
            "effects also hold what would have happened anyway"
        )
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=2)
    after = cells["after"].to_numpy(dtype=bool)
    by_cohort = _averages(panel, cells[after], weights[after], "cohort")
    by_period = _averages(panel, cells[after], weights[after], "period")
    sizes = by_cohort[0]["n_treated"].to_numpy(dtype=np.float64)
    overall = np.tensordot(sizes / sizes.sum(), by_cohort[1], axes=1)
    seed = np.random.default_rng(random_state) if simultaneous else None
    return StaggeredDifferences(
        effect=_estimate(panel, overall, level),
        event_study=_with_base(_figures(panel, *study, level, seed)),
        by_cohort=_figures(panel, *by_cohort, level, None),
        by_period=_figures(panel, *by_period, level, None),
        cells=_figures(panel, cells.set_index(["cohort", "period"]).drop(columns="since_start"), weights, level, seed),
        trend_p_value=trend,
        outcome=outcome,
        comparison=comparison,
        notes=tuple(notes),
    )


def _cells(
    panel: PanelMeans, cohorts: Cohorts, periods: list[Any], comparison: str
) -> tuple[pd.DataFrame, npt.NDArray[np.float64]]:
    """Give each cohort's effect in each period as weights of the means."""
    size = len(periods)
    rows, weights = [], []
    for at, start in enumerate(cohorts.starts):
        if start == size:
            continue
        base = start - 1
        for now in range(size):
            if now == base:
                continue
            others = [
                other
                for other, begin in enumerate(cohorts.starts)
                if begin == size or (comparison == "not-yet" and begin > max(now, base) and other != at)
            ]
            own = np.zeros(panel.means.shape)
            for when, sign in ((now, 1.0), (base, -1.0)):
                own[at, when] += sign
                counts = panel.rows[others, when]
                if not counts.sum() or not panel.rows[at, when]:
                    break
                own[others, when] -= sign * counts / counts.sum()
            else:
                rows.append(
                    {
                        "cohort": periods[start],
                        "period": periods[now],
                        "n_treated": int(panel.units[at]),
                        "n_comparison": int(panel.units[others].sum()),
                        "after": now >= start,
                        "since_start": now - start,
                    }
                )
                weights.append(own)
    table = pd.DataFrame(rows)
    if not len(table) or not table["after"].any():
        hints = [] if comparison == "not-yet" else ["comparison='not-yet' takes those that start later"]
        raise DataError("; ".join(["nobody who is never treated is left to compare with", *hints, *cohorts.notes]))
    return table, np.array(weights)


def _averages(
    panel: PanelMeans, cells: pd.DataFrame, weights: npt.NDArray[np.float64], by: str
) -> tuple[pd.DataFrame, npt.NDArray[np.float64]]:
    """Average cells by a column, by the size of their cohorts."""
    labels, codes = labels_and_codes(cells[by])
    sizes = cells["n_treated"].to_numpy(dtype=np.float64)
    averaged = np.zeros((len(labels), *panel.means.shape))
    np.add.at(averaged, codes, weights * sizes[:, None, None])
    total = np.bincount(codes, weights=sizes)
    once = cells.assign(code=codes).drop_duplicates(["code", "cohort"])
    n_treated = np.bincount(once["code"], weights=once["n_treated"])
    table = pd.DataFrame({"n_treated": n_treated.astype(np.int64)}, index=pd.Index(labels, name=by))
    return table, averaged / total[:, None, None]


def _event_study(
    panel: PanelMeans, cells: pd.DataFrame, weights: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], tuple[pd.DataFrame, npt.NDArray[np.float64]]]:
    """Average cells by the periods since the start, and give those of the placebos by themselves."""
    table, averaged = _averages(panel, cells, weights, "since_start")
    table["after"] = table.index.to_numpy() >= 0
    return averaged[~table["after"].to_numpy(dtype=bool)], (table, averaged)


def _with_base(table: pd.DataFrame) -> pd.DataFrame:
    """Add the period that all others are relative to."""
    base = {"difference": 0.0, "low": 0.0, "high": 0.0, "p_value": np.nan, "n_treated": 0, "after": False}
    base["n_treated"] = int(table["n_treated"].max())
    row = pd.DataFrame([base], index=pd.Index([-1], name=table.index.name))
    return pd.concat([table, row[table.columns]]).sort_index()


def _figures(
    panel: PanelMeans,
    table: pd.DataFrame,
    weights: npt.NDArray[np.float64],
    level: float,
    draws: np.random.Generator | None,
) -> pd.DataFrame:
    """Give weighted sums with their intervals, for all of them together where there is a generator."""
    each = level if draws is None else joint_level(level, panel.covariance(weights), draws)
    rows = []
    for one in weights:
        value, error, freedom = panel.contrast(one)
        half = t_width(freedom, each) * error if error > 0 else np.nan
        rows.append((value, value - half, value + half, t_p_value(value, error, freedom)))
    figures = pd.DataFrame(rows, columns=["difference", "low", "high", "p_value"], index=table.index)
    return figures.join(table)


def _estimate(panel: PanelMeans, weights: npt.NDArray[np.float64], level: float) -> Estimate:
    """Give a weighted sum as an estimate."""
    value, error, freedom = panel.contrast(weights)
    half = t_width(freedom, level) * error if error > 0 else np.nan
    return Estimate(value, n=int(panel.units.sum()), low=value - half, high=value + half, level=level, method=_METHOD)
