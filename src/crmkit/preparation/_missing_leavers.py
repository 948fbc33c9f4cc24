"""Notices a table of contracts that is younger than its customers, in which those who had left are missing."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataWarning
from crmkit.preparation._calendar import periods_between
from crmkit.preparation._cutoff import Cutoff

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["warn_of_missing_leavers"]

_EXPECTED = 10.0
"""Refusals to expect before the first one in the table, from which on it is next to certain that some are missing."""


def warn_of_missing_leavers(
    joined: npt.NDArray[np.int64],
    left: npt.NDArray[np.int64],
    churned: npt.NDArray[np.bool_],
    came_up: npt.NDArray[np.int64],
    refused: npt.NDArray[np.bool_],
    period: str,
    *,
    stacklevel: int = 3,
) -> None:
    """Warn where far too many renewals came up before the first end for none of them to have been refused.

    First renewals are compared with first ones, second with second ones: that old contracts are left and young ones
    are not may be how these contracts are.

    Parameters
    ----------
    joined, left : ndarray of int64, shape (n_customers,)
        Days: the start, and the end.
    churned : ndarray of bool, shape (n_customers,)
        Who left before the cutoff; the others' ``left`` means nothing.
    came_up : ndarray of int64, shape (n_customers,)
        How many renewals came up before the cutoff, the refused one included.
    refused : ndarray of bool, shape (n_customers,)
        Who refused the last of them.
    period : str
        The time between renewals.
    stacklevel : int, default=3
        Whose line the warning points at.
    """
    if not refused.any():
        return
    first_end = int(left[churned].min())
    before = np.clip(periods_between(joined, first_end - 1, period), 0, came_up)
    size = int(came_up.max()) + 1
    early, late = _at_least(before, size), _at_least(came_up, size) - _at_least(before, size)
    refusals = np.bincount(came_up[refused], minlength=size)
    known = (early > 0) & (late > 0)
    expected = float((early[known] * refusals[known] / late[known]).sum())
    if expected >= _EXPECTED and refusals[known].sum() >= _EXPECTED:
        warnings.warn(
            f"no contract ends before {Cutoff(first_end)}, although of the {early[1:].sum():,} renewals that had come "
            f"up by then about {expected:,.0f} should have been refused, going by later ones. Those who had left seem "
            "to be missing, and retention looks better than it was: keep only contracts that began after the table did",
            DataWarning,
            stacklevel=stacklevel,
        )


def _at_least(counts: npt.NDArray[np.int64], size: int) -> npt.NDArray[np.int64]:
    """Give how many of some counts are at least 0, 1, 2, ..."""
    return np.cumsum(np.bincount(counts, minlength=size)[::-1])[::-1]
