"""Customers in numbers and categories, as the criteria of their number look at them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_array

from crmkit.core.errors import DataError
from crmkit.metrics import silhouette
from crmkit.segmentation.choosing._space import Numbers, Space, in_box, squares
from crmkit.segmentation.segmenters._mixed import is_number, read_categories

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["MixedSpace", "space_of"]


@dataclass(frozen=True)
class MixedSpace:
    """Customers in numbers and categories; a category that differs costs ``gamma``, as in k-prototypes.

    Parameters
    ----------
    points : pandas.DataFrame
        What the segmenter is given.
    numbers : ndarray of shape (n_customers, n_numeric)
        Its numbers.
    codes : ndarray of shape (n_customers, n_categorical)
        Its categories, numbered.
    gamma : float
        What one category that differs costs, in squared units of the numbers.
    """

    points: pd.DataFrame
    numbers: npt.NDArray[np.float64]
    codes: npt.NDArray[np.intp]
    gamma: float

    def __len__(self) -> int:
        return len(self.points)

    def distinct(self) -> int:
        """Count different customers."""
        return len(self.points.drop_duplicates())

    def take(self, rows: npt.NDArray[np.intp]) -> MixedSpace:
        """Give some of the customers; what a category costs stays."""
        return MixedSpace(self.points.iloc[rows], self.numbers[rows], self.codes[rows], self.gamma)

    def dispersion(self, labels: npt.NDArray[Any]) -> float:
        """Sum squared distances to the means, and the cost of categories that are not the most frequent one."""
        spread = squares(self.numbers, labels) if self.numbers.shape[1] else 0.0
        return spread + self.gamma * _mismatches(self.codes, labels)

    def separation(self, labels: npt.NDArray[Any], *, seed: int) -> tuple[float, float]:
        """Give the silhouette by Gower's distance, and the ratio of spreads that Calinski-Harabasz is for numbers."""
        inside = np.flatnonzero(labels >= 0)
        rows, labels = self.take(inside), labels[inside]
        k, n = len(np.unique(labels)), len(labels)
        if not 1 < k < n:
            return float("nan"), float("nan")
        width = float(silhouette(rows.marks(), labels, metric="manhattan", sample_size=n, random_state=seed))
        whole, within = rows.dispersion(np.zeros(n, dtype=int)), rows.dispersion(labels)
        return width, (whole - within) / (k - 1) / (within / (n - k)) if within > 0 else 1.0

    def structureless(self, random: np.random.Generator) -> MixedSpace:
        """Draw numbers from their box, and deal each column of categories anew: none knows of another."""
        numbers = in_box(self.numbers, random) if self.numbers.shape[1] else self.numbers
        codes = np.column_stack([random.permutation(column) for column in self.codes.T])
        drawn: dict[Any, Any] = {}
        numeric, categorical = iter(numbers.T), iter(codes.T)
        for name, column in self.points.items():
            drawn[name] = next(numeric) if is_number(column) else pd.Categorical(next(categorical))
        return MixedSpace(pd.DataFrame(drawn), numbers, codes, self.gamma)

    def marks(self) -> npt.NDArray[np.float64]:
        """Write rows so that their city-block distances are Gower's, times the number of columns."""
        width = np.ptp(self.numbers, axis=0)
        scaled = self.numbers / np.where(width > 0, width, 1.0)
        # Rows of two categories differ by a half in two columns.
        halves = [0.5 * (column[:, None] == np.unique(column)) for column in self.codes.T]
        return np.column_stack([scaled, *halves])


def space_of(X: Any, segmenter: Any) -> Space:
    """Read a table as the segmenter would: numbers, or numbers and categories where it takes them.

    Parameters
    ----------
    X : array-like or pandas.DataFrame of shape (n_customers, n_features)
        The customers.
    segmenter : estimator
        Its ``takes_categories`` is looked at, and ``gamma``.

    Returns
    -------
    Space
        The table.

    Raises
    ------
    DataError
        If a category is missing or none.
    """
    mixed = isinstance(X, pd.DataFrame) and bool(getattr(segmenter, "takes_categories", False))
    categorical = [place for place in range(X.shape[1]) if not is_number(X.iloc[:, place])] if mixed else []
    if not categorical:
        return Numbers(np.asarray(check_array(X), dtype=np.float64))
    columns = [X.iloc[:, place] for place in range(X.shape[1])]
    problems: list[str] = []
    codes, _ = read_categories(columns, [str(name) for name in X.columns], categorical, None, problems)
    if problems:
        raise DataError(f"the table cannot be used: {'; '.join(problems)}")
    numeric = [column.to_numpy(dtype=np.float64) for place, column in enumerate(columns) if place not in categorical]
    numbers = check_array(np.column_stack(numeric)) if numeric else np.zeros((len(X), 0))
    given = getattr(segmenter, "gamma", None)
    spread = float(numbers.std(axis=0).mean()) if numeric else 0.0
    # Huang's rule, as k-prototypes has it.
    gamma = float(given) if given is not None else (0.5 * spread if spread > 0 else 1.0)
    return MixedSpace(X, numbers, codes, gamma)


def _mismatches(codes: npt.NDArray[np.intp], labels: npt.NDArray[Any]) -> int:
    """Count categories that are not the most frequent one of their segment."""
    names, place = np.unique(labels, return_inverse=True)
    total = 0
    for column in codes.T:
        size = int(column.max()) + 1
        counts = np.bincount(place * size + column, minlength=len(names) * size).reshape(len(names), size)
        total += len(column) - int(counts.max(axis=1).sum())
    return total
