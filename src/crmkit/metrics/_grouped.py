"""Shares and means of rows of which several belong to one customer, with intervals that count customers."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import stdtrit

from crmkit.core.estimate import Estimate
from crmkit.metrics.intervals import wilson

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["grouped_mean", "grouped_share"]


def grouped_share(hits: npt.NDArray[np.bool_], owner: Any, level: float, note: str = "") -> Estimate:
    """Give a share whose Wilson interval counts the effective number of rows."""
    codes, named = pd.factorize(owner)
    n, n_groups = len(hits), len(named)
    value = float(hits.mean())
    effect = 1.0
    if n_groups == 1:
        effect = float(n)
    elif 0 < value < 1:
        left = np.bincount(codes, weights=hits) - value * np.bincount(codes)
        between = n_groups / (n_groups - 1) * float(left @ left) / n**2
        effect = max(1.0, between / (value * (1 - value) / n))
    else:
        # All alike: nothing shows how far rows of one customer agree, so each customer counts once.
        effect = n / n_groups
    low, high = wilson(value * n / effect, n / effect, level=level)
    method = f"wilson, {n_groups:,} groups, design effect {effect:.2f}{note}"
    return Estimate(value, n=n, low=float(low), high=float(high), level=level, method=method)


def grouped_mean(values: npt.NDArray[np.float64], owner: Any, level: float, note: str = "") -> Estimate:
    """Give a mean of rows whose t interval is that of a ratio of customers' sums to customers' rows (delta method)."""
    codes, named = pd.factorize(owner)
    n, n_groups = len(values), len(named)
    value, half = float(values.mean()), float("nan")
    if n_groups > 1:
        left = np.bincount(codes, weights=values) - value * np.bincount(codes)
        spread = np.sqrt(n_groups / (n_groups - 1) * float(left @ left)) / n
        half = float(stdtrit(n_groups - 1, 0.5 + level / 2) * spread)
    method = f"t, {n_groups:,} groups{note}"
    return Estimate(value, n=n, low=value - half, high=value + half, level=level, method=method)
