"""Brings ids, names and notes to text that every database keeps as it is."""

from __future__ import annotations

import math
import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["as_ids", "as_name", "as_optional_texts", "unkeepable"]

LONGEST = 1_000
_UNKEPT = re.compile("[\0\ud800-\udfff]")


def as_ids(ids: Any, *, what: str = "case_ids") -> npt.NDArray[np.object_]:
    """Bring ids to text.

    Parameters
    ----------
    ids : str, list, array or Series of str or int
        One id or many; whole numbers lose their decimal point (13085.0 becomes ``"13085"``).
    what : str, default="case_ids"
        Their name in messages.

    Returns
    -------
    ndarray of object, shape (n,)
        Every item a ``str``.

    Raises
    ------
    DataError
        If one is missing, empty, too long or holds a NUL or half a surrogate pair, by position.
    TypeError
        If one is neither text nor a whole number.
    """
    if ids is None or np.isscalar(ids):
        ids = [ids]
    if isinstance(ids, pd.DataFrame):
        raise TypeError(f"{what} must be ids, got a table: hand in its column case_id")
    typed = isinstance(ids, pd.Series | pd.Index | np.ndarray)
    series = pd.Series(ids) if typed else pd.Series(list(ids), dtype=object)
    cells = series.astype(object).to_numpy()
    missing = series.isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"{what}: missing in {positions(missing)}")
    texts = np.array([_as_text(cell) for cell in cells], dtype=object)
    wrong = np.array([not isinstance(text, str) for text in texts], dtype=bool)
    if wrong.any():
        raise TypeError(f"{what} must be text or whole numbers; it is not in {positions(wrong)}")
    bad = np.array([_unusable(text) for text in texts], dtype=bool)
    if bad.any():
        raise DataError(
            f"{what}: empty, longer than {LONGEST:,} characters, or with a character that no database keeps in "
            f"{positions(bad)}"
        )
    return texts


def _as_text(cell: Any) -> Any:
    """Write one id as text; what is none stays as it is."""
    if isinstance(cell, str):
        return str(cell)
    if isinstance(cell, bool | np.bool_):
        return cell
    if isinstance(cell, int | np.integer):
        return str(int(cell))
    if isinstance(cell, float | np.floating) and math.isfinite(cell) and float(cell).is_integer():
        return str(int(cell))
    return cell


def _unusable(text: str, *, empty: bool = False) -> bool:
    """Say whether a database would refuse or change a text."""
    if text.isascii():
        return "\0" in text or len(text) > LONGEST or not (empty or text.strip())
    return len(text) > LONGEST or unkeepable(text) or not (empty or text.strip())


def unkeepable(text: str) -> bool:
    """Say whether a text of any length holds what no database keeps.

    Parameters
    ----------
    text : str
        Any.

    Returns
    -------
    bool
        True for a NUL, or half a surrogate pair.
    """
    return _UNKEPT.search(text) is not None


def as_name(name: Any, what: str) -> str:
    """Check one name, such as an actor, a key or a note.

    Parameters
    ----------
    name : str
        The name.
    what : str
        What it is.

    Returns
    -------
    str
        The same.

    Raises
    ------
    DataError
        If it is no text, empty, too long or with a character that no database keeps.
    """
    if not isinstance(name, str):
        raise DataError(f"{what} must be text, got {type(name).__name__}")
    if _unusable(name) or not name.strip():
        raise DataError(f"{what} must be text of 1 to {LONGEST:,} characters that a database can keep")
    return str(name)


def as_optional_texts(column: pd.Series, what: str) -> list[str | None]:
    """Give a column of texts with None where one is missing.

    Parameters
    ----------
    column : Series
        Of text or whole numbers.
    what : str
        Its name in messages.

    Returns
    -------
    list of str or None
        One a row.

    Raises
    ------
    DataError, TypeError
        As for ``as_ids``, but a missing or empty text is none.
    """
    known = column.notna().to_numpy(dtype=bool)
    cells = column.astype(object).to_numpy(copy=True)
    texts = np.array([_as_text(cell) for cell in cells], dtype=object)
    wrong = known & np.array([not isinstance(text, str) for text in texts], dtype=bool)
    if wrong.any():
        raise TypeError(f"{what} must be text; it is not in {positions(wrong)}")
    bad = known & np.array([isinstance(text, str) and _unusable(text, empty=True) for text in texts], dtype=bool)
    if bad.any():
        raise DataError(f"{what}: too long, or with a character that no database keeps in {positions(bad)}")
    return [text if ok and text else None for text, ok in zip(texts.tolist(), known.tolist(), strict=True)]
