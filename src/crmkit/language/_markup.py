"""Looks through the markup of an HTML message without moving any character."""

from __future__ import annotations

import html
import re

__all__ = ["blank_markup", "strip_markup"]

_BLOCKS = (
    "p|br|div|li|ul|ol|dl|dt|dd|tr|table|tbody|thead|tfoot|td|th|caption|h[1-6]|hr|section|article|header|footer|main|nav|"
    "aside|figure|figcaption|fieldset|blockquote|pre|title|center"
)
_INLINE = (
    "html|head|body|span|a|b|i|u|s|em|strong|small|big|code|sup|sub|font|img|meta|link|label|form|input|button|tt|"
    "mark|wbr|del|ins|strike|nobr|abbr|cite|kbd|samp|col|colgroup|iframe|svg|o:p"
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
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z][a-z0-9]{1,30});", re.IGNORECASE)


def blank_markup(text: str, *, entities: bool = False) -> str:
    """Overwrite tags, scripts, styles and comments of HTML with spaces, so that all else stays where it is.

    Only names that HTML has are tags: ``a < b``, ``<3`` and ``<ann@example.com>`` stay. A text without any ``<`` or
    ``&`` costs one look.

    Parameters
    ----------
    text : str
        A message, with or without HTML.
    entities : bool, default=False
        Whether entities (``&amp;``) are overwritten too, by those who count words; those that stand for white space
        always are.

    Returns
    -------
    str
        As long as the text; what ends a paragraph begins with a line break.

    Examples
    --------
    >>> from crmkit.language import blank_markup
    >>> blank_markup("<b>late</b>&nbsp;again")
    '   late          again'
    """
    if "<" in text:
        text = _TAG.sub(lambda tag: ("\n" if tag["block"] else " ") + " " * (len(tag[0]) - 1), _without_hidden(text))
    if "&" in text:
        text = (_ENTITY if entities else _BLANK_ENTITY).sub(_blank_entity, text)
    return text


def _blank_entity(entity: re.Match[str]) -> str:
    """Overwrite an entity that HTML has."""
    return entity[0] if html.unescape(entity[0]) == entity[0] else " " * len(entity[0])


def strip_markup(text: str) -> str:
    """Take tags, scripts, styles and comments of HTML out, and write entities as the characters they stand for.

    Parameters
    ----------
    text : str
        A message, with or without HTML.

    Returns
    -------
    str
        What people would read; tags that end a line or cell leave a line break, those within a line nothing.
    """
    if "<" in text:
        text = _TAG.sub(lambda tag: "\n" if tag["block"] else "", _without_hidden(text))
    return html.unescape(text) if "&" in text else text


def _without_hidden(text: str) -> str:
    """Overwrite comments, scripts and styles."""
    for opens, closes in _HIDDEN.values():
        text = _blank_hidden(text, opens, closes)
    return text


def _blank_hidden(text: str, opens: re.Pattern[str], closes: re.Pattern[str]) -> str:
    """Overwrite what stands between two marks; a mark that is never closed hides nothing."""
    parts, done = [], 0
    while (first := opens.search(text, done)) and (last := closes.search(text, first.end())):
        parts += [text[done : first.start()], " " * (last.end() - first.start())]
        done = last.end()
    return "".join([*parts, text[done:]])
