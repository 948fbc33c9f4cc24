"""Hash chains: each entry carries the hash of the one before, so that a later change shows."""

from __future__ import annotations

import hashlib
import json
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import IntegrityError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = ["GENESIS", "chain", "digest", "verify"]

GENESIS = "0" * 64
"""The hash that stands before the first entry."""


def digest(previous: str, entry: Mapping[str, Any]) -> str:
    """Give the hash of an entry that follows another.

    Parameters
    ----------
    previous : str
        The hash of the entry before, or ``GENESIS``.
    entry : mapping
        JSON values only; the order of its keys does not matter.

    Returns
    -------
    str
        64 hexadecimal digits of SHA-256.

    Raises
    ------
    TypeError
        If a value has no JSON form; write times as ISO text.

    Examples
    --------
    >>> from crmkit.core.chain import GENESIS, digest
    >>> digest(GENESIS, {"case": "1", "state": "received"})[:8]
    '688169de'
    """
    body = json.dumps(entry, sort_keys=True, ensure_ascii=False, separators=(",", ":"), allow_nan=False)
    return hashlib.sha256(f"{previous}\n{body}".encode()).hexdigest()


def chain(entries: Iterable[Mapping[str, Any]], *, previous: str = GENESIS) -> list[str]:
    """Give the hash of each entry of a log.

    Parameters
    ----------
    entries : iterable of mapping
        The log, oldest first.
    previous : str, default=GENESIS
        The hash before the first of them.

    Returns
    -------
    list of str
        One hash an entry.

    Examples
    --------
    >>> from crmkit.core.chain import chain
    >>> len(chain([{"a": 1}, {"a": 2}]))
    2
    """
    hashes = []
    for entry in entries:
        previous = digest(previous, entry)
        hashes.append(previous)
    return hashes


def verify(entries: Iterable[Mapping[str, Any]], hashes: Iterable[str], *, previous: str = GENESIS) -> int:
    """Check a log against its hashes.

    Parameters
    ----------
    entries : iterable of mapping
        The log, oldest first.
    hashes : iterable of str
        The hashes kept with it.
    previous : str, default=GENESIS
        The hash before the first entry.

    Returns
    -------
    int
        How many entries were checked.

    Raises
    ------
    IntegrityError
        Naming the position of the first entry that was altered, added or removed.

    Examples
    --------
    >>> from crmkit.core.chain import chain, verify
    >>> log = [{"a": 1}, {"a": 2}]
    >>> verify(log, chain(log))
    2
    """
    entries, hashes = list(entries), list(hashes)
    for position, (entry, kept) in enumerate(zip(entries, hashes, strict=False)):
        previous = digest(previous, entry)
        if previous != kept:
            raise IntegrityError(f"entry {position} was altered: its hash does not follow from the entries before it")
    if len(entries) != len(hashes):
        raise IntegrityError(f"entry {min(len(entries), len(hashes))}: {len(entries)} entries but {len(hashes)} hashes")
    return len(entries)
