"""Finds phrases of words and of Han characters in the tokens of many texts, the longest at each place."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.core.errors import DataError
from crmkit.language import WORD, tokenize

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.language import TokenTable

    Ints = npt.NDArray[np.int64]

__all__ = ["FoundPhrases", "PhraseFinder"]


class FoundPhrases(NamedTuple):
    """Where phrases stand, in the order of the texts.

    Attributes
    ----------
    phrase : ndarray of int64, shape (n_found,)
        Which phrase, by its place among those given.
    first, last : ndarray of int64, shape (n_found,)
        Its first and last row in the token table.
    """

    phrase: Ints
    first: Ints
    last: Ints


class PhraseFinder:
    """Many phrases, ready to be found in texts.

    Texts and phrases are read alike (NFKC, lower case), so full-width letters and capitals do not matter. A phrase
    that ends in ``*`` fits every word that begins so (``refund*``). At each place the longest phrase counts, and what
    begins inside a found one is not looked at. All places of all texts are walked at once, a level of the phrases'
    tree at a time: about as fast as cutting the texts into tokens.

    Parameters
    ----------
    phrases : sequence of str
        Words of a spaced script, or characters of an unspaced one, or one sign or emoji; not both scripts in one. Of
        equal ones the last counts.
    """

    def __init__(self, phrases: Sequence[str]) -> None:
        self._symbols: dict[str, int] = {}
        self._stems: dict[str, int] = {}
        steps: dict[tuple[int, int], int] = {}
        ends: dict[int, int] = {}
        stem_ends: dict[tuple[int, int], int] = {}
        table = tokenize([phrase.removesuffix("*") for phrase in phrases])
        bounds = np.searchsorted(table.text, np.arange(len(phrases) + 1)).tolist()
        linked = table.linked.tolist()
        for place, phrase in enumerate(phrases):
            opened = phrase.endswith("*")
            begin, end = bounds[place], bounds[place + 1]
            parts = [table.string(row) for row in range(begin, end)]
            if not parts or not all(linked[begin : end - 1]):
                raise DataError(
                    f"phrase {phrase!r} must be words of one script, characters of one, or one sign, so that it can be "
                    "found in a text"
                )
            node = 0
            for part in parts[: len(parts) - opened]:
                symbol = self._symbols.setdefault(part, len(self._symbols))
                node = steps.setdefault((node, symbol), len(steps) + 1)
            if opened:
                stem_ends[node, self._stems.setdefault(parts[-1], len(self._stems))] = place
            else:
                ends[node] = place
        self._longest_stem = max(map(len, self._stems), default=0)
        self._steps = _Lookup(steps, max(1, len(self._symbols)))
        self._stem_ends = _Lookup(stem_ends, max(1, len(self._stems)))
        self._ends = np.full(len(steps) + 1, -1, dtype=np.int64)
        for node, place in ends.items():
            self._ends[node] = place

    def __repr__(self) -> str:
        return f"PhraseFinder({len(self._symbols)} symbols)"

    def find(self, table: TokenTable) -> FoundPhrases:
        """Find the phrases.

        Parameters
        ----------
        table : TokenTable
            Of `crmkit.language.tokenize`.

        Returns
        -------
        FoundPhrases
            The leftmost and longest, without overlaps.
        """
        symbol, stem = self._read(table)
        count = len(symbol)
        best, last = np.full(count, -1, dtype=np.int64), np.zeros(count, dtype=np.int64)
        begin = np.arange(count)
        here, node = begin, np.zeros(count, dtype=np.int64)
        while len(here):
            by_stem = self._stem_ends(node, stem[here])
            node = self._steps(node, symbol[here])
            found = np.where(node >= 0, self._ends[node], -1)
            found = np.where(found >= 0, found, by_stem)
            hit = found >= 0
            best[begin[hit]], last[begin[hit]] = found[hit], here[hit]
            on = (node >= 0) & table.linked[here]
            begin, here, node = begin[on], here[on] + 1, node[on]
        first = np.flatnonzero(best >= 0)
        kept = _without_overlaps(first, last[first])
        return FoundPhrases(best[first[kept]], first[kept], last[first[kept]])

    def _read(self, table: TokenTable) -> tuple[Ints, Ints]:
        """Give each token's symbol and the longest stem it begins with, -1 for none."""
        is_word = table.kind == WORD
        symbol, stem = np.full(len(table.code), -1, dtype=np.int64), np.full(len(table.code), -1, dtype=np.int64)
        of_word = np.array([self._symbols.get(word, -1) for word in table.words], dtype=np.int64)
        stem_of_word = np.array([self._stem_of(word) for word in table.words], dtype=np.int64)
        symbol[is_word], stem[is_word] = of_word[table.code[is_word]], stem_of_word[table.code[is_word]]
        codes, back = np.unique(table.code[~is_word], return_inverse=True)
        symbol[~is_word] = np.array([self._symbols.get(chr(code), -1) for code in codes.tolist()], dtype=np.int64)[back]
        return symbol, stem

    def _stem_of(self, word: str) -> int:
        """Give the longest stem that a word begins with."""
        for size in range(min(len(word), self._longest_stem), 0, -1):
            found = self._stems.get(word[:size])
            if found is not None:
                return found
        return -1


class _Lookup:
    """A table from pairs of numbers to numbers that is asked for many pairs at once."""

    def __init__(self, table: dict[tuple[int, int], int], width: int) -> None:
        keys = np.array([node * width + symbol for node, symbol in table], dtype=np.int64)
        order = np.argsort(keys)
        self.width = width
        self.keys = keys[order]
        self.values = np.array(list(table.values()), dtype=np.int64)[order]

    def __call__(self, node: Ints, symbol: Ints) -> Ints:
        """Give the values, -1 where there is none."""
        if not len(self.keys):
            return np.full(len(node), -1, dtype=np.int64)
        wanted = node * self.width + symbol
        place = np.minimum(np.searchsorted(self.keys, wanted), len(self.keys) - 1)
        return np.where((self.keys[place] == wanted) & (symbol >= 0), self.values[place], -1)


def _without_overlaps(first: Ints, last: Ints) -> npt.NDArray[np.bool_]:
    """Keep the leftmost; one after the other, since each choice decides the next."""
    kept = np.zeros(len(first), dtype=bool)
    end = -1
    for place, (begin, stop) in enumerate(zip(first.tolist(), last.tolist(), strict=True)):
        if begin > end:
            kept[place], end = True, stop
    return kept
