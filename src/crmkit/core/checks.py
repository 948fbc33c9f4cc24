"""Border checks: what comes in from outside is brought to one form, or refused with one clear error."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

from crmkit.core.errors import DataError
from crmkit.core.registry import require_extra

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy as np
    import numpy.typing as npt
    import pandas as pd

__all__ = ["as_frame", "as_texts", "by_customer", "positions", "require_columns", "require_methods"]


def require_methods(obj: Any, methods: Iterable[str], *, role: str) -> None:
    """Check that an object has the methods a role needs.

    Parameters
    ----------
    obj : object
        What was handed in.
    methods : iterable of str
        Names that must be callable.
    role : str
        What it is wanted for, as in ``"a segmenter"``.

    Raises
    ------
    TypeError
        Naming every missing method, or if it is a class in place of an instance.

    Examples
    --------
    >>> from crmkit.core.checks import require_methods
    >>> require_methods([], ["fit_predict"], role="a segmenter")
    Traceback (most recent call last):
        ...
    TypeError: a segmenter needs fit_predict(); list has none
    """
    if isinstance(obj, type):
        raise TypeError(f"{role} must be an instance, got the class {obj.__name__}: call it first, {obj.__name__}()")
    missing = [name for name in methods if not callable(getattr(obj, name, None))]
    if missing:
        wanted = ", ".join(f"{name}()" for name in missing)
        raise TypeError(f"{role} needs {wanted}; {type(obj).__name__} has none")


def positions(mask: Any, *, most: int = 5) -> str:
    """Write the positions where a mask is true, for messages that must not show values.

    Parameters
    ----------
    mask : array-like of bool, shape (n_rows,)
        The rows meant.
    most : int, default=5
        How many to write out.

    Returns
    -------
    str
        Such as ``"rows 3, 17, … (240 in all)"``.

    Examples
    --------
    >>> from crmkit.core.checks import positions
    >>> positions([False, True, True])
    'rows 1, 2'
    """
    import numpy as np

    rows = np.flatnonzero(np.asarray(mask, dtype=bool))
    shown = ", ".join(str(row) for row in rows[:most])
    word = "row" if len(rows) == 1 else "rows"
    return f"{word} {shown}" if len(rows) <= most else f"{word} {shown}, … ({len(rows):,} in all)"


def as_frame(table: Any, *, what: str = "table") -> pd.DataFrame:
    """Bring any table to pandas without copying more than needed.

    Parameters
    ----------
    table : DataFrame of pandas, Polars or PyArrow, path to CSV or Parquet, or mapping of columns
        A path is read as it is: CSV as UTF-8 (with or without BOM) with every column as text.
    what : str, default="table"
        Its name in messages.

    Returns
    -------
    pandas.DataFrame
        The same object where it was pandas already.

    Raises
    ------
    TypeError
        If it is no table.
    DataError
        If the file has another ending or cannot be read, or two columns have one name.
    MissingExtraError
        If Parquet is read without pyarrow.

    Examples
    --------
    >>> from crmkit.core.checks import as_frame
    >>> as_frame({"customer_id": ["a", "b"]}).shape
    (2, 1)
    """
    import pandas as pd

    if isinstance(table, pd.DataFrame):
        twice = table.columns[table.columns.duplicated()]
        if len(twice):
            raise DataError(f"{what} has more than one column named {', '.join(map(repr, twice.unique()))}")
        return table
    if isinstance(table, str | Path):
        return _read_file(Path(table), what)
    if isinstance(table, dict):
        return pd.DataFrame(table)
    import narwhals as nw

    try:
        frame = nw.from_native(table)
    except TypeError:
        raise TypeError(
            f"{what} must be a DataFrame of pandas, Polars or PyArrow, or a path to CSV or Parquet, "
            f"got {type(table).__name__}"
        ) from None
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    try:
        return eager.to_pandas()
    except ModuleNotFoundError:
        require_extra("pyarrow", "engine", f"turning {type(table).__module__.partition('.')[0]} into pandas")
        raise


def _read_file(path: Path, what: str) -> pd.DataFrame:
    """Read a CSV or Parquet file as it is."""
    import pandas as pd

    if not path.exists():
        raise DataError(f"{what}: there is no file {path}")
    if path.suffix.lower() in {".parquet", ".pq"}:
        require_extra("pyarrow", "engine", "reading Parquet")
        return pd.read_parquet(path)
    if path.suffix.lower() in {".csv", ".txt"}:
        try:
            return pd.read_csv(path, dtype=str, keep_default_na=False, na_values=[""], encoding="utf-8-sig")
        except UnicodeDecodeError:
            raise DataError(f"{what}: {path.name} is not UTF-8; records.read also reads GBK") from None
        except pd.errors.EmptyDataError:
            raise DataError(f"{what}: {path.name} is empty") from None
        except pd.errors.ParserError:
            raise DataError(
                f"{what}: the lines of {path.name} differ in length; records.read sets such lines aside"
            ) from None
    raise DataError(f"{what}: {path.name} must end in .csv or .parquet")


def require_columns(table: pd.DataFrame, columns: Sequence[str], *, what: str = "table", hint: str = "") -> None:
    """Check that a table has the columns a step needs.

    Parameters
    ----------
    table : pandas.DataFrame
        The table.
    columns : sequence of str
        Names that must be there.
    what : str, default="table"
        Its name in messages.
    hint : str, default=""
        What to do next, such as ``"make it with preparation.rfm_table"``.

    Raises
    ------
    DataError
        Naming every missing column, the nearest ones, and all there are.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.core.checks import require_columns
    >>> require_columns(pd.DataFrame({"amont": [1.0]}), ["amount"], what="transactions")
    Traceback (most recent call last):
        ...
    crmkit.core.errors.DataError: transactions has no column 'amount' (nearest: 'amont'); it has: amont
    """
    from difflib import get_close_matches

    there = [str(column) for column in table.columns]
    missing = [name for name in columns if name not in table.columns]
    if not missing:
        return
    parts = []
    for name in missing:
        nearest = get_close_matches(name, there, n=1)
        parts.append(f"{name!r}" + (f" (nearest: {nearest[0]!r})" if nearest else ""))
    listed = ", ".join(there[:40]) + (", …" if len(there) > 40 else "")
    tail = f"; {hint}" if hint else ""
    raise DataError(f"{what} has no column {', '.join(parts)}; it has: {listed or 'no columns'}{tail}")


def by_customer(table: Any, *, what: str = "customer table") -> pd.DataFrame:
    """Give a customer table with ``customer_id`` as its index, from either form.

    Parameters
    ----------
    table : table
        One row a customer, ``customer_id`` as column or as index.
    what : str, default="customer table"
        Its name in messages.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``, ids and rows as they were given.

    Raises
    ------
    DataError
        If there is no ``customer_id``, one is missing, or a customer stands in more than one row.

    Examples
    --------
    >>> from crmkit.core.checks import by_customer
    >>> by_customer({"customer_id": ["a", "b"], "amount": [1.0, 2.0]}).index.tolist()
    ['a', 'b']
    """
    frame = as_frame(table, what=what)
    if "customer_id" in frame.columns:
        frame = frame.set_index("customer_id")
    elif frame.index.name != "customer_id":
        raise DataError(f"{what} needs customer_id as a column or as its index")
    missing = frame.index.isna()
    if missing.any():
        raise DataError(f"{what}: customer_id is missing in {positions(missing)}")
    # Tables of crmkit are sorted, which is seen sooner than that no two of a million texts are equal. What pandas has
    # to look up it remembers, so that a table that is asked again does not pay again.
    if not _rises(frame.index) and not frame.index.is_unique:
        twice = frame.index.duplicated(keep=False)
        raise DataError(
            f"{what} must have one row a customer; a customer_id stands more than once in {positions(twice)}"
        )
    return frame


def _rises(index: pd.Index) -> bool:
    """Say whether every id is greater than the one before it."""
    ids = index.array
    try:
        return bool((ids[1:] > ids[:-1]).all())
    except TypeError:
        # Categories and ids of several types have no order.
        return False


def as_texts(texts: Any, *, what: str = "texts") -> npt.NDArray[np.object_]:
    """Bring texts to one array of ``str``.

    Parameters
    ----------
    texts : list, array or Series of str
        Arrow strings and numpy strings included; a missing text counts as empty.
    what : str, default="texts"
        Its name in messages.

    Returns
    -------
    ndarray of object, shape (n_texts,)
        Every item a ``str``.

    Raises
    ------
    TypeError
        If it is one text instead of many, or an item is no text (bytes included), naming the positions.

    Examples
    --------
    >>> from crmkit.core.checks import as_texts
    >>> as_texts(["退款", None]).tolist()
    ['退款', '']
    """
    import numpy as np
    import pandas as pd

    if isinstance(texts, str | bytes):
        raise TypeError(
            f"{what} must be a list, array or Series of str, got one {type(texts).__name__}: put it in a list"
        )
    if not isinstance(texts, pd.Series):
        # Columns of PyArrow and of Polars hold values of their own kind.
        unwrap = getattr(texts, "to_pylist", None) or getattr(texts, "to_list", None)
        texts = unwrap() if callable(unwrap) else texts
    series = pd.Series(texts, dtype=object) if not isinstance(texts, pd.Series) else texts.astype(object)
    values = series.to_numpy(dtype=object, copy=True)
    if values.ndim != 1:
        raise TypeError(f"{what} must be one-dimensional, got {values.ndim} dimensions")
    values[series.isna().to_numpy(dtype=bool)] = ""
    wrong = np.fromiter((not isinstance(value, str) for value in values), dtype=bool, count=len(values))
    if wrong.any():
        kinds = ", ".join(sorted({type(value).__name__ for value in values[wrong]}))
        raise TypeError(f"{what} must be str; {positions(wrong)}: {kinds}")
    return np.array([str(value) for value in values], dtype=object) if len(values) else values
