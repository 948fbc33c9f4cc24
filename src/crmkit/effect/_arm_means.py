"""The mean outcome of each arm with the covariance of these means: plain, adjusted by covariates, clustered."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.linalg import qr

from crmkit.core.errors import DataError
from crmkit.effect._cluster_robust import bias_reduced

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["ArmMeans", "arm_means", "estimable"]

_TOLERANCE = 1e-9


@dataclass(frozen=True)
class ArmMeans:
    """Means of all arms, estimated together.

    Parameters
    ----------
    means : ndarray, shape (n_arms,)
        Where there are covariates, what each arm's mean would be at the mean covariates of all.
    covariance : ndarray, shape (n_arms, n_arms)
        Of these means.
    units : ndarray of int, shape (n_arms,)
        Independent rows or clusters of each arm.
    freedom : ndarray, shape (n_arms,)
        Degrees of freedom of each arm's variance.
    rounding : float
        A standard error below it is what rounding leaves of outcomes that do not vary.
    crossed : bool
        Some clusters have rows in several arms, so that the arms' variances are not independent.
    """

    means: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    units: npt.NDArray[np.int64]
    freedom: npt.NDArray[np.float64]
    rounding: float = 0.0
    crossed: bool = False

    def difference(self, arm: int, control: int) -> tuple[float, float, float]:
        """Give a difference, its standard error, and Welch's degrees of freedom (the smaller arm's where crossed)."""
        difference = float(self.means[arm] - self.means[control])
        pair = self.covariance[np.ix_([arm, control], [arm, control])]
        variance = max(float(pair[0, 0] + pair[1, 1] - 2 * pair[0, 1]), 0.0)
        if variance <= self.rounding**2:
            variance = 0.0
        own = np.diag(pair)
        spread = float(np.sum(own**2 / self.freedom[[arm, control]]))
        fewest = float(self.freedom[[arm, control]].min())
        freedom = float(own.sum() ** 2 / spread) if spread > 0 and not self.crossed else fewest
        return difference, float(np.sqrt(variance)), freedom


def arm_means(
    outcome: npt.NDArray[np.float64],
    arm: npt.NDArray[np.intp],
    n_arms: int,
    *,
    covariates: npt.NDArray[np.float64] | None = None,
    cluster: npt.NDArray[np.intp] | None = None,
) -> ArmMeans:
    """Estimate the means by regression within each arm, and their covariance from influence functions.

    Each arm has a regression of its own on covariates centred at the mean of all rows, which is Lin's regression with
    all interactions. Residuals are divided by the root of one less the leverage (HC2), which without covariates is
    exactly s^2/n of each arm and so Welch's variance; clusters likewise (CR2). The centre is a mean of a sample too:
    its own term is kept, so that the interval speaks of the population the rows come from. Clusters may lie across
    arms.

    Parameters
    ----------
    outcome : ndarray, shape (n_rows,)
        Finite.
    arm : ndarray of int, shape (n_rows,)
        From 0 to ``n_arms - 1``.
    n_arms : int
        How many arms.
    covariates : ndarray, shape (n_rows, n_covariates), or None
        Estimable in each arm.
    cluster : ndarray of int, shape (n_rows,), or None
        From 0, without gaps; where None, each row stands for itself.

    Returns
    -------
    ArmMeans
        Means and covariance.

    Raises
    ------
    DataError
        If an arm has too few rows or clusters.
    """
    n_rows = len(outcome)
    matrix = np.empty((n_rows, 0)) if covariates is None else covariates
    centred = matrix - matrix.mean(axis=0)
    n_columns = matrix.shape[1]
    means, freedom = np.empty(n_arms), np.empty(n_arms)
    units = np.empty(n_arms, dtype=np.int64)
    influence = np.zeros((n_rows if cluster is None else int(cluster.max()) + 1, n_arms))
    for at in range(n_arms):
        rows = np.flatnonzero(arm == at)
        units[at] = len(rows) if cluster is None else len(np.unique(cluster[rows]))
        if units[at] < n_columns + 2:
            raise DataError(
                f"arm number {at} has {units[at]} independent rows, and at least {n_columns + 2} are needed"
            )
        design = np.column_stack([np.ones(len(rows)), centred[rows]])
        q, r = np.linalg.qr(design)
        coefficients = np.linalg.solve(r, q.T @ outcome[rows])
        residual = outcome[rows] - design @ coefficients
        # The intercept is the outcome weighted by the first row of (X'X)^-1 X', here written in the basis.
        first = np.linalg.solve(r.T, np.eye(n_columns + 1)[0])
        if cluster is None:
            leverage = np.einsum("ij,ij->i", q, q)
            influence[rows, at] = (q @ first) * residual / np.sqrt(np.maximum(1 - leverage, 1 / n_rows))
            freedom[at] = len(rows) - n_columns - 1
        else:
            there, own = np.unique(cluster[rows], return_inverse=True)
            pulled, own_freedom = bias_reduced(q, residual, first[:, None], own.reshape(-1))
            influence[there, at], freedom[at] = pulled[:, 0], own_freedom[0]
        means[at] = coefficients[0] if n_columns else outcome[rows].mean()
        if n_columns:
            centre = centred @ coefficients[1:] / n_rows
            influence[:, at] += centre if cluster is None else np.bincount(cluster, weights=centre)
    return ArmMeans(
        means,
        influence.T @ influence,
        units,
        freedom,
        rounding=64 * float(np.finfo(np.float64).eps * np.abs(outcome).max() / np.sqrt(np.bincount(arm).min())),
        crossed=cluster is not None and int(units.sum()) > len(influence),
    )


def estimable(
    covariates: npt.NDArray[np.float64], arm: npt.NDArray[np.intp], n_arms: int, names: Sequence[str]
) -> tuple[npt.NDArray[np.float64], list[str], list[str]]:
    """Keep the covariates whose coefficient every arm can estimate.

    Parameters
    ----------
    covariates : ndarray, shape (n_rows, n_covariates)
        Finite.
    arm : ndarray of int, shape (n_rows,)
        Arms.
    n_arms : int
        How many.
    names : sequence of str
        Of the covariates.

    Returns
    -------
    covariates : ndarray
        The columns kept.
    kept, dropped : list of str
        Their names, and those of the others.
    """
    kept = np.arange(covariates.shape[1])
    for at in range(n_arms):
        if not len(kept):
            break
        own = covariates[np.ix_(arm == at, kept)]
        own = own - own.mean(axis=0)
        size = np.sqrt(np.sum(own**2, axis=0))
        scale = np.sqrt(np.sum((covariates[:, kept] - covariates[:, kept].mean(axis=0)) ** 2, axis=0))
        varied = size > _TOLERANCE * scale
        kept, own = kept[varied], own[:, varied] / size[varied]
        if len(kept):
            _, upper, order = qr(own, mode="economic", pivoting=True)
            independent = np.abs(np.diag(upper)) > 1e-7
            kept = np.sort(kept[order[: len(independent)][independent]])
    held = set(kept.tolist())
    stay = [name for position, name in enumerate(names) if position in held]
    dropped = [name for position, name in enumerate(names) if position not in held]
    return covariates[:, kept], stay, dropped
