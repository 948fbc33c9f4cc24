"""Declared weights of the parts of an index: checked once, and shared out again where a part is not there."""

from __future__ import annotations

from collections.abc import Mapping
from math import isfinite
from typing import Any

from crmkit.core.errors import DataError

__all__ = ["is_weight", "read_weights"]


def read_weights(weights: Any, default: Mapping[str, float], *, what: str = "weights") -> dict[str, float]:
    """Check the weights of an index and scale them to sum to 1.

    Parameters
    ----------
    weights : mapping of str to float, or None
        None for the default ones. A part that is not named, or has the weight 0, is left out.
    default : mapping of str to float
        All parts there are.
    what : str, default="weights"
        Their name in messages.

    Returns
    -------
    dict of str to float
        The parts that count, in the order of ``default``.

    Raises
    ------
    DataError
        If a part is not known, a weight is negative or no number, or all are 0.
    """
    given = default if weights is None else weights
    if not isinstance(given, Mapping):
        raise DataError(f"{what} must map parts to numbers, got {type(given).__name__}")
    unknown = sorted(str(part) for part in set(given) - set(default))
    if unknown:
        raise DataError(f"{what} are for {', '.join(default)}, got {', '.join(unknown)}")
    wrong = [part for part, weight in given.items() if not is_weight(weight)]
    if wrong:
        raise DataError(f"{what} must be finite numbers of at least 0; {', '.join(wrong)} is not")
    total = float(sum(given.values()))
    if not total > 0:
        raise DataError(f"{what} are all 0: at least one part must count")
    return {part: float(given[part]) / total for part in default if given.get(part, 0) > 0}


def is_weight(weight: Any) -> bool:
    """Say whether a value is a finite number of at least 0."""
    try:
        return not isinstance(weight, bool | str) and isfinite(weight) and weight >= 0
    except TypeError:
        return False
