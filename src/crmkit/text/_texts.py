"""Takes in texts, alone or as a column of a table, in any of the forms people have them in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.checks import as_frame, as_texts, positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["is_frame", "read_labels", "read_texts", "split_frame"]


def is_frame(X: Any) -> bool:
    """Say whether it is a table rather than one column of texts.

    Parameters
    ----------
    X : object
        What a user handed in.

    Returns
    -------
    bool
        True for frames of pandas, Polars and PyArrow and for mappings of columns.
    """
    return isinstance(X, dict) or hasattr(X, "columns") or hasattr(X, "column_names")


def read_texts(texts: Any, *, what: str) -> npt.NDArray[np.object_]:
    """Bring texts to an object array of ``str``, Arrow's arrays included.

    Parameters
    ----------
    texts : list, array or Series of str
        A missing text counts as empty.
    what : str
        Its name in messages.

    Returns
    -------
    ndarray of object, shape (n_texts,)
        The texts.
    """
    if is_frame(texts):
        raise TypeError(f"{what} must be a list, array or Series of str here, got a table: take its text column")
    if hasattr(texts, "to_pylist"):
        texts = texts.to_pylist()
    if texts is None or isinstance(texts, int | float):
        raise TypeError(f"{what} must be a list, array or Series of str, got {type(texts).__name__}")
    if getattr(texts, "ndim", 1) != 1:
        raise ValueError(f"{what} must be one-dimensional: one text a row, got {texts.ndim} dimensions")
    return as_texts(texts, what=what)


def split_frame(X: Any, text_column: str, *, what: str = "X") -> tuple[npt.NDArray[np.object_], pd.DataFrame | None]:
    """Give the texts and, where a table was given, the table.

    Parameters
    ----------
    X : list, array or Series of str, or table
        What a user handed in.
    text_column : str
        Which column of a table has the texts.
    what : str, default="X"
        Its name in messages.

    Returns
    -------
    texts : ndarray of object, shape (n_texts,)
        The texts.
    frame : pandas.DataFrame or None
        The table.
    """
    if not is_frame(X):
        return read_texts(X, what=what), None
    frame = as_frame(X, what=what)
    require_columns(frame, [text_column], what=what, hint="name the column with text_column=")
    return read_texts(frame[text_column], what=f"{what}[{text_column!r}]"), frame


def read_labels(y: Any, n_texts: int, *, what: str) -> npt.NDArray[Any]:
    """Check the labels and give them as an array that needs no pickle to be saved.

    Parameters
    ----------
    y : array-like, shape (n_texts,)
        All text, or all numbers or booleans.
    n_texts : int
        How many there must be.
    what : str
        The classifier's name in messages.

    Returns
    -------
    ndarray, shape (n_texts,)
        Of ``str``, numbers or booleans.
    """
    import pandas as pd

    if y is None:
        raise ValueError(f"{what} requires y to be passed, but the target y is None")
    values = _label_array(y)
    if len(values) != n_texts:
        raise ValueError(f"X and y must be as long: {n_texts} texts and {len(values)} labels")
    missing = pd.isna(values)
    if missing.any():
        raise DataError(f"y has no label in {positions(missing)}: leave these texts out")
    if values.dtype.kind == "O":
        kinds = {str if isinstance(value, str) else type(value) for value in values.tolist()}
        if kinds & {list, tuple, set, frozenset, dict, np.ndarray}:
            raise TypeError("y must be one label a text; MultiLabelTextClassifier takes several")
        if len(kinds) > 1 and str in kinds:
            raise TypeError("y must be all text or all numbers, got both")
        values = np.array(values.tolist())
    if values.dtype.kind not in "Ubiuf":
        raise TypeError(f"y must be labels as text, whole numbers or booleans, got {values.dtype}")
    if values.dtype.kind == "f" and not np.all(np.isfinite(values) & (values == np.floor(values))):
        raise ValueError("y must be labels, got continuous numbers. Unknown label type: continuous")
    return values


def _label_array(y: Any) -> npt.NDArray[Any]:
    """Give the labels as a flat array, whatever they come in."""
    if hasattr(y, "to_pylist"):
        y = y.to_pylist()
    if isinstance(y, list | tuple):
        # Of text beside a missing value numpy would make the text "nan".
        values = np.array(y, dtype=object)
    else:
        values = np.asarray(y.to_numpy(dtype=object) if type(y).__module__.startswith("pandas") else y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if values.ndim != 1:
        raise ValueError(f"y must be one-dimensional: one label a text, got shape {values.shape}")
    return values
