"""Checks of the numbers that models and values are asked with; a message names the argument and what is wanted."""

from __future__ import annotations

from math import isfinite
from numbers import Integral, Real
from typing import Any

from crmkit.core.errors import DataError

__all__ = ["check_horizon", "check_level", "check_number", "check_whole_number"]


def check_number(name: str, value: Any, *, low: float, closed: bool = True) -> float:
    """Check a finite number that is at least, or above, another.

    Parameters
    ----------
    name : str
        Of the argument.
    value : object
        What was given.
    low : float
        The least.
    closed : bool, default=True
        Whether the least itself is allowed.

    Returns
    -------
    float
        The number.

    Raises
    ------
    DataError
        If it is none, or out of range. Truth values and texts are no numbers.
    """
    if not _is_real(value) or not isfinite(value) or not (value >= low if closed else value > low):
        wanted = f"of at least {low:g}" if closed else f"greater than {low:g}"
        raise DataError(f"{name} must be a finite number {wanted}, got {_told(value)}")
    return float(value)


def check_horizon(value: Any, *, endless: bool = False) -> float:
    """Check how far to look.

    Parameters
    ----------
    value : object
        What was given.
    endless : bool, default=False
        Whether it may be infinite.

    Returns
    -------
    float
        The horizon.

    Raises
    ------
    DataError
        If it is no time.
    """
    if endless and _is_real(value) and value == float("inf"):
        return float("inf")
    return check_number("horizon", value, low=0.0)


def check_whole_number(name: str, value: Any, *, low: int) -> int:
    """Check a whole number.

    Parameters
    ----------
    name : str
        Of the argument.
    value : object
        What was given.
    low : int
        The least.

    Returns
    -------
    int
        The number.

    Raises
    ------
    DataError
        If it is none, or too small.
    """
    if not isinstance(value, Integral) or isinstance(value, bool) or value < low:
        raise DataError(f"{name} must be a whole number of at least {low}, got {_told(value)}")
    return int(value)


def check_level(level: Any) -> float:
    """Check the coverage of an interval.

    Parameters
    ----------
    level : object
        What was given.

    Returns
    -------
    float
        The coverage.

    Raises
    ------
    DataError
        If it is no number between 0 and 1.
    """
    if not _is_real(level) or not 0 < level < 1:
        raise DataError(f"level must be between 0 and 1, got {_told(level)}")
    return float(level)


def _is_real(value: Any) -> bool:
    """Say whether a value is a number, which truth values are not."""
    return isinstance(value, Real) and not isinstance(value, bool)


def _told(value: Any) -> str:
    """Write a number as it is, and name the type of all else."""
    return str(value) if isinstance(value, Real) else type(value).__name__
