"""What a call to a store did: which cases changed, and which were refused and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Receipt"]

_COLUMNS = ("case_id", "done", "from", "to", "version", "reason")


@dataclass(frozen=True)
class Receipt:
    """What a call to a store did.

    Parameters
    ----------
    action : str
        What was asked for, such as ``"move"``.
    table : pandas.DataFrame
        One row an id of the call, in its order: ``case_id``, ``done``, ``from`` and ``to`` (states; ``""`` where there
        is none), ``version`` (after the call; 0 for a case that the store does not know) and ``reason`` (why it was
        refused, ``""`` where it was done).
    first_entry, last_entry : int
        The entries that it added to the history; the last is smaller than the first where there is none.
    key : str
        The idempotency key, ``""`` where there was none.
    repeated : bool
        True where the key had been used before: nothing was done, and this is what the first call did.

    Attributes
    ----------
    n_done, n_refused : int
        How many cases changed, and how many were refused.
    refused : pandas.DataFrame
        The rows of ``table`` that were refused.
    """

    action: str
    table: pd.DataFrame
    first_entry: int
    last_entry: int
    key: str = ""
    repeated: bool = False

    @property
    def n_done(self) -> int:
        """How many cases changed."""
        return int(self.table["done"].sum())

    @property
    def n_refused(self) -> int:
        """How many cases were refused."""
        return len(self.table) - self.n_done

    @property
    def refused(self) -> pd.DataFrame:
        """The rows of the table that were refused."""
        return self.table[~self.table["done"]].reset_index(drop=True)

    def reasons(self) -> pd.Series:
        """Count the refused cases by reason.

        Returns
        -------
        pandas.Series
            Cases by reason, most first.
        """
        return self.refused["reason"].value_counts()

    def __repr__(self) -> str:
        again = "; the key was used before, nothing was done now" if self.repeated else ""
        why = "".join(f"; {count:,} {reason}" for reason, count in self.reasons().items())
        return f"Receipt({self.action}: {self.n_done:,} done, {self.n_refused:,} refused{why}{again})"

    def _repr_html_(self) -> str:
        rows: list[Sequence[Any]] = [["done", self.n_done]]
        rows += [[f"refused: {reason}", int(count)] for reason, count in self.reasons().items()]
        again = " (the key was used before: nothing was done now)" if self.repeated else ""
        return html.table(["cases", "count"], rows, caption=f"{self.action}{again}")


def receipt_table(case_ids: Any, done: Any, source: Any, target: Any, version: Any, reason: Any) -> pd.DataFrame:
    """Put the columns of a receipt together.

    Parameters
    ----------
    case_ids, done, source, target, version, reason : array-like, shape (n,)
        Its columns.

    Returns
    -------
    pandas.DataFrame
        As described at ``Receipt``.
    """
    columns = (
        np.asarray(case_ids, dtype=object),
        np.asarray(done, dtype=bool),
        np.asarray(source, dtype=object),
        np.asarray(target, dtype=object),
        np.asarray(version, dtype=np.int64),
        np.asarray(reason, dtype=object),
    )
    return pd.DataFrame(dict(zip(_COLUMNS, columns, strict=True)))
