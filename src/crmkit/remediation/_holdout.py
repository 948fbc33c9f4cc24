"""Draws the cases that no planner may touch."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.checks import require_columns
from crmkit.remediation._terms import Holdout

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["draw"]


def draw(holdout: Holdout, cases: pd.DataFrame, group: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Draw the hold-out: whole groups, evenly within each stratum.

    Parameters
    ----------
    holdout : Holdout
        How much, within what, and the seed.
    cases : pandas.DataFrame
        The cases.
    group : ndarray of int, shape (n_cases,)
        Cases that are held out together.

    Returns
    -------
    ndarray of bool, shape (n_cases,)
        Which are held out.

    Raises
    ------
    TypeError
        If it is no Holdout.
    DataError
        If the column to draw within is not there.
    """
    if not isinstance(holdout, Holdout):
        raise TypeError(f"holdout must be a Holdout such as Holdout(0.1), got {type(holdout).__name__}")
    units, first = np.unique(group, return_index=True)
    stratum = np.zeros(len(units), dtype=np.intp)
    if holdout.by is not None:
        require_columns(cases, [holdout.by], what="cases", hint="by= of a Holdout names a column of the cases")
        # A group that spans strata belongs to that of its first case; a missing value is a stratum of its own.
        stratum = cases[holdout.by].factorize()[0].astype(np.intp)[first]
    rng = np.random.default_rng(holdout.random_state)
    order = np.lexsort((rng.random(len(units)), stratum))
    # Systematic sampling along the shuffled list: each stratum gets its share to within one unit.
    steps = np.floor(np.arange(len(units) + 1) * holdout.share + rng.random())
    drawn = np.zeros(len(units), dtype=bool)
    drawn[order] = np.diff(steps) > 0
    return drawn[np.searchsorted(units, group)]
