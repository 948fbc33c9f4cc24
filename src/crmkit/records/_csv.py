"""Reads delimited text with the encoding and the delimiter found out, and loses no line."""

from __future__ import annotations

import codecs
import csv
import io
import re
import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from pathlib import Path

    import numpy.typing as npt

__all__ = ["EXTRA", "Read", "read_csv"]

EXTRA = "(extra fields)"
"""The column that keeps what a line had beyond its headers."""

TOO_MANY = "the line has more fields than the header"

_BOMS = {
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_DELIMITERS = (",", ";", "\t", "|")
_CHUNK = 1 << 20
_SAMPLE = 1 << 16
_LARGEST_FIELD = (1 << 31) - 1
# In text of GBK the second byte of a common character is high too; in Western text read as GBK it is an ASCII letter.
_PAIR = re.compile(rb"[\x81-\xfe]([\x40-\xfe])")
_ASCII_END = 0x80


@dataclass(frozen=True)
class Read:
    """A text file read: every cell as text, short lines padded with empty cells."""

    frame: pd.DataFrame
    encoding: str
    delimiter: str
    broken: dict[str, npt.NDArray[np.bool_]] = field(default_factory=dict)


def read_csv(path: Path, *, encoding: str | None = None) -> Read:
    """Read a delimited text file.

    Parameters
    ----------
    path : Path
        The file.
    encoding : str or None
        Where None: by its byte-order mark, else UTF-8 where every byte fits, else GB18030 (which contains GBK).

    Returns
    -------
    Read
        Cells exactly as written, empty ones as empty text; blank lines are no rows, short lines end in empty cells.

    Raises
    ------
    DataError
        If the file is empty, in no encoding that can be told, or swallowed by a quotation mark never closed.
    """
    if path.stat().st_size == 0:
        raise DataError(f"{path.name} is empty: it has no header line")
    found = encoding or _find_encoding(path)
    try:
        codecs.lookup(found)
        with path.open(encoding=found, newline="") as file:
            sample = file.read(_SAMPLE)
        delimiter = _find_delimiter(sample, whole=len(sample) < _SAMPLE)
        frame, broken = _parse(path, found, delimiter)
    except LookupError:
        raise DataError(f"{path.name}: {found!r} is no encoding that Python knows") from None
    except UnicodeDecodeError as error:
        raise DataError(f"{path.name} is not in {found}: byte {error.start} does not fit; pass encoding=") from None
    return Read(frame, found, delimiter, broken)


def _find_encoding(path: Path) -> str:
    """Tell the encoding by the bytes."""
    with path.open("rb") as file:
        start = file.read(4)
    for mark, encoding in _BOMS.items():
        if start.startswith(mark):
            return encoding
    if _decodes(path, "utf-8"):
        return "utf-8"
    if _decodes(path, "gb18030"):
        pairs, low = 0, 0
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                seconds = b"".join(_PAIR.findall(chunk))
                pairs += len(seconds)
                low += sum(second < _ASCII_END for second in seconds)
        if low <= 0.2 * pairs:
            return "gb18030"
    raise DataError(f"{path.name} is neither UTF-8 nor GB18030 (GBK): pass encoding=, for example 'cp1252'")


def _decodes(path: Path, encoding: str) -> bool:
    """Say whether every byte fits an encoding, without holding the file in memory."""
    decoder = codecs.getincrementaldecoder(encoding)()
    try:
        with path.open("rb") as file:
            while chunk := file.read(_CHUNK):
                decoder.decode(chunk)
        decoder.decode(b"", final=True)
    except UnicodeDecodeError:
        return False
    return True


def _find_delimiter(sample: str, *, whole: bool) -> str:
    """Choose the delimiter under which most lines have as many fields as the header, then the one with most fields."""
    if not whole:
        sample = sample[: sample.rfind("\n") + 1] or sample
    best, best_score = ",", (0.0, 1)
    for delimiter in _DELIMITERS:
        lines = [line for line in csv.reader(io.StringIO(sample, newline=""), delimiter=delimiter) if line]
        if not lines or len(lines[0]) < 2:
            continue
        agreeing = sum(len(line) == len(lines[0]) for line in lines) / len(lines)
        score = (round(agreeing, 1), len(lines[0]))
        if score > best_score:
            best, best_score = delimiter, score
    return best


def _parse(path: Path, encoding: str, delimiter: str) -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.bool_]]]:
    """Parse fast where all lines are well formed, line by line where one is not."""
    with path.open(encoding=encoding, newline="") as file:
        header = next((line for line in csv.reader(file, delimiter=delimiter) if _is_row(line)), None)
    if header is None:
        raise DataError(f"{path.name} is empty: it has no header line")
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error", pd.errors.ParserWarning)
            frame = pd.read_csv(
                path,
                sep=delimiter,
                dtype=str,
                keep_default_na=False,
                encoding=encoding,
                index_col=False,
                header=0,
                names=range(len(header)),
            )
        broken: dict[str, npt.NDArray[np.bool_]] = {}
    except (pd.errors.ParserError, pd.errors.ParserWarning):
        frame, broken = _parse_lines(path, encoding, delimiter)
    frame.columns = pd.Index([*header, EXTRA][: frame.shape[1]], dtype=object)
    if len(frame) and any("\n" in str(cell) for cell in frame.iloc[-1]) and _quotes(path, encoding) % 2:
        raise DataError(f"{path.name}: a quotation mark is opened and never closed; it swallowed the end of the file")
    return frame, broken


def _is_row(line: list[str]) -> bool:
    """Say whether a line is more than blank."""
    return len(line) > 1 or bool("".join(line).strip())


def _quotes(path: Path, encoding: str) -> int:
    """Count the quotation marks of a file."""
    with path.open(encoding=encoding, newline="") as file:
        return sum(chunk.count('"') for chunk in iter(lambda: file.read(_CHUNK), ""))


def _parse_lines(path: Path, encoding: str, delimiter: str) -> tuple[pd.DataFrame, dict[str, npt.NDArray[np.bool_]]]:
    """Parse line by line, keeping what is too long."""
    before = csv.field_size_limit(_LARGEST_FIELD)
    try:
        with path.open(encoding=encoding, newline="") as file:
            lines = [line for line in csv.reader(file, delimiter=delimiter) if _is_row(line)]
    finally:
        csv.field_size_limit(before)
    width, body = len(lines[0]), lines[1:]
    # A line that ends in delimiters has empty fields too many, which say nothing.
    surplus = [delimiter.join(line[width:]) if any(line[width:]) else "" for line in body]
    too_many = np.fromiter((bool(text) for text in surplus), dtype=bool, count=len(body))
    cells = [[*line[:width], *([""] * (width - len(line)))] for line in body]
    frame = pd.DataFrame(cells, columns=range(width), dtype=object)
    if not too_many.any():
        return frame, {}
    frame[width] = surplus
    return frame, {TOO_MANY: too_many}
