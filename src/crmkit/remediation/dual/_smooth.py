"""The best choice of a group, smoothed: ties within a width are shared instead of decided."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Shares", "shares"]


class Shares(NamedTuple):
    """Shares of the options of some groups, those that get any.

    Parameters
    ----------
    option : ndarray of int, shape (n_shares,)
        Which of the options given.
    group : ndarray of int, shape (n_shares,)
        Its group.
    share : ndarray, shape (n_shares,)
        Above 0; those of a group sum to 1.
    support : ndarray of int, shape (n_groups,)
        How many options of each group have a share.
    worth : float
        Sum over groups of ``value . share + width (1 - share . share) / 2``, never below the sum of the best values.
    """

    option: Ints
    group: Ints
    share: Floats
    support: Ints
    worth: float


def shares(value: Floats, group: Ints, n_groups: int, width: float) -> Shares:
    """Share each group among its best options: those within about ``width`` of the best get a part.

    The shares are the projection of ``value / width`` on the simplex.

    Parameters
    ----------
    value : ndarray, shape (n_options,)
        Price-adjusted values, nothing (0) included where it counts.
    group : ndarray of int, shape (n_options,)
        From 0 to ``n_groups - 1``, each with some option.
    n_groups : int
        How many.
    width : float
        Above 0.

    Returns
    -------
    Shares
        The shares and what they are worth.

    References
    ----------
    Michelot 1986, "A finite algorithm for finding the projection of a point onto the canonical simplex of R^n",
    doi:10.1007/BF00938486.
    """
    scaled = value / width
    inside = np.ones(len(value), dtype=bool)
    support = np.bincount(group, minlength=n_groups)
    while True:
        total = np.bincount(group, weights=np.where(inside, scaled, 0.0), minlength=n_groups)
        level = (total - 1.0) / support
        left = inside & (scaled > level[group])
        count = np.bincount(group[left], minlength=n_groups)
        # Rounding must not empty a group.
        if np.array_equal(count, support) or not count.all():
            break
        inside, support = left, count
    option = np.flatnonzero(inside)
    share = np.maximum(scaled[option] - level[group[option]], 0.0)
    worth = float(value[option] @ share + 0.5 * width * (n_groups - share @ share))
    return Shares(option, group[option], share, support, worth)
