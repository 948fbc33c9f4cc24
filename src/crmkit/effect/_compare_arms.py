"""Compares the arms of an experiment: differences, lifts, adjustment, several arms, clusters, and peeking."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError, DataWarning
from crmkit.effect._always_valid import always_valid_p_value, always_valid_width, check_planned
from crmkit.effect._arm_means import ArmMeans, arm_means
from crmkit.effect._arm_rows import arm_rows, outcome_kind
from crmkit.effect._columns import as_names
from crmkit.effect._comparison import ArmComparison
from crmkit.effect._intervals import fieller, newcombe, newcombe_p_value, t_p_value, t_width
from crmkit.effect._simultaneous import adjusted_p_value, shared_control, simultaneous_level
from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

__all__ = ["compare_arms"]


@dataclass(frozen=True)
class _Rules:
    """How each difference gets its interval."""

    level: float
    sequential: bool
    planned: int
    shares: bool


def compare_arms(
    table: Any,
    *,
    outcome: str,
    arm: str = "arm",
    covariates: str | Sequence[str] = (),
    control: Any = None,
    cluster: str | None = None,
    allocation: Mapping[Any, float] | None = None,
    simultaneous: bool = True,
    sequential: bool = False,
    planned: int = 10_000,
    level: float = 0.95,
) -> ArmComparison:
    """Compare the mean outcome of each arm of an experiment with the control's.

    The rows must have been put into arms at random; then the difference of means is the effect. Shares without
    covariates get Newcombe's interval, all else Welch's t. Covariates known *before* the experiment (last year's spend)
    take noise off the outcome: each arm has its own regression on them (Lin 2013; CUPED is the special case of one
    covariate and one slope), with robust errors, and the table says how much variance they removed. Nothing measured
    after the assignment may be a covariate. The cost is one pass over the rows and one decomposition an arm.

    Parameters
    ----------
    table : table
        One row for each customer, or several with ``cluster``.
    outcome : str
        Column of numbers or truth values: bought or not, orders, spend, a mark's score (see ``scores``).
    arm : str, default="arm"
        Column that says which arm a row was assigned to (not what it got in the end).
    covariates : str or sequence of str, default=()
        Columns known before the assignment: numbers, truth values or categories. Missing values take the mean and an
        indicator of their own, with a warning.
    control : object, default=None
        The arm to compare with; where None, the one called control, holdout, placebo, 对照, 0 or False.
    cluster : str or None, default=None
        Rows of one cluster (a customer's orders) depend on each other: errors are cluster-robust, and units of
        assignment are clusters. A mean over orders is then the ratio of two totals of customers. Errors are
        bias-reduced (CR2), with t intervals that allow for few clusters and for clusters of unequal size.
    allocation : mapping of arm to float, or None
        The design's shares for the sample-ratio test; None where all arms were to be of one size.
    simultaneous : bool, default=True
        With several arms, intervals hold for all of them together (Dunnett). False gives each its own.
    sequential : bool, default=False
        Give always-valid intervals: they may be looked at every day, and the experiment stopped when 0 is outside,
        at the price of being wider (about 1.5 times near ``planned``). Without it, look once, at the planned end.
    planned : int, default=10_000
        Only for ``sequential``: the number of rows (clusters) at which the interval shall be narrowest. It must be
        fixed before the first look and stay the same at every look.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    ArmComparison
        ``table``, ``effects``, ``lifts``, ``sample_ratio``.

    Raises
    ------
    DataError
        If a column is missing or no number, there is no control, or an arm has too few rows.

    Warns
    -----
    DataWarning
        If the sizes are not as designed, outcomes or arms are missing, a covariate cannot be used or differs between
        the arms by more than chance (as one measured after the assignment does), customers have several rows and
        nothing says that they belong together, an arm has fewer than 20 clusters, or nothing varies.

    See Also
    --------
    compare_over_time : The same after each day, always-valid.
    sample_size : How many rows an experiment needs.

    References
    ----------
    Lin, W. (2013). Agnostic notes on regression adjustments to experimental data: reexamining Freedman's critique. The
    Annals of Applied Statistics 7, 295-318. doi:10.1214/12-AOAS583
    Deng, A., Xu, Y., Kohavi, R., & Walker, T. (2013). Improving the sensitivity of online controlled experiments by
    utilizing pre-experiment data. WSDM '13, 123-132. doi:10.1145/2433396.2433413

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.effect import compare_arms
    >>> stayed = np.repeat([1, 0, 1, 0], [300, 200, 260, 240])
    >>> table = pd.DataFrame({"arm": np.repeat(["call", "control"], 500), "stayed": stayed})
    >>> compare_arms(table, outcome="stayed").effect
    0.08 [0.01847, 0.1407] (n=1000, 95% newcombe)
    """
    level, planned = check_level(level), check_planned(planned)
    named = as_names(covariates, "covariates")
    if outcome in named or arm in named or outcome == arm:
        raise DataError("outcome, arm and covariates must be different columns")
    trial = arm_rows(table, outcome, arm, named, control, cluster, allocation)
    labels, codes, values, n_arms = trial.labels, trial.codes, trial.values, len(trial.labels)
    plain = adjusted = arm_means(values, codes, n_arms, cluster=trial.clusters)
    if trial.matrix.shape[1]:
        adjusted = arm_means(values, codes, n_arms, covariates=trial.matrix, cluster=trial.clusters)
    kind = outcome_kind(values)
    rules = _Rules(level, sequential, planned, kind == "binary" and adjusted is plain and trial.clusters is None)
    figures = _differences(plain, adjusted, rules, simultaneous=simultaneous)
    notes = [*trial.notes]
    if np.isnan(figures["p_value"].to_numpy()[1:]).any():
        notes.append("an outcome does not vary within the arms: such a difference has no interval")
    index = pd.Index(labels, name="arm", dtype=object)
    n = np.bincount(codes, minlength=n_arms)
    sizes = pd.DataFrame({"n": n, "units": plain.units, "missing": trial.lost, "mean": plain.means}, index=index)
    result = sizes.join(figures.set_axis(index))
    if adjusted is plain:
        result[["adjusted", "variance_reduction"]] = np.nan
    for note in notes:
        warnings.warn(note, DataWarning, stacklevel=2)
    return ArmComparison(
        table=result,
        outcome=outcome,
        control=labels[0],
        kind=kind,
        level=level,
        method=_method(rules, n_arms, simultaneous=simultaneous, clustered=trial.clusters is not None),
        sample_ratio=trial.ratio,
        covariates=trial.covariates,
        notes=tuple(notes),
    )


def _differences(plain: ArmMeans, adjusted: ArmMeans, rules: _Rules, *, simultaneous: bool) -> pd.DataFrame:
    """Give each arm's difference to the first, one row an arm."""
    n_arms = len(plain.means)
    variances = np.diag(adjusted.covariance)
    loadings = shared_control(float(variances[0]), variances[1:])
    level = rules.level
    if simultaneous and rules.sequential:
        level = 1 - (1 - level) / (n_arms - 1)
    elif simultaneous:
        level = simultaneous_level(level, loadings)
    rows = [dict.fromkeys(_FIGURES, np.nan) | {"adjusted": float(adjusted.means[0])}]
    for arm in range(1, n_arms):
        row = _one(plain, adjusted, arm, rules, level)
        if rules.sequential:
            row["p_adjusted"] = min(1.0, row["p_value"] * (n_arms - 1)) if simultaneous else row["p_value"]
        else:
            row["p_adjusted"] = adjusted_p_value(row["p_value"], loadings)
        rows.append(row)
    return pd.DataFrame(rows, columns=list(_FIGURES), dtype=np.float64)


_FIGURES = (
    "adjusted",
    "difference",
    "low",
    "high",
    "lift",
    "lift_low",
    "lift_high",
    "p_value",
    "p_adjusted",
    "variance_reduction",
)


def _one(plain: ArmMeans, adjusted: ArmMeans, arm: int, rules: _Rules, level: float) -> dict[str, float]:
    """Give the figures of one arm."""
    difference, error, freedom = adjusted.difference(arm, 0)
    n = int(adjusted.units.sum())
    if rules.sequential:
        if rules.shares:
            error = _guarded_error(plain, arm)
        width = float(always_valid_width(n, rules.planned, level))
        with np.errstate(divide="ignore", invalid="ignore"):
            p_value = float(always_valid_p_value(np.divide(difference, error), n, rules.planned, level))
    else:
        width, p_value = t_width(freedom, level), t_p_value(difference, error, freedom)
    low, high = (difference - width * error, difference + width * error) if error > 0 else (np.nan, np.nan)
    if rules.shares and not rules.sequential:
        units = (int(plain.units[arm]), int(plain.units[0]))
        hits = (float(np.round(plain.means[arm] * units[0])), float(np.round(plain.means[0] * units[1])))
        low, high = newcombe(hits, units, level=level)
        p_value = newcombe_p_value(hits, units)
    lift, lift_low, lift_high = fieller(adjusted, arm, 0, width)
    before = plain.difference(arm, 0)[1]
    return {
        "adjusted": float(adjusted.means[arm]),
        "difference": difference,
        "low": low,
        "high": high,
        "lift": lift,
        "lift_low": lift_low,
        "lift_high": lift_high,
        "p_value": p_value,
        "variance_reduction": 1 - (error / before) ** 2 if before > 0 and adjusted is not plain else np.nan,
    }


def _guarded_error(plain: ArmMeans, arm: int) -> float:
    """Give the standard error of a difference of shares with one hit and one miss more in each arm.

    An early look may find no hit at all, and an interval of no width would leave 0 out at the first.
    """
    total = 0.0
    for at in (arm, 0):
        n = float(plain.units[at])
        share = (float(plain.means[at]) * n + 1) / (n + 2)
        total += share * (1 - share) / n
    return float(np.sqrt(total))


def _method(rules: _Rules, n_arms: int, *, simultaneous: bool, clustered: bool) -> str:
    """Say how the intervals were made."""
    if rules.sequential:
        words = [f"always-valid, planned for {rules.planned:,}"]
    else:
        words = ["newcombe" if rules.shares else "welch"]
    if clustered:
        words.append("clustered")
    if simultaneous and n_arms > 2:
        words.append("bonferroni" if rules.sequential else "dunnett")
    return ", ".join(words)
