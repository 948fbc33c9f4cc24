"""Draws one line a group over columns of one scale."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.html import cell
from crmkit.pictures._axes import EM, LONG, finite, headers, plain
from crmkit.pictures._sketch import COLOURS, INK, Picture, Sketch, shorten, width_of

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

__all__ = ["snake"]

_MARKERS = ("o", "s", "^", "D", "v", "P")
_DASHES: tuple[Any, ...] = ("solid", (0, (5, 2)), (0, (1, 1.2)))
_NARROWEST = 0.55
_LINE = 0.2  # inches of one line of the legend
_LONGEST = 42.0  # ems of a name in the legend, which may have a line to itself
# Beyond this a few far values would press all other lines together.
_LINEAR = 6.0


def snake(
    values: pd.DataFrame, *, title: str, n: str, y_label: str, middle: str = "", scale: str = "auto", most: int = 12
) -> Picture:
    """Draw a snake plot: one line a row, one place a column, all on one scale around 0.

    Rows are groups, columns what they are measured by, brought to one scale beforehand (standardized means, robust z,
    effect sizes): where lines part, groups differ.

    Parameters
    ----------
    values : DataFrame of shape (n_rows, n_columns)
        Values around 0. A missing one breaks the line and is told in the words.
    title : str
        What is shown.
    n : str
        How many of what the figures rest on.
    y_label : str
        What the height means, with its unit.
    middle : str, default=""
        What stands at 0, such as "everybody".
    scale : {"auto", "linear", "signed-log"}, default="auto"
        ``"signed-log"`` draws the inverse hyperbolic sine: as it is near 0, logarithmic far from it. ``"auto"`` takes
        it where a value is beyond 6, because a few far values would press all other lines together; the label says so.
    most : int, default=12
        Draw the first so many rows and say so in the title.

    Returns
    -------
    Picture
        Lines differ in colour, marker and dashes; the legend stands below.

    Raises
    ------
    DataError
        If a value is infinite or the scale is not known.
    MissingExtraError
        Without matplotlib.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.pictures import snake
    >>> values = pd.DataFrame({"recency": [-0.4, 1.5], "visits": [1.25, -0.5]}, index=["loyal", "lost"])
    >>> snake(values, title="Segments", n="9 customers", y_label="robust z").alt
    'Segments: loyal: recency -0.4, visits 1.25; lost: recency 1.50, visits -0.5'
    """
    if scale not in {"auto", "linear", "signed-log"}:
        raise DataError(f"scale must be 'auto', 'linear' or 'signed-log', got {scale!r}")
    if len(values) > most:
        title = f"{title} – {most} / {len(values):,}"
        values = values.iloc[:most]
    rows, columns = [str(label) for label in values.index], [str(label) for label in values.columns]
    numbers = finite(values.to_numpy(dtype=object), title).reshape(len(rows), len(columns))
    known = numbers[np.isfinite(numbers)]
    bent = scale == "signed-log" or (scale == "auto" and bool(len(known)) and float(np.abs(known).max()) > _LINEAR)
    heights = np.arcsinh(numbers) if bent else numbers
    left, right = 0.6, 0.25
    width = max(7.2, left + right + _NARROWEST * len(columns))
    wide = (width - left - right) / max(1, len(columns))
    below, aslant = headers(columns, wide)
    if aslant:
        # The first name leans out of the axes.
        left = max(left, min(width_of(columns[0]), LONG) * EM * 0.9 - wide / 2)
        wide = (width - left - right) / len(columns)
    placed, lines = _legend_places(rows, width - left - right)
    legend = lines * _LINE + 0.12
    sketch = Sketch(0.35 + 2.9 + below + legend, left, right, 0.35, below + legend, width)
    sketch.grid("y")
    sketch.axes.axhline(0.0, color=INK, linewidth=1.0)
    places = np.arange(len(columns), dtype=np.float64)
    for row, height in enumerate(heights):
        sketch.axes.plot(places, height, **_look(row))
    sketch.axes.set_xlim(-0.5, max(1, len(columns)) - 0.5)
    _heights(sketch, np.append(known, 0.0), bent=bent)
    _name_columns(sketch, columns, aslant=aslant, room=wide / EM - 0.6)
    label = f"{y_label} (asinh)" if bent else y_label
    above = {"transform": sketch.axes.transAxes, "fontsize": 9, "color": INK, "va": "bottom"}
    sketch.axes.text(0, 1.03, sketch.label(label, 60), ha="left", **above)
    if middle:
        at = sketch.axes.get_yaxis_transform()
        sketch.axes.text(0, 0.0, sketch.label(middle, 12), transform=at, ha="left", va="bottom", fontsize=8, color=INK)
    _legend(sketch, rows, placed, below)
    told = "; ".join(
        f"{name}: " + ", ".join(f"{column} {cell(plain(value))}" for column, value in zip(columns, line, strict=True))
        for name, line in zip(rows, numbers, strict=True)
    )
    return sketch.picture(title=title, alt=f"{title}: {told}", n=n)


def _look(row: int) -> dict[str, Any]:
    """Give the looks of a line; all three parts differ from its neighbors', so that grey print tells them apart."""
    return {
        "color": COLOURS[row % len(COLOURS)],
        "marker": _MARKERS[row % len(_MARKERS)],
        "linestyle": _DASHES[row // len(COLOURS) % len(_DASHES)],
        "linewidth": 1.8,
        "markersize": 5,
    }


def _heights(sketch: Sketch, known: npt.NDArray[np.float64], *, bent: bool) -> None:
    """Set limits and name heights in the values' own unit."""
    from matplotlib.ticker import MaxNLocator

    drawn = np.arcsinh(known) if bent else known
    low, high = float(drawn.min()), float(drawn.max())
    room = 0.06 * ((high - low) or 1.0)
    sketch.axes.set_ylim(low - room, high + room)
    if bent:
        named = [*(-mark for mark in reversed(_marks(-known.min()))), 0, *_marks(known.max())]
        sketch.axes.set_yticks(np.arcsinh(named), [sketch.label(f"{value:,}") for value in named])
        return
    ticks = [
        tick for tick in MaxNLocator(6, steps=[1, 2, 5, 10]).tick_values(low, high) if low - room <= tick <= high + room
    ]
    spread = (ticks[1] - ticks[0]) if len(ticks) > 1 else 1.0
    digits = max(0, min(6, -math.floor(math.log10(spread) + 1e-9))) if spread < 1 else int(spread % 1 != 0)
    sketch.axes.set_yticks(ticks, [sketch.label(f"{tick:,.{digits}f}") for tick in ticks])


def _marks(end: float) -> list[float]:
    """Give round numbers up to an end, few enough to be read."""
    marks: list[float] = [base * 10**power for power in range(16) for base in (1, 2, 5)]
    near = [mark for mark in marks if mark <= end]
    if not near:
        return [0.5] if end >= 0.5 else []
    return near[:: 1 if len(near) <= 7 else -(-len(near) // 6)]


def _name_columns(sketch: Sketch, columns: Sequence[str], *, aslant: bool, room: float) -> None:
    """Write the columns below the axes."""
    sketch.axes.set_xticks(range(len(columns)), [""] * len(columns))
    size = sketch.figure.get_size_inches()[1] * sketch.axes.get_position().height
    options: dict[str, Any] = {"ha": "center", "va": "top"}
    if aslant:
        options = {"ha": "right", "va": "center_baseline", "rotation": 35, "rotation_mode": "anchor"}
    for place, name in enumerate(columns):
        sketch.axes.text(
            place, -0.12 / size, sketch.label(name, LONG if aslant else room), fontsize=9, color=INK,
            transform=sketch.axes.get_xaxis_transform(), **options,
        )  # fmt: skip


def _legend_places(rows: Sequence[str], width: float) -> tuple[list[tuple[float, int]], int]:
    """Give each name of the legend its distance from the left, in inches, and its line."""
    widest = max((width_of(shorten(name, _LONGEST)) for name in rows), default=0.0) * EM + 0.85
    across = max(1, int(width // widest))
    lines = -(-len(rows) // across)
    return [((row // max(1, lines)) * widest, row % max(1, lines)) for row in range(len(rows))], lines


def _legend(sketch: Sketch, rows: Sequence[str], placed: Sequence[tuple[float, int]], below: float) -> None:
    """Draw a piece of each line with its name, below the columns."""
    inches = sketch.figure.get_size_inches()
    position = sketch.axes.get_position()
    wide, high = inches[0] * position.width, inches[1] * position.height
    for row, (name, (at, line)) in enumerate(zip(rows, placed, strict=True)):
        down = -(below + 0.1 + line * _LINE) / high
        across = {"transform": sketch.axes.transAxes, "clip_on": False}
        look = _look(row)
        sketch.axes.plot([at / wide, (at + 0.55) / wide], [down, down], **{**look, "marker": "None"}, **across)
        sketch.axes.plot([(at + 0.275) / wide], [down], **{**look, "linestyle": "None"}, **across)
        sketch.axes.text(
            (at + 0.65) / wide, down, sketch.label(name, _LONGEST), va="center", fontsize=9, color=INK,
            transform=sketch.axes.transAxes,
        )  # fmt: skip
