"""A least-squares line with heteroscedasticity-consistent standard errors of its height anywhere."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Line"]


@dataclass(frozen=True)
class Line:
    """Coefficients on centred and scaled features, and their covariance.

    Parameters
    ----------
    centre, scale : ndarray, shape (n_columns,)
        Of the features.
    coefficients : ndarray, shape (1 + n_columns,)
        The intercept first.
    covariance : ndarray, shape (1 + n_columns, 1 + n_columns)
        Of the coefficients.
    """

    centre: npt.NDArray[np.float64]
    scale: npt.NDArray[np.float64]
    coefficients: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]

    @classmethod
    def through(cls, matrix: npt.NDArray[np.float64], target: npt.NDArray[np.float64]) -> Line:
        """Fit a line.

        Parameters
        ----------
        matrix : ndarray, shape (n_rows, n_columns)
            Features; columns may depend on each other.
        target : ndarray, shape (n_rows,)
            What to fit.

        Returns
        -------
        Line
            With the covariance HC3.
        """
        centre, scale = matrix.mean(axis=0), matrix.std(axis=0)
        scale = np.where(scale > 0, scale, 1.0)
        design = np.column_stack([np.ones(len(matrix)), (matrix - centre) / scale])
        inverse = np.linalg.pinv(design.T @ design, hermitian=True, rcond=1e-10)
        coefficients = inverse @ (design.T @ target)
        leverage = np.einsum("ij,jk,ik->i", design, inverse, design, optimize=True)
        # A row that the line must go through has no residual to judge it by.
        residual = (target - design @ coefficients) / np.maximum(1 - leverage, 1e-8)
        half = inverse @ (design * residual[:, np.newaxis]).T
        return cls(centre, scale, coefficients, half @ half.T)

    def at(self, matrix: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give the line's height and its standard error.

        Parameters
        ----------
        matrix : ndarray, shape (n_rows, n_columns)
            Features.

        Returns
        -------
        height, error : ndarray, shape (n_rows,)
            At each row.
        """
        design = np.column_stack([np.ones(len(matrix)), (matrix - self.centre) / self.scale])
        variance = np.einsum("ij,jk,ik->i", design, self.covariance, design, optimize=True)
        return design @ self.coefficients, np.sqrt(np.maximum(variance, 0.0))
