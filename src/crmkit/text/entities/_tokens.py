"""Cuts texts into what a tag is given to: words and numbers, single characters of unspaced scripts, signs."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from crmkit.language import SCRIPTS, code_points, script_ids

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

__all__ = ["CHARACTER", "NUMBER", "SIGN", "WORD", "EntityTokens", "batches", "cut_tokens", "sequence_bounds"]

NONE, WORD, NUMBER, CHARACTER, SIGN = range(5)
"""Kinds of token; NONE is what separates them."""

WORDS_FROM = 0x110000
"""A token's symbol is its code point, or from here on the place of its word."""

_UNSPACED = [SCRIPTS.index(name) for name in ("han", "hiragana", "katakana", "thai", "lao", "khmer", "myanmar")]
_ENDS = np.array([ord(sign) for sign in "。！？!?；;"])
_LONGEST = 256
_BATCH_CHARACTERS = 250_000


@dataclass(frozen=True, repr=False)
class EntityTokens:
    """The tokens of many texts, one row a token.

    Attributes
    ----------
    n_texts : int
        How many texts; one may have no token.
    text : ndarray of int64
        Position of the text.
    start, end : ndarray of int64
        Half-open offsets into the text as it was given, in code points.
    kind : ndarray of int8
        ``WORD``, ``NUMBER``, ``CHARACTER`` or ``SIGN``.
    shape : ndarray of int64
        How it is written: the case of a word, the length of a number; 0 to 15.
    symbol : ndarray of int64
        Its code point, folded, or 0x110000 and its place in ``words``.
    spaced : ndarray of bool
        Whether something stands between it and the token before it.
    words : list of str
        The distinct words and numbers of more than one character, folded.
    """

    n_texts: int
    text: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    kind: npt.NDArray[np.int8]
    shape: npt.NDArray[np.int64]
    symbol: npt.NDArray[np.int64]
    spaced: npt.NDArray[np.bool_]
    words: list[str]

    def __repr__(self) -> str:
        return f"EntityTokens({len(self.text)} tokens of {self.n_texts} texts)"


@lru_cache(maxsize=8192)
def _folded(code: int) -> int:
    """Give a character in NFKC and lower case where that is one character, so that no offset moves."""
    form = unicodedata.normalize("NFKC", chr(code)).lower()
    return ord(form) if len(form) == 1 else code


def batches(texts: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Cut a list of texts so that a batch has about 250,000 characters.

    Parameters
    ----------
    texts : sequence of str
        The texts.

    Yields
    ------
    tuple of int
        First and behind the last text of a batch.
    """
    first = size = 0
    for place, text in enumerate(texts):
        if size and size + len(text) > _BATCH_CHARACTERS:
            yield first, place
            first, size = place, 0
        size += len(text)
    if first < len(texts):
        yield first, len(texts)


def cut_tokens(texts: Sequence[str]) -> EntityTokens:
    """Cut texts into tokens.

    Letters of a spaced script in a row are a word, digits in a row a number: ``WCG2009`` is two tokens, because a name
    often ends where the digits begin. Full-width and capital letters are folded in ``symbol`` and told in ``shape``.

    Parameters
    ----------
    texts : sequence of str
        The texts.

    Returns
    -------
    EntityTokens
        Nothing for spaces and control characters.
    """
    joined = "\x00".join(text.replace("\x00", " ") for text in texts) + "\x00"
    codes = code_points(joined)
    distinct, inverse = np.unique(codes, return_inverse=True)
    folded = np.array([_folded(code) for code in distinct.tolist()], dtype=np.int64)[inverse]
    kinds = _kinds(codes)
    # A run goes on where two letters, or two digits, stand side by side.
    goes_on = np.zeros(len(codes) + 1, dtype=bool)
    goes_on[1:-1] = (kinds[1:] == kinds[:-1]) & ((kinds[1:] == WORD) | (kinds[1:] == NUMBER))
    begin = np.flatnonzero(~goes_on[:-1] & (kinds != NONE))
    stop = np.flatnonzero(~goes_on[1:] & (kinds != NONE)) + 1
    kind = kinds[begin]
    cuts = np.flatnonzero(codes == 0)
    text = np.searchsorted(cuts, begin)
    origin = np.concatenate([[0], cuts[:-1] + 1])[text]
    symbol = folded[begin]
    long = np.flatnonzero(stop - begin > 1)
    lower = "".join(map(chr, folded.tolist()))
    lexicon: dict[str, int] = {}
    symbol[long] = [
        WORDS_FROM + lexicon.setdefault(lower[a:b], len(lexicon))
        for a, b in zip(begin[long].tolist(), stop[long].tolist(), strict=True)
    ]
    spaced = np.append(True, begin[1:] != stop[:-1])[: len(begin)]
    shape = _shapes(codes, begin, stop, kind)
    return EntityTokens(len(texts), text, begin - origin, stop - origin, kind, shape, symbol, spaced, list(lexicon))


def _kinds(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.int8]:
    """Give each character's kind of token; a combining mark goes with the letter before it."""
    ids = script_ids(codes)
    kinds = np.full(len(ids), WORD, dtype=np.int8)
    kinds[np.isin(ids, _UNSPACED)] = CHARACTER
    for name, kind in (("digit", NUMBER), ("sign", SIGN), ("space", NONE)):
        kinds[ids == SCRIPTS.index(name)] = kind
    marks = ids == SCRIPTS.index("mark")
    if marks.any():
        carrier = np.maximum.accumulate(np.where(marks, 0, np.arange(len(ids))))
        kinds[marks] = np.where(kinds[carrier[marks]] == WORD, WORD, NONE)
    return kinds


def _shapes(
    codes: npt.NDArray[np.uint32], begin: npt.NDArray[np.int64], stop: npt.NDArray[np.int64], kind: npt.NDArray[np.int8]
) -> npt.NDArray[np.int64]:
    """Tell how each token is written."""
    length = stop - begin
    shape = np.zeros(len(begin), dtype=np.int64)
    shape[kind == SIGN] = 1
    number = kind == NUMBER
    shape[number] = 1 + np.minimum(length[number], 6)
    word = np.flatnonzero(kind == WORD)
    if not len(word):
        return shape
    distinct, inverse = np.unique(codes, return_inverse=True)
    capital = np.array([chr(code).isupper() for code in distinct.tolist()], dtype=np.int64)[inverse]
    before = np.concatenate([[0], np.cumsum(capital)])
    capitals = before[stop[word]] - before[begin[word]]
    first, size = capital[begin[word]] == 1, length[word]
    shape[word] = np.select(
        [capitals == 0, first & (size == 1), capitals == size, first & (capitals == 1)],
        [8, 9, 10, 11],
        default=12,
    )
    return shape


def sequence_bounds(tokens: EntityTokens, inside: npt.NDArray[np.bool_] | None = None) -> npt.NDArray[np.int64]:
    """Cut the tokens into sequences to be tagged: a text each, a long text in pieces of at most 256 tokens.

    A piece ends behind the last sign that ends a sentence, else where the 256 are full; what stands next to a cut is
    still seen by the features.

    Parameters
    ----------
    tokens : EntityTokens
        The tokens.
    inside : ndarray of bool, default=None
        Tokens before which must not be cut, because an entity goes on there.

    Returns
    -------
    ndarray of int64, shape (n_sequences + 1,)
        Where each sequence begins, and the number of tokens.
    """
    bounds = np.searchsorted(tokens.text, np.arange(tokens.n_texts + 1))
    long = np.flatnonzero(np.diff(bounds) > _LONGEST)
    if not len(long):
        return np.unique(bounds)
    free = np.ones(len(tokens.text) + 1, dtype=bool) if inside is None else ~np.append(inside, False)
    ends = np.zeros(len(tokens.text) + 1, dtype=bool)
    ends[1:] = np.isin(tokens.symbol, _ENDS)
    ends &= free
    more: list[int] = []
    for text in long.tolist():
        place, last = int(bounds[text]), int(bounds[text + 1])
        while last - place > _LONGEST:
            window = slice(place + 1, place + _LONGEST + 1)
            at = np.flatnonzero(ends[window])
            at = at if len(at) else np.flatnonzero(free[window])
            # An entity longer than a piece is left whole.
            place += int(at[-1]) + 1 if len(at) else _LONGEST + int(np.argmax(free[place + _LONGEST :]))
            more.append(place)
    return np.unique(np.concatenate([bounds, np.array(more, dtype=np.int64)]))
