"""Reads and writes words with their vectors in word2vec's two formats."""

from __future__ import annotations

import gzip
import io
import warnings
from pathlib import Path
from typing import TYPE_CHECKING, Any, BinaryIO

import numpy as np

from crmkit.core.checks import positions
from crmkit.core.errors import DataError, DataWarning

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt

__all__ = [
    "Record",
    "check_values",
    "looks_binary",
    "open_file",
    "read_binary",
    "read_header",
    "read_text",
    "write_vectors",
]

_LONGEST = 4_000
_LARGEST = 1e6

Record = tuple[bytes, "npt.NDArray[np.float32]", int]
"""The bytes of a word, its vector, and the line or byte where it begins."""


def open_file(path: Path) -> io.BufferedReader:
    """Open a file of bytes, decompressing one that ends in ``.gz``."""
    if path.suffix == ".gz":
        return io.BufferedReader(gzip.open(path, "rb"))
    return path.open("rb")


def read_header(line: bytes) -> tuple[int, int] | None:
    """Give the number of words and dimensions that a first line tells, None where it tells none."""
    parts = line.split()
    if len(parts) != 2 or not all(part.isdigit() for part in parts):
        return None
    return int(parts[0]), int(parts[1])


def looks_binary(file: io.BufferedReader, dimensions: int) -> bool:
    """Say whether what follows the first line is bytes rather than numbers written out.

    Parameters
    ----------
    file : buffered file of bytes
        After its first line; stays there.
    dimensions : int
        Numbers a word.

    Returns
    -------
    bool
        False where the next line has numbers in words behind its first field, or what people write and no bytes.
    """
    start = file.peek(1)[:8_192]
    line, newline, _ = start.partition(b"\n")
    fields = line.split()
    # Without an end of the line, the last field may be cut; with too few fields, the header is wrong.
    numbers = fields[-dimensions:] if newline and len(fields) > dimensions else fields[1 : None if newline else -1]
    try:
        np.array(numbers, dtype=np.float32)
    except ValueError:
        return not _reads_as_text(line)
    return not numbers and (bool(newline) or len(start) > dimensions)


def _reads_as_text(line: bytes) -> bool:
    """Say whether a line has only what people write; four bytes of a number nearly always hold something else."""
    try:
        return line.decode("utf-8").replace("\t", " ").strip().isprintable()
    except UnicodeDecodeError:
        return False


def read_text(file: BinaryIO, name: str, dimensions: int, n_words: int | None, first: bytes = b"") -> Iterator[Record]:
    """Give the records of the text format, one a line.

    Parameters
    ----------
    file : file of bytes
        After its header.
    name : str
        The file's name, for messages.
    dimensions : int
        Numbers a word.
    n_words : int or None
        How many the header told; None reads to the end.
    first : bytes, default=b""
        A line that was read already, where there is no header.

    Yields
    ------
    Record
        Word, vector and number of the line, from 1.
    """
    line_number = 1 if first else 2
    seen = ending_in_numbers = 0
    line = first or file.readline()
    while line and (n_words is None or seen < n_words):
        if line.strip():
            # A word may hold spaces: the numbers are counted from the end.
            fields = line.rstrip().rsplit(b" ", dimensions)
            if len(fields) != dimensions + 1:
                raise DataError(f"{name}, line {line_number}: expected a word and {dimensions} numbers")
            try:
                values = np.array(fields[1:], dtype=np.float32)
            except ValueError:
                raise DataError(f"{name}, line {line_number}: what stands after the word are no numbers") from None
            seen += 1
            if seen <= 2 and b" " in fields[0]:
                ending_in_numbers += _is_number(fields[0].rpartition(b" ")[2])
            # One word may well end in a number ("windows 10"), but not the first two.
            if n_words is not None and ending_in_numbers == seen == 2:
                raise DataError(f"{name}, line 1: it says {dimensions} numbers a word, and more than that follow")
            yield fields[0], values, line_number
        line = file.readline()
        line_number += 1
    if n_words is not None and seen < n_words:
        raise DataError(f"{name} ends at line {line_number - 1} after {seen:,} of {n_words:,} words: it was cut short")
    if line.strip():
        _warn_of_more(name, seen)


def _is_number(field: bytes) -> bool:
    """Say whether it reads as a number."""
    try:
        float(field)
    except ValueError:
        return False
    return True


def _warn_of_more(name: str, n_words: int) -> None:
    """Warn that a file goes on behind the words its header told of."""
    message = f"{name} goes on behind the {n_words:,} words that line 1 tells of: what follows is not read"
    warnings.warn(message, DataWarning, stacklevel=5)


def read_binary(
    file: BinaryIO, name: str, dimensions: int, n_words: int, byte_order: str, start: int
) -> Iterator[Record]:
    """Give the records of the binary format: a word, a space, four bytes a number.

    Parameters
    ----------
    file : file of bytes
        After its header.
    name : str
        The file's name, for messages.
    dimensions, n_words : int
        As the header told.
    byte_order : {"little", "big"}
        Of the numbers.
    start : int
        How many bytes the header took.

    Yields
    ------
    Record
        Word, vector and the byte where the word begins, from 0.
    """
    size = 4 * dimensions
    kind = np.dtype("<f4" if byte_order == "little" else ">f4")
    buffer, place, offset = b"", 0, start
    for seen in range(n_words):
        end = buffer.find(b" ", place)
        while end < 0 or len(buffer) < end + 1 + size:
            more = file.read(1 << 20)
            if not more:
                raise DataError(
                    f"{name} ends at byte {offset + len(buffer) - place:,} after {seen:,} of {n_words:,} words: "
                    "it was cut short"
                )
            buffer, place = buffer[place:] + more, 0
            end = buffer.find(b" ")
            if end < 0 and len(buffer) > _LONGEST:
                break
        word = buffer[place:end].lstrip(b"\n")
        if end < 0 or len(word) > _LONGEST:
            raise DataError(f"{name}, byte {offset:,}: no word ends there; is it in the binary format?")
        values = np.frombuffer(buffer, dtype=kind, count=dimensions, offset=end + 1).astype(np.float32)
        yield word, values, offset
        offset += end + 1 + size - place
        place = end + 1 + size
    if (buffer[place : place + 2] or file.read(2)).strip():
        _warn_of_more(name, n_words)


def check_values(values: npt.NDArray[np.float32], where: str, *, binary: bool) -> None:
    """Refuse numbers that no vector has."""
    if np.isfinite(values).all() and (not binary or np.abs(values).max(initial=0.0) <= _LARGEST):
        return
    hint = "; is the byte order the other one (byte_order=)?" if binary else ""
    raise DataError(f"{where}: a value is not finite or far too large{hint}")


def write_vectors(path: str | Path, terms: Sequence[str], vectors: npt.NDArray[Any], *, binary: bool) -> None:
    """Write words and vectors; see `FixedVectors.write`.

    Parameters
    ----------
    path : str or Path
        Where to.
    terms : sequence of str
        The words.
    vectors : ndarray, shape (n_terms, n_dimensions)
        Their vectors.
    binary : bool
        Which format.
    """
    spaced = np.fromiter((not term or any(map(str.isspace, term)) for term in terms), dtype=bool, count=len(terms))
    if spaced.any():
        raise DataError(
            f"a word is empty or holds white space in {positions(spaced)}: the formats have no place for it"
        )
    target = Path(path)
    with gzip.open(target, "wb") if target.suffix == ".gz" else target.open("wb") as file:
        file.write(f"{len(terms)} {vectors.shape[1]}\n".encode())
        for term, vector in zip(terms, vectors, strict=True):
            word = term.encode("utf-8", errors="surrogatepass")
            # Nine digits give a float of four bytes back exactly.
            numbers = (
                vector.astype("<f4").tobytes() if binary else " ".join([f"{x:.9g}" for x in vector.tolist()]).encode()
            )
            file.write(word + b" " + numbers + b"\n")
