"""How many customers an experiment needs, and what it can see with those there are."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from scipy.optimize import brentq
from scipy.special import ndtr, stdtrit
from scipy.stats import nct

from crmkit.core.errors import DataError
from crmkit.effect._always_valid import always_valid_width
from crmkit.metrics.intervals import check_level, normal_quantile

__all__ = ["SampleSize", "detectable_effect", "power", "sample_size"]

_MOST = 10**12


@dataclass(frozen=True)
class SampleSize:
    """The customers that an experiment needs.

    Attributes
    ----------
    control, treated : int
        Rows of the control and of each other arm.
    power : float
        What these whole numbers reach.
    control_clusters, treated_clusters : int or None
        The same in clusters, where rows come in clusters.
    """

    control: int
    treated: int
    power: float
    control_clusters: int | None = None
    treated_clusters: int | None = None

    @property
    def total(self) -> int:
        """Rows of the control and one other arm."""
        return self.control + self.treated


@dataclass(frozen=True)
class _Design:
    """What is known of an experiment before it begins."""

    baseline: float | None
    sd: float | None
    ratio: float
    level: float
    variance_reduction: float
    design_effect: float
    cluster_size: float
    clustered: bool
    sequential: bool

    def power(self, effect: float, control: float) -> float:
        """Give the chance to find an effect with so many rows in the control."""
        treated = control * self.ratio
        kept = (1 - self.variance_reduction) * self.design_effect
        if self.baseline is None:
            null = other = (self.sd or 0.0) * math.sqrt(kept * (1 / control + 1 / treated))
        else:
            share = self.baseline + effect
            pooled = (self.baseline + self.ratio * share) / (1 + self.ratio)
            null = math.sqrt(kept * pooled * (1 - pooled) * (1 / control + 1 / treated))
            own = self.baseline * (1 - self.baseline) / control + share * (1 - share) / treated
            other = math.sqrt(kept * own)
        freedom = (control + treated) / (self.cluster_size if self.clustered else 1) - 2
        if self.sequential:
            n = (control + treated) / (self.cluster_size if self.clustered else 1)
            limit = float(always_valid_width(n, max(1, round(n)), self.level))
        elif self.baseline is None or self.clustered:
            if freedom <= 0:
                return 0.0
            limit = float(stdtrit(freedom, 0.5 + self.level / 2))
        else:
            limit = normal_quantile(self.level)
        if null == 0 or other == 0:
            return 1.0
        if self.baseline is None and not self.sequential and freedom < 1000:
            shift = abs(effect) / other
            # The far tail is at most half of 1 - level and falls as the shift grows.
            return float(nct.sf(limit, freedom, shift) + ndtr(-limit - shift))
        return float(ndtr((abs(effect) - limit * null) / other) + ndtr((-abs(effect) - limit * null) / other))


def _design(
    *,
    baseline: float | None,
    sd: float | None,
    ratio: float,
    level: float,
    comparisons: int,
    variance_reduction: float,
    cluster_size: float,
    cluster_size_variation: float,
    intracluster: float,
    sequential: bool,
) -> _Design:
    """Check what is known and put it together."""
    if (baseline is None) == (sd is None):
        raise DataError("give either baseline= (the control's share, for shares) or sd= (for means)")
    if baseline is not None and not 0 < baseline < 1:
        raise DataError(f"baseline is a share between 0 and 1, got {baseline!r}")
    rules: list[tuple[str, Any, bool, str]] = [
        ("sd", sd, sd is None or (math.isfinite(sd) and sd > 0), "above 0"),
        ("ratio", ratio, math.isfinite(ratio) and ratio > 0, "above 0"),
        ("comparisons", comparisons, comparisons >= 1, "at least 1"),
        ("variance_reduction", variance_reduction, 0 <= variance_reduction < 1, "from 0 to below 1"),
        ("cluster_size", cluster_size, math.isfinite(cluster_size) and cluster_size >= 1, "at least 1"),
        ("cluster_size_variation", cluster_size_variation, cluster_size_variation >= 0, "at least 0"),
        ("intracluster", intracluster, 0 <= intracluster <= 1, "from 0 to 1"),
    ]
    wrong = [f"{name} must be {expected}, got {value!r}" for name, value, holds, expected in rules if not holds]
    if wrong:
        raise DataError("; ".join(wrong))
    return _Design(
        baseline=baseline,
        sd=sd,
        ratio=ratio,
        level=1 - (1 - check_level(level)) / comparisons,
        variance_reduction=variance_reduction,
        design_effect=1 + ((1 + cluster_size_variation**2) * cluster_size - 1) * intracluster,
        cluster_size=cluster_size,
        clustered=cluster_size > 1,
        sequential=sequential,
    )


def _check_effect(effect: float, design: _Design) -> None:
    """Refuse an effect that cannot be."""
    if not math.isfinite(effect) or effect == 0:
        raise DataError(f"effect must be a number other than 0, got {effect!r}")
    if design.baseline is not None and not 0 < design.baseline + effect < 1:
        raise DataError(f"a share of {design.baseline:g} cannot change by {effect:g}")


def power(
    effect: float,
    *,
    n: int,
    baseline: float | None = None,
    sd: float | None = None,
    ratio: float = 1.0,
    comparisons: int = 1,
    variance_reduction: float = 0.0,
    cluster_size: float = 1,
    cluster_size_variation: float = 0.0,
    intracluster: float = 0.0,
    sequential: bool = False,
    level: float = 0.95,
) -> float:
    """Give the chance that an experiment of this size finds an effect of this size (two-sided).

    Parameters
    ----------
    effect : float
        The true difference to the control, in the outcome's unit (0.02 for two points of a share).
    n : int
        Rows of the control.
    baseline : float or None
        The control's share, where the outcome is a share.
    sd : float or None
        The outcome's standard deviation within an arm, where it is a mean.
    ratio : float, default=1.0
        Rows of the treated arm for each row of the control.
    comparisons : int, default=1
        How many arms are compared with the control (Bonferroni, a little more than Dunnett needs).
    variance_reduction : float, default=0.0
        What covariates take off the variance, as ``compare_arms`` reports it: the squared correlation.
    cluster_size : float, default=1
        Mean rows a cluster; arms are drawn by cluster.
    cluster_size_variation : float, default=0.0
        Standard deviation of the clusters' sizes over their mean.
    intracluster : float, default=0.0
        Correlation of two rows of one cluster.
    sequential : bool, default=False
        With an always-valid interval that is narrowest at the full size: the chance at the last look alone, so that
        the chance over all looks is a little larger.
    level : float, default=0.95
        Of the interval; .95 is a test at 5 %.

    Returns
    -------
    float
        Between 0 and 1.

    Raises
    ------
    DataError
        If a parameter is out of its range.

    Examples
    --------
    >>> from crmkit.effect import power
    >>> round(power(0.5, n=64, sd=1), 3)
    0.801
    """
    design = _design(
        baseline=baseline,
        sd=sd,
        ratio=ratio,
        level=level,
        comparisons=comparisons,
        variance_reduction=variance_reduction,
        cluster_size=cluster_size,
        cluster_size_variation=cluster_size_variation,
        intracluster=intracluster,
        sequential=sequential,
    )
    _check_effect(effect, design)
    _check_rows(n)
    return design.power(effect, n)


def _check_rows(n: int) -> None:
    """Refuse an experiment without rows."""
    if not n >= 2:
        raise DataError(f"n must be at least 2 rows, got {n!r}")


def sample_size(
    effect: float,
    *,
    power: float = 0.8,
    baseline: float | None = None,
    sd: float | None = None,
    ratio: float = 1.0,
    comparisons: int = 1,
    variance_reduction: float = 0.0,
    cluster_size: float = 1,
    cluster_size_variation: float = 0.0,
    intracluster: float = 0.0,
    sequential: bool = False,
    level: float = 0.95,
) -> SampleSize:
    """Give how many rows an experiment needs to find an effect of this size with this chance (two-sided).

    Parameters
    ----------
    effect : float
        The smallest difference that would matter, in the outcome's unit.
    power : float, default=0.8
        The chance wanted.
    baseline, sd, ratio, comparisons, variance_reduction, cluster_size, cluster_size_variation, intracluster
        As for ``power``.
    sequential, level
        As for ``power``.

    Returns
    -------
    SampleSize
        Whole rows of both arms, and whole clusters where there are any.

    Raises
    ------
    DataError
        If a parameter is out of its range.

    References
    ----------
    Fleiss, J. L., Levin, B., & Paik, M. C. (2003). Statistical Methods for Rates and Proportions (3rd ed.), ch. 4.
    Wiley. doi:10.1002/0471445428
    Eldridge, S. M., Ashby, D., & Kerry, S. (2006). Sample size for cluster randomized trials: effect of coefficient of
    variation of cluster size and analysis method. International Journal of Epidemiology 35, 1292-1300.
    doi:10.1093/ije/dyl129

    Examples
    --------
    >>> from crmkit.effect import sample_size
    >>> sample_size(0.5, sd=1).control
    64
    >>> sample_size(0.02, baseline=0.10).control
    3841
    """
    design = _design(
        baseline=baseline,
        sd=sd,
        ratio=ratio,
        level=level,
        comparisons=comparisons,
        variance_reduction=variance_reduction,
        cluster_size=cluster_size,
        cluster_size_variation=cluster_size_variation,
        intracluster=intracluster,
        sequential=sequential,
    )
    _check_effect(effect, design)
    if not 0 < power < 1:
        raise DataError(f"power must lie between 0 and 1, got {power!r}")
    low, high = 1, 2
    while design.power(effect, high) < power:
        low, high = high, high * 2
        if high > _MOST:
            raise DataError("no sample of a size that could exist finds this effect: it is too small")
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if design.power(effect, middle) >= power else (middle, high)
    control, treated = high, math.ceil(high * ratio - 1e-9)
    clusters = (math.ceil(control / cluster_size), math.ceil(treated / cluster_size)) if design.clustered else None
    return SampleSize(
        control=control,
        treated=treated,
        power=design.power(effect, high),
        control_clusters=clusters[0] if clusters else None,
        treated_clusters=clusters[1] if clusters else None,
    )


def detectable_effect(
    n: int,
    *,
    power: float = 0.8,
    baseline: float | None = None,
    sd: float | None = None,
    ratio: float = 1.0,
    comparisons: int = 1,
    variance_reduction: float = 0.0,
    cluster_size: float = 1,
    cluster_size_variation: float = 0.0,
    intracluster: float = 0.0,
    sequential: bool = False,
    level: float = 0.95,
) -> float:
    """Give the smallest rise that an experiment of this size finds with this chance.

    Parameters
    ----------
    n : int
        Rows of the control.
    power : float, default=0.8
        The chance wanted.
    baseline, sd, ratio, comparisons, variance_reduction, cluster_size, cluster_size_variation, intracluster
        As for ``power``.
    sequential, level
        As for ``power``.

    Returns
    -------
    float
        In the outcome's unit; NaN where even a share of 1 would not be found.

    Raises
    ------
    DataError
        If a parameter is out of its range.

    Examples
    --------
    >>> from crmkit.effect import detectable_effect
    >>> round(detectable_effect(3841, baseline=0.10), 4)
    0.02
    """
    design = _design(
        baseline=baseline,
        sd=sd,
        ratio=ratio,
        level=level,
        comparisons=comparisons,
        variance_reduction=variance_reduction,
        cluster_size=cluster_size,
        cluster_size_variation=cluster_size_variation,
        intracluster=intracluster,
        sequential=sequential,
    )
    _check_rows(n)
    if not 1 - design.level < power < 1:
        raise DataError(f"power must lie between {1 - design.level:.3g} and 1, got {power!r}")
    most = 1e3 * (sd or 0.0) if baseline is None else (1 - baseline) * (1 - 1e-9)
    if design.power(most, n) < power:
        return float("nan")
    return float(brentq(lambda effect: design.power(effect, n) - power, most * 1e-9, most, xtol=1e-12 * most))
