"""A tree of names as sorted arrays, searched from all places of many texts at once."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.language import Normalized

__all__ = ["build_trie", "folded_codes", "search_trie"]

_SPACE = 0x20


def folded_codes(
    clean: Normalized, spaces: npt.NDArray[np.bool_], codes: npt.NDArray[np.uint32]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Make one space of each run of spaces, with the way back to the original.

    Parameters
    ----------
    clean : Normalized
        The text in its one form.
    spaces : ndarray of bool, shape (n_characters,)
        Which of its characters are spaces.
    codes : ndarray of uint32, shape (n_characters,)
        Its code points.

    Returns
    -------
    codes, starts, ends : ndarray of int64
        The code points that stay, and the half-open stretch of the original each came from.
    """
    kept = np.ones(len(codes), dtype=bool)
    kept[1:] = ~(spaces[1:] & spaces[:-1])
    return np.where(spaces, _SPACE, codes).astype(np.int64)[kept], clean.starts[kept], clean.ends[kept]


def build_trie(
    names: Sequence[npt.NDArray[np.int64]],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Build the tree level by level, which takes one sort a level.

    Parameters
    ----------
    names : sequence of ndarray of int64
        Distinct names as code points, none empty.

    Returns
    -------
    symbols : ndarray of int64
        The sorted code points there are.
    keys : ndarray of int64
        For node 1, 2, ... its parent's number times the number of symbols, plus the place of its symbol; sorted. The
        root is node 0.
    names_at : ndarray of int64
        For each node the position of the name that ends there, -1 for none.
    """
    lengths = np.array([len(name) for name in names], dtype=np.int64)
    letters = np.concatenate([*names, np.empty(0, dtype=np.int64)])
    symbols, places = np.unique(letters, return_inverse=True)
    begins = np.cumsum(lengths) - lengths
    nodes = np.zeros(len(names), dtype=np.int64)
    levels: list[npt.NDArray[np.int64]] = []
    done = 1
    for depth in range(int(lengths.max(initial=0))):
        rows = np.flatnonzero(lengths > depth)
        keys, inverse = np.unique(nodes[rows] * len(symbols) + places[begins[rows] + depth], return_inverse=True)
        levels.append(keys)
        nodes[rows] = done + inverse
        done += len(keys)
    names_at = np.full(done, -1, dtype=np.int64)
    names_at[nodes] = np.arange(len(names))
    return symbols, np.concatenate([*levels, np.empty(0, dtype=np.int64)]), names_at


def search_trie(
    trie: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]],
    codes: npt.NDArray[np.int64],
    may_begin: npt.NDArray[np.bool_],
    may_end: npt.NDArray[np.bool_],
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Find every name at every place.

    All places go down the tree side by side; few go far, so the cost is that of one look at each character, and in the
    worst case that times the length of the longest name.

    Parameters
    ----------
    trie : tuple of ndarray
        From `build_trie`.
    codes : ndarray of int64, shape (n_characters,)
        The texts, one after the other, parted by a character that no name has.
    may_begin, may_end : ndarray of bool, shape (n_characters,)
        Where a name may begin, and at which character it may end.

    Returns
    -------
    first, last, name : ndarray of int64
        First and last character and position of the name, sorted by first and falling last.
    """
    symbols, keys, names_at = trie
    place = np.minimum(np.searchsorted(symbols, codes), len(symbols) - 1)
    symbol = np.where(symbols[place] == codes, place, -1)
    start = np.flatnonzero(may_begin & (symbol >= 0))
    node = np.zeros(len(start), dtype=np.int64)
    none = np.empty(0, dtype=np.int64)
    found = [(none, none, none)]
    depth = 0
    while len(start):
        wanted = node * len(symbols) + symbol[start + depth]
        at = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
        goes_on = keys[at] == wanted
        start, node = start[goes_on], at[goes_on] + 1
        whole = (names_at[node] >= 0) & may_end[start + depth]
        found.append((start[whole], start[whole] + depth, names_at[node[whole]]))
        depth += 1
        inside = start + depth < len(codes)
        start, node = start[inside], node[inside]
        known = symbol[start + depth] >= 0
        start, node = start[known], node[known]
    first, last, name = (np.concatenate(parts) for parts in zip(*found, strict=True))
    order = np.lexsort((-last, first))
    return first[order], last[order], name[order]
