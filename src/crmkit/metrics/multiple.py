"""P-values of many questions asked at once."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["holm"]


def holm(p_values: Any) -> npt.NDArray[np.float64]:
    """Adjust p-values for their number, whatever their dependence.

    Of all questions whose true answer is "nothing there", the chance that any adjusted p-value falls below a level is
    at most that level. Costs one sort.

    Parameters
    ----------
    p_values : array-like of float, shape (n_tests,)
        NaN where there was no test; those do not count.

    Returns
    -------
    ndarray of float64, shape (n_tests,)
        Holm's step-down p-values, never below those given.

    Raises
    ------
    DataError
        If one lies outside 0 to 1, or they are not one column.

    References
    ----------
    Holm, S. (1979). A simple sequentially rejective multiple test procedure. Scandinavian Journal of Statistics 6,
    65-70.

    Examples
    --------
    >>> from crmkit.metrics import holm
    >>> holm([0.01, 0.04, 0.03]).round(2).tolist()
    [0.03, 0.06, 0.06]
    """
    given = np.asarray(p_values, dtype=np.float64)
    if given.ndim != 1:
        raise DataError(f"p_values must be one column, got the shape {given.shape}")
    outside = (given < 0) | (given > 1)
    if outside.any():
        raise DataError(f"p-values lie between 0 and 1; {positions(outside)} do not")
    known = np.flatnonzero(~np.isnan(given))
    result = np.full(len(given), np.nan)
    order = known[np.argsort(given[known], kind="stable")]
    steps = given[order] * np.arange(len(order), 0, -1)
    result[order] = np.minimum(np.maximum.accumulate(steps), 1.0) if len(order) else steps
    return result
