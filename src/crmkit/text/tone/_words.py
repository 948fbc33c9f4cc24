"""Reads the word lists in the box and puts the user's own words in."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["MODIFIERS", "read_weights", "with_own"]

MODIFIERS = "modifiers"


@cache
def read_weights(*names: str) -> dict[str, float]:
    """Read lists of weighted words.

    Parameters
    ----------
    *names : str
        Files without ``.txt``; later ones prevail.

    Returns
    -------
    dict of str to float
        By word or phrase; do not change it.
    """
    weights: dict[str, float] = {}
    for name in names:
        text = (files("crmkit.text.tone") / "data" / f"{name}.txt").read_text(encoding="utf-8")
        for line in text.splitlines():
            if line and not line.startswith("#"):
                weight, _, words = line.partition(":")
                weights.update({word.strip(): float(weight) for word in words.split(",")})
    return weights


def with_own(boxed: Mapping[str, float], own: Mapping[str, float] | None, what: str) -> dict[str, float]:
    """Put own words over those in the box.

    Parameters
    ----------
    boxed : mapping of str to float
        From `read_weights`.
    own : mapping of str to float or None
        What is added or changed; 0 takes a word out.
    what : str
        The parameter's name in messages.

    Returns
    -------
    dict of str to float
        All that count.

    Raises
    ------
    TypeError
        If it is no mapping.
    DataError
        If a weight is no finite number.
    """
    if own is not None and not hasattr(own, "items"):
        raise TypeError(f"{what} must be a mapping from words to numbers, got {type(own).__name__}")
    merged = dict(boxed)
    for word, weight in (own or {}).items():
        if isinstance(weight, bool | str) or not np.isfinite(weight):
            raise DataError(f"{what}: {word!r} must have a finite number, got {type(weight).__name__}")
        merged[word.lower()] = float(weight)
    return {word: weight for word, weight in merged.items() if weight}
