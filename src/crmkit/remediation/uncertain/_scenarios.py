"""Values as they might be: drawn from their errors, or brought by the user."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError
from crmkit.remediation.uncertain._noise import Noise

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]

__all__ = ["draws", "flat_scenarios", "scenarios"]

_COUNT_AXES = 3


def draws(values: Floats, noise: Noise, n: int, random_state: Any) -> Floats:
    """Draw values of options in mirrored pairs, so that their mean is the estimate where ``n`` is even.

    Parameters
    ----------
    values : ndarray, shape (n_options,)
        The estimates.
    noise : Noise
        Their errors.
    n : int
        How many scenarios.
    random_state : int, RandomState or None
        Source of the draws.

    Returns
    -------
    ndarray, shape (n, n_options)
        One row a scenario.
    """
    random = check_random_state(random_state)
    result = np.empty((n, len(values)))
    half = (n + 1) // 2
    common = random.standard_normal((half, noise.n_remedies))
    for row in range(half):
        moved = noise.shared * common[row][noise.remedy]
        if noise.own.any():
            moved += noise.own * random.standard_normal(len(values))
        result[row] = values + moved
        if half + row < n:
            result[half + row] = values - moved
    return result


def scenarios(problem: Problem, n: int, *, random_state: Any = 0) -> Floats:
    """Draw values as they might be, given their standard errors.

    Normal errors: ``error`` apart for each case and remedy, ``shared_error`` once for all cases of a remedy. Scenarios
    come in mirrored pairs, so that with an even ``n`` their mean is the estimate itself.

    Parameters
    ----------
    problem : Problem
        With ``error`` or ``shared_error`` of its remedies; without, all scenarios are the same.
    n : int
        How many, at least 1.
    random_state : int, RandomState or None, default=0
        Source of the draws. Changes the result.

    Returns
    -------
    ndarray, shape (n, n_cases, n_remedies)
        ``-inf`` where not eligible: what planners take as ``scenarios``.

    Raises
    ------
    ValueError
        If ``n`` is below 1.

    Notes
    -----
    Memory: 8 bytes a scenario, case and remedy. For more than fits, call it several times with different seeds.

    Examples
    --------
    >>> from crmkit.remediation import Problem, scenarios
    >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={}, limits={}, errors=2.0)
    >>> drawn = scenarios(problem, 100)
    >>> drawn.shape, drawn.mean(axis=0).round(6).tolist()
    ((100, 2, 1), [[10.0], [4.0]])
    """
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    options = problem.options()
    result = np.full((n, problem.n_cases, len(problem.remedies)), -np.inf)
    result[:, options.case, options.remedy] = draws(options.value, Noise.of(problem), n, random_state)
    return result


def flat_scenarios(problem: Problem, given: Any) -> Floats:
    """Bring a user's scenarios to the order of the problem's options.

    Parameters
    ----------
    problem : Problem
        What is planned.
    given : array-like, shape (n_scenarios, n_cases, n_remedies)
        Values in each scenario; only eligible entries are read.

    Returns
    -------
    ndarray, shape (n_scenarios, n_options)
        One row a scenario.

    Raises
    ------
    DataError
        If the shape does not fit, or an eligible entry is no finite number.
    """
    array = np.asarray(given, dtype=np.float64)
    shape = (problem.n_cases, len(problem.remedies))
    if array.ndim != _COUNT_AXES or array.shape[1:] != shape or not len(array):
        raise DataError(
            f"scenarios must have the shape (n_scenarios, {shape[0]}, {shape[1]}) (scenarios, cases, remedies) with at "
            f"least one scenario, got {array.shape}"
        )
    options = problem.options()
    flat = np.ascontiguousarray(array[:, options.case, options.remedy])
    bad = ~np.isfinite(flat).all(axis=1)
    if bad.any():
        raise DataError(
            f"scenarios: {int(bad.sum()):,} of {len(flat):,} have a value that is missing or infinite where the remedy "
            f"is eligible, first scenario {int(np.flatnonzero(bad)[0])}"
        )
    return flat
