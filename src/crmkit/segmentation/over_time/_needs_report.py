"""Which business needs the segments meet, with the figure and the reason of each answer."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import pandas as pd

from crmkit.core import html

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["NeedsReport", "together"]


def together(met: Sequence[str]) -> str:
    """Say whether a need is met that asks something of every segment."""
    return "no" if "no" in met else "unclear" if "unclear" in met else "yes"


@dataclass(frozen=True, repr=False)
class NeedsReport:
    """Declared needs held against the segments.

    Parameters
    ----------
    table : pandas.DataFrame
        One row a need and segment (or pair): ``need``, ``segment``, ``against``, ``figure``, its interval ``low`` and
        ``high``, ``n`` customers it rests on, ``level``, ``met`` and the ``reason`` in a sentence. ``met`` is ``yes``
        or ``no`` where the whole interval is on one side of the border, else ``unclear``.
    notes : list of str
        What was left out, and how many customers that concerns.

    Notes
    -----
    A need that asks something of each of m segments gives m chances of being misled, so each interval is as wide as
    all of them together need (Bonferroni: ``level`` is 1 - .05 / m).
    """

    table: pd.DataFrame
    notes: list[str]

    @property
    def ok(self) -> bool:
        """Whether every need is met by every segment."""
        return bool((self.table["met"] == "yes").all())

    @property
    def unmet(self) -> pd.DataFrame:
        """The rows that are not met."""
        return self.table[self.table["met"] == "no"].reset_index(drop=True)

    @property
    def unclear(self) -> pd.DataFrame:
        """The rows that more customers would have to decide."""
        return self.table[self.table["met"] == "unclear"].reset_index(drop=True)

    @property
    def summary(self) -> pd.DataFrame:
        """One row a need: ``no`` if a segment fails it, ``unclear`` if one may, else ``yes``; and which these are."""
        rows = []
        for _, part in self.table.groupby("place", sort=True):
            met = together(part["met"].tolist())
            failing = part.loc[part["met"] == met, "segment"].dropna() if met != "yes" else part["segment"][:0]
            rows.append({"need": part["need"].iloc[0], "met": met, "segments": "; ".join(map(str, failing))})
        return pd.DataFrame(rows, columns=["need", "met", "segments"])

    def _head(self) -> str:
        met = self.summary["met"].tolist()
        told = ", ".join(f"{met.count(word)} {word}" for word in ("no", "unclear") if word in met)
        return f"{met.count('yes')} of {len(met)} needs met" + (f"; {told}" if told else "")

    def __repr__(self) -> str:
        lines = [self._head(), ""]
        for _, part in self.table.groupby("place", sort=True):
            lines.append(f"{part['need'].iloc[0]}: {together(part['met'].tolist())}")
            for segment, met, reason in zip(part["segment"], part["met"], part["reason"], strict=True):
                lines.append(f"    {met:<8}{'' if pd.isna(segment) else f'{segment}: '}{reason}")
        return "\n".join([*lines, *(["", *self.notes] if self.notes else [])])

    def _repr_html_(self) -> str:
        shown = self.table.drop(columns="place")
        rows = shown.astype(object).where(shown.notna(), None).to_numpy().tolist()
        return "".join(
            [
                html.element("p", html.escape(self._head())),
                html.table(list(shown.columns), rows, caption="needs"),
                *(html.element("p", html.escape(note)) for note in self.notes),
            ]
        )
