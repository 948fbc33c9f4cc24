"""Reads numbers as people and programs write them."""

from __future__ import annotations

import math
import re
import unicodedata
from decimal import Decimal
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import SchemaProblem
from crmkit.records._cells import NOT_FINITE, NOT_WHOLE, Converted, distinct, is_missing_text

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.records._schema import Column

__all__ = ["as_numbers"]

NOT_A_NUMBER = "not a number"

_POINT = re.compile(r"[+-]?(\d{1,3}(,\d{3})+|\d+)(\.\d*)?\Z|[+-]?\.\d+\Z")
_COMMA = re.compile(r"[+-]?(\d{1,3}([. ]\d{3})+|\d+)(,\d*)?\Z")
# Only a comma that is not followed by exactly three digits shows that it is a decimal comma.
_SHOWS_COMMA = re.compile(r",(\d{0,2}|\d{4,})\Z|\..*,|\d \d{3}.*,")
_SIGNS = re.compile(r"[£$€¥₹₩₽]|元|円")
_INFINITE = re.compile(r"[+-]?inf(inity)?\Z", re.IGNORECASE)


def as_numbers(column: pd.Series, spec: Column) -> Converted:
    """Bring a column to float64.

    Text may have thousands separators, a currency sign, full-width digits, a minus behind, or parentheses for a
    negative. Decimal commas are recognised for the column as a whole, and told; what is infinite or outside the
    column's range is wrong.
    """
    dtype = column.dtype
    notes: list[str] = []
    fatal: list[SchemaProblem] = []
    if pd.api.types.is_numeric_dtype(dtype) and not pd.api.types.is_bool_dtype(dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        missing = np.isnan(values)
        unreadable = np.zeros(len(values), dtype=bool)
    else:
        codes, found = distinct(column)
        numbers, states = _read(found, spec, notes, fatal)
        values = np.append(numbers, np.nan)[codes]
        state = np.append(states, "missing")[codes]
        missing, unreadable = state == "missing", state == "unreadable"
    infinite = np.isinf(values)
    wrong = {NOT_A_NUMBER: unreadable, NOT_FINITE: infinite}
    finite = ~(missing | unreadable | infinite)
    with np.errstate(invalid="ignore"):
        if spec.dtype == "integer":
            wrong[NOT_WHOLE] = finite & (values != np.floor(values))
        if spec.low is not None:
            wrong[f"below {spec.low:g}"] = finite & (values < spec.low)
        if spec.high is not None:
            wrong[f"above {spec.high:g}"] = finite & (values > spec.high)
    wrong = {reason: np.asarray(mask, dtype=bool) for reason, mask in wrong.items() if mask.any()}
    values = np.where(finite, values, np.nan)
    return Converted(pd.Series(values), np.asarray(missing, dtype=bool), wrong, notes, fatal)


def _read(
    found: list[Any], spec: Column, notes: list[str], fatal: list[SchemaProblem]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.object_]]:
    """Read the distinct cells of a column that is not numeric."""
    numbers = np.full(len(found), np.nan)
    states = np.full(len(found), "unreadable", dtype=object)
    texts: dict[int, str] = {}
    for place, cell in enumerate(found):
        if isinstance(cell, str):
            if is_missing_text(cell):
                states[place] = "missing"
            else:
                texts[place] = cell
        elif isinstance(cell, int | float | np.integer | np.floating | Decimal) and not isinstance(cell, bool):
            numbers[place], states[place] = _as_float(cell), "read"
    places = np.fromiter(texts, dtype=np.intp, count=len(texts))
    cleaned, symbols = _clean(list(texts.values()))
    if len(symbols) > 1:
        fatal.append(SchemaProblem(spec.name, f"{len(symbols)} different currency signs stand in one column"))
    read, comma = _parse(cleaned)
    if comma:
        notes.append(f"{spec.name}: read with decimal commas")
    numbers[places] = read
    states[places[~np.isnan(read)]] = "read"
    return numbers, states


def _as_float(number: Any) -> float:
    """Give a number as a float; one too large for any is infinite."""
    try:
        return float(number)
    except OverflowError:
        return math.inf


def _clean(texts: list[str]) -> tuple[list[str], set[str]]:
    """Take off what is no digit: width, currency signs, parentheses for a negative, a minus behind."""
    symbols: set[str] = set()
    cleaned = []
    for text in texts:
        plain = unicodedata.normalize("NFKC", text).replace("\u2212", "-").strip()
        if not (plain.isascii() and plain.replace(".", "", 1).isdigit()):
            signs = _SIGNS.findall(plain)
            symbols.update("¥" if sign in "元円" else sign for sign in signs)
            plain = _SIGNS.sub("", plain).replace("'", "").replace("\u00a0", " ").strip()
            if plain.startswith("(") and plain.endswith(")"):
                plain = "-" + plain[1:-1].strip()
            elif plain.endswith("-"):
                plain = "-" + plain[:-1].strip()
            plain = re.sub(r"^([+-])\s+", r"\1", plain)
        cleaned.append(plain)
    return cleaned, symbols


def _parse(texts: list[str]) -> tuple[npt.NDArray[np.float64], bool]:
    """Read cleaned texts with decimal points, or with decimal commas where all are so and one of them shows it."""
    quick = pd.to_numeric(pd.Series(texts, dtype=object), errors="coerce").to_numpy(dtype=np.float64)
    numbers = np.array(quick, dtype=np.float64)
    rest = [place for place in np.flatnonzero(np.isnan(numbers)) if not _INFINITE.match(texts[place])]
    if not rest:
        return numbers, False
    shown = any(_SHOWS_COMMA.search(texts[place]) for place in rest)
    readable = [text for text in texts if any(character.isdigit() for character in text)]
    comma = shown and all(_COMMA.match(text) for text in readable)
    pattern = _COMMA if comma else _POINT
    for place in range(len(texts)) if comma else rest:
        text = texts[place]
        if pattern.match(text):
            digits = text.replace(".", "").replace(" ", "").replace(",", ".") if comma else text.replace(",", "")
            numbers[place] = float(digits)
    return numbers, comma
