"""Whether a response is concave: checked on points of its range, case by case."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation.nonlinear._responses import Response

__all__ = ["concave_cases"]

_POINTS = 25
_TOLERANCE = 1e-9


def concave_cases(response: Response) -> npt.NDArray[np.bool_]:
    """Say for which cases the value is concave and every use convex in the intensity.

    Slopes between neighbors of 25 points, which are denser at both ends, must not have the wrong order by more than
    1e-9 of the values. A bend the wrong way that lies between two neighboring points (up to a fifteenth of the range
    in the middle, a two-hundredth at the ends), or is smaller than that, is not seen.

    Parameters
    ----------
    response : Response
        One remedy for some cases.

    Returns
    -------
    ndarray of bool, shape (n_pairs,)
        False also where something is unknown inside the range.
    """
    good = np.ones(response.n_pairs, dtype=bool)
    width = response.high - response.low
    shares = 0.5 - 0.5 * np.cos(np.linspace(0.0, np.pi, _POINTS))
    before: list[npt.NDArray[np.float64]] = []
    for k, share in enumerate(shares):
        worth = response.at(response.low + share * width)
        # Uses bend the other way.
        before.append(np.vstack([worth.value[None], -worth.uses]))
        good &= np.isfinite(before[-1]).all(axis=0)
        if len(before) == 3:
            first, second = shares[k - 1] - shares[k - 2], share - shares[k - 1]
            with np.errstate(invalid="ignore"):
                bend = (before[2] - before[1]) * (first / second) - (before[1] - before[0])
                room = _TOLERANCE * np.maximum(np.abs(before[1]), np.maximum(np.abs(before[0]), np.abs(before[2])))
                good &= (bend <= room).all(axis=0)
            before.pop(0)
    return good | (width <= 0)
