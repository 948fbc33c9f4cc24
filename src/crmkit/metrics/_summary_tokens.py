"""Cuts summaries into the tokens that ROUGE counts."""

from __future__ import annotations

import re

from crmkit.language import SCRIPTS, code_points, script_ids
from crmkit.metrics._porter import porter_stem

__all__ = ["summary_tokens"]

_ASCII_WORD = re.compile("[a-z0-9]+")
_FULL_WIDTH = {code: code - 0xFEE0 for code in range(0xFF01, 0xFF5F)}
_SPACED = {SCRIPTS.index(name) for name in ("hangul", "cyrillic", "greek", "arabic", "hebrew", "other")}
_ALONE = {SCRIPTS.index(name) for name in ("han", "hiragana", "katakana", "thai", "lao", "khmer", "myanmar")}
_MARK = SCRIPTS.index("mark")


def summary_tokens(text: str, *, use_stemmer: bool = False) -> list[str]:
    """Give the tokens of a text as the usual package for ROUGE does, and further for other scripts.

    In lower case, runs of a-z and 0-9 are tokens, and other Latin letters part them, so that English gives the
    figures that papers give. Each character of Han and other scripts without spaces is a token, and each word of
    other scripts with spaces; the usual package would drop them.

    Parameters
    ----------
    text : str
        Any text.
    use_stemmer : bool, default=False
        Whether Latin words of more than three letters are stemmed.

    Returns
    -------
    list of str
        The tokens in order.
    """
    lowered = text.lower()
    tokens = _ASCII_WORD.findall(lowered) if lowered.isascii() else _beyond_ascii(lowered.translate(_FULL_WIDTH))
    if use_stemmer:
        return [porter_stem(token) if len(token) > 3 and token.isascii() else token for token in tokens]
    return tokens


def _beyond_ascii(text: str) -> list[str]:
    """Cut a text in which other letters stand as well."""
    tokens: list[str] = []
    joins = ""
    for letter, script in zip(text, script_ids(code_points(text)).tolist(), strict=True):
        # A fraction or a raised number is no letter of another script, and the usual package drops it.
        spaced = script in _SPACED or (letter.isdecimal() and not letter.isascii())
        kind = "spaced" if spaced else "word" if letter.isascii() and letter.isalnum() else ""
        if script == _MARK and joins == "spaced":
            kind = joins
        if script in _ALONE:
            tokens.append(letter)
        elif kind and kind == joins:
            tokens[-1] += letter
        elif kind:
            tokens.append(letter)
        joins = kind
    return tokens
