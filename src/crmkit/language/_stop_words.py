"""Stop words of both languages, read from the lists in the box."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["stop_words", "word_list"]


@cache
def word_list(name: str) -> frozenset[str]:
    """Read one of the lists in the box.

    Parameters
    ----------
    name : str
        The file's name without ``.txt``.

    Returns
    -------
    frozenset of str
        Its words.
    """
    text = (files("crmkit.language") / "data" / f"{name}.txt").read_text(encoding="utf-8")
    lines = (line for line in text.splitlines() if not line.startswith("#"))
    return frozenset(word for line in lines for word in line.split())


def stop_words(
    language: Literal["zh", "en", "both"] = "both", *, add: Iterable[str] = (), remove: Iterable[str] = ()
) -> frozenset[str]:
    """Give the words that carry grammar rather than meaning.

    The lists are our own: pronouns, articles, conjunctions, prepositions, auxiliaries, particles, measure words. They
    are for topics and keywords; a classifier does better with them left in.

    Parameters
    ----------
    language : {"zh", "en", "both"}, default="both"
        Whose.
    add, remove : iterable of str
        Words to put in and to take out, lower-cased by you.

    Returns
    -------
    frozenset of str
        The words in lower case.

    Raises
    ------
    ValueError
        If the language is another.
    TypeError
        If one text is given where a list of words belongs.

    Examples
    --------
    >>> from crmkit.language import stop_words
    >>> words = stop_words("en", add=["please"], remove=["not"])
    >>> "the" in words, "please" in words, "not" in words
    (True, True, False)
    """
    names = {"zh": ("stop_words_zh",), "en": ("stop_words_en",), "both": ("stop_words_zh", "stop_words_en")}
    if language not in names:
        raise ValueError(f"language must be 'zh', 'en' or 'both', got {language!r}")
    if isinstance(add, str) or isinstance(remove, str):
        raise TypeError("add and remove must be lists of words, got one str")
    words = frozenset[str]().union(*(word_list(name) for name in names[language]))
    return (words | frozenset(add)) - frozenset(remove)
