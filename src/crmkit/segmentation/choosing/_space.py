"""What the criteria must know of a table: its spread around segments, and its like without groups."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Protocol

import numpy as np

from crmkit.segmentation.choosing._quality import separation

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Numbers", "Space", "in_box", "squares"]


class Space(Protocol):
    """A table of customers as ``choose_k`` looks at it."""

    @property
    def points(self) -> Any:
        """What the segmenter is given."""
        ...

    def __len__(self) -> int: ...

    def distinct(self) -> int:
        """Count different customers."""
        ...

    def take(self, rows: npt.NDArray[np.intp]) -> Space:
        """Give some of the customers."""
        ...

    def dispersion(self, labels: npt.NDArray[Any]) -> float:
        """Sum what customers differ from the center of their segment."""
        ...

    def separation(self, labels: npt.NDArray[Any], *, seed: int) -> tuple[float, float]:
        """Give silhouette and Calinski-Harabasz index, missing where they say nothing."""
        ...

    def structureless(self, random: np.random.Generator) -> Space:
        """Draw as many customers from a cloud without groups."""
        ...


@dataclass(frozen=True)
class Numbers:
    """Customers in numbers alone.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_features)
        Finite values.
    """

    points: npt.NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.points)

    def distinct(self) -> int:
        """Count different customers."""
        return len(np.unique(self.points, axis=0))

    def take(self, rows: npt.NDArray[np.intp]) -> Numbers:
        """Give some of the customers."""
        return Numbers(self.points[rows])

    def dispersion(self, labels: npt.NDArray[Any]) -> float:
        """Sum squared distances to the mean of each segment."""
        return squares(self.points, labels)

    def separation(self, labels: npt.NDArray[Any], *, seed: int) -> tuple[float, float]:
        """Give silhouette and Calinski-Harabasz index."""
        return separation(self.points, labels, sample_size=len(self), seed=seed)

    def structureless(self, random: np.random.Generator) -> Numbers:
        """Draw from the box around the customers along their principal axes."""
        return Numbers(in_box(self.points, random))


def squares(values: npt.NDArray[np.float64], labels: npt.NDArray[Any]) -> float:
    """Sum squared distances to the mean of each segment."""
    _, place, count = np.unique(labels, return_inverse=True, return_counts=True)
    sums = np.column_stack([np.bincount(place, weights=column) for column in values.T])
    return float(((values - (sums / count[:, None])[place]) ** 2).sum())


def in_box(values: npt.NDArray[np.float64], random: np.random.Generator) -> npt.NDArray[np.float64]:
    """Draw customers uniformly from the box around the data along its principal axes."""
    center = values.mean(axis=0)
    _, _, axes = np.linalg.svd(values - center, full_matrices=False)
    turned = (values - center) @ axes.T
    drawn = random.uniform(turned.min(axis=0), turned.max(axis=0), size=(len(turned), len(axes)))
    return np.asarray(drawn @ axes + center)
