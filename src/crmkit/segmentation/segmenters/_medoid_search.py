"""The search behind k-medoids: starts, then FasterPAM's swaps until none makes the total less."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Swapped", "built_starts", "spread_medoids", "swap"]

# Candidates weighed at once: few after a swap, when the next is likely near, ever more while none is found, up to so
# many distances that they stay within the processor's cache (four times slower beyond it).
FEWEST = 16
LARGEST_BLOCK = 100_000
# A gain below this share of the total is rounding, and following it might never end.
ROUNDING = 1e-12


class Swapped(NamedTuple):
    """Where one search ended.

    Parameters
    ----------
    medoids : ndarray of int
        Rows.
    total : float
        Weighted sum of the distances of all rows to their nearest medoid.
    n_swaps : int
        How many swaps were made.
    settled : bool
        Whether every swap was weighed against the last state.
    """

    medoids: npt.NDArray[np.intp]
    total: float
    n_swaps: int
    settled: bool


def spread_medoids(
    distances: npt.NDArray[np.float64], n_clusters: int, random: np.random.RandomState,
    weights: npt.NDArray[np.float64] | None = None,
) -> npt.NDArray[np.intp]:  # fmt: skip
    """Draw medoids with a chance in proportion to weight and distance from those drawn.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n_rows)
        All distances; the first axis is that of the medoids.
    n_clusters : int
        How many.
    random : RandomState
        The source of chance.
    weights : ndarray of shape (n_rows,) or None, default=None
        How much each row counts; None is 1 each.

    Returns
    -------
    ndarray of int
        Rows; fewer than asked for where all rows are at distance 0 from one drawn.
    """
    chosen = [int(random.randint(len(distances)))] if weights is None else _drawn(np.cumsum(weights), random)
    nearest = distances[chosen[0]].copy()
    while len(chosen) < n_clusters:
        mass = np.cumsum(nearest if weights is None else nearest * weights)
        if mass[-1] <= 0:
            break
        chosen += _drawn(mass, random)
        np.minimum(nearest, distances[chosen[-1]], out=nearest)
    return np.array(chosen, dtype=np.intp)


def _drawn(mass: npt.NDArray[np.float64], random: np.random.RandomState) -> list[int]:
    """Draw one row by the running sum of its chances."""
    drawn = int(np.searchsorted(mass, random.random_sample() * mass[-1], side="right"))
    return [min(drawn, len(mass) - 1)]


def built_starts(
    distances: npt.NDArray[np.float64], n_clusters: int, weights: npt.NDArray[np.float64] | None = None
) -> npt.NDArray[np.intp]:
    """Take one medoid after another, each time the one that makes the total least (PAM's BUILD).

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n_rows)
        All distances; the first axis is that of the medoids.
    n_clusters : int
        How many.
    weights : ndarray of shape (n_rows,) or None, default=None
        How much each row counts; None is 1 each.

    Returns
    -------
    ndarray of int
        Rows; fewer than asked for where one more makes nothing less.
    """
    weights = np.ones(len(distances)) if weights is None else weights
    chosen = [int(np.argmin(distances @ weights))]
    nearest = distances[chosen[0]].copy()
    most = max(1, LARGEST_BLOCK // len(distances))
    while len(chosen) < n_clusters and nearest[weights > 0].any():
        totals = np.empty(len(distances))
        for start in range(0, len(distances), most):
            block = slice(start, start + most)
            totals[block] = np.minimum(distances[block], nearest) @ weights
        chosen.append(int(np.argmin(totals)))
        np.minimum(nearest, distances[chosen[-1]], out=nearest)
    return np.array(chosen, dtype=np.intp)


def swap(
    distances: npt.NDArray[np.float64], medoids: npt.NDArray[np.intp], *, max_swaps: int,
    weights: npt.NDArray[np.float64] | None = None,
) -> Swapped:  # fmt: skip
    """Swap medoids against other rows until no swap makes the total less (FasterPAM).

    The change that a candidate brings is worked out for all medoids at once from each row's nearest and second nearest
    medoid; whatever makes the total less is done at once, and the search goes on behind it. The only loop is over
    blocks of candidates, each weighed by matrix products.

    Parameters
    ----------
    distances : ndarray of shape (n_rows, n_rows)
        All distances; the first axis is that of the medoids.
    medoids : ndarray of int
        Where to start.
    max_swaps : int
        Most swaps.
    weights : ndarray of shape (n_rows,) or None, default=None
        How much each row counts; None is 1 each.

    Returns
    -------
    Swapped
        The end, a local optimum of swaps where it is settled.
    """
    n_rows, n_medoids = len(distances), len(medoids)
    medoids = medoids.copy()
    weights = np.ones(n_rows) if weights is None else weights
    state = _State(distances, medoids, weights)
    n_swaps = weighed = place = 0
    most = max(1, LARGEST_BLOCK // n_rows)
    size = fewest = min(FEWEST, most)
    while weighed < n_rows and n_swaps < max_swaps:
        stop = min(place + size, n_rows)
        change = state.change(distances[place:stop])
        change[medoids[(medoids >= place) & (medoids < stop)] - place] = np.inf
        best = int(np.argmin(change))
        if change.flat[best] < -ROUNDING * state.total:
            candidate, medoid = divmod(best, n_medoids)
            medoids[medoid] = place + candidate
            state = _State(distances, medoids, weights)
            n_swaps, weighed, size = n_swaps + 1, 0, fewest
        else:
            weighed += stop - place
            size = min(2 * size, most)
        place = stop % n_rows
    return Swapped(medoids, state.total, n_swaps, weighed >= n_rows)


class _State:
    """What is known of each row under the present medoids."""

    def __init__(
        self, distances: npt.NDArray[np.float64], medoids: npt.NDArray[np.intp], weights: npt.NDArray[np.float64]
    ) -> None:
        to_medoids = distances[medoids]
        owner = to_medoids.argmin(axis=0)
        rows = np.arange(len(distances))
        self.nearest = to_medoids[owner, rows]
        to_medoids[owner, rows] = np.inf
        # With one medoid there is no second: whoever takes its place gets every row.
        self.second = to_medoids.min(axis=0) if len(medoids) > 1 else np.full(len(distances), np.inf)
        self.owned = np.zeros((len(distances), len(medoids)))
        self.owned[rows, owner] = weights
        self.weights = weights
        self.total = float(self.nearest @ weights)

    def change(self, candidates: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give how the total changes when each candidate takes the place of each medoid.

        A row whose medoid stays comes over where the candidate is nearer; a row whose medoid goes finds the nearer of
        the candidate and its second.
        """
        gained = np.subtract(candidates, self.nearest)
        np.minimum(gained, 0.0, out=gained)
        lost = np.minimum(candidates, self.second)
        lost -= self.nearest
        lost -= gained
        change: npt.NDArray[np.float64] = (gained @ self.weights)[:, None] + lost @ self.owned
        return change
