"""How conversations went: resolved at the first contact, contacts for each day or hour, and the median of a wait."""

from __future__ import annotations

from typing import Any, Literal

import numpy as np
import pandas as pd
from scipy.stats import binom

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics._columns import as_column, as_numbers, check_lengths
from crmkit.metrics._durations import as_durations
from crmkit.metrics._grouped import grouped_share
from crmkit.metrics._ratios import ratio_interval
from crmkit.metrics.intervals import check_level, share
from crmkit.metrics.survival import kaplan_meier

__all__ = ["contact_rate", "first_contact_resolution", "median"]


def first_contact_resolution(
    repeat_days: Any,
    followed_days: Any,
    *,
    days: float = 7,
    groups: Any = None,
    method: Literal["followed", "kaplan-meier"] = "followed",
    level: float = 0.95,
) -> Estimate:
    """Give the share of contacts after which the customer did not come back about the matter within some days.

    A contact of yesterday has not had the time to come back (it is right-censored): counted as resolved, every recent
    contact would raise the rate. So either only contacts that were followed for all the days count, whether they came
    back or not; or all count, each for as long as it was followed (Kaplan-Meier). It assumes that silence means a
    resolved matter, which is not so for customers who gave up.

    Parameters
    ----------
    repeat_days : array-like of float, shape (n_contacts,)
        Days until the customer came back; missing where that was not seen.
    followed_days : array-like of float, shape (n_contacts,)
        Days from the end of the contact to the end of the table.
    days : float, default=7
        How long silence must last.
    groups : array-like, shape (n_contacts,), default=None
        Whose contact each is. Contacts of one customer are alike, so with groups Wilson's interval is widened by the
        design effect (never narrowed); it changes only the interval. Not with ``"kaplan-meier"``.
    method : {"followed", "kaplan-meier"}, default="followed"
        Which contacts count.
    level : float, default=0.95
        Nominal coverage of Wilson's interval, or of Kaplan-Meier's on the log-log scale.

    Returns
    -------
    Estimate
        Between 0 and 1; ``n`` counts contacts.

    Raises
    ------
    DataError
        If no contact was followed long enough, or a number is missing, negative, or contradicts the other.

    Examples
    --------
    >>> from crmkit.metrics import first_contact_resolution
    >>> first_contact_resolution([2.0, None, None, 9.0], [30.0, 30.0, 1.0, 30.0], days=7)
    0.6667 [0.2077, 0.9385] (n=3, 95% wilson; 1 contacts followed for less than 7 days left out)
    """
    check_level(level)
    if isinstance(days, bool | str) or not days > 0:
        raise DataError(f"days must be above 0, got {days!r}")
    if method not in {"followed", "kaplan-meier"}:
        raise DataError(f"method must be 'followed' or 'kaplan-meier', got {method!r}")
    followed = as_durations(followed_days)
    repeat = pd.to_numeric(pd.Series(repeat_days), errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    check_lengths(repeat_days=repeat, followed_days=followed)
    wrong = (repeat < 0) | (repeat > followed + 1e-9)
    if wrong.any():
        raise DataError(f"repeat_days is negative or after the end of the table in {positions(wrong)}")
    again = repeat <= days
    enough = followed >= days
    young = int((~enough).sum())
    note = f"; {young:,} contacts followed for less than {days:g} days" if young else ""
    if method == "kaplan-meier":
        if groups is not None:
            raise DataError("groups widens the interval of method='followed' only")
        seen = np.minimum(np.where(np.isnan(repeat), followed, repeat), days)
        curve = kaplan_meier(seen, again, level=level)
        value, low, high = curve[["survival", "low", "high"]].iloc[-1]
        return Estimate(value, n=len(seen), low=low, high=high, level=level, method=f"kaplan-meier{note}")
    if not enough.any():
        raise DataError(f"no contact was followed for {days:g} days: take fewer days")
    note += " left out" if young else ""
    resolved = ~again[enough]
    if groups is None:
        return share(int(resolved.sum()), len(resolved), level=level, method=f"wilson{note}")
    owner = as_column(groups, "groups")
    check_lengths(groups=owner, followed_days=followed)
    return grouped_share(resolved, owner[enough], level, note)


def contact_rate(contacts: Any, exposure: Any = None, *, level: float = 0.95) -> Estimate:
    """Give the contacts for each day (or hour), from the counts of many days.

    Parameters
    ----------
    contacts : array-like of float, shape (n_days,)
        How many there were on each day, days without any included.
    exposure : array-like of float, shape (n_days,), default=None
        How long each was open, such as hours; where None, one each.
    level : float, default=0.95
        Nominal coverage of a t interval over days (of the ratio, by the delta method), cut off at 0. Days that depend
        on each other, such as those of one week, make it too narrow.

    Returns
    -------
    Estimate
        Contacts for one unit of exposure; ``n`` counts days.

    Raises
    ------
    DataError
        If there is no day or no exposure, or a number is missing or negative.

    Examples
    --------
    >>> from crmkit.metrics import contact_rate
    >>> contact_rate([4, 0, 2])
    2 [0, 6.968] (n=3, 95% t, ratio)
    """
    counts = as_numbers(contacts, "contacts")
    base = np.ones(len(counts)) if exposure is None else as_numbers(exposure, "exposure")
    check_lengths(contacts=counts, exposure=base)
    wrong = (counts < 0) | (base < 0)
    if wrong.any():
        raise DataError(f"contacts or exposure is negative in {positions(wrong)}")
    if not base.sum():
        raise DataError("exposure is 0 throughout: a rate is not defined")
    squares = (counts @ counts, counts @ base, base @ base)
    rate, low, high = ratio_interval(len(counts), counts.sum(), base.sum(), squares, level=level)
    return Estimate(
        float(rate), n=len(counts), low=float(low), high=float(high), level=check_level(level), method="t, ratio"
    )


def median(values: Any, *, level: float = 0.95) -> Estimate:
    """Give the median with the interval of order statistics, which assumes no shape.

    For waits and other times with long tails. The ends are two of the values, those that lie around the median with at
    least the coverage asked for; where there are too few values for that (5 or fewer at .95) there is no interval
    (NaN). Values must be independent.

    Parameters
    ----------
    values : array-like of float, shape (n,)
        Finite numbers.
    level : float, default=0.95
        Least coverage.

    Returns
    -------
    Estimate
        The median.

    Raises
    ------
    DataError
        If there are no values, or one is missing or infinite, by position.

    References
    ----------
    Conover, W. J. (1999). Practical Nonparametric Statistics, 3rd ed., section 3.2. Wiley.

    Examples
    --------
    >>> from crmkit.metrics import median
    >>> median([1, 2, 3, 4, 5, 6, 7, 8, 9, 100])
    5.5 [2, 9] (n=10, 95% order statistics)
    """
    check_level(level)
    numbers = np.sort(as_numbers(values, "values"))
    n = len(numbers)
    # The largest r with P(Binomial(n, 1/2) < r) at most half of what may be missed.
    below = int(binom.ppf((1 - level) / 2, n, 0.5))
    below -= int(binom.cdf(below, n, 0.5) > (1 - level) / 2)
    low = high = float("nan")
    if below >= 0:
        low, high = float(numbers[below]), float(numbers[n - 1 - below])
    return Estimate(float(np.median(numbers)), n=n, low=low, high=high, level=level, method="order statistics")
