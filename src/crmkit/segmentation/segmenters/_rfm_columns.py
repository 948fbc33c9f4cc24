"""What the columns of an RFM table mean: which is recency, where small is good, and what its scores are called."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["DEFAULT_COLUMNS", "Roles", "default_columns", "find_column", "per_column", "read_roles"]

DEFAULT_COLUMNS = ("recency_days", "frequency", "monetary")

_RECENCY = re.compile(r"recency|since|近度|距|未购|未消费|最近.*天", re.IGNORECASE)
# A column of days may also be an age, where large is good: it counts only where no name says recency outright.
_TIMES = frozenset({"day", "days", "weeks", "months", "天数"})
_AGES = frozenset({"age", "tenure", "member", "membership", "active", "lifetime", "t"})
_UNIT = re.compile(r"_(days?|weeks?|months?|years?|hours?)$")


@dataclass(frozen=True)
class Roles:
    """What each column is.

    Parameters
    ----------
    columns : tuple of str
        Their names.
    bases : tuple of str
        What their scores are called: the name without its unit, ``recency`` for ``recency_days``.
    small_is_good : tuple of bool
        Whether small values are the good end.
    recency : int
        Which column is recency.
    notes : tuple of str
        What was assumed and should be known.
    """

    columns: tuple[str, ...]
    bases: tuple[str, ...]
    small_is_good: tuple[bool, ...]
    recency: int
    notes: tuple[str, ...]


def default_columns(count: int) -> tuple[str, ...]:
    """Name the columns of an array by place: recency, frequency, monetary value, then by number."""
    return (*DEFAULT_COLUMNS, *(f"column_{place}" for place in range(3, count)))[:count]


def read_roles(columns: Sequence[str], small_is_good: Any, *, named: bool) -> Roles:
    """Say what the columns are.

    Parameters
    ----------
    columns : sequence of str
        Their names.
    small_is_good : str, sequence of str or int, or None
        The columns where small is good; None finds recency by its name, else takes the first column.
    named : bool
        Whether the names are the caller's: those that were made up for an array say nothing of what stands in it.

    Returns
    -------
    Roles
        Direction and names.

    Raises
    ------
    DataError
        If the table is one for lifetime models, or ``small_is_good`` names no column of it.
    """
    names = tuple(map(str, columns))
    lowered = [name.lower() for name in names]
    if "T" in names or any(name.startswith("age_") for name in lowered):
        wrong = [name for name in names if name.lower() == "recency" or name.startswith("last_purchase_")]
        if wrong and small_is_good is None:
            raise DataError(
                f"{wrong[0]!r} beside an age is the age at the last purchase, where large is good: this is a summary "
                "for lifetime models. Make the table with preparation.rfm_table, or say small_is_good="
            )
    outright = [place for place, name in enumerate(names) if _RECENCY.search(name)]
    told = outright or _looks_like_days(names)
    notes = []
    if small_is_good is None:
        small = told or [0]
        if named and not told:
            notes.append(f"no column is named like recency: the first, {names[0]!r}, is scored as such, small is good")
    else:
        given = [small_is_good] if isinstance(small_is_good, str | int) else list(small_is_good)
        small = [find_column(column, names, what="small_is_good") for column in given]
        against = [names[place] for place in outright if place not in small] if named else []
        if against:
            notes.append(f"in {', '.join(map(repr, against))} large is scored as good, as small_is_good= asks")
    recency = next(iter([*outright, *small, 0]))
    bases = tuple(_UNIT.sub("", name) or name for name in names)
    shared = {base for base, count in Counter(bases).items() if count > 1}
    return Roles(
        names,
        tuple(name if base in shared else base for name, base in zip(names, bases, strict=True)),
        tuple(place in small for place in range(len(names))),
        recency,
        tuple(notes),
    )


def _looks_like_days(names: Sequence[str]) -> list[int]:
    """Give the only column that counts days and is no age, where there is one only."""
    found = []
    for place, name in enumerate(names):
        words = set(re.split(r"[\W_]+", name.lower()))
        if (words & _TIMES or "天数" in name) and not words & _AGES:
            found.append(place)
    return found if len(found) == 1 else []


def find_column(column: Any, names: Sequence[str], *, what: str) -> int:
    """Give the place of a column, by its name or its place."""
    if isinstance(column, str):
        if column in names:
            return names.index(column)
    elif isinstance(column, int | np.integer) and not isinstance(column, bool) and 0 <= column < len(names):
        return int(column)
    raise DataError(f"{what} names {column!r}, which is no column; the columns are: {', '.join(map(repr, names))}")


def per_column(given: Mapping[Any, Any] | Sequence[Any], names: Sequence[str], *, what: str) -> dict[int, Any]:
    """Give what is said of each column, by its place.

    Parameters
    ----------
    given : mapping or sequence
        By name or place, or one item a column.
    names : sequence of str
        The columns.
    what : str
        The parameter, for messages.

    Returns
    -------
    dict of int
        Only of the columns that were named.
    """
    if not isinstance(given, Mapping):
        if len(given) != len(names):
            raise DataError(f"{what} must have one item for each of {len(names)} columns, got {len(given)}")
        return dict(enumerate(given))
    placed: dict[int, Any] = {}
    for column, value in given.items():
        place = find_column(column, names, what=what)
        if place in placed:
            raise DataError(f"{what} names {names[place]!r} twice, by name and by place")
        placed[place] = value
    return placed
