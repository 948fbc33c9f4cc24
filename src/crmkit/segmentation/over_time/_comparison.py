"""What changed between the customers a segmentation was made on and a new table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.segmentation._model import SegmentationModel

__all__ = ["Comparison", "bin_counts", "bin_edges", "compare", "population_stability"]

N_BINS = 10
# The usual reading of the index: below .1 stable, above .25 another population (Siddiqi 2006).
STABLE = 0.1
SHIFTED = 0.25


@dataclass(frozen=True, repr=False)
class Comparison:
    """A new table held against the customers that the segments were made on.

    Parameters
    ----------
    psi : float
        Population stability index of the segment sizes: below .1 stable, .1 to .25 moved, above that another
        population.
    sizes : pandas.DataFrame
        One row a segment: customers and share before and after, and the change of the share.
    medians : pandas.DataFrame
        One row a segment and column: the median before and after; missing after where nobody is in the segment.
    columns : pandas.DataFrame
        One row a column: its population stability index over bins frozen when fitting, and the medians of everybody
        before and after.
    migration : pandas.DataFrame
        Customers in both tables by segment before (rows) and after (columns).
    moved : int
        How many of those changed their segment.
    stayed : int
        How many kept it.
    gone : int
        Customers only before.
    new : int
        Customers only after.
    """

    psi: float
    sizes: pd.DataFrame
    medians: pd.DataFrame
    columns: pd.DataFrame
    migration: pd.DataFrame
    moved: int
    stayed: int
    gone: int
    new: int

    @property
    def verdict(self) -> str:
        """What the index of the segment sizes says, in a word."""
        return "stable" if self.psi < STABLE else "moved" if self.psi < SHIFTED else "another population"

    def _heads(self) -> list[str]:
        both = self.moved + self.stayed
        share = f" ({self.moved / both:.1%})" if both else ""
        return [
            f"segment sizes: {self.verdict} (population stability index {self.psi:.3f})",
            f"{both:,} customers in both tables, {self.moved:,}{share} moved; {self.gone:,} gone, {self.new:,} new",
        ]

    def __repr__(self) -> str:
        shown = self.sizes.copy()
        for column in ("share_before", "share_after"):
            shown[column] = [f"{share:.1%}" for share in shown[column]]
        shown["change"] = [f"{100 * change:+.1f} points" for change in shown["change"]]
        return "\n".join([*self._heads(), "", shown.to_string()])

    def _repr_html_(self) -> str:
        heads = "".join(html.element("p", html.escape(line)) for line in self._heads())
        parts = [
            (self.sizes, "sizes"),
            (self.columns, "columns"),
            (self.migration, "before (rows) and after (columns)"),
        ]
        return heads + "".join(_html(table, caption) for table, caption in parts)


def _html(table: pd.DataFrame, caption: str) -> str:
    """Write a frame with its index."""
    plain = table.reset_index()
    return html.table(list(plain.columns), plain.astype(object).to_numpy().tolist(), caption=caption)


def bin_edges(values: npt.NDArray[np.float64]) -> list[float]:
    """Give the inner edges of ten bins of equal counts; fewer where values are tied."""
    edges = np.unique(np.quantile(values, np.arange(1, N_BINS) / N_BINS))
    return [float(edge) for edge in edges]


def bin_counts(values: npt.NDArray[np.float64], edges: list[float]) -> npt.NDArray[np.int64]:
    """Count values by bin; a value on an edge belongs to the bin below it."""
    return np.bincount(np.searchsorted(np.asarray(edges), values), minlength=len(edges) + 1)


def population_stability(before: npt.NDArray[Any], after: npt.NDArray[Any]) -> float:
    """Give the population stability index of two counts over the same bins.

    Half a customer is added to each bin, so that an empty one gives a large number and not an infinite one.
    """
    first, second = np.asarray(before, dtype=np.float64) + 0.5, np.asarray(after, dtype=np.float64) + 0.5
    first, second = first / first.sum(), second / second.sum()
    return float(((second - first) * np.log(second / first)).sum())


def compare(model: SegmentationModel, values: pd.DataFrame, after: pd.Series[int]) -> Comparison:
    """Hold new customers against those the segments were made on.

    Parameters
    ----------
    model : SegmentationModel
        The segments.
    values : pandas.DataFrame
        The new customers' columns.
    after : Series of int
        Their segment ids.

    Returns
    -------
    Comparison
        What changed.
    """
    state = model.get_state()
    names = model.names
    before = model.segment_id.clip(lower=-1)
    now = after.clip(lower=-1)
    rows = [*range(len(state["names"])), -1]
    counts = [np.array([int((ids == segment).sum()) for segment in rows]) for ids in (before, now)]
    kept = [place for place in range(len(rows)) if counts[0][place] or counts[1][place]]
    shares = [count / max(count.sum(), 1) for count in counts]
    labels = pd.Index([names[rows[place]] for place in kept], name="segment")
    sizes = pd.DataFrame(
        {
            "customers_before": counts[0][kept],
            "customers_after": counts[1][kept],
            "share_before": shares[0][kept],
            "share_after": shares[1][kept],
            "change": (shares[1] - shares[0])[kept],
        },
        index=labels,
    )
    joined = pd.concat([before.rename("before"), now.rename("after")], axis=1, join="inner")
    order = [names[rows[place]] for place in kept]
    migration = (
        pd.crosstab(joined["before"].map(names), joined["after"].map(names))
        .reindex(index=order, columns=order, fill_value=0)
        .rename_axis(index="before", columns="after")
    )
    moved = int((joined["before"] != joined["after"]).sum())
    return Comparison(
        psi=population_stability(counts[0][kept], counts[1][kept]),
        sizes=sizes,
        medians=_medians(model, values, now),
        columns=pd.DataFrame(
            {
                "psi": [
                    population_stability(np.array(state["bin_counts"][name]), bin_counts(column.to_numpy(), edges))
                    for (name, column), edges in zip(values.items(), state["bin_edges"].values(), strict=True)
                ],
                "median_before": state["everybody"],
                "median_after": values.median().to_numpy(),
            },
            index=pd.Index(values.columns, name="column"),
        ),
        migration=migration,
        moved=moved,
        stayed=len(joined) - moved,
        gone=len(before) - len(joined),
        new=len(now) - len(joined),
    )


def _medians(model: SegmentationModel, values: pd.DataFrame, now: pd.Series[int]) -> pd.DataFrame:
    """Give each segment's medians before and after, a row a segment and column."""
    state, names = model.get_state(), model.names
    features = [str(name) for name in values.columns]
    before = pd.DataFrame(state["statistics"]["median"], index=state["row_ids"], columns=features)
    after = values.groupby(now.to_numpy()).median()
    rows = [segment for segment in [*range(len(state["names"])), -1] if segment in {*before.index, *after.index}]
    pairs = pd.MultiIndex.from_product([[names[segment] for segment in rows], features], names=["segment", "column"])
    medians = {name: part.reindex(rows).to_numpy().ravel() for name, part in (("before", before), ("after", after))}
    return pd.DataFrame(medians, index=pairs)
