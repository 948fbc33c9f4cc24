"""What each segment is: sizes, shares, and each column's figures in original units."""

from __future__ import annotations

import unicodedata
from textwrap import wrap
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.stats import rankdata

from crmkit.core import html
from crmkit.segmentation.explaining._traits import number

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

__all__ = ["STATISTICS", "Profile", "column_statistics", "everybody"]

STATISTICS = ("median", "q1", "q3", "mean", "lift", "effect")
WIDTH = 120
GAP = 2


class Profile(pd.DataFrame):
    """The profile of segments: a DataFrame that prints as people read it.

    One row a segment, indexed by its name, customers in no segment last. Everything taken from it is a plain pandas
    object; only printing the whole shows, in at most 120 characters, sizes, shares and ``median [quartile, quartile]``
    of the columns (where they do not all fit, the medians that tell segments apart most), and then each segment in
    words. ``print(profile.to_string())`` shows every column.

    The columns are ``segment_id``, ``customers``, ``share`` (of all customers), ``revenue_share`` (where there is a
    revenue column with a positive total); then for each column ``x`` of the segmentation, in original units,
    ``x_median``, ``x_q1``, ``x_q3``, ``x_mean``, ``x_lift`` (mean against everybody's mean; missing where that is not
    positive) and ``x_effect`` (Cliff's delta against all other customers, -1 to 1); and ``description``.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit import segmentation
    >>> index = pd.Index(list("abcdef"), name="customer_id")
    >>> table = pd.DataFrame({"visits": [1, 2, 1, 50, 52, 49]}, index=index)
    >>> segments = segmentation.segment(table, n_segments=2, transform="scale", random_state=0)
    >>> segments.profile[["customers", "visits_median", "visits_lift"]].round(2)  # doctest: +NORMALIZE_WHITESPACE
                 customers  visits_median  visits_lift
    segment
    low visits           3            1.0         0.05
    high visits          3           50.0         1.95
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    def __repr__(self) -> str:
        if not self._is_whole():
            return super().__repr__()
        header, rows = self._fitting()
        widths = _widths(header, rows)
        lines = [_line(row, widths) for row in [header, *rows]]
        left = len(self._told()) - (len(header) - 1 - len(self._heads()))
        if left:
            lines.append(f"({left} more columns that differ less: see .columns)")
        lines += ["", "medians against everybody's:"]
        for name, text in self["description"].items():
            lines += wrap(f"{name}: {text}", WIDTH, subsequent_indent="    ", break_long_words=False)
        return "\n".join(lines)

    def _repr_html_(self) -> str:
        if not self._is_whole():
            return str(pd.DataFrame(self).to_html())
        header, rows = self._cells(self._told()[:8], quartiles=True)
        described = [[*row, text] for row, text in zip(rows, self["description"], strict=True)]
        return html.table([*header, "description"], described, caption="segments: median [quartiles] in original units")

    def _is_whole(self) -> bool:
        """Say whether nobody has taken columns away in place, without which there is nothing to write."""
        told = [f"{name}_{statistic}" for name in self._names() for statistic in ("median", "q1", "q3")]
        return bool(told) and {"customers", "share", "description", *told}.issubset(self.columns)

    def _names(self) -> list[str]:
        """Give the columns of the segmentation, in the table's order."""
        return [str(name).removesuffix("_effect") for name in self.columns if str(name).endswith("_effect")]

    def _heads(self) -> dict[str, str]:
        """Give the columns before the figures, with their headers."""
        heads = {"customers": "customers", "share": "share", "revenue_share": "revenue"}
        return {name: head for name, head in heads.items() if name in self.columns}

    def _told(self) -> list[str]:
        """Give the columns of the segmentation, those first that tell segments apart most."""
        return sorted(self._names(), key=lambda name: -float(np.ptp(self[f"{name}_effect"].to_numpy(dtype=float))))

    def _fitting(self) -> tuple[list[str], list[list[str]]]:
        """Write what fits on a line: all columns with quartiles, else all medians, else as many medians as fit."""
        told = self._told()
        tries = [(told, True), *((told[:most], False) for most in range(len(told), 1, -1))]
        for names, quartiles in tries:
            header, rows = self._cells(names, quartiles=quartiles)
            if sum(_widths(header, rows)) + GAP * (len(header) - 1) <= WIDTH:
                return header, rows
        return self._cells(told[:1], quartiles=False)

    def _cells(self, told: Sequence[str], *, quartiles: bool) -> tuple[list[str], list[list[str]]]:
        """Write the header and the rows with these columns of the segmentation, in the table's order."""
        heads = self._heads()
        header = ["segment", *heads.values()]
        columns = [[str(name) for name in self.index]]
        columns += [[f"{value:,}" if name == "customers" else f"{value:.1%}" for value in self[name]] for name in heads]
        for name in self._names():
            if name in told:
                header.append(name)
                figures = zip(self[f"{name}_median"], self[f"{name}_q1"], self[f"{name}_q3"], strict=True)
                columns.append(
                    [
                        f"{number(middle)} [{number(low)}, {number(high)}]" if quartiles else number(middle)
                        for middle, low, high in figures
                    ]
                )
        return header, [list(row) for row in zip(*columns, strict=True)]


def _widths(header: Sequence[str], rows: Sequence[Sequence[str]]) -> list[int]:
    """Give the width of each printed column."""
    return [max(_width(row[place]) for row in [header, *rows]) for place in range(len(header))]


def _width(text: str) -> int:
    """Count the character cells a text takes: Han characters take two."""
    return sum(2 if unicodedata.east_asian_width(character) in "WF" else 1 for character in text)


def _line(cells: Sequence[str], widths: Sequence[int]) -> str:
    """Set cells side by side, the first to the left and figures to the right."""
    padded = [
        cell + " " * (width - _width(cell)) if place == 0 else " " * (width - _width(cell)) + cell
        for place, (cell, width) in enumerate(zip(cells, widths, strict=True))
    ]
    return (" " * GAP).join(padded).rstrip()


def column_statistics(values: pd.DataFrame, ids: npt.NDArray[np.int64]) -> dict[str, npt.NDArray[np.float64]]:
    """Work out each segment's figures of each column.

    Parameters
    ----------
    values : pandas.DataFrame
        The columns in original units.
    ids : ndarray of shape (n_customers,)
        Segment of each customer.

    Returns
    -------
    dict of str to ndarray of shape (n_segments, n_columns)
        A table for each of ``STATISTICS``, segments in ascending order of id.
    """
    grouped = values.groupby(ids, sort=True)
    mean = grouped.mean().to_numpy(dtype=np.float64)
    whole = values.mean().to_numpy(dtype=np.float64)
    usable = (whole > 0) & (values.to_numpy().min(axis=0) >= 0)
    lift = np.divide(mean, whole, out=np.full_like(mean, np.nan), where=np.broadcast_to(usable, mean.shape))
    ranks = pd.DataFrame(rankdata(values.to_numpy(), axis=0))
    against_all = (2.0 * ranks.groupby(ids, sort=True).mean().to_numpy() - 1.0) / len(values) - 1.0
    others = len(values) - np.unique(ids, return_counts=True)[1]
    effect = against_all * (len(values) / np.maximum(others, 1))[:, None]
    quartiles = {
        name: grouped.quantile(share).to_numpy(dtype=np.float64)
        for name, share in (("q1", 0.25), ("median", 0.5), ("q3", 0.75))
    }
    return {**quartiles, "mean": mean, "lift": lift, "effect": np.round(effect, 12)}


def everybody(values: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Give the median of each column over all customers."""
    return values.median().to_numpy(dtype=np.float64)


def profile_frame(
    names: Sequence[str],
    ids: Sequence[int],
    customers: npt.NDArray[np.int64],
    revenue_share: npt.NDArray[np.float64] | None,
    columns: Sequence[str],
    statistics: dict[str, npt.NDArray[np.float64]],
    descriptions: Sequence[str],
) -> Profile:
    """Put the profile together from its parts."""
    table: dict[str, Any] = {
        "segment_id": np.asarray(ids, dtype=np.int64),
        "customers": customers,
        "share": customers / customers.sum(),
    }
    if revenue_share is not None:
        table["revenue_share"] = revenue_share
    for place, column in enumerate(columns):
        for statistic in STATISTICS:
            table[f"{column}_{statistic}"] = statistics[statistic][:, place]
    table["description"] = list(descriptions)
    return Profile(table, index=pd.Index(list(names), name="segment"))
