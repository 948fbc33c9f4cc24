"""Brings the forms of a word to one stem, where they are asked to count as one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from crmkit.core.registry import require_extra

__all__ = ["Stemmer", "find_stemmer"]

Stemmer = Callable[[str], str]
"""Gives the stem of one lower-cased word."""


def find_stemmer(stemmer: Stemmer | str | None) -> Stemmer | None:
    """Give the function that brings words to their stems.

    Parameters
    ----------
    stemmer : callable, {"english"} or None
        ``"english"`` is Snowball's (Porter's second), from the extra ``stem``; a callable is given back.

    Returns
    -------
    callable or None
        None means: every form is a word of its own.

    Raises
    ------
    MissingExtraError
        If ``"english"`` is asked for and snowballstemmer is not installed.
    ValueError, TypeError
        If it is neither a known name nor callable.

    Notes
    -----
    Stemming is for words of one language: those of another are cut by the wrong rules, though all alike. Stems are for
    counting and not for reading: "delivery" becomes "deliveri".

    References
    ----------
    Porter, M. F. (2001). Snowball: a language for stemming algorithms. https://snowballstem.org

    Examples
    --------
    >>> from crmkit.language import find_stemmer
    >>> find_stemmer(str.lower)("Refunds")
    'refunds'
    """
    if stemmer is None or callable(stemmer):
        return stemmer
    if not isinstance(stemmer, str):
        raise TypeError(f"stemmer must be 'english', None or a callable, got {type(stemmer).__name__}")
    if stemmer != "english":
        raise ValueError(f"stemmer must be 'english', None or a callable, got {stemmer!r}")
    snowball: Any = require_extra("snowballstemmer", "stem", "bringing English words to their stems")
    stem: Stemmer = snowball.stemmer("english").stemWord
    return stem
