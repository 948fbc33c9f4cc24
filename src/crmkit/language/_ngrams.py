"""Numbers the n-grams of symbol sequences by chaining: an n-gram is the id of its first part and its last symbol."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

__all__ = ["find_ngrams", "learn_ngrams", "spell_ngrams"]


def _number(values: npt.NDArray[np.int64]) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the distinct values, sorted, and each value's place among them."""
    # N-grams stand many times: to sort the distinct ones of a hash table takes a tenth of the time of sorting them all.
    codes, distinct = pd.factorize(values)
    order = np.argsort(distinct)
    places = np.empty(len(order), dtype=np.int64)
    places[order] = np.arange(len(order))
    return distinct[order], places[codes]


def _extend(
    ids: npt.NDArray[np.int64],
    places: npt.NDArray[np.int64],
    single: npt.NDArray[np.int64],
    linked: npt.NDArray[np.bool_],
    order: int,
    n_symbols: int,
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give places and keys of the n-grams that lengthen the known (n-1)-grams at ``places``."""
    last = places + order - 1
    keep = linked[last - 1]
    places, last, ids = places[keep], last[keep], ids[keep]
    known = single[last] >= 0
    return places[known], ids[known] * n_symbols + single[last[known]]


def _lookup(keys: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Give each key's place in the sorted table, -1 where it is not there."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place, -1)


def learn_ngrams(
    symbols: npt.NDArray[np.int64], linked: npt.NDArray[np.bool_], order: int
) -> tuple[list[npt.NDArray[np.int64]], list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]]:
    """Number all n-grams up to an order.

    Parameters
    ----------
    symbols : ndarray of int64, shape (n_symbols,)
        Non-negative numbers: code points, or places in a vocabulary; -1 for a symbol that is none.
    linked : ndarray of bool, shape (n_symbols,)
        Whether a symbol and the next belong to one sequence; the last must be false.
    order : int
        The longest n-gram.

    Returns
    -------
    keys : list of ndarray of int64
        For each n the sorted keys of the distinct n-grams; the place in it is the n-gram's id.
    found : list of (places, ids)
        For each n where n-grams begin and their ids.

    Notes
    -----
    The key of an n-gram is ``id of its first n-1 symbols * number of distinct symbols + id of its last symbol``, so
    one hash table of integers a level is all it takes, for any n.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.language import learn_ngrams
    >>> keys, found = learn_ngrams(np.array([7, 9, 7, 9]), np.array([True, True, True, False]), 2)
    >>> [len(level) for level in keys], found[1][1].tolist()
    ([2, 2], [0, 1, 0])
    """
    places = np.flatnonzero(symbols >= 0)
    first, ids = _number(symbols[places])
    single = np.full(len(symbols), -1, dtype=np.int64)
    single[places] = ids
    keys, found = [first], [(places, ids)]
    for n in range(2, order + 1):
        places, raw = _extend(found[-1][1], found[-1][0], single, linked, n, len(first))
        level, ids = _number(raw)
        keys.append(level)
        found.append((places, ids))
    return keys, found


def find_ngrams(
    keys: Sequence[npt.NDArray[np.int64]], symbols: npt.NDArray[np.int64], linked: npt.NDArray[np.bool_]
) -> list[tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]]:
    """Find learned n-grams in other sequences.

    Parameters
    ----------
    keys : sequence of ndarray of int64
        From `learn_ngrams`.
    symbols, linked : ndarray
        As for `learn_ngrams`.

    Returns
    -------
    list of (places, ids)
        For each n; n-grams that were not learned are left out.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.language import find_ngrams, learn_ngrams
    >>> keys, _ = learn_ngrams(np.array([7, 9]), np.array([True, False]), 2)
    >>> [ids.tolist() for _, ids in find_ngrams(keys, np.array([9, 7, 9]), np.array([True, True, False]))]
    [[1, 0, 1], [0]]
    """
    single = _lookup(keys[0], symbols)
    places = np.flatnonzero(single >= 0)
    found = [(places, single[places])]
    for n, level in enumerate(keys[1:], start=2):
        places, raw = _extend(found[-1][1], found[-1][0], single, linked, n, len(keys[0]))
        ids = _lookup(level, raw)
        known = ids >= 0
        found.append((places[known], ids[known]))
    return found


def spell_ngrams(
    keys: Sequence[npt.NDArray[np.int64]], spell: Callable[[int], str], joiner: str = ""
) -> list[list[str]]:
    """Write learned n-grams out.

    Parameters
    ----------
    keys : sequence of ndarray of int64
        From `learn_ngrams`.
    spell : callable
        From a symbol to its text.
    joiner : str, default=""
        What stands between two symbols.

    Returns
    -------
    list of list of str
        For each n, in the order of the ids.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.language import learn_ngrams, spell_ngrams
    >>> keys, _ = learn_ngrams(np.array([30005, 33041]), np.array([True, False]), 2)
    >>> spell_ngrams(keys, chr)
    [['电', '脑'], ['电脑']]
    """
    single = [spell(symbol) for symbol in keys[0].tolist()]
    levels = [single]
    for level in keys[1:]:
        heads, tails = np.divmod(level, max(1, len(single)))
        previous = levels[-1]
        levels.append(
            [previous[head] + joiner + single[tail] for head, tail in zip(heads.tolist(), tails.tolist(), strict=True)]
        )
    return levels
