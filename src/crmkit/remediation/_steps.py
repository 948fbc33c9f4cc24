"""The common step of values: what every whole plan's value is a multiple of."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["common_step", "lowered"]

_LARGEST = 2.0**50


def common_step(values: Floats, step: float | None = None) -> float:
    """Give the largest step that all values are multiples of: of whole numbers, or of one number and 0.

    Parameters
    ----------
    values : ndarray
        Finite.
    step : float or None
        The step of other values; None where there are none.

    Returns
    -------
    float
        0 where there is no such step, ``inf`` where all values are 0.
    """
    step = np.inf if step is None else step
    size = np.abs(values[values != 0])
    if not len(size) or step == 0:
        return step
    first = float(size[0]) if np.isinf(step) else step
    if np.all(size == first):
        return first
    if first != np.rint(first) or size.max() > _LARGEST or np.any(size != np.rint(size)):
        return 0.0
    return float(np.gcd(int(np.gcd.reduce(size.astype(np.int64))), int(first)))


def lowered(bound: float, step: float) -> float:
    """Lower a bound of whole plans to the next multiple of the step of their values."""
    if not 0 < step < np.inf or not abs(bound) < 1e9 * step:
        return bound
    return float(np.floor(bound / step + 1e-6) * step)
