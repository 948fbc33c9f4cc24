"""How many segments were taken, by what, and why."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core import html

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Choice", "count_of"]


@dataclass(frozen=True)
class Choice:
    """How many segments were taken, by what, and why.

    Parameters
    ----------
    n_segments : int
        The number.
    criterion : str
        What decided: ``"gap"``, ``"silhouette"``, ``"stability"``, ``"bic"``, ``"given"`` or ``"segmenter"``.
    reason : str
        The decision in one sentence.
    columns : mapping of str to list
        The columns of ``table``, ``n_segments`` among them.

    Examples
    --------
    >>> from crmkit.segmentation import Choice
    >>> print(Choice(3, "given", "3 segments were asked for", {"n_segments": [3], "silhouette": [0.5]}))
    3 segments were asked for
     n_segments  silhouette  chosen
              3         0.5    True
    """

    n_segments: int
    criterion: str
    reason: str
    columns: Mapping[str, list[Any]]

    @property
    def table(self) -> pd.DataFrame:
        """One row a number tried: each criterion, missing where it says nothing, and which number was chosen."""
        table = pd.DataFrame({name: list(values) for name, values in self.columns.items()})
        return table.assign(chosen=table["n_segments"] == self.n_segments)

    def __str__(self) -> str:
        return f"{self.reason}\n{self.table.round(4).to_string(index=False)}"

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        table = self.table
        return html.table(list(table.columns), table.astype(object).to_numpy().tolist(), caption=self.reason)


def count_of(k: int) -> str:
    """Write a number of segments."""
    return "1 segment" if k == 1 else f"{k} segments"
