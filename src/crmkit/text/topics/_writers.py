"""Counts each customer once a period, so that one who writes much does not look like many."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Units", "count_units"]


class Units(NamedTuple):
    """What is counted: texts, or customers in a period.

    Attributes
    ----------
    of_text : ndarray of int64, shape (n_texts,)
        Which unit a text belongs to.
    place : ndarray of int64, shape (n_units,)
        The period of each unit.
    """

    of_text: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]

    def gather(self, said: sparse.csr_matrix) -> sparse.csr_matrix:
        """Say what stands in any text of each unit: 0 and 1, shape (n_units, n_series)."""
        n_texts = len(self.of_text)
        whose = sparse.csr_matrix(
            (np.ones(n_texts), (self.of_text, np.arange(n_texts))), shape=(len(self.place), n_texts)
        )
        there = sparse.csr_matrix(whose @ said)
        there.data = np.ones_like(there.data)
        return there


def count_units(customers: Any, kept: npt.NDArray[np.int64], place: npt.NDArray[np.int64], n_texts: int) -> Units:
    """Number what is counted.

    Parameters
    ----------
    customers : array-like of shape (n_texts,) or None
        Who wrote each text; one of whom that is not known counts for itself, and without any each does.
    kept : ndarray of int64
        Which of the texts count.
    place : ndarray of int64, shape (n_kept,)
        The period of each of these.
    n_texts : int
        How many customers there must be.

    Returns
    -------
    Units
        In the order of customers and periods.
    """
    if customers is None:
        return Units(np.arange(len(place)), place)
    if isinstance(customers, str) or np.ndim(customers) != 1:
        raise TypeError("customers must be one-dimensional: who wrote each text")
    if len(customers) != n_texts:
        raise ValueError(f"texts and customers must be as long: {n_texts} texts and {len(customers)} customers")
    code = pd.factorize(pd.Series(customers).to_numpy(dtype=object)[kept])[0].astype(np.int64)
    alone = code < 0
    code[alone] = code.max(initial=-1) + 1 + np.arange(alone.sum())
    pairs, of_text = np.unique(code * (int(place.max()) + 1) + place, return_inverse=True)
    return Units(of_text.ravel(), pairs % (int(place.max()) + 1))
