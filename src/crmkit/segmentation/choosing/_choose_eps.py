"""A distance for density clustering: the knee of the distances to the min_samples-th neighbor."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.neighbors import NearestNeighbors
from sklearn.utils import check_random_state
from sklearn.utils.validation import check_array

from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.metrics import share
from crmkit.segmentation.segmenters._equal_rows import equal_runs

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.core.estimate import Estimate

__all__ = ["EpsChoice", "choose_eps"]

LEAST_MIN_SAMPLES = 4
CLUSTER_SHARE = 0.01
# Below this height over the chord a curve bends nowhere in particular.
CLEAR_KNEE = 0.3


@dataclass(frozen=True)
class EpsChoice:
    """A suggestion for density clustering, the curve it was read off, and what it would leave out.

    Parameters
    ----------
    eps : float
        Distance for ``dbscan``.
    min_samples : int
        Neighbors, itself included, that make a core customer, for ``dbscan`` and ``hdbscan``.
    min_cluster_size : int
        For ``hdbscan``: the least number of customers worth a segment.
    noise : Estimate
        The share of customers that ``dbscan`` would leave in no segment, with its interval from the sample.
    height : float
        How far the knee stands off the chord of the curve, 0 to 1; below .3 the curve has no clear bend.
    reason : str
        The suggestion in one sentence.
    columns : mapping of str to list
        The columns of ``curve``.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.segmentation import choose_eps
    >>> choice = choose_eps(np.random.default_rng(0).normal(size=(500, 2)), random_state=0)
    >>> choice.min_samples, list(choice.curve.columns), len(choice.curve)
    (6, ['share', 'distance'], 500)
    """

    eps: float
    min_samples: int
    min_cluster_size: int
    noise: Estimate
    height: float
    reason: str
    columns: Mapping[str, list[float]]

    @property
    def curve(self) -> pd.DataFrame:
        """The k-distance curve: what share of the sample has its min_samples-th neighbor within each distance."""
        return pd.DataFrame({name: list(values) for name, values in self.columns.items()})

    def _rows(self) -> list[tuple[str, Any]]:
        return [
            ("eps", float(f"{self.eps:.4g}")),
            ("min_samples", self.min_samples),
            ("min_cluster_size", self.min_cluster_size),
            ("noise", str(self.noise)),
            ("knee height", round(self.height, 2)),
        ]

    def __str__(self) -> str:
        return "\n".join([self.reason, *(f"  {name:<17}{value}" for name, value in self._rows())])

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return html.table(["suggestion", "value"], self._rows(), caption=self.reason)


def choose_eps(X: Any, *, min_samples: int | None = None, sample: int = 2000, random_state: Any = None) -> EpsChoice:
    """Suggest ``eps`` and ``min_samples`` for ``dbscan``, and ``min_cluster_size`` for ``hdbscan``.

    For a sample of customers the distance is taken within which ``min_samples`` of ALL customers are found (inside a
    subsample neighbors are farther apart, and ``eps`` would be too large). In rising order these distances bend where
    customers in groups give way to customers alone; the bend is the point farthest below the chord.

    It is a suggestion. It assumes one density in all groups and a minority outside them. It fails where groups differ
    in density (the bend is that of one of them: use ``hdbscan``), where a single cloud thins out evenly (the bend cuts
    off its rim), where one distant customer stretches the curve (cap outliers first), and where most customers repeat
    one another in a few places (``eps`` is then read off the others). Look at ``curve``, ``noise`` and ``height``.

    Parameters
    ----------
    X : array-like of shape (n_customers, n_features)
        The customers, transformed as they will be segmented.
    min_samples : int or None, default=None
        Neighbors, itself included, that make a core customer; None: twice the columns, or the natural logarithm of the
        number of customers if that is more, at least 4. More of them smooth away small clumps.
    sample : int, default=2000
        For how many customers the distance is worked out; changes precision and time.
    random_state : int, RandomState or None, default=None
        Draws the sample.

    Returns
    -------
    EpsChoice
        The suggestion, the curve, the share of noise.

    Raises
    ------
    DataError
        If there are fewer than ``min_samples`` customers, or all are equal.
    ValueError
        If a value is missing or infinite, or a number is out of range.

    Notes
    -----
    Equal customers are counted as often as they are there. ``min_cluster_size`` is one customer in a hundred, at least
    ``min_samples``: a convention, not an estimate. Cost: two nearest-neighbor searches for the sample among all
    customers: .2 s for 100,000 x 5.

    References
    ----------
    Sander, Ester, Kriegel and Xu (1998), doi:10.1023/A:1009745219419, for twice the columns and the k-distance; Ester
    et al. (1996), KDD-96, for at least 4; Birant and Kut (2007), doi:10.1016/j.datak.2006.01.013, for the logarithm.
    Satopaa, Albrecht, Irwin and Raghavan (2011), doi:10.1109/ICDCSW.2011.20,
    for the knee as the largest distance from the chord.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.datasets import make_blobs
    >>> from crmkit.segmentation import DBSCAN, choose_eps
    >>> groups, _ = make_blobs(900, centers=[[0, 0], [9, 0], [0, 9]], random_state=0)
    >>> points = np.vstack([groups, np.random.default_rng(0).uniform(-5, 15, (100, 2))])
    >>> choice = choose_eps(points, random_state=0)
    >>> int(DBSCAN(eps=choice.eps, min_samples=choice.min_samples).fit(points).labels_.max()) + 1
    3
    """
    values = np.asarray(check_array(X), dtype=np.float64) + 0.0
    n, n_features = values.shape
    if min_samples is None:
        min_samples = max(LEAST_MIN_SAMPLES, 2 * n_features, round(float(np.log(n))))
    for name, number in (("min_samples", min_samples), ("sample", sample)):
        if isinstance(number, bool) or not isinstance(number, int | np.integer) or number < 1:
            raise ValueError(f"{name} must be a whole number of at least 1, got {number!r}")
    min_samples = int(min_samples)
    if n < min_samples:
        raise DataError(f"min_samples={min_samples}, but there are only {n} customers: none could be a core customer")
    space = _Space(values, min_samples)
    if len(space.points) == 1:
        raise DataError("all customers are equal: any eps puts them into one segment")
    drawn = np.arange(n)
    if n > sample:
        drawn = check_random_state(random_state).choice(n, int(sample), replace=False)
    place = space.place[drawn]
    core, _, _ = space.reach(place)
    distance = np.sort(core)
    eps, height, reason = _knee(distance, space, place)
    outside = int(space.noise(place, core, eps).sum())
    noise = share(outside, len(place))
    size = max(min_samples, round(CLUSTER_SHARE * n))
    columns = {"share": ((np.arange(len(distance)) + 1) / len(distance)).tolist(), "distance": distance.tolist()}
    if float(noise) > 0.5:
        reason += f"; it leaves {float(noise):.0%} in no segment"
    return EpsChoice(eps, min_samples, size, noise, height, reason, columns)


def _knee(distance: npt.NDArray[np.float64], space: _Space, place: npt.NDArray[np.intp]) -> tuple[float, float, str]:
    """Read the knee off rising distances, the zeros of repeated customers left out."""
    positive = distance[distance > 0]
    repeated = f"{1 - len(positive) / len(distance):.0%} of customers have as many equal ones"
    if not len(positive):
        eps = space.least_gap(place) / 2
        return eps, 0.0, f"eps={eps:.4g}: half the least distance between different customers; {repeated}"
    span = positive[-1] - positive[0]
    if len(positive) < 3 or not span > 0:
        eps = _rounded_up(float(positive[-1]))
        return eps, 0.0, f"eps={eps:.4g}: every customer's distance is the same, so there is no knee"
    over = np.linspace(0.0, 1.0, len(positive)) - (positive - positive[0]) / span
    best = int(np.argmax(over))
    eps, height = _rounded_up(float(positive[best])), float(over[best])
    reason = f"eps={eps:.4g}: the knee of the distance to the {space.min_samples}th of all customers"
    if height < CLEAR_KNEE:
        reason += f", which is faint (height {height:.2f}): no distance parts dense from sparse clearly"
    if len(positive) < len(distance):
        reason += f"; {repeated}, who have no say in it"
    return eps, height, reason


def _rounded_up(distance: float) -> float:
    """Give four digits that certainly reach as far: a root and its square may differ in the last one."""
    unit = 10.0 ** (np.floor(np.log10(distance)) - 3)
    return float(f"{np.ceil(distance * (1.0 + 1e-9) / unit) * unit:.4g}")


class _Space:
    """All customers as distinct points with their counts, ready to be searched."""

    def __init__(self, values: npt.NDArray[np.float64], min_samples: int) -> None:
        order, start = equal_runs(values)
        lengths = np.diff(start, append=len(order))
        self.min_samples = min_samples
        self.points = values[order[start]]
        self.counts = lengths
        self.place = np.empty(len(order), dtype=np.intp)
        self.place[order] = np.repeat(np.arange(len(start)), lengths)
        self.search = NearestNeighbors(n_neighbors=min(len(start), max(min_samples, 2))).fit(self.points)

    def reach(
        self, place: npt.NDArray[np.intp]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64], npt.NDArray[np.intp]]:
        """Give the distance within which enough customers stand, and the neighbors of each point asked for."""
        asked, back = np.unique(place, return_inverse=True)
        distance, near = self.search.kneighbors(self.points[asked])
        # The search may find a rounding error between a point and itself.
        distance[near == asked[:, None]] = 0.0
        enough = np.argmax(np.cumsum(self.counts[near], axis=1) >= self.min_samples, axis=1)
        return distance[np.arange(len(asked)), enough][back], distance[back], near[back]

    def noise(self, place: npt.NDArray[np.intp], core: npt.NDArray[np.float64], eps: float) -> npt.NDArray[np.bool_]:
        """Tell which customers are no core customers and near none."""
        alone = core > eps
        rows = np.flatnonzero(alone)
        if not len(rows):
            return alone
        _, distance, near = self.reach(place[rows])
        row, column = np.nonzero(distance <= eps)
        beside = self.reach(near[row, column])[0] <= eps
        alone[rows[row[beside]]] = False
        return alone

    def least_gap(self, place: npt.NDArray[np.intp]) -> float:
        """Give the least distance from the points asked for to another one."""
        _, distance, near = self.reach(place)
        return float(distance[near != place[:, None]].min())
