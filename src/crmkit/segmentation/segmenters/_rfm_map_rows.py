"""Reads a segment map: a built-in one by its name, a table, rows, or a file."""

from __future__ import annotations

import math
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.segmentation.segmenters._rfm_maps import MAPS, built_in_map

if TYPE_CHECKING:
    from collections.abc import Mapping

    from crmkit.segmentation.segmenters._rfm_partition import Dimensions

__all__ = ["read_map"]

_FREE = frozenset({"description"})
NO_WORTH = "worth needs as many scores in every column but recency"


def read_map(segments: Any, dimensions: Dimensions, language: str) -> list[dict[str, Any]]:
    """Give the rows of a map.

    Parameters
    ----------
    segments : str, path, table or list of dict
        A built-in map's name; a CSV, Parquet or TOML file; or the rows.
    dimensions : Dimensions
        The scores there are.
    language : str
        Of a built-in map's names.

    Returns
    -------
    list of dict
        Without missing values; whole numbers as such.

    Raises
    ------
    DataError
        If it cannot be read, or a row has no segment.
    """
    if isinstance(segments, str) and (segments in MAPS or not Path(segments).suffix):
        sizes = dimensions.named_sizes()
        made = built_in_map(segments, sizes, language)
        asked = dict.fromkeys(column.rpartition("_")[0] for row in made for column in row if column != "segment")
        lacking = [part for part in asked if part not in sizes]
        if lacking:
            why = f" ({NO_WORTH})" if lacking == ["worth"] else ""
            raise DataError(f"the segment map {segments!r} asks for scores of {', '.join(lacking)}, which the columns "
                            f"do not have{why}")  # fmt: skip
        return made
    rows: list[Any]
    if isinstance(segments, str | Path) and Path(segments).suffix.lower() == ".toml":
        rows = _read_toml(Path(segments))
    elif isinstance(segments, list | tuple):
        rows = list(segments)
        if not all(hasattr(row, "items") for row in rows):
            raise DataError("segments as a list must hold one dict a row, such as {'segment': 'best', 'worth_low': 4}")
    else:
        rows = as_frame(segments, what="segment map").to_dict("records")
    if not rows:
        raise DataError("the segment map has no rows")
    problems: list[str] = []
    read = [_read_row(row, place, dimensions, problems) for place, row in enumerate(rows)]
    if problems:
        raise DataError(f"the segment map cannot be used: {'; '.join(problems)}")
    return read


def _read_toml(path: Path) -> list[Any]:
    """Read the array of tables ``[[segments]]``."""
    if not path.exists():
        raise DataError(f"segment map: there is no file {path}")
    try:
        rows = tomllib.loads(path.read_text(encoding="utf-8")).get("segments")
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise DataError(f"segment map: {path.name} is no TOML in UTF-8: {error}") from None
    if not isinstance(rows, list) or not all(isinstance(row, dict) for row in rows):
        raise DataError(f"segment map: {path.name} needs one [[segments]] for each row")
    return rows


def _read_row(row: Mapping[Any, Any], place: int, dimensions: Dimensions, problems: list[str]) -> dict[str, Any]:
    """Read one row, adding what is wrong with it to the problems."""
    sizes = dimensions.named_sizes()
    known = {f"{part}_{end}": part for part in sizes for end in ("low", "high")}
    read: dict[str, Any] = {}
    for column, value in row.items():
        if _missing(value):
            continue
        if column in {"segment", "where", *_FREE}:
            if not isinstance(value, str):
                problems.append(f"row {place}: {column} must be text, got {type(value).__name__}")
            else:
                read[column] = value.strip()
        elif column not in known:
            apart = column in {"worth_low", "worth_high"}
            reason = NO_WORTH if apart else (
                f"there is no column {column!r}; there are: segment, where, description, {', '.join(known)}"
            )  # fmt: skip
            problems.append(f"row {place}: {reason}")
        else:
            read[column] = _whole(value)
            if read[column] is None or not 1 <= read[column] <= sizes[known[column]]:
                problems.append(f"row {place}: {column} must be a whole number, 1 to {sizes[known[column]]}")
                read[column] = 1
    if "segment" not in read:
        problems.append(f"row {place} has no segment")
    problems.extend(
        f"row {place}: {part}_low is above {part}_high"
        for part in sizes
        if read.get(f"{part}_low", 1) > read.get(f"{part}_high", sizes[part])
    )
    return read


def _missing(value: Any) -> bool:
    """Say whether a field is left open: None, NaN or blank."""
    if isinstance(value, str):
        return not value.strip()
    # Missing values of pandas are unlike themselves, or refuse to say.
    return value is None or (isinstance(value, float) and math.isnan(value)) or type(value).__name__ == "NAType"


def _whole(value: Any) -> int | None:
    """Give a whole number, from text too, as a CSV file has it."""
    if isinstance(value, str):
        try:
            value = float(value)
        except ValueError:
            return None
    if isinstance(value, bool | np.bool_) or not isinstance(value, int | float | np.integer | np.floating):
        return None
    return int(value) if float(value).is_integer() else None
