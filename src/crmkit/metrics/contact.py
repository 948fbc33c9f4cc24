"""What it costs to serve: the mean cost of a contact, or of a contact that resolved its matter."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import stdtrit

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import as_numbers, check_lengths
from crmkit.metrics.intervals import check_level, mean

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["contact_cost"]


def contact_cost(cost: Any, resolved: Any = None, *, level: float = 0.95) -> Estimate:
    """Give the mean cost of a contact, or, with ``resolved``, what all contacts cost for each one that resolved.

    The second is the honest price of a cheap channel that resolves little.

    Parameters
    ----------
    cost : array-like of float, shape (n_contacts,)
        What each contact cost, none negative, in one currency.
    resolved : array-like of bool, shape (n_contacts,), default=None
        Whether the contact resolved its matter.
    level : float, default=0.95
        Nominal coverage: a t interval of the mean, or of the ratio by the delta method, cut off at 0.

    Returns
    -------
    Estimate
        In the currency of ``cost``; ``n`` counts contacts.

    Raises
    ------
    DataError
        If there are no contacts, a cost is missing or negative (naming the positions), or nothing was resolved.

    Examples
    --------
    >>> from crmkit.metrics import contact_cost
    >>> float(contact_cost([2.0, 4.0, 6.0])), float(contact_cost([2.0, 4.0, 6.0], [True, False, True]))
    (4.0, 6.0)
    """
    check_level(level)
    costs = as_numbers(cost, "cost")
    if (costs < 0).any():
        raise DataError(f"cost is negative in {positions(costs < 0)}")
    if resolved is None:
        estimate = mean(costs, level=level)
        value, half, method = estimate.value, estimate.high - estimate.value, "t"
    else:
        done = _flags(resolved)
        check_lengths(cost=costs, resolved=done)
        if not done.any():
            raise DataError("no contact was resolved: a cost for each resolved contact is not defined")
        value = float(costs.sum() / done.sum())
        half, method = _half_width_of_ratio(costs - value * done, float(done.mean()), level), "t, ratio"
    low, high = (value - half, value + half)
    low = low if np.isnan(low) else max(0.0, low)
    return Estimate(value, n=len(costs), low=low, high=high, level=level, method=method)


def _flags(resolved: Any) -> npt.NDArray[np.float64]:
    """Give 0 or 1 a contact."""
    flags = as_numbers(resolved, "resolved")
    wrong = (flags != 0) & (flags != 1)
    if wrong.any():
        raise DataError(f"resolved must be True or False; {positions(wrong)} are neither")
    return flags


def _half_width_of_ratio(residuals: npt.NDArray[np.float64], base: float, level: float) -> float:
    """Give half the width of the interval of a ratio of means, from the residuals of its numerator."""
    n = len(residuals)
    if n < 2:
        return float("nan")
    return float(stdtrit(n - 1, 0.5 + level / 2) * residuals.std(ddof=1) / np.sqrt(n) / base)
