"""The pictures a report is made of; each says how many rows it rests on."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.core.html import cell
from crmkit.report._sketch import COLOURS, INK, Picture, Sketch, shorten, width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import pandas as pd

    from crmkit.core.estimate import Estimate

__all__ = ["bars", "curve", "heat_map", "intervals"]

_EM = 9 / 72  # one em of a label, in inches


def percent(value: float) -> str:
    """Write a share."""
    return "–" if value != value else f"{value:.1%}"  # noqa: PLR0124 -- only NaN differs from itself


def _margin(labels: Sequence[Any]) -> float:
    """Give the room that labels at the left need, in inches."""
    return max((width_of(shorten(label)) for label in labels), default=0.0) * _EM + 0.15


def _finite(values: Any, what: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give numbers as floats, refusing what a picture cannot place."""
    numbers = np.asarray(values, dtype=np.float64)
    if np.isinf(numbers).any():
        raise DataError(f"{what}: a picture cannot show an infinite value")
    return numbers


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
    >>> from crmkit.report import bars
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
    numbers = _finite(frame.to_numpy(dtype=object), title).reshape(len(labels), len(columns))
    thick = 0.8 / max(1, len(columns))
    top = 0.34 if len(columns) > 1 else 0.08
    sketch = Sketch(max(0.6, len(labels) * (0.18 + 0.13 * len(columns))) + top + 0.3, _margin(labels), 0.75, top, 0.3)
    largest = float(np.nanmax(np.abs(numbers), initial=0.0)) if np.isfinite(numbers).any() else 0.0
    for place, column in enumerate(columns):
        at = np.arange(len(labels)) + (place - (len(columns) - 1) / 2) * thick
        shown = np.nan_to_num(numbers[:, place])
        sketch.axes.barh(at, shown, height=thick * 0.88, color=COLOURS[place % len(COLOURS)])
        for where, length, value in zip(at, shown, numbers[:, place], strict=True):
            sketch.write(max(length, 0.0) + largest * 0.012, where, write(_plain(value)))
        del column
    _rows(sketch, labels)
    sketch.axes.set_xlim(min(0.0, float(np.nanmin(numbers, initial=0.0))) * 1.02, (largest or 1.0) * 1.02)
    _ticks(sketch, write)
    if len(columns) > 1:
        sketch.legend(columns)
    told = "; ".join(
        f"{label} "
        + ", ".join(f"{column} {write(_plain(value))}".strip() for column, value in zip(columns, row, strict=True))
        for label, row in zip(labels, numbers, strict=True)
    )
    return sketch.picture(title=title, alt=f"{title}: {told}", n=n)


def heat_map(shade: pd.DataFrame, text: pd.DataFrame, *, title: str, n: str, key: str) -> Picture:
    """Draw a table whose cells are shaded around a middle: darker blue above it, darker orange below.

    Parameters
    ----------
    shade : DataFrame of shape (n_rows, n_columns)
        Values around 0; the largest absolute value has the full colour. A missing one stays white.
    text : DataFrame of the same shape
        What is written in each cell.
    title : str
        What is shown.
    n : str
        How many of what the figures rest on.
    key : str
        What the shade means, added to the title.

    Returns
    -------
    Picture
        The picture.

    Raises
    ------
    DataError
        If the two frames differ in shape.
    MissingExtraError
        Without matplotlib.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.report import heat_map
    >>> shade = pd.DataFrame({"recency_days": [1.0, -1.0]}, index=["lost", "loyal"])
    >>> heat_map(shade, shade, title="Medians", n="9 customers", key="blue is more").n
    '9 customers'
    """
    if shade.shape != text.shape:
        raise DataError(f"shade and text must have one shape, got {shade.shape} and {text.shape}")
    rows, columns = [str(label) for label in shade.index], [str(label) for label in shade.columns]
    numbers = _finite(shade.to_numpy(dtype=object), title).reshape(len(rows), len(columns))
    largest = float(np.nanmax(np.abs(numbers), initial=0.0)) if np.isfinite(numbers).any() else 0.0
    left = _margin(rows)
    room = (7.2 - left - 0.1) / max(1, len(columns)) / _EM - 0.8
    sketch = Sketch(len(rows) * 0.34 + 0.45, left, 0.1, 0.35, 0.1)
    for row in range(len(rows)):
        for column in range(len(columns)):
            value = numbers[row, column]
            strength = 0.0 if largest == 0 or math.isnan(value) else abs(float(value)) / largest
            colour = _blend(COLOURS[0] if value > 0 else COLOURS[1], strength)
            sketch.axes.fill_between([column, column + 0.98], row - 0.47, row + 0.47, color=colour, linewidth=0)
            ink = "#ffffff" if strength > 0.72 and value > 0 else INK
            content = sketch.label(cell(_plain(text.iloc[row, column])), room)
            sketch.axes.text(column + 0.49, row, content, ha="center", va="center", fontsize=9, color=ink)
    sketch.axes.set_xlim(0, len(columns))
    sketch.axes.set_ylim(len(rows) - 0.5, -0.5)
    sketch.axes.spines["bottom"].set_visible(False)
    sketch.axes.xaxis.tick_top()
    sketch.axes.set_xticks(np.arange(len(columns)) + 0.49, [sketch.label(name, room) for name in columns])
    sketch.axes.set_yticks(range(len(rows)), [sketch.label(name) for name in rows])
    told = "; ".join(
        f"{name}: " + ", ".join(f"{column} {cell(_plain(value))}" for column, value in zip(columns, line, strict=True))
        for name, line in zip(rows, text.to_numpy(dtype=object).tolist(), strict=True)
    )
    title = f"{title} – {key}"
    return sketch.picture(title=title, alt=f"{title}. {told}", n=n)


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
    >>> from crmkit.report import curve
    >>> curve([1, 2], [10, 15], title="What if", n="9 cases", x_label="budget", y_label="value").alt
    'What if: budget 1: value 10; budget 2: value 15'
    """
    across, up = _finite(x, title), _finite(y, title)
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
        _number_ticks(axis, where)
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
    told = "; ".join(
        f"{x_label} {cell(_plain(a))}: {y_label} {cell(_plain(b))}" for a, b in zip(across, up, strict=True)
    )
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
    >>> from crmkit.report import intervals
    >>> accuracy = Estimate(0.9, n=100, low=0.82, high=0.95, method="wilson")
    >>> intervals({"accuracy": accuracy}, title="Scores", n="100 messages").alt
    'Scores: accuracy 0.9 (0.82 to 0.95, n = 100)'
    """
    names = list(estimates)
    sketch = Sketch(max(0.6, 0.3 * len(names)) + 0.4, _margin(names), 1.75, 0.08, 0.3)
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
    _rows(sketch, names)
    sketch.axes.set_xlim(low - 0.06 * spread, high + 0.06 * spread)
    _number_ticks(sketch.axes.xaxis, known)
    told = "; ".join(
        f"{name} {cell(_plain(row[0]))} ({cell(_plain(row[1]))} to {cell(_plain(row[2]))}, n = {estimate.n:,})"
        for (name, estimate), row in zip(estimates.items(), values, strict=True)
    )
    return sketch.picture(title=title, alt=f"{title}: {told}", n=n)


def _told(value: float, low: float, high: float) -> str:
    """Write a figure and its interval."""
    return f"{cell(_plain(value))} [{cell(_plain(low))}, {cell(_plain(high))}]"


def _plain(value: Any) -> Any:
    """Turn a numpy scalar into Python's own, and a whole float into an int, for writing."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def _blend(colour: str, strength: float) -> str:
    """Mix a colour with white."""
    parts = [round(255 - (255 - int(colour[at : at + 2], 16)) * (0.08 + 0.92 * strength)) for at in (1, 3, 5)]
    return "#ffffff" if strength == 0 else "#" + "".join(f"{part:02x}" for part in parts)


def _rows(sketch: Sketch, labels: Sequence[str]) -> None:
    """Name the rows at the left, the first at the top."""
    sketch.axes.set_yticks(range(len(labels)), [sketch.label(label) for label in labels])
    sketch.axes.set_ylim(len(labels) - 0.4, -0.6)


def _ticks(sketch: Sketch, write: Callable[[float], str]) -> None:
    """Name a few places on the x axis by the writer of the values."""
    from matplotlib.ticker import MaxNLocator

    low, high = sketch.axes.get_xlim()
    places = [place for place in MaxNLocator(5).tick_values(low, high) if low <= place <= high]
    sketch.axes.set_xticks(places, [sketch.label(write(_plain(float(place)))) for place in places])
    sketch.grid()


def _number_ticks(axis: Any, values: Any) -> None:
    """Write ticks with as many digits as tell them apart."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(5))
    spread = float(np.ptp(values)) if len(values) else 1.0
    digits = 0 if spread >= 5 else max(0, min(6, 1 - math.floor(math.log10(spread or 1.0))))
    axis.set_major_formatter(FuncFormatter(lambda place, _position: f"{place:,.{digits}f}"))
