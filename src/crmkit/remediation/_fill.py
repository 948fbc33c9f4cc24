"""Takes options one after the other as long as they fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.remediation._options import EXACT

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

__all__ = ["fill"]

_CHUNK = 4_096


def fill(group: Ints, uses: Any, left: Floats, taken: Bools) -> tuple[Ints, Floats]:
    """Take options in order: one a group, and only what still fits into every limit.

    The same as a loop over the options, but whole stretches are taken at once: up to the first option that the ones
    before it leave no room for, which is then passed over for good, because what is left never grows.

    Parameters
    ----------
    group : ndarray of int, shape (n_options,)
        In the order in which they are to be taken.
    uses : scipy.sparse array of shape (n_rows, n_options)
        What each uses, >= 0.
    left : ndarray, shape (n_rows,)
        What there is.
    taken : ndarray of bool, shape (n_groups,)
        Groups that have something already; changed in place.

    Returns
    -------
    tuple
        Positions of the options taken, and what is left after them.

    Notes
    -----
    Cost: one pass over the options, and a pass over a stretch of 4,096 for each option passed over that would fit
    alone.
    """
    allowance = EXACT * np.maximum(1.0, np.abs(np.where(np.isfinite(left), left, 0.0)))
    left = left.copy()
    picked = []
    for begin in range(0, len(group), _CHUNK):
        stretch = np.arange(begin, min(begin + _CHUNK, len(group)))
        needs = uses[:, stretch].toarray()
        while len(stretch):
            open_ = ~taken[group[stretch]] & np.all(needs <= (left + allowance)[:, None], axis=0)
            stretch, needs = stretch[open_], needs[:, open_]
            if not len(stretch):
                break
            # Only the first of each group is tried: those after it matter again only where it is passed over.
            first = np.zeros(len(stretch), dtype=bool)
            first[np.unique(group[stretch], return_index=True)[1]] = True
            tried = stretch[first]
            wants = np.cumsum(needs[:, first], axis=1)
            too_much = np.any(wants > (left + allowance)[:, None], axis=0)
            fits = int(np.argmax(too_much)) if too_much.any() else len(tried)
            picked.append(tried[:fits])
            taken[group[tried[:fits]]] = True
            if fits:
                left = left - wants[:, fits - 1]
            rest = stretch > (tried[fits] if fits < len(tried) else stretch[-1])
            stretch, needs = stretch[rest], needs[:, rest]
    return (np.concatenate(picked) if picked else np.zeros(0, dtype=np.intp)), left
