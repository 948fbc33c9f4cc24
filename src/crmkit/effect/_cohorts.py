"""Which units started together, and which never did."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.effect._panel import first_period_at

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Cohorts", "cohorts_of"]


@dataclass(frozen=True)
class Cohorts:
    """Units by the period of their start.

    Parameters
    ----------
    starts : list of int
        The place of each cohort's first treated period, in order; the number of periods for the never treated.
    rows : ndarray of bool, shape (n_whole,)
        Rows of units that can be used.
    group : ndarray of int, shape (n_rows,)
        The cohort of each of them.
    notes : list of str
        Who was left out.
    """

    starts: list[int]
    rows: npt.NDArray[np.bool_]
    group: npt.NDArray[np.intp]
    notes: list[str]


def cohorts_of(
    first_treated: pd.Series[Any],
    units: npt.NDArray[np.intp],
    usable: npt.NDArray[np.bool_],
    periods: list[Any],
    period: str,
) -> Cohorts:
    """Put units into cohorts.

    Parameters
    ----------
    first_treated : Series
        The first treated period in each row, missing where never.
    units : ndarray of int, shape (n_rows,)
        The unit of each row.
    usable : ndarray of bool, shape (n_rows,)
        Rows with an outcome.
    periods : list
        In order.
    period : str
        Their column, for messages.

    Returns
    -------
    Cohorts
        Of at least two units each, all with a period before their start.

    Raises
    ------
    DataError
        If a unit has several starts, or no cohort is left.
    """
    codes, labels = pd.factorize(first_treated)
    places = np.array([first_period_at(periods, label, period) for label in labels] + [len(periods)], dtype=np.intp)
    start = places[codes]
    n_units = int(units.max()) + 1
    least, most = np.full(n_units, len(periods)), np.zeros(n_units, dtype=np.intp)
    np.minimum.at(least, units, start)
    np.maximum.at(most, units, start)
    mixed = (least < most)[units]
    if mixed.any():
        raise DataError(
            f"{first_treated.name} must be the same in all rows of a unit, also before the start; {positions(mixed)} "
            "belong to units with several"
        )
    notes = []
    already = usable & (start == 0)
    if already.any():
        notes.append(
            f"{len(np.unique(units[already])):,} units started in the first period or before it, so that nothing is "
            "known of them before: they are left out (units that never start have a missing one)"
        )
    rows = usable & (start > 0)
    pairs = pd.DataFrame({"unit": units[rows], "start": start[rows]}).drop_duplicates("unit")
    sizes = pairs["start"].value_counts()
    single = sorted(sizes.index[sizes < 2].tolist())
    if single:
        told = ", ".join("never" if one == len(periods) else str(periods[one]) for one in single)
        notes.append(f"cohorts of a single unit tell nothing of how far units differ and are left out: {told}")
        rows &= ~np.isin(start, single)
    starts = sorted(set(sizes.index.tolist()) - set(single))
    if not starts or starts[0] == len(periods):
        raise DataError(f"no unit starts after the first {period}: there is no effect to look for")
    return Cohorts(starts, rows, np.searchsorted(starts, start[rows]).astype(np.intp), notes)
