"""Tests whether a share rose in the latest period, for many terms and topics at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betainc, betaln, gammaln
from scipy.stats import false_discovery_control

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.text.topics._bunches import Bunches

    Floats = npt.NDArray[np.float64]

__all__ = ["Rises", "adjust", "could_rise", "rise_tests"]

_NO_WEIGHT = 1e-9
"""A case of less weight changes no p-value that matters."""


class Rises(NamedTuple):
    """One test a series.

    Attributes
    ----------
    n, before : ndarray of float, shape (n_series,)
        Texts in the latest period and in those before it.
    dispersion : ndarray of float, shape (n_series,)
        How many times as much as by chance the count varies, as learned from earlier periods; at least 1.
    p : ndarray of float, shape (n_series,)
        One-sided p-value of a rise.
    """

    n: Floats
    before: Floats
    dispersion: Floats
    p: Floats


def could_rise(total: Floats, share_of_time: float, level: float, *, besides: int = 0) -> npt.NDArray[np.bool_]:
    """Say which series are frequent enough that they could be an alarm at all.

    A series so rare that not even all its texts in the latest period would be significant after the adjustment only
    makes the others harder to find. It is left out by its sum, which tells nothing of when it was said.

    Parameters
    ----------
    total : ndarray of float, shape (n_series,)
        In how many texts of all periods.
    share_of_time : float
        Which share of all texts is of the latest period.
    level : float
        The chance of any alarm.
    besides : int, default=0
        How many more tests share the level.

    Returns
    -------
    ndarray of bool, shape (n_series,)
        Which may be tested.

    References
    ----------
    Tarone, R. E. (1990). A modified Bonferroni method for discrete data. Biometrics 46, 515-522. doi:10.2307/2531456
    """
    least = np.sort(share_of_time**total)
    n_tests = np.arange(1, len(least) + besides + 1)
    many = besides + np.searchsorted(least, level / n_tests, side="right")
    enough = n_tests[many <= n_tests]
    return np.asarray(share_of_time**total <= level / (enough[0] if len(enough) else 1))


def rise_tests(counts: Floats, sizes: Floats, known: Bunches) -> Rises:
    """Test whether each share is higher in the last period than in all before it together.

    Given how often something was there in all, how many of these times fall into the latest period is binomial where
    nothing changed (the exact conditional test of two Poisson rates; a little cautious for shares that are not small),
    and beta-binomial where texts come in bunches. The p-value is the mean over how bunched the series may be.

    Parameters
    ----------
    counts : ndarray of float, shape (n_periods, n_series)
        In how many texts; the last row is the latest period.
    sizes : ndarray of float, shape (n_periods,)
        How many texts there were.
    known : Bunches
        How bunched each series is.

    Returns
    -------
    Rises
        One row a series.

    References
    ----------
    Przyborowski, J., & Wilenski, H. (1940). Homogeneity of results in testing samples from Poisson series. Biometrika
    31, 313-323. doi:10.1093/biomet/31.3-4.313
    """
    n, before = counts[-1], counts[:-1].sum(axis=0)
    total = n + before
    late = sizes[-1] / sizes.sum()
    # In a month of many texts bunches may be more or larger; taken for larger, that month is not trusted more for it.
    larger = max(1.0, late * np.count_nonzero(sizes))
    there = np.flatnonzero(n > 0)
    p = np.ones(len(n))
    p[there] = known.weight[there, 0] * betainc(n[there], before[there] + 1, late)
    for weight, concentration in zip(known.weight.T[1:], known.concentration.T[1:], strict=True):
        some = there[weight[there] > _NO_WEIGHT]
        whole = concentration[some] / larger
        p[some] += weight[some] * _urn_tail(n[some], total[some], whole * late, whole * (1 - late))
    return Rises(n, before, known.size, np.minimum(p, 1.0))


def _urn_tail(n: Floats, total: Floats, late: Floats, early: Floats) -> Floats:
    """Give the chance that at least n of the total are late in Polya's urn, all series at once."""
    size = (total - n + 1).astype(np.int64)
    begin = np.cumsum(size) - size
    owner = np.repeat(np.arange(len(n)), size)
    # Each probability follows from the one before it by a ratio, the first one directly.
    fewer = np.arange(len(owner)) - begin[owner] + n[owner] - 1
    rest = total[owner] - fewer
    step = np.zeros(len(owner))
    on = np.ones(len(owner), dtype=bool)
    on[begin] = False
    step[on] = np.log(rest[on] * (late[owner[on]] + fewer[on]))
    step[on] -= np.log((fewer[on] + 1) * (rest[on] - 1 + early[owner[on]]))
    first = gammaln(total + 1) - gammaln(n + 1) - gammaln(total - n + 1)
    first += betaln(n + late, total - n + early) - betaln(late, early)
    logs = np.cumsum(step)
    tail = np.bincount(owner, np.exp(logs + (first - logs[begin])[owner]), minlength=len(n))
    return tail.astype(np.float64)


def adjust(p: Floats) -> Floats:
    """Adjust p-values for their number (Benjamini and Hochberg).

    Where nothing changed at all, the chance that any adjusted value is at most a level is at most that level.

    Parameters
    ----------
    p : ndarray of float, shape (n_tests,)
        The p-values.

    Returns
    -------
    ndarray of float, shape (n_tests,)
        Adjusted.

    References
    ----------
    Benjamini, Y., & Hochberg, Y. (1995). Controlling the false discovery rate. JRSS B 57, 289-300.
    doi:10.1111/j.2517-6161.1995.tb02031.x
    """
    return np.asarray(false_discovery_control(p) if len(p) else p, dtype=np.float64)
