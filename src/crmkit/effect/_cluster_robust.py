"""Errors of a regression whose rows come in clusters, right also for few clusters and clusters of unequal size."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["FEW_CLUSTERS", "bias_reduced"]

FEW_CLUSTERS = 20
"""Below so many on a side the t interval allows for their number, but no longer for outcomes that are very lopsided."""

_HEAVY = 0.02
"""Clusters with more leverage are solved exactly (at most columns / 0.02 of them), the others by a series."""


def bias_reduced(
    basis: npt.NDArray[np.float64],
    residual: npt.NDArray[np.float64],
    contrasts: npt.NDArray[np.float64],
    cluster: npt.NDArray[np.intp],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give what each cluster adds to each contrast's error (CR2), and the degrees of freedom of that error.

    Residuals are too small where a cluster pulled the fit toward itself. Each cluster's are divided by the root of one
    less its leverage, which makes the variance unbiased if rows were independent and of one variance, and nearly so
    otherwise. The degrees of freedom are Satterthwaite's of the same model: the number of clusters less one where all
    are alike, and fewer where a few large ones decide.

    Parameters
    ----------
    basis : ndarray, shape (n_rows, n_columns)
        Orthonormal, of the regression's columns (the Q of its decomposition).
    residual : ndarray, shape (n_rows,)
        Of the regression.
    contrasts : ndarray, shape (n_columns, n_contrasts)
        Weights in the basis: a contrast's value is ``(basis @ weights) @ outcome``.
    cluster : ndarray of int, shape (n_rows,)
        From 0, without gaps.

    Returns
    -------
    influence : ndarray, shape (n_clusters, n_contrasts)
        Its cross product is the covariance of the contrasts.
    freedom : ndarray, shape (n_contrasts,)
        At least 1.

    References
    ----------
    Bell, R. M., & McCaffrey, D. F. (2002). Bias reduction in standard errors for linear regression with multi-stage
    samples. Survey Methodology 28, 169-181.
    Pustejovsky, J. E., & Tipton, E. (2018). Small-sample methods for cluster-robust variance estimation and hypothesis
    testing in fixed effects models. Journal of Business & Economic Statistics 36, 672-683.
    doi:10.1080/07350015.2016.1247004
    """
    n_clusters, n_contrasts = int(cluster.max()) + 1, contrasts.shape[1]
    score = _summed(basis * residual[:, None], cluster, n_clusters)
    leverage = np.bincount(cluster, weights=np.einsum("ij,ij->i", basis, basis), minlength=n_clusters)
    roots = _heavy_roots(basis, cluster, np.flatnonzero(leverage > _HEAVY))
    influence, freedom = np.empty((n_clusters, n_contrasts)), np.empty(n_contrasts)
    for at in range(n_contrasts):
        weight = contrasts[:, at]
        once = _applied(basis, cluster, np.broadcast_to(weight, score.shape))
        pulled = weight + once / 2 + 3 * _applied(basis, cluster, once) / 8
        for heavy, root in roots.items():
            pulled[heavy] = root @ weight
        influence[:, at] = np.einsum("ij,ij->i", pulled, score)
        freedom[at] = _freedom(_applied(basis, cluster, pulled), pulled)
    return influence, freedom


def _summed(rows: npt.NDArray[np.float64], cluster: npt.NDArray[np.intp], n_clusters: int) -> npt.NDArray[np.float64]:
    """Add up rows by cluster."""
    columns = [np.bincount(cluster, weights=column, minlength=n_clusters) for column in rows.T]
    return np.column_stack(columns).astype(np.float64, copy=False)


def _applied(
    basis: npt.NDArray[np.float64], cluster: npt.NDArray[np.intp], vectors: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Multiply each cluster's vector by the cross product of its rows of the basis."""
    along = np.einsum("ij,ij->i", basis, vectors[cluster])
    return _summed(basis * along[:, None], cluster, len(vectors))


def _heavy_roots(
    basis: npt.NDArray[np.float64], cluster: npt.NDArray[np.intp], heavy: npt.NDArray[np.intp]
) -> dict[int, npt.NDArray[np.float64]]:
    """Give the inverse root of one less the leverage of each heavy cluster, in the basis."""
    roots = {}
    order = np.argsort(cluster, kind="stable")
    starts = np.searchsorted(cluster[order], heavy)
    ends = np.searchsorted(cluster[order], heavy, side="right")
    for at, first, last in zip(heavy.tolist(), starts.tolist(), ends.tolist(), strict=True):
        own = basis[order[first:last]]
        values, vectors = np.linalg.eigh(own.T @ own)
        left = 1 - values
        # Where a cluster alone decides a direction its residuals there are 0, and nothing is to be divided.
        inverse = np.divide(1.0, np.sqrt(np.abs(left)), out=np.zeros_like(left), where=left > 1e-9)
        roots[at] = (vectors * inverse) @ vectors.T
    return roots


def _freedom(projected: npt.NDArray[np.float64], pulled: npt.NDArray[np.float64]) -> float:
    """Give Satterthwaite's degrees of freedom of a sum of squares over clusters."""
    own = np.einsum("ij,ij->i", projected, pulled)
    square = np.einsum("ij,ij->i", projected, projected)
    trace = float(np.sum(own - square))
    cross = projected.T @ projected
    spread = float(own @ own - 2 * own @ square + np.sum(cross**2))
    return max(trace**2 / spread, 1.0) if spread > 0 and trace > 0 else 1.0
