"""What several scores of one pair are worth together: a model of choice that rises with each of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["Blend", "columns_of"]

_PER_PART = 3

_ALONE = (10.0, 0.01, 1.0)
"""Coefficients of a part under which it decides by itself."""


def columns_of(
    scores: npt.NDArray[np.float64], least: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Bring a part's scores to what a blend adds up.

    Parameters
    ----------
    scores : ndarray of shape (n_customers, n_items)
        Scores, minus infinity where the part has nothing to say.
    least : float
        The score below which logarithms do not tell scores apart.

    Returns
    -------
    tuple of three ndarrays of that shape
        Whether there is a score, by how many standard deviations of the customer's scores it is above their mean, and
        the logarithm of the score over ``least``, never below 0.
    """
    said = np.isfinite(scores)
    value = np.where(said, scores, 0.0)
    many = np.maximum(said.sum(axis=1, keepdims=True), 1)
    mean = value.sum(axis=1, keepdims=True) / many
    centred = np.where(said, value - mean, 0.0)
    spread = np.sqrt((centred**2).sum(axis=1, keepdims=True) / many)
    standard = np.divide(centred, spread, out=np.zeros_like(centred), where=spread > 0.0)
    return said.astype(np.float64), standard, np.log(np.maximum(value / least, 1.0))


class Blend:
    """How much a pair stands out among a customer's candidates, as a sum over parts.

    Parameters
    ----------
    least : list of float
        For each part, the score below which logarithms do not tell scores apart.
    """

    def __init__(self, least: list[float]) -> None:
        self.least: list[float] = list(least)
        self.coefficients: npt.NDArray[np.float64] = np.zeros(_PER_PART * len(least))

    def learn(
        self, features: npt.NDArray[np.float64], bought: npt.NDArray[np.bool_], group: npt.NDArray[np.int64]
    ) -> Blend:
        """Find the coefficients under which what each customer bought stands out most among the customer's candidates.

        Every customer counts once, however much they bought: the likelihood is that of a choice among the customer's
        own candidates, with a small ridge. Only the coefficients of "said" may be below 0.

        Parameters
        ----------
        features : ndarray of shape (n_pairs, 3 n_parts)
            For each part the three columns.
        bought : ndarray of bool, shape (n_pairs,)
            What came of each pair.
        group : ndarray of int64, shape (n_pairs,)
            The customer of each pair, sorted.

        Returns
        -------
        Blend
            Itself.
        """
        scale = features.std(axis=0)
        scale[scale == 0.0] = 1.0
        X = features / scale
        starts = np.flatnonzero(np.r_[True, group[1:] != group[:-1]])
        size = np.diff(np.r_[starts, len(group)])
        chosen = np.add.reduceat(bought.astype(np.float64), starts)
        share = np.where(bought, 1.0, 0.0) / np.repeat(np.maximum(chosen, 1.0), size)
        counted = np.repeat(chosen > 0.0, size)

        def loss(w: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            total = X @ w
            total -= np.repeat(np.maximum.reduceat(total, starts), size)
            power = np.exp(total)
            below = np.repeat(np.add.reduceat(power, starts), size)
            pull = np.where(counted, power / below, 0.0) - share
            value = -float(share @ (total - np.log(below))) + 0.5 * float(w @ w)
            return value, X.T @ pull + w

        free: tuple[Any, Any] = (None, None)
        bounds = [free if place % _PER_PART == 0 else (0.0, None) for place in range(X.shape[1])]
        found: Any = minimize(loss, np.zeros(X.shape[1]), jac=True, bounds=bounds, method="L-BFGS-B")
        self.coefficients = np.asarray(found.x / scale, dtype=np.float64)
        return self

    def sharpen(self, worth: Callable[[npt.NDArray[np.float64]], float]) -> Blend:
        """Improve the coefficients by the worth of the lists themselves, one coefficient at a time.

        The search begins at what was learned and at each part alone, and takes the best of all; it tries multiples of
        each coefficient, twice round.

        Parameters
        ----------
        worth : callable
            From coefficients to the worth of the lists they give.

        Returns
        -------
        Blend
            Itself.
        """
        starts = [self.coefficients]
        for place in range(len(self.least)):
            alone = np.zeros_like(self.coefficients)
            alone[_PER_PART * place : _PER_PART * (place + 1)] = _ALONE
            starts.append(alone)
        best, most = max(((start, worth(start)) for start in starts), key=lambda found: found[1])
        for place in [*range(len(best))] * 2:
            for value in _steps(place, float(best[place])):
                tried = best.copy()
                tried[place] = value
                gain = worth(tried)
                if gain > most:
                    best, most = tried, gain
        self.coefficients = best
        return self

    def score(self, scores: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
        """Blend whole rows of scores.

        Parameters
        ----------
        scores : list of ndarray, each of shape (n_customers, n_items)
            What each part says.

        Returns
        -------
        ndarray of shape (n_customers, n_items)
            Blended scores; minus infinity where no part says anything.
        """
        total = np.zeros(scores[0].shape)
        silent = np.ones(scores[0].shape, dtype=bool)
        for place, (part, least) in enumerate(zip(scores, self.least, strict=True)):
            begin = _PER_PART * place
            for coefficient, column in zip(
                self.coefficients[begin : begin + _PER_PART], columns_of(part, least), strict=True
            ):
                total += coefficient * column
            silent &= ~np.isfinite(part)
        total[silent] = -np.inf
        return total


def _steps(place: int, value: float) -> tuple[float, ...]:
    """Give what to try in place of a coefficient."""
    if place % _PER_PART == 0:
        return value - 2.0, value - 0.5, value + 0.5, value + 2.0
    return (0.03, 0.1, 0.3, 1.0) if value < 0.01 else (0.0, 0.5 * value, 0.75 * value, 1.4 * value, 2.0 * value)
