"""Finds and masks personal data in text."""

from __future__ import annotations

import hashlib
import hmac
from typing import TYPE_CHECKING, Any, Literal, NamedTuple

import numpy as np
import pandas as pd

from crmkit.core.checks import as_texts
from crmkit.core.errors import DataError
from crmkit.language import normalize
from crmkit.privacy._patterns import HINT, KINDS, matches

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Entity", "Style", "find", "find_in", "mask"]

Style = Literal["label", "stars", "hash"]


class Entity(NamedTuple):
    """A stretch of a text that names something.

    Parameters
    ----------
    start, end : int
        Half-open offsets into the original text: ``text[start:end]``.
    label : str
        What it is.
    """

    start: int
    end: int
    label: str


def find_in(text: str, kinds: frozenset[str]) -> list[Entity]:
    """Find the personal data of one text.

    Parameters
    ----------
    text : str
        The text.
    kinds : frozenset of str
        What to look for.

    Returns
    -------
    list of Entity
        In the order of the text, without overlaps.
    """
    if not HINT.search(text):
        return []
    clean = normalize(text)
    taken = bytearray(len(clean.text))
    found = []
    for kind, start, end in matches(clean.text, kinds):
        if not any(taken[start:end]):
            taken[start:end] = b"\x01" * (end - start)
            found.append(Entity(*clean.span(start, end), kind))
    return sorted(found)


def find(texts: Any, *, kinds: Iterable[str] | None = None, show: bool = False) -> pd.DataFrame:
    """Find personal data in texts, Chinese, Latin or mixed, without saying what it is.

    Looked for are e-mail addresses, resident identity numbers of mainland China (with their check digit), payment cards
    (with issuer and Luhn sum), mobile and landline numbers of mainland China, and phone numbers of other countries
    written with their country code or as in North America. Full-width digits count; numbers glued to Han text are
    found; order numbers, amounts, dates and versions are left alone where their form or the word before them shows it.

    It is a sieve, not a proof: names, addresses and numbers spelt out in words are not found. The time is linear in the
    length of the texts, also for hostile ones.

    Parameters
    ----------
    texts : list, array or Series of str
        A missing text counts as empty.
    kinds : iterable of str, default=None
        Some of "email", "id-card", "bank-card", "mobile", "landline", "international-phone"; None for all.
    show : bool, default=False
        Whether to add the column ``text`` with what was found. The table itself is then personal data.

    Returns
    -------
    pandas.DataFrame
        One row a find: ``text_id`` (position of the text), ``kind``, ``start`` and ``end`` (half-open, in characters of
        the original text).

    Raises
    ------
    DataError
        If a kind is not known.
    TypeError
        If the texts are no texts.

    Examples
    --------
    >>> from crmkit import privacy
    >>> privacy.find(["请打15400001234联系我", "订单号15400001234"])
       text_id    kind  start  end
    0        0  mobile      2   13
    """
    wanted = _wanted(kinds)
    values = as_texts(texts)
    rows = [(position, *entity) for position, text in enumerate(values) for entity in find_in(text, wanted)]
    frame = pd.DataFrame(
        {
            "text_id": np.array([row[0] for row in rows], dtype=np.int64),
            "kind": pd.Series([row[3] for row in rows], dtype=pd.Series(["text"]).dtype),
            "start": np.array([row[1] for row in rows], dtype=np.int64),
            "end": np.array([row[2] for row in rows], dtype=np.int64),
        }
    )
    if show:
        frame["text"] = pd.Series([values[row[0]][row[1] : row[2]] for row in rows], dtype=frame["kind"].dtype)
    return frame


def mask(
    texts: Any,
    *,
    style: Style = "label",
    kinds: Iterable[str] | None = None,
    key: str | bytes | None = None,
) -> Any:
    """Replace the personal data in texts.

    Parameters
    ----------
    texts : list, array or Series of str
        A missing text stays missing.
    style : {"label", "stars", "hash"}, default="label"
        ``"label"`` writes the kind, as in ``[mobile]``; ``"stars"`` writes one star a character, so that all other
        offsets stay; ``"hash"`` writes the kind and twelve hexadecimal digits that are the same for the same number or
        address however it is written, so that they can still be counted and joined.
    kinds : iterable of str, default=None
        As for ``find``.
    key : str or bytes, default=None
        The secret for ``"hash"``. Without one anybody could try out all phone numbers, so it must be given; who has the
        key can still do so.

    Returns
    -------
    Series, list or ndarray of object
        A Series with its index for a Series, a list for a list, else an array.

    Raises
    ------
    DataError
        If the style or a kind is not known, or the key is missing.

    Examples
    --------
    >>> from crmkit import privacy
    >>> privacy.mask(["请打154-0000-1234或写c1@example.com"])
    ['请打[mobile]或写[email]']
    >>> privacy.mask(["call +1 202 555 0143"], style="stars")
    ['call ***************']
    """
    if style not in {"label", "stars", "hash"}:
        raise DataError(f"style must be 'label', 'stars' or 'hash', got {style!r}")
    if style == "hash" and not key:
        raise DataError("style='hash' needs a secret key=: without one all phone numbers can be tried out")
    secret = key.encode() if isinstance(key, str) else key or b""
    wanted = _wanted(kinds)
    values = as_texts(texts)
    masked = np.empty(len(values), dtype=object)
    for position, text in enumerate(values):
        masked[position] = _masked(text, find_in(text, wanted), style, secret)
    if isinstance(texts, pd.Series):
        return pd.Series(masked, index=texts.index, name=texts.name, dtype=texts.dtype).where(texts.notna())
    return masked.tolist() if isinstance(texts, list) else masked


def _wanted(kinds: Iterable[str] | None) -> frozenset[str]:
    """Give the kinds asked for."""
    wanted = frozenset(KINDS if kinds is None else (kinds,) if isinstance(kinds, str) else kinds)
    unknown = sorted(wanted - set(KINDS))
    if unknown:
        raise DataError(
            f"no kind of personal data is called {', '.join(map(repr, unknown))}; there are {', '.join(KINDS)}"
        )
    return wanted


def _masked(text: str, entities: list[Entity], style: Style, secret: bytes) -> str:
    """Write a text with its finds replaced."""
    parts, done = [], 0
    for entity in entities:
        parts.append(text[done : entity.start])
        if style == "stars":
            parts.append("*" * (entity.end - entity.start))
        elif style == "label":
            parts.append(f"[{entity.label}]")
        else:
            value = _canonical(text[entity.start : entity.end], entity.label).encode()
            parts.append(f"[{entity.label}:{hmac.new(secret, value, hashlib.sha256).hexdigest()[:12]}]")
        done = entity.end
    return "".join([*parts, text[done:]])


def _canonical(value: str, kind: str) -> str:
    """Bring the spellings of one number or address to one."""
    plain = normalize(value).text
    if kind == "email":
        return plain.lower()
    kept = "".join(letter for letter in plain.upper() if letter in "0123456789X")
    if kind == "mobile":
        return kept[-11:]
    return kept
