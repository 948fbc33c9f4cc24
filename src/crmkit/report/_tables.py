"""Tables of a report: a frame as accessible HTML, with every value escaped and the rows left out counted."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.estimate import Estimate
from crmkit.core.html import cell, element, escape

if TYPE_CHECKING:
    from crmkit.report._words import Words

__all__ = ["frame_html", "is_share", "pairs_html"]


def is_share(name: str, values: pd.Series) -> bool:
    """Say whether a column holds shares, by its name and its values."""
    if not any(word in ("share", "rate", "coverage") for word in str(name).lower().replace("-", "_").split("_")):
        return False
    if not pd.api.types.is_float_dtype(values.dtype):
        return False
    known = values.dropna()
    return bool(len(known)) and bool(known.between(0, 1).all())


def frame_html(frame: pd.DataFrame, words: Words, *, caption: str, most: int = 50) -> str:
    """Write a frame as a table in a box that scrolls on narrow screens.

    Parameters
    ----------
    frame : DataFrame
        The table; its index is the row header unless it is a plain range.
    words : Words
        The report's language.
    caption : str
        What the table shows.
    most : int, default=50
        Rows to show; the caption says how many there are in all.

    Returns
    -------
    str
        HTML.
    """
    shown = frame.iloc[:most]
    if len(frame) > most:
        caption = f"{caption} ({words('first_rows', shown=most, total=len(frame))})"
    elif len(frame) == 0:
        caption = f"{caption} ({words('no_rows')})"
    with_index = not isinstance(frame.index, pd.RangeIndex)
    index_names = [str(name) if name is not None else "" for name in frame.index.names] if with_index else []
    columns = [_column_name(name) for name in frame.columns]
    heads = [element("th", escape(name), scope="col") for name in [*index_names, *columns]]
    shares = [is_share(name, frame.iloc[:, place]) for place, name in enumerate(columns)]
    body = []
    for row in range(len(shown)):
        cells = [
            element("th", escape(_text(key)), scope="row") for key in _keys(shown.index, row, with_index=with_index)
        ]
        for column, share in enumerate(shares):
            cells.append(_cell_html(shown.iloc[row, column], share=share))
        body.append(element("tr", "".join(cells)))
    table = element(
        "table",
        element("caption", escape(caption))
        + element("thead", element("tr", "".join(heads)))
        + element("tbody", "\n".join(body)),
    )
    return element("div", table, class_="scroll", role="region", tabindex="0", aria_label=caption).replace(
        " aria_label=", " aria-label=", 1
    )


def pairs_html(pairs: dict[str, Any], words: Words, *, caption: str, heads: tuple[str, str]) -> str:
    """Write names and single values as a table of two columns."""
    frame = pd.DataFrame({heads[1]: pd.Series(list(pairs.values()), dtype=object)})
    frame.index = pd.Index(list(pairs), name=heads[0], dtype=object)
    return frame_html(frame, words, caption=caption, most=len(frame) or 1)


def _column_name(name: Any) -> str:
    """Write a header; the levels of a nested one are joined."""
    return " · ".join(str(part) for part in name if str(part)) if isinstance(name, tuple) else str(name)


def _keys(index: pd.Index, row: int, *, with_index: bool) -> list[Any]:
    """Give the row's headers, one a level."""
    if not with_index:
        return []
    key = index[row]
    return list(key) if isinstance(index, pd.MultiIndex) else [key]


def _text(value: Any) -> str:
    """Write one value; a time to the second, a date without its midnight."""
    if isinstance(value, np.generic):
        value = value.item() if not isinstance(value, np.datetime64) else pd.Timestamp(value)
    if value is pd.NaT or value is pd.NA:
        return "–"
    if isinstance(value, pd.Timestamp):
        return value.strftime("%Y-%m-%d" if value == value.normalize() else "%Y-%m-%d %H:%M:%S")
    if isinstance(value, list | tuple | set | frozenset | dict | np.ndarray):
        return str(value)
    return cell(value)


def _cell_html(value: Any, *, share: bool) -> str:
    """Write one data cell; numbers stand at the right."""
    if isinstance(value, Estimate):
        return element("td", escape(f"{cell(value.value)} [{cell(value.low)}, {cell(value.high)}]"), class_="number")
    if isinstance(value, np.generic) and not isinstance(value, np.datetime64):
        value = value.item()
    number = isinstance(value, int | float) and not isinstance(value, bool)
    text = f"{value:.1%}" if share and number and value == value else _text(value)  # noqa: PLR0124 -- NaN is not itself
    return element("td", escape(text), class_="number") if number else element("td", escape(text))
