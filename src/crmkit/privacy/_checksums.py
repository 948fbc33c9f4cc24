"""Tells a number that can be an identity or bank card from one that only has its length."""

from __future__ import annotations

import datetime as dt
import re

__all__ = ["is_bank_card", "is_id_card"]

_WEIGHTS = (7, 9, 10, 5, 8, 4, 2, 1, 6, 3, 7, 9, 10, 5, 8, 4, 2)
_CHECK = "10X98765432"
# The provinces of GB/T 2260, and those of the residence permits of people from Hong Kong, Macao and Taiwan.
_PROVINCES = frozenset(
    {11, 12, 13, 14, 15, 21, 22, 23, 31, 32, 33, 34, 35, 36, 37, 41, 42, 43, 44, 45, 46, 50, 51, 52, 53, 54}
    | {61, 62, 63, 64, 65, 71, 81, 82, 83}
)
# Who issues (ISO/IEC 7812), with the lengths in use.
_ISSUERS = re.compile(
    r"(?:62[0-9]{14,17}|4[0-9]{15}|5[1-5][0-9]{14}|2(?:22[1-9]|2[3-9][0-9]|[3-6][0-9]{2}|7[01][0-9]|720)[0-9]{12}"
    r"|3[47][0-9]{13}|35(?:2[89]|[3-8][0-9])[0-9]{12}|3(?:0[0-5]|[68][0-9])[0-9]{11}|6(?:011|4[4-9][0-9]|5[0-9]{2})[0-9]{12})\Z"
)
_DOUBLED = (0, 2, 4, 6, 8, 1, 3, 5, 7, 9)


def is_id_card(digits: str) -> bool:
    """Say whether 18 characters are a resident identity number of mainland China: province, date of birth, check digit.

    Parameters
    ----------
    digits : str
        17 digits and a digit or X.

    Returns
    -------
    bool
        Whether the number is well formed; not whether it was given to anyone.

    References
    ----------
    GB 11643-1999, with the check digit of ISO 7064:1983, MOD 11-2.

    Examples
    --------
    >>> from crmkit.privacy import is_id_card
    >>> is_id_card("11010519491231002X"), is_id_card("110105194912310021")
    (True, False)
    """
    if not re.fullmatch(r"[0-9]{17}[0-9Xx]", digits) or int(digits[:2]) not in _PROVINCES:
        return False
    try:
        born = dt.date(int(digits[6:10]), int(digits[10:12]), int(digits[12:14]))
    except ValueError:
        return False
    total = sum(int(digit) * weight for digit, weight in zip(digits[:17], _WEIGHTS, strict=True))
    return born.year >= 1850 and _CHECK[total % 11] == digits[17].upper()


def is_bank_card(digits: str) -> bool:
    """Say whether digits are a payment card number: an issuer's prefix and length, and the Luhn sum.

    Parameters
    ----------
    digits : str
        Digits alone.

    Returns
    -------
    bool
        Whether the number is well formed; one in ten random numbers with such a prefix is.

    References
    ----------
    ISO/IEC 7812-1:2017, annex B.

    Examples
    --------
    >>> from crmkit.privacy import is_bank_card
    >>> is_bank_card("4111111111111111"), is_bank_card("4111111111111112")
    (True, False)
    """
    if not _ISSUERS.match(digits) or len(set(digits)) == 1:
        return False
    values = [int(digit) for digit in reversed(digits)]
    return (sum(values[::2]) + sum(_DOUBLED[value] for value in values[1::2])) % 10 == 0
