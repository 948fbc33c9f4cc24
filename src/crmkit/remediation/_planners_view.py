"""What planners read of a problem: values, groups and limits in several forms, each made when it is asked for."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.remediation._blocks import Blocks
from crmkit.remediation._errors import errors_of
from crmkit.remediation._intensities import has_intensities, worded
from crmkit.remediation._options import Options
from crmkit.remediation._promised import less_promised, use_of_promised
from crmkit.remediation._tableau import Arrays
from crmkit.remediation._tier import Tier

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from crmkit.remediation._promised import Promised
    from crmkit.remediation._tableau import Limits, Tableau
    from crmkit.remediation._terms import Limit, Remedy

__all__ = ["PlannersView"]


class PlannersView:
    """The side of a :class:`Problem` that planners see; what is promised or held out is taken out of it."""

    cases: pd.DataFrame
    remedies: tuple[Remedy, ...]
    limits: tuple[Limit, ...]
    held_out: npt.NDArray[np.bool_]
    promised: Promised | None
    intensities: npt.NDArray[np.float64] | None
    _group: npt.NDArray[np.intp]
    _closed: npt.NDArray[np.bool_]
    _tableau: Tableau
    _cached: dict[str, Any]

    @property
    def closed(self) -> npt.NDArray[np.bool_]:
        """Cases that a planner leaves alone: held out, promised, or of a group that has what it was promised."""
        return self._closed

    @property
    def fixed(self) -> float:
        """What the promised remedies are worth."""
        return 0.0 if self.promised is None else float(np.sum(self.promised.value))

    def open_limits(self) -> tuple[Limits, ...]:
        """Give the limits with what promises leave of them, for planners."""
        if self.promised is None:
            return self._tableau.limits
        return less_promised(self._tableau, self.limits, self.promised)

    def promised_use(self) -> npt.NDArray[np.float64]:
        """Say how much of each limit the promised remedies use."""
        return np.zeros(len(self.limits)) if self.promised is None else use_of_promised(self._tableau, self.promised)

    def arrays(self) -> Arrays:
        """Give the problem as arrays, for planners.

        Returns
        -------
        Arrays
            ``value`` and ``eligible`` of shape (n_cases, n_remedies), ``group`` of shape (n_cases,), and ``rows``:
            ``name``, ``sense``, sparse ``coefficients`` of shape (n_cases, n_remedies), ``bound``.

        Examples
        --------
        >>> from crmkit.remediation import Problem
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
        >>> [(row.name, row.sense, row.bound) for row in problem.arrays().rows]
        [('hours', '<=', 1.0)]
        """
        if "arrays" not in self._cached:
            value = self.worth()
            rows = self._tableau.rows
            if self.promised is not None:
                rows = tuple(row._replace(bound=row_.bound) for row, row_ in zip(rows, self.open_limits(), strict=True))
            self._cached["arrays"] = Arrays(value, np.isfinite(value), self._group, rows)
        found: Arrays = self._cached["arrays"]
        return found

    def worth(self) -> npt.NDArray[np.float64]:
        """Give the value of each remedy of each case, ``-inf`` where it may not be given, for planners; cached."""
        if "worth" not in self._cached:
            value = self.tableau_at_intensities().value
            self._cached["worth"] = np.where(self._closed[:, None], -np.inf, value) if self._closed.any() else value
        found: npt.NDArray[np.float64] = self._cached["worth"]
        return found

    def blocks(self) -> Blocks:
        """Give the problem in the compact form in which large ones are planned; cached."""
        if "blocks" not in self._cached:
            self._cached["blocks"] = Blocks.of(self.worth(), self._group, self.open_limits(), self.tier())
        found: Blocks = self._cached["blocks"]
        return found

    def bound_at(self, duals: npt.NDArray[np.float64]) -> float:
        """Bound the value of every plan from above by prices, one for each limit in its own direction."""
        if "options" in self._cached:
            options = self.options()
            return options.dual(np.maximum(duals * options.sign, 0.0)) + self.fixed
        blocks = self.blocks()
        return blocks.dual(np.maximum(duals[blocks.rows] * blocks.sign, 0.0)) + self.fixed

    def errors(self) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64] | None]:
        """Give the standard errors of the values; worked out when they are first asked for.

        Returns
        -------
        own, shared : ndarray of float64, shape (n_cases, n_remedies), or None
            As in :class:`Remedy`, 0 where not eligible; None where no remedy gives any.

        Examples
        --------
        >>> from crmkit.remediation import Problem
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={}, limits={}, errors=2.0)
        >>> problem.errors()[0].tolist(), problem.errors()[1]
        ([[2.0], [2.0]], None)
        """
        if "errors" not in self._cached:
            eligible = np.isfinite(self.tableau_at_intensities().value) & ~self.held_out[:, None]
            words = worded(self.cases, self.remedies, self.intensities)
            own = errors_of(words.table, words.remedies, "error", eligible)
            self._cached["errors"] = (own, errors_of(words.table, words.remedies, "shared_error", eligible))
        found: tuple[Any, Any] = self._cached["errors"]
        return found

    def options(self) -> Options:
        """Give the eligible pairs of case and remedy as one flat list with sparse rows; cached."""
        if "options" not in self._cached:
            self._cached["options"] = Options.of(self.arrays(), self.tier())
        found: Options = self._cached["options"]
        return found

    def tier(self) -> Tier:
        """Give what may be used beyond each limit and what that costs, for planners; without it all limits are hard.

        Returns
        -------
        Tier
            ``penalty`` (``inf`` where hard) and ``most`` (0 where hard), one number a limit.

        Examples
        --------
        >>> from crmkit.remediation import Problem, Remedy, Resource
        >>> limits = [Resource("hours", 1, penalty=2.5, beyond=4)]
        >>> problem = Problem({"case_id": ["a"]}, [Remedy("call", value=10, uses={"hours": 1})], limits)
        >>> problem.tier().penalty.tolist(), problem.tier().most.tolist()
        ([2.5], [4.0])
        """
        return Tier.of(self.limits)

    def tableau(self) -> Tableau:
        """Give values and rows of every case, also of those held out, for prices and what was intended."""
        return self._tableau

    @property
    def open_intensities(self) -> bool:
        """Whether some remedy has an intensity that is still to be planned."""
        return self.intensities is None and has_intensities(self.remedies)

    def tableau_at_intensities(self) -> Tableau:
        """Give values and rows as :meth:`tableau` does, and refuse where intensities are still to be planned.

        Returns
        -------
        Tableau
            Of the cases at their intensities.

        Raises
        ------
        DataError
            If some remedy has an intensity that is still to be planned.
        """
        if self.open_intensities:
            raise DataError(
                "the problem has remedies with an intensity, which only planner 'nonlinear' (or 'auto') chooses; "
                "at_intensities fixes them for every other planner"
            )
        return self._tableau
