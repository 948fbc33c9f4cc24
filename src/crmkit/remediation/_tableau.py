"""Turns cases, remedies and limits into the arrays that planners work on."""

from __future__ import annotations

import math
import warnings
from difflib import get_close_matches
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import numpy.typing as npt

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.predicate import Evaluated, parse
from crmkit.remediation._coefficients import Coefficients, Some, kept
from crmkit.remediation._columns import Columns
from crmkit.remediation._terms import Floor, Ratio, Resource

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import pandas as pd

    from crmkit.remediation._coefficients import Amounts
    from crmkit.remediation._terms import Limit, Remedy

__all__ = ["Arrays", "Limits", "Row", "Tableau", "factors_of", "group_codes", "tabulate"]

Floats = npt.NDArray[np.float64]
Bools = npt.NDArray[np.bool_]
Ints = npt.NDArray[np.intp]


class Row(NamedTuple):
    """One limit as planners see it.

    Parameters
    ----------
    name : str
        The limit's name.
    sense : str
        ``"<="`` for resources and caps, ``">="`` for floors.
    coefficients : scipy.sparse.csc_array of shape (n_cases, n_remedies)
        What each remedy of each case counts against it; only eligible entries matter.
    bound : float
        The limit; ``inf`` where a resource is only counted.
    """

    name: str
    sense: str
    coefficients: Any
    bound: float


class Arrays(NamedTuple):
    """A problem as arrays: what a planner needs to know and nothing else.

    Parameters
    ----------
    value : ndarray of float64, shape (n_cases, n_remedies)
        Gain over doing nothing; ``-inf`` where not eligible.
    eligible : ndarray of bool, shape (n_cases, n_remedies)
        Which remedy a case may get; never one that is held out.
    group : ndarray of int, shape (n_cases,)
        Cases of one group get at most one remedy together; every case is its own group without ``one_per``.
    rows : tuple of Row
        The limits, in the order they were given.
    """

    value: Floats
    eligible: Bools
    group: Ints
    rows: tuple[Row, ...]


class Limits(NamedTuple):
    """One limit in the form in which it takes least memory.

    Parameters
    ----------
    name, sense : str
        As in :class:`Row`.
    coefficients : Coefficients
        What each remedy counts against it.
    bound : float
        The limit.
    """

    name: str
    sense: str
    coefficients: Coefficients
    bound: float


class Tableau:
    """What tabulating gives: values of every case, also of those held out, and the limits.

    Parameters
    ----------
    value : ndarray, shape (n_cases, n_remedies)
        ``-inf`` where not eligible.
    limits : sequence of Limits
        In the order they were given.
    """

    value: Floats
    limits: tuple[Limits, ...]

    def __init__(self, value: Floats, limits: Sequence[Limits]) -> None:
        self.value = value
        self.limits = tuple(limits)

    def __iter__(self) -> Iterator[Any]:
        yield self.value
        yield self.rows

    @property
    def rows(self) -> tuple[Row, ...]:
        """The limits with sparse tables, which are made when they are first asked for."""
        eligible = np.isfinite(self.value)
        return tuple(
            Row(limit.name, limit.sense, limit.coefficients.matrix(eligible), limit.bound) for limit in self.limits
        )

    def with_bounds(self, bounds: Mapping[str, float]) -> Tableau:
        """Give the same tableau with other limits, sharing everything else."""
        limits = [limit._replace(bound=float(bounds.get(limit.name, limit.bound))) for limit in self.limits]
        return Tableau(self.value, limits)


class _Missing:
    """Collects what is unknown, to be told in one warning."""

    def __init__(self, n_cases: int) -> None:
        self.cases = np.zeros(n_cases, dtype=bool)
        self.parts: list[str] = []

    def note(self, what: str, missing: Bools) -> None:
        """Count the cases for which one formula is unknown."""
        count = int(missing.sum())
        if count:
            self.cases |= missing
            self.parts.append(f"{what}: {count:,}")

    def warn(self, stacklevel: int) -> None:
        """Tell all counts at once."""
        if self.parts:
            warnings.warn(
                f"{int(self.cases.sum()):,} of {len(self.cases):,} cases have something missing and are not eligible "
                f"(or not counted) where it is: {'; '.join(self.parts)}",
                DataWarning,
                stacklevel=stacklevel,
            )


def evaluate(table: pd.DataFrame | Columns, formula: str | float) -> Evaluated:
    """Work out a column name, a number or an expression; a column's exact name comes before an expression."""
    plain = table.evaluated(formula) if isinstance(table, Columns) and isinstance(formula, str) else None
    if plain is not None:
        return plain
    if isinstance(formula, str) and formula in table.columns and "`" not in formula and "\n" not in formula:
        formula = f"`{formula}`"
    return parse(formula if isinstance(formula, str) else repr(float(formula))).evaluate(table)


def _numbers(table: pd.DataFrame | Columns, formula: str | float, what: str) -> Evaluated:
    """Work out a number for every case."""
    result = evaluate(table, formula)
    if result.values.dtype.kind not in "fb" and result.missing.all():
        # A column of which nothing is known has the type of nothing.
        return Evaluated(np.full(len(result.missing), np.nan), result.missing)
    if result.values.dtype.kind not in "fb":
        raise DataError(f"{what} must be a number for each case; {formula!r} gives text or times")
    return result


def _conditions(table: pd.DataFrame | Columns, formula: str, what: str) -> Evaluated:
    """Work out a condition for every case."""
    result = evaluate(table, formula)
    if result.values.dtype.kind != "b":
        raise DataError(f"{what} must be a condition such as 'amount <= 200'; {formula!r} gives numbers, text or times")
    return result


def group_codes(column: pd.Series) -> Ints:
    """Number the different values of a column; each missing value is a group of its own."""
    codes, uniques = column.factorize()
    codes = codes.astype(np.intp)
    missing = codes < 0
    codes[missing] = len(uniques) + np.arange(int(missing.sum()))
    return codes


def tabulate(
    table: pd.DataFrame | Columns,
    remedies: Sequence[Remedy],
    limits: Sequence[Limit],
    group: Ints,
    counted: Bools | None,
    *,
    stacklevel: int,
    factors: Mapping[str, float] = MappingProxyType({}),
    notes: Sequence[tuple[str, Bools]] = (),
) -> Tableau:
    """Work out every value, use and limit.

    Parameters
    ----------
    table : pandas.DataFrame or Columns
        The cases.
    remedies, limits : sequence
        What may be done, and within what.
    group : ndarray of int, shape (n_cases,)
        Which cases get at most one remedy together.
    counted : ndarray of bool, shape (n_cases,), or None
        Cases that shares of floors and caps count; None where their bounds do not matter and are left out.
    stacklevel : int
        Where the warning points.
    factors : mapping of str to float
        As from :func:`factors_of`, where ``counted`` is None.
    notes : sequence of (str, ndarray of bool), default=()
        What is known to be missing already, and where.

    Returns
    -------
    Tableau
        Values with ``-inf`` where not eligible, and rows.

    Raises
    ------
    DataError
        If a formula gives no numbers, or a use is negative.
    ExpressionError
        If a formula is not in the expression language.
    """
    n_cases = len(group)
    missing = _Missing(n_cases)
    for what, rows in notes:
        missing.note(what, rows)
    # A column a remedy: whoever goes through the cases in stretches reads each remedy in one piece.
    value = np.full((n_cases, len(remedies)), -np.inf, order="F")
    uses: dict[str, dict[int, Amounts]] = {limit.name: {} for limit in limits if isinstance(limit, Resource)}
    for j, remedy in enumerate(remedies):
        worth, taken = _tabulate_remedy(table, remedy, missing)
        value[:, j] = worth
        for resource, amounts in taken.items():
            uses[resource][j] = amounts
    found = []
    for limit in limits:
        if isinstance(limit, Resource):
            found.append(Limits(limit.name, "<=", Coefficients(uses[limit.name]), float(limit.limit)))
            continue
        inside = _inside(table, limit.where, f"where of {limit.name!r}", missing)
        if isinstance(limit, Ratio):
            other = _inside(table, limit.to, f"to of {limit.name!r}", missing)
            times = factors[limit.name] if counted is None else _times(limit, group, inside & counted, other & counted)
            counts = kept(inside - times * other if times else np.zeros(n_cases), np.ones(n_cases, dtype=bool))
            sense, bound = ">=", 0.0 - float(limit.short)
        else:
            counts = kept(inside, np.ones(n_cases, dtype=bool))
            sense, bound = _sense_and_bound(
                limit, group, np.zeros_like(inside) if counted is None else inside & counted
            )
        chosen = {j: counts for j, remedy in enumerate(remedies) if remedy.counts_as(limit.remedy)}
        found.append(Limits(limit.name, sense, Coefficients(chosen), bound))
    missing.warn(stacklevel + 1)
    return Tableau(value, found)


def _tabulate_remedy(
    table: pd.DataFrame | Columns, remedy: Remedy, missing: _Missing
) -> tuple[Floats, dict[str, Amounts]]:
    """Work out one remedy's value, -inf where not eligible, and what it uses."""
    worth = _numbers(table, remedy.value, f"value of remedy {remedy.name!r}")
    eligible = np.ones(len(worth.values), dtype=bool)
    if remedy.eligible is not None:
        met = _conditions(table, remedy.eligible, f"eligible of remedy {remedy.name!r}")
        missing.note(f"eligible of remedy {remedy.name!r}", met.missing)
        eligible = met.values.copy()
    # What is missing matters only where the remedy could else be given.
    missing.note(f"value of remedy {remedy.name!r}", worth.missing & eligible)
    usable = eligible & ~worth.missing & _sure_enough(table, remedy, eligible, missing)
    taken: dict[str, Any] = {}
    for resource, formula in remedy.uses.items():
        if not isinstance(formula, str):
            taken[resource] = float(formula)
            continue
        use = _numbers(table, formula, f"uses[{resource!r}] of remedy {remedy.name!r}")
        missing.note(f"uses[{resource!r}] of remedy {remedy.name!r}", use.missing & eligible)
        usable &= ~use.missing
        taken[resource] = kept(_own(table, formula, use.values), eligible & ~use.missing)
    for resource, amounts in taken.items():
        negative = np.zeros(len(eligible), dtype=bool)
        if isinstance(amounts, Some):
            negative[amounts.case[amounts.data < 0]] = True
        else:
            negative |= amounts < 0
        negative &= usable
        if negative.any():
            raise DataError(
                f"uses[{resource!r}] of remedy {remedy.name!r} is negative in {positions(negative)}: a remedy cannot "
                "give a resource back (amounts of cancelled orders are negative; cases of make_cases are not)"
            )
    return np.where(usable, worth.values, -np.inf), taken


def _own(table: pd.DataFrame | Columns, formula: str, values: Any) -> Floats:
    """Give the table's own column instead of a copy of it where they are the same."""
    if formula in table.columns:
        column = np.asarray(table[formula])
        if column.dtype == np.float64 and np.isfinite(column).all():
            return column
    return np.asarray(values, dtype=np.float64)


def _sure_enough(table: pd.DataFrame | Columns, remedy: Remedy, eligible: Bools, missing: _Missing) -> Bools:
    """Say for which cases the errors of a remedy's value are known, where it has any."""
    known = np.ones(len(eligible), dtype=bool)
    for name, formula in (("error", remedy.error), ("shared_error", remedy.shared_error)):
        if formula is None:
            continue
        what = f"{name} of remedy {remedy.name!r}"
        error = _numbers(table, formula, what)
        missing.note(what, error.missing & eligible)
        negative = eligible & ~error.missing & (error.values < 0)
        if negative.any():
            raise DataError(f"{what} is negative in {positions(negative)}: a standard error is 0 or more")
        known &= ~error.missing
    return known


def _inside(table: pd.DataFrame | Columns, where: str | None, what: str, missing: _Missing) -> Bools:
    """Say which cases a limit is about."""
    if where is None:
        return np.ones(len(missing.cases), dtype=bool)
    met = _conditions(table, where, what)
    missing.note(what, met.missing)
    return np.asarray(met.values, dtype=np.bool_)


def _times(limit: Ratio, group: Ints, inside: Bools, other: Bools) -> float:
    """Say how many cases of the one group stand for one of the other; 0 where a group is empty and nothing is asked."""
    size, of = len(np.unique(group[inside])), len(np.unique(group[other]))
    return limit.least * size / of if size and of else 0.0


def factors_of(table: pd.DataFrame, limits: Sequence[Limit], group: Ints, counted: Bools) -> dict[str, float]:
    """Say for each ratio how many cases of the one group stand for one of the other.

    Parameters
    ----------
    table : pandas.DataFrame
        The cases.
    limits : sequence
        Of the problem.
    group : ndarray of int, shape (n_cases,)
        Which cases get at most one remedy together.
    counted : ndarray of bool, shape (n_cases,)
        Cases that shares count.

    Returns
    -------
    dict of str to float
        0 where a group is empty.
    """
    unknown = _Missing(len(group))
    return {
        limit.name: _times(
            limit,
            group,
            _inside(table, limit.where, "", unknown) & counted,
            _inside(table, limit.to, "", unknown) & counted,
        )
        for limit in limits
        if isinstance(limit, Ratio)
    }


def _sense_and_bound(limit: Any, group: Ints, inside: Bools) -> tuple[str, float]:
    """Turn a floor or cap into a sense and a whole number."""
    floor = isinstance(limit, Floor)
    if limit.count is not None:
        bound = float(limit.count)
    else:
        # Shares such as 0.29 are no binary fractions: 0.29 * 100 must count as 29, not as 28.999… or 29.000…1.
        exact = float(limit.share) * len(np.unique(group[inside]))
        bound = float(math.ceil(exact - 1e-9) if floor else math.floor(exact + 1e-9))
    return (">=" if floor else "<="), bound


def check_names(remedies: Sequence[Remedy], limits: Sequence[Limit]) -> None:
    """Refuse names given twice and names that refer to nothing, all in one error."""
    problems = []
    remedy_names = [remedy.name for remedy in remedies]
    limit_names = [limit.name for limit in limits]
    for what, names in (("remedy", remedy_names), ("limit", limit_names)):
        twice = sorted({name for name in names if names.count(name) > 1})
        problems += [f"two {what} entries are called {name!r}; give each a name of its own" for name in twice]
    resources = [limit.name for limit in limits if isinstance(limit, Resource)]
    for remedy in remedies:
        for resource in remedy.uses:
            if resource not in resources:
                hint = _nearest(resource, resources) or f"add Resource({resource!r}, limit)"
                problems.append(
                    f"remedy {remedy.name!r} uses {resource!r}, which is no resource among the limits; {hint}"
                )
    for limit in limits:
        remedy_name = None if isinstance(limit, Resource) else limit.remedy
        if remedy_name is not None and not any(remedy.counts_as(remedy_name) for remedy in remedies):
            listed = ", ".join(map(repr, remedy_names)) or "none"
            problems.append(
                f"{limit.name!r} is about remedy {remedy_name!r}, which is not there; the remedies are: {listed}"
            )
    if problems:
        raise DataError("; ".join(problems))


def _nearest(name: str, names: Sequence[str]) -> str:
    """Suggest the nearest name."""
    near = get_close_matches(name, names, n=1)
    return f"did you mean {near[0]!r}?" if near else ""
