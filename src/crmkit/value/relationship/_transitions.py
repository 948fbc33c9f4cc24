"""Where customers went between two dates: stages at one by stages at the next, nobody left out."""

from __future__ import annotations

import warnings
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.metrics import wilson
from crmkit.metrics.intervals import check_level
from crmkit.preparation import as_cutoff
from crmkit.value.relationship._lifecycle import lifecycle
from crmkit.value.relationship._stages import STAGES

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

    import numpy.typing as npt

    from crmkit.value.protocols import LifetimeModel

__all__ = ["lifecycle_transitions"]

NOT_YET, UNKNOWN, NO_LONGER = "not yet", "unknown", "no longer"

_BEFORE = (NOT_YET, *STAGES, UNKNOWN)
_AFTER = (*STAGES, UNKNOWN, NO_LONGER)


def lifecycle_transitions(
    transactions: Any,
    cutoffs: Iterable[Any],
    *,
    model: str | LifetimeModel | None = None,
    unit: str = "week",
    refunds: str = "net",
    covariates: Any = None,
    gap_below: Mapping[str, float] | None = None,
    active_below: Mapping[str, float] | None = None,
    usual_from: float = 0.5,
    level: float = 0.95,
) -> pd.DataFrame:
    """Count customers by their stage at one date and at the next.

    Each date is judged by ``lifecycle`` with the rows before that date alone: what was known then. Customers whose
    first purchase lies between the two dates come from ``not yet``, so the counts into a stage sum to its size at the
    later date, and the counts of all rows of two dates to all customers known at either.

    Parameters
    ----------
    transactions : table
        As for ``lifecycle``.
    cutoffs : iterable of dates, times or texts of one
        At least two, rising; each exclusive.
    model, unit, refunds, covariates, gap_below, active_below, usual_from
        As for ``lifecycle``. A model that is not fitted is fitted anew for each date; a fitted one, which has perhaps
        seen what came later, is used as it is.
    level : float, default=0.95
        Nominal coverage of Wilson's interval.

    Returns
    -------
    pandas.DataFrame
        One row for each two dates in sequence (``since``, ``until``) and each two stages (``before``, ``after``), those
        without customers too: ``customers``, ``n`` (all who were in ``before``), ``share`` of these, ``low``, ``high``
        (missing where ``n`` is 0). Stages are ordered categoricals. ``unknown`` is the stage of everyone at a date
        before which nobody bought twice; ``no longer`` are customers without a purchase at the later date, whose only
        purchases were cancelled since, which happens with ``refunds="match"`` alone.

    Raises
    ------
    DataError
        If there are fewer than two dates, or they do not rise, or as for ``lifecycle``.

    Warns
    -----
    DataWarning
        As for ``lifecycle``, saying for which date.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.value import NBD, lifecycle_transitions
    >>> rng = np.random.default_rng(0)
    >>> who = np.floor(40 * rng.random(400) ** 3).astype(int)  # some buy far more often than others
    >>> sales = pd.DataFrame({"customer_id": who.astype(str), "day": rng.integers(0, 365, 400), "amount": 1.0})
    >>> moves = lifecycle_transitions(sales, [180, 270, 360], model=NBD())
    >>> moves.groupby(["since", "until"])["customers"].sum().tolist()
    [40, 40]
    """
    check_level(level)
    limits = [as_cutoff(cutoff) for cutoff in _listed(cutoffs)]
    if len(limits) < 2:
        raise DataError(f"cutoffs must be at least two dates, got {len(limits)}")
    if any(later.day <= earlier.day for earlier, later in pairwise(limits)):
        raise DataError("cutoffs must rise, each at least a day after the one before")
    frame = as_frame(transactions, what="transactions")
    stages = []
    for limit in limits:
        with warnings.catch_warnings(record=True) as told:
            warnings.simplefilter("always")
            table = lifecycle(
                frame,
                cutoff=limit,
                model=model,
                unit=unit,
                refunds=refunds,
                covariates=covariates,
                gap_below=gap_below,
                active_below=active_below,
                usual_from=usual_from,
            )
        for warning in told:
            warnings.warn(f"at {limit}: {warning.message}", warning.category, stacklevel=2)
        stages.append(table["stage"])
    tables = [
        _moves(then, now, level).assign(since=str(since), until=str(until))
        for (since, then), (until, now) in pairwise(zip(limits, stages, strict=True))
    ]
    columns = ["since", "until", "before", "after", "customers", "n", "share", "low", "high"]
    return pd.concat(tables, ignore_index=True)[columns]


def _listed(cutoffs: Any) -> list[Any]:
    """Give the dates, refusing one text, whose letters are no dates."""
    if isinstance(cutoffs, str | bytes):
        raise DataError("cutoffs must be several dates, got one text")
    return list(cutoffs)


def _moves(then: pd.Series, now: pd.Series, level: float) -> pd.DataFrame:
    """Count one step."""
    ids = then.index.union(now.index)
    before = _codes(then, ids, absent=0, shift=1, unknown=len(_BEFORE) - 1)
    after = _codes(now, ids, absent=len(_AFTER) - 1, shift=0, unknown=len(_AFTER) - 2)
    counts = np.bincount(before * len(_AFTER) + after, minlength=len(_BEFORE) * len(_AFTER))
    size = counts.reshape(len(_BEFORE), len(_AFTER)).sum(axis=1).repeat(len(_AFTER))
    low, high = wilson(counts, size, level=level)
    return pd.DataFrame(
        {
            "before": pd.Categorical(np.repeat(_BEFORE, len(_AFTER)), categories=_BEFORE, ordered=True),
            "after": pd.Categorical(np.tile(_AFTER, len(_BEFORE)), categories=_AFTER, ordered=True),
            "customers": counts,
            "n": size,
            "share": np.divide(counts, size, out=np.full(len(size), np.nan), where=size > 0),
            "low": low,
            "high": high,
        }
    )


def _codes(stage: pd.Series, ids: pd.Index, *, absent: int, shift: int, unknown: int) -> npt.NDArray[np.int64]:
    """Number the stage of every customer, those who are not in the table and those whose stage is missing included."""
    own = np.asarray(stage.cat.codes, dtype=np.int64)
    place = stage.index.get_indexer(ids)
    code = np.where(own < 0, unknown, own + shift)
    return np.where(place < 0, absent, code[place] if len(code) else absent)
