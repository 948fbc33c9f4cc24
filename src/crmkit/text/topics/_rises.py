"""Tests whether a share rose in the latest period, for many terms and topics at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import betainc, ndtri, stdtr
from scipy.stats import false_discovery_control

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Dispersion", "Rises", "adjust", "dispersion", "rise_tests"]

_ENOUGH, _SERIES = 1, 5
"""How often a period something must be said for its variation to tell anything, and how many such show the usual."""


class Rises(NamedTuple):
    """One test a series.

    Attributes
    ----------
    n, before : ndarray of float, shape (n_series,)
        Texts in the latest period and in those before it.
    dispersion : ndarray of float, shape (n_series,)
        How many times as much as by chance the share varied between earlier periods; at least 1.
    p : ndarray of float, shape (n_series,)
        One-sided p-value of a rise.
    """

    n: npt.NDArray[np.float64]
    before: npt.NDArray[np.float64]
    dispersion: npt.NDArray[np.float64]
    p: npt.NDArray[np.float64]


class Dispersion(NamedTuple):
    """How much more than by chance shares vary.

    Attributes
    ----------
    scale : ndarray of float, shape (n_series,)
        The variance over that of chance, at least 1.
    freedom : float
        How many degrees of freedom that is known by; infinite where it is taken for granted.
    """

    scale: npt.NDArray[np.float64]
    freedom: float


def dispersion(counts: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64]) -> Dispersion:
    """Estimate how much more than by chance shares vary from period to period.

    Pearson's chi-squared over its degrees of freedom, for each series, drawn towards the mean of all frequent series:
    few periods tell little of one series alone. How far is told by the frequent series themselves: where they differ
    no more than chi-squared does by chance, they share one figure, which is known well; where they differ more, those
    above it keep that much of their own, which is known by that much fewer degrees of freedom. With fewer than five
    frequent series each keeps its own.

    Parameters
    ----------
    counts : ndarray of float, shape (n_periods, n_series)
        Of earlier periods.
    sizes : ndarray of float, shape (n_periods,)
        How many texts each had; periods without any are left out.

    Returns
    -------
    Dispersion
        1 everywhere, taken for granted, with a single period, which shows no variation.

    References
    ----------
    Smyth, G. K. (2004). Linear models and empirical Bayes methods for assessing differential expression. Statistical
    Applications in Genetics and Molecular Biology 3(1). doi:10.2202/1544-6115.1027

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.text.topics._rises import dispersion
    >>> dispersion(np.array([[5.0, 0.0], [5.0, 10.0]]), np.array([100.0, 100.0])).scale.round(2).tolist()
    [1.0, 10.53]
    """
    there = sizes > 0
    counts, sizes = counts[there], sizes[there]
    freedom = len(sizes) - 1
    if freedom < 1:
        return Dispersion(np.ones(counts.shape[1]), np.inf)
    share = counts.sum(axis=0) / sizes.sum()
    expected = sizes[:, None] * share
    some = (share > 0) & (share < 1)
    spread = np.where(some, expected * (1 - share), 1.0)
    own = np.where(some, ((counts - expected) ** 2 / spread).sum(axis=0) / freedom, 1.0)
    frequent = own[some & (expected.mean(axis=0) >= _ENOUGH)]
    if len(frequent) < _SERIES:
        return Dispersion(np.maximum(1.0, own), float(freedom))
    usual = max(1.0, float(frequent.mean()))
    # Of rare series chi-squared varies a little more than this, which makes for caution.
    chance = 2 * usual**2 / freedom
    kept = max(0.0, 1.0 - chance / max(float(frequent.var(ddof=1)), 1e-300))
    return Dispersion(usual + kept * np.maximum(own - usual, 0.0), freedom / kept if kept > 0 else np.inf)


def rise_tests(counts: npt.NDArray[np.float64], sizes: npt.NDArray[np.float64], known: Dispersion) -> Rises:
    """Test whether each share is higher in the last period than in all before it together.

    Given how often something was there in all, how many of these times fall into the latest period is binomial where
    nothing changed (the exact conditional test of two Poisson rates; a little cautious for shares that are not small).
    Counts are divided by the dispersion first, as for clustered data; that it is itself an estimate is made up for by
    reading the normal deviate that belongs to the p-value as one of Student's t.

    Parameters
    ----------
    counts : ndarray of float, shape (n_periods, n_series)
        In how many texts; the last row is the latest period.
    sizes : ndarray of float, shape (n_periods,)
        How many texts there were.
    known : Dispersion
        Of the earlier periods.

    Returns
    -------
    Rises
        One row a series.

    References
    ----------
    Przyborowski, J., & Wilenski, H. (1940). Homogeneity of results in testing samples from Poisson series. Biometrika
    31, 313-323. doi:10.1093/biomet/31.3-4.313

    Rao, J. N. K., & Scott, A. J. (1992). A simple method for the analysis of clustered binary data. Biometrics 48,
    577-585. doi:10.2307/2532311
    """
    n, before = counts[-1], counts[:-1].sum(axis=0)
    share_of_time = sizes[-1] / sizes.sum()
    latest, total = n / known.scale, (n + before) / known.scale
    with np.errstate(invalid="ignore"):
        p = np.where(latest > 0, betainc(np.maximum(latest, 1e-12), total - latest + 1, share_of_time), 1.0)
    if np.isfinite(known.freedom):
        # Below one in two only: a rise that is none stays none.
        p = np.where(p < 0.5, stdtr(known.freedom, ndtri(np.clip(p, 1e-300, 0.5))), p)
    return Rises(n, before, known.scale, p)


def adjust(p: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
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
