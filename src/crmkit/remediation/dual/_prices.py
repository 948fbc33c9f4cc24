"""The way to the prices: samples first, then all cases, while the width of smoothing shrinks."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.remediation.dual._newton import Descent

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._blocks import Blocks

    Floats = npt.NDArray[np.float64]

__all__ = ["Found", "find_prices"]

_SAMPLES = (20_000, 160_000, 1_280_000)
_SHRINK = 0.4
_NEAR_OF_SAMPLE = 0.04
_WIDER = 2.0
_TIES = 0.8
_FINEST = 1e-5


class Found(NamedTuple):
    """Prices near the best.

    Parameters
    ----------
    prices : ndarray, shape (n_rows,)
        Where the smoothed bound is least.
    width : float
        Of the last smoothing.
    near : int
        Groups within that width of a tie.
    bound : float
        The lowest bound seen, with the prices that prove it in ``best``.
    best : ndarray, shape (n_rows,)
        These prices.
    kept : bool
        Some divided plan was seen that keeps all limits.
    """

    prices: Floats
    width: float
    near: int
    bound: float
    best: Floats
    kept: bool


def find_prices(
    blocks: Blocks,
    *,
    enough: int,
    start: Floats | None = None,
    top: Floats | None = None,
    typical: float | None = None,
    below: float = -np.inf,
    any_plan: bool = False,
) -> Found:
    """Find prices at which at most about ``enough`` groups are near a tie, or as many as are tied anyway.

    Parameters
    ----------
    blocks : Blocks
        The problem.
    enough : int
        Groups near a tie at which to stop.
    start : ndarray, shape (n_rows,), or None
        Prices of a similar problem: saves the samples and the first widths.
    top : ndarray, shape (n_rows,), or None
        The highest price of each row; by default a thousand typical values for a typical use.
    typical : float or None
        The size of a typical value, where it is not to be taken from the values.
    below : float, default=-inf
        Stop at a bound lower than this.
    any_plan : bool, default=False
        Stop as soon as some divided plan keeps all limits that may have a price.

    Returns
    -------
    Found
        The prices.
    """
    mean, size = blocks.sizes()
    mean = mean if typical is None else typical
    highest = blocks.tier.clip(1e3 * mean / size if top is None else top)
    prices = np.zeros(blocks.n_rows) if start is None else start
    width = 2.0 * mean if start is None else 0.05 * mean
    random = np.random.default_rng(0)
    damping = 1e-3
    tied = False
    for n_groups in _SAMPLES:
        if start is not None or 3 * n_groups > blocks.n_groups:
            break
        chosen = np.sort(random.choice(blocks.n_groups, n_groups, replace=False))
        descent = Descent(blocks.sample(chosen), prices, highest, size)
        descent.damping = damping
        # Prices of a sample are off by more than a fine width could mend.
        width, tied = _shrink(descent, width, mean, int(_NEAR_OF_SAMPLE * n_groups), tied=tied, tight=False)
        prices, damping = descent.prices, descent.damping
        width = width if tied else min(_WIDER * width, 2.0 * mean)
    descent = Descent(blocks, prices, highest, size)
    descent.damping, descent.below, descent.any_plan = damping, below, any_plan
    width, _ = _shrink(descent, width, mean, enough, tied=tied, tight=True, unsettled=start is None)
    if start is not None and not descent.settled:
        # The best prices are too far from the known ones for small steps.
        return find_prices(blocks, enough=enough, top=top, typical=typical, below=below, any_plan=any_plan)
    return Found(descent.prices, width, descent.near, descent.bound, descent.best, descent.kept)


def _shrink(
    descent: Descent, width: float, mean: float, enough: int, *, tied: bool, tight: bool, unsettled: bool = True
) -> tuple[float, bool]:
    """Follow the prices to finer and finer widths; gives the last width, and whether it was ties that ended it.

    It ends at once where a descent ran out of steps, unless it may go on ``unsettled``.
    """
    before = np.inf
    while not tied:
        found = descent.at(width)
        lost = not unsettled and not descent.settled
        if found.near <= enough or width < _FINEST * mean or descent.done or lost:
            return width, False
        # Where a finer width leaves as many near groups, they are tied, and it is the choice among them that counts.
        tied = width < 0.1 * mean and found.near > _TIES * before
        before = found.near
        width *= _SHRINK
    # A sample that ended with ties says so for all.
    descent.at(width, closeness=1e-3 if tight else 0.02)
    return width, True
