"""Remedies that one case gets together, written as remedies of their own."""

from __future__ import annotations

import math
from dataclasses import MISSING, fields
from itertools import combinations
from numbers import Integral, Real
from typing import TYPE_CHECKING

from crmkit.core.errors import ExpressionError
from crmkit.core.predicate import parse
from crmkit.remediation._terms import Remedy

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    Formula = str | float

__all__ = ["packages"]

_MOST = 1_000
_COMBINED = frozenset({"name", "value", "uses", "eligible", "error", "shared_error", "parts"})


def packages(
    remedies: Sequence[Remedy],
    *,
    at_most: int = 2,
    requires: Mapping[str, str | Sequence[str]] | None = None,
    excludes: Iterable[Sequence[str]] = (),
    values: Mapping[tuple[str, ...], str | float] | None = None,
    keeps: float = 1.0,
) -> list[Remedy]:
    """List everything that one case may get together: each allowed set of remedies as one remedy.

    A case gets one remedy or nothing, so what may be given together is written as a package, an ordinary remedy called
    such as ``"call + gift"``. Hand the list to :class:`Problem`: every planner, at any size, then chooses among the
    sets as exactly as among single remedies. A :class:`Cap` or :class:`Floor` of ``"gift"`` counts every package that
    contains it.

    Parameters
    ----------
    remedies : sequence of Remedy
        The single remedies.
    at_most : int, default=2
        How many one case gets at most.
    requires : mapping of str to str or sequence of str, or None
        Remedies that are given only together with others: ``{"gift": "call"}`` never gives a gift without a call. What
        is required may require more; two that require each other are given both or not at all.
    excludes : iterable of sequences of str, default=()
        Sets of remedies of which one case gets one at most: ``[("voucher", "call")]``.
    values : mapping of tuple of str to str or float, or None
        What a package is worth, by the names of its remedies in any order: a column name, a number or an expression.
    keeps : float, default=1.0
        What is left of the sum of its remedies' values in a package that is not in ``values``. A customer who is kept
        twice is kept once, so that sums overstate: give ``values`` where they are known, and here less than 1.

    Returns
    -------
    list of Remedy
        The single remedies that may stand alone, as they were given, then the packages: smaller ones first, in the
        order of ``remedies``. A package uses the sum of what its remedies use and is eligible where all of them are.
        Its ``error`` is the root of the sum of their squares; its ``shared_error`` their sum, which is what errors that
        go together give and more than others would. Both are times ``keeps`` where the value is. ``parts`` names its
        remedies.

    Raises
    ------
    TypeError
        If a set of names is text.
    ValueError
        If a name is unknown or stands twice, a remedy could never be given (it requires what is excluded with it, or
        more than ``at_most``), a set in ``values`` is not allowed, or more than 1,000 remedies would be made.
    ExpressionError
        If a combined formula is too long for one expression.

    Notes
    -----
    Formulas are combined as text in the expression language. A text that is no expression, such as ``2024 spend``, is
    taken as a column's name; a column whose name is an expression too, such as ``a-b``, must stand in backticks.
    Shared errors of different remedies are taken as independent, packages with a remedy in common included: where a
    remedy with a large shared error is given in several packages, bring scenarios of your own.
    Cost: planning takes time and memory in proportion to the number of packages: 8 bytes a case and package.

    Examples
    --------
    >>> from crmkit.remediation import Remedy, packages
    >>> call = Remedy("call", value="0.18 * worth", uses={"hours": 0.25})
    >>> gift = Remedy("gift", value="0.05 * worth - 8", uses={"budget": 8})
    >>> both = packages([call, gift], requires={"gift": "call"}, keeps=0.9)
    >>> [each.name for each in both]
    ['call', 'call + gift']
    >>> both[1].value
    '0.9 * ((0.18 * worth) + (0.05 * worth - 8))'
    >>> dict(both[1].uses)
    {'hours': 0.25, 'budget': 8}
    """
    given = _checked(remedies, at_most, keeps)
    names = [remedy.name for remedy in given]
    needs = _needs(names, requires or {})
    clashes = _clashes(names, excludes)
    for name, together in zip(names, needs, strict=True):
        listed = ", ".join(repr(names[place]) for place in sorted(together))
        if len(together) > at_most:
            raise ValueError(
                f"remedy {name!r} could never be given: it needs {listed} together, more than at_most={at_most}"
            )
        for pair in combinations(sorted(together), 2):
            if pair in clashes:
                first, second = (names[place] for place in pair)
                raise ValueError(
                    f"remedy {name!r} could never be given: it needs {listed} together, but {first!r} and {second!r} "
                    "exclude each other"
                )
    sets = sorted(_sets(needs, clashes, at_most), key=lambda each: (len(each), each))
    worth = _worth(names, sets, values or {})
    return [
        given[each[0]] if len(each) == 1 else _package([given[place] for place in each], worth.get(each), float(keeps))
        for each in sets
    ]


def _checked(remedies: Sequence[Remedy], at_most: int, keeps: float) -> list[Remedy]:
    """Refuse what is no list of plain remedies with names of their own."""
    given = list(remedies)
    wrong = sorted({type(each).__name__ for each in given if not isinstance(each, Remedy)})
    if wrong:
        raise TypeError(f"remedies must be a list of Remedy, got {', '.join(wrong)}")
    names = [remedy.name for remedy in given]
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise ValueError(f"two remedies are called {twice[0]!r}; give each a name of its own")
    nested = [remedy.name for remedy in given if remedy.parts]
    if nested:
        raise ValueError(f"{nested[0]!r} is a package already; packages are made of single remedies")
    if isinstance(at_most, bool) or not isinstance(at_most, Integral) or at_most < 1:
        raise ValueError(f"at_most must be a whole number of 1 or more, got {at_most!r}")
    if isinstance(keeps, bool) or not isinstance(keeps, Real) or not 0 <= keeps < math.inf:
        raise ValueError(f"keeps must be a number of 0 or more, got {keeps!r}")
    return given


def _place(names: list[str], name: object, where: str) -> int:
    """Find a remedy by its name."""
    if name not in names:
        raise ValueError(
            f"{where} names {name!r}, which is no remedy; the remedies are: {', '.join(map(repr, names)) or 'none'}"
        )
    return names.index(str(name))


def _needs(names: list[str], requires: Mapping[str, str | Sequence[str]]) -> list[frozenset[int]]:
    """Give for each remedy everything that it is given with, itself included."""
    direct: list[set[int]] = [{place} for place in range(len(names))]
    for name, required in requires.items():
        listed = [required] if isinstance(required, str) else list(required)
        direct[_place(names, name, "requires")].update(_place(names, each, "requires") for each in listed)
    found = []
    for start in direct:
        known, waiting = set(start), list(start)
        while waiting:
            fresh = direct[waiting.pop()] - known
            known |= fresh
            waiting += fresh
        found.append(frozenset(known))
    return found


def _clashes(names: list[str], excludes: Iterable[Sequence[str]]) -> set[tuple[int, int]]:
    """List the pairs of remedies that are not given together."""
    found: set[tuple[int, int]] = set()
    for group in excludes:
        if isinstance(group, str):
            raise TypeError(f"excludes must hold sets of names such as ('voucher', 'call'), got {group!r}")
        places = sorted({_place(names, name, "excludes") for name in group})
        if len(places) < 2:
            raise ValueError(f"excludes must hold sets of two names or more, got {tuple(group)!r}")
        found.update(combinations(places, 2))
    return found


def _sets(needs: Sequence[frozenset[int]], clashes: set[tuple[int, int]], at_most: int) -> list[tuple[int, ...]]:
    """List every set that holds all it needs and no two that exclude each other.

    Remedy by remedy is taken in, with all it needs, or left out for good: each step gives another set, so that the work
    is that of the sets found and not of those refused.
    """
    found: list[tuple[int, ...]] = []
    waiting: list[tuple[int, frozenset[int], frozenset[int]]] = [(0, frozenset(), frozenset())]
    while waiting:
        first, inside, outside = waiting.pop()
        for place in range(first, len(needs)):
            if place in inside:
                continue
            more = inside | needs[place]
            fits = len(more) <= at_most and not more & outside
            if fits and not any(pair in clashes for pair in combinations(sorted(more), 2)):
                found.append(tuple(sorted(more)))
                waiting.append((place + 1, more, outside))
            outside |= {place}
        if len(found) > _MOST:
            raise ValueError(
                f"more than {_MOST:,} packages: take a smaller at_most, or say what excludes or requires what"
            )
    return found


def _worth(
    names: list[str], sets: Sequence[tuple[int, ...]], values: Mapping[tuple[str, ...], Formula]
) -> dict[tuple[int, ...], Formula]:
    """Bring the values of packages to the places of their remedies."""
    found: dict[tuple[int, ...], Formula] = {}
    for key, formula in values.items():
        if isinstance(key, str) or len(set(key)) < 2:
            raise ValueError(
                f"values must be by sets of two names or more such as ('call', 'gift'), got {key!r}; the value of a "
                "single remedy is its own"
            )
        places = tuple(sorted({_place(names, name, "values") for name in key}))
        if places not in sets:
            listed = " + ".join(names[place] for place in places)
            raise ValueError(f"values gives {listed!r}, which at_most, requires and excludes do not allow")
        if places in found:
            raise ValueError(f"values gives {' + '.join(names[place] for place in places)!r} twice")
        found[places] = formula
    return found


def _package(parts: Sequence[Remedy], worth: Formula | None, keeps: float) -> Remedy:
    """Write some remedies as one."""
    name = " + ".join(part.name for part in parts)
    for part in parts:
        for each in fields(Remedy):
            usual = each.default if each.default_factory is MISSING else each.default_factory()
            if each.name not in _COMBINED and getattr(part, each.name) != usual:
                raise ValueError(f"remedy {part.name!r} has {each.name}=, which cannot be combined in a package")
    factor = keeps if worth is None else 1.0
    uses: dict[str, list[Formula]] = {}
    for part in parts:
        for resource, formula in part.uses.items():
            uses.setdefault(resource, []).append(formula)
    conditions = [part.eligible for part in parts if part.eligible is not None]
    own = [part.error for part in parts if part.error is not None]
    shared = [part.shared_error for part in parts if part.shared_error is not None]
    package = Remedy(
        name,
        value=_times(factor, _sum([part.value for part in parts])) if worth is None else worth,
        uses={resource: _sum(formulas) for resource, formulas in uses.items()},
        eligible=" and ".join(dict.fromkeys(f"({_text(condition)})" for condition in conditions)) or None,
        error=_times(factor, _root_of_squares(own)) if own else None,
        shared_error=_times(factor, _sum(shared)) if shared else None,
        parts=tuple(part.name for part in parts),
    )
    combined = (package.value, *package.uses.values(), package.eligible, package.error, package.shared_error)
    for text in combined:
        # A value of its own may be a column's name, which only the problem can tell.
        if isinstance(text, str) and text is not worth:
            _readable(text, name)
    return package


def _readable(formula: str, name: str) -> None:
    """Refuse a combined formula that is too much for one expression."""
    try:
        parse(formula)
    except ExpressionError as error:
        raise ExpressionError(f"package {name!r}: {error}") from None


def _text(formula: Formula) -> str:
    """Write a part of a formula, a column whose name is no expression in backticks."""
    if not isinstance(formula, str):
        return repr(float(formula))
    try:
        parse(formula)
    except ExpressionError:
        return formula if set("`\n") & set(formula) else f"`{formula}`"
    return formula


def _sum(formulas: Sequence[Formula]) -> Formula:
    """Add formulas; numbers stay a number."""
    if len(formulas) == 1:
        return formulas[0] if not isinstance(formulas[0], str) else _text(formulas[0])
    if not any(isinstance(formula, str) for formula in formulas):
        return math.fsum(float(formula) for formula in formulas)
    return " + ".join(f"({_text(formula)})" for formula in formulas)


def _times(factor: float, formula: Formula) -> Formula:
    """Multiply a formula by a number."""
    if not isinstance(formula, str):
        return factor * float(formula)
    return formula if factor == 1.0 else f"{factor!r} * ({formula})"


def _root_of_squares(formulas: Sequence[Formula]) -> Formula:
    """Add independent errors."""
    if len(formulas) == 1:
        return _sum(formulas)
    if not any(isinstance(formula, str) for formula in formulas):
        return math.hypot(*(float(formula) for formula in formulas))
    return f"({' + '.join(f'({_text(formula)}) ** 2' for formula in formulas)}) ** 0.5"
