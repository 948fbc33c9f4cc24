"""What policies are worth, beside each other and beside what was done."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from crmkit.core import html
from crmkit.core.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["PolicyValues"]


@dataclass(frozen=True)
class PolicyValues:
    """The mean outcome a row would have had under each policy.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by ``policy``, the last row what was really done (``as logged``): ``value``, ``low``, ``high``,
        ``followed`` (rows that were given an arm the policy would have given), ``effective_n`` (how many equally
        weighted rows the weighted ones are worth), ``largest_weight`` (the largest row's share of all weight),
        ``clipped`` (rows whose chance was raised to ``min_propensity``) and ``mean_weight`` (about 1 where the chances
        are right and every row could have been given what the policy gives it).
    differences : pandas.DataFrame
        Indexed by ``policy``, of each to the baseline, paired row by row: ``difference``, ``low``, ``high``,
        ``p_value``, ``p_adjusted`` (Holm).
    outcome : str
        The outcome's column.
    baseline : str
        The policy that differences are to.
    n : int
        Independent rows or clusters.
    level : float
        Nominal coverage of each interval.
    method : str
        How values and intervals were made.
    """

    table: pd.DataFrame
    differences: pd.DataFrame
    outcome: str
    baseline: str
    n: int
    level: float
    method: str

    @property
    def estimates(self) -> dict[str, Estimate]:
        """The value of each policy with its interval."""
        return self._estimates(self.table, "value")

    @property
    def gains(self) -> dict[str, Estimate]:
        """The difference of each policy to the baseline with its interval."""
        return self._estimates(self.differences, "difference")

    def _estimates(self, table: pd.DataFrame, value: str) -> dict[str, Estimate]:
        figures = table[[value, "low", "high"]].to_numpy(dtype=np.float64)
        return {
            str(name): Estimate(row[0], n=self.n, low=row[1], high=row[2], level=self.level, method=self.method)
            for name, row in zip(table.index, figures, strict=True)
        }

    def __getitem__(self, policy: str) -> Estimate:
        return self.estimates[policy]

    def _head(self) -> str:
        return f"{self.outcome} per row, {self.n:,} independent rows, {self.level:.0%} {self.method}"

    def __repr__(self) -> str:
        parts = [self._head(), "", self.table.to_string(float_format="%.4g")]
        if len(self.differences):
            parts += ["", f"less {self.baseline}:", self.differences.to_string(float_format="%.4g")]
        return "\n".join(parts)

    def _repr_html_(self) -> str:
        """Show values and differences."""
        shown = html.element("p", html.escape(self._head()))
        for table, caption in ((self.table, "value"), (self.differences, f"less {self.baseline}")):
            plain = table.reset_index()
            shown += html.table(list(plain.columns), plain.astype(object).to_numpy().tolist(), caption=caption)
        return shown
