"""Counts the words that carry meaning in each sentence: words of spaced scripts, pairs of characters of Han."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from crmkit.language import CHARACTER, WORD, tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence
    from collections.abc import Set as AbstractSet

    import numpy.typing as npt

    from crmkit.language import TokenTable

__all__ = ["Terms", "count_terms", "weigh_terms"]

# A Chinese word has on average a little less than two characters.
_WORDS_A_CHARACTER = 0.6


class Terms(NamedTuple):
    """The terms of many sentences.

    Attributes
    ----------
    counts : scipy.sparse.csr_array, shape (n_texts, n_terms)
        How often each term stands in each.
    n_words : ndarray of float64, shape (n_texts,)
        How long each is, in words; a character of an unspaced script is 0.6 of one.
    """

    counts: sparse.csr_array
    n_words: npt.NDArray[np.float64]


def count_terms(texts: Sequence[str], stop_words: AbstractSet[str]) -> Terms:
    """Count terms.

    Parameters
    ----------
    texts : sequence of str
        The sentences.
    stop_words : set of str
        Words that are no terms, in lower case. A pair of Han characters is none where it, or each of the two, is a
        stop word.

    Returns
    -------
    Terms
        Their counts.
    """
    table = tokenize(texts)
    is_word, is_character = table.kind == WORD, table.kind == CHARACTER
    n_words = np.bincount(table.text[is_word], minlength=table.n_texts).astype(np.float64)
    n_words += _WORDS_A_CHARACTER * np.bincount(table.text[is_character], minlength=table.n_texts)
    # One Latin letter is what is left of "don ' t"; one digit may be a number that matters.
    meant = np.array(
        [word not in stop_words and (len(word) > 1 or word.isdecimal()) for word in table.words], dtype=bool
    )
    words = np.flatnonzero(is_word)
    words = words[meant[table.code[words]]]
    rows, keys = _han_terms(table, stop_words)
    keys = np.concatenate([table.code[words], keys + len(table.words)])
    distinct, columns = np.unique(keys, return_inverse=True)
    places = (np.concatenate([table.text[words], table.text[rows]]), columns)
    shape = (table.n_texts, len(distinct))
    counts = sparse.csr_array(sparse.coo_array((np.ones(len(keys)), places), shape=shape))
    return Terms(counts, n_words)


def _han_terms(table: TokenTable, stop_words: AbstractSet[str]) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Give where pairs of characters begin and their keys; a character that stands alone is its own term."""
    character = table.kind == CHARACTER
    linked = table.linked & character
    begins = np.flatnonzero(linked)
    alone = character & ~linked
    alone[1:] &= ~linked[:-1]
    single = np.flatnonzero(alone)
    rows = np.concatenate([begins, single])
    second = np.concatenate([table.code[begins + 1], np.zeros(len(single), dtype=np.int64)])
    keys = table.code[rows] << 21 | second
    distinct, inverse = np.unique(keys, return_inverse=True)
    kept = np.array([_is_meant(int(key), stop_words) for key in distinct], dtype=bool)
    return rows[kept[inverse]], keys[kept[inverse]]


def _is_meant(key: int, stop_words: AbstractSet[str]) -> bool:
    """Say whether one or two characters are a term."""
    first, second = chr(key >> 21), chr(key & 0x1FFFFF) if key & 0x1FFFFF else ""
    return first + second not in stop_words and not (first in stop_words and (not second or second in stop_words))


def weigh_terms(counts: sparse.csr_array) -> sparse.csr_array:
    """Weigh counts by how rare a term is, and bring each row to length one.

    Parameters
    ----------
    counts : scipy.sparse.csr_array, shape (n_texts, n_terms)
        From `count_terms`.

    Returns
    -------
    scipy.sparse.csr_array, shape (n_texts, n_terms)
        TF-IDF with smoothed weights; an empty row stays empty.
    """
    found = np.bincount(counts.indices, minlength=counts.shape[1])
    weighed = counts.copy()
    weighed.data = weighed.data * (np.log((1 + counts.shape[0]) / (1 + found)) + 1)[weighed.indices]
    squares = np.asarray(weighed.multiply(weighed).sum(axis=1)).ravel()
    weighed.data /= np.repeat(np.sqrt(np.maximum(squares, np.finfo(float).tiny)), np.diff(weighed.indptr))
    return weighed
