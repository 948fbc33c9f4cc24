"""What may become of a plan: standard error, value at risk, worst scenarios and worst case."""

from __future__ import annotations

from statistics import NormalDist
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.remediation.uncertain._noise import Noise
from crmkit.remediation.uncertain._robust import robust_family
from crmkit.remediation.uncertain._scenarios import flat_scenarios
from crmkit.remediation.uncertain._tail import tail_mean

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._plan import Plan
    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]

__all__ = ["risk", "shares_of"]

_RESAMPLES = 400


def shares_of(plan: Plan, problem: Problem) -> Floats:
    """Give a whole plan as shares of a problem's options.

    Parameters
    ----------
    plan : Plan
        One remedy or nothing a case.
    problem : Problem
        Its own, or one with the same cases and remedies.

    Returns
    -------
    ndarray, shape (n_options,)
        0 and 1.

    Raises
    ------
    DataError
        If the plan divides cases, has promises, is of other cases, or gives what is not eligible.
    """
    if plan.fractional:
        raise DataError("the plan divides cases; what is asked is known of whole plans only")
    if problem.promised is not None:
        raise DataError("the plan has promised remedies; what is asked is known of plans without them only")
    if len(plan.choice) != problem.n_cases or plan.problem.remedy_names != problem.remedy_names:
        raise DataError("the problem must have the cases and remedies of the plan")
    options = problem.options()
    share: Floats = (plan.choice[options.case] == options.remedy).astype(np.float64)
    given = int(np.sum(plan.choice >= 0))
    if int(share.sum()) != given:
        raise DataError(f"{given - int(share.sum()):,} cases get a remedy for which the problem has them not eligible")
    return share


def risk(
    plan: Plan,
    problem: Problem | None = None,
    *,
    level: float = 0.1,
    size: float = 2.0,
    budget: float | None = None,
    scenarios: Any = None,
) -> pd.DataFrame:
    """Say how a plan's value may turn out.

    Without scenarios from the errors of the remedies, exactly, as for a normal value; with them from the scenarios,
    with 95 % intervals by drawing the scenarios anew (bootstrap).

    Parameters
    ----------
    plan : Plan
        Whole.
    problem : Problem or None, default=None
        With whose values and errors; None takes the plan's own.
    level : float, default=0.1
        Which share of the outcomes is the worst.
    size : float, default=2.0
        How many standard errors values turn out worse in the worst case.
    budget : float or None, default=None
        How many cases turn out worse, as in :class:`RobustPlanner`.
    scenarios : array-like, shape (n_scenarios, n_cases, n_remedies), or None
        Equally likely values, such as fresh ones from :func:`scenarios`.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``mean``, ``standard error``, ``value at risk`` (fallen short of with probability ``level``),
        ``cvar`` (the mean of the outcomes below it), ``worst case, budget`` and ``worst case, ellipsoidal``:
        ``value``, ``low`` and ``high`` (missing where the figure is exact for the errors given), ``n`` (scenarios; 0
        without) and ``method``. Worst cases are always by the errors.

    Raises
    ------
    DataError
        If the plan does not fit the problem, or the scenarios do not.
    ValueError
        If ``level`` is not above 0 and below 1.

    Examples
    --------
    >>> from crmkit.remediation import Problem, plan, risk
    >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={}, limits={}, errors=3.0, shared_errors=2.0)
    >>> risk(plan(problem))["value"].round(2).to_dict()["standard error"]
    5.83
    """
    if not 0 < level < 1:
        raise ValueError(f"level must be above 0 and below 1, got {level!r}")
    within = plan.problem if problem is None else problem
    share = shares_of(plan, within)
    options, noise = within.options(), Noise.of(within)
    if scenarios is None:
        mean, error = options.total(share), float(np.sqrt(noise.variance(share)))
        normal = NormalDist()
        point = normal.inv_cdf(level)
        figures = [mean, error, mean + point * error, mean - error * normal.pdf(point) / level]
        rows = [(figure, np.nan, np.nan, 0, "normal") for figure in figures]
    else:
        paid = options.gross(share) - options.total(share)
        rows = _sampled(flat_scenarios(within, scenarios) @ share - paid, level)
    for kind in ("budget", "ellipsoidal"):
        family, _ = robust_family(options, noise, kind=kind, budget=budget, size=size)
        rows.append((family.worth(share), np.nan, np.nan, 0, f"{size:g} standard errors"))
    names = ["mean", "standard error", "value at risk", "cvar", "worst case, budget", "worst case, ellipsoidal"]
    return pd.DataFrame(rows, index=pd.Index(names, name="figure"), columns=["value", "low", "high", "n", "method"])


def _sampled(outcomes: Floats, level: float) -> list[tuple[float, float, float, int, str]]:
    """Give the figures of equally likely outcomes with bootstrap intervals."""
    random = np.random.default_rng(0)
    again = outcomes[random.integers(0, len(outcomes), (_RESAMPLES, len(outcomes)))]
    rows = []
    for figure in (
        np.mean,
        lambda drawn: np.std(drawn, ddof=1) if len(drawn) > 1 else np.nan,
        lambda drawn: np.quantile(drawn, level, method="inverted_cdf"),
        lambda drawn: tail_mean(drawn, level),
    ):
        low, high = np.quantile(np.array([float(figure(drawn)) for drawn in again]), [0.025, 0.975])
        rows.append((float(figure(outcomes)), float(low), float(high), len(outcomes), "bootstrap"))
    return rows
