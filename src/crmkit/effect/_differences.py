"""Before and after with a comparison group: differences in differences and the event study behind them."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import fdtrc

from crmkit.core import html
from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.effect._cluster_robust import FEW_CLUSTERS
from crmkit.effect._columns import column_numbers, evaluation_frame, labels_and_codes
from crmkit.effect._intervals import t_p_value, t_width
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
    treated units start in the same period: where they start one after another, the usual regression mixes up early and
    late ones, so compare each cohort with the never treated. The cost is one pass over the rows.

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
        usable = _present(usable, units, when, len(periods), notes, complete=complete)
    values, group, when = values[usable], group[usable], when[usable]
    units = pd.factorize(units[usable])[0].astype(np.intp)
    first = _first_after(periods, start, period)
    _check_groups(group, when, units, periods, treated, unit)
    means, rows, covariance = _cells(values, group, when, units, len(periods))
    n_units = [len(np.unique(units[group == side])) for side in (0, 1)]
    if min(n_units) < FEW_CLUSTERS:
        notes.append(
            f"only {min(n_units)} units in one group: the interval allows for their number, not for outcomes that are "
            "very lopsided or units of very unequal size"
        )
    size = len(periods)
    after = np.arange(size) >= first
    total = np.where(after, 1 / after.sum(), -1 / (~after).sum())
    study = _study(total, means, covariance, n_units, first, periods, level)
    effect = _estimate(total, means, covariance, n_units, level)
    trend, placebo = _trend(means, covariance, n_units, first, level)
    if np.isnan(effect.low):
        notes.append(f"{outcome} changes alike in all units of a group: such a difference has no interval")
    if trend < _ALARM:
        notes.append(
            f"before the start the groups did not move alike (p={trend:.2g}): the difference in differences "
            "also holds what would have happened anyway"
        )
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=2)
    index = pd.Index(periods, name="period")
    table_of_means = pd.DataFrame(
        {
            "treated": means[1],
            "comparison": means[0],
            "n_treated": rows[1].astype(np.int64),
            "n_comparison": rows[0].astype(np.int64),
        },
        index=index,
    )
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


def _present(
    usable: npt.NDArray[np.bool_],
    units: npt.NDArray[np.intp],
    when: npt.NDArray[np.intp],
    n_periods: int,
    notes: list[str],
    *,
    complete: bool,
) -> npt.NDArray[np.bool_]:
    """Say which rows are used, and tell of units that are not there in every period."""
    pairs = np.unique(np.column_stack([units[usable], when[usable]]), axis=0)
    seen = np.bincount(pairs[:, 0], minlength=int(units.max()) + 1)
    partly = (seen > 0) & (seen < n_periods)
    if not partly.any():
        return usable
    if not complete:
        notes.append(
            f"{int(partly.sum()):,} of {int((seen > 0).sum()):,} units are not there in every period, so that who is "
            "compared changes; complete=True leaves them out"
        )
        return usable
    notes.append(f"{int(partly.sum()):,} units that are not there in every period are left out")
    return np.asarray(usable & (seen[units] == n_periods), dtype=bool)


def _first_after(periods: list[Any], start: Any, period: str) -> int:
    """Find the first period at or after the start."""
    try:
        begin = as_period(start, periods[0])
        first = next((at for at, one in enumerate(periods) if one >= begin), len(periods))
    except (TypeError, ValueError):
        raise DataError(
            f"start must be a value like those of {period} ({type(periods[0]).__name__}), got {type(start).__name__}"
        ) from None
    if not 0 < first < len(periods):
        raise DataError(f"start must leave periods on both sides: {first} of {len(periods)} lie before it")
    return first


def as_period(value: Any, like: Any) -> Any:
    """Read a text as a time or calendar period, where the periods are such.

    Parameters
    ----------
    value : object
        What was given.
    like : object
        One of the periods.

    Returns
    -------
    object
        In the kind of ``like`` where it was text; a time without a zone is in that of ``like``.

    Raises
    ------
    ValueError
        If the text is no time.
    """
    if not isinstance(value, str):
        return value
    if isinstance(like, pd.Period):
        return pd.Period(value, freq=like.freqstr)
    if isinstance(like, pd.Timestamp):
        time = pd.Timestamp(value)
        return time.tz_localize(like.tz) if time.tz is None and like.tz is not None else time
    return value


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
            "belongs to the treated, also before the start; where units start at different times, compare each cohort "
            "with the never treated"
        )
    counts = np.bincount(2 * when + group, minlength=2 * len(periods)).reshape(-1, 2)
    empty = (counts == 0).any(axis=1)
    if empty.any():
        lacking = ", ".join(str(one) for one, is_empty in zip(periods, empty.tolist(), strict=True) if is_empty)
        raise DataError(f"one of the two groups has no row in period {lacking}")
    for side, name in ((1, "treated"), (0, "comparison")):
        if len(np.unique(units[group == side])) < 2:
            raise DataError(f"the {name} group has a single unit: nothing tells how far units differ")


def _cells(
    values: npt.NDArray[np.float64],
    group: npt.NDArray[np.intp],
    when: npt.NDArray[np.intp],
    units: npt.NDArray[np.intp],
    n_periods: int,
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]]:
    """Give the mean and rows of each group and period, and each group's covariance of its means over periods."""
    means, rows = np.empty((2, n_periods)), np.empty((2, n_periods))
    covariances = []
    for side in (0, 1):
        own = group == side
        codes = pd.factorize(units[own])[0]
        rows[side] = np.bincount(when[own], minlength=n_periods)
        means[side] = np.bincount(when[own], weights=values[own], minlength=n_periods) / rows[side]
        residual = (values[own] - means[side][when[own]]) / rows[side][when[own]]
        n_units = int(codes.max()) + 1
        influence = np.bincount(codes * n_periods + when[own], weights=residual, minlength=n_units * n_periods)
        influence = influence.reshape(n_units, n_periods)
        covariances.append(influence.T @ influence * n_units / (n_units - 1))
    return means, rows, (covariances[0], covariances[1])


def _contrast(
    weights: npt.NDArray[np.float64],
    means: npt.NDArray[np.float64],
    covariance: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    n_units: list[int],
) -> tuple[float, float, float]:
    """Give a weighted sum of the groups' differences over periods, its standard error, and Welch's freedom."""
    own = np.array([float(weights @ one @ weights) for one in covariance])
    spread = float(np.sum(own**2 / (np.array(n_units) - 1)))
    freedom = float(own.sum() ** 2 / spread) if spread > 0 else float(sum(n_units) - 2)
    return float(weights @ (means[1] - means[0])), float(np.sqrt(own.sum())), freedom


def _estimate(
    weights: npt.NDArray[np.float64],
    means: npt.NDArray[np.float64],
    covariance: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    n_units: list[int],
    level: float,
) -> Estimate:
    """Give a contrast with its interval."""
    value, error, freedom = _contrast(weights, means, covariance, n_units)
    half = t_width(freedom, level) * error if error > 0 else np.nan
    return Estimate(
        value, n=sum(n_units), low=value - half, high=value + half, level=level, method="difference in differences, t"
    )


def _study(
    total: npt.NDArray[np.float64],
    means: npt.NDArray[np.float64],
    covariance: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    n_units: list[int],
    first: int,
    periods: list[Any],
    level: float,
) -> pd.DataFrame:
    """Give each period's difference less that of the last period before the start."""
    rows = []
    for at in range(len(total)):
        weights = np.zeros(len(total))
        weights[at] += 1
        weights[first - 1] -= 1
        if at == first - 1:
            rows.append({"difference": 0.0, "low": 0.0, "high": 0.0, "p_value": np.nan, "after": False})
            continue
        one = _estimate(weights, means, covariance, n_units, level)
        p_value = t_p_value(*_contrast(weights, means, covariance, n_units))
        rows.append(
            {"difference": float(one), "low": one.low, "high": one.high, "p_value": p_value, "after": at >= first}
        )
    return pd.DataFrame(rows, index=pd.Index(periods, name="period"))


def _trend(
    means: npt.NDArray[np.float64],
    covariance: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]],
    n_units: list[int],
    first: int,
    level: float,
) -> tuple[float, Estimate | None]:
    """Test that no period before the start shows an effect, all of them together."""
    if first < 2:
        return float("nan"), None
    size = means.shape[1]
    contrasts = np.zeros((first - 1, size))
    contrasts[np.arange(first - 1), np.arange(first - 1)] = 1
    contrasts[:, first - 1] = -1
    gaps = contrasts @ (means[1] - means[0])
    spread = contrasts @ (covariance[0] + covariance[1]) @ contrasts.T
    rank = int(np.linalg.matrix_rank(spread))
    placebo = _estimate(contrasts[0], means, covariance, n_units, level)
    freedom = sum(n_units) - 2
    if rank < 1 or freedom <= rank:
        return float("nan"), placebo
    statistic = float(gaps @ np.linalg.pinv(spread, hermitian=True) @ gaps)
    # Hotelling's T^2: the covariance is estimated from as many units.
    return float(fdtrc(rank, freedom - rank + 1, statistic * (freedom - rank + 1) / (rank * freedom))), placebo
