"""One pass over all cases at given prices: the bound they prove, its smoothed form, and how both change."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from crmkit.remediation.dual._smooth import shares

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._blocks import Blocks
    from crmkit.remediation.dual._smooth import Shares

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Swept", "losses", "sweep"]

_FEW_ROWS = 64


class Swept(NamedTuple):
    """What one pass gives.

    Parameters
    ----------
    bound : float
        What no plan can exceed, from these prices (weak duality).
    smooth : float
        The smoothed bound, never below ``bound``.
    gradient : ndarray, shape (n_rows,)
        How the smoothed bound changes with the prices: the limits less what the shared choice uses.
    curvature : ndarray of shape (n_rows, n_rows)
        Its second derivatives; empty where they were not asked for.
    scale : ndarray, shape (n_rows,)
        Sums of the squared coefficients of all shared options: how fast a price alone could matter.
    near : int
        Groups whose second best is within the width of the best.
    margin : ndarray, shape (n_groups,)
        How far the second best of each group is behind; empty where it was not asked for.
    choice : ndarray of int16, shape (n_cases,)
        The best remedy at each position, -1 for nothing; likewise.
    """

    bound: float
    smooth: float
    gradient: Floats
    curvature: Floats
    scale: Floats
    near: int
    margin: Floats
    choice: npt.NDArray[np.int16]


class _Best(NamedTuple):
    """The best of each group of a stretch."""

    value: Floats
    second: Floats
    remedy: npt.NDArray[np.int16]


def sweep(
    blocks: Blocks,
    prices: Floats,
    width: float,
    *,
    derivatives: bool = True,
    every: int = 1,
    keep: bool = False,
    size: Floats | None = None,
) -> Swept:
    """Go through all cases once.

    Parameters
    ----------
    blocks : Blocks
        The problem.
    prices : ndarray, shape (n_rows,)
        Multipliers >= 0.
    width : float
        Ties within this are shared; 0 for the plain bound.
    derivatives : bool, default=True
        Whether to work out the second derivatives.
    every : int, default=1
        Take every so-manyth shared group for the second derivatives.
    keep : bool, default=False
        Whether to keep each group's margin and best choice.
    size : ndarray, shape (n_rows,), or None
        A typical coefficient of each row: what is used beyond limits is smoothed like so many groups that may each buy
        as much. None where the width is 0.

    Returns
    -------
    Swept
        The bound and the rest.
    """
    bound, extra, near_groups = float(prices @ blocks.bound) + blocks.tier.gain(prices), 0.0, 0
    used = np.zeros(blocks.n_rows)
    n_rows = blocks.n_rows if derivatives else 0
    curvature, scale = np.zeros((n_rows, n_rows)), np.zeros(n_rows)
    longest = max((end - begin for begin, end, _, _ in blocks.stretches()), default=0)
    out = np.empty((blocks.n_remedies, longest))
    margin = np.empty(blocks.n_groups if keep else 0)
    choice = np.empty(blocks.n_cases if keep else 0, dtype=np.int16)
    for begin, end, first, after in blocks.stretches():
        reduced = blocks.adjusted(prices, begin, end, out)
        starts = None if blocks.start is None else blocks.start[first:after] - begin
        best = _best(reduced, starts)
        bound += float(best.value.sum())
        distance = best.value - best.second
        if keep:
            margin[first:after], choice[begin:end] = distance, best.remedy
        near = np.flatnonzero(distance < width)
        remedy = best.remedy
        if len(near):
            position, option, value, group = _near_options(reduced, best, near, width, starts)
            found = shares(value, group, len(near), width)
            extra += found.worth - float(best.value[near].sum())
            entries = blocks.entries(begin + position[found.option], option[found.option])
            used += found.share @ entries
            if derivatives:
                _add_curvature(entries, found, every, near_groups, curvature, scale)
            near_groups += len(near)
            remedy = remedy.copy()
            remedy[position] = -1
        blocks.count(remedy, begin, end, used)
    factor = every / width if width else 0.0
    curvature, scale = curvature * factor, scale * factor
    if width and size is not None:
        extra += _buy_beyond(blocks, prices, width, size, used, curvature, scale)
    return Swept(bound, bound + extra, blocks.bound - used, curvature, scale, near_groups, margin, choice)


def losses(blocks: Blocks, prices: Floats, choice: npt.NDArray[np.int16]) -> Floats:
    """Say how much each group loses at these prices against its best choice.

    Parameters
    ----------
    blocks : Blocks
        The problem.
    prices : ndarray, shape (n_rows,)
        Multipliers >= 0.
    choice : ndarray of int16, shape (n_cases,)
        A whole choice by position.

    Returns
    -------
    ndarray, shape (n_groups,)
        0 or more.
    """
    result = np.empty(blocks.n_groups)
    longest = max((end - begin for begin, end, _, _ in blocks.stretches()), default=0)
    out = np.empty((blocks.n_remedies, longest))
    for begin, end, first, after in blocks.stretches():
        reduced = blocks.adjusted(prices, begin, end, out)
        given = choice[begin:end]
        own = np.where(given >= 0, reduced[np.maximum(given, 0), np.arange(end - begin)], 0.0)
        best = reduced.max(axis=0, initial=-np.inf)
        if blocks.start is not None:
            starts = blocks.start[first:after] - begin
            best, own = np.maximum.reduceat(best, starts), np.add.reduceat(own, starts)
        result[first:after] = np.maximum(best, 0.0) - own
    return np.maximum(result, 0.0)


def _buy_beyond(
    blocks: Blocks, prices: Floats, width: float, size: Floats, used: Floats, curvature: Floats, scale: Floats
) -> float:
    """Share what may be bought beyond limits like options near a tie; gives what smoothing adds."""
    rows = np.flatnonzero((blocks.tier.most > 0) & np.isfinite(blocks.tier.most))
    if not len(rows):
        return 0.0
    most, unit = blocks.tier.most[rows], size[rows]
    lead = (prices[rows] - blocks.tier.penalty[rows]) * unit
    share = np.clip(0.5 * (lead / width + 1.0), 0.0, 1.0)
    used[rows] -= most * share
    if len(scale):
        bent = np.where((share > 0) & (share < 1), most * unit / (2.0 * width), 0.0)
        curvature[rows, rows] += bent
        scale[rows] += bent
    worth = share * lead + width * share * (1.0 - share) - np.maximum(lead, 0.0)
    return float(worth @ (most / unit))


def _best(reduced: Floats, starts: Ints | None) -> _Best:
    """Find the best and the second best of each group, nothing (0) included."""
    n_cases = reduced.shape[1]
    lowest = 0.0 if starts is None else -np.inf
    best, second = np.full(n_cases, lowest), np.full(n_cases, -np.inf)
    remedy = np.full(n_cases, -1, dtype=np.int16)
    for j, value in enumerate(reduced):
        better = value > best
        np.maximum(second, np.minimum(value, best), out=second)
        np.maximum(best, value, out=best)
        remedy[better] = j
    if starts is None:
        return _Best(best, second, remedy)
    top = np.maximum.reduceat(best, starts)
    of = np.repeat(np.arange(len(starts)), np.diff(np.append(starts, n_cases)))
    leads = np.flatnonzero(best == top[of])
    leads = leads[np.diff(of[leads], prepend=-1) > 0]
    others = best.copy()
    others[leads] = second[leads]
    behind = np.maximum.reduceat(others, starts)
    gains = top > 0
    chosen = np.full(n_cases, -1, dtype=np.int16)
    chosen[leads[gains]] = remedy[leads[gains]]
    return _Best(np.maximum(top, 0.0), np.where(gains, np.maximum(behind, 0.0), top), chosen)


def _near_options(
    reduced: Floats, best: _Best, near: Ints, width: float, starts: Ints | None
) -> tuple[Ints, Ints, Floats, Ints]:
    """List the options of the near groups that are within the width of the best: position, remedy, value, group."""
    least = best.value[near] - width
    if starts is None:
        case, of = near, np.arange(len(near))
    else:
        size = np.diff(np.append(starts, reduced.shape[1]))[near]
        of = np.repeat(np.arange(len(near)), size)
        case = np.repeat(starts[near] - (np.cumsum(size) - size), size) + np.arange(len(of))
    part = reduced[:, case]
    remedy, column = np.nonzero(part > least[of])
    nothing = np.flatnonzero(least < 0)
    # Nothing stands at the first case of its group.
    first = near if starts is None else starts[near]
    return (
        np.concatenate([case[column], first[nothing]]),
        np.concatenate([remedy, np.full(len(nothing), -1, dtype=np.intp)]),
        np.concatenate([part[remedy, column], np.zeros(len(nothing))]),
        np.concatenate([of[column], nothing]),
    )


def _add_curvature(entries: Any, found: Shares, every: int, before: int, curvature: Floats, scale: Floats) -> None:
    """Add ``E'E - s s'/k`` of each group: ``E`` are its shared options, ``s`` their sum, ``k`` their number."""
    taken = np.flatnonzero((found.group + before) % every == 0)
    taken = taken[np.argsort(found.group[taken], kind="stable")]
    if not len(taken):
        return
    lines = entries[taken]
    group = found.group[taken]
    first = np.flatnonzero(np.diff(group, prepend=-1))
    number = found.support[group[first]]
    scale += np.asarray(lines.multiply(lines).sum(axis=0), dtype=np.float64).ravel()
    if len(scale) <= _FEW_ROWS:
        full = lines.toarray()
        sums = np.add.reduceat(full, first, axis=0)
        curvature += full.T @ full - sums.T @ (sums / number[:, None])
        return
    gather = sparse.csr_array(
        (np.ones(len(taken)), np.arange(len(taken)), np.append(first, len(taken))), shape=(len(first), len(taken))
    )
    totals = gather @ lines
    curvature += (lines.T @ lines - totals.T @ (sparse.diags_array(1.0 / number) @ totals)).toarray()
