"""Tells how much more one class uses a term than the others: log-odds with an informative Dirichlet prior."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.metrics.intervals import normal_quantile

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["LogOdds", "log_odds"]


class LogOdds(NamedTuple):
    """The difference of a class from the rest, for each term.

    Attributes
    ----------
    value, low, high, z : ndarray of float, shape (n_classes, n_terms)
        The difference of the log-odds, its interval, and the difference over its standard error.
    """

    value: npt.NDArray[np.float64]
    low: npt.NDArray[np.float64]
    high: npt.NDArray[np.float64]
    z: npt.NDArray[np.float64]


def log_odds(counts: npt.NDArray[np.float64], *, prior: float, level: float) -> LogOdds:
    """Compare each class with all others together.

    The prior says every class uses terms as all of them together do, with the weight of so many words; it draws rare
    terms, of which little can be said, to no difference.

    Parameters
    ----------
    counts : ndarray of float, shape (n_classes, n_terms)
        How often each class uses each term.
    prior : float
        The weight of the prior, in words.
    level : float
        Coverage of the intervals.

    Returns
    -------
    LogOdds
        By class and term.

    References
    ----------
    Monroe, B. L., Colaresi, M. P., & Quinn, K. M. (2008). Fightin' words: lexical feature selection and evaluation for
    identifying the content of political conflict. Political Analysis 16, 372-403. doi:10.1093/pan/mpn018

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.text.keywords._log_odds import log_odds
    >>> log_odds(np.array([[9.0, 1.0], [1.0, 9.0]]), prior=2.0, level=0.95).z.round(2).tolist()
    [[4.16, -4.16], [-4.16, 4.16]]
    """
    every = counts.sum(axis=0)
    usual = prior * every / every.sum()
    own, rest = counts + usual, every - counts + usual
    own_all, rest_all = own.sum(axis=1, keepdims=True), rest.sum(axis=1, keepdims=True)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(own / (own_all - own)) - np.log(rest / (rest_all - rest))
    error = np.sqrt(1 / own + 1 / rest)
    # One term alone has no odds: nothing else could have been said. One class alone does not differ from all.
    value = np.where(np.isfinite(value) & (len(counts) > 1), value, 0.0)
    half = normal_quantile(level) * error
    return LogOdds(value, value - half, value + half, value / error)
