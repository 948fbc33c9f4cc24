"""Whether what was known before the assignment is alike in all arms, as drawing them at random makes it."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.effect._arm_means import arm_means
from crmkit.effect._intervals import t_p_value

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["unlike_columns"]

_ALARM = 0.001


def unlike_columns(
    matrix: npt.NDArray[np.float64], arm: npt.NDArray[np.intp], n_arms: int, cluster: npt.NDArray[np.intp] | None
) -> npt.NDArray[np.bool_]:
    """Say which columns have means that differ between arms by more than chance.

    Parameters
    ----------
    matrix : ndarray, shape (n_rows, n_columns)
        Covariates, finite.
    arm : ndarray of int, shape (n_rows,)
        From 0 to ``n_arms - 1``, each at least twice.
    n_arms : int
        How many arms.
    cluster : ndarray of int, shape (n_rows,), or None
        From 0, without gaps; where None, each row stands for itself.

    Returns
    -------
    ndarray of bool, shape (n_columns,)
        With arms drawn at random any of them is true in fewer than one of 1,000 experiments (Bonferroni).
    """
    tests = matrix.shape[1] * (n_arms - 1)
    found = np.zeros(matrix.shape[1], dtype=bool)
    for column in range(matrix.shape[1]):
        means = arm_means(matrix[:, column], arm, n_arms, cluster=cluster)
        p_values = [t_p_value(*means.difference(at, 0)) for at in range(1, n_arms)]
        found[column] = np.nanmin([*p_values, 1.0]) < _ALARM / tests
    return found
