"""Expectations over a beta distribution by Gauss-Jacobi quadrature, for where closed forms lose their digits."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import eigh_tridiagonal

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["beta_rule"]


def beta_rule(a: float, b: float, n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give nodes and weights that integrate polynomials of degree below ``2 n`` over a Beta(a, b) exactly.

    The nodes are eigenvalues of the recurrence of the Jacobi polynomials (Golub and Welsch). The weights are squared
    first components of the eigenvectors: they sum to 1, so that no beta function has to be evaluated.

    Parameters
    ----------
    a, b : float
        Parameters of the distribution, positive.
    n : int
        Number of nodes.

    Returns
    -------
    nodes : ndarray of float, shape (n,)
        In (0, 1).
    weights : ndarray of float, shape (n,)
        Summing to 1.

    References
    ----------
    Golub, G. H. and Welsch, J. H. (1969), doi:10.1090/S0025-5718-69-99647-1.
    """
    # Jacobi polynomials on (-1, 1) have weight (1 - u)^beta (1 + u)^alpha with u = 2 p - 1.
    alpha, beta = b - 1.0, a - 1.0
    k = np.arange(1, n)
    middle = np.empty(n)
    middle[0] = (beta - alpha) / (alpha + beta + 2)
    middle[1:] = (beta**2 - alpha**2) / ((2 * k + alpha + beta) * (2 * k + alpha + beta + 2))
    total = 2 * k + alpha + beta
    square = 4 * k * (k + alpha) * (k + beta) * (k + alpha + beta)
    side = np.empty(n - 1)
    # For k = 1 the factor (k + alpha + beta) cancels with (total - 1), which may both be 0.
    side[0] = 4 * (1 + alpha) * (1 + beta) / (total[0] ** 2 * (total[0] + 1))
    side[1:] = square[1:] / (total[1:] ** 2 * (total[1:] + 1) * (total[1:] - 1))
    nodes, vectors = eigh_tridiagonal(middle, np.sqrt(side))
    return np.clip((nodes + 1) / 2, 0.0, 1.0), vectors[0] ** 2
