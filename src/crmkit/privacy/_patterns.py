"""How personal data looks in text: one pattern a kind, tried where Han and Latin letters touch, in linear time."""

# The look-arounds name ASCII letters and digits: \b and \w count Han characters as letters, so that a number glued to
# Han text would be missed, and the Han text before an e-mail address swallowed. Every repetition is bounded.

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from crmkit.privacy._checksums import is_bank_card, is_id_card

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

__all__ = ["HINT", "KINDS", "matches"]

KINDS = ("email", "id-card", "bank-card", "mobile", "landline", "international-phone")
"""What is looked for; where two overlap, the one that stands first here is meant."""

HINT = re.compile(r"[@＠]|(?:\d\D{0,3}){7}")
"""What every text with personal data has; the rest need not be looked at closely. Digits of any width count."""

# A number does not begin or end inside a word, a decimal, a longer code or an amount of money; some words are
# written without a space before the number they announce. A second number may follow behind a comma or a slash.
_BEFORE = (
    r"(?=[0-9(+])(?:(?<![0-9A-Za-z_#*])|(?<=(?i:tel))|(?<=(?i:cell))|(?<=(?i:call))|(?<=(?i:phone))|(?<=(?i:mobile))"
    r"|(?<=(?i:vx))|(?<=(?i:wx)))(?<![¥$€£])"
)
_AFTER = r"(?![0-9A-Za-z_*])(?![.,:/\-][0-9]{1,6}(?![0-9]))(?! ?(?:元|块|万|亿|円|CNY|RMB|USD|EUR|%))"
# "0.15400001234" and "2024-15400001234" are one number; "1.15400001234" and "1:15400001234" number a list.
_GLUED = re.compile(r"(?<![0-9])(?:(?:0|[0-9]{2,6})[.,]|[0-9]{1,6}\-)\Z")
_MONEY = re.compile(r"(?:[¥$€£]|CNY|RMB|USD|EUR) {0,2}\Z", re.IGNORECASE)
# "order no. 13812345678": such a number is no phone, however much it looks like one.
_CODE = re.compile(
    r"(?:单号|订单号?|编号|编码|货号|流水号?|批号|型号|版本号?|序列号|order|invoice|tracking|sku|serial|version|batch|"
    r"item|part|reference|ref|transaction)[\s.:#：=是为]{0,3}(?:(?:no|nr|num|number|id|code)[\s.:#：=是为]{0,3})?\Z",
    re.IGNORECASE,
)
_LOOK_BACK = 32

_EMAIL = re.compile(
    r"(?<![A-Za-z0-9._%+\-])[A-Za-z0-9_](?:[A-Za-z0-9._%+\-]{0,62}[A-Za-z0-9_%+\-])?"
    r"@(?:[A-Za-z0-9](?:[A-Za-z0-9\-]{0,61}[A-Za-z0-9])?\.){1,8}(?P<top>[A-Za-z]{2,24})(?![A-Za-z0-9\-@])"
)
# "icon@2x.png" names a picture.
_FILE_ENDINGS = frozenset(
    {"png", "jpg", "jpeg", "gif", "svg", "webp", "bmp", "pdf", "zip", "csv", "xlsx", "docx", "mp4", "js", "css"}
)

_ID_CARD = re.compile(
    r"(?<![0-9A-Za-z])[1-9][0-9]{5}(?P<gap>[ \-]?)(?:18|19|20)[0-9]{2}[01][0-9][0-3][0-9](?P=gap)[0-9]{3}[0-9Xx]"
    r"(?![0-9A-Za-z])"
)
_BANK_CARD = re.compile(
    rf"{_BEFORE}(?:[0-9]{{14,19}}"
    r"|[0-9]{4}(?P<gap>[ \-])[0-9]{4}(?P=gap)[0-9]{4}(?P=gap)[0-9]{2,4}(?:(?P=gap)[0-9]{1,3})?"
    rf"|[0-9]{{4}}[ \-][0-9]{{6}}[ \-][0-9]{{4,5}}){_AFTER}"
)
_MOBILE = re.compile(
    rf"{_BEFORE}(?:(?:\+|00)?86[ \-]?)?1[3-9][0-9](?:[0-9]{{8}}|(?P<gap>[ \-])[0-9]{{4}}(?P=gap)[0-9]{{4}}){_AFTER}"
    r"(?! ?\-[0-9]{1,6}(?![0-9]))"
)
_EXTENSION = r"(?: {0,2}(?:转|ext\.?|x|\-) {0,2}[0-9]{1,5})?"
_LANDLINE = re.compile(
    rf"{_BEFORE}(?:(?:\(0(?:10|2[0-9]|[3-9][0-9]{{2}})\) ?|0(?:10|2[0-9]|[3-9][0-9]{{2}})[ \-]?)"
    rf"|\+86[ \-]?(?:10|2[0-9]|[3-9][0-9]{{2}})[ \-])[2-8][0-9]{{2,3}}[ \-]?[0-9]{{4}}{_EXTENSION}{_AFTER}",
    re.IGNORECASE,
)
# North America has one form, with or without its country code; elsewhere the country code must be there.
_INTERNATIONAL = re.compile(
    rf"(?:(?<![0-9A-Za-z+])(?:\+|00)1[ .\-]?|{_BEFORE}(?:1[ .\-])?)"
    rf"(?:\([2-9][0-9]{{2}}\) ?|[2-9][0-9]{{2}}[ .\-])[2-9][0-9]{{2}}[ .\-][0-9]{{4}}{_AFTER}"
    rf"|(?<![0-9A-Za-z+])(?:\+|00(?=[1-9][0-9]{{0,2}}[ \-]))[1-9](?:[ .()\-]{{0,2}}[0-9]){{6,14}}{_AFTER}"
)


def matches(text: str, kinds: frozenset[str]) -> Iterator[tuple[str, int, int]]:
    """Find personal data in a text in NFKC form.

    Parameters
    ----------
    text : str
        The text.
    kinds : frozenset of str
        Which of ``KINDS`` to look for.

    Yields
    ------
    kind : str
        What was found.
    start, end : int
        Where, half-open. Finds may overlap: those of a kind that stands first in ``KINDS`` come first.
    """
    for kind in KINDS:
        if kind in kinds:
            for start, end in _FINDERS[kind](text):
                yield kind, start, end


def _emails(text: str) -> Iterator[tuple[int, int]]:
    if "@" not in text:
        return
    for found in _EMAIL.finditer(text):
        if found["top"].lower() not in _FILE_ENDINGS:
            yield found.span()


def _id_cards(text: str) -> Iterator[tuple[int, int]]:
    for found in _ID_CARD.finditer(text):
        if is_id_card(found[0].replace(" ", "").replace("-", "")):
            yield found.span()


def _bank_cards(text: str) -> Iterator[tuple[int, int]]:
    for found in _BANK_CARD.finditer(text):
        start, end = found.span()
        # What follows the fourth group may be another number: try without it.
        for stop in (end, start + found[0].rfind(found["gap"]) if found["gap"] else end):
            digits = text[start:stop].replace(" ", "").replace("-", "")
            if is_bank_card(digits) and not _is_code(text, start):
                yield start, stop
                break


def _phones(pattern: re.Pattern[str]) -> Callable[[str], Iterator[tuple[int, int]]]:
    def find(text: str) -> Iterator[tuple[int, int]]:
        for found in pattern.finditer(text):
            if not _is_code(text, found.start()) and not _is_sum(found[0]):
                yield found.span()

    return find


def _is_code(text: str, start: int) -> bool:
    """Say whether what stands before a number makes it an order, a version, an amount, or a part of a longer one."""
    before = text[max(0, start - _LOOK_BACK) : start]
    return bool(_CODE.search(before) or _MONEY.search(before) or _GLUED.search(before[-8:]))


def _is_sum(found: str) -> bool:
    """Say whether a plus and a few digits in a row are an increase rather than a phone number."""
    return found.startswith("+") and found[1:].isdigit() and len(found) < 11


_FINDERS = {
    "email": _emails,
    "id-card": _id_cards,
    "bank-card": _bank_cards,
    "mobile": _phones(_MOBILE),
    "landline": _phones(_LANDLINE),
    "international-phone": _phones(_INTERNATIONAL),
}
