"""What one unit more or less of each limit is worth, on each side, and how far that holds."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse

from crmkit.core.errors import ConvergenceError
from crmkit.remediation._relaxation import POSITIVE, solve_linear

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options
    from crmkit.remediation._relaxation import Relaxed

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Worth", "one_sided"]

_BATCH = 300
_ROUNDS = 200
_UNBOUNDED = 1e7
_SETTLED = 1e-4


class _DualFace:
    """All prices that prove the divided plan optimal: a polyhedron in as many dimensions as there are limits.

    It has one inequality an option, so they are brought in as they are violated.
    """

    def __init__(self, options: Options, relaxed: Relaxed) -> None:
        self.options = options
        given = relaxed.share > POSITIVE
        given_in = np.bincount(options.group, weights=relaxed.share, minlength=options.n_groups)
        # One thing that each group gets; nothing (-1) where it gets less than a whole remedy.
        self.base = np.full(options.n_groups, -1, dtype=np.intp)
        full = given & (given_in > 1 - POSITIVE)[options.group]
        self.base[options.group[full]] = np.flatnonzero(full)
        slack = options.bound - options.used(relaxed.share)
        scale = np.maximum(options.row_scale, np.abs(np.where(options.limited, options.bound, 0.0)))
        tight = 1e-7 * scale
        self.free = options.limited & (slack <= tight)
        # What is used beyond a limit is bought at its penalty, and all of it is where the price is higher.
        soft = options.tier.most > 0
        self.least = np.where(soft & (slack < -tight), options.tier.penalty, 0.0)
        self.most = np.where(soft & (slack > -options.tier.most + tight), options.tier.penalty, np.inf)
        self.most[~self.free] = 0.0
        self.slack = 1e-9 * options.scale
        tied = np.flatnonzero(given & (self.base[options.group] != np.arange(options.n_options)))
        self.single = self._is_single(tied)
        near = self._losses(relaxed.prices)
        self.lines: list[tuple[int, int]] = []
        self.known: set[tuple[int, int]] = set()
        for option in tied:
            self._add(int(self.base[options.group[option]]), int(option))
            self._add(int(option), int(self.base[options.group[option]]))
        for option in np.argsort(near, kind="stable")[: 40 * (len(options.bound) + 1)]:
            self._add(int(self.base[options.group[option]]), int(option))
        best_base = self._base_value(options.adjusted(relaxed.prices))
        for group in np.argsort(best_base, kind="stable")[: 40 * (len(options.bound) + 1)]:
            self._add(int(self.base[group]), -1)

    def _is_single(self, tied: npt.NDArray[np.intp]) -> bool:
        """Say whether what is divided settles every price: as many ties as prices, none following from others."""
        free = np.flatnonzero(self.free)
        if not 0 < len(free) <= len(tied):
            return False
        rows = sparse.csc_array(self.options.matrix[free])
        base = self.base[self.options.group[tied]]
        won = rows[:, np.maximum(base, 0)].toarray() * (base >= 0)
        ties = (won - rows[:, tied].toarray()) / self.options.row_scale[free][:, None]
        return bool(np.linalg.svd(ties, compute_uv=False)[-1] > _SETTLED)

    def _add(self, winner: int, loser: int) -> bool:
        """Demand that at the prices one thing is at least as good as another."""
        if winner == loser or (winner, loser) in self.known:
            return False
        self.known.add((winner, loser))
        self.lines.append((winner, loser))
        return True

    def _base_value(self, adjusted: Floats) -> Floats:
        """Give what each group's base is worth."""
        return np.where(self.base >= 0, adjusted[self.base], 0.0) if len(adjusted) else np.zeros(0)

    def _losses(self, prices: Floats) -> Floats:
        """Give how far each option is behind the base of its group; negative where it is ahead."""
        adjusted = self.options.adjusted(prices)
        return self._base_value(adjusted)[self.options.group] - adjusted

    def _system(self) -> tuple[Any, Floats]:
        """Write the demands as ``matrix @ prices <= bound``."""
        matrix = sparse.csc_array(self.options.matrix)
        width = matrix.shape[0]
        pairs = np.array(self.lines, dtype=np.intp).reshape(-1, 2)
        dense = np.zeros((2, len(pairs), width))
        worth = np.zeros((2, len(pairs)))
        for side in (0, 1):
            there = np.flatnonzero(pairs[:, side] >= 0)
            dense[side, there] = matrix[:, pairs[there, side]].toarray().T
            worth[side, there] = self.options.value[pairs[there, side]]
        return dense[0] - dense[1], worth[0] - worth[1]

    def extreme(self, row: int, *, largest: bool) -> Floats | None:
        """Find the prices of the face at which one of them is largest or smallest; None where it has no end."""
        n_rows = len(self.options.bound)
        scale = self.options.row_scale / self.options.scale
        cost = np.zeros(n_rows)
        cost[row] = -1.0 if largest else 1.0
        limit = self.most * scale
        limit[row] = min(limit[row], _UNBOUNDED)
        for _ in range(_ROUNDS):
            matrix, bound = self._system()
            # Prices are solved for in units of typical value over typical use.
            result = solve_linear(
                cost,
                matrix / scale / self.options.scale,
                (bound + self.slack) / self.options.scale,
                n_options=0,
                bounds=np.column_stack([self.least * scale, limit]),
            )
            if result.status != 0:
                raise ConvergenceError("the range of the prices could not be found", parameter=self.options.names[row])
            prices = np.asarray(result.x) / scale
            if not self._tighten(prices):
                return None if largest and result.x[row] >= 0.999 * _UNBOUNDED else prices
        raise ConvergenceError("the range of the prices could not be found", parameter=self.options.names[row])

    def _tighten(self, prices: Floats) -> bool:
        """Add the demands that these prices break most; False where they break none."""
        tolerance = 10 * self.slack + 1e-9 * float(np.max(prices * self.options.row_scale, initial=0.0))
        loss = self._losses(prices)
        broken = np.flatnonzero(loss < -tolerance)
        worst = broken[np.argsort(loss[broken], kind="stable")[:_BATCH]]
        added = [self._add(int(self.base[self.options.group[option]]), int(option)) for option in worst]
        base = self._base_value(self.options.adjusted(prices))
        broken = np.flatnonzero(base < -tolerance)
        worst = broken[np.argsort(base[broken], kind="stable")[:_BATCH]]
        added += [self._add(int(self.base[group]), -1) for group in worst]
        return any(added)


class Worth(NamedTuple):
    """One-sided prices of every turned limit and how far they hold.

    Parameters
    ----------
    less, more : ndarray, shape (n_rows,)
        What one unit less costs (``inf`` where it leaves no plan), and what one unit more brings; >= 0.
    down, up : ndarray, shape (n_rows,)
        How far the limit may move on that side while that price stays the same.
    """

    less: Floats
    more: Floats
    down: Floats
    up: Floats


def one_sided(options: Options, relaxed: Relaxed) -> Worth:
    """Find the worth of one unit less and of one unit more of each turned limit, and how far that holds.

    Where an optimal plan has several price systems, the smallest price of a limit is what one unit more brings and the
    largest is what one unit less costs (the directional derivatives of the optimal value, which is concave in the
    limits).

    Parameters
    ----------
    options : Options
        What may be chosen.
    relaxed : Relaxed
        The divided plan.

    Returns
    -------
    Worth
        Prices and their range.

    Notes
    -----
    Cost: for each limit that is used up two small programmes over the prices and two over what is tied at them, each
    with a few passes over the options. Where the divided cases settle every price (as many of them as limits that are
    used up), the programmes over the prices are left out.
    """
    n_rows = len(options.bound)
    worth = Worth(np.zeros(n_rows), np.zeros(n_rows), np.full(n_rows, np.inf), np.full(n_rows, np.inf))
    if not options.n_options:
        empty = options.limited & (options.bound <= 0)
        worth.less[empty] = np.inf
        worth.down[options.limited] = np.maximum(options.bound[options.limited], 0.0)
        return worth
    face = _DualFace(options, relaxed)
    for row in np.flatnonzero(options.limited):
        several = face.free[row] and not face.single
        low = face.extreme(int(row), largest=False) if several else relaxed.prices
        high = face.extreme(int(row), largest=True) if several else relaxed.prices
        if low is not None:
            worth.more[row] = _clean(low[row], options, int(row))
            worth.up[row] = _step(options, low, int(row), more=True)
        worth.less[row] = np.inf if high is None else _clean(high[row], options, int(row))
        worth.down[row] = 0.0 if high is None else _step(options, high, int(row), more=False)
    return worth


def _clean(price: float, options: Options, row: int) -> float:
    """Drop a price that is only the solver's rounding."""
    return 0.0 if abs(price) * options.row_scale[row] < 1e-8 * options.scale else float(price)


def _step(options: Options, prices: Floats, row: int, *, more: bool) -> float:
    """Find how far a limit may move on one side while these prices still prove a plan optimal."""
    # With the prices fixed, a plan stays optimal as long as it takes only what is tied for best in its group and uses
    # up every limit that has a price.
    adjusted = options.adjusted(prices)
    best = options.best(adjusted)
    tolerance = 1e-7 * options.scale
    tied = best[options.group] - adjusted <= tolerance
    must = best > tolerance
    priced = options.limited & (prices * options.row_scale > tolerance)
    dearer = (prices - options.tier.penalty) * options.row_scale
    bought = options.tier.most > 0
    # At a higher price than the penalty all there is beyond the limit is bought, at the penalty itself any part of it.
    bound = (options.bound + np.where(bought & (dearer > tolerance), options.tier.most, 0.0)) / options.row_scale
    some = np.flatnonzero(bought & (np.abs(dearer) <= tolerance))
    part = options.take(tied, options.bound)
    needed = must[options.group[tied][part.start]] if part.n_options else np.zeros(0, dtype=bool)
    scale = options.row_scale
    extra = np.zeros((len(options.bound), len(some) + 1))
    extra[some, np.arange(len(some))] = -1.0
    extra[row, -1] = -1.0 if more else 1.0
    rows = sparse.hstack([sparse.diags_array(1.0 / scale) @ part.matrix, sparse.csr_array(extra)], format="csr")
    lines = sparse.hstack([part.members, sparse.csr_array((part.n_groups, len(some) + 1))], format="csr")
    below = np.flatnonzero(options.limited & ~priced)
    exact = np.flatnonzero(priced)
    upper = np.concatenate([np.full(part.n_options, np.inf), (options.tier.most / scale)[some], [np.inf]])
    result = solve_linear(
        np.append(np.zeros(part.n_options + len(some)), -1.0),
        sparse.vstack([rows[below], lines[np.flatnonzero(~needed)]], format="csr"),
        np.concatenate([bound[below], np.ones(int((~needed).sum()))]),
        n_options=part.n_options,
        A_eq=sparse.vstack([rows[exact], lines[np.flatnonzero(needed)]], format="csr"),
        b_eq=np.concatenate([bound[exact], np.ones(int(needed.sum()))]),
        bounds=np.column_stack([np.zeros(len(upper)), upper]),
    )
    if result.status == 3:
        return np.inf
    return max(float(result.x[-1]) * scale[row], 0.0) if result.status == 0 else 0.0
