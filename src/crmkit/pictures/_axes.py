"""What every picture shares: how numbers are checked and written, and how places are named."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.pictures._sketch import shorten, width_of

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from crmkit.pictures._sketch import Sketch

__all__ = ["EM", "LONG", "finite", "headers", "margin", "name_rows", "number_ticks", "percent", "plain", "ticks"]

EM = 9 / 72  # one em of a label, in inches
LONG = 22.0  # ems of a label that has room


def percent(value: float) -> str:
    """Write a share."""
    return "–" if value != value else f"{value:.1%}"  # noqa: PLR0124 -- only NaN differs from itself


def margin(labels: Sequence[Any], most: float = LONG) -> float:
    """Give the room that labels at the left need, in inches."""
    return max((width_of(shorten(label, most)) for label in labels), default=0.0) * EM + 0.15


def headers(names: Sequence[str], wide: float) -> tuple[float, bool]:
    """Give the height that the names of columns need, in inches, and whether they must stand aslant to fit."""
    longest = max((width_of(shorten(name, LONG)) for name in names), default=0.0) * EM
    return (0.35, False) if longest <= wide - 0.05 else (0.3 + longest * 0.6, True)


def finite(values: Any, what: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Give numbers as floats, refusing what a picture cannot place."""
    numbers = np.asarray(values, dtype=np.float64)
    if np.isinf(numbers).any():
        raise DataError(f"{what}: a picture cannot show an infinite value")
    return numbers


def plain(value: Any) -> Any:
    """Turn a numpy scalar into Python's own, and a whole float into an int, for writing."""
    value = value.item() if isinstance(value, np.generic) else value
    return int(value) if isinstance(value, float) and value.is_integer() else value


def name_rows(sketch: Sketch, labels: Sequence[str]) -> None:
    """Name the rows at the left, the first at the top."""
    sketch.axes.set_yticks(range(len(labels)), [sketch.label(label, LONG) for label in labels])
    sketch.axes.set_ylim(len(labels) - 0.4, -0.6)


def ticks(sketch: Sketch, write: Callable[[float], str]) -> None:
    """Name a few places on the x axis by the writer of the values."""
    from matplotlib.ticker import MaxNLocator

    low, high = sketch.axes.get_xlim()
    places = [place for place in MaxNLocator(5).tick_values(low, high) if low <= place <= high]
    sketch.axes.set_xticks(places, [sketch.label(write(plain(float(place)))) for place in places])
    sketch.grid()


def number_ticks(axis: Any, values: Any) -> None:
    """Write ticks with as many digits as tell them apart."""
    from matplotlib.ticker import FuncFormatter, MaxNLocator

    axis.set_major_locator(MaxNLocator(5))
    spread = float(np.ptp(values)) if len(values) else 1.0
    digits = 0 if spread >= 5 else max(0, min(6, 1 - math.floor(math.log10(spread or 1.0))))
    axis.set_major_formatter(FuncFormatter(lambda place, _position: f"{place:,.{digits}f}"))
