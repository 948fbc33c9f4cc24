"""Counts by key, such as customers, kept from one stream of cases to the next."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Ints = npt.NDArray[np.intp]

__all__ = ["Tally"]

_FEW = 1_000


class Tally:
    """How often each key was counted; a key that is not there was counted 0 times.

    Parameters
    ----------
    keys : pandas.Series
        Keys without missing ones, each as often as it was counted.
    """

    def __init__(self, keys: pd.Series) -> None:
        counts = keys.value_counts(sort=False)
        self._index, self._counts = pd.Index(counts.index), counts.to_numpy(dtype=np.int64)
        self._later: dict[Any, int] = {}

    @classmethod
    def of_counts(cls, keys: pd.Index, counts: Any, later: Mapping[Any, int] | None = None) -> Tally:
        """Make a tally of different keys and how often each was counted, with what was counted later."""
        self = cls.__new__(cls)
        self._index, self._counts, self._later = keys, np.asarray(counts, dtype=np.int64), dict(later or {})
        return self

    def copy(self) -> Tally:
        """Give a tally that is counted on by itself; what was counted so far is shared."""
        return Tally.of_counts(self._index, self._counts, self._later)

    def of(self, keys: pd.Index) -> Ints:
        """Say how often each of these keys was counted.

        Parameters
        ----------
        keys : pandas.Index
            Different keys, none missing.

        Returns
        -------
        ndarray of int, shape (n_keys,)
            0 for a key never counted.
        """
        found = np.zeros(len(keys), dtype=np.intp)
        if len(self._index) and len(keys):
            at = self._index.get_indexer(keys)
            found[at >= 0] = self._counts[at[at >= 0]]
        if self._later:
            found += np.fromiter((self._later.get(key, 0) for key in keys.tolist()), dtype=np.intp, count=len(keys))
        return found

    def add(self, keys: pd.Index, times: Ints) -> None:
        """Count different keys some times more."""
        some = np.flatnonzero(times)
        for key, count in zip(keys[some].tolist(), times[some].tolist(), strict=True):
            self._later[key] = self._later.get(key, 0) + count
        # Few are looked up one by one; many go where all are looked up at once. Each key moves but seldom.
        if len(self._later) > max(_FEW, len(self._index)):
            self._settle()

    def _settle(self) -> None:
        """Bring what was counted later to the rest."""
        if self._later:
            later = pd.Index(list(self._later))
            keys = later if not len(self._index) else self._index.append(later)
            counts = np.concatenate([self._counts, np.fromiter(self._later.values(), dtype=np.int64)])
            together = pd.Series(counts).groupby(keys, sort=False).sum()
            self._index, self._counts, self._later = pd.Index(together.index), together.to_numpy(), {}

    def counts(self) -> pd.Series:
        """Give all counts, indexed by key."""
        self._settle()
        return pd.Series(self._counts, index=self._index)
