"""What the verifier works out anew of intensities: their ranges, the formulas at them, and the best at the prices."""

from __future__ import annotations

from copy import copy
from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions
from crmkit.core.predicate import parse
from crmkit.remediation._plan import Plan

if TYPE_CHECKING:
    from crmkit.remediation._problem import Problem
    from crmkit.remediation._terms import Remedy

    Floats = np.ndarray[Any, np.dtype[np.float64]]

__all__ = ["AtIntensities"]

_ROOM = 1e-9
_GRID = 17
_SECTIONS = 24
_PART = (np.sqrt(5.0) - 1.0) / 2.0
_EDGE = 1e-8


class AtIntensities:
    """A problem with intensities at those of a plan, in the words of one without.

    Parameters
    ----------
    plan_or_table : Plan or table
        Which says the intensities: a plan those of every pair of case and remedy, a table those that are given.
    problem : Problem
        What was planned.
    """

    def __init__(self, plan_or_table: Any, problem: Problem) -> None:
        self.problem = problem
        self.table = problem.cases
        self.violations: list[str] = []
        self.columns = [j for j, remedy in enumerate(problem.remedies) if remedy.intensity is not None]
        n_cases = len(self.table)
        self.low, self.high = np.full((2, n_cases, len(problem.remedies)), np.nan)
        for j in self.columns:
            for side, formula in zip((self.low, self.high), problem.remedies[j].intensity or (), strict=True):
                side[:, j] = self.numbers(formula, self.table)
            empty = ~(self.low[:, j] <= self.high[:, j])
            self.low[empty, j] = self.high[empty, j] = np.nan
        self.at = self._told(plan_or_table)
        self.words = self._words()

    @classmethod
    def of(cls, plan_or_table: Any, problem: Problem) -> AtIntensities | None:
        """Give the problem at the plan's intensities; None where no remedy has an intensity."""
        return cls(plan_or_table, problem) if any(r.intensity is not None for r in problem.remedies) else None

    def numbers(self, formula: str | float, table: Any) -> Floats:
        """Work out numbers, NaN where unknown."""
        text = str(formula) if not isinstance(formula, str) else formula
        if text in self.table.columns and not set("`\n") & set(text):
            text = f"`{text}`"
        result = parse(text).evaluate(table)
        return np.where(result.missing, np.nan, np.asarray(result.values, dtype=np.float64))

    def bound(self, intensity: Any) -> dict[str, Any]:
        """Give the cases' columns with an intensity for each."""
        return {**{str(name): self.table[name] for name in self.table.columns}, "intensity": intensity}

    def _told(self, plan_or_table: Any) -> Floats:
        """Read the intensities, and note those that are absent, outside their range or where there should be none."""
        table = plan_or_table.table if isinstance(plan_or_table, Plan) else as_frame(plan_or_table, what="plan")
        told = np.full(self.low.shape, np.nan)
        fixed = self.problem.intensities
        claimed = plan_or_table.problem.intensities if isinstance(plan_or_table, Plan) else fixed
        if claimed is not None and claimed.shape == told.shape:
            told = claimed.copy()
        if not {"case_id", "remedy"} <= set(table.columns):
            return self._filled(told)
        names = pd.Index([remedy.name for remedy in self.problem.remedies], dtype=object)
        case = pd.Index(self.table["case_id"]).get_indexer(pd.Index(table["case_id"]))
        remedy = names.get_indexer(pd.Index(table["remedy"].astype(object)))
        mine = (case >= 0) & np.isin(remedy, self.columns)
        if "intensity" not in table.columns:
            if mine.any():
                self.violations.append("the table has no column 'intensity', though some of its remedies have one")
            return self._filled(told)
        given = pd.to_numeric(table["intensity"], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        self._note("an intensity is given where there is none", ~mine & ~np.isnan(given))
        low, high = self.low[case, remedy], self.high[case, remedy]
        room = _ROOM * np.maximum(1.0, np.maximum(np.abs(low), np.abs(high)))
        with np.errstate(invalid="ignore"):
            self._note("intensity is outside its range", mine & ~((given >= low - room) & (given <= high + room)))
            before = told[case, remedy]
            differs = mine & ~np.isnan(before) & ~(np.abs(before - given) <= room)
        self._note("intensity is not the one at which the problem stands", differs)
        told[case[mine], remedy[mine]] = given[mine]
        twice = pd.DataFrame({"case": case[mine], "remedy": remedy[mine], "at": given[mine]})
        if twice.groupby(["case", "remedy"])["at"].nunique(dropna=False).gt(1).any():
            self.violations.append("a case has one remedy at two intensities")
        return self._filled(told)

    def _filled(self, told: Floats) -> Floats:
        """Take the least where nothing is said: for remedies that are not given it does not matter."""
        return np.where(np.isnan(told), self.low, told)

    def _note(self, what: str, where: Any) -> None:
        """Keep a violation with its rows."""
        if np.any(where):
            self.violations.append(f"{what}: {positions(where)}")

    def _words(self) -> Any:
        """Write the problem with columns for what its formulas give at the intensities."""
        cases = self.table.copy(deep=False)
        remedies = list(self.problem.remedies)
        for j in self.columns:
            remedy = remedies[j]
            formulas: dict[str, str | float] = {"value": remedy.value}
            formulas |= {f"uses {resource}": use for resource, use in remedy.uses.items()}
            formulas |= {
                what: formula
                for what, formula in (("error", remedy.error), ("shared_error", remedy.shared_error))
                if formula is not None
            }
            known = ~np.isnan(self.low[:, j])
            names: dict[str, str] = {}
            for what, formula in formulas.items():
                for end in (self.low, self.high):
                    known &= ~np.isnan(self.numbers(formula, self.bound(end[:, j])))
                names[what] = f"verified {j}: {what}"
                cases[names[what]] = self.numbers(formula, self.bound(self.at[:, j]))
            if remedy.eligible is not None:
                text = remedy.eligible
                met = parse(f"`{text}`" if text in self.table.columns else text).evaluate(self.table)
                known &= np.asarray(met.values, dtype=bool) & ~met.missing
            cases[f"verified {j}: eligible"] = known
            remedies[j] = replace(
                remedy,
                value=names["value"],
                uses={resource: names[f"uses {resource}"] for resource in remedy.uses},
                error=names.get("error"),
                shared_error=names.get("shared_error"),
                eligible=f"verified {j}: eligible",
                intensity=None,
            )
        words = copy(self.problem)
        words.cases, words.remedies = cases, tuple(remedies)
        return words

    def lift(self, duals: dict[str, float]) -> Floats:
        """Say by how much other intensities could be better at the prices than those told, at most.

        Parameters
        ----------
        duals : dict of str to float
            Prices of the limits.

        Returns
        -------
        ndarray, shape (n_cases, n_remedies)
            0 or more; ``inf`` where values are not concave less uses at the prices, so that nothing is proved.
        """
        result = np.zeros(self.low.shape)
        fixed = self.problem.intensities is not None
        for j in () if fixed else self.columns:
            result[:, j] = self._lift(j, self.problem.remedies[j], duals)
        return result

    def _lift(self, j: int, remedy: Remedy, duals: dict[str, float]) -> Floats:
        """Search the best intensity of one remedy by sections, with the room that concave functions leave."""
        low, high = self.low[:, j], self.high[:, j]
        width = high - low

        def worth(intensity: Floats) -> Floats:
            table = self.bound(intensity)
            total = self.numbers(remedy.value, table)
            for resource, use in remedy.uses.items():
                if duals.get(resource):
                    total = total - duals[resource] * self.numbers(use, table)
            return total

        here = worth(self.at[:, j])
        grid = [worth(low + share * width) for share in np.linspace(0.0, 1.0, _GRID)]
        largest = np.max(np.abs(grid), axis=0)
        bends = np.any(np.diff(grid, n=2, axis=0) > 1e-8 * np.maximum(largest, 1e-300), axis=0)
        bends |= np.isnan(grid).any(axis=0)
        peak = np.argmax(np.nan_to_num(grid, nan=-np.inf), axis=0)
        left = low + np.maximum(peak - 1, 0) / (_GRID - 1) * width
        right = low + np.minimum(peak + 1, _GRID - 1) / (_GRID - 1) * width
        a, b = right - _PART * (right - left), left + _PART * (right - left)
        f_a, f_b = worth(a), worth(b)
        for _ in range(_SECTIONS):
            lower = f_a >= f_b
            left, right = np.where(lower, left, a), np.where(lower, b, right)
            near = np.where(lower, right - _PART * (right - left), left + _PART * (right - left))
            f_near = worth(near)
            a, b = np.where(lower, near, b), np.where(lower, a, near)
            f_a, f_b = np.where(lower, f_near, f_b), np.where(lower, f_a, f_near)
        f_left, f_right = worth(left), worth(right)
        with np.errstate(divide="ignore", invalid="ignore"):
            # Beside two points a concave function is below the line through them.
            below_a = f_a + np.maximum(f_a - f_b, 0.0) * (a - left) / (b - a)
            below_b = f_b + np.maximum(f_b - f_a, 0.0) * (right - b) / (b - a)
            between = np.minimum(
                f_a + np.maximum(f_a - f_left, 0.0) * (b - a) / (a - left),
                f_b + np.maximum(f_b - f_right, 0.0) * (b - a) / (right - b),
            )
            most = np.maximum(np.maximum(below_a, below_b), between)
            # At an end of the range, two points a hair apart say more than a bracket.
            edge = _EDGE * width
            f_low, f_second = grid[0], worth(low + edge)
            f_high, f_before = grid[-1], worth(high - edge)
            at_low = f_second + np.maximum(f_second - f_high, 0.0) * edge / (width - edge)
            at_high = f_before + np.maximum(f_before - f_low, 0.0) * edge / (width - edge)
        most = np.where(f_high >= f_before, np.maximum(at_high, f_high), most)
        most = np.where(f_low >= f_second, np.maximum(at_low, f_low), most)
        most = np.where(width > 0, most, here)
        lift = np.where(bends & (width > 0), np.inf, most - here)
        return np.where(np.isnan(self.low[:, j]) | np.isnan(here), 0.0, np.maximum(lift, 0.0))
