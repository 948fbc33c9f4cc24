"""The units of time that summaries and models speak, and the columns named after them."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["DAYS", "DAYS_PER_YEAR", "age_column", "days_in", "last_purchase_column", "unit_of"]

DAYS_PER_YEAR = 365.25
"""A mean year of the Julian calendar."""

DAYS = {
    "day": 1.0,
    "week": 7.0,
    "month": DAYS_PER_YEAR / 12,
    "quarter": DAYS_PER_YEAR / 4,
    "year": DAYS_PER_YEAR,
}
"""Days in each unit; a month is a twelfth of a mean year, so that every month is equally long."""


def days_in(unit: str, *, what: str = "unit") -> float:
    """Give the number of days in a unit.

    Parameters
    ----------
    unit : {"day", "week", "month", "quarter", "year"}
        The unit.
    what : str, default="unit"
        Its name in messages.

    Returns
    -------
    float
        Days.

    Raises
    ------
    DataError
        If it is none of the units.

    Examples
    --------
    >>> from crmkit.preparation.units import days_in
    >>> days_in("week")
    7.0
    """
    if unit not in DAYS:
        raise DataError(f"{what} must be one of {', '.join(map(repr, DAYS))}, got {unit!r}")
    return DAYS[unit]


def last_purchase_column(unit: str) -> str:
    """Name the column that holds a customer's age at the last purchase, such as ``"last_purchase_weeks"``."""
    days_in(unit)
    return f"last_purchase_{unit}s"


def age_column(unit: str) -> str:
    """Name the column that holds a customer's age at the cutoff, such as ``"age_weeks"``."""
    days_in(unit)
    return f"age_{unit}s"


def unit_of(columns: Iterable[str]) -> str | None:
    """Read the unit of a purchase summary from its column names.

    Parameters
    ----------
    columns : iterable of str
        The columns of a table.

    Returns
    -------
    str or None
        The unit whose two columns are there; None where no unit, or more than one, is complete.

    Examples
    --------
    >>> from crmkit.preparation.units import unit_of
    >>> unit_of(["repeats", "last_purchase_weeks", "age_weeks"])
    'week'
    """
    there = set(columns)
    found = [unit for unit in DAYS if {last_purchase_column(unit), age_column(unit)} <= there]
    return found[0] if len(found) == 1 else None
