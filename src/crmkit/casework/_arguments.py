"""Reads the arguments of calls to a store."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._ids import as_ids, as_name
from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.privacy import mask

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["as_note", "as_outcomes", "as_versions"]


def as_note(note: Any) -> str:
    """Check a note and mask the personal data in it.

    Parameters
    ----------
    note : str
        ``""`` for none.

    Returns
    -------
    str
        As it may be kept.
    """
    return "" if isinstance(note, str) and not note.strip() else str(mask([as_name(note, "note")])[0])


def as_versions(expect: Any, ids: npt.NDArray[np.object_]) -> npt.NDArray[np.int64] | None:
    """Bring expected versions to one a row of the call.

    Parameters
    ----------
    expect : int, array-like of int, mapping of id to int, or None
        As given; a Series whose index is called ``case_id`` is read by its index.
    ids : ndarray of object, shape (n,)
        The ids of the call.

    Returns
    -------
    ndarray of int, shape (n,), or None
        None for None.

    Raises
    ------
    DataError
        If there is not one whole number a case.
    """
    if expect is None:
        return None
    if isinstance(expect, bool | str):
        raise DataError(f"expect must hold the versions of the cases, got {type(expect).__name__}")
    if isinstance(expect, int | np.integer):
        return np.full(len(ids), int(expect), dtype=np.int64)
    given: list[Any]
    named = isinstance(expect, pd.Series) and expect.index.name == "case_id"
    if named or (callable(getattr(expect, "keys", None)) and not isinstance(expect, pd.Series)):
        by_id: dict[Any, Any] = expect.to_dict() if named else dict(expect)
        seen = dict(zip(as_ids(list(by_id), what="expect").tolist(), by_id.values(), strict=True))
        lacking = np.array([case_id not in seen for case_id in ids], dtype=bool)
        if lacking.any():
            raise DataError(f"expect lacks the ids of {positions(lacking)}")
        given = [seen[case_id] for case_id in ids]
    else:
        given = [*expect]
    if len(given) != len(ids):
        raise DataError(f"expect: got {len(given):,} versions for {len(ids):,} cases")
    versions = pd.to_numeric(pd.Series(given, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    if not (np.floor(versions) == versions).all():
        raise DataError("expect must hold whole numbers, the versions of the cases")
    return np.asarray(versions, dtype=np.int64)


def as_outcomes(frame: pd.DataFrame, names: list[str]) -> list[dict[str, Any]]:
    """Give the outcomes of each row without its missing cells.

    Parameters
    ----------
    frame : pandas.DataFrame
        Of numbers and truth values.
    names : list of str
        Its columns.

    Returns
    -------
    list of dict
        One a row, JSON values only.

    Raises
    ------
    DataError
        If a column holds text or an infinite number.
    """
    columns: list[list[Any]] = []
    for name in names:
        column = frame[name]
        if not (pd.api.types.is_numeric_dtype(column.dtype) or pd.api.types.is_bool_dtype(column.dtype)):
            known = column.dropna().tolist()
            if not all(isinstance(cell, int | float | np.number | np.bool_) for cell in known):
                raise DataError(f"outcomes: column {name!r} must hold numbers or truth values")
        values = column.astype(object).where(column.notna(), None).tolist()
        wrong = [isinstance(value, float) and value in {float("inf"), float("-inf")} for value in values]
        if any(wrong):
            raise DataError(f"outcomes: column {name!r} is infinite in {positions(wrong)}")
        columns.append([value.item() if isinstance(value, np.generic) else value for value in values])
    return [
        {name: value for name, value in zip(names, row, strict=True) if value is not None}
        for row in (zip(*columns, strict=True) if columns else ([] for _ in range(len(frame))))
    ]
