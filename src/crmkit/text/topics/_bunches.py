"""Learns from earlier periods in how large bunches texts about the same thing come."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.special import gammaln

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Bunches", "learn_bunches"]

_SIZES = np.array([1, 1.15, 1.35, 1.7, 2.2, 3, 4.2, 6, 9, 14, 22, 36, 60])
"""How many times as much as by chance a count may vary."""
_BEFOREHAND = _SIZES**-2.0 / (_SIZES**-2.0).sum()
"""What is believed of sizes before anything is seen; it weighs as much as one series."""
_STEPS = 200
_NODES, _MASS = np.polynomial.hermite_e.hermegauss(5)
_WIDEST = 1.5


class Bunches(NamedTuple):
    """How likely each series is to come in bunches of each size.

    Attributes
    ----------
    weight : ndarray of float, shape (n_series, n_cases)
        Probability of each case; the first is chance alone, without bunches.
    concentration : ndarray of float, shape (n_series, n_cases)
        Of Polya's urn over all periods: the lower, the larger the bunches; infinite for the first case.
    size : ndarray of float, shape (n_series,)
        The mean of how many times as much as by chance the count varies; at least 1.
    """

    weight: Floats
    concentration: Floats
    size: Floats


def learn_bunches(counts: Floats, sizes: Floats) -> Bunches:
    """Learn from the spread over earlier periods how bunched each series is.

    Texts about one thing come at random or in bunches, so that their count in a period varies ``size`` times as much as
    by chance (negative binomial). Given the sum, how it falls on periods is then Polya's urn. Which sizes are usual is
    learned from all series together (empirical Bayes by expectation maximization over a grid), and each series weighs
    them by its own history, so that a word that always came in bunches is known for it, and a word without a history is
    taken for one like the others. The rate of a series is known from its sum alone, whose own luck is averaged over.

    Parameters
    ----------
    counts : ndarray of float, shape (n_periods, n_series)
        In how many texts; the last row is the latest period, of which only the sum with the others is used.
    sizes : ndarray of float, shape (n_periods,)
        How many texts there were.

    Returns
    -------
    Bunches
        Chance alone where there are fewer than two earlier periods with texts: they show no variation.

    References
    ----------
    Church, K. W., & Gale, W. A. (1995). Poisson mixtures. Natural Language Engineering 1, 163-190.
    doi:10.1017/S1351324900000139

    Laird, N. (1978). Nonparametric maximum likelihood estimation of a mixing distribution. JASA 73, 805-811.
    doi:10.1080/01621459.1978.10480103

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.text.topics._bunches import learn_bunches
    >>> even, bunched = [6.0, 5, 4, 5, 6, 4, 5], [0.0, 0, 20, 0, 0, 15, 0]
    >>> learn_bunches(np.array([even, bunched]).T, np.full(7, 100.0)).size.round(1).tolist()
    [1.2, 59.8]
    """
    total, before = counts.sum(axis=0), counts[:-1].sum(axis=0)
    n_series = len(total)
    if (sizes[:-1] > 0).sum() < 2:
        return Bunches(np.ones((n_series, 1)), np.full((n_series, 1), np.inf), np.ones(n_series))
    of_case = np.repeat(_SIZES, [1, *[len(_NODES)] * (len(_SIZES) - 1)])
    luck = np.concatenate([[0.0], np.tile(_NODES, len(_SIZES) - 1)])
    spread = np.minimum(np.sqrt(of_case / np.maximum(total, 1)[:, None]), _WIDEST)
    with np.errstate(divide="ignore"):
        concentration = np.maximum(total, 1)[:, None] / (of_case - 1) * np.exp(luck * spread)
    likelihood = _log_likelihood(counts[:-1], sizes[:-1], concentration * (1 - sizes[-1] / sizes.sum()))
    inside = np.concatenate([[1.0], np.tile(_MASS / _MASS.sum(), len(_SIZES) - 1)])
    likely = np.exp(likelihood - likelihood.max(axis=1, keepdims=True)) * inside
    by_size = np.add.reduceat(likely, np.flatnonzero(np.diff(of_case, prepend=0)), axis=1)
    usual = _usual(by_size[before >= 2])
    weight = likely * np.repeat(usual, [1, *[len(_NODES)] * (len(_SIZES) - 1)])
    weight /= weight.sum(axis=1, keepdims=True)
    return Bunches(weight, concentration, weight @ of_case)


def _log_likelihood(counts: Floats, sizes: Floats, concentration: Floats) -> Floats:
    """Give how likely it is that each sum falls on the periods as it did, by case, but for a constant."""
    share = sizes / sizes.sum()
    period, series = np.nonzero(counts)
    times, part = counts[period, series], share[period]
    n_series = counts.shape[1]
    before = counts.sum(axis=0)
    made: list[Floats] = [np.bincount(series, times * np.log(part), minlength=n_series).astype(np.float64)]
    for whole in concentration.T[1:]:
        own = whole[series] * part
        each = np.bincount(series, gammaln(own + times) - gammaln(own), minlength=n_series)
        made.append(gammaln(whole) - gammaln(whole + before) + each)
    return np.stack(made, axis=1)


def _usual(likely: Floats) -> Floats:
    """Give how usual each size is, by expectation maximization."""
    usual: Floats = _BEFOREHAND
    for _ in range(_STEPS):
        each = likely * usual
        each /= each.sum(axis=1, keepdims=True)
        usual = (each.sum(axis=0) + _BEFOREHAND) / (len(likely) + 1)
    return usual
