"""The features of tokens as columns of numbers: what stands around a token, how it is written, which list names it."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np

from crmkit.text.entities._tokens import WORD, WORDS_FROM

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.text.entities._tokens import EntityTokens

__all__ = ["FeatureTable", "Words"]

_WINDOWS = ((0,), (-1,), (1,), (-2,), (2,), (-1, 0), (0, 1), (-2, -1), (1, 2), (-1, 1))
_SHAPES = ((0,), (-1, 0, 1))
_AFFIXES = (2, 3)
_N_SHAPES = 18
_BEFORE, _AFTER = 16, 17
_ROOM = 2**62


@dataclass(frozen=True)
class Words:
    """The words that a segmenter found, one row a token.

    Attributes
    ----------
    word, before, after : ndarray of int64
        Places in ``names`` of the word a token stands in, the one before and the one after; -1 at the border.
    place : ndarray of int64
        0 for a word of one token, else 1 at its beginning, 2 within, 3 at its end.
    names : list of str
        The distinct words.
    """

    word: npt.NDArray[np.int64]
    before: npt.NDArray[np.int64]
    after: npt.NDArray[np.int64]
    place: npt.NDArray[np.int64]
    names: list[str]


@dataclass
class FeatureTable:
    """Numbers features when fitted, and finds the same ones in other texts.

    Attributes
    ----------
    vocabulary : list of str
        Words and numbers, affixes and segmented words, by number.
    symbols : ndarray of int64
        Sorted symbols that were seen.
    keys : list of ndarray of int64
        For each template the sorted keys of its features.
    """

    vocabulary: list[str] = field(default_factory=list)
    symbols: npt.NDArray[np.int64] = field(default_factory=lambda: np.empty(0, dtype=np.int64))
    keys: list[npt.NDArray[np.int64]] = field(default_factory=list)

    def learn(
        self,
        tokens: EntityTokens,
        listed: Sequence[npt.NDArray[np.int64]],
        words: Words | None,
        *,
        min_count: int,
    ) -> npt.NDArray[np.int64]:
        """Number the features of the training texts.

        Parameters
        ----------
        tokens : EntityTokens
            The tokens.
        listed : sequence of ndarray of int64, shape (n_tokens,)
            For each label of the gazetteer where in a name of it a token stands, -1 for nowhere.
        words : Words or None
            What a segmenter found.
        min_count : int
            Features that stand at fewer tokens are left out.

        Returns
        -------
        ndarray of int64, shape (n_tokens, n_templates)
            The number of each feature, -1 for none.
        """
        names = {*tokens.words, *(word[:n] for word in tokens.words for n in _AFFIXES)}
        names.update(word[-n:] for word in tokens.words for n in _AFFIXES)
        names.update([] if words is None else words.names)
        self.vocabulary = sorted(names)
        known = {name: place for place, name in enumerate(self.vocabulary)}
        self.symbols = np.unique(_global(tokens, known))
        self.keys = []
        columns = np.full((len(tokens.text), 0), -1, dtype=np.int64)
        found, offset = [], 0
        for raw in self._raw(tokens, listed, words, known):
            keys, inverse, counts = np.unique(raw, return_inverse=True, return_counts=True)
            kept = (counts >= min_count) & (keys >= 0)
            numbers = np.where(kept, offset + np.cumsum(kept) - 1, -1)
            self.keys.append(keys[kept])
            found.append(numbers[inverse.reshape(-1)])
            offset += int(kept.sum())
        return np.stack(found, axis=1) if len(tokens.text) else columns

    def find(
        self, tokens: EntityTokens, listed: Sequence[npt.NDArray[np.int64]], words: Words | None
    ) -> npt.NDArray[np.int64]:
        """Find the learned features in other texts; see `learn`."""
        known = {name: place for place, name in enumerate(self.vocabulary)}
        columns, offset = [], 0
        for keys, raw in zip(self.keys, self._raw(tokens, listed, words, known), strict=True):
            columns.append(_places(keys, raw, offset))
            offset += len(keys)
        return np.stack(columns, axis=1)

    def keep(self, used: npt.NDArray[np.int64]) -> None:
        """Forget all features but some, and number these anew.

        Parameters
        ----------
        used : ndarray of int64
            Their numbers, sorted.
        """
        ends = np.cumsum([len(keys) for keys in self.keys])
        parts = np.split(used, np.searchsorted(used, ends[:-1]))
        starts = ends - [len(keys) for keys in self.keys]
        self.keys = [keys[part - start] for keys, part, start in zip(self.keys, parts, starts.tolist(), strict=True)]

    def _raw(
        self,
        tokens: EntityTokens,
        listed: Sequence[npt.NDArray[np.int64]],
        words: Words | None,
        known: dict[str, int],
    ) -> list[npt.NDArray[np.int64]]:
        """Give the key of each template at each token, -1 where it has none."""
        size = len(self.symbols) + 2
        if size**2 >= _ROOM:
            raise OverflowError("more than two thousand million different symbols cannot be numbered")
        symbol = _places(self.symbols, _global(tokens, known), 0)
        around = _Around(tokens.text, symbol, (size - 2, size - 1))
        columns = [_joined([around.at(step) for step in window], size) for window in _WINDOWS]
        shapes = _Around(tokens.text, tokens.shape, (_BEFORE, _AFTER))
        columns += [_joined([shapes.at(step) for step in window], _N_SHAPES) for window in _SHAPES]
        columns.append(np.where(tokens.spaced, shapes.at(-1) * _N_SHAPES + tokens.shape, -1))
        columns += _affixes(tokens, known)
        columns += list(listed)
        if words is not None:
            number = np.array([known.get(name, -1) for name in words.names], dtype=np.int64)
            columns += _of_words(words, number)
        return columns


class _Around:
    """Gives the value of a neighbour within the same text, or of the border."""

    def __init__(self, text: npt.NDArray[np.int64], values: npt.NDArray[np.int64], border: tuple[int, int]) -> None:
        self.text = text
        self.values = values
        self.border = border

    def at(self, step: int) -> npt.NDArray[np.int64]:
        """Give for each token the value of the token so many steps away."""
        if step == 0:
            return self.values
        found = np.full(len(self.values), self.border[0 if step < 0 else 1], dtype=np.int64)
        here, there = (slice(-step, None), slice(None, step)) if step < 0 else (slice(None, -step), slice(step, None))
        same = self.text[here] == self.text[there]
        found[here] = np.where(same, self.values[there], found[here])
        return found


def _joined(parts: list[npt.NDArray[np.int64]], size: int) -> npt.NDArray[np.int64]:
    """Make one number of several, -1 where one of them is none."""
    key, none = parts[0], parts[0] < 0
    for part in parts[1:]:
        key, none = key * size + part, none | (part < 0)
    return np.where(none, -1, key)


def _places(keys: npt.NDArray[np.int64], wanted: npt.NDArray[np.int64], offset: int) -> npt.NDArray[np.int64]:
    """Give each key's number, -1 where it was not learned."""
    if not len(keys):
        return np.full(len(wanted), -1, dtype=np.int64)
    place = np.minimum(np.searchsorted(keys, wanted), len(keys) - 1)
    return np.where(keys[place] == wanted, place + offset, -1)


def _global(tokens: EntityTokens, known: dict[str, int]) -> npt.NDArray[np.int64]:
    """Give the symbols by the fitted vocabulary, -1 for a word that is not in it."""
    numbers = np.array([known.get(word, -1 - WORDS_FROM) for word in tokens.words], dtype=np.int64) + WORDS_FROM
    symbol = tokens.symbol.copy()
    word = symbol >= WORDS_FROM
    symbol[word] = numbers[symbol[word] - WORDS_FROM]
    return symbol


def _affixes(tokens: EntityTokens, known: dict[str, int]) -> list[npt.NDArray[np.int64]]:
    """Give the beginnings and ends of words of a spaced script that are longer than they."""
    word = (tokens.kind == WORD) & (tokens.symbol >= WORDS_FROM)
    place = tokens.symbol[word] - WORDS_FROM
    columns = []
    for n in _AFFIXES:
        for beginning in (True, False):
            parts = [(name[:n] if beginning else name[-n:]) if len(name) > n else None for name in tokens.words]
            number = np.array([-1 if part is None else known.get(part, -1) for part in parts], dtype=np.int64)
            column = np.full(len(tokens.text), -1, dtype=np.int64)
            column[word] = number[place]
            columns.append(column)
    return columns


def _of_words(words: Words, number: npt.NDArray[np.int64]) -> list[npt.NDArray[np.int64]]:
    """Give the features that a segmenter's words have."""

    def named(which: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        inner = np.append(number, -1)[which]
        # 1 and up for words, 0 for the border of the text, none for words not seen.
        key = np.where(which < 0, 0, np.where(inner < 0, -1, inner + 1))
        return np.where(key < 0, -1, key * 4 + words.place)

    return [words.place, named(words.word), named(words.before), named(words.after)]
