"""Remedies of an earlier plan that are promised: they stand, whatever else is planned anew."""

from __future__ import annotations

import dataclasses
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, InfeasiblePlanError
from crmkit.remediation._coefficients import Coefficients, Some
from crmkit.remediation._options import EXACT
from crmkit.remediation._tableau import Tableau
from crmkit.remediation._terms import Floor, Resource
from crmkit.remediation._tier import Tier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt
    import pandas as pd

    from crmkit.remediation._coefficients import Amounts
    from crmkit.remediation._tableau import Limits
    from crmkit.remediation._terms import Limit

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

__all__ = [
    "Promised",
    "check_promises",
    "closed_groups",
    "less_promised",
    "less_spent",
    "still_held",
    "use_of_promised",
    "with_promised",
]


class Promised(NamedTuple):
    """What stands of earlier plans.

    Parameters
    ----------
    case, remedy : ndarray of int, shape (n_promised,)
        Which case of the problem was promised which remedy.
    value : ndarray, shape (n_promised,)
        What each is worth, as planned.
    uses : mapping of str to ndarray, shape (n_promised,)
        What each takes of each resource, as planned.
    gone : pandas.DataFrame
        Remedies promised to cases that are not in the problem: ``remedy``, and the columns that name customers.
    seen : pandas.DataFrame
        The columns that name customers, of cases that are not in the problem, and whether they were ``held_out``; only
        where there is a hold-out.
    rounds : int
        How often the plan was updated.
    """

    case: Ints
    remedy: Ints
    value: Floats
    uses: Mapping[str, Floats]
    gone: pd.DataFrame
    seen: pd.DataFrame
    rounds: int


def with_promised(tableau: Tableau, limits: Sequence[Limit], promised: Promised) -> Tableau:
    """Write what was promised into the tableau: worth and uses as planned, and nothing else for these cases.

    Parameters
    ----------
    tableau : Tableau
        As the formulas give it.
    limits : sequence of Limit
        The limits.
    promised : Promised
        What stands.

    Returns
    -------
    Tableau
        Sharing what is not changed.
    """
    case, remedy = promised.case, promised.remedy
    value = tableau.value.copy(order="F")
    value[case] = -np.inf
    value[case, remedy] = promised.value
    found = []
    for limit, row in zip(limits, tableau.limits, strict=True):
        amounts = dict(row.coefficients.amounts)
        for j in np.unique(remedy) if isinstance(limit, Resource) else ():
            these = remedy == j
            amounts[int(j)] = _put(amounts.get(int(j), 0.0), case[these], promised.uses[limit.name][these], len(value))
        found.append(row._replace(coefficients=Coefficients(amounts)))
    return Tableau(value, found)


def _put(amounts: Amounts, case: Ints, counts: Floats, n_cases: int) -> Amounts:
    """Set the amounts of some cases, in a copy where that changes anything."""
    if np.array_equal(Coefficients({0: amounts}).at(case, np.zeros(len(case), dtype=np.intp)), counts):
        return amounts
    if isinstance(amounts, Some):
        other = ~np.isin(amounts.case, case)
        where = np.concatenate([amounts.case[other], case])
        order = np.argsort(where)
        return Some(where[order].astype(np.int32), np.concatenate([amounts.data[other], counts])[order])
    whole = np.array(np.broadcast_to(np.asarray(amounts, dtype=np.float64), n_cases))
    whole[case] = counts
    return whole


def less_promised(tableau: Tableau, limits: Sequence[Limit], promised: Promised) -> tuple[Limits, ...]:
    """Give the limits with what promises leave of them; a floor that they meet already asks for nothing more."""
    result = []
    for term, row, used in zip(limits, tableau.limits, use_of_promised(tableau, promised), strict=True):
        rounding = EXACT * max(1.0, abs(row.bound)) if np.isfinite(row.bound) else 0.0
        left = row.bound - float(used)
        met = isinstance(term, Floor) or (row.sense == "<=" and left >= -rounding)
        result.append(row._replace(bound=max(left, 0.0) if met else left))
    return tuple(result)


def use_of_promised(tableau: Tableau, promised: Promised) -> Floats:
    """Say how much of each limit the promises use."""
    uses = [np.sum(row.coefficients.at(promised.case, promised.remedy)) for row in tableau.limits]
    return np.array(uses, dtype=np.float64)


def check_promises(
    tableau: Tableau, limits: Sequence[Limit], promised: Promised, one_per: str | None, group: Ints
) -> None:
    """Refuse promises that cannot stand together, naming the limits that they alone break.

    Raises
    ------
    DataError
        If two of them are in one group of ``one_per``.
    InfeasiblePlanError
        If they alone break a limit.
    """
    crowded = np.bincount(group[promised.case], minlength=1)[group[promised.case]] > 1
    if crowded.any():
        where = np.zeros(len(group), dtype=bool)
        where[promised.case[crowded]] = True
        raise DataError(f"cases: more than one promised remedy per {one_per}, in {positions(where)}")
    beyond = Tier.of(limits).most
    over = {
        row.name: -row.bound - float(most)
        for row, most in zip(less_promised(tableau, limits, promised), beyond, strict=True)
        if row.sense == "<=" and row.bound + most < 0
    }
    if over:
        bound = {row.name: row.bound for row in tableau.limits}
        words = [f"{name!r} of {bound[name]:g} is exceeded by {amount:.10g}" for name, amount in over.items()]
        raise InfeasiblePlanError(
            f"the remedies already promised break limits by themselves: {'; '.join(words)}",
            conflict=tuple(over),
            relaxation=over,
        )


def less_spent(limits: Sequence[Limit], spent: Mapping[str, float]) -> list[Limit]:
    """Take from the limits what promises to cases that are no longer there have used.

    Resources, and floors and caps given as counts, are of the whole programme; shares are of the cases there are.
    """
    result: list[Limit] = []
    for limit in limits:
        used = spent.get(limit.name, 0.0)
        field = "limit" if isinstance(limit, Resource) else "count"
        total = getattr(limit, field, None)
        if total is None or not used:
            result.append(limit)
            continue
        changes: dict[str, Any] = {field: max(float(total) - used, 0.0)}
        if limit.penalty is not None and not isinstance(limit, Floor):
            # Overtime of those who are gone is worked already.
            changes["beyond"] = limit.beyond - max(used - float(total), 0.0)
        result.append(dataclasses.replace(limit, **changes))
    return result


def closed_groups(promised: Promised, cases: pd.DataFrame, one_per: str | None, group: Ints) -> Bools:
    """Say which cases get nothing more, because their group has what was promised.

    Parameters
    ----------
    promised : Promised
        What stands.
    cases : pandas.DataFrame
        The cases.
    one_per : str or None
        What names a group.
    group : ndarray of int, shape (n_cases,)
        The groups.

    Returns
    -------
    ndarray of bool, shape (n_cases,)
        Promised cases included.
    """
    has = np.zeros(int(group.max(initial=-1)) + 1, dtype=bool)
    has[group[promised.case]] = True
    closed = has[group]
    if one_per is not None:
        closed |= _among(cases[one_per], promised.gone[one_per])
    return closed


def _among(column: pd.Series, keys: pd.Series) -> Any:
    """Say which entries are among some keys; a missing one is not."""
    return (column.isin(keys.dropna().unique()) & column.notna()).to_numpy(dtype=bool)


def still_held(
    earlier: pd.DataFrame, held_out: Bools, promised: Promised, cases: pd.DataFrame, at: Ints, one_per: str | None
) -> tuple[Bools, Bools]:
    """Say which cases stay held out, and which were decided before.

    Parameters
    ----------
    earlier, held_out : pandas.DataFrame, and ndarray of bool of its length
        The cases of the earlier plan, and which were held out.
    promised : Promised
        What stands, and who was held out or not before that.
    cases : pandas.DataFrame
        The cases there are now.
    at : ndarray of int, shape (n_cases,)
        Where each stood in the earlier plan, -1 for a new one.
    one_per : str or None
        What is held out together.

    Returns
    -------
    tuple of ndarray of bool, shape (n_cases,)
        Held out; known.
    """
    known = at >= 0
    held = np.zeros(len(cases), dtype=bool)
    held[known] = held_out[at[known]]
    if one_per is not None:
        keys = cases[one_per]
        away = promised.seen["held_out"]
        held |= _among(keys, earlier.loc[held_out, one_per]) | _among(keys, promised.seen.loc[away, one_per])
        known |= held | _among(keys, earlier[one_per]) | _among(keys, promised.seen[one_per])
    return held, known
