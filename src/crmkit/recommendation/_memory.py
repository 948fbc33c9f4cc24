"""Memory limits as people write them."""

from __future__ import annotations

import re
from numbers import Integral
from typing import Any

__all__ = ["as_bytes"]

_UNITS = {"": 1, "B": 1, "KB": 10**3, "MB": 10**6, "GB": 10**9, "KIB": 2**10, "MIB": 2**20, "GIB": 2**30}
_WRITTEN = re.compile(r"\s*(\d+(?:\.\d+)?)\s*([A-Za-z]*)\s*\Z")


def as_bytes(limit: Any) -> int:
    """Read a memory limit.

    Parameters
    ----------
    limit : int or str
        Bytes, or text such as ``"256MB"`` or ``"2 GiB"``.

    Returns
    -------
    int
        Bytes.

    Raises
    ------
    ValueError
        If it is neither, or not positive.

    Examples
    --------
    >>> from crmkit.recommendation._memory import as_bytes
    >>> as_bytes("256MB")
    256000000
    """
    if isinstance(limit, Integral) and not isinstance(limit, bool) and int(limit) > 0:
        return int(limit)
    written = _WRITTEN.match(limit) if isinstance(limit, str) else None
    if written is None or written[2].upper() not in _UNITS or float(written[1]) <= 0:
        raise ValueError(f"a memory limit is a number of bytes or text such as '256MB' or '2GB', got {limit!r}")
    return int(float(written[1]) * _UNITS[written[2].upper()])
