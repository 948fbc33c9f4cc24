"""Cliff's delta of each segment against all other customers, with its interval, from one sorting."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.special import stdtrit

from crmkit.metrics import wilson

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["dominance"]


def dominance(
    values: npt.NDArray[np.float64], segments: npt.NDArray[np.intp], n_segments: int, *, level: float = 0.95
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give Cliff's delta of each segment against all others, and its interval.

    Delta is the chance that a customer of the segment has the larger value less the chance of the smaller. The
    interval is Feng and Cliff's, lopsided towards the nearer end, from the unbiased variance over both sides, with
    Student's t. Where all of a segment lie beyond all others the variance says nothing; the end is then that of
    Wilson's interval of a share of 1 among the fewer.

    It takes one sorting and, for each segment, time in its own number of customers, because between two of its values
    all others have the same standing.

    Parameters
    ----------
    values : ndarray of shape (n_customers,)
        Known values of one column.
    segments : ndarray of shape (n_customers,)
        Segment of each, from 0 to ``n_segments - 1``.
    n_segments : int
        How many segments there are.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    delta, low, high : ndarray of shape (n_segments,)
        Delta is 0 where there is nobody else, and missing where there is nobody in the segment; the interval is missing
        where either side has fewer than two customers.

    References
    ----------
    Cliff, N. (1993). Dominance statistics: ordinal analyses to answer ordinal questions. Psychological Bulletin 114,
    494-509. doi:10.1037/0033-2909.114.3.494

    Feng, D., & Cliff, N. (2004). Monte Carlo evaluation of ordinal d with improved confidence interval. Journal of
    Modern Applied Statistical Methods 3, 322-332. doi:10.22237/jmasm/1099267560
    """
    # Codes of distinct values in ascending order, and how many customers have each.
    _, code, count = np.unique(values, return_inverse=True, return_counts=True)
    up_to = np.concatenate([[0], np.cumsum(count)])
    by_segment = np.lexsort((code, segments))
    sizes = np.bincount(segments, minlength=n_segments)
    ends = np.cumsum(sizes)
    delta, low, high = (np.full(n_segments, np.nan) for _ in range(3))
    for segment in range(n_segments):
        own, others = int(sizes[segment]), len(values) - int(sizes[segment])
        if not own:
            continue
        if not others:
            delta[segment] = 0.0
            continue
        held, times = np.unique(code[by_segment[ends[segment] - own : ends[segment]]], return_counts=True)
        delta[segment], variance = _compare(held, times, count, up_to, own, others)
        if own > 1 and others > 1:
            low[segment], high[segment] = _interval(delta[segment], variance, own, others, level)
    return np.asarray(np.round(delta, 12), dtype=np.float64), low, high


def _compare(
    held: npt.NDArray[np.intp],
    times: npt.NDArray[np.intp],
    count: npt.NDArray[np.intp],
    up_to: npt.NDArray[np.intp],
    own: int,
    others: int,
) -> tuple[float, float]:
    """Give delta and its unbiased variance from the segment's distinct values and how often each stands."""
    to_here = np.cumsum(times)
    below = to_here - times
    equal = count[held] - times
    others_below = up_to[held] - below
    standing = (2.0 * others_below + equal - others) / others
    delta = float(times @ standing) / own
    # All others stand somewhere: beside one of the segment's values, in a gap between two, or at either end.
    beside = (own - to_here - below) / own
    in_gap = (own - 2.0 * to_here) / own
    reached = others_below + equal
    gaps = np.diff(np.append(reached, others)) - np.append(equal[1:], 0)
    own_squares = float(times @ (standing - delta) ** 2)
    other_squares = float(
        equal @ (beside - delta) ** 2 + gaps @ (in_gap - delta) ** 2 + others_below[0] * (1.0 - delta) ** 2
    )
    if own == 1 or others == 1:
        return delta, float("nan")
    pairs = float(own) * others
    pair_squares = pairs - float(times @ equal) - pairs * delta**2
    variance = (float(others) ** 2 * own_squares + float(own) ** 2 * other_squares - pair_squares) / (
        pairs * (own - 1) * (others - 1)
    )
    # The unbiased estimate may fall below what is possible.
    return delta, max(variance, (1.0 - delta**2) / (pairs - 1.0))


def _interval(delta: float, variance: float, own: int, others: int, level: float) -> tuple[float, float]:
    """Give Feng and Cliff's interval."""
    if abs(delta) > 1 - 1e-12:
        fewer = min(own, others)
        end = 2.0 * float(wilson(fewer, fewer, level=level)[0]) - 1.0
        return (end, 1.0) if delta > 0 else (-1.0, -end)
    reach = float(stdtrit(own + others - 2, 0.5 + level / 2)) ** 2 * variance
    middle, spread = delta - delta**3, np.sqrt(reach) * np.sqrt((1.0 - delta**2) ** 2 + reach)
    whole = 1.0 - delta**2 + reach
    return float(max((middle - spread) / whole, -1.0)), float(min((middle + spread) / whole, 1.0))
