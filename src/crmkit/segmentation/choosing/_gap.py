"""The gap statistic: how much closer together customers are than in a structureless cloud cut as often."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

    from crmkit.segmentation.choosing._space import Space

__all__ = ["Gap", "gap_statistic"]

# 1e-12 of the whole: no spread is left, and its logarithm would grow with the rounding.
NOTHING = 27.0


class Gap(NamedTuple):
    """The statistic for each number tried.

    Parameters
    ----------
    gap : ndarray of shape (n_tried,)
        Mean logarithm of the references' dispersion, less that of the customers.
    error : ndarray of shape (n_tried,)
        Its standard error over the references.
    """

    gap: npt.NDArray[np.float64]
    error: npt.NDArray[np.float64]


def gap_statistic(
    space: Space,
    fitted: Sequence[npt.NDArray[Any]],
    refit: Callable[[Any, int, int], npt.NDArray[Any]],
    *,
    n_references: int,
    seed: int,
) -> Gap:
    """Hold segments of the customers against segments of structureless reference sets.

    Parameters
    ----------
    space : Space
        The customers.
    fitted : sequence of ndarray
        Their segments, one array for each number tried.
    refit : callable
        ``refit(points, place, seed)`` gives the segments of other points for the number at that place.
    n_references : int
        How many reference sets.
    seed : int
        Draws them.

    Returns
    -------
    Gap
        The statistic and its error.

    References
    ----------
    Tibshirani, R., Walther, G., & Hastie, T. (2001). Estimating the number of clusters in a data set via the gap
    statistic. Journal of the Royal Statistical Society B 63, 411-423. doi:10.1111/1467-9868.00293
    """
    floor = float(np.log(space.dispersion(np.zeros(len(space), dtype=int)))) - NOTHING
    within = np.array([_logarithm(space.dispersion(labels), floor) for labels in fitted])
    random = np.random.default_rng(seed)
    references = np.empty((n_references, len(fitted)))
    for row in range(n_references):
        reference = space.structureless(random)
        for place in range(len(fitted)):
            labels = refit(reference.points, place, seed + row + 1)
            references[row, place] = _logarithm(reference.dispersion(labels), floor)
    error = references.std(axis=0) * np.sqrt(1.0 + 1.0 / n_references)
    return Gap(references.mean(axis=0) - within, error)


def _logarithm(dispersion: float, floor: float) -> float:
    return max(float(np.log(dispersion)), floor) if dispersion > 0 else floor
