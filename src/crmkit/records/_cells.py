"""Looks at the cells of one column once per distinct value, whatever type the source gave them."""

from __future__ import annotations

import re
import uuid
from dataclasses import dataclass, field
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from crmkit.core.errors import SchemaProblem

__all__ = ["Converted", "as_ids", "as_text", "counted", "distinct", "is_missing_text", "missing_cells", "text_series"]

_MISSING = frozenset({"", "nan", "none", "null", "n/a", "#n/a", "<na>", "nat"})
_WHOLE_AS_FLOAT = re.compile(r"([+-]?\d+)\.0+\Z")
# How exports keep spreadsheets from turning an id into a number: ="00123" or '00123.
_ARMOUR = re.compile(r"""=(["'])(?P<inside>.*)\1\Z|'(?P<digits>\d+)\Z""")
_SCIENTIFIC = re.compile(r"[+-]?\d\.\d+[eE]\+\d+\Z")
_EXACT = 2**53
_TEXT_TYPE = int(pd.__version__.partition(".")[0]) >= 3

NOT_AN_ID = "not an id"
NOT_WHOLE = "not a whole number"
NOT_FINITE = "not finite"
LOST_DIGITS = "a number that has lost digits (read the id as text)"


@dataclass
class Converted:
    """A column in its stored form.

    Parameters
    ----------
    values : Series
        The stored values, missing where a cell was empty or is wrong.
    missing : ndarray of bool
        Empty cells.
    wrong : dict of str to ndarray of bool
        Cells that cannot be used, by reason.
    notes : list of str
        What a reader of the report should know, without cell values.
    fatal : list of SchemaProblem
        What concerns the column as a whole.
    """

    values: pd.Series
    missing: npt.NDArray[np.bool_]
    wrong: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    notes: list[str] = field(default_factory=list)
    fatal: list[SchemaProblem] = field(default_factory=list)


def text_series(values: Any) -> pd.Series:
    """Make a column of text, missing where None, of the running pandas' own text type.

    Parameters
    ----------
    values : sequence of str or None
        The cells.

    Returns
    -------
    Series
        ``str`` on pandas 3, object of ``str`` and NaN before.
    """
    cells = np.array(values, dtype=object)
    empty = np.fromiter((cell is None for cell in cells), dtype=bool, count=len(cells))
    cells[empty] = np.nan
    # pandas 3 infers its text type from text, but not from a column that is empty throughout.
    return pd.Series(cells, dtype="str" if _TEXT_TYPE else object)


def counted(n_rows: int) -> str:
    """Write a number of rows."""
    return f"{n_rows:,} {'row' if n_rows == 1 else 'rows'}"


def is_missing_text(text: str) -> bool:
    """Say whether a text stands for an empty cell: blank, or a word that programs write for nothing."""
    return text.strip().casefold() in _MISSING


def distinct(column: pd.Series) -> tuple[npt.NDArray[np.intp], list[Any]]:
    """Give each cell's position among the distinct cells, -1 where it is missing, and the distinct cells.

    Cells that are equal but of different types (1, 1.0 and True) stay distinct.
    """
    if column.dtype == object and pd.api.types.infer_dtype(column, skipna=True) != "string":
        return _distinct_objects(column)
    codes, found = pd.factorize(column)
    return codes, list(found.tolist() if hasattr(found, "tolist") else found)


def _distinct_objects(column: pd.Series) -> tuple[npt.NDArray[np.intp], list[Any]]:
    """Do the same for cells of mixed types, one by one: their type is known to no array."""
    missing = column.isna().to_numpy(dtype=bool)
    seen: dict[Any, int] = {}
    found: list[Any] = []
    codes = np.full(len(column), -1, dtype=np.intp)
    for position, cell in enumerate(column.to_numpy(dtype=object)):
        if missing[position]:
            continue
        try:
            key: Any = (type(cell), cell)
            code = seen.get(key)
        except TypeError:  # a list or mapping has no hash
            key, code = (type(cell), id(cell)), None
        if code is None:
            code = seen[key] = len(found)
            found.append(cell)
        codes[position] = code
    return codes, found


def missing_cells(column: pd.Series) -> npt.NDArray[np.bool_]:
    """Say which cells of a source's column are empty."""
    codes, found = distinct(column)
    blank = [isinstance(cell, str) and is_missing_text(cell) for cell in found]
    return np.asarray(np.array([*blank, True])[codes], dtype=bool)


def spread(
    codes: npt.NDArray[np.intp], results: Sequence[tuple[Any, str | None]]
) -> tuple[npt.NDArray[np.object_], npt.NDArray[np.bool_], dict[str, npt.NDArray[np.bool_]]]:
    """Take what became of each distinct cell back to the rows.

    Parameters
    ----------
    codes : ndarray of int
        From ``distinct``.
    results : sequence of (value or None, reason or None)
        In the order of the distinct cells; both None for an empty cell.

    Returns
    -------
    values, missing, wrong
        Per row.
    """
    table = np.empty(len(results) + 1, dtype=object)
    table[:-1] = [value for value, _ in results]
    reasons = np.array([*(reason or "" for _, reason in results), ""], dtype=object)
    values = table[codes]
    wrong = {}
    for reason in dict.fromkeys(reason for _, reason in results if reason):
        wrong[reason] = np.asarray((reasons == reason)[codes], dtype=bool)
    empty = np.array([*(value is None and reason is None for value, reason in results), True], dtype=bool)
    return values, np.asarray(empty[codes], dtype=bool), wrong


def _convert(column: pd.Series, one: Callable[[Any], tuple[str | None, str | None]]) -> Converted:
    """Convert a column to text through its distinct cells."""
    codes, found = distinct(column)
    values, missing, wrong = spread(codes, [one(cell) for cell in found])
    return Converted(text_series(values), missing, wrong)


def as_ids(column: pd.Series) -> Converted:
    """Bring ids to text: 13085.0 becomes "13085", "00123" stays, an id damaged by a spreadsheet is refused."""
    return _convert(column, _one_id)


def _one_id(cell: Any) -> tuple[str | None, str | None]:
    """Bring one id to text, or say what is wrong with it."""
    if isinstance(cell, str):
        return _one_text_id(cell.strip())
    if isinstance(cell, bool | np.bool_):
        return None, NOT_AN_ID
    if isinstance(cell, int | np.integer | uuid.UUID):
        return str(cell), None
    if isinstance(cell, float | np.floating | Decimal):
        return _one_number_id(cell)
    return None, NOT_AN_ID


def _one_number_id(cell: Any) -> tuple[str | None, str | None]:
    """Write a whole number without its point."""
    if not np.isfinite(float(cell)):
        return None, NOT_FINITE
    if cell != int(cell):
        return None, NOT_WHOLE
    if not isinstance(cell, Decimal) and abs(cell) > _EXACT:
        return None, LOST_DIGITS
    return str(int(cell)), None


def _one_text_id(text: str) -> tuple[str | None, str | None]:
    """Take off what spreadsheets put around an id, and the ".0" of one that went through a column of numbers."""
    if armour := _ARMOUR.match(text):
        text = (armour["inside"] or armour["digits"] or "").strip()
    if is_missing_text(text):
        return None, None
    if _SCIENTIFIC.match(text):
        return None, LOST_DIGITS
    whole = _WHOLE_AS_FLOAT.match(text)
    return (whole.group(1) if whole else text), None


def as_text(column: pd.Series, *, strip: bool) -> Converted:
    """Bring a column to text; blank cells are missing, and categories lose the spaces around them."""

    def one(cell: Any) -> tuple[str | None, str | None]:
        text = cell if isinstance(cell, str) else _plain(cell)
        if not text.strip():
            return None, None
        return (text.strip() if strip else text), None

    return _convert(column, one)


def _plain(cell: Any) -> str:
    """Write a cell that is no text: a whole number without its point."""
    if isinstance(cell, float | np.floating) and np.isfinite(cell) and cell == int(cell):
        return str(int(cell))
    return str(cell)
