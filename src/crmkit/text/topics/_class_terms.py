"""Weighs terms by how much they belong to one class of texts: class-based TF-IDF."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

import numpy as np

from crmkit.language import code_points, script_ids
from crmkit.language._scripts import UNSPACED

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

__all__ = ["class_tfidf", "label_of", "top_terms"]

_OF_VERBS = re.compile(r"(?<=[aeiou]\w)(?:ing|ed|ly)$|(?<=[aeiou]\w\w)(?:ing|ed|ly)$")
_OF_NOUNS = re.compile(r"(?<=\w[^\Ws])(?:e?s|e)$|(?<=ss)es$")
_DOUBLED = re.compile(r"([^aeiou])\1$")


def class_tfidf(counts: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give class-based TF-IDF: all texts of a class are one document.

    Parameters
    ----------
    counts : ndarray of float, shape (n_classes, n_terms)
        How often each term stands in the texts of each class.

    Returns
    -------
    ndarray of float, shape (n_classes, n_terms)
        ``share of the class * log(1 + mean terms a class / times the term stands anywhere)``; 0 for an empty class.

    References
    ----------
    Grootendorst, M. (2022). BERTopic: neural topic modeling with a class-based TF-IDF procedure. arXiv:2203.05794

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.text.topics._class_terms import class_tfidf
    >>> class_tfidf(np.array([[3.0, 1.0], [0.0, 4.0]])).round(3).tolist()
    [[0.635, 0.147], [0.0, 0.588]]
    """
    sizes = counts.sum(axis=1, keepdims=True)
    share = np.divide(counts, sizes, out=np.zeros_like(counts), where=sizes > 0)
    times = counts.sum(axis=0)
    filled = sizes[sizes > 0]
    usual = float(filled.mean()) if len(filled) else 0.0
    rarity = np.log1p(np.divide(usual, times, out=np.zeros_like(times), where=times > 0))
    return np.asarray(share * rarity, dtype=np.float64)


def top_terms(weights: npt.NDArray[np.float64], names: Sequence[str], n: int) -> list[str]:
    """Give the terms with the greatest weights, ties in the order of the names; those without weight never.

    Parameters
    ----------
    weights : ndarray of float, shape (n_terms,)
        Of one class.
    names : sequence of str
        The terms.
    n : int
        At most how many.

    Returns
    -------
    list of str
        From the heaviest down.
    """
    order = np.argsort(-weights, kind="stable")[:n]
    return [str(names[place]) for place in order.tolist() if weights[place] > 0]


def label_of(terms: Iterable[str], n: int = 3) -> str:
    """Make a label of the first terms that do not say the same.

    Parameters
    ----------
    terms : iterable of str
        From the heaviest down.
    n : int, default=3
        Of how many.

    Returns
    -------
    str
        Such as ``"refund / late / parcel"``; a term is passed over that contains or is part of one already there, whole
        words of scripts with spaces, in whatever form.

    Examples
    --------
    >>> from crmkit.text.topics._class_terms import label_of
    >>> label_of(["card", "cards", "lost card", "lost", "shipping", "pin"])
    'card / lost / shipping'
    >>> label_of(["退款", "退款申请", "快递"])
    '退款 / 快递'
    """
    chosen: list[str] = []
    for term in terms:
        if len(chosen) == n:
            break
        if not any(_says_the_same(term, other) for other in chosen):
            chosen.append(term)
    return " / ".join(chosen)


def _says_the_same(one: str, other: str) -> bool:
    """Say whether one term contains the other: its characters in scripts without spaces, else forms of its words."""
    if _unspaced(one) and _unspaced(other):
        return one in other or other in one
    words, others = ({_form(word) for word in term.split()} for term in (one, other))
    return words <= others or others <= words


def _unspaced(term: str) -> bool:
    """Say whether a term is of a script without spaces, by its first character."""
    return bool(UNSPACED[script_ids(code_points(term[0]))[0]])


def _form(word: str) -> str:
    """Cut off what forms of an English word differ in; for telling forms of one word, not for reading."""
    short = _OF_NOUNS.sub("", _OF_VERBS.sub("", word))
    return _DOUBLED.sub(r"\1", short.removesuffix("y") + "i" if short.endswith("y") else short)
