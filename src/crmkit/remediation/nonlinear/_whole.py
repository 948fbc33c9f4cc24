"""Which remedy each case gets, where a case may mix several levels of one remedy but not several remedies."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from crmkit.remediation._search import for_milp

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation.nonlinear._levels import Levels

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["choose_remedies"]


def choose_remedies(levels: Levels, *, gap: float, nodes: int, time_limit: float) -> tuple[Ints, Floats] | None:
    """Search the best choice of remedies with mixed levels, for small problems.

    Parameters
    ----------
    levels : Levels
        Of concave responses: a mixture of levels is worth no more than its mean intensity.
    gap : float
        Stop when the choice is proved to be within this of the best, relative to its value.
    nodes : int
        Of branch and bound.
    time_limit : float
        Seconds.

    Returns
    -------
    tuple or None
        The remedy of each case (-1 for nothing) and intensities of shape (n_cases, n_remedies), NaN where not chosen:
        they may break limits by the solver's rounding. None where nothing was found.
    """
    problem = levels.problem
    options = problem.options()
    shape = (problem.n_cases, int(levels.remedy.max(initial=-1)) + 1)
    key = options.case * shape[1] + levels.remedy[options.remedy]
    pairs, pair = np.unique(key, return_inverse=True)
    n_options, n_pairs = options.n_options, len(pairs)
    if not n_pairs:
        return None
    group = np.zeros(n_pairs, dtype=np.intp)
    group[pair] = options.group
    limited = np.flatnonzero(options.limited)
    scale = options.row_scale[limited]
    mixed = sparse.csr_array((np.ones(n_options), (pair, np.arange(n_options))), shape=(n_pairs, n_options))
    one = sparse.csr_array((np.ones(n_pairs), (group, np.arange(n_pairs))), shape=(options.n_groups, n_pairs))
    lines: list[Any] = [
        sparse.hstack([mixed, -sparse.eye_array(n_pairs)]),
        sparse.hstack([sparse.csr_array((options.n_groups, n_options)), one]),
    ]
    lower = [np.zeros(n_pairs), np.full(options.n_groups, -np.inf)]
    upper = [np.zeros(n_pairs), np.ones(options.n_groups)]
    if len(limited):
        rows = sparse.diags_array(1.0 / scale) @ options.matrix[limited]
        lines.append(sparse.hstack([rows, sparse.csr_array((len(limited), n_pairs))]))
        lower.append(np.full(len(limited), -np.inf))
        upper.append(options.bound[limited] / scale)
    constraint = LinearConstraint(for_milp(sparse.vstack(lines)), np.concatenate(lower), np.concatenate(upper))
    run: Any = milp  # its stubs know no dict of options
    result = run(
        np.concatenate([-options.value / options.scale, np.zeros(n_pairs)]),
        integrality=np.concatenate([np.zeros(n_options), np.ones(n_pairs)]).astype(np.int64),
        bounds=Bounds(0.0, 1.0),
        constraints=constraint,
        options={"time_limit": max(time_limit, 0.1), "mip_rel_gap": gap, "node_limit": nodes},
    )
    if result.x is None:
        return None
    share = np.maximum(result.x[:n_options], 0.0)
    taken = np.flatnonzero(result.x[n_options:] > 0.5)
    remedy = np.full(problem.n_cases, -1, dtype=np.intp)
    remedy[pairs[taken] // shape[1]] = pairs[taken] % shape[1]
    intensity = np.full(shape, np.nan)
    total = np.bincount(pair, weights=share, minlength=n_pairs)
    for response, arrays in levels.intensities:
        at = np.full((problem.n_cases, len(levels.remedy)), np.nan)
        first = int(np.argmax(levels.remedy == response.remedy))
        for k, level in enumerate(arrays):
            at[response.case, first + k] = level
        mine = levels.remedy[options.remedy] == response.remedy
        weight = np.where(mine, share * np.nan_to_num(at[options.case, options.remedy]), 0.0)
        mean = np.bincount(pair, weights=weight, minlength=n_pairs)[taken] / total[taken]
        here = pairs[taken] % shape[1] == response.remedy
        intensity[pairs[taken][here] // shape[1], response.remedy] = mean[here]
    return remedy, intensity
