"""Reads public files of several formats into tables, changing nothing in them."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core.errors import DataError
from crmkit.core.registry import require_extra

if TYPE_CHECKING:
    from pathlib import Path

__all__ = ["read"]


def read(path: Path, form: str, columns: tuple[str, ...] = ()) -> pd.DataFrame:
    """Read a file.

    Parameters
    ----------
    path : pathlib.Path
        The file.
    form : str
        ``"csv"``, ``"parquet"``, ``"words"`` (columns parted by spaces), ``"json-lines"``, ``"splits"`` (JSON with a
        list of text and label for each split) or ``"sessions"`` (tab-separated turns, an empty line between dialogues).
    columns : tuple of str
        Names of the columns, where the file has none.

    Returns
    -------
    pandas.DataFrame
        The table.

    Raises
    ------
    DataError
        If the format is not one of these.
    MissingExtraError
        If a Parquet file is read without pyarrow.
    """
    if form == "csv":
        return pd.read_csv(path, encoding="utf-8-sig", low_memory=False)
    if form == "parquet":
        require_extra("pyarrow", "engine", "reading Parquet")
        return pd.read_parquet(path)
    if form == "words":
        # Ids keep their leading zeros.
        names: Any = list(columns) or None
        return pd.read_csv(path, sep=r"\s+", names=names, header=None if columns else 0, dtype={0: str, 1: str})
    if form == "json-lines":
        lines = path.read_text(encoding="utf-8").split("\n")
        return pd.DataFrame([json.loads(line) for line in lines if line])
    if form == "splits":
        splits = json.loads(path.read_text(encoding="utf-8"))
        rows = [(text, label, split) for split, pairs in splits.items() for text, label in pairs]
        return pd.DataFrame(rows, columns=["text", "label", "split"])
    if form == "sessions":
        return _sessions(path)
    raise DataError(f"{path.name}: there is no reader for the format {form!r}")


def _sessions(path: Path) -> pd.DataFrame:
    """Read dialogues; conversation_id counts them from 0, turn counts within each."""
    rows = []
    conversation, turn = 0, 0
    for line in path.read_text(encoding="utf-8").split("\n"):
        if not line.strip():
            conversation, turn = conversation + (turn > 0), 0
            continue
        role, text, action, marks = line.split("\t")
        rows.append((conversation, turn, role, text, action, marks))
        turn += 1
    return pd.DataFrame(rows, columns=["conversation_id", "turn", "role", "text", "action", "satisfaction"])
