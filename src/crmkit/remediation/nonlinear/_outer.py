"""Small problems searched whole: lines above the values and below the uses make a programme that bounds every plan."""

from __future__ import annotations

from time import perf_counter
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy import sparse
from scipy.optimize import Bounds, LinearConstraint, milp

from crmkit.remediation._search import for_milp
from crmkit.remediation.nonlinear._choice import polished
from crmkit.remediation.nonlinear._levels import levelled

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._options import Options
    from crmkit.remediation._problem import Problem
    from crmkit.remediation.nonlinear._choice import Made
    from crmkit.remediation.nonlinear._concave import Effort
    from crmkit.remediation.nonlinear._responses import Response

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]

__all__ = ["MOST_PAIRS", "search_outside"]

MOST_PAIRS = 200
"""With more pairs the programmes take long, and divided plans bound whole ones well anyway."""

_FIRST = 7
_ROUNDS = 12
_STEP = 1e-4


class _Solved(NamedTuple):
    """Which pairs a programme takes, at which share of their range, and what no plan can exceed."""

    taken: npt.NDArray[np.bool_]
    share: Floats
    bound: float


class _Outer:
    """The programme: a pair is taken or not, its share of the range times that, its value and its uses.

    Lines through two near points of a concave function lie above it everywhere else, and between the two by no more
    than its second difference, by which they are raised; for convex uses the other way round.
    """

    def __init__(self, problem: Problem, lines: Sequence[Response]) -> None:
        self.lines = lines
        levels = levelled(problem, [(response, [response.low]) for response in lines])
        self.options: Options = levels.problem.options()
        n_options = self.options.n_options
        position = np.full((problem.n_cases, len(problem.remedies)), -1, dtype=np.intp)
        position[self.options.case, self.options.remedy] = np.arange(n_options)
        # Cases held out and cases of other pairs that are not eligible have no place.
        self.place = [position[response.case, response.remedy] for response in lines]
        self.scale = self.options.scale
        # After the options: for each pair its share, its value and a column for each use.
        self.begin: list[int] = []
        self.n_columns = n_options
        for response in lines:
            self.begin.append(self.n_columns)
            self.n_columns += (2 + len(response.rows)) * response.n_pairs
        self.cuts: list[tuple[Ints, Ints, Floats]] = []
        self.n_cuts = 0
        for share in np.linspace(0.0, 1.0, _FIRST):
            for i, response in enumerate(lines):
                self.add(i, np.arange(response.n_pairs), np.full(response.n_pairs, share))

    def add(self, i: int, where: Ints, share: Floats) -> None:
        """Add the lines at some shares of the range of some pairs of a response."""
        response = self.lines[i].take(where)
        place = self.place[i][where]
        width = response.high - response.low
        at = np.clip(share, _STEP, 1.0 - _STEP)
        worth = [response.at(response.low + (at + step) * width) for step in (-_STEP, 0.0, _STEP)]
        n_pairs = self.lines[i].n_pairs
        there = np.flatnonzero(place >= 0)
        for k, points in enumerate(zip(*([each.value, *each.uses] for each in worth), strict=True)):
            sign = 1.0 if k == 0 else -1.0
            unit = self.scale if k == 0 else float(self.options.row_scale[response.rows[k - 1]])
            before, middle, after = (sign * point / unit for point in points)
            raised = middle + np.abs(after - 2.0 * middle + before)
            for slope in ((middle - before) / _STEP, (after - middle) / _STEP):
                # The quantity is at most the level where the pair is taken, and the slope times its share.
                line = self.n_cuts + np.arange(len(there))
                self.n_cuts += len(line)
                level = raised - slope * at
                # Long lines are shortened, so that the solver's rounding of what is taken hardly breaks them.
                size = 2.0 * np.maximum(1.0, np.maximum(np.abs(level), np.abs(slope)))[there]
                for column, entry in (
                    (self.begin[i] + (1 + k) * n_pairs + where[there], sign / size),
                    (place[there], -level[there] / size),
                    (self.begin[i] + where[there], -slope[there] / size),
                ):
                    self.cuts.append((line, column, entry))

    def solve(self, *, gap: float, nodes: int, time_limit: float) -> _Solved | None:
        """Solve the programme; None where it has no plan or none was found."""
        options = self.options
        n_options = options.n_options
        parts = [np.concatenate(part) for part in zip(*self.cuts, strict=True)]
        cuts = sparse.csr_array((parts[2], (parts[0], parts[1])), shape=(self.n_cuts, self.n_columns))
        pad = sparse.csr_array((options.n_groups, self.n_columns - n_options))
        groups = sparse.hstack([options.members, pad])
        limited = np.flatnonzero(options.limited)
        rows = sparse.hstack(
            [options.matrix[limited], sparse.csr_array((len(limited), self.n_columns - n_options))]
        ).tolil()
        scale = options.row_scale
        links: list[Any] = []
        lower, upper = np.full(self.n_columns, -np.inf), np.full(self.n_columns, np.inf)
        lower[:n_options], upper[:n_options] = 0.0, 1.0
        cost = np.zeros(self.n_columns)
        cost[:n_options] = -options.value / self.scale
        for i, response in enumerate(self.lines):
            n_pairs, begin, place = response.n_pairs, self.begin[i], self.place[i]
            there = np.flatnonzero(place >= 0)
            lower[begin : begin + n_pairs], upper[begin : begin + n_pairs] = 0.0, 1.0
            # The share of what is not taken is 0.
            line = np.tile(np.arange(len(there)), 2)
            column = np.concatenate([begin + there, place[there]])
            entries = np.repeat([1.0, -1.0], len(there))
            links.append(sparse.csr_array((entries, (line, column)), shape=(len(there), self.n_columns)))
            cost[place[there]] = 0.0
            cost[begin + n_pairs + there] = -1.0
            absent = np.flatnonzero(place < 0)
            for k in range(2 + len(response.rows)):
                lower[begin + k * n_pairs + absent] = upper[begin + k * n_pairs + absent] = 0.0
            for k, row in enumerate(response.rows):
                first = begin + (2 + k) * n_pairs
                lower[first : first + n_pairs] = np.maximum(lower[first : first + n_pairs], 0.0)
                for at in np.flatnonzero(limited == row).tolist():
                    rows[at, place[there]] = 0.0
                    rows[at, first + there] = scale[row]
        table = sparse.diags_array(1.0 / scale[limited]) @ rows.tocsr()
        bound = np.concatenate(
            [
                np.zeros(self.n_cuts),
                np.ones(options.n_groups),
                np.zeros(sum(link.shape[0] for link in links)),
                options.bound[limited] / scale[limited],
            ]
        )
        run: Any = milp  # its stubs know no dict of options
        result = run(
            cost,
            integrality=(np.arange(self.n_columns) < n_options).astype(np.int64),
            bounds=Bounds(lower, upper),
            constraints=LinearConstraint(for_milp(sparse.vstack([cuts, groups, *links, table])), -np.inf, bound),
            options={"time_limit": max(time_limit, 0.1), "mip_rel_gap": gap, "node_limit": nodes},
        )
        if result.x is None or result.mip_dual_bound is None:
            return None
        return _Solved(result.x[:n_options] > 0.5, result.x, -float(result.mip_dual_bound) * self.scale)


def search_outside(
    problem: Problem, lines: Sequence[Response], best: Made, bound: float, effort: Effort
) -> tuple[Made, float]:
    """Bring plan and bound together by searching programmes that bound every plan, with lines where plans are.

    Parameters
    ----------
    problem : Problem
        With open intensities and few pairs.
    lines : sequence of Response
        Concave ones.
    best : Made
        The plan in hand.
    bound : float
        What is proved of all plans.
    effort : Effort
        How far to search.

    Returns
    -------
    tuple
        The best plan and the lowest bound.

    References
    ----------
    Duran & Grossmann 1986, "An outer-approximation algorithm for a class of mixed-integer nonlinear programs",
    doi:10.1007/BF02592064.
    """
    end = perf_counter() + effort.time_limit
    outer = _Outer(problem, lines)
    shape = best.intensity.shape
    found = best.intensity
    for _ in range(_ROUNDS):
        for i, response in enumerate(lines):
            own = found[response.case, response.remedy]
            here = np.flatnonzero(~np.isnan(own))
            width = response.high[here] - response.low[here]
            share = np.divide(own[here] - response.low[here], width, out=np.zeros(len(here)), where=width > 0)
            outer.add(i, here, share)
        solved = outer.solve(gap=0.1 * effort.gap, nodes=10 * effort.nodes, time_limit=end - perf_counter())
        if solved is None:
            break
        bound = min(bound, max(solved.bound, best.value))
        remedy = np.full(shape[0], -1, dtype=np.intp)
        remedy[outer.options.case[solved.taken]] = outer.options.remedy[solved.taken]
        found = np.full(shape, np.nan)
        for i, response in enumerate(lines):
            given = np.flatnonzero(remedy[response.case] == response.remedy)
            share = np.clip(solved.share[outer.begin[i] + given], 0.0, 1.0)
            at = response.low[given] + share * (response.high[given] - response.low[given])
            found[response.case[given], response.remedy] = np.clip(at, response.low[given], response.high[given])
        made = polished(problem, list(lines), remedy, found, best.duals)
        if made is not None:
            found = made.intensity
            best = made if made.value > best.value else best
        if bound - best.value <= effort.gap * max(1.0, abs(best.value)) or perf_counter() > end:
            break
    return best, bound
