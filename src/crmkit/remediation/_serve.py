"""Gives cases, one after the other, what is best for each at given prices and still fits into what is left."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.remediation._coefficients import Some

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._blocks import Blocks
    from crmkit.remediation._coefficients import Coefficients

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Quota", "gather", "serve"]

_STRETCH = 16_384
_SHORTEST = 64


class Quota(NamedTuple):
    """How many of some remedies each key may still get.

    Parameters
    ----------
    code : ndarray of int, shape (n_cases,)
        The key of each case.
    left : ndarray of int, shape (n_keys,)
        How many each may get; counted down in place.
    remedies : ndarray of bool, shape (n_remedies,)
        Which remedies count.
    """

    code: Ints
    left: Ints
    remedies: Bools


class Given(NamedTuple):
    """What each case gets.

    Parameters
    ----------
    choice : ndarray of int, shape (n_cases,)
        -1 for nothing.
    adjusted : ndarray, shape (n_cases,)
        Its value less what it uses at the prices; 0 for nothing.
    """

    choice: Ints
    adjusted: Floats


def serve(
    blocks: Blocks,
    prices: Floats,
    left: Floats,
    allowance: Floats,
    *,
    group: Ints | None,
    taken: Bools,
    quotas: Sequence[Quota] = (),
) -> Given:
    """Go through the cases in order: each gets the best that is worth more than nothing and still fits.

    The same as a loop over the cases, but whole stretches are given at once. Where what a stretch wants is within
    what is left, nothing else is looked at. Where it is not, it is cut before the first case that does not fit, what no
    longer fits is struck out for all that follow (what is left never grows), and they choose again.

    Parameters
    ----------
    blocks : Blocks
        The cases in their order, with all limits that bound anything.
    prices : ndarray, shape (n_rows,)
        Of the turned rows, >= 0.
    left : ndarray, shape (n_rows,)
        What there is; ``inf`` for floors. Counted down in place.
    allowance : ndarray, shape (n_rows,)
        By how much rounding may carry sums beyond it.
    group : ndarray of int, shape (n_cases,), or None
        Cases of one group get at most one remedy; None where each is its own.
    taken : ndarray of bool, shape (n_groups,)
        Groups that have one already; changed in place.
    quotas : sequence of Quota, default=()
        What else is counted by key.

    Returns
    -------
    Given
        Choice and price-adjusted value.

    Notes
    -----
    Cost: one pass over the cases, and a short stretch again for each case before which something ran out.
    """
    n_cases, n_remedies = blocks.value.shape
    given = Given(np.full(n_cases, -1, dtype=np.intp), np.zeros(n_cases))
    if not n_remedies:
        return given
    largest = _largest(blocks)
    place = np.empty(len(taken), dtype=np.intp)
    out = np.empty((n_remedies, min(n_cases, _STRETCH)))
    for begin in range(0, n_cases, _STRETCH):
        end = min(begin + _STRETCH, n_cases)
        table = blocks.adjusted(prices, begin, end, out)
        at, size = begin, end - begin
        while at < end:
            after = min(at + size, end)
            part = table[:, at - begin : after - begin]
            # Rounding may have carried it below 0, where what needs nothing must still fit.
            room = np.maximum(left + allowance, 0.0)
            _strike_out(blocks, part, at, room, largest)
            for quota in quotas:
                part[np.ix_(quota.remedies, quota.left[quota.code[at:after]] <= 0)] = -np.inf
            remedy, best = _best(part)
            if group is not None:
                _one_each(remedy, group[at:after], taken, place)
            fits = _within_quotas(quotas, part, remedy, best, at, alone=group is None)
            used = np.zeros(blocks.n_rows)
            blocks.count(remedy[:fits], at, at + fits, used)
            over = np.flatnonzero(used > room)
            if len(over):
                fits = _before(blocks, remedy[:fits], at, over, room)
                used[:] = 0.0
                blocks.count(remedy[:fits], at, at + fits, used)
            remedy, best = remedy[:fits], best[:fits]
            some = np.flatnonzero(remedy >= 0)
            left -= used
            if group is not None:
                taken[group[at + some]] = True
            for quota in quotas:
                counted = some[quota.remedies[remedy[some]]]
                np.subtract.at(quota.left, quota.code[at + counted], 1)
            given.choice[at : at + fits] = remedy
            given.adjusted[at + some] = best[some]
            # After a cut the next one is likely near.
            size = max(_SHORTEST, fits) if at + fits < after else 2 * size
            at += fits
    return given


def gather(value: Floats, tables: Sequence[Coefficients], choice: Ints) -> tuple[Floats, list[Floats]]:
    """Give what each case's remedy is worth and what it counts in each of some limits; 0 for nothing."""
    n_cases, n_remedies = value.shape
    worth, counts = np.zeros(n_cases), [np.zeros(n_cases) for _ in tables]
    for begin in range(0, n_cases, _STRETCH):
        chosen = choice[begin : begin + _STRETCH]
        for j in range(n_remedies):
            where = np.flatnonzero(chosen == j) + begin
            if not len(where):
                continue
            worth[where] = value[where, j]
            for table, count in zip(tables, counts, strict=True):
                amounts = table.amounts.get(j, 0.0)
                if isinstance(amounts, Some):
                    count[where] = table.at(where, np.full(len(where), j))
                elif isinstance(amounts, np.ndarray):
                    count[where] = amounts[where]
                elif amounts:
                    count[where] = amounts
    return worth, counts


def _largest(blocks: Blocks) -> Floats:
    """Give the most that a single remedy counts in each row."""
    largest = np.zeros(blocks.n_rows)
    for row, amounts in [*blocks.shared, *(pair for own in blocks.own for pair in own)]:
        largest[row] = max(largest[row], float(np.max(amounts, initial=0.0)))
    if blocks.table is not None:
        np.maximum.at(largest, blocks.table.indices, blocks.table.data)
    return largest


def _strike_out(blocks: Blocks, part: Floats, begin: int, room: Floats, largest: Floats) -> None:
    """Strike out what by itself does not fit."""
    tight = largest > room
    if not tight.any():
        return
    end = begin + part.shape[1]
    for row, amounts in blocks.shared:
        if tight[row]:
            part[:, amounts[begin:end] > room[row]] = -np.inf
    for j, own in enumerate(blocks.own):
        for row, amounts in own:
            if tight[row]:
                wants = amounts[begin:end] if isinstance(amounts, np.ndarray) else amounts
                np.copyto(part[j], -np.inf, where=wants > room[row])
    if blocks.table is not None:
        lines = blocks.table[begin * blocks.n_remedies : end * blocks.n_remedies]
        wrong = lines.data > room[lines.indices]
        if wrong.any():
            line = np.repeat(np.arange(lines.shape[0]), np.diff(lines.indptr))[wrong]
            part[line % blocks.n_remedies, line // blocks.n_remedies] = -np.inf


def _best(part: Floats) -> tuple[Ints, Floats]:
    """Give the first best remedy of each case, -1 where nothing is as good, and what it is worth."""
    best, remedy = np.zeros(part.shape[1]), np.full(part.shape[1], -1, dtype=np.intp)
    for j in range(len(part)):
        np.copyto(remedy, j, where=part[j] > best)
        np.maximum(best, part[j], out=best)
    return remedy, best


def _one_each(remedy: Ints, group: Ints, taken: Bools, place: Ints) -> None:
    """Take the remedy from cases whose group has one already, or gets one for an earlier case."""
    wants = np.flatnonzero((remedy >= 0) & ~taken[group])
    remedy[(remedy >= 0) & taken[group]] = -1
    # Written backwards, so that the first of each group stays.
    place[group[wants[::-1]]] = wants[::-1]
    remedy[wants[place[group[wants]] != wants]] = -1


def _within_quotas(
    quotas: Sequence[Quota], part: Floats, remedy: Ints, best: Floats, begin: int, *, alone: bool
) -> int:
    """Say how many cases come before the first that wants more than its quota; changes choices where that is safe."""
    fits = len(remedy)
    for quota in quotas:
        code = quota.code[begin : begin + len(remedy)]
        beyond = _beyond(quota, code, remedy)
        if len(beyond) and alone and len(quotas) == 1:
            # Whatever these take instead counts in no quota, so that all can choose again at once.
            part[np.ix_(np.flatnonzero(quota.remedies), beyond)] = -np.inf
            remedy[beyond], best[beyond] = _best(part[:, beyond])
        elif len(beyond):
            fits = min(fits, int(beyond.min()))
    return fits


def _beyond(quota: Quota, code: Ints, remedy: Ints) -> Ints:
    """Give the cases that want a counted remedy after as many as are left for their key."""
    counted = np.flatnonzero((remedy >= 0) & quota.remedies[remedy])
    key = code[counted]
    order = np.argsort(key, kind="stable")
    numbers = key[order]
    first = np.flatnonzero(np.diff(numbers, prepend=-1))
    rank = np.arange(len(order)) - np.repeat(first, np.diff(np.append(first, len(order))))
    return counted[order[rank >= quota.left[numbers]]]


def _before(blocks: Blocks, remedy: Ints, begin: int, over: Ints, room: Floats) -> int:
    """Say how many cases come before the first that does not fit into some rows."""
    some = np.flatnonzero(remedy >= 0)
    needs = blocks.entries(begin + some, remedy[some])[:, over].toarray()
    beyond = np.any(np.cumsum(needs, axis=0) > room[over], axis=1)
    # The sum in another order may differ in the last digit: then everything fits.
    return int(some[np.argmax(beyond)]) if beyond.any() else len(remedy)
