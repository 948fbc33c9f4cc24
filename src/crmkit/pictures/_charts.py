"""Draws bars, curves and intervals."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.html import cell
from crmkit.pictures._axes import finite, margin, name_rows, number_ticks, plain, ticks
from crmkit.pictures._sketch import COLOURS, INK, Picture, Sketch

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from crmkit.core.estimate import Estimate

__all__ = ["bars", "curve", "intervals"]


def bars(
    values: pd.DataFrame | pd.Series | Mapping[str, float],
    *,
    title: str,
    n: str,
    write: Callable[[float], str] = cell,
    most: int = 25,
) -> Picture:
    """Draw horizontal bars, one a row, or one a row and column of a frame with up to four columns.

    Parameters
    ----------
    values : Series, mapping, or DataFrame of shape (n_rows, n_columns)
        Numbers by label, drawn from the top in the order given; a frame gets a legend of its columns.
    title : str
        What is shown, with its unit.
    n : str
        How many of what the figures rest on.
    write : callable, default=core.html.cell
        Turns a value into the text beside its bar.
    most : int, default=25
        Draw the first so many rows and say so in the title.

    Returns
    -------
    Picture
        A missing value has no bar and reads as a dash.

    Raises
    ------
    DataError
        If a value is infinite.
    MissingExtraError
        Without matplotlib.

    Examples
    --------
    >>> from crmkit.pictures import bars
    >>> bars({"退款": 12, "call": 3}, title="Cases by remedy", n="15 cases").alt
    'Cases by remedy: 退款 12; call 3'
    """
    import pandas as pd

    frame = values if isinstance(values, pd.DataFrame) else pd.Series(values, dtype=object).to_frame("")
    if len(frame) > most:
        title = f"{title} – {most} / {len(frame):,}"
        frame = frame.iloc[:most]
    labels = [str(label) for label in frame.index]
    columns = [str(column) for column in frame.columns]
    numbers = finite(frame.to_numpy(dtype=object), title).reshape(len(labels), len(columns))
    thick = 0.8 / max(1, len(columns))
    top = 0.34 if len(columns) > 1 else 0.08
    sketch = Sketch(max(0.6, len(labels) * (0.18 + 0.13 * len(columns))) + top + 0.3, margin(labels), 0.75, top, 0.3)
    largest = float(np.nanmax(np.abs(numbers), initial=0.0)) if np.isfinite(numbers).any() else 0.0
    for place, column in enumerate(columns):
        at = np.arange(len(labels)) + (place - (len(columns) - 1) / 2) * thick
        shown = np.nan_to_num(numbers[:, place])
        sketch.axes.barh(at, shown, height=thick * 0.88, color=COLOURS[place % len(COLOURS)])
        for where, length, value in zip(at, shown, numbers[:, place], strict=True):
            sketch.write(max(length, 0.0) + largest * 0.012, where, write(plain(value)))
        del column
    name_rows(sketch, labels)
    sketch.axes.set_xlim(min(0.0, float(np.nanmin(numbers, initial=0.0))) * 1.02, (largest or 1.0) * 1.02)
    ticks(sketch, write)
    if len(columns) > 1:
        sketch.legend(columns)
    told = "; ".join(
        f"{label} "
        + ", ".join(f"{column} {write(plain(value))}".strip() for column, value in zip(columns, row, strict=True))
        for label, row in zip(labels, numbers, strict=True)
    )
    return sketch.picture(title=title, alt=f"{title}: {told}", n=n)


def curve(
    x: Sequence[float],
    y: Sequence[float],
    *,
    title: str,
    n: str,
    x_label: str,
    y_label: str,
    mark: float | None = None,
    mark_label: str = "",
) -> Picture:
    """Draw one quantity against another, each computed point as a dot.

    Parameters
    ----------
    x, y : sequence of float, shape (n_points,)
        The points; drawn in the order of ``x``. A point with a missing ``y`` is left out and said in words.
    title : str
        What is shown.
    n : str
        How many of what the figures rest on.
    x_label, y_label : str
        What the axes are, with units.
    mark : float or None
        A place on the x axis to mark, such as today's budget.
    mark_label : str, default=""
        What stands at that place.

    Returns
    -------
    Picture
        The picture.

    Raises
    ------
    DataError
        If x and y differ in length or a value is infinite.
    MissingExtraError
        Without matplotlib.

    Examples
    --------
    >>> from crmkit.pictures import curve
    >>> curve([1, 2], [10, 15], title="What if", n="9 cases", x_label="budget", y_label="value").alt
    'What if: budget 1: value 10; budget 2: value 15'
    """
    across, up = finite(x, title), finite(y, title)
    if across.shape != up.shape:
        raise DataError(f"x and y must be of one length, got {len(across)} and {len(up)}")
    order = np.argsort(across, kind="stable")
    across, up = across[order], up[order]
    known = ~np.isnan(up)
    sketch = Sketch(3.0, 0.95, 0.35, 0.35, 0.6)
    sketch.grid("both")
    sketch.axes.plot(across[known], up[known], color=COLOURS[0], linewidth=2, marker="o", markersize=5)
    if mark is not None and math.isfinite(mark):
        sketch.axes.axvline(mark, color=COLOURS[1], linewidth=1.2, linestyle=(0, (4, 3)))
        sketch.axes.text(
            mark, 1.03, sketch.label(mark_label, 24), transform=sketch.axes.get_xaxis_transform(), fontsize=9,
            color=INK, ha="center", va="bottom",
        )  # fmt: skip
    for where, axis in ((across, sketch.axes.xaxis), (up[known], sketch.axes.yaxis)):
        number_ticks(axis, where)
    sketch.axes.set_xlabel(sketch.label(x_label, 40), color=INK)
    sketch.axes.text(
        0,
        1.03,
        sketch.label(y_label, 24),
        transform=sketch.axes.transAxes,
        fontsize=9,
        color=INK,
        ha="left",
        va="bottom",
    )
    told = "; ".join(f"{x_label} {cell(plain(a))}: {y_label} {cell(plain(b))}" for a, b in zip(across, up, strict=True))
    return sketch.picture(title=title, alt=f"{title}: {told}", n=n)


def intervals(estimates: Mapping[str, Estimate], *, title: str, n: str) -> Picture:
    """Draw estimates as dots with their intervals.

    Parameters
    ----------
    estimates : mapping of str to Estimate
        Figures of one unit, drawn from the top in the order given.
    title : str
        What is shown.
    n : str
        How many of what the figures rest on.

    Returns
    -------
    Picture
        An estimate without an interval is a dot alone; its text says so.

    Raises
    ------
    MissingExtraError
        Without matplotlib.

    Examples
    --------
    >>> from crmkit import Estimate
    >>> from crmkit.pictures import intervals
    >>> accuracy = Estimate(0.9, n=100, low=0.82, high=0.95, method="wilson")
    >>> intervals({"accuracy": accuracy}, title="Scores", n="100 messages").alt
    'Scores: accuracy 0.9 (0.82 to 0.95, n = 100)'
    """
    names = list(estimates)
    sketch = Sketch(max(0.6, 0.3 * len(names)) + 0.4, margin(names), 1.75, 0.08, 0.3)
    sketch.grid()
    values = np.array([[float(e), e.low, e.high] for e in estimates.values()], dtype=np.float64).reshape(-1, 3)
    values[~np.isfinite(values)] = np.nan
    known = values[np.isfinite(values)]
    low, high = (float(known.min()), float(known.max())) if len(known) else (0.0, 1.0)
    spread = (high - low) or abs(high) or 1.0
    for row, (value, start, end) in enumerate(values):
        if np.isfinite([start, end]).all():
            sketch.axes.plot([start, end], [row, row], color=COLOURS[0], linewidth=2.4, solid_capstyle="butt")
        if np.isfinite(value):
            sketch.axes.plot([value], [row], marker="o", markersize=6, color=COLOURS[0])
        sketch.axes.text(
            1.02, row, sketch.label(_told(value, start, end), 24), transform=sketch.axes.get_yaxis_transform(),
            fontsize=8.5, color=INK, va="center",
        )  # fmt: skip
    name_rows(sketch, names)
    sketch.axes.set_xlim(low - 0.06 * spread, high + 0.06 * spread)
    number_ticks(sketch.axes.xaxis, known)
    told = "; ".join(
        f"{name} {cell(plain(row[0]))} ({cell(plain(row[1]))} to {cell(plain(row[2]))}, n = {estimate.n:,})"
        for (name, estimate), row in zip(estimates.items(), values, strict=True)
    )
    return sketch.picture(title=title, alt=f"{title}: {told}", n=n)


def _told(value: float, low: float, high: float) -> str:
    """Write a figure and its interval."""
    return f"{cell(plain(value))} [{cell(plain(low))}, {cell(plain(high))}]"
