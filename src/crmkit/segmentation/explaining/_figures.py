"""The figures of each segment and column, each over the customers whose value is known, with intervals."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import ndtri, stdtrit

from crmkit.metrics import wilson
from crmkit.segmentation.explaining._dominance import dominance

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    Numbers = npt.NDArray[np.float64]

__all__ = ["STATISTICS", "column_statistics", "everybody", "is_binary", "revenue_shares"]

STATISTICS = (
    "median", "q1", "q3", "mean", "lift", "effect", "n", "mean_low", "mean_high", "lift_low", "lift_high", "robust_z",
    "effect_low", "effect_high", "smd", "smd_low", "smd_high",
)  # fmt: skip

LEVEL = 0.95
# Of normal values the median absolute deviation is .6745 standard deviations, the mean absolute deviation .7979.
MEDIAN_DEVIATION = 1.482602218505602
MEAN_DEVIATION = 1.2533141373155003


def everybody(values: pd.DataFrame) -> Numbers:
    """Give the median of each column over all customers whose value is known."""
    return values.median().to_numpy(dtype=np.float64)


def is_binary(values: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which columns hold nothing but 0 and 1, and both."""
    array = values.to_numpy(dtype=np.float64)
    only = ((array == 0) | (array == 1) | np.isnan(array)).all(axis=0)
    return np.asarray(only & (array == 0).any(axis=0) & (array == 1).any(axis=0))


def column_statistics(values: pd.DataFrame, ids: npt.NDArray[np.int64]) -> dict[str, Numbers]:
    """Work out each segment's figures of each column.

    Intervals take the segments as given: they say how far a figure could lie from that of a larger base cut by the
    same borders, not whether the borders are real. All are of 95 %.

    Parameters
    ----------
    values : pandas.DataFrame
        The columns in original units; missing values are left out and counted.
    ids : ndarray of shape (n_customers,)
        Segment of each customer.

    Returns
    -------
    dict of str to ndarray of shape (n_segments, n_columns)
        A table for each of ``STATISTICS``, segments in ascending order of id. A figure that a segment's known values
        do not allow is missing.
    """
    labels, place = np.unique(ids, return_inverse=True)
    array = values.to_numpy(dtype=np.float64)
    binary = is_binary(values)
    parts = [
        _column(column, place, len(labels), binary=bool(alike)) for column, alike in zip(array.T, binary, strict=True)
    ]
    return {name: np.column_stack([part[name] for part in parts]) for name in STATISTICS}


def _column(column: Numbers, place: npt.NDArray[np.intp], n_segments: int, *, binary: bool) -> dict[str, Numbers]:
    """Work out the figures of one column."""
    known = ~np.isnan(column)
    segment, raw = place[known], column[known]
    missing = np.full(n_segments, np.nan)
    if not len(raw):
        return {name: np.zeros(n_segments) if name == "n" else missing for name in STATISTICS}
    # A power of two takes size away without rounding, so that squares of huge values stay finite.
    size = int(np.frexp(np.abs(raw).max())[1])
    scaled = np.ldexp(raw, -size)
    count = np.bincount(segment, minlength=n_segments).astype(np.float64)
    with np.errstate(divide="ignore", invalid="ignore"):
        mean = _sums(segment, scaled, n_segments) / count
        spread = _sums(segment, (scaled - mean[segment]) ** 2, n_segments)
        others, rest, rest_spread = _everyone_else(count, mean, spread)
        quarters = _quartiles(scaled, segment, count)
        low, high = _mean_interval(mean, spread, count, binary=binary, size=size)
        rest_low, rest_high = _mean_interval(rest, rest_spread, others, binary=binary, size=size)
        lifts: dict[str, Numbers] = {"lift": missing, "lift_low": missing, "lift_high": missing}
        if scaled.min() >= 0 and scaled.max() > 0:
            lifts = _lift(count, (mean, low, high), (rest, rest_low, rest_high), others)
        effect, effect_low, effect_high = dominance(raw, segment, n_segments, level=LEVEL)
        return {
            **{name: np.ldexp(part, size) for name, part in quarters.items()},
            "mean": np.ldexp(mean, size),
            "mean_low": np.ldexp(low, size),
            "mean_high": np.ldexp(high, size),
            "n": count,
            "robust_z": _robust_z(scaled, quarters["median"], mean, binary=binary),
            "effect": effect,
            "effect_low": effect_low,
            "effect_high": effect_high,
            **lifts,
            **_standardized(mean - rest, spread, count, rest_spread, others),
        }


def _sums(place: npt.NDArray[np.intp], weights: Numbers, n_places: int) -> Numbers:
    """Add up weights by place."""
    return np.asarray(np.bincount(place, weights=weights, minlength=n_places), dtype=np.float64)


def _everyone_else(count: Numbers, mean: Numbers, spread: Numbers) -> tuple[Numbers, Numbers, Numbers]:
    """Give number, mean and sum of squared deviations of all outside each segment, without taking differences."""
    outside = 1.0 - np.eye(len(count))
    means, spreads = np.where(count > 0, mean, 0.0), np.where(count > 0, spread, 0.0)
    others = outside @ count
    rest = outside @ (count * means) / others
    between = (outside * count * (means[np.newaxis, :] - rest[:, np.newaxis]) ** 2).sum(axis=1)
    return others, rest, outside @ spreads + between


def _quartiles(values: Numbers, segment: npt.NDArray[np.intp], count: Numbers) -> dict[str, Numbers]:
    """Give the quartiles of each segment, linear between neighboring values."""
    ordered = values[np.lexsort((values, segment))]
    first = np.cumsum(count) - count
    result = {}
    for name, part in (("q1", 0.25), ("median", 0.5), ("q3", 0.75)):
        at = (np.maximum(count, 1) - 1) * part
        below = np.minimum((first + np.floor(at)).astype(np.intp), len(ordered) - 1)
        above = np.minimum((first + np.ceil(at)).astype(np.intp), len(ordered) - 1)
        between = ordered[below] + (ordered[above] - ordered[below]) * (at - np.floor(at))
        result[name] = np.where(count > 0, between, np.nan)
    return result


def _mean_interval(
    mean: Numbers, spread: Numbers, count: Numbers, *, binary: bool, size: int
) -> tuple[Numbers, Numbers]:
    """Give Student's interval of means, Wilson's of shares."""
    if binary:
        one = np.ldexp(1.0, -size)
        low, high = wilson(np.round(mean / one * count), count, level=LEVEL)
        return low * one, high * one
    freedom = np.where(count > 1, count - 1, np.nan)
    half = stdtrit(freedom, 0.5 + LEVEL / 2) * np.sqrt(spread / freedom / count)
    return mean - half, mean + half


def _lift(
    count: Numbers,
    inside: tuple[Numbers, Numbers, Numbers],
    outside: tuple[Numbers, Numbers, Numbers],
    others: Numbers,
) -> dict[str, Numbers]:
    """Give the mean over everybody's mean; its interval recovers the variance of both means from their intervals."""
    share = count / (count + others)
    mean, low, high = inside
    rest, rest_low, rest_high = outside

    def lift(mine: Numbers, theirs: Numbers) -> Numbers:
        mine, theirs = np.maximum(mine, 0.0), np.maximum(theirs, 0.0)
        whole = share * mine + (1.0 - share) * theirs
        return np.where(whole > 0, mine / whole, np.where(np.isnan(whole), np.nan, 0.0))

    middle = np.where(others > 0, lift(mean, rest), np.where(count > 0, 1.0, np.nan))
    down = np.hypot(middle - lift(low, rest), middle - lift(mean, rest_high))
    up = np.hypot(lift(high, rest) - middle, lift(mean, rest_low) - middle)
    # More than all of it cannot be in a segment.
    return {
        "lift": middle,
        "lift_low": np.maximum(middle - down, 0.0),
        "lift_high": np.minimum(middle + up, 1.0 / share),
    }


def _robust_z(values: Numbers, median: Numbers, mean: Numbers, *, binary: bool) -> Numbers:
    """Give the distance of each median from everybody's in robust standard deviations."""
    if binary:
        # Of 0 and 1 the median tells next to nothing: the share stands for it.
        middle = values.mean()
        return np.asarray((mean - middle) / values.std())
    middle = np.median(values)
    away = np.abs(values - middle)
    scale = MEDIAN_DEVIATION * np.median(away)
    if scale == 0:
        # More than half share one value.
        scale = MEAN_DEVIATION * away.mean()
    return np.asarray((median - middle) / scale) if scale > 0 else np.full(len(median), np.nan)


def _standardized(
    difference: Numbers, spread: Numbers, count: Numbers, rest_spread: Numbers, others: Numbers
) -> dict[str, Numbers]:
    """Give the difference of means in units of the two standard deviations' root mean square, after Bonett."""
    mine, theirs = count - 1, others - 1
    enough = (mine > 0) & (theirs > 0)
    own = np.where(enough, spread / mine, np.nan)
    rest = np.where(enough, rest_spread / theirs, np.nan)
    variance = (own + rest) / 2
    smd = np.where(variance > 0, difference / np.sqrt(variance), np.nan)
    error = np.sqrt(
        smd**2 * (own**2 / mine + rest**2 / theirs) / (8 * variance**2) + (own / mine + rest / theirs) / variance
    )
    half = float(ndtri(0.5 + LEVEL / 2)) * error
    return {"smd": smd, "smd_low": smd - half, "smd_high": smd + half}


def revenue_shares(
    money: Numbers | None, shown: npt.NDArray[np.int64], row_ids: npt.NDArray[np.int64]
) -> dict[str, Numbers] | None:
    """Share revenue out, with the interval of a ratio of two sums over customers.

    Parameters
    ----------
    money : ndarray of shape (n_customers,) or None
        Revenue of each customer; missing values count as none.
    shown : ndarray of shape (n_customers,)
        Segment of each customer.
    row_ids : ndarray of shape (n_segments,)
        The segments, in the order wanted.

    Returns
    -------
    dict of str to ndarray, or None
        ``share``, ``low`` and ``high``; None where the total is not positive, because a share of it would mislead.
    """
    if money is None:
        return None
    money = np.nan_to_num(money)
    total = float(money.sum())
    if total <= 0:
        return None
    place = np.searchsorted(np.sort(row_ids), shown)
    order = np.argsort(np.argsort(row_ids))
    earned = _sums(place, money, len(row_ids))[order]
    squares = _sums(place, (money / total) ** 2, len(row_ids))[order]
    share = earned / total
    # The sum of (money * (inside - share))^2 over customers, inside and outside told apart.
    residual = np.maximum(squares * (1 - 2 * share) + share**2 * squares.sum(), 0.0)
    n = len(money)
    half = float(ndtri(0.5 + LEVEL / 2)) * np.sqrt(residual * n / max(n - 1, 1))
    low, high = share - half, share + half
    if money.min() >= 0:
        low, high = np.maximum(low, 0.0), np.minimum(high, 1.0)
    few = n < 2
    return {"share": share, "low": np.where(few, np.nan, low), "high": np.where(few, np.nan, high)}
