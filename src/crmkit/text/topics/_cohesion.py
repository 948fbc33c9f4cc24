"""Finds the words of Chinese texts without a dictionary: characters that hold together and whose neighbours vary."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from crmkit.language import CHARACTER, learn_ngrams, spell_ngrams, tokenize

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["cutter", "learn_words"]

_LONGEST = 4
_PARTICLES = frozenset("的地得了着吗呢吧啊呀哦嘛啦我你您他她它们很太也都就还又是和与这那个在把被给")
"""Characters that begin and end almost no word that means something, but stand beside most of those that do."""

_NEVER_LAST = _PARTICLES | frozenset("不没才")


def learn_words(
    texts: Sequence[str], *, min_count: int = 5, cohesion: float = 2.5, freedom: float = 1.0
) -> dict[str, float]:
    """Find runs of two to four characters that behave as words.

    A run holds together where it is more frequent than its two parts would make it by chance, at every place where it
    can be cut (pointwise mutual information); it is free where what stands before and after it varies (branching
    entropy; the border of a stretch is a neighbour like no other). Runs that begin or end with a particle are no
    words. A few sorts of integers; equal texts are to be counted once by the caller.

    Parameters
    ----------
    texts : sequence of str
        The corpus; a few hundred messages give words, fewer give little.
    min_count : int, default=5
        How often a run must stand in them.
    cohesion : float, default=2.5
        Least mutual information of its weakest cut, in nats.
    freedom : float, default=1.0
        Least entropy of its neighbours on either side, in nats.

    Returns
    -------
    dict of str to float
        The words with the logarithm of their share of all characters; single characters are in it too.

    References
    ----------
    Feng, H., Chen, K., Deng, X., & Zheng, W. (2004). Accessor variety criteria for Chinese word extraction.
    Computational Linguistics 30, 75-93. doi:10.1162/089120104773633394

    Jin, Z., & Tanaka-Ishii, K. (2006). Unsupervised segmentation of Chinese text by use of branching entropy. ACL
    2006, 428-435. https://aclanthology.org/P06-2056

    Examples
    --------
    >>> from crmkit.text.topics._cohesion import learn_words
    >>> texts = [a + "退款" + b for a in "甲乙丙" for b in "丁戊己"]
    >>> [word for word in learn_words(texts, min_count=9, cohesion=0.5) if len(word) > 1]
    ['退款']
    """
    table = tokenize(texts)
    rows = np.flatnonzero(table.kind == CHARACTER)
    if not len(rows):
        return {}
    symbols, linked = table.code[rows], table.linked[rows]
    keys, found = learn_ngrams(symbols, linked, _LONGEST + 1)
    spelled = spell_ngrams(keys, chr)
    total = len(symbols)
    shares = [
        np.log(np.bincount(ids, minlength=len(level)) / total) for level, (_, ids) in zip(keys, found, strict=True)
    ]
    words = dict(zip(spelled[0], shares[0].tolist(), strict=True))
    at = [_by_place(places, ids, total) for places, ids in found]
    for n in range(2, _LONGEST + 1):
        places, ids = found[n - 1]
        if not len(ids):
            break
        counts = np.bincount(ids)
        _, first = np.unique(ids, return_index=True)
        place = places[first]
        held = np.min(
            [
                shares[n - 1] - shares[cut - 1][at[cut - 1][place]] - shares[n - cut - 1][at[n - cut - 1][place + cut]]
                for cut in range(1, n)
            ],
            axis=0,
        )
        good = (counts >= min_count) & (held >= cohesion)
        last = np.append(linked, False)[places + n - 1]
        after = np.where(last, np.append(symbols, 0)[np.minimum(places + n, total)], -1)
        good &= _neighbour_entropy(ids, after, len(counts)) >= freedom
        joined_before = np.append(False, linked[:-1])[places]
        before = np.where(joined_before, symbols[np.maximum(places - 1, 0)], -1)
        good &= _neighbour_entropy(ids, before, len(counts)) >= freedom
        for id_ in np.flatnonzero(good).tolist():
            gram = spelled[n - 1][id_]
            # Two words that often follow each other are a phrase.
            if n == _LONGEST and gram[:2] in words and gram[2:] in words:
                continue
            if gram[0] not in _PARTICLES and gram[-1] not in _NEVER_LAST:
                words[gram] = float(shares[n - 1][id_])
    return words


def _by_place(places: npt.NDArray[np.int64], ids: npt.NDArray[np.int64], total: int) -> npt.NDArray[np.int64]:
    """Give the id of the n-gram that begins at each place, -1 where none does."""
    at = np.full(total, -1, dtype=np.int64)
    at[places] = ids
    return at


def _neighbour_entropy(
    ids: npt.NDArray[np.int64], neighbour: npt.NDArray[np.int64], n_ids: int
) -> npt.NDArray[np.float64]:
    """Give the entropy of what stands beside each n-gram; each border (-1) is a neighbour of its own."""
    counts = np.bincount(ids, minlength=n_ids)
    inner = neighbour >= 0
    keys, times = np.unique(ids[inner] << 21 | neighbour[inner], return_counts=True)
    owner = keys >> 21
    share = times / counts[owner]
    entropy = np.bincount(owner, weights=-share * np.log(share), minlength=n_ids)
    borders = np.bincount(ids[~inner], minlength=n_ids)
    return np.asarray(entropy + borders / np.maximum(counts, 1) * np.log(np.maximum(counts, 1)), dtype=np.float64)


def cutter(words: Mapping[str, float]) -> Callable[[str], list[str]]:
    """Give the function that cuts a stretch of characters into its most probable words.

    Parameters
    ----------
    words : mapping of str to float
        Words and the logarithm of their probability, from `learn_words`.

    Returns
    -------
    callable
        From a stretch without gaps to its pieces; a character that was never seen is a piece of its own. Its time is
        linear in the stretch: a loop over the characters, since each cut depends on those before it.

    Examples
    --------
    >>> from crmkit.text.topics._cohesion import cutter
    >>> cutter({"退款": -2.0, "退": -3.0, "款": -3.0})("请退款")
    ['请', '退款']
    """
    longest = max(map(len, words), default=1)
    unseen = min(words.values(), default=0.0) - math.log(10)

    def cut(run: str) -> list[str]:
        best, length = [0.0], [0]
        for end in range(1, len(run) + 1):
            score, size = best[end - 1] + words.get(run[end - 1], unseen), 1
            for n in range(2, min(longest, end) + 1):
                word = words.get(run[end - n : end])
                if word is not None and best[end - n] + word > score:
                    score, size = best[end - n] + word, n
            best.append(score)
            length.append(size)
        pieces, end = [], len(run)
        while end:
            pieces.append(run[end - length[end] : end])
            end -= length[end]
        return pieces[::-1]

    return cut
