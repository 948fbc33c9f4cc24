"""Says which script each character belongs to, for whole arrays of code points at once."""

from __future__ import annotations

import unicodedata
from bisect import bisect_right
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["DIGIT", "MARK", "SCRIPTS", "SIGN", "SPACE", "UNSPACED", "ScriptRun", "code_points", "script_ids", "scripts"]

SCRIPTS = (
    "space",
    "sign",
    "digit",
    "mark",
    "latin",
    "han",
    "hiragana",
    "katakana",
    "hangul",
    "cyrillic",
    "greek",
    "arabic",
    "hebrew",
    "thai",
    "lao",
    "khmer",
    "myanmar",
    "other",
)
"""The names behind the ids; the first four belong to no script of their own."""

SPACE, SIGN, DIGIT, MARK = range(4)
_OTHER = SCRIPTS.index("other")
UNSPACED = np.isin(SCRIPTS, ["han", "hiragana", "katakana", "thai", "lao", "khmer", "myanmar"])
"""By script id: is it written without spaces between words?"""

# First code point, last code point, script: only letters, and the marks of Thai and its kin, are looked up here.
_RANGES = (
    (0x0041, 0x005A, "latin"),
    (0x0061, 0x007A, "latin"),
    (0x00AA, 0x00AA, "latin"),
    (0x00BA, 0x00BA, "latin"),
    (0x00C0, 0x02AF, "latin"),
    (0x0370, 0x03FF, "greek"),
    (0x0400, 0x052F, "cyrillic"),
    (0x0590, 0x05FF, "hebrew"),
    (0x0600, 0x06FF, "arabic"),
    (0x0750, 0x077F, "arabic"),
    (0x08A0, 0x08FF, "arabic"),
    (0x0E00, 0x0E7F, "thai"),
    (0x0E80, 0x0EFF, "lao"),
    (0x1000, 0x109F, "myanmar"),
    (0x1100, 0x11FF, "hangul"),
    (0x1780, 0x17FF, "khmer"),
    (0x1C80, 0x1C8F, "cyrillic"),
    (0x1D00, 0x1DBF, "latin"),
    (0x1E00, 0x1EFF, "latin"),
    (0x1F00, 0x1FFF, "greek"),
    (0x2C60, 0x2C7F, "latin"),
    (0x2E80, 0x2FDF, "han"),
    (0x3005, 0x3007, "han"),
    (0x3021, 0x3029, "han"),
    (0x3040, 0x309F, "hiragana"),
    (0x30A0, 0x30FF, "katakana"),
    (0x3130, 0x318F, "hangul"),
    (0x31F0, 0x31FF, "katakana"),
    (0x3400, 0x4DBF, "han"),
    (0x4E00, 0x9FFF, "han"),
    (0xA640, 0xA69F, "cyrillic"),
    (0xA720, 0xA7FF, "latin"),
    (0xA960, 0xA97F, "hangul"),
    (0xAB30, 0xAB6F, "latin"),
    (0xAC00, 0xD7FF, "hangul"),
    (0xF900, 0xFAFF, "han"),
    (0xFB00, 0xFB06, "latin"),
    (0xFB1D, 0xFB4F, "hebrew"),
    (0xFB50, 0xFDFF, "arabic"),
    (0xFE70, 0xFEFF, "arabic"),
    (0xFF21, 0xFF3A, "latin"),
    (0xFF41, 0xFF5A, "latin"),
    (0xFF66, 0xFF9F, "katakana"),
    (0xFFA0, 0xFFDC, "hangul"),
    (0x20000, 0x3FFFF, "han"),
)
_STARTS = [first for first, _, _ in _RANGES]
_SPACED_MARKS = frozenset({"thai", "lao", "khmer", "myanmar"})

_UNKNOWN = 255
# Filled as characters are met: a full table would cost a tenth of a second at import.
_TABLE = np.full(0x110000, _UNKNOWN, dtype=np.uint8)


class ScriptRun(NamedTuple):
    """A stretch of text in one script.

    Attributes
    ----------
    start, end : int
        Half-open offsets into the text.
    script : str
        Such as ``"han"``, ``"latin"``, ``"cyrillic"``; ``"common"`` where the text has no letter at all.
    """

    start: int
    end: int
    script: str


def _in_range(code: int) -> str:
    """Name the script of the block a code point stands in."""
    place = bisect_right(_STARTS, code) - 1
    return _RANGES[place][2] if place >= 0 and code <= _RANGES[place][1] else "other"


def _classify(code: int) -> int:
    """Give the script id of one code point."""
    category = unicodedata.category(chr(code))
    script = _in_range(code)
    if category[0] == "L" or (category[0] == "M" and script in _SPACED_MARKS) or (category == "Nl" and script == "han"):
        return SCRIPTS.index(script)
    if category[0] == "M":
        return MARK
    if category[0] == "N":
        return DIGIT
    # Code points that this Python does not know yet are mostly new emoji; private ones are icons.
    return SIGN if category[0] in "SP" or category in {"Cn", "Co"} else SPACE


def code_points(text: str) -> npt.NDArray[np.uint32]:
    """Give the code points of a text as an array.

    Parameters
    ----------
    text : str
        Any text, lone surrogates included.

    Returns
    -------
    ndarray of uint32, shape (n_characters,)
        One for each character.

    Examples
    --------
    >>> from crmkit.language import code_points
    >>> code_points("A电").tolist()
    [65, 30005]
    """
    return np.frombuffer(text.encode("utf-32-le", errors="surrogatepass"), dtype=np.uint32)


def script_ids(codes: npt.NDArray[np.uint32]) -> npt.NDArray[np.uint8]:
    """Give the script of each code point as an index into ``SCRIPTS``.

    Parameters
    ----------
    codes : ndarray of uint32, shape (n_characters,)
        From `code_points`.

    Returns
    -------
    ndarray of uint8, shape (n_characters,)
        Letters have their script; digits, signs (punctuation, symbols, emoji), combining marks and spaces (control
        and format characters included) have ids of their own.

    Examples
    --------
    >>> from crmkit.language import SCRIPTS, code_points, script_ids
    >>> [SCRIPTS[i] for i in script_ids(code_points("电A7!"))]
    ['han', 'latin', 'digit', 'sign']
    """
    ids = _TABLE[codes]
    unknown = ids == _UNKNOWN
    if unknown.any():
        for code in np.unique(codes[unknown]).tolist():
            _TABLE[code] = _classify(code)
        ids = _TABLE[codes]
    return ids


def scripts(text: str) -> list[ScriptRun]:
    """Cut a text where its script changes.

    The runs cover the text without gaps. Digits, punctuation, spaces and emoji belong to the run before them, those
    at the beginning to the first run.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of ScriptRun
        In order; empty for an empty text, one run of ``"common"`` for a text without letters.

    Examples
    --------
    >>> from crmkit.language import scripts
    >>> [(run.start, run.end, run.script) for run in scripts("我的iPhone 15 坏了!")]
    [(0, 2, 'han'), (2, 12, 'latin'), (12, 15, 'han')]
    """
    if not text:
        return []
    ids = script_ids(code_points(text))
    letters = np.flatnonzero(ids > MARK)
    if not len(letters):
        return [ScriptRun(0, len(text), "common")]
    change = np.flatnonzero(np.diff(ids[letters])) + 1
    starts = [0, *letters[change].tolist()]
    ends = [*starts[1:], len(text)]
    names = [SCRIPTS[i] for i in ids[letters[np.concatenate([[0], change])]]]
    return [ScriptRun(start, end, name) for start, end, name in zip(starts, ends, names, strict=True)]
