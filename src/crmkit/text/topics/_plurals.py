"""Takes the plural of an English word for the word itself, where a corpus has both."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["find_plurals", "rename"]

_FORMS = (
    (re.compile(r"(?<=[a-z][^aeiou\W\d])ies$"), "y"),
    (re.compile(r"(?<=[a-z]s|[a-z]x|[a-z]z|ch|sh)es$"), ""),
    (re.compile(r"(?<=[a-z][a-z][^su\W\d])s$"), ""),
)
"""What a plural ends in, and what stands there in the singular."""
_OTHER_THINGS = frozenset({"news", "goods", "customs", "glasses", "arms", "means", "premises", "savings"})
"""Plurals that mean something else than their singular."""


def find_plurals(names: Iterable[str]) -> dict[str, str]:
    """Find plurals whose singular is there as well.

    Parameters
    ----------
    names : iterable of str
        Words, or joined words, of which the last counts.

    Returns
    -------
    dict of str to str
        From plural to singular; third persons of verbs (``expires``) look alike and are in it.

    Examples
    --------
    >>> from crmkit.text.topics._plurals import find_plurals
    >>> find_plurals(["cards", "card", "gift cards", "gift card", "policies", "policy", "bus", "buses", "news", "new"])
    {'cards': 'card', 'gift cards': 'gift card', 'policies': 'policy', 'buses': 'bus'}
    """
    known = set(names)
    found = {}
    for name in names:
        if name.rsplit(" ", 1)[-1] in _OTHER_THINGS:
            continue
        for ending, singular in _FORMS:
            single, changed = ending.subn(singular, name)
            if changed and single in known:
                found[name] = single
                break
    return found


def rename(
    names: Sequence[str], term: npt.NDArray[np.int64], others: Mapping[str, str]
) -> tuple[list[str], npt.NDArray[np.int64]]:
    """Give terms other names; those that then have the same are one.

    Parameters
    ----------
    names : sequence of str
        The distinct terms.
    term : ndarray of int64, shape (n_found,)
        Which term stands at each place.
    others : mapping of str to str
        New names; the rest stay.

    Returns
    -------
    names : list of str
        The distinct terms after it.
    term : ndarray of int64, shape (n_found,)
        The same by the new list.
    """
    place: dict[str, int] = {}
    moved = [place.setdefault(others.get(name, name), len(place)) for name in names]
    return list(place), np.array(moved, dtype=np.int64)[term]
