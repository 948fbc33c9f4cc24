"""Checks the columns by which conversations are grouped."""

from __future__ import annotations

from typing import TYPE_CHECKING

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["read_groups"]


def read_groups(by: str | Sequence[str], result: Sequence[str]) -> list[str]:
    """Give the columns that groups are made of.

    Parameters
    ----------
    by : str or sequence of str
        One column or several.
    result : sequence of str
        The columns that the table of figures has beside them.

    Returns
    -------
    list of str
        The names.

    Raises
    ------
    DataError
        If a column is named twice, or has the name of one of the result's own.
    """
    names = [by] if isinstance(by, str) else list(by)
    twice = sorted({name for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"by names {', '.join(map(repr, twice))} more than once")
    taken = [name for name in names if name in result]
    if taken:
        raise DataError(f"by: the result has {', '.join(map(repr, taken))} of its own: rename the column first")
    return names
