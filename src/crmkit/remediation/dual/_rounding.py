"""Whole choices for groups that share several options, such that sums stay nearly as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.remediation.dual._listing import list_options
from crmkit.remediation.dual._smooth import shares

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._blocks import Blocks

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["round_groups"]

_GOLDEN = 0.6180339887498949
_TOGETHER = 100_000


def round_groups(blocks: Blocks, choice: npt.NDArray[np.int16], groups: Ints, prices: Floats, width: float) -> None:
    """Give each of some groups one of its shared options, in place.

    Groups are sorted so that those with like options stand together, and the t-th is drawn with the fraction of
    ``t`` times the golden ratio: any stretch of such numbers is spread evenly, so that among like groups each option
    is drawn as often as its shares sum to, up to about one.

    Parameters
    ----------
    blocks : Blocks
        The problem.
    choice : ndarray of int16, shape (n_cases,)
        By position.
    groups : ndarray of int
        Ascending.
    prices : ndarray, shape (n_rows,)
        Multipliers.
    width : float
        Of smoothing.
    """
    for begin in range(0, len(groups), _TOGETHER):
        some = groups[begin : begin + _TOGETHER]
        listed = list_options(blocks, some, prices, width)
        nothing = np.flatnonzero(listed.best < width)
        group = np.concatenate([listed.group, nothing])
        value = np.concatenate([listed.value, np.zeros(len(nothing))])
        found = shares(value, group, len(some), width)
        position = np.concatenate([listed.position, np.full(len(nothing), -1)])[found.option]
        remedy = np.concatenate([listed.remedy, np.full(len(nothing), -1)])[found.option]
        entries = blocks.entries(np.maximum(position, 0), remedy)
        # The row an option counts in tells like groups apart where each case has rows of its own.
        row = np.full(len(remedy), -1)
        filled = np.diff(entries.indptr) > 0
        row[filled] = np.maximum.reduceat(entries.indices, entries.indptr[:-1][filled])
        order = np.lexsort((remedy, found.group))
        first = np.flatnonzero(np.diff(found.group[order], prepend=-1))
        last = np.append(first[1:], len(order)) - 1
        share, kind, place = found.share[order], remedy[order], row[order]
        rank = np.empty(len(first), dtype=np.intp)
        rank[np.lexsort((share[first], kind[last], place[last], kind[first], place[first]))] = np.arange(len(first))
        drawn = (0.5 + _GOLDEN * rank) % 1.0
        total = np.cumsum(share)
        reached = (total - (total[first] - share[first])[found.group[order]] > drawn[found.group[order]]).astype(
            np.intp
        )
        # Of each group the first option whose running sum is beyond the number drawn, else its last.
        before = np.cumsum(reached) - reached
        hit = (reached == 1) & (before == before[first][found.group[order]])
        pick = last.copy()
        pick[found.group[order][hit]] = np.flatnonzero(hit)
        at, what = position[order][pick], remedy[order][pick]
        cleared, _ = blocks.positions(some)
        choice[cleared] = -1
        choice[at[what >= 0]] = what[what >= 0]
