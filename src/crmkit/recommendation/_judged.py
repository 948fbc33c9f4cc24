"""How good the lists are that a blend makes of candidates, for many trials of coefficients."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.recommendation._top import top_n

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.recommendation._blend import Blend

__all__ = ["Judged", "discounted", "discounts"]


def discounts(n: int) -> npt.NDArray[np.float64]:
    """Give what a hit is worth at each place of a list.

    Parameters
    ----------
    n : int
        Length of lists.

    Returns
    -------
    ndarray of shape (n,)
        1 / log2(place + 1).
    """
    return np.asarray(1.0 / np.log2(np.arange(2, n + 2)), dtype=np.float64)


def discounted(row: npt.NDArray[np.int64], hit: npt.NDArray[np.bool_], n_rows: int, n: int) -> npt.NDArray[np.float64]:
    """Add up what the hits of each list are worth.

    Parameters
    ----------
    row : ndarray of int64, shape (n_places,)
        The list of each place, sorted, the first place first.
    hit : ndarray of bool, shape (n_places,)
        Whether the item was bought.
    n_rows, n : int
        How many lists there are, and their length.

    Returns
    -------
    ndarray of shape (n_rows,)
        Discounted gain.
    """
    place = np.arange(len(row)) - np.searchsorted(row, row)
    gain = np.bincount(row[hit], weights=discounts(n)[place[hit]], minlength=n_rows)
    return np.asarray(gain, dtype=np.float64)


class Judged:
    """Candidates of many customers, in one array a row for each.

    Parameters
    ----------
    features : ndarray of shape (n_pairs, n_features)
        What the parts say of each candidate.
    bought : ndarray of bool, shape (n_pairs,)
        What came of it.
    row : ndarray of int64, shape (n_pairs,)
        The customer of each, sorted, from 0.
    ideal : ndarray of shape (n_customers,)
        The greatest discounted gain of each customer's list.
    n : int
        Length of lists.
    """

    def __init__(
        self,
        features: npt.NDArray[np.float64],
        bought: npt.NDArray[np.bool_],
        row: npt.NDArray[np.int64],
        ideal: npt.NDArray[np.float64],
        n: int,
    ) -> None:
        self._features, self._bought, self._row, self._ideal, self._n = features, bought, row, ideal, n
        self._place = np.arange(len(row)) - np.searchsorted(row, row)
        self._longest = int(self._place.max()) + 1

    def gains(self, coefficients: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the NDCG of each customer's list.

        Parameters
        ----------
        coefficients : ndarray of shape (n_features,)
            What each feature weighs.

        Returns
        -------
        ndarray of shape (n_customers,)
            From 0 to 1.
        """
        scores = np.full((len(self._ideal), self._longest), -np.inf)
        scores[self._row, self._place] = self._features @ coefficients
        hits = np.zeros(scores.shape, dtype=bool)
        hits[self._row, self._place] = self._bought
        listed, column, _ = top_n(scores, self._n)
        return discounted(listed, hits[listed, column], len(self._ideal), self._n) / self._ideal

    def blend(self, blend: Blend, of: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
        """Learn a blend from some customers.

        Parameters
        ----------
        blend : Blend
            Learns, and keeps what it learned.
        of : ndarray of bool, shape (n_customers,)
            The customers to learn from.

        Returns
        -------
        ndarray of shape (n_features,)
            Its coefficients.
        """
        pairs = of[self._row]
        row = (np.cumsum(of) - 1)[self._row[pairs]]
        some = Judged(self._features[pairs], self._bought[pairs], row, self._ideal[of], self._n)
        blend.learn(some._features, some._bought, row)
        return blend.sharpen(lambda coefficients: float(some.gains(coefficients).mean())).coefficients
