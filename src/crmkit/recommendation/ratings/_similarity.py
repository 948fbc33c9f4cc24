"""Similarities of customers or of items, from sums over what both have rated."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy import sparse

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

__all__ = ["SIMILARITIES", "CommonSums", "Similarity", "Sums"]

Sums = dict[tuple[int, int], Any]
"""Sums of ``a**p * b**q`` over what both have rated, by (p, q); (0, 0) counts it."""

# A variance this small beside the squares it comes from is rounding: its ratings are all equal.
_ROUNDING = 1e-12

# Similarities are multiples of one part of this.
_GRID = 2.0**44


def _msd(sums: Sums) -> npt.NDArray[np.float64]:
    """One over one plus the mean squared difference."""
    squares = sums[2, 0] + sums[0, 2]
    squares -= 2 * sums[1, 1]
    np.maximum(squares, 0.0, out=squares)
    squares /= np.maximum(sums[0, 0], 1.0)
    squares += 1.0
    return np.asarray(np.reciprocal(squares, out=squares), dtype=np.float64)


def _cosine(sums: Sums) -> npt.NDArray[np.float64]:
    """The cosine of the two rows of common ratings."""
    return _quotient(sums[1, 1], sums[2, 0] * sums[0, 2])


def _pearson(sums: Sums) -> npt.NDArray[np.float64]:
    """The correlation of common ratings."""
    n, a, b = sums[0, 0], sums[1, 0], sums[0, 1]
    squares_a, squares_b = n * sums[2, 0], n * sums[0, 2]
    spread_a, spread_b = squares_a - a * a, squares_b - b * b
    spread_a[spread_a <= _ROUNDING * squares_a] = 0.0
    spread_b[spread_b <= _ROUNDING * squares_b] = 0.0
    return _quotient(n * sums[1, 1] - a * b, spread_a * spread_b)


def _quotient(products: Any, squares: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Divide by the root of squares, which is overwritten; nothing is similar to what does not vary."""
    root = np.sqrt(squares, out=squares)
    root[root == 0.0] = np.inf
    return np.asarray(np.divide(products, root, out=root), dtype=np.float64)


@dataclass(frozen=True)
class _Measure:
    """A formula and the sums it reads."""

    needs: tuple[tuple[int, int], ...]
    formula: Callable[[Sums], npt.NDArray[np.float64]]


SIMILARITIES: dict[str, _Measure] = {
    "msd": _Measure(((0, 0), (1, 1), (2, 0), (0, 2)), _msd),
    "cosine": _Measure(((0, 0), (1, 1), (2, 0), (0, 2)), _cosine),
    "pearson": _Measure(((0, 0), (1, 1), (2, 0), (0, 2), (1, 0), (0, 1)), _pearson),
    "pearson-baseline": _Measure(((0, 0), (1, 1), (2, 0), (0, 2)), _cosine),
}


@dataclass(frozen=True)
class Similarity:
    """One measure with its settings.

    Attributes
    ----------
    name : {"msd", "cosine", "pearson", "pearson-baseline"}
        The measure; ``"pearson-baseline"`` expects what ratings add to their baselines in place of ratings.
    min_support : int
        Least number of common ratings; with fewer the similarity is 0.
    shrinkage : float
        Of ``"pearson-baseline"`` alone: n common ratings count (n - 1) / (n - 1 + shrinkage).
    """

    name: str
    min_support: int
    shrinkage: float

    SHRUNK: ClassVar[str] = "pearson-baseline"

    @property
    def needs(self) -> tuple[tuple[int, int], ...]:
        """The sums it reads."""
        return SIMILARITIES[self.name].needs

    def of(self, sums: Sums) -> npt.NDArray[np.float64]:
        """Give similarities from sums.

        Parameters
        ----------
        sums : dict of (int, int) to ndarray
            Those it needs, of one shape.

        Returns
        -------
        ndarray of float64
            Of the same shape; 0 where too little is common.
        """
        n = sums[0, 0]
        similar = SIMILARITIES[self.name].formula(sums)
        if self.name == self.SHRUNK:
            beyond = np.maximum(n - 1.0, 0.0)
            similar *= beyond
            beyond += self.shrinkage
            # Only without shrinkage may this be 0, and then what is divided is 0, too.
            similar /= np.maximum(beyond, np.finfo(np.float64).tiny)
        similar[n < self.least] = 0.0
        # What differs by rounding alone is equal, and what is rounding alone is nothing.
        if self.name == "msd":
            # Never rounding alone, and as small as the scale is wide: rounded to 44 of the 52 bits after its first.
            bits = similar.view(np.int64)
            bits += 1 << 7
            bits &= -(1 << 8)
            return similar
        similar *= _GRID
        np.rint(similar, out=similar)
        similar /= _GRID
        return similar

    @property
    def shifts(self) -> bool:
        """Whether the same number may be taken from all values, which keeps sums of squares from rounding."""
        return self.name in {"msd", "pearson"}

    @property
    def least(self) -> int:
        """The least number of common ratings."""
        # One common rating has a correlation of 1 or -1 whatever it is.
        return max(2, self.min_support) if self.name == self.SHRUNK else self.min_support


class CommonSums:
    """Sums over common ratings of some rows with some columns, a block of rows at a time.

    Parameters
    ----------
    values : csr_array of float64, shape (n_targets, n_others)
        What is summed: ratings, or what they add to their baselines.
    columns : ndarray of int64, shape (n_columns,)
        The targets that others are compared with.
    needs : tuple of (int, int)
        The sums wanted.
    n_rows : int
        Rows of the largest block.
    """

    def __init__(
        self,
        values: sparse.csr_array,
        columns: npt.NDArray[np.int64],
        needs: tuple[tuple[int, int], ...],
        n_rows: int,
    ) -> None:
        self._rows = {power: _power(values, power) for power in {p for p, _ in needs}}
        chosen = values if len(columns) == values.shape[0] else values[columns]
        across = chosen.T.tocsr()
        self._columns = {power: _power(across, power) for power in {q for _, q in needs}}
        self._needs = needs
        # The same memory for every block: asking the system for it anew costs more than the sums.
        self._blocks = {need: np.empty((n_rows, len(columns))) for need in needs}

    def block(self, rows: npt.NDArray[np.int64]) -> Sums:
        """Give the sums of some rows with all columns; the next block overwrites them.

        Parameters
        ----------
        rows : ndarray of int64, shape (at most n_rows,)
            Targets.

        Returns
        -------
        dict of (int, int) to ndarray of float64, shape (len(rows), n_columns)
            The sums.
        """
        chosen = {power: matrix[rows] for power, matrix in self._rows.items()}
        sums: Sums = {}
        for p, q in self._needs:
            out = self._blocks[p, q][: len(rows)]
            sums[p, q] = (chosen[p] @ self._columns[q]).toarray(out=out)
        return sums


def _power(values: sparse.csr_array, power: int) -> sparse.csr_array:
    """Raise what is stored to a power; where a stored value is 0 it is still common."""
    return sparse.csr_array((values.data**power, values.indices, values.indptr), shape=values.shape)
