"""Whether the arms are as large as the design says."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.special import chdtrc

from crmkit.core import html
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["SampleRatio", "sample_ratio"]

_ALARM = 0.001


@dataclass(frozen=True)
class SampleRatio:
    """The sizes of the arms beside those of the design.

    Attributes
    ----------
    table : pandas.DataFrame
        Indexed by ``arm``: ``n``, ``expected``, ``share``, ``designed``.
    p_value : float
        Of the chi-square test that the sizes are as designed.
    """

    table: pd.DataFrame
    p_value: float

    @property
    def ok(self) -> bool:
        """Whether the sizes are no reason to distrust the experiment (p at least .001)."""
        return not self.p_value < _ALARM

    def __repr__(self) -> str:
        sizes = ", ".join(f"{arm} {n:,}" for arm, n in self.table["n"].items())
        return f"{'as designed' if self.ok else 'SAMPLE RATIO MISMATCH'} (p={self.p_value:.2g}): {sizes}"

    def _repr_html_(self) -> str:
        """Show the sizes."""
        plain = self.table.reset_index()
        caption = f"{'sizes as designed' if self.ok else 'sample ratio mismatch'} (p={self.p_value:.2g})"
        return html.table(list(plain.columns), plain.astype(object).to_numpy().tolist(), caption=caption)


def sample_ratio(counts: Mapping[Any, int], *, allocation: Mapping[Any, float] | None = None) -> SampleRatio:
    """Test whether the arms are as large as the design says.

    Arms that are too large or too small say that rows were lost or assigned in a way that may depend on the outcome:
    then no difference between the arms can be believed, however small its p-value. Look for the cause (a filter after
    assignment, redirects, bots, lost events) before looking at any effect. The alarm is at p < .001, because the test
    is done with every experiment.

    Parameters
    ----------
    counts : mapping of arm to int
        How many units each arm has: of those assigned, not of those who answered.
    allocation : mapping of arm to float, or None
        The shares of the design, in any scale; None where all arms were to be of one size.

    Returns
    -------
    SampleRatio
        The sizes and the p-value.

    Raises
    ------
    DataError
        If the allocation names other arms, or a share is not above 0.

    References
    ----------
    Fabijan, A., et al. (2019). Diagnosing sample ratio mismatch in online controlled experiments. KDD '19, 2156-2164.
    doi:10.1145/3292500.3330722

    Examples
    --------
    >>> from crmkit.effect import sample_ratio
    >>> sample_ratio({"control": 5_000, "letter": 5_060})
    as designed (p=0.55): control 5,000, letter 5,060
    >>> sample_ratio({"control": 5_000, "letter": 5_600}).ok
    False
    """
    arms = list(counts)
    n = np.array([counts[arm] for arm in arms], dtype=np.float64)
    if len(arms) < 2 or not np.isfinite(n).all() or (n < 0).any() or n.sum() <= 0:
        raise DataError("counts must name at least two arms with their numbers of units")
    if allocation is None:
        designed = np.full(len(arms), 1 / len(arms))
    else:
        if set(allocation) != set(arms):
            told, there = (", ".join(map(str, names)) for names in (allocation, arms))
            raise DataError(f"allocation names {told}, but the arms are {there}")
        designed = np.array([allocation[arm] for arm in arms], dtype=np.float64)
        if not np.isfinite(designed).all() or (designed <= 0).any():
            raise DataError("allocation must give each arm a share above 0")
        designed /= designed.sum()
    expected = n.sum() * designed
    p_value = float(chdtrc(len(arms) - 1, np.sum((n - expected) ** 2 / expected)))
    table = pd.DataFrame(
        {"n": n.astype(np.int64), "expected": expected, "share": n / n.sum(), "designed": designed},
        index=pd.Index(arms, name="arm", dtype=object),
    )
    return SampleRatio(table, p_value)
