"""How the sizes of segments changed between two dates, and which changes are more than chance."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.metrics.intervals import check_level
from crmkit.segmentation.over_time._differences import Overlap, share_difference
from crmkit.segmentation.over_time._migration import contingency, shared_ids

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["changed_sizes", "counted", "what_happened"]


def counted(ids: npt.ArrayLike, rows: Sequence[int]) -> npt.NDArray[np.int64]:
    """Count customers by segment id; negative ids all count as -1."""
    place = pd.Index(rows).get_indexer(pd.Index(np.maximum(np.asarray(ids, dtype=np.int64), -1)))
    return np.bincount(place[place >= 0], minlength=len(rows)).astype(np.int64)


def changed_sizes(
    before: pd.Series[int], after: pd.Series[int], rows: Sequence[int], names: Sequence[str], *, level: float = 0.95
) -> pd.DataFrame:
    """Hold the shares of segments at two dates against each other.

    Parameters
    ----------
    before, after : Series of int
        Segment ids by customer.
    rows : sequence of int
        The segments, all that somebody is in.
    names : sequence of str
        Their names.
    level : float, default=0.95
        Nominal coverage of one interval, and of all of them together for what is said to have happened.

    Returns
    -------
    DataFrame
        A row a segment: customers and shares, the change with its interval, and ``what`` happened.
    """
    check_level(level)
    counts = counted(before, rows), counted(after, rows)
    n, m = int(counts[0].sum()), int(counts[1].sum())
    joined = shared_ids(before, after)
    table = contingency(joined["before"], joined["after"], rows, rows)
    overlap = Overlap(
        len(joined), *(part.astype(np.float64) for part in (table.sum(axis=1), table.sum(axis=0), np.diag(table)))
    )
    change, low, high = share_difference(counts[0], n, counts[1], m, overlap=overlap, level=level)
    # One interval in twenty misses by chance, so of ten segments one would often seem to grow: all must hold together.
    _, surely_low, surely_high = share_difference(
        counts[0], n, counts[1], m, overlap=overlap, level=1 - (1 - level) / max(len(rows), 1)
    )
    return pd.DataFrame(
        {
            "customers_before": counts[0],
            "customers_after": counts[1],
            "share_before": counts[0] / max(n, 1),
            "share_after": counts[1] / max(m, 1),
            "change": change,
            "low": low,
            "high": high,
            "what": what_happened(counts[0], counts[1], surely_low, surely_high),
        },
        index=pd.Index(list(names), name="segment"),
    )


def what_happened(
    before: npt.NDArray[np.int64],
    after: npt.NDArray[np.int64],
    low: npt.NDArray[np.float64],
    high: npt.NDArray[np.float64],
) -> list[str]:
    """Say in a word what happened to each segment, by the interval of its change."""
    said = np.select(
        [(before == 0) & (after > 0), (before > 0) & (after == 0), low > 0, high < 0],
        ["appeared", "vanished", "grew", "shrank"],
        "no clear change",
    )
    words: list[str] = said.tolist()
    return words
