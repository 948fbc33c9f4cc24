"""Which segments of two groupings are the same: matched, split, merged, appeared or vanished."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import linear_sum_assignment

from crmkit.core import html
from crmkit.segmentation.over_time._agreement import adjusted_rand
from crmkit.segmentation.over_time._migration import was_and_is

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.core.estimate import Estimate

__all__ = ["LEAST_JACCARD", "Identity", "match"]

# Two segments of equal size have a Jaccard of a third where half of each is also in the other.
LEAST_JACCARD = 1 / 3


@dataclass(frozen=True, repr=False)
class Identity:
    """Which segments are the same in two groupings of the same customers.

    A pair is the same segment if it was matched: the assignment that keeps most customers together (Hungarian method),
    among pairs whose Jaccard index (customers in both over customers in either) is at least ``least_jaccard``. Then,
    counting customers that both groupings know,

    - an old segment is *split into* new ones if two or more of them each take at least a third of its customers and
      each have most of their own (more than half) from it;
    - old segments are *merged into* a new one if most of each goes there and each makes up at least a third of it, or
      if an old one that is not matched goes there for the most part;
    - else a matched one is *kept*, an old one that is not matched has *vanished*, and a new one has *appeared*.

    Parameters
    ----------
    counts : list of list of int
        Customers by segment before (rows) and after (columns), those in no segment under -1.
    before_ids, after_ids : list of int
        Segment ids of rows and columns.
    before_names, after_names : list of str
        Their names.
    pairs : list of list of int
        Ids before and after of the segments that are the same.
    least_jaccard : float
        The least overlap at which a pair was matched; 0 where segments were matched by their given names.

    Examples
    --------
    >>> from crmkit.segmentation import Identity
    >>> identity = Identity([[90, 10], [0, 50]], [0, 1], [0, 1], ["good", "bad"], ["good", "bad"], [[0, 0], [1, 1]], .3)
    >>> identity.table[["before", "after", "shared", "jaccard", "what"]].round(2).values.tolist()
    [['good', 'good', 90, 0.9, 'kept'], ['bad', 'bad', 50, 0.83, 'kept']]
    >>> round(identity.rand, 2), identity.rand.n
    (0.75, 150)
    """

    counts: list[list[int]]
    before_ids: list[int]
    after_ids: list[int]
    before_names: list[str]
    after_names: list[str]
    pairs: list[list[int]]
    least_jaccard: float

    @property
    def contingency(self) -> pd.DataFrame:
        """Customers by segment before (rows) and after (columns), those in no segment among them."""
        before, after = pd.Index(self.before_names, name="before"), pd.Index(self.after_names, name="after")
        return pd.DataFrame(self._counts(), index=before, columns=after)

    @property
    def migration_shares(self) -> pd.DataFrame:
        """The same with one row a pair of segments, as shares of the segment before with Wilson's intervals."""
        return was_and_is(self.contingency)

    @property
    def rand(self) -> Estimate:
        """Adjusted Rand index: 1 the same grouping, 0 no more alike than by chance; "in no segment" is a group."""
        return adjusted_rand(self._counts())

    @property
    def table(self) -> pd.DataFrame:
        """One row a segment: ids, names and customers before and after, and what became of it.

        ``shared`` and ``jaccard`` are those with its counterpart, for a segment without one with the segment it has
        most in common with. ``what`` is ``kept``, ``appeared``, ``vanished``, ``split into …`` or ``merged into …``.
        """
        counts, rows, columns = self._counts(), self._inside(self.before_ids), self._inside(self.after_ids)
        before, after = counts.sum(axis=1), counts.sum(axis=0)
        overlap = jaccard(counts)
        partner = {self.before_ids.index(old): self.after_ids.index(new) for old, new in self.pairs}
        told = []
        for row in rows:
            column = partner.get(row)
            # Whom it resembles most, where it has no counterpart.
            near = column if column is not None else max(columns, key=lambda place: overlap[row, place], default=None)
            told.append(
                {
                    "before_id": self.before_ids[row],
                    "before": self.before_names[row],
                    "after_id": None if column is None else self.after_ids[column],
                    "after": None if column is None else self.after_names[column],
                    "customers_before": int(before[row]),
                    "customers_after": 0 if column is None else int(after[column]),
                    "shared": 0 if near is None else int(counts[row, near]),
                    "jaccard": 0.0 if near is None else float(overlap[row, near]),
                    "what": self._what(row, rows, columns, matched=column is not None),
                }
            )
        for column in columns:
            if column in partner.values():
                continue
            near = max(rows, key=lambda place: overlap[place, column], default=None)
            told.append(
                {
                    "before_id": None,
                    "before": None,
                    "after_id": self.after_ids[column],
                    "after": self.after_names[column],
                    "customers_before": 0,
                    "customers_after": int(after[column]),
                    "shared": 0 if near is None else int(counts[near, column]),
                    "jaccard": 0.0 if near is None else float(overlap[near, column]),
                    "what": "appeared",
                }
            )
        names = ("before_id", "before", "after_id", "after", "customers_before", "customers_after", "shared", "jaccard")
        table = pd.DataFrame(told, columns=[*names, "what"])
        return table.astype({"before_id": "Int64", "after_id": "Int64"})

    @property
    def appeared(self) -> list[str]:
        """Names of the segments that are new."""
        matched = {new for _, new in self.pairs}
        return [
            self.after_names[place] for place in self._inside(self.after_ids) if self.after_ids[place] not in matched
        ]

    @property
    def vanished(self) -> list[str]:
        """Names of the old segments without a counterpart, whatever became of their customers."""
        matched = {old for old, _ in self.pairs}
        ids = self.before_ids
        return [self.before_names[place] for place in self._inside(ids) if ids[place] not in matched]

    def _counts(self) -> npt.NDArray[np.int64]:
        return np.asarray(self.counts, dtype=np.int64).reshape(len(self.before_ids), len(self.after_ids))

    @staticmethod
    def _inside(ids: Sequence[int]) -> list[int]:
        """Give the places of segments, leaving out whoever is in none."""
        return [place for place, segment in enumerate(ids) if segment >= 0]

    def _what(self, row: int, rows: list[int], columns: list[int], *, matched: bool) -> str:
        """Say what became of an old segment."""
        counts = self._counts()
        before, after = counts.sum(axis=1), counts.sum(axis=0)

        def names(places: Sequence[int]) -> str:
            return ", ".join(repr(self.after_names[place]) for place in places)

        parts = [
            j for j in columns if before[row] and 3 * counts[row, j] >= before[row] and 2 * counts[row, j] > after[j]
        ]
        if len(parts) > 1:
            return f"split into {names(parts)}"
        for j in columns:
            if 2 * counts[row, j] <= before[row]:
                continue
            joined = [i for i in rows if 2 * counts[i, j] > before[i] and 3 * counts[i, j] >= after[j]]
            if not matched or (row in joined and len(joined) > 1):
                return f"merged into {names([j])}"
        return "kept" if matched else "vanished"

    def _head(self) -> str:
        table = self.table
        kinds = [what.split(" into ")[0] for what in table["what"]]
        order = ("kept", "split", "merged", "vanished", "appeared")
        happened = ", ".join(f"{kinds.count(kind)} {kind}" for kind in order if kind in kinds)
        rand = f"adjusted Rand index {self.rand!r}" if self._counts().sum() else "nobody is in both"
        return f"{happened or 'no segments'}; {rand}"

    def __repr__(self) -> str:
        table = self.table
        shown = table.assign(jaccard=[f"{value:.2f}" for value in table["jaccard"]])
        return f"{self._head()}\n\n{shown.astype(object).where(table.notna(), '–').to_string(index=False)}"

    def _repr_html_(self) -> str:
        table = self.table
        rows: list[list[Any]] = table.astype(object).where(table.notna(), None).to_numpy().tolist()
        counts = self.contingency.reset_index()
        return "".join(
            [
                html.element("p", html.escape(self._head())),
                html.table(list(table.columns), rows, caption="what became of each segment"),
                html.table(list(counts.columns), counts.to_numpy().tolist(), caption="before (rows), after (columns)"),
            ]
        )


def jaccard(counts: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Give customers in both over customers in either, for every pair of segments."""
    either = counts.sum(axis=1, keepdims=True) + counts.sum(axis=0, keepdims=True) - counts
    return np.asarray(counts / np.maximum(either, 1), dtype=np.float64)


def match(
    counts: npt.NDArray[np.int64],
    before_ids: Sequence[int],
    after_ids: Sequence[int],
    *,
    least_jaccard: float = LEAST_JACCARD,
) -> list[list[int]]:
    """Match segments so that most customers keep theirs.

    Parameters
    ----------
    counts : ndarray of shape (n_before, n_after)
        Customers by segment before and after.
    before_ids, after_ids : sequence of int
        Segment ids of rows and columns; negative ones (in no segment) are not matched.
    least_jaccard : float, default=1/3
        Pairs with less in common are not the same segment.

    Returns
    -------
    list of list of int
        Ids before and after of each pair.
    """
    rows = [place for place, segment in enumerate(before_ids) if segment >= 0]
    columns = [place for place, segment in enumerate(after_ids) if segment >= 0]
    if not rows or not columns:
        return []
    overlap = jaccard(counts)[np.ix_(rows, columns)]
    shared = counts[np.ix_(rows, columns)].astype(np.float64)
    allowed = (overlap >= least_jaccard) & (shared > 0)
    # Of two ways to keep as many customers together, the one whose segments are more alike.
    weight = np.where(allowed, shared + overlap / (2 * len(rows)), 0.0)
    first, second = linear_sum_assignment(weight, maximize=True)
    return [
        [int(before_ids[rows[i]]), int(after_ids[columns[j]])]
        for i, j in zip(first, second, strict=True)
        if allowed[i, j]
    ]
