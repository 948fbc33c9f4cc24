"""Exchanges that make a whole plan better: one to three groups at a time take another option."""

from __future__ import annotations

from itertools import combinations
from time import perf_counter
from typing import TYPE_CHECKING

import numpy as np
from scipy import sparse

from crmkit.remediation._options import EXACT
from crmkit.remediation.dual._listing import as_options, list_options

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._blocks import Blocks
    from crmkit.remediation._options import Options

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["exchange", "improve"]

_MOVES, _CANDIDATES = 24, 96
_ROUNDS = 6
_GAINED = 0.05
_WIDE = 0.05
_ROUNDING = 1e-12
_TOGETHER = tuple(np.array(list(combinations(range(_MOVES), k)), dtype=np.int16).T for k in (1, 2, 3))


def improve(
    blocks: Blocks, choice: npt.NDArray[np.int16], groups: Ints, prices: Floats, *, enough: float, time_limit: float
) -> npt.NDArray[np.int16]:
    """Make a whole plan of a large problem better by exchanges among some of its groups.

    Parameters
    ----------
    blocks : Blocks
        The problem.
    choice : ndarray of int16, shape (n_cases,)
        The plan, by position, within the limits.
    groups : ndarray of int
        Those that may change, ascending.
    prices : ndarray, shape (n_rows,)
        Multipliers near the best ones.
    enough, time_limit : float
        As in :func:`exchange`.

    Returns
    -------
    ndarray of int16, shape (n_cases,)
        A plan within the limits that is worth at least as much, by exact sums.
    """
    position, _ = blocks.positions(groups)
    fixed = choice.copy()
    fixed[position] = -1
    options = as_options(blocks, list_options(blocks, groups, prices), blocks.bound - blocks.used(fixed))
    share = (choice[options.case] == options.remedy).astype(np.float64)
    taken = np.flatnonzero(exchange(options, share, prices, enough=enough, time_limit=time_limit))
    fixed[options.case[taken]] = options.remedy[taken]
    before, after = blocks.used(choice), blocks.used(fixed)
    hard = blocks.bound + blocks.tier.most
    if np.any(after > hard + EXACT * np.maximum(1.0, np.abs(blocks.bound))):
        return choice
    gain = blocks.worth(fixed) - blocks.worth(choice)
    return fixed if gain > blocks.tier.cost(after - blocks.bound) - blocks.tier.cost(before - blocks.bound) else choice


def exchange(options: Options, share: Floats, prices: Floats, *, enough: float, time_limit: float) -> Floats:
    """Exchange options of a whole plan as long as that makes it better.

    At prices that prove a bound, what a plan is short of it is what it leaves of each limit times the price, and what
    each group loses against its best option. So the search goes from limit to limit, those with the most of both first,
    and tries all changes of one to three groups that touch it, among the 24 that lose least. No change breaks a limit
    or goes further beyond a soft one. What very many options use, such as a budget, is taken at its price in every
    other round: a little of it can be left over now and is spent in the round after.

    Parameters
    ----------
    options : Options
        What may be chosen, every row with a bound.
    share : ndarray, shape (n_options,)
        The plan, 0 and 1, within the limits.
    prices : ndarray, shape (n_rows,)
        Multipliers near the best ones.
    enough : float
        Stop when the plan is within this value of the bound that the prices prove.
    time_limit : float
        Seconds.

    Returns
    -------
    ndarray, shape (n_options,)
        A plan that is worth at least as much.
    """
    end = perf_counter() + time_limit
    plan = _Exchanges(options, share, prices)
    best, least = share, plan.short
    if least <= enough:
        return share
    for _ in range(_ROUNDS):
        before = least
        for priced in (plan.wide, plan.wide[:0]):
            promise = plan.promise()
            for row in np.argsort(-promise, kind="stable")[: np.count_nonzero(promise)]:
                while perf_counter() < end and plan.change(int(row), priced):
                    pass
            if plan.short < least:
                best, least = plan.share, plan.short
        if before - least <= _GAINED * before or least <= enough or perf_counter() > end:
            break
    return best


class _Exchanges:
    """A whole plan, what it leaves of the limits, and the changes that would make it better."""

    def __init__(self, options: Options, share: Floats, prices: Floats) -> None:
        n_options, n_groups = options.n_options, options.n_groups
        self.options, self.prices = options, prices
        # After the options each group's nothing stands as one more.
        blank = sparse.csr_array((n_groups, len(options.bound)))
        self.lines = sparse.vstack([sparse.csr_array(options.matrix.T), blank], format="csr")
        self.columns = self.lines.tocsc()
        self.wide = np.flatnonzero(np.diff(self.columns.indptr) > _WIDE * n_options)
        self.group = np.concatenate([options.group, np.arange(n_groups)])
        self.value = np.concatenate([options.value, np.zeros(n_groups)])
        adjusted = options.adjusted(prices)
        best = options.best(adjusted)
        self.loss = np.concatenate([best[options.group] - adjusted, best])
        self.now = n_options + np.arange(n_groups)
        order = np.lexsort((self.loss, self.group))
        self.top = order[np.flatnonzero(np.diff(self.group[order], prepend=-1))]
        taken = np.flatnonzero(share > 0)
        self.now[options.group[taken]] = taken
        self.left = options.bound - options.used(share)
        self.scale, self.rounding = options.scale, _ROUNDING * np.maximum(1.0, np.abs(options.bound))

    @property
    def share(self) -> Floats:
        """The plan."""
        share = np.zeros(len(self.value))
        share[self.now] = 1.0
        return share[: self.options.n_options]

    @property
    def waste(self) -> Floats:
        """What is left of each limit, at its price."""
        return np.asarray(self.prices * np.maximum(self.left, 0.0), dtype=np.float64)

    @property
    def room(self) -> Floats:
        """What changes may use of each limit."""
        return np.asarray(np.maximum(self.left, 0.0) + self.rounding, dtype=np.float64)

    @property
    def short(self) -> float:
        """What the plan is short of the bound that the prices prove."""
        tier = self.options.tier
        beyond = tier.gain(self.prices) + tier.cost(-self.left)
        return float(self.prices @ self.left + self.loss[self.now].sum()) + beyond

    def promise(self) -> Floats:
        """Say of each limit what is left of it, and what its groups lose: what changes could gain there."""
        lossy = np.flatnonzero(self.loss[self.now] > _ROUNDING * self.scale)
        touched = abs(self.lines[self.now[lossy]]) + abs(self.lines[self.top[lossy]])
        lost = touched.astype(bool).astype(np.float64).T @ self.loss[self.now[lossy]]
        return np.asarray(self.waste + lost, dtype=np.float64)

    def change(self, row: int, priced: Ints) -> bool:
        """Make the change that touches a row and gains most, some rows taken at their price; False if none gains."""
        to, uses, tight = self._possible(self._moves(row))
        gain = self.value[to] - self.value[self.now[self.group[to]]] - uses[:, priced] @ self.prices[priced]
        # The row itself decides most, so it is asked first.
        tight = np.concatenate([tight[tight == row], tight[tight != row]])
        most, chosen = _ROUNDING * self.scale, _TOGETHER[0][0, :0]
        room = self.room
        for places in _TOGETHER:
            some = places[:, places[-1] < len(to)]
            total = gain[some].sum(axis=0)
            some, total = some[:, total > most], total[total > most]
            for each in tight:
                fits = uses[:, each][some].sum(axis=0) <= room[each]
                some, total = some[:, fits], total[fits]
            group = self.group[to[some]]
            apart = np.ones(len(total), dtype=bool)
            for a, b in combinations(range(len(places)), 2):
                apart &= group[a] != group[b]
            some, total = some[:, apart], total[apart]
            if len(total):
                at = int(np.argmax(total))
                most, chosen = float(total[at]), some[:, at]
        if not len(chosen):
            return False
        self.now[self.group[to[chosen]]] = to[chosen]
        self.left = self.left - uses[chosen].sum(axis=0)
        return True

    def _possible(self, to: Ints) -> tuple[Ints, Floats, Ints]:
        """Keep the moves that could fit with two others, the first 24; with what they use and the rows to be asked."""
        uses = (self.lines[to] - self.lines[self.now[self.group[to]]]).toarray()
        touched = np.flatnonzero(np.any(uses, axis=0))
        part = uses[:, touched]
        relief = np.minimum(np.sort(part, axis=0)[:2], 0.0).sum(axis=0)
        kept = np.flatnonzero(np.all(part + relief <= self.room[touched], axis=1))[:_MOVES]
        most = np.maximum(np.sort(part[kept], axis=0)[-3:], 0.0).sum(axis=0)
        return to[kept], uses[kept], touched[most > self.room[touched]]

    def _moves(self, row: int) -> Ints:
        """List the options that use a row, and those that its users could have instead; those that lose least first."""
        inside = self.columns.indices[self.columns.indptr[row] : self.columns.indptr[row + 1]]
        users = self.group[inside[self.now[self.group[inside]] == inside]]
        start = np.append(self.options.start, self.options.n_options)
        size = np.diff(start)[users]
        others = np.repeat(start[users] - (np.cumsum(size) - size), size) + np.arange(int(size.sum()))
        found = np.unique(np.concatenate([inside, others, self.options.n_options + users]))
        found = found[self.now[self.group[found]] != found]
        cost = self.loss[found] - self.loss[self.now[self.group[found]]]
        return np.asarray(found[np.argsort(cost, kind="stable")[:_CANDIDATES]], dtype=np.intp)
