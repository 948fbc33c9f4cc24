"""Always-valid intervals: they may be looked at every day without the error growing."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import lambertw

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["always_valid_p_value", "always_valid_width", "check_planned"]


def check_planned(planned: Any) -> int:
    """Check the number of rows at which an always-valid interval shall be narrowest.

    Parameters
    ----------
    planned : int
        Rows (or clusters) of all arms.

    Returns
    -------
    int
        The same.

    Raises
    ------
    DataError
        If it is no positive whole number.
    """
    if isinstance(planned, bool) or not isinstance(planned, int | np.integer) or planned < 1:
        raise DataError(f"planned must be a number of rows fixed before the first look, got {planned!r}")
    return int(planned)


def _spread(n: npt.ArrayLike, planned: int, alpha: float) -> npt.NDArray[np.float64]:
    """Give the mixture's variance in units of the sampling variance after ``n`` rows."""
    # The stationary point of the width in n: u = -W(-alpha^2 / e) on the lower branch, less 1.
    best = -float(np.real(lambertw(-(alpha**2) / np.e, k=-1))) - 1
    return np.asarray(n, dtype=np.float64) * best / planned


def always_valid_width(n: npt.ArrayLike, planned: int, level: float) -> npt.NDArray[np.float64]:
    """Give the half-width of an always-valid interval in standard errors.

    Parameters
    ----------
    n : array-like of int
        Independent rows so far, of all arms.
    planned : int
        At which number of rows it shall be narrowest; fixed before the first look.
    level : float
        Coverage of all looks together.

    Returns
    -------
    ndarray
        What 1.96 is for one look at .95.

    References
    ----------
    Waudby-Smith, I., Arbour, D., Sinha, R., Kennedy, E. H., & Ramdas, A. (2024). Time-uniform central limit theory and
    asymptotic confidence sequences. The Annals of Statistics 52, 2613-2640. doi:10.1214/24-AOS2408
    """
    alpha = 1 - level
    spread = _spread(n, planned, alpha)
    return np.asarray(np.sqrt((spread + 1) / spread * np.log((spread + 1) / alpha**2)), dtype=np.float64)


def always_valid_p_value(z: npt.ArrayLike, n: npt.ArrayLike, planned: int, level: float) -> npt.NDArray[np.float64]:
    """Give the p-value that belongs to the interval: below 1 - level where the interval leaves 0 out.

    Parameters
    ----------
    z : array-like of float
        The difference in standard errors.
    n, planned, level
        As for the width.

    Returns
    -------
    ndarray
        The inverse of the mixture's likelihood ratio, at most 1.

    References
    ----------
    Johari, R., Koomen, P., Pekelis, L., & Walsh, D. (2022). Always valid inference: continuous monitoring of A/B tests.
    Operations Research 70, 1806-1821. doi:10.1287/opre.2021.2135
    """
    spread = _spread(n, planned, 1 - level)
    log_p = 0.5 * np.log(spread + 1) - np.square(z) * spread / (2 * (spread + 1))
    return np.asarray(np.exp(np.minimum(log_p, 0.0)), dtype=np.float64)
