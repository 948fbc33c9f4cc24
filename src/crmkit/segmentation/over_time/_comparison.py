"""What changed between the customers a segmentation was made on and a new table."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.metrics.population import bin_counts, population_stability
from crmkit.segmentation._columns import indicators
from crmkit.segmentation.over_time._agreement import adjusted_rand
from crmkit.segmentation.over_time._migration import contingency, shared_ids, square, was_and_is
from crmkit.segmentation.over_time._sizes import changed_sizes

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.core.estimate import Estimate
    from crmkit.metrics.population import StabilityIndex
    from crmkit.segmentation._model import SegmentationModel

__all__ = ["Comparison", "compare", "verdict"]

# The usual reading of the index: below .1 stable, above .25 another population (Siddiqi 2006).
STABLE = 0.1
SHIFTED = 0.25
SIGNIFICANT = 0.05


def verdict(index: StabilityIndex) -> str:
    """Say what a population stability index means, by its size and by whether chance alone would give it."""
    if index < STABLE:
        return "stable"
    if index.p_value >= SIGNIFICANT:
        return "unclear"
    return "moved" if index < SHIFTED else "another population"


@dataclass(frozen=True, repr=False)
class Comparison:
    """A new table held against the customers that the segments were made on.

    Parameters
    ----------
    psi : StabilityIndex
        Population stability index of the segment sizes, with ``p_value``, ``n`` and interval. The p-value takes the
        two tables for independent samples; where the same customers stand in both it is on the safe side.
    sizes : pandas.DataFrame
        One row a segment: customers and share before and after, the change of the share with its interval (customers
        in both tables are paired), and ``what`` happened: appeared (nobody before), vanished (nobody now), grew,
        shrank or no clear change. Grown and shrunk are told where the interval clears 0 at a level that lets one of
        *all* segments be told so by chance in 5 % of comparisons (Bonferroni), not one of each twenty.
    medians : pandas.DataFrame
        One row a segment and column: the median before and after, of known values; missing after where nobody is in
        the segment.
    columns : pandas.DataFrame
        One row a column: its population stability index over bins frozen when fitting (missing values are a bin of
        their own), its p-value, the verdict of both, how many values are known before and after, and the medians of
        everybody. A column of categories has a row for each, and one for all of them together, in which categories
        that were not there when fitting are a bin of their own.
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

    psi: StabilityIndex
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
        """What the index of the segment sizes says.

        ``stable`` below .1; from there on ``moved``, from .25 on ``another population``, if chance alone would seldom
        give as much (p below .05), else ``unclear``: there are too few customers to tell.
        """
        return verdict(self.psi)

    @property
    def migration_shares(self) -> pd.DataFrame:
        """The migration with one row a pair of segments: ``from``, ``to``, ``customers``, ``n``, ``share``, interval.

        Shares are of the customers who were in the segment before and are in both tables, with Wilson's intervals.
        """
        return was_and_is(self.migration)

    @property
    def rand(self) -> Estimate:
        """Adjusted Rand index of the segments before and after, of the customers in both tables, with its interval.

        Raises
        ------
        DataError
            If nobody is in both tables.
        """
        return adjusted_rand(self.migration.to_numpy())

    def _heads(self) -> list[str]:
        both = self.moved + self.stayed
        share = f" ({self.moved / both:.1%})" if both else ""
        p = f"p={self.psi.p_value:.2g}" if self.psi.p_value >= 0.0001 else "p<0.0001"
        return [
            f"segment sizes: {self.verdict} (population stability index {self.psi:.3f}, {p})",
            f"{both:,} customers in both tables, {self.moved:,}{share} moved; {self.gone:,} gone, {self.new:,} new",
        ]

    def __repr__(self) -> str:
        shown = self.sizes.copy()
        for column in ("share_before", "share_after"):
            shown[column] = [f"{share:.1%}" for share in shown[column]]
        for column in ("change", "low", "high"):
            shown[column] = [f"{100 * change:+.1f} points" for change in shown[column]]
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
    before, now = model.segment_id.clip(lower=-1), after.clip(lower=-1)
    held = {*before.unique().tolist(), *now.unique().tolist()}
    rows = [segment for segment in model.names if segment in held]
    names = [model.names[segment] for segment in rows]
    sizes = changed_sizes(before, now, rows, names)
    joined = shared_ids(before, now)
    moved = int((joined["before"] != joined["after"]).sum())
    return Comparison(
        psi=population_stability(sizes["customers_before"], sizes["customers_after"]),
        sizes=sizes,
        medians=_medians(model, values, now),
        columns=_columns(model, values),
        migration=square(contingency(joined["before"], joined["after"], rows, rows), names),
        moved=moved,
        stayed=len(joined) - moved,
        gone=len(before) - len(joined),
        new=len(now) - len(joined),
    )


def _columns(model: SegmentationModel, values: pd.DataFrame) -> pd.DataFrame:
    """Give each column's stability over its frozen bins, and the medians of everybody."""
    state = model.get_state()
    counts = [
        (np.asarray(state["bin_counts"][name]), bin_counts(column.to_numpy(), state["bin_edges"][name]))
        for name, column in values.items()
    ]
    told = indicators(state.get("categories", {}))
    indices = [
        population_stability(first, second, quantiles=name not in told)
        for name, (first, second) in zip(values.columns, counts, strict=True)
    ]
    table = pd.DataFrame(
        {
            "psi": [index.value for index in indices],
            "p_value": [index.p_value for index in indices],
            "verdict": [verdict(index) for index in indices],
            "known_before": [int(first[:-1].sum()) for first, _ in counts],
            "known_after": [int(second[:-1].sum()) for _, second in counts],
            "median_before": state["everybody"],
            "median_after": values.median().to_numpy(),
        },
        index=pd.Index(values.columns, name="column"),
    )
    whole = _whole_columns(dict(zip(values.columns, counts, strict=True)), told)
    return pd.concat([table, whole]) if len(whole) else table


def _whole_columns(
    counts: Mapping[str, tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]], told: Mapping[str, tuple[str, Any]]
) -> pd.DataFrame:
    """Give the stability of each column of categories as a whole; yes and no are told by yes alone."""
    rows: dict[str, dict[str, Any]] = {}
    for feature in dict.fromkeys(feature for feature, _ in told.values()):
        own = [name for name, (column, value) in told.items() if column == feature and value is not True]
        if not own:
            continue
        # Of a column of 0 and 1 the last two bins are those who have the category, and those of whom it is unknown.
        first, second = (np.array([counts[name][when][-2] for name in own]) for when in (0, 1))
        everyone = [int(counts[own[0]][when].sum()) for when in (0, 1)]
        before, after = (np.append(known, n - known.sum()) for known, n in zip((first, second), everyone, strict=True))
        index = population_stability(before, after)
        rows[feature] = {
            "psi": index.value,
            "p_value": index.p_value,
            "verdict": verdict(index),
            "known_before": everyone[0],
            "known_after": everyone[1],
            "median_before": np.nan,
            "median_after": np.nan,
        }
    return pd.DataFrame.from_dict(rows, orient="index").rename_axis("column")


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
