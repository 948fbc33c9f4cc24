"""The optimiser's curse: by how much a plan's value is too high, and values that do not have it."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy.optimize import brentq

from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.remediation._errors import errors_of
from crmkit.remediation._intensities import has_intensities
from crmkit.remediation._problem import Problem
from crmkit.remediation.uncertain._noise import Noise
from crmkit.remediation.uncertain._risk import shares_of

if TYPE_CHECKING:
    from collections.abc import Iterable

    import numpy.typing as npt

    from crmkit.remediation._plan import Plan

    Floats = npt.NDArray[np.float64]

__all__ = ["disappointment", "shrunk"]

_NORMAL_975 = 1.959963984540054


def shrunk(problem: Problem) -> Problem:
    """Give the same problem with values drawn towards their mean, as their errors say they should be.

    Who takes the best of many estimates takes those that happen to be too high. If the true values of a remedy vary
    normally around a mean and each estimate errs by its own ``error``, the value to expect given the estimate is
    ``mean + weight * (estimate - mean)`` with ``weight = variance / (variance + error**2)``. Mean and variance are
    estimated for each remedy from its eligible cases (empirical Bayes). A plan of the shrunk problem is worth on
    average what it says, and is the better plan where errors differ between cases.

    Use it where ``error`` is that of unbiased estimates for single cases, such as averages of few observations; not
    where a model has shrunk its predictions already. Shared errors stay as they are: nothing within a remedy tells
    them from its mean.

    Parameters
    ----------
    problem : Problem
        With ``error`` for at least one remedy.

    Returns
    -------
    Problem
        With new columns for values and errors; a remedy without ``error`` or with one eligible case stays as it is.

    Raises
    ------
    DataError
        If no remedy has an error.

    Notes
    -----
    The variance is the one at which the weighted squares of the residuals are as many as they should be (Paule &
    Mandel 1982); 0 where the estimates vary no more than their errors, and all values then are the mean. Errors of the
    new values leave out that mean and variance are estimated; :func:`disappointment` counts that. Cost: some passes
    over the values.

    References
    ----------
    Smith & Winkler 2006, "The optimizer's curse", doi:10.1287/mnsc.1050.0451.
    Paule & Mandel 1982, "Consensus values and weighting factors", doi:10.6028/jres.087.022.

    Examples
    --------
    >>> from crmkit.remediation import Problem, shrunk
    >>> problem = Problem.from_arrays([[10.0], [4.0], [1.0]], uses={}, limits={}, errors=3.0)
    >>> shrunk(problem).arrays().value.ravel().round(2).tolist()
    [7.86, 4.43, 2.71]
    """
    if problem.promised is not None:
        raise DataError("what is promised stands as it was planned: shrink the values of the problem before an update")
    value, own = _estimates(problem)
    cases, remedies = problem.cases.copy(deep=False), list(problem.remedies)
    for j, prior in _priors(problem, value, own).items():
        # Those held out are shrunk like the others but have no part in the mean.
        every = np.isfinite(value[:, j])
        weight = prior.weight(own[:, j])
        drawn = np.full(len(value), np.nan)
        drawn[every] = prior.centre + weight[every] * (value[every, j] - prior.centre)
        names = [_free(f"shrunk {what} {j}", cases.columns) for what in ("value", "error", "eligible")]
        for name, column in zip(names, (drawn, np.sqrt(weight) * own[:, j], every), strict=True):
            cases[name] = column
        remedies[j] = replace(remedies[j], value=names[0], error=names[1], eligible=f"`{names[2]}`")
    with warnings.catch_warnings():
        # What is missing was told when the problem was made.
        warnings.simplefilter("ignore", DataWarning)
        return Problem(
            cases,
            remedies,
            problem.limits,
            one_per=problem.one_per,
            holdout=problem.holdout,
            frequency=problem.frequency,
        )


def _free(name: str, taken: Iterable[object]) -> str:
    """Give a name that no column has."""
    known = set(taken)
    while name in known:
        name += "'"
    return name


class _Prior(NamedTuple):
    """How the true values of one remedy vary: normally, with a mean and variance that are estimates themselves."""

    centre: float
    variance: float
    centre_error: float
    variance_error: float

    def weight(self, error: Floats) -> Floats:
        """Give how much of an estimate's distance from the mean is to be believed."""
        total = self.variance + error**2
        return np.divide(self.variance, total, out=np.ones(len(total)), where=total > 0)


def _estimates(problem: Problem) -> tuple[Floats, Floats]:
    """Give values and their own errors, also of those held out."""
    if has_intensities(problem.remedies):
        raise DataError("values that depend on an intensity cannot be shrunk: shrink the columns they are made of")
    value = problem.tableau().value
    own = errors_of(problem.cases, problem.remedies, "error", np.isfinite(value))
    if own is None:
        raise DataError("no remedy has an error: give Remedy(error=) so that values can be shrunk by it")
    return value, own


def _priors(problem: Problem, value: Floats, own: Floats) -> dict[int, _Prior]:
    """Estimate mean and variance of each remedy that has errors and more than one case."""
    found = {}
    for j, remedy in enumerate(problem.remedies):
        known = np.isfinite(value[:, j]) & ~problem.held_out
        if remedy.error is not None and int(known.sum()) > 1:
            found[j] = _prior(value[known, j], own[known, j])
    return found


def _prior(value: Floats, error: Floats) -> _Prior:
    """Estimate mean and variance of the true values from estimates with errors."""

    def centre(variance: float) -> float:
        weight = 1.0 / (variance + error**2)
        return float(np.sum(weight * value) / np.sum(weight))

    def excess(variance: float) -> float:
        return float(np.sum((value - centre(variance)) ** 2 / (variance + error**2))) - (len(value) - 1)

    spread = float(np.var(value, ddof=1))
    if spread == 0.0:
        return _Prior(float(value[0]), 0.0, 0.0, 0.0)
    variance = least = 1e-12 * spread  # an error of 0 would divide by nothing
    if excess(least) > 0:
        # At the upper end the weighted squares are fewer than they should be, whatever the errors.
        variance = float(brentq(excess, least, 2.0 * len(value) * spread, xtol=1e-12 * spread))
    precision = float(np.sum(1.0 / (variance + error**2)))
    # The weighted squares have variance 2 (n - 1), and fall by the precision per unit of the variance sought.
    variance_error = float(np.sqrt(2.0 * (len(value) - 1)) / precision)
    return _Prior(centre(variance), variance if variance > least else 0.0, precision**-0.5, variance_error)


def disappointment(plan: Plan) -> Estimate:
    """Say by how much a plan's value is expected to be too high, because it took the best of uncertain values.

    The plan's value by the formulas less what the same plan is worth with shrunk values (see :func:`shrunk`).

    Parameters
    ----------
    plan : Plan
        Whole, of a problem with ``error`` for at least one remedy.

    Returns
    -------
    Estimate
        In the cases' currency: what to expect the plan to fall short of its value by; ``n`` is the number of cases that
        get a remedy; the 95 % interval is that of the shortfall itself, from the errors left after shrinking, those of
        mean and variance, and the shared errors.

    Raises
    ------
    DataError
        If no remedy has an error or the plan divides cases.

    Examples
    --------
    >>> from crmkit.remediation import Problem, disappointment, plan
    >>> problem = Problem.from_arrays([[10.0], [4.0], [1.0]], uses={"calls": 1}, limits={"calls": 1}, errors=3.0)
    >>> round(disappointment(plan(problem)), 2)
    2.14
    """
    problem = plan.problem
    better = shrunk(problem)
    share = shares_of(plan, better)
    options = better.options()
    surplus = plan.value - options.total(share)
    variance = Noise.of(better).variance(share)
    value, own = _estimates(problem)
    for j, prior in _priors(problem, value, own).items():
        case = options.case[(share > 0) & (options.remedy == j)]
        weight = prior.weight(own[case, j])
        total = np.maximum(prior.variance + own[case, j] ** 2, np.finfo(float).tiny)
        moves = np.sum((1.0 - weight) / total * (value[case, j] - prior.centre))
        variance += (np.sum(1.0 - weight) * prior.centre_error) ** 2 + float(moves * prior.variance_error) ** 2
    room = _NORMAL_975 * float(np.sqrt(variance))
    return Estimate(surplus, n=int(share.sum()), low=surplus - room, high=surplus + room, method="empirical Bayes")
