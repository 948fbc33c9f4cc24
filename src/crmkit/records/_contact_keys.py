"""Brings telephone numbers and e-mail addresses to the form in which equal ones are equal."""

from __future__ import annotations

import re
import unicodedata

__all__ = ["email_key", "name_key", "phone_key", "untagged_email"]

_EMAIL = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s.]+\Z")
_MAINLAND_MOBILE = re.compile(r"1[3-9]\d{9}\Z")
_NOBODY = frozenset({"noreply", "no-reply", "none", "null", "na", "n/a", "test", "example", "nobody", "unknown"})
_EXAMPLE_DOMAINS = ("example.com", "example.org", "example.net", "test.com")


def phone_key(text: str | None, *, country_code: str | None = None) -> str | None:
    """Bring a telephone number to "+", country code and number.

    Parameters
    ----------
    text : str or None
        As somebody wrote it: full-width digits, spaces, hyphens, parentheses, "+86", "0086" or an extension.
    country_code : str or None
        The country code of numbers written without one, such as ``"86"``. None: such numbers stay national and equal
        only each other, except mainland mobile numbers, which are told by their form.

    Returns
    -------
    str or None
        None where it is no usable number: fewer than 7 or more than 15 digits, or one digit throughout.

    Examples
    --------
    >>> from crmkit.records._contact_keys import phone_key
    >>> phone_key("０１３８-0013-8000"), phone_key("+86 138 0013 8000"), phone_key("13800138000")
    ('+8613800138000', '+8613800138000', '+8613800138000')
    """
    if text is None:
        return None
    plain = unicodedata.normalize("NFKC", text).strip().lower()
    plain = re.split(r"(?:ext\.?|x|转|分机|#)\s*\d+\Z", plain)[0].removeprefix("tel:")
    international = plain.startswith("+")
    # A trunk zero in parentheses is dialled only within the country: +44 (0)20 ...
    digits = re.sub(r"\D", "", plain.replace("(0)", "") if international else plain)
    if not international and digits.startswith("00"):
        international, digits = True, digits[2:]
    if not 7 <= len(digits) <= 15 or len(set(digits)) == 1:
        return None
    if international:
        return f"+{digits}"
    national = digits.removeprefix("0")
    if _MAINLAND_MOBILE.match(national) and country_code in {None, "86"}:
        return f"+86{national}"
    if digits.startswith("86") and _MAINLAND_MOBILE.match(digits[2:]):
        return f"+{digits}"
    return f"+{country_code}{national}" if country_code else f"national {digits}"


def email_key(text: str | None) -> str | None:
    """Bring an e-mail address to one form: half width, lower case, without display name or "mailto:".

    Dots and tags are left alone: whether they matter is up to the mail server.

    Returns
    -------
    str or None
        None where it is no address, or one that stands for nobody, such as noreply@.

    Examples
    --------
    >>> from crmkit.records._contact_keys import email_key
    >>> email_key("Wang Lei <Wang.Lei＠Mail.cn> "), email_key("noreply@shop.cn")
    ('wang.lei@mail.cn', None)
    """
    if text is None:
        return None
    plain = unicodedata.normalize("NFKC", text).strip().casefold()
    inside = re.search(r"<([^<>]+)>\Z", plain)
    plain = (inside.group(1) if inside else plain).removeprefix("mailto:").strip()
    if not _EMAIL.match(plain):
        return None
    local, _, domain = plain.partition("@")
    return None if local in _NOBODY or domain in _EXAMPLE_DOMAINS else plain


def untagged_email(key: str | None) -> str | None:
    """Give an address without what some mail servers overlook: a +tag, and for Gmail the dots."""
    if key is None:
        return None
    local, _, domain = key.partition("@")
    local = local.partition("+")[0]
    if domain in {"gmail.com", "googlemail.com"}:
        local, domain = local.replace(".", ""), "gmail.com"
    return f"{local}@{domain}"


def name_key(text: str | None) -> str | None:
    """Bring a name to its letters, half width and lower case."""
    if text is None:
        return None
    folded = unicodedata.normalize("NFKC", text).casefold()
    letters = "".join(character for character in folded if character.isalnum())
    return letters or None
