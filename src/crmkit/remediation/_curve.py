"""What the points of a what-if curve prove about each other: plans that carry over, and bounds that do."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["Point", "tightened"]


class Point(NamedTuple):
    """What is known at one value of the limit that is varied.

    Parameters
    ----------
    at : float
        The value of the limit.
    value : float
        What a plan there is worth; NaN where none was found.
    used : float
        How much of the limit that plan uses: it is a plan for every limit that leaves as much.
    bound : float
        What no plan there can exceed; ``-inf`` where there is no plan.
    proved : float
        What the prices alone prove there (weak duality), ``inf`` where there are none: never below ``bound``.
    price : float
        The price of the limit among them, in its own direction: the same prices prove ``proved + price * (x - at)`` at
        any other value ``x``.
    """

    at: float
    value: float
    used: float
    bound: float
    proved: float
    price: float


def tightened(points: Sequence[Point], known: Sequence[Point], limit: str, *, floor: bool) -> pd.DataFrame:
    """Bring the points of a curve to what all of them together prove.

    A plan that keeps a tight limit keeps a looser one, so that the value reached never falls as the limit is loosened;
    what no plan can exceed under a loose limit, none exceeds under a tighter one; and the prices of each point prove a
    bound at every other.

    Parameters
    ----------
    points : sequence of Point
        One for each value asked for.
    known : sequence of Point
        Others that are known, such as the plan's own.
    limit : str
        Name of the limit.
    floor : bool
        Whether a smaller value is the looser one.

    Returns
    -------
    pandas.DataFrame
        Indexed by the values: ``value``, ``bound``, ``gap``.
    """
    everything = [*points, *known]
    way = -1.0 if floor else 1.0
    at, value, used, bound, proved, price = (
        np.array([point[column] for point in everything], dtype=np.float64).reshape(-1) for column in range(6)
    )
    # A plan is one wherever its own use, or the limit it was made for, is within the limit.
    reach = np.minimum(way * used, way * at)
    there = np.flatnonzero(~np.isnan(value))
    spread = np.flatnonzero(bound > -np.inf)
    lines = np.full((len(points), 3), np.nan)
    for i, (x, found, most) in enumerate(zip(at, value, bound, strict=True)):
        if i == len(points):
            break
        inner = float(np.max(value[there[reach[there] <= way * x]], initial=-np.inf))
        inner = found if inner == -np.inf else inner if np.isnan(found) else max(inner, found)
        if np.isnan(inner) and np.isneginf(most):
            lines[i] = np.nan, -np.inf, np.nan
            continue
        looser = spread[way * at[spread] >= way * x]
        outer = min(float(bound[looser].min(initial=np.inf)), _lines(x, at, proved, price))
        # A plan in hand is never above the bound: that is the rounding of sums.
        outer = outer if np.isnan(inner) else max(outer, inner)
        lines[i] = inner, outer, (outer - inner) / max(1.0, abs(inner))
    index = pd.Index(at[: len(points)], name=limit)
    return pd.DataFrame(lines, index=index, columns=["value", "bound", "gap"])


def _lines(x: float, at: Floats, proved: Floats, price: Floats) -> float:
    """Give the lowest bound that the prices of any point prove at another."""
    # Without a price the limit does not matter, not even an infinite one.
    with np.errstate(invalid="ignore"):
        moved = np.where(price == 0, 0.0, price * (x - at))
    shown = proved + moved
    return float(np.min(shown[~np.isnan(shown)], initial=np.inf))
