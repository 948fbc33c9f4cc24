"""Options of some groups at given prices, one flat list."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from crmkit.remediation._options import Options

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._blocks import Blocks

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Listed", "as_options", "list_options"]


class Listed(NamedTuple):
    """Options sorted by group, then position, then remedy; without nothing.

    Parameters
    ----------
    position, remedy : ndarray of int, shape (n_options,)
        What each option is.
    group : ndarray of int, shape (n_options,)
        Which of the groups asked for.
    value : ndarray, shape (n_options,)
        Price-adjusted.
    best : ndarray, shape (n_groups,)
        The best of each group, at least 0.
    """

    position: Ints
    remedy: Ints
    group: Ints
    value: Floats
    best: Floats


def list_options(blocks: Blocks, groups: Ints, prices: Floats, within: float = np.inf) -> Listed:
    """List the options of some groups that are within a loss of the best of their group.

    Parameters
    ----------
    blocks : Blocks
        The problem.
    groups : ndarray of int
        Ascending.
    prices : ndarray, shape (n_rows,)
        Multipliers.
    within : float, default=inf
        The largest loss.

    Returns
    -------
    Listed
        The options.
    """
    position, of = blocks.positions(groups)
    case = blocks.case_at(position)
    pair = np.repeat(position, blocks.n_remedies), np.tile(np.arange(blocks.n_remedies), len(position))
    value = blocks.value[case].ravel()
    there = np.flatnonzero(np.isfinite(value))
    at, remedy = pair[0][there], pair[1][there]
    adjusted = value[there] - blocks.entries(at, remedy) @ prices
    group = of[there // max(blocks.n_remedies, 1)]
    best = np.zeros(len(groups))
    np.maximum.at(best, group, adjusted)
    close = adjusted >= best[group] - within
    return Listed(at[close], remedy[close], group[close], adjusted[close], best)


def as_options(blocks: Blocks, listed: Listed, bound: Floats) -> Options:
    """Write listed options as a problem of their own.

    Parameters
    ----------
    blocks : Blocks
        The problem.
    listed : Listed
        The options; ``case`` of the result is their position.
    bound : ndarray, shape (n_rows,)
        What is left of the turned limits for them.

    Returns
    -------
    Options
        The problem; its rows are those of the blocks.
    """
    new = np.flatnonzero(np.diff(listed.group, prepend=-1))
    number = np.cumsum(np.diff(listed.group, prepend=-1) > 0) - 1
    return Options(
        case=listed.position,
        remedy=listed.remedy,
        value=blocks.value[blocks.case_at(listed.position), listed.remedy],
        group=number,
        start=new,
        matrix=sparse.csr_array(blocks.entries(listed.position, listed.remedy).T),
        bound=bound,
        sign=blocks.sign,
        names=tuple(str(row) for row in blocks.rows),
        tier=blocks.tier,
    )
