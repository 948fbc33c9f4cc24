"""What a comparison of arms found, as a table, as estimates, and in words."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core import html
from crmkit.core.estimate import Estimate

if TYPE_CHECKING:
    import pandas as pd

    from crmkit.effect._sample_ratio import SampleRatio

__all__ = ["ArmComparison"]


@dataclass(frozen=True)
class ArmComparison:
    """The arms of an experiment beside its control.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by ``arm``, the control first: ``n`` (rows used), ``units`` (independent rows or clusters), ``missing``
        (rows without an outcome), ``mean``, ``adjusted`` (the mean at the covariates of all arms), ``difference`` to
        the control, ``low``, ``high``, ``lift`` (difference over the control's mean), ``lift_low``, ``lift_high``,
        ``p_value``, ``p_adjusted`` (for the number of arms) and ``variance_reduction`` (what the covariates took off
        the difference's variance). The control has no difference.
    outcome : str
        The outcome's column.
    control : object
        The control's label.
    kind : {"binary", "count", "continuous"}
        What the outcome is.
    level : float
        Nominal coverage of the intervals (of all arms together where they are simultaneous).
    method : str
        How the intervals were made.
    sample_ratio : SampleRatio
        Whether the arms are as large as designed.
    covariates : tuple of str
        Columns the means are adjusted for.
    notes : tuple of str
        What a reader must know before believing the table.
    """

    table: pd.DataFrame
    outcome: str
    control: Any
    kind: str
    level: float
    method: str
    sample_ratio: SampleRatio
    covariates: tuple[str, ...] = ()
    notes: tuple[str, ...] = field(default=())

    def _estimates(self, names: tuple[str, str, str]) -> dict[Any, Estimate]:
        treated = self.table.drop(index=self.control)
        base = int(self.table["units"].to_numpy()[0])
        value, low, high = (treated[name].to_numpy(dtype=np.float64) for name in names)
        return {
            arm: Estimate(value[at], n=base + units, low=low[at], high=high[at], level=self.level, method=self.method)
            for at, (arm, units) in enumerate(zip(treated.index, treated["units"].tolist(), strict=True))
        }

    @property
    def effects(self) -> dict[Any, Estimate]:
        """The difference of each arm to the control; ``n`` counts the independent units of both."""
        return self._estimates(("difference", "low", "high"))

    @property
    def lifts(self) -> dict[Any, Estimate]:
        """The difference of each arm as a share of the control's mean, with Fieller's interval."""
        return self._estimates(("lift", "lift_low", "lift_high"))

    @property
    def effect(self) -> Estimate:
        """The difference, where there are only two arms.

        Raises
        ------
        ValueError
            If there are more: take ``effects[arm]``.
        """
        effects = self.effects
        if len(effects) != 1:
            raise ValueError(f"there are {len(effects)} arms beside the control: take effects[arm]")
        return next(iter(effects.values()))

    def _heads(self) -> list[str]:
        adjusted = f", adjusted for {', '.join(self.covariates)}" if self.covariates else ""
        first = f"{self.outcome} ({self.kind}) against {self.control}; {self.level:.0%} {self.method}{adjusted}"
        return [first, f"sizes: {self.sample_ratio!r}", *self.notes]

    def __repr__(self) -> str:
        return "\n".join([*self._heads(), "", self.table.dropna(axis=1, how="all").to_string(float_format="%.4g")])

    def _repr_html_(self) -> str:
        """Show the table and what must be known of it."""
        heads = "".join(html.element("p", html.escape(line)) for line in self._heads())
        plain = self.table.dropna(axis=1, how="all").reset_index()
        rows = plain.astype(object).to_numpy().tolist()
        return heads + html.table(list(plain.columns), rows, caption=f"{self.outcome} by arm")
