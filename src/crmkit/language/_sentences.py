"""Finds sentences in Chinese and Latin text without losing their place."""

from __future__ import annotations

import re
from functools import lru_cache
from typing import NamedTuple

from crmkit.language._scripts import UNSPACED, code_points, script_ids
from crmkit.language._stop_words import word_list

__all__ = ["Span", "sentences"]


class Span(NamedTuple):
    """A stretch of text.

    Attributes
    ----------
    start, end : int
        Half-open offsets into the original text.
    text : str
        The stretch itself, as it stands in the original.
    """

    start: int
    end: int
    text: str


_CLOSERS = "”’」』】）》〉〕\"')\\]"
_END = re.compile(rf"(?P<mark>[。｡！？!?．.…]+)[{_CLOSERS}]*|[\r\n\u2028\u2029\x85]+")
_BEFORE_POINT = re.compile(r"[^\s(\[\"'“‘（「]*\Z")
_NOT_SPACE = re.compile(r"\S")
# No abbreviation and no number of an item is longer; to look further back would cost the square of a long text.
_LOOK_BACK = 40


@lru_cache(maxsize=8192)
def _unspaced(letter: str) -> bool:
    """Say whether a character is of a script written without spaces."""
    return bool(letter) and bool(UNSPACED[script_ids(code_points(letter))[0]])


def _next_letter(text: str, after: int) -> str:
    """Give the first character that is no white space, empty at the end of the text."""
    match = _NOT_SPACE.search(text, after)
    return match.group() if match else ""


def _ends_at_point(text: str, begin: int, mark_start: int, after: int) -> bool:
    """Decide for a full stop in Latin manner, which also stands in numbers, addresses and abbreviations."""
    follower = text[after : after + 1]
    leader = text[mark_start - 1 : mark_start]
    if _unspaced(leader) or _unspaced(follower):
        return not leader.isdecimal()
    if follower and not follower.isspace():
        return False
    near = max(begin, mark_start - _LOOK_BACK)
    match = _BEFORE_POINT.search(text, near, mark_start)
    word = match.group().lower() if match else ""
    if near == begin and text[begin:mark_start].strip().isdecimal() and follower:
        # "1. Open the app": the number of an item.
        return False
    rest = _next_letter(text, after)
    if word in word_list("abbreviations_leading") or (len(word) == 1 and word.isalpha() and word != "i"):
        return not rest
    if word in word_list("abbreviations_closing"):
        return not rest.islower()
    return True


def _ends(text: str, begin: int, match: re.Match[str]) -> bool:
    """Decide whether a mark ends a sentence."""
    mark = match.group("mark")
    if mark is None:
        return True
    if any(sign in mark for sign in "。｡！？") or "……" in mark:
        return True
    after = match.end()
    follower = text[after : after + 1]
    open_space = not follower or follower.isspace()
    if "!" in mark or "?" in mark:
        leader = text[match.start() - 1 : match.start()]
        return open_space or _unspaced(follower) or _unspaced(leader)
    if "…" in mark or len(mark) > 1:
        return open_space and not _next_letter(text, after).islower()
    return _ends_at_point(text, begin, match.start(), after)


def sentences(text: str) -> list[Span]:
    """Cut a text into sentences.

    A sentence ends after 。！？ and their half-width forms, after ……, after . ! ? where Latin text ends one, and at a
    line break; closing quotes and brackets stay with it. Points in numbers, addresses, initials and common English
    abbreviations do not end one, and a message written all in lower case is still cut.

    Parameters
    ----------
    text : str
        Any text.

    Returns
    -------
    list of Span
        Without the white space around them; nothing but white space is lost.

    Raises
    ------
    TypeError
        If it is no ``str``.

    Examples
    --------
    >>> from crmkit.language import sentences
    >>> [one.text for one in sentences("等了3.5小时！“太慢了。”Mr. Li called. it failed")]
    ['等了3.5小时！', '“太慢了。”', 'Mr. Li called.', 'it failed']
    """
    if not isinstance(text, str):
        raise TypeError(f"text must be str, got {type(text).__name__}")
    found: list[Span] = []
    begin = 0

    def close(end: int) -> None:
        stretch = text[begin:end]
        start = begin + len(stretch) - len(stretch.lstrip())
        stretch = stretch.strip()
        if stretch:
            found.append(Span(start, start + len(stretch), stretch))

    for match in _END.finditer(text):
        if _ends(text, begin, match):
            close(match.end())
            begin = match.end()
    close(len(text))
    return found
