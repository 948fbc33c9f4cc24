"""Reads word vectors from a file in word2vec's text or binary format, or GloVe's."""

from __future__ import annotations

import codecs
import warnings
import zlib
from gzip import BadGzipFile
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError, DataWarning
from crmkit.text.vectors._files import (
    check_values,
    looks_binary,
    open_file,
    read_binary,
    read_header,
    read_text,
)
from crmkit.text.vectors._fixed import FixedVectors

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from crmkit.text.vectors._files import Record

__all__ = ["read_vectors"]

_FORMATS = ("auto", "text", "binary")
_LONGEST_LINE = 1 << 20
_FIRST_BLOCK = 1 << 12


def read_vectors(
    path: str | Path,
    *,
    format: str = "auto",  # noqa: A002 -- what it is called everywhere
    limit: int | None = None,
    words: Iterable[str] | None = None,
    byte_order: str = "little",
    unicode_errors: str = "strict",
    segmenter: Any = None,
) -> FixedVectors:
    r"""Read word vectors from a file: word2vec's text or binary format, fastText's ``.vec``, GloVe's without a header.

    Words are read one by one into an array made once, so memory is that of the vectors kept, four bytes a number.
    Cost: about 25,000 words a second at 100 numbers as text, 90,000 as binary. Nothing is downloaded.

    Parameters
    ----------
    path : str or Path
        The file; one that ends in ``.gz`` is decompressed while reading.
    format : {"auto", "text", "binary"}, default="auto"
        ``"auto"`` looks at what follows the first line.
    limit : int or None, default=None
        Keep only the first so many words, which in most files are the most frequent; the rest is not read.
    words : iterable of str or None, default=None
        Keep only these.
    byte_order : {"little", "big"}, default="little"
        Of the numbers in the binary format; little is what word2vec writes on nearly all machines.
    unicode_errors : {"strict", "replace", "ignore"}, default="strict"
        What becomes of bytes that are not UTF-8; old files have words cut in the middle of a character.
    segmenter : callable, {"auto", "rjieba"} or None, default=None
        How Chinese texts are cut when they are encoded.

    Returns
    -------
    FixedVectors
        For `encode`, `similar`, and ``features=`` of a classifier.

    Raises
    ------
    DataError
        If the file is empty, cut short, or not in the format, naming the line or the byte.
    ValueError
        If an option is none of those listed.

    Warns
    -----
    DataWarning
        If words stand more than once (the first counts), or the file goes on behind the words its header tells of.

    Examples
    --------
    >>> import tempfile, pathlib
    >>> from crmkit.text import read_vectors
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = pathlib.Path(folder) / "small.txt"
    ...     _ = path.write_text("2 3\ncard 1 0 0\nrefund 0 1 0\n", encoding="utf-8")
    ...     read_vectors(path)
    FixedVectors(2 words, 3 dimensions)
    """
    _check_options(format, byte_order, unicode_errors, limit, words)
    path = Path(path)
    if not path.is_file():
        raise DataError(f"there is no file {path}")
    wanted = None if words is None else frozenset(words)
    try:
        terms, vectors = _read(path, format, limit, wanted, byte_order, unicode_errors)
    except (EOFError, BadGzipFile, zlib.error) as error:
        raise DataError(f"{path.name} is no whole gzip file: {error}") from None
    return FixedVectors(terms, vectors, segmenter=segmenter)


def _read(
    path: Path, file_format: str, limit: int | None, wanted: frozenset[str] | None, byte_order: str, errors: str
) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Read the words that are wanted, and their vectors."""
    with open_file(path) as file:
        start = file.readline(_LONGEST_LINE)
        first = start.removeprefix(codecs.BOM_UTF8)
        if not first.strip():
            raise DataError(f"{path.name} is empty or begins with an empty line")
        header = read_header(first)
        binary = file_format == "binary"
        if header is None:
            if binary:
                raise DataError(f"{path.name}, line 1: expected the number of words and of dimensions")
            dimensions, n_words = len(first.split()) - 1, None
            if dimensions < 2:
                raise DataError(
                    f"{path.name}, line 1: expected a word and its numbers, or the number of words and of dimensions"
                )
        else:
            n_words, dimensions = header
            if not n_words or not dimensions:
                raise DataError(f"{path.name}, line 1: {n_words} words of {dimensions} dimensions are none")
            binary = binary or (file_format == "auto" and looks_binary(file, dimensions))
        if binary and n_words is not None:
            records = read_binary(file, path.name, dimensions, n_words, byte_order, len(start))
        else:
            records = read_text(file, path.name, dimensions, n_words, first if header is None else b"")
        return _collect(records, path.name, dimensions, limit=limit, wanted=wanted, errors=errors, binary=binary)


def _check_options(file_format: str, byte_order: str, unicode_errors: str, limit: int | None, words: Any) -> None:
    """Refuse options that mean nothing."""
    for name, given, allowed in (
        ("format", file_format, _FORMATS),
        ("byte_order", byte_order, ("little", "big")),
        ("unicode_errors", unicode_errors, ("strict", "replace", "ignore")),
    ):
        if given not in allowed:
            raise ValueError(f"{name} must be one of {', '.join(map(repr, allowed))}, got {given!r}")
    if limit is not None and limit < 1:
        raise ValueError(f"limit must be at least 1, got {limit}")
    if isinstance(words, str):
        raise TypeError("words must be a list of words, got one str")


def _collect(
    records: Iterator[Record],
    name: str,
    dimensions: int,
    *,
    limit: int | None,
    wanted: frozenset[str] | None,
    errors: str,
    binary: bool,
) -> tuple[list[str], np.ndarray[Any, Any]]:
    """Keep the records that are wanted, each word once."""
    # A header may promise more than there is memory for or the file holds: the array grows with what is read.
    vectors = np.empty((0, dimensions), dtype=np.float32)
    known: dict[str, int] = {}
    again = 0
    for seen, (raw, values, place) in enumerate(records, start=1):
        where = f"{name}, {'byte' if binary else 'line'} {place:,}"
        try:
            word = raw.decode("utf-8", errors=errors)
        except UnicodeDecodeError:
            raise DataError(f"{where}: the word is not UTF-8; unicode_errors='replace' reads on") from None
        if wanted is None or word in wanted:
            if word in known:
                again += 1
            else:
                check_values(values, where, binary=binary)
                if len(known) == len(vectors):
                    vectors.resize((max(_FIRST_BLOCK, 2 * len(vectors)), dimensions), refcheck=False)
                vectors[len(known)] = values
                known[word] = len(known)
        if seen == limit or (wanted is not None and len(known) == len(wanted)):
            break
    if not known:
        raise DataError(f"{name} has none of the words asked for" if wanted is not None else f"{name} has no words")
    if again:
        warnings.warn(f"{name}: {again:,} words stand more than once: the first counts", DataWarning, stacklevel=4)
    vectors.resize((len(known), dimensions), refcheck=False)
    return list(known), vectors
