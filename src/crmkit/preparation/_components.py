"""Principal components of prepared customers, the same from the same rows."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.decomposition import PCA

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["fitted_components"]


def fitted_components(points: npt.NDArray[np.float64], wanted: Any) -> PCA:
    """Fit the components asked for.

    Parameters
    ----------
    points : ndarray of shape (n_customers, n_columns)
        Scaled and weighted.
    wanted : int, float or True
        How many, which share of the variance, or all.

    Returns
    -------
    PCA
        Fitted; shares of the variance are 0 where nothing varies.

    Raises
    ------
    DataError
        If there are fewer than asked for.
    """
    n_rows, n_columns = points.shape
    most = min(n_rows, n_columns)
    if isinstance(wanted, bool | np.bool_):
        wanted = most
    elif isinstance(wanted, Integral):
        if wanted > most:
            raise DataError(f"pca={wanted}, but {n_rows:,} customers by {n_columns} columns have {most} components")
        wanted = int(wanted)
    elif not np.ptp(points, axis=0).any():
        # Where nothing varies there is no variance to hold a share of.
        wanted = 1
    # Without chance: the same components from the same rows.
    solver = "covariance_eigh" if n_rows > n_columns else "full"
    with np.errstate(divide="ignore", invalid="ignore"):
        fitted = PCA(wanted, svd_solver=solver).fit(points)
    fitted.explained_variance_ratio_ = np.nan_to_num(fitted.explained_variance_ratio_)
    return fitted
