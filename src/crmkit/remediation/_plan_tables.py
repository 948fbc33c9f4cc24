"""The tables by which a plan is read: its cases, the prices of its limits, and the ranking for one case."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.remediation._intended import intended
from crmkit.remediation._intensities import intensity_column
from crmkit.remediation._prices import one_sided
from crmkit.remediation._ranking import elsewhere, runners_up
from crmkit.remediation._terms import NOTHING, Ratio, Resource

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._coefficients import Coefficients
    from crmkit.remediation._options import Options
    from crmkit.remediation._problem import Problem
    from crmkit.remediation._relaxation import Relaxed

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["Lines", "explanation", "plan_table", "price_table", "use_of"]


class Lines(NamedTuple):
    """What a plan gives, a line a case, or a line for each part of a divided case.

    Parameters
    ----------
    case, remedy : ndarray of int, shape (n_lines,)
        Positions; -1 for nothing.
    share, worth : ndarray, shape (n_lines,)
        How much of the case, and what that is worth.
    """

    case: Ints
    remedy: Ints
    share: Floats
    worth: Floats


def use_of(lines: Lines, coefficients: Coefficients) -> Floats:
    """Give what each line counts against one limit.

    Parameters
    ----------
    lines : Lines
        What is given.
    coefficients : Coefficients
        Of the limit.

    Returns
    -------
    ndarray, shape (n_lines,)
        Times the share; 0 for nothing.
    """
    return lines.share * coefficients.at(lines.case, lines.remedy)


def plan_table(problem: Problem, lines: Lines, ranking: Floats) -> pd.DataFrame:
    """Write the table of a plan.

    Parameters
    ----------
    problem : Problem
        What was planned.
    lines : Lines
        What is given.
    ranking : ndarray, shape (n_cases, n_remedies)
        Price-adjusted values, also of cases held out.

    Returns
    -------
    pandas.DataFrame
        As described at :attr:`Plan.table`.
    """
    group = problem.group
    names = np.array([*problem.remedy_names, NOTHING], dtype=object)
    runner, lead = runners_up(ranking, elsewhere(ranking, group), lines.case, lines.remedy)
    held = problem.held_out[lines.case]
    meant = lines.remedy.copy()
    if held.any() and problem.holdout is not None:
        seed = int(problem.holdout.random_state)
        meant[held] = intended(ranking, group, lines, problem.held_out, seed)[lines.case[held]]
    counted = [i for i, limit in enumerate(problem.limits) if isinstance(limit, Resource)]
    # One block of numbers: a frame made of many columns would copy them all.
    uses = np.empty((len(lines.case), len(counted)), order="F")
    for at, i in enumerate(counted):
        uses[:, at] = use_of(lines, problem.tableau().limits[i].coefficients)
    table = pd.DataFrame(uses, columns=[f"uses_{problem.limits[i].name}" for i in counted], copy=False)
    seconds = names[np.maximum(runner, -1)]
    seconds[runner == -2] = None
    first = {
        "case_id": problem.case_ids[lines.case],
        "remedy": names[lines.remedy],
        "share": lines.share.copy(),
        **intensity_column(problem, lines.case, lines.remedy),
        "value": lines.worth.copy(),
    }
    for at, (column, entries) in enumerate(first.items()):
        table.insert(at, column, entries)
    table["runner_up"] = seconds
    table["lead"] = lead
    table["arm"] = np.where(held, "holdout", "plan").astype(object)
    table["intended"] = names[meant]
    if problem.promised is not None:
        table["promised"] = np.isin(lines.case, problem.promised.case)
    table["case_id"] = table["case_id"].astype(problem.cases["case_id"].dtype)
    return table


def price_table(problem: Problem, options: Options, relaxed: Relaxed, rows: Ints, used: Floats) -> pd.DataFrame:
    """Turn one-sided multipliers back into the limits' own direction.

    Parameters
    ----------
    problem : Problem
        What was planned.
    options : Options
        All its options, or those that decide the prices.
    relaxed : Relaxed
        Their divided plan.
    rows : ndarray of int
        Which of the problem's limits each row of the options is; the others have no price.
    used : ndarray, shape (n_limits,)
        What the plan uses.

    Returns
    -------
    pandas.DataFrame
        As described at :attr:`Plan.prices`.
    """
    worth = one_sided(options, relaxed)
    limit = np.array([each.bound for each in problem.tableau().limits], dtype=np.float64)
    less, more, down, up = np.zeros((4, len(limit)))
    down[:] = up[:] = np.inf
    turned = options.sign < 0
    less[rows] = np.where(turned, -worth.more, worth.less)
    more[rows] = np.where(turned, -worth.less, worth.more)
    down[rows] = np.where(turned, worth.up, worth.down)
    up[rows] = np.where(turned, worth.down, worth.up)
    units = [
        f"value per unit of {term.name}" if isinstance(term, Resource) else "value per case" for term in problem.limits
    ]
    least = [-np.inf if isinstance(term, Ratio) else 0.0 for term in problem.limits]
    columns: dict[str, Any] = {
        "used": used,
        "limit": limit,
        # Minus zero reads badly.
        "price_less": less + 0.0,
        "price_more": more + 0.0,
        "valid_from": np.maximum(np.where(np.isfinite(limit), limit, 0.0) - down, least),
        "valid_to": limit + up,
        "unit": units,
    }
    tier = problem.tier()
    if len(tier.rows):
        floor = np.array([each.sense == ">=" for each in problem.tableau().limits], dtype=bool)
        over = np.maximum(np.where(floor, limit - used, used - limit), 0.0)
        columns["beyond"] = np.where(tier.most > 0, over, 0.0)
    return pd.DataFrame(columns, index=pd.Index(problem.limit_names, name="limit_name", dtype=object))


def explanation(problem: Problem, lines: Lines, ranking: Floats, duals: Floats, case_id: Any) -> pd.DataFrame:
    """Rank what could be done for one case.

    Parameters
    ----------
    problem : Problem
        What was planned.
    lines : Lines
        What is given.
    ranking : ndarray, shape (n_cases, n_remedies)
        Price-adjusted values.
    duals : ndarray, shape (n_limits,)
        The prices.
    case_id : object
        Which case.

    Returns
    -------
    pandas.DataFrame
        As described at :meth:`Plan.explain`.

    Raises
    ------
    KeyError
        If there is no such case.
    """
    where = np.flatnonzero(problem.case_ids == case_id)
    if len(where) != 1:
        raise KeyError("there is no case of that id in the problem")
    case = int(where[0])
    tableau = problem.tableau()
    eligible = np.flatnonzero(np.isfinite(tableau.value[case]))
    columns: dict[str, Any] = {"value": np.append(tableau.value[case, eligible], 0.0)}
    for row, dual in zip(tableau.rows, duals, strict=True):
        if dual:
            amount = row.coefficients[[case], :].toarray().ravel()[eligible]
            columns[f"price_of_{row.name}"] = np.append(dual * amount, 0.0)
    group = problem.group
    mates = np.flatnonzero(group == group[case])
    nothing = elsewhere(ranking[mates], group[mates])[mates == case][0]
    columns["adjusted"] = np.append(ranking[case, eligible], nothing)
    mine = lines.case == case
    given = dict(zip(lines.remedy[mine].tolist(), lines.share[mine].tolist(), strict=True))
    columns["chosen"] = [given.get(int(remedy), 0.0) for remedy in [*eligible, -1]]
    names = [problem.remedy_names[remedy] for remedy in eligible]
    table = pd.DataFrame(columns, index=pd.Index([*names, NOTHING], name="remedy", dtype=object))
    return table.sort_values(["adjusted", "chosen"], ascending=False, kind="stable")
