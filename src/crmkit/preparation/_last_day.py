"""Takes the day after the last row for the first that is not known, and tells of rows that cannot have happened yet."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from crmkit.core.checks import positions
from crmkit.core.telling import tell

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

__all__ = ["day_after_last"]

SECONDS_A_DAY = 86_400


def day_after_last(
    day: npt.NDArray[np.int64], *, what: str, say: str = "cutoff", counted: npt.NDArray[np.bool_] | None = None
) -> int:
    """Give the day after the last row.

    Parameters
    ----------
    day : ndarray of int64, shape (n_rows,)
        Local calendar days.
    what : str
        The table's name in messages.
    say : str, default="cutoff"
        The argument by which the caller says it better.
    counted : ndarray of bool, shape (n_rows,), or None, default=None
        Which rows count; None for all.

    Returns
    -------
    int
        A calendar day; 0 without rows.

    Warns
    -----
    DataWarning
        If rows lie more than a day after the day on which this runs: one mistyped year would make everyone look long
        lapsed.
    """
    known = day if counted is None else day[counted]
    if not len(known):
        return 0
    # A day of grace: somewhere it is tomorrow already.
    ahead = day > int(time.time() // SECONDS_A_DAY) + 1
    if counted is not None:
        ahead &= counted
    if ahead.any():
        tell(
            f"{what}: {positions(ahead)} lie in the future, and what is known is taken to reach to the last of them: "
            f"set them aside, or write {say}=…"
        )
    return int(known.max()) + 1
