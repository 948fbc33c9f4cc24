"""The worst case in which a limited number of cases turn out worse."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from crmkit.remediation.uncertain._programme import Programme

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options

    Floats = npt.NDArray[np.float64]

__all__ = ["BudgetFamily"]


class BudgetFamily:
    """A plan's value less its largest deviations, as the best of problems in one threshold.

    The ``budget`` largest deviations of a plan are the least, over thresholds ``t``, of ``budget * t`` and what the
    deviations exceed ``t`` by; so the best plan is the best of ordinary problems with values ``v - (d - t)+``. Only
    thresholds that are deviations matter. Over an interval of thresholds an option whose deviation lies within it is
    given the larger of two lines, each below what it costs at every threshold; all others are exact.

    Parameters
    ----------
    options : Options
        What may be chosen, with the values from which the deviations are taken off.
    deviation : ndarray, shape (n_options,)
        How much less each may be worth.
    budget : float
        How many cases deviate at most.
    """

    def __init__(self, options: Options, deviation: Floats, budget: float) -> None:
        self.options, self.deviation, self.budget = options, deviation, budget
        self.thresholds = np.unique(np.append(deviation, 0.0))

    def worst(self, share: Floats) -> float:
        """Give the sum of the largest deviations of a whole plan."""
        taken = np.sort(self.deviation[share > 0.5])[::-1]
        count = int(self.budget)
        part = (self.budget - count) * float(taken[count]) if count < len(taken) else 0.0
        return float(np.sum(taken[:count])) + part

    def worth(self, share: Floats) -> float:
        """Give the value of a whole plan in its worst case."""
        return self.options.total(share) - self.worst(share)

    def parameter(self, share: Floats) -> float:
        """Give the smallest deviation among the largest ones."""
        order = np.argsort(-self.deviation, kind="stable")
        order = order[share[order] > 0]
        reached = np.flatnonzero(np.cumsum(share[order]) > self.budget + 1e-9)
        return float(self.deviation[order[reached[0]]]) if len(reached) else 0.0

    def at(self, parameter: float) -> tuple[Programme, float]:
        """Give the problem at one threshold."""
        penalty = np.maximum(self.deviation - parameter, 0.0)
        return self._programme(penalty), -self.budget * parameter

    def everything(self) -> tuple[float, float]:
        """Give all thresholds."""
        return 0.0, float(self.thresholds[-1])

    def over(self, low: float, high: float) -> list[tuple[Programme, float]]:
        """Give the problems at both ends, which bound those between."""
        if low >= high:
            return [self.at(low)]
        far = self.deviation >= 0.5 * (low + high)
        return [(self._programme(np.where(far, self.deviation - end, 0.0)), -self.budget * end) for end in (low, high)]

    def split(self, low: float, high: float, at: float) -> list[tuple[float, float]]:
        """Split at a threshold near the one given; ends next to each other are exact already."""
        first, last = np.searchsorted(self.thresholds, [low, high])
        if last - first <= 1:
            return []
        place = int(np.searchsorted(self.thresholds, at))
        share = (last - first) // 8
        middle = (first + last) // 2
        place = place if first + share < place < last - share else middle
        cut = float(self.thresholds[place])
        return [(low, cut), (cut, high)]

    def _programme(self, penalty: Floats) -> Programme:
        """Give the problem with values less a penalty."""
        return Programme(replace(self.options, value=self.options.value - penalty))
