"""The groups near a tie, solved exactly while all others keep their best choice."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.remediation._relaxation import relax, solve_linear
from crmkit.remediation.dual._listing import as_options, list_options
from crmkit.remediation.dual._rounding import round_groups
from crmkit.remediation.dual._sweep import losses, sweep

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._blocks import Blocks
    from crmkit.remediation._options import Options
    from crmkit.remediation._relaxation import Relaxed

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Core", "Surroundings"]

_TIED_A_ROW = 16
_ADDED_A_ROW = 24
_ROUNDS = 4
_SETTLING, _SETTLED, _ADDED_AT_ONCE = 6, 1e-8, 2


class Core(NamedTuple):
    """A part of the problem with what surrounds it fixed.

    Parameters
    ----------
    options : Options
        The part, under what the rest leaves of the limits.
    relaxed : Relaxed
        Its divided plan.
    fixed : ndarray of int16, shape (n_cases,)
        What all others get, by position; -1 in the core.
    worth : float
        What that is worth.
    """

    options: Options
    relaxed: Relaxed
    fixed: npt.NDArray[np.int16]
    worth: float


class Surroundings:
    """A whole choice for every group at given prices, and how near each group is to a tie.

    Parameters
    ----------
    blocks : Blocks
        The problem.
    prices : ndarray, shape (n_rows,)
        Multipliers near the best ones.
    width : float
        Ties within it were shared when the prices were found.
    size : int
        Groups to solve exactly.
    """

    def __init__(self, blocks: Blocks, prices: Floats, width: float, size: int) -> None:
        self.blocks, self.prices = blocks, prices
        swept = sweep(blocks, prices, 0.0, derivatives=False, keep=True)
        self.bound, self.margin, self.choice = swept.bound, swept.margin, swept.choice
        self.random = np.random.default_rng(0)
        near = np.flatnonzero(self.margin < width)
        if len(near) <= size:
            self.groups = self.nearest(size)
            return
        round_groups(blocks, self.choice, near, prices, width)
        # Ties are all alike near: any of them will do, if there are enough for each limit.
        size = min(max(size, _TIED_A_ROW * blocks.n_rows), len(near))
        self.groups = np.sort(self.random.choice(near, size, replace=False))

    def nearest(self, size: int) -> Ints:
        """Give the groups nearest a tie, ascending."""
        if size >= self.blocks.n_groups:
            return np.arange(self.blocks.n_groups)
        return np.sort(np.argpartition(self.margin, size)[:size])

    @property
    def everything(self) -> bool:
        """Whether the core is the whole problem."""
        return len(self.groups) == self.blocks.n_groups

    def grow(self) -> None:
        """Take four times as many groups into the core."""
        self.groups = np.union1d(self.groups, self.nearest(4 * len(self.groups)))

    def solve(self, typical: float) -> Core | None:
        """Solve the core, taking in groups that use what is short; None where that does not help."""
        for _ in range(_ROUNDS):
            options, fixed = self._part()
            relaxed = relax(options)
            if relaxed is not None:
                return Core(options, relaxed, fixed, self.blocks.worth(fixed))
            if self.everything:
                return None
            short = _short(options, typical)
            before = len(self.groups)
            self._reach(short)
            if len(self.groups) == before:
                return None
        return None

    def settle(self, core: Core, typical: float) -> Core:
        """Take in groups whose fixed choice is not the best at the core's prices, until no group would change.

        What the groups lose by their choice is what the core's divided plan is short of the best of all. Where very
        many groups are tied, some are fixed at less than they could have.
        """
        for _ in range(_SETTLING):
            lost = losses(self.blocks, core.relaxed.prices, core.fixed)
            lost[self.groups] = 0.0
            size = max(typical, abs(core.worth + core.relaxed.value))
            if float(lost.sum()) <= _SETTLED * size or self.everything:
                break
            added = np.flatnonzero(lost > _SETTLED * typical)
            most = _ADDED_AT_ONCE * len(self.groups)
            if len(added) > most:
                added = added[np.argpartition(-lost[added], most)[:most]]
            self.groups = np.union1d(self.groups, added)
            better = self.solve(typical)
            if better is None:
                break
            core = better
        return core

    def _part(self) -> tuple[Options, npt.NDArray[np.int16]]:
        """Write the core as a problem of its own."""
        position, _ = self.blocks.positions(self.groups)
        fixed = self.choice.copy()
        fixed[position] = -1
        listed = list_options(self.blocks, self.groups, self.prices)
        return as_options(self.blocks, listed, self.blocks.bound - self.blocks.used(fixed)), fixed

    def _reach(self, short: npt.NDArray[np.bool_]) -> None:
        """Take in groups near a tie that use a row that is short, some for each."""
        pool = self.nearest(min(16 * len(self.groups), self.blocks.n_groups))
        pool = np.setdiff1d(pool, self.groups)
        if not len(pool):
            return
        listed = list_options(self.blocks, pool, self.prices)
        uses = self.blocks.entries(listed.position, listed.remedy).tocsc()
        loss = listed.best[listed.group] - listed.value
        # What a group has now costs nothing; what it could have instead costs its loss.
        second = np.where(loss > 0, loss, self.margin[pool][listed.group])
        added = []
        for row in np.flatnonzero(short):
            inside = uses.indices[uses.indptr[row] : uses.indptr[row + 1]]
            order = inside[np.argsort(second[inside], kind="stable")]
            added.append(pool[np.unique(listed.group[order[:_ADDED_A_ROW]])])
        if added:
            self.groups = np.union1d(self.groups, np.concatenate(added))


def _short(options: Options, typical: float) -> npt.NDArray[np.bool_]:
    """Say which rows a divided plan of the core breaks least."""
    hard = options.hardest()
    rows = np.flatnonzero(hard.limited)
    matrix, bound = hard.system(rows, elastic=True)
    result = solve_linear(
        np.concatenate([-options.value / typical, np.full(len(rows), 1e3)]),
        matrix,
        bound,
        n_options=options.n_options,
        bounds=(0, None),
    )
    short = np.zeros(len(options.bound), dtype=bool)
    short[rows] = result.x[options.n_options :] > 1e-7
    return short
