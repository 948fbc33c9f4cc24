"""Says which texts are the same to a reader: equal but for case, width, white space, punctuation."""

from __future__ import annotations

import unicodedata
from itertools import pairwise
from typing import TYPE_CHECKING

import numpy as np

from crmkit.language import MARKER, WORD, tokenize

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["number_texts", "word_keys"]


def word_keys(texts: npt.NDArray[np.object_]) -> list[str]:
    """Write each text as its words in lower case with one space between.

    Parameters
    ----------
    texts : ndarray of object, shape (n_texts,)
        Every item a ``str``.

    Returns
    -------
    list of str
        Characters of unspaced scripts stand alone. A text that has only signs is written as these; what is empty or
        white space is ``""``.
    """
    table = tokenize(texts.tolist())
    kept = table.kind != MARKER
    words = table.words
    spelled = [
        words[code] if word else chr(code)
        for code, word in zip(table.code[kept].tolist(), (table.kind[kept] == WORD).tolist(), strict=True)
    ]
    bounds = np.searchsorted(table.text[kept], np.arange(len(texts) + 1)).tolist()
    keys = [" ".join(spelled[first:last]) for first, last in pairwise(bounds)]
    return [key or _signs(text) for key, text in zip(keys, texts.tolist(), strict=True)]


def _signs(text: str) -> str:
    """Write a text without words: its signs in one form."""
    return "".join(unicodedata.normalize("NFKC", text).split())


def number_texts(keys: list[str]) -> npt.NDArray[np.int64]:
    """Give each text the position of the first one with the same key.

    Parameters
    ----------
    keys : list of str
        From `word_keys`.

    Returns
    -------
    ndarray of int64, shape (n_texts,)
        Its own position where a text is the first of its kind.
    """
    first: dict[str, int] = {}
    return np.fromiter((first.setdefault(key, place) for place, key in enumerate(keys)), np.int64, len(keys))
