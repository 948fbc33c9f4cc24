"""Draws a table whose cells are shaded around a middle."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.html import cell
from crmkit.pictures._axes import EM, LONG, finite, headers, margin, plain
from crmkit.pictures._sketch import COLOURS, INK, Picture, Sketch, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

__all__ = ["heat_map"]

_NARROWEST = 0.62  # inches that a figure such as 10,809 needs
_ROW = 0.34


def heat_map(
    shade: pd.DataFrame, text: pd.DataFrame, *, title: str, n: str, key: str, full: float | None = None
) -> Picture:
    """Draw a table whose cells are shaded around a middle: darker blue above it, darker orange below.

    Parameters
    ----------
    shade : DataFrame of shape (n_rows, n_columns)
        Values around 0. A missing one stays white.
    text : DataFrame of the same shape
        What is written in each cell.
    title : str
        What is shown.
    n : str
        How many of what the figures rest on.
    key : str
        What the shade means, added to the title.
    full : float or None, default=None
        The absolute value from which on a cell has the full colour; None: the largest there is. Give it where the
        scale has an end of its own, so that small differences look small.

    Returns
    -------
    Picture
        The picture; from about eight columns on it is wider, and headers that do not fit stand aslant.

    Raises
    ------
    DataError
        If the two frames differ in shape, or ``full`` is not positive.
    MissingExtraError
        Without matplotlib.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.pictures import heat_map
    >>> shade = pd.DataFrame({"recency_days": [1.0, -1.0]}, index=["lost", "loyal"])
    >>> heat_map(shade, shade, title="Medians", n="9 customers", key="blue is more").n
    '9 customers'
    """
    if shade.shape != text.shape:
        raise DataError(f"shade and text must have one shape, got {shade.shape} and {text.shape}")
    rows, columns = [str(label) for label in shade.index], [str(label) for label in shade.columns]
    numbers = finite(shade.to_numpy(dtype=object), title).reshape(len(rows), len(columns))
    largest = float(np.nanmax(np.abs(numbers), initial=0.0)) if np.isfinite(numbers).any() else 0.0
    if full is not None and not 0 < full < math.inf:
        raise DataError(f"full must be a positive number, got {full!r}")
    strengths = np.clip(np.abs(numbers) / (full or largest or 1.0), 0.0, 1.0)
    written = [[cell(plain(value)) for value in line] for line in text.to_numpy(dtype=object).tolist()]
    left = margin(rows, LONG)
    width = max(7.2, left + 0.1 + _NARROWEST * len(columns))
    wide = (width - left - 0.1) / max(1, len(columns))
    room = wide / EM - 0.8
    above, aslant = headers(columns, wide)
    right = 0.1
    if aslant:
        # The last header leans out of the table.
        right = max(0.1, min(width_of(columns[-1]), LONG) * EM * 0.8 - wide / 2)
        wide = (width - left - right) / len(columns)
        room = wide / EM - 0.8
    sketch = Sketch(max(1, len(rows)) * _ROW + above + 0.1, left, right, above, 0.1, width)
    for row in range(len(rows)):
        for column in range(len(columns)):
            value, strength = numbers[row, column], float(strengths[row, column])
            colour = _blend(COLOURS[0] if value > 0 else COLOURS[1], 0.0 if math.isnan(strength) else strength)
            sketch.axes.fill_between([column, column + 0.98], row - 0.47, row + 0.47, color=colour, linewidth=0)
            ink = "#ffffff" if strength > 0.72 and value > 0 else INK
            content = sketch.label(written[row][column], room + 0.5)
            sketch.axes.text(column + 0.49, row, content, ha="center", va="center", fontsize=9, color=ink)
    sketch.axes.set_xlim(0, max(1, len(columns)))
    sketch.axes.set_ylim(max(1, len(rows)) - 0.5, -0.5)
    sketch.axes.spines["bottom"].set_visible(False)
    sketch.axes.xaxis.tick_top()
    _name_columns(sketch, columns, aslant=aslant, room=room)
    sketch.axes.set_yticks(range(len(rows)), [sketch.label(name, LONG) for name in rows])
    told = "; ".join(
        f"{name}: " + ", ".join(f"{column} {value}" for column, value in zip(columns, line, strict=True))
        for name, line in zip(rows, written, strict=True)
    )
    title = f"{title} – {key}"
    return sketch.picture(title=title, alt=f"{title}. {told}", n=n)


def _name_columns(sketch: Sketch, columns: Sequence[str], *, aslant: bool, room: float) -> None:
    """Write the headers above the table."""
    places = np.arange(len(columns)) + 0.49
    if not aslant:
        sketch.axes.set_xticks(places, [sketch.label(name, room + 0.5) for name in columns])
        return
    sketch.axes.set_xticks([])
    for place, name in zip(places, columns, strict=True):
        sketch.axes.text(
            place, -0.62, sketch.label(name, LONG), rotation=35, rotation_mode="anchor", ha="left", va="baseline",
            fontsize=9, color=INK,
        )  # fmt: skip


def _blend(colour: str, strength: float) -> str:
    """Mix a colour with white."""
    parts = [round(255 - (255 - int(colour[at : at + 2], 16)) * (0.08 + 0.92 * strength)) for at in (1, 3, 5)]
    return "#ffffff" if strength == 0 else "#" + "".join(f"{part:02x}" for part in parts)
