"""Looks through the markup of an HTML message without moving any character."""

from __future__ import annotations

import html
import re

__all__ = ["blank_markup", "readable"]

_BLOCKS = (
    "p|br|div|li|ul|ol|tr|table|tbody|thead|td|th|h[1-6]|hr|section|article|header|footer|blockquote|pre|title|center"
)
_INLINE = (
    "html|head|body|span|a|b|i|u|s|em|strong|small|big|code|sup|sub|font|img|meta|link|label|form|input|button|tt|"
    "mark|wbr|del|ins"
)
# Only names that HTML has: "<3", "a < b" and "<ann@example.com>" are text.
_TAG = re.compile(
    rf"<!doctype[^<>]*>|</?(?P<block>{_BLOCKS})(?:\s[^<>]*)?/?>|</?(?:{_INLINE})(?:\s[^<>]*)?/?>",
    re.IGNORECASE,
)
_HIDDEN = {
    kind: (re.compile(opens, re.IGNORECASE), re.compile(closes, re.IGNORECASE))
    for kind, opens, closes in (
        ("comment", "<!--", "-->"),
        ("script", r"<script\b", r"</script\s*>"),
        ("style", r"<style\b", r"</style\s*>"),
    )
}
_BLANK_ENTITY = re.compile(r"&(?:nbsp|ensp|emsp|#160|#xa0);", re.IGNORECASE)


def blank_markup(text: str) -> str:
    """Overwrite tags, scripts, styles and comments with spaces, so that all else stays where it is.

    Parameters
    ----------
    text : str
        A message, with or without HTML.

    Returns
    -------
    str
        As long as the text; what ends a paragraph begins with a line break.
    """
    if "<" in text:
        for opens, closes in _HIDDEN.values():
            text = _blank_hidden(text, opens, closes)
        text = _TAG.sub(lambda tag: ("\n" if tag["block"] else " ") + " " * (len(tag[0]) - 1), text)
    if "&" in text:
        text = _BLANK_ENTITY.sub(lambda entity: " " * len(entity[0]), text)
    return text


def _blank_hidden(text: str, opens: re.Pattern[str], closes: re.Pattern[str]) -> str:
    """Overwrite what stands between two marks; a mark that is never closed hides nothing."""
    parts, done = [], 0
    while (first := opens.search(text, done)) and (last := closes.search(text, first.end())):
        parts += [text[done : first.start()], " " * (last.end() - first.start())]
        done = last.end()
    return "".join([*parts, text[done:]])


def readable(text: str) -> str:
    """Write a stretch of a message as people read it: on one line, without tags, entities written out.

    Parameters
    ----------
    text : str
        A stretch of the original.

    Returns
    -------
    str
        The same without markup and runs of white space.
    """
    blank = blank_markup(text)
    return " ".join((html.unescape(blank) if blank != text or "&" in text else blank).split())
