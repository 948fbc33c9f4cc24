"""Brings text to one form (NFKC) and remembers where each character came from."""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING

import numpy as np

from crmkit.language._scripts import code_points

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Normalized", "normalize"]


class Normalized:
    """A text in NFKC with the way back to the original.

    Parameters
    ----------
    text : str
        The normalised text.
    original : str
        What it was made from.
    starts, ends : ndarray of int64, shape (n_characters,)
        For each normalised character, the half-open stretch of the original it came from.

    Examples
    --------
    >>> from crmkit.language import normalize
    >>> clean = normalize("Ｎo.①ﬁne")
    >>> clean.text, clean.span(4, 6)
    ('No.1fine', (4, 5))
    """

    def __init__(self, text: str, original: str, starts: npt.NDArray[np.int64], ends: npt.NDArray[np.int64]) -> None:
        self.text = text
        self.original = original
        self.starts = starts
        self.ends = ends

    def __repr__(self) -> str:
        return f"Normalized({len(self.original)} characters to {len(self.text)})"

    def span(self, start: int, end: int) -> tuple[int, int]:
        """Translate half-open offsets into the normalised text to the original.

        Parameters
        ----------
        start, end : int
            Offsets into ``text``, ``0 <= start <= end <= len(text)``.

        Returns
        -------
        tuple of int
            The smallest stretch of ``original`` that gave these characters; empty for an empty stretch.

        Raises
        ------
        IndexError
            If the offsets do not lie in the text.

        Examples
        --------
        >>> from crmkit.language import normalize
        >>> normalize("退款１００").span(2, 5)
        (2, 5)
        """
        if not 0 <= start <= end <= len(self.text):
            raise IndexError(f"offsets must satisfy 0 <= start <= end <= {len(self.text)}, got {start} and {end}")
        if start == end:
            place = int(self.starts[start]) if start < len(self.text) else len(self.original)
            return place, place
        return int(self.starts[start]), int(self.ends[end - 1])

    def lower(self) -> Normalized:
        """Lower the case without losing the way back.

        Returns
        -------
        Normalized
            A new one; the few letters that become two when lowered keep one origin.

        Examples
        --------
        >>> from crmkit.language import normalize
        >>> normalize("ＡPP").lower().text
        'app'
        """
        lowered = self.text.lower()
        if len(lowered) == len(self.text):
            return Normalized(lowered, self.original, self.starts, self.ends)
        lengths = np.fromiter((len(letter.lower()) for letter in self.text), dtype=np.int64, count=len(self.text))
        return Normalized(lowered, self.original, np.repeat(self.starts, lengths), np.repeat(self.ends, lengths))


@lru_cache(maxsize=8192)
def _continues(letter: str) -> bool:
    """Say whether a character may join the one before it: marks, and the later parts of Hangul syllables."""
    first = unicodedata.normalize("NFKD", letter)[0]
    return unicodedata.category(first)[0] == "M" or "\u1160" <= first <= "\u11ff"


def _identity(text: str, original: str) -> Normalized:
    """Map each character to itself."""
    places = np.arange(len(original), dtype=np.int64)
    return Normalized(text, original, places, places + 1)


def normalize(text: str) -> Normalized:
    """Bring a text to Unicode's NFKC form, with the offsets back.

    Full-width letters and digits become plain ones, ligatures and circled numbers are written out, accents are joined
    to their letters. The case stays. Time and memory are linear; a text that needs nothing costs one look.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    Normalized
        ``.text`` equals ``unicodedata.normalize("NFKC", text)``.

    Notes
    -----
    The text is cut before every character that cannot join its predecessor; the pieces are normalised one by one, so
    a character of the result comes from the whole piece it was made of.

    References
    ----------
    Unicode Standard Annex #15, Unicode Normalization Forms.

    Examples
    --------
    >>> from crmkit.language import normalize
    >>> normalize("ｶﾞｽ ＯＫ").text
    'ガス OK'
    """
    result = unicodedata.normalize("NFKC", text)
    if result == text:
        return _identity(result, text)
    letters = set(text)
    joining = {letter for letter in letters if not letter.isascii() and _continues(letter)}
    if not joining and len(result) == len(text):
        return _identity(result, text)
    codes = code_points(text)
    first = np.flatnonzero(~np.isin(codes, [ord(letter) for letter in joining]))
    if not len(first) or first[0] != 0:
        first = np.concatenate([[0], first])
    last = np.append(first[1:], len(text))
    lengths = np.empty(len(first), dtype=np.int64)
    single = last - first == 1
    table = {letter: len(unicodedata.normalize("NFKC", letter)) for letter in letters}
    lengths[single] = [table[text[place]] for place in first[single].tolist()]
    for place in np.flatnonzero(~single).tolist():
        lengths[place] = len(unicodedata.normalize("NFKC", text[first[place] : last[place]]))
    return Normalized(result, text, np.repeat(first, lengths), np.repeat(last, lengths))
