"""What each segment is: sizes, shares, and each column's figures in original units."""

from __future__ import annotations

import unicodedata
from textwrap import wrap
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.metrics import wilson
from crmkit.segmentation.explaining._drawing import draw_bars, draw_heat_map, draw_snake
from crmkit.segmentation.explaining._figures import STATISTICS
from crmkit.segmentation.explaining._traits import number

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from crmkit.pictures import Picture

__all__ = ["Profile", "profile_frame"]

WIDTH = 120
GAP = 2


class Profile(pd.DataFrame):
    """The profile of segments: a DataFrame that prints as people read it.

    One row a segment, indexed by its name, customers in no segment last. Everything taken from it is a plain pandas
    object; only printing the whole shows, in at most 120 characters, sizes, shares and ``median [quartile, quartile]``
    of the columns (where they do not all fit, the medians that tell segments apart most), and then each segment in
    words. ``print(profile.to_string())`` shows every column.

    The columns are ``segment_id``, ``customers``, ``share`` (of all customers), ``revenue_share`` (where there is a
    revenue column with a positive total), both with ``_low`` and ``_high``; then for each column ``x`` of the
    segmentation, over the customers whose value is known,

    - ``x_median``, ``x_q1``, ``x_q3``, ``x_mean`` in original units; for a category the mean is its share;
    - ``x_n``: how many values are known;
    - ``x_lift``: mean against everybody's mean (missing where that is not positive or a value is negative);
    - ``x_robust_z``: how far the median is from everybody's, in robust standard deviations (1.4826 times the median
      absolute deviation; where that is 0, 1.2533 times the mean absolute deviation; of a column of 0 and 1, the
      distance of the share in standard deviations; missing where all are alike);
    - ``x_effect``: Cliff's delta against all other customers, -1 to 1;
    - ``x_smd``: difference of the means of segment and others, over the root mean square of their standard deviations;
    - ``_low`` and ``_high`` of mean, lift, effect and smd: intervals of 95 %, which take the segments as given;

    and ``description``. A figure that too few known values do not allow is missing.

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

    _metadata: ClassVar[list[str]] = ["language", "shares"]
    language: str = "en"
    shares: tuple[str, ...] = ()

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    def bars(self, *, language: str | None = None) -> Picture:
        """Draw the share of customers, and of revenue where there is any.

        Parameters
        ----------
        language : {"en", "zh"} or None, default=None
            Of the picture's own words; None: that of the segments' names.

        Returns
        -------
        Picture
            It shows itself in a notebook and has ``save``; from the 26th segment on they are left out, which its title
            says.

        Raises
        ------
        MissingExtraError
            Without matplotlib: ``pip install 'crmkit[report]'``.
        """
        return draw_bars(self, language or self.language)

    def heat_map(self, shade: str = "effect", *, most: int = 12, language: str | None = None) -> Picture:
        """Draw the medians in their own units, shaded by what sets each segment apart.

        Parameters
        ----------
        shade : {"effect", "robust_z", "smd"}, default="effect"
            What the shade is made of. Effect has its full colour at -1 and 1, the others at -3 and 3 and beyond.
        most : int, default=12
            Draw the so many columns that tell segments apart most, in the table's order; the title says how many are
            left out.
        language : {"en", "zh"} or None, default=None
            Of the picture's own words; None: that of the segments' names.

        Returns
        -------
        Picture
            Columns of 0 and 1 show the share.

        Raises
        ------
        DataError
            If there is no such shade.
        MissingExtraError
            Without matplotlib: ``pip install 'crmkit[report]'``.
        """
        return draw_heat_map(
            self, self._names(), self.shares, shade=shade, most=most, language=language or self.language
        )

    def snake_plot(
        self, by: str = "robust_z", *, most: int = 12, most_segments: int = 12, language: str | None = None
    ) -> Picture:
        """Draw one line a segment over the columns, all on one scale.

        Parameters
        ----------
        by : {"robust_z", "effect", "smd"}, default="robust_z"
            The scale: distance of medians from everybody's in robust standard deviations; Cliff's delta against the
            others, which no outlier can stretch; or standardized difference of means.
        most : int, default=12
            Draw the so many columns that tell segments apart most, in the table's order.
        most_segments : int, default=12
            Draw the first so many segments. The title says what is left out.
        language : {"en", "zh"} or None, default=None
            Of the picture's own words; None: that of the segments' names.

        Returns
        -------
        Picture
            The legend names each segment with its customers; where a value is beyond 6, heights are drawn by the
            inverse hyperbolic sine, which the label says.

        Raises
        ------
        DataError
            If there is no such scale.
        MissingExtraError
            Without matplotlib: ``pip install 'crmkit[report]'``.
        """
        return draw_snake(
            self, self._names(), by=by, most=most, most_segments=most_segments, language=language or self.language
        )

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
        return sorted(self._names(), key=lambda name: -float(np.ptp(np.nan_to_num(self[f"{name}_effect"]))))

    def _fitting(self) -> tuple[list[str], list[list[str]]]:
        """Write what fits on a line: all columns with quartiles, else all medians, else as many medians as fit."""
        told = self._told()
        # No more columns than this fit, each taking a character and the gap before it.
        most = min(len(told), WIDTH // (GAP + 1))
        tries = [(told, True)] if most == len(told) else []
        tries += [(told[:count], False) for count in range(most, 1, -1)]
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
                columns.append(self._written(name, quartiles=quartiles))
        return header, [list(row) for row in zip(*columns, strict=True)]

    def _written(self, name: str, *, quartiles: bool) -> list[str]:
        """Write a column's median and quartiles, or its share where it holds 0 and 1."""
        if name in self.shares:
            return ["–" if np.isnan(share) else f"{share:.0%}" for share in self[f"{name}_mean"]]
        figures = zip(self[f"{name}_median"], self[f"{name}_q1"], self[f"{name}_q3"], strict=True)
        return [
            f"{number(middle)} [{number(low)}, {number(high)}]" if quartiles else number(middle)
            for middle, low, high in figures
        ]


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


def profile_frame(state: Mapping[str, Any], names: Mapping[int, str]) -> Profile:
    """Put the profile together from what was kept of the segments.

    Parameters
    ----------
    state : mapping
        ``row_ids``, ``customers``, ``revenue_share``, ``revenue_interval``, ``columns``, ``shares`` (those of 0 and
        1), ``statistics``, ``descriptions`` and ``language``.
    names : mapping of int to str
        Name of each segment.

    Returns
    -------
    Profile
        One row a segment.
    """
    customers = np.asarray(state["customers"])
    total = int(customers.sum())
    low, high = wilson(customers, total)
    table: dict[str, Any] = {
        "segment_id": np.asarray(state["row_ids"], dtype=np.int64),
        "customers": customers,
        "share": customers / total,
    }
    if state["revenue_share"] is not None:
        table["revenue_share"] = state["revenue_share"]
    statistics = state["statistics"]
    for place, column in enumerate(state["columns"]):
        for statistic in STATISTICS:
            values = statistics[statistic][:, place]
            table[f"{column}_{statistic}"] = values.astype(np.int64) if statistic == "n" else values
    table |= {"share_low": low, "share_high": high}
    if state["revenue_interval"] is not None:
        table["revenue_share_low"], table["revenue_share_high"] = state["revenue_interval"]
    table["description"] = list(state["descriptions"])
    profile = Profile(table, index=pd.Index([names[segment] for segment in state["row_ids"]], name="segment"))
    profile.language = str(state["language"])
    profile.shares = tuple(state["shares"])
    return profile
