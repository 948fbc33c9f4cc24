"""Gives the words of one text as people read them, with offsets into the original."""

from __future__ import annotations

from collections.abc import Callable
from importlib.util import find_spec
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.registry import require_extra
from crmkit.language._scripts import SCRIPTS, code_points, script_ids
from crmkit.language._tokens import CHARACTER, MARKER, WORD, tokenize

if TYPE_CHECKING:
    from crmkit.language._tokens import TokenTable

__all__ = ["Segmenter", "Token", "find_segmenter", "segment_run", "words"]

Segmenter = Callable[[str], list[str]]
"""Anything that cuts a text of an unspaced script into its words."""


class Token(NamedTuple):
    """A word where it stands.

    Attributes
    ----------
    start, end : int
        Half-open offsets into the original text.
    text : str
        The word in NFKC and lower case.
    script : str
        Of its first character, such as ``"latin"``, ``"han"``, ``"digit"``, ``"sign"``.
    """

    start: int
    end: int
    text: str
    script: str


def find_segmenter(segmenter: Segmenter | str | None = "auto") -> Segmenter | None:
    """Give the function that cuts Chinese into words.

    Parameters
    ----------
    segmenter : callable, {"auto", "rjieba"} or None, default="auto"
        ``"auto"`` is rjieba where it is installed and None where not; a callable is given back.

    Returns
    -------
    callable or None
        None means: every character is a word of its own.

    Raises
    ------
    MissingExtraError
        If rjieba is asked for by name and not installed.
    ValueError, TypeError
        If it is neither a known name nor callable.

    Examples
    --------
    >>> from crmkit.language import find_segmenter
    >>> find_segmenter(list)("退款")
    ['退', '款']
    """
    if segmenter is None or callable(segmenter):
        return segmenter
    if segmenter == "auto":
        return find_segmenter("rjieba") if find_spec("rjieba") else None
    if segmenter == "rjieba":
        cut: Segmenter = require_extra("rjieba", "zh", "cutting Chinese into words").cut
        return cut
    if not isinstance(segmenter, str):
        raise TypeError(f"segmenter must be 'auto', 'rjieba', None or a callable, got {type(segmenter).__name__}")
    raise ValueError(f"segmenter must be 'auto', 'rjieba', None or a callable, got {segmenter!r}")


def segment_run(segmenter: Segmenter, run: str) -> list[str]:
    """Cut one stretch of unspaced script and check that nothing was lost.

    Parameters
    ----------
    segmenter : callable
        From `find_segmenter`.
    run : str
        Characters of an unspaced script without anything between.

    Returns
    -------
    list of str
        Non-empty pieces that joined give the run.

    Raises
    ------
    DataError
        If they do not; offsets would be wrong.

    Examples
    --------
    >>> from crmkit.language import segment_run
    >>> segment_run(lambda text: [text[:2], text[2:]], "申请退款")
    ['申请', '退款']
    """
    pieces = [piece for piece in segmenter(run) if piece]
    if "".join(pieces) != run:
        raise DataError(
            f"the segmenter changed the text: the pieces must join to the {len(run)} characters it was given"
        )
    return pieces


def words(text: str, *, segmenter: Segmenter | str | None = None, signs: bool = False) -> list[Token]:
    """Give the words of a text.

    Words of spaced scripts are letters and digits with inner apostrophes, and whole numbers; words of unspaced
    scripts are what the segmenter says, else single characters. For many texts at once see `tokenize`.

    Parameters
    ----------
    text : str
        Any text.
    segmenter : callable, {"auto", "rjieba"} or None, default=None
        Cuts Chinese, Japanese, Thai and the like; see `find_segmenter`.
    signs : bool, default=False
        Whether punctuation and emoji are given too.

    Returns
    -------
    list of Token
        In order.

    Raises
    ------
    TypeError
        If it is no ``str``.
    DataError
        If the segmenter loses or changes characters.
    MissingExtraError
        If rjieba is asked for by name and not installed.

    Examples
    --------
    >>> from crmkit.language import words
    >>> [token.text for token in words("Não recebi o cartão, it's 1,000.50!")]
    ['não', 'recebi', 'o', 'cartão', "it's", '1,000.50']
    >>> [token.text for token in words("申请退款", segmenter=lambda run: [run[:2], run[2:]])]
    ['申请', '退款']
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be str, got {type(text).__name__}")
    table = tokenize([text], offsets=True)
    script, start, end = _scripts_of(table), table.start.tolist(), table.end.tolist()
    cut = find_segmenter(segmenter)
    found: list[Token] = []
    row = 0
    while row < len(table.code):
        last = row
        if table.kind[row] == CHARACTER and cut is not None:
            while table.linked[last]:
                last += 1
            run = "".join(map(chr, table.code[row : last + 1].tolist()))
            for piece in segment_run(cut, run):
                end_row = row + len(piece) - 1
                found.append(Token(start[row], end[end_row], piece, script[row]))
                row = end_row + 1
            continue
        if signs or table.kind[row] != MARKER:
            found.append(Token(start[row], end[row], table.string(row), script[row]))
        row = last + 1
    return found


def _scripts_of(table: TokenTable) -> list[str]:
    """Give the script of each token's first character."""
    of_word = np.append(code_points("".join(word[0] for word in table.words)), np.uint32(0))
    is_word = table.kind == WORD
    first = np.where(is_word, of_word[np.where(is_word, table.code, -1)], table.code.astype(np.uint32))
    return [SCRIPTS[place] for place in script_ids(first).tolist()]
