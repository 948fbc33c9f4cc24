"""Opens whatever holds the records and gives it as a pandas frame of original cells."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core.errors import DataError
from crmkit.core.registry import require_extra
from crmkit.records._csv import read_csv

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["Opened", "open_source"]

_CSV = {".csv", ".txt", ".tsv", ".tab"}
_PARQUET = {".parquet", ".pq"}


@dataclass(frozen=True)
class Opened:
    """A source as it was found.

    Parameters
    ----------
    frame : pandas.DataFrame
        Original cells; text only where the source was a text file.
    name : str
        What it is called in messages.
    encoding, delimiter : str or None
        How a text file was read.
    broken : dict of str to ndarray of bool
        Rows that are no rows of the table, by reason (a line with more fields than the header).
    repeated : frozenset of str
        Headers that stand more than once; all but the first are numbered in the frame.
    """

    frame: pd.DataFrame
    name: str
    encoding: str | None = None
    delimiter: str | None = None
    broken: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)
    repeated: frozenset[str] = frozenset()


def open_source(source: Any, *, encoding: str | None = None) -> Opened:
    """Open a frame, a mapping of columns, or a file.

    Parameters
    ----------
    source : DataFrame of pandas, Polars or PyArrow, mapping of columns, or path to CSV or Parquet
        What holds the records. A named index becomes a column.
    encoding : str or None
        Of a text file; found out where None.

    Returns
    -------
    Opened
        The frame and how it was read.

    Raises
    ------
    DataError
        If there is no such file, its ending is unknown, or it cannot be read.
    TypeError
        If it is no table.
    MissingExtraError
        If pyarrow is needed and not installed.
    """
    if isinstance(source, str | Path):
        opened = _open_file(Path(source), encoding)
    elif isinstance(source, pd.DataFrame):
        opened = Opened(_index_as_columns(source), "the frame")
    elif isinstance(source, dict):
        try:
            opened = Opened(pd.DataFrame(source), "the mapping")
        except ValueError as error:
            raise DataError(f"the mapping of columns makes no table: {error}") from error
    else:
        opened = Opened(_from_other(source), f"the {type(source).__name__}")
    headers = [str(header) for header in opened.frame.columns]
    repeated = frozenset(header for header, count in Counter(headers).items() if count > 1)
    if not repeated and headers == list(opened.frame.columns):
        return opened
    frame = opened.frame.copy(deep=False)
    frame.columns = pd.Index(_numbered(headers), dtype=object)
    return replace(opened, frame=frame, repeated=repeated)


def _numbered(headers: list[str]) -> list[str]:
    """Number repeated headers, so that each names one column."""
    names: list[str] = []
    taken = set(headers)
    seen: Counter[str] = Counter()
    for header in headers:
        name = header
        if seen[header]:
            number = seen[header]
            while (name := f"{header}.{number}") in taken:
                number += 1
        seen[header] += 1
        taken.add(name)
        names.append(name)
    return names


def _open_file(path: Path, encoding: str | None) -> Opened:
    """Open a file by its ending."""
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    ending = path.suffix.lower()
    if ending in _CSV:
        read = read_csv(path, encoding=encoding)
        return Opened(read.frame, path.name, read.encoding, read.delimiter, read.broken)
    if ending in _PARQUET:
        parquet = require_extra("pyarrow.parquet", "engine", "reading Parquet")
        try:
            table = parquet.read_table(path)
        except (OSError, ValueError) as error:
            raise DataError(f"{path.name} cannot be read as Parquet: {type(error).__name__}") from error
        return Opened(_index_as_columns(_arrow_to_pandas(table)), path.name)
    known = ", ".join(sorted(_CSV | _PARQUET))
    raise DataError(f"{path.name}: its ending says nothing about its format; known are {known}")


def _from_other(source: Any) -> pd.DataFrame:
    """Bring a frame of another library to pandas through Arrow."""
    import narwhals as nw

    try:
        frame = nw.from_native(source)
    except TypeError:
        raise TypeError(
            "source must be a DataFrame of pandas, Polars or PyArrow, a mapping of columns, or a path to CSV or "
            f"Parquet, got {type(source).__name__}"
        ) from None
    eager = frame.collect() if isinstance(frame, nw.LazyFrame) else frame
    require_extra("pyarrow", "engine", f"reading a frame of {type(source).__module__.partition('.')[0]}")
    return _arrow_to_pandas(eager.to_arrow())


def _arrow_to_pandas(table: Any) -> pd.DataFrame:
    """Turn an Arrow table into pandas; ids beyond 2**53 keep every digit where a cell of their column is empty."""
    frame: pd.DataFrame = table.to_pandas(integer_object_nulls=True)
    return frame


def _index_as_columns(frame: pd.DataFrame) -> pd.DataFrame:
    """Turn named index levels into columns, since customer tables carry their id there."""
    levels = [name for name in frame.index.names if name is not None and name not in frame.columns]
    if not levels:
        return frame
    return frame.reset_index(level=levels)
