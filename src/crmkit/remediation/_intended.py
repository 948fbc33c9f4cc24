"""Says what the cases held out would have been given."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._plan_tables import Lines

    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["TIED", "intended"]

TIED = 1e-7
"""How near the best an option is of equal worth, relative to what is compared."""


def intended(adjusted: Floats, group: Ints, lines: Lines, held: Bools, seed: int) -> Ints:
    """Say what each case would get by the plan's prices: the best of its group where that beats nothing.

    Where several options of a case held out (nothing among them) are worth the same at the prices, the prices do not
    say which; then it is drawn, with the shares in which the planned cases that are tied between the same options were
    given them. So as many of one arm are intended for a remedy as of the other.

    Parameters
    ----------
    adjusted : ndarray, shape (n_cases, n_remedies)
        Price-adjusted values.
    group : ndarray of int, shape (n_cases,)
        Cases of one group get at most one remedy together.
    lines : Lines
        What the plan gives.
    held : ndarray of bool, shape (n_cases,)
        Which cases are held out.
    seed : int
        Of drawing among equals.

    Returns
    -------
    ndarray of int, shape (n_cases,)
        -1 for nothing.
    """
    result = np.full(len(group), -1, dtype=np.intp)
    if not len(group) or not adjusted.shape[1]:
        return result
    best = adjusted.max(axis=1)
    order = np.lexsort((-best, group))
    first = np.ones(len(group), dtype=bool)
    first[1:] = group[order][1:] != group[order][:-1]
    leads = order[first]
    top = np.maximum(best[leads], 0.0)
    beats = best[leads] > 0
    result[leads[beats]] = adjusted[leads[beats]].argmax(axis=1)
    room = TIED * np.maximum(1.0, top)
    open_options = np.column_stack([adjusted[leads] >= (top - room)[:, None], top <= room])
    tied = np.flatnonzero(open_options.sum(axis=1) > 1)
    drawn = tied[held[leads[tied]]]
    if len(drawn):
        given = _given(group[leads[tied]], group, lines, adjusted.shape[1])
        _draw(result, leads, open_options, tied, drawn, given, seed)
    return result


def _given(groups: Ints, group: Ints, lines: Lines, n_remedies: int) -> Floats:
    """Give the share of each option, nothing last, that groups were given; groups are in rising order."""
    at = np.searchsorted(groups, group[lines.case])
    at[at == len(groups)] = 0
    mine = groups[at] == group[lines.case]
    given = mine & (lines.remedy >= 0)
    shares = np.zeros((len(groups), n_remedies + 1))
    np.add.at(shares, (at[given], lines.remedy[given]), lines.share[given])
    shares[:, -1] = np.maximum(1.0 - shares[:, :-1].sum(axis=1), 0.0)
    return shares


def _draw(result: Ints, leads: Ints, open_options: Bools, tied: Ints, drawn: Ints, given: Floats, seed: int) -> None:
    """Draw for groups held out what groups that are tied between the same options were given."""
    kinds, kind = np.unique(open_options[tied], axis=0, return_inverse=True)
    kind = kind.ravel()
    planned = ~np.isin(tied, drawn)
    random = np.random.default_rng([seed, len(leads)])
    for number, options in enumerate(kinds):
        seen = given[planned & (kind == number)].sum(axis=0) * options
        mine = leads[tied[~planned & (kind == number)]]
        if not seen.any() or not len(mine):
            continue
        # Evenly along a shuffled list: each option gets its share to within one case.
        steps = (np.arange(len(mine)) + random.random()) / len(mine)
        option = np.searchsorted(np.cumsum(seen) / seen.sum(), steps, side="right")
        option = np.minimum(option, np.flatnonzero(seen)[-1])
        result[mine[random.permutation(len(mine))]] = np.where(option == len(seen) - 1, -1, option)
