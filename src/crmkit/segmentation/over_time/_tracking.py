"""Frozen segments followed over several dates: sizes, stability, and who moved."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.errors import DataError, DataWarning
from crmkit.metrics import population_stability, wilson
from crmkit.segmentation.over_time._agreement import adjusted_rand
from crmkit.segmentation.over_time._comparison import verdict
from crmkit.segmentation.over_time._migration import contingency, shared_ids, square, was_and_is
from crmkit.segmentation.over_time._sizes import counted

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.segmentation._model import SegmentationModel

__all__ = ["Tracking", "track"]

# From 28 to 31 days is a month; a step half as long again is another kind of step.
UNEVEN = 1.5


@dataclass(frozen=True, repr=False)
class Tracking:
    """Segments over several dates, by cuts that never moved.

    Parameters
    ----------
    sizes : pandas.DataFrame
        One row a date and segment: ``date``, ``segment_id``, ``segment``, ``customers``, ``n`` (customers of the
        date), ``share`` with Wilson's interval ``low``, ``high``.
    stability : pandas.DataFrame
        One row a date: ``customers``; population stability index of the segment sizes, p-value and verdict against
        the customers the segments were made on (``psi_base``, …) and against the date before (``psi_previous``, …);
        ``both``, ``new`` and ``gone`` customers against the date before; ``moved`` and its share of ``both`` with
        Wilson's interval; and the adjusted Rand index with its interval. The first date has no date before.
    migrations : pandas.DataFrame
        One row a step and pair of segments: ``from_date``, ``to_date``, ``from``, ``to``, ``customers``, ``n`` (of
        the segment left), ``share``, ``low``, ``high``.
    steps : pandas.DataFrame
        Customers by segment before (rows) and after (columns), all steps together; a customer counts once a step.
    """

    sizes: pd.DataFrame
    stability: pd.DataFrame
    migrations: pd.DataFrame
    steps: pd.DataFrame

    @property
    def transitions(self) -> pd.DataFrame:
        """Mean transition matrix of one step: where the customers of a segment (row) are one date later.

        Dates a month apart make it monthly. Steps weigh by the customers seen in them; rows sum to 1, and a segment
        that nobody was ever seen to leave or stay in is missing. Whoever is gone at the next date is not in it: see
        ``gone`` in ``stability``. It has no intervals: the customers each row rests on stand in ``steps``, and each
        step's shares with theirs in ``migrations``. That the same matrix holds for the future, and whatever a customer
        was before, is for you to believe.
        """
        totals = self.steps.sum(axis=1)
        return self.steps.div(totals.where(totals > 0), axis=0)

    def migration(self, to_date: Any) -> pd.DataFrame:
        """Give the customers by segment at the date before (rows) and at this date (columns).

        Parameters
        ----------
        to_date : date or label
            One of the dates, but not the first.

        Returns
        -------
        DataFrame
            The matrix.

        Raises
        ------
        KeyError
            If there is no step to that date.
        """
        part = self.migrations[self.migrations["to_date"] == to_date]
        if not len(part):
            known = ", ".join(str(step) for step in self.migrations["to_date"].unique())
            raise KeyError(f"no step leads to {to_date}; steps lead to: {known or 'no date'}")
        counts = pd.DataFrame(0, index=self.steps.index, columns=self.steps.columns)
        held = part.pivot_table(index="from", columns="to", values="customers", aggfunc="sum")
        counts.loc[held.index, held.columns] = held
        return counts

    def _heads(self) -> list[str]:
        stability = self.stability
        first, last = stability["date"].iloc[0], stability["date"].iloc[-1]
        dates = f"{len(stability)} dates, {first} to {last}" if len(stability) > 1 else f"1 date, {first}"
        heads = [f"{dates}, by the cuts of the fitting"]
        moved, both = int(stability["moved"].sum()), int(stability["both"].sum())
        if both:
            heads.append(f"{moved / both:.1%} of customers moved in a step; {int(stability['gone'].sum()):,} went")
        return heads

    def __repr__(self) -> str:
        return "\n".join([*self._heads(), "", self._shares().to_string()])

    def _shares(self) -> pd.DataFrame:
        """Write shares of segments by date, with the verdicts."""
        order = self.steps.index
        shares = self.sizes.pivot_table(index="date", columns="segment", values="share", sort=False)[list(order)]
        shown = shares.map(lambda share: f"{share:.1%}")
        shown["against the fitting"] = self.stability["verdict_base"].to_numpy()
        shown["against the date before"] = self.stability["verdict_previous"].astype(object).fillna("–").to_numpy()
        return shown.rename_axis(columns=None)

    def _repr_html_(self) -> str:
        heads = "".join(html.element("p", html.escape(line)) for line in self._heads())
        parts = [
            (self._shares(), "shares of segments by date"),
            (self.transitions, "mean transition of one step: from (rows) to (columns)"),
        ]
        tables = []
        for table, caption in parts:
            plain = table.reset_index()
            tables.append(html.table(list(plain.columns), plain.astype(object).to_numpy().tolist(), caption=caption))
        return heads + "".join(tables)


def track(segments: SegmentationModel, tables: Mapping[Any, Any]) -> Tracking:
    """Follow frozen segments over several dates.

    Every table is placed by the transform, cuts and centers of the fitting; nothing is worked out anew, so that a
    segment means the same at every date. Each date is held against the customers the segments were made on, and
    against the date before.

    Parameters
    ----------
    segments : SegmentationModel
        The segments.
    tables : mapping of date or label to table
        One customer table a date, with the columns the segments were made by. Dates (``datetime.date``, ``datetime``,
        ``Timestamp``) are put into order; other labels stay in theirs.

    Returns
    -------
    Tracking
        ``sizes``, ``stability``, ``migrations``, ``transitions``.

    Raises
    ------
    DataError
        If there is no table, or one of them cannot be placed.

    Warns
    -----
    DataWarning
        If the dates are not evenly spaced, so that steps of different lengths are averaged in ``transitions``.

    Notes
    -----
    p-values of the stability index take two dates for independent samples. Where the same customers stand in both they
    are on the safe side: the share that moved says more.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import segmentation
    >>> index = pd.Index(list("abcdef"), name="customer_id")
    >>> table = pd.DataFrame({"visits": [1, 2, 1, 50, 52, 49]}, index=index)
    >>> segments = segmentation.segment(table, n_segments=2, transform="scale", random_state=0)
    >>> later = table.assign(visits=[1, 2, 40, 50, 52, 49])
    >>> tracking = segmentation.track(segments, {"May": table, "June": later})
    >>> tracking.transitions.round(2).to_numpy().tolist()
    [[0.67, 0.33], [0.0, 1.0]]
    >>> tracking.stability[["date", "customers", "moved"]].to_numpy().tolist()
    [['May', 6, <NA>], ['June', 6, 1]]
    """
    if not isinstance(tables, Mapping):
        raise TypeError(f"tables must be a mapping of date or label to table, got {type(tables).__name__}")
    if not tables:
        raise DataError("there is no table to follow the segments over")
    labels = _in_order(list(tables))
    placed = {}
    for label in labels:
        try:
            placed[label] = segments.predict_ids(tables[label]).clip(lower=-1)
        except DataError as error:
            raise DataError(f"the table of {label}: {error}") from error
    base = segments.segment_id.clip(lower=-1)
    held = set(base.unique().tolist()).union(*(ids.unique().tolist() for ids in placed.values()))
    rows = [segment for segment in segments.names if segment in held]
    names = [segments.names[segment] for segment in rows]
    steps = np.zeros((len(rows), len(rows)), dtype=np.int64)
    stability, migrations = [], []
    previous: Any = None
    for label, ids in placed.items():
        told = {"date": label, "customers": len(ids), **_index("base", base, ids, rows)}
        if previous is not None:
            former = placed[previous]
            joined = shared_ids(former, ids)
            counts = contingency(joined["before"], joined["after"], rows, rows)
            steps += counts
            told |= {**_index("previous", former, ids, rows), **_moves(counts, len(former), len(ids))}
            long = was_and_is(square(counts, names))
            migrations.append(long.assign(from_date=previous, to_date=label))
        stability.append(told)
        previous = label
    return Tracking(
        sizes=pd.concat([_sizes(label, ids, rows, names) for label, ids in placed.items()], ignore_index=True),
        stability=_stability(stability),
        migrations=_migrations(migrations),
        steps=square(steps, names),
    )


def _in_order(labels: list[Any]) -> list[Any]:
    """Put dates into the order of time; leave other labels alone."""
    if not all(isinstance(label, date | np.datetime64) for label in labels):
        return labels
    try:
        ordered = sorted(labels, key=pd.Timestamp)
    except TypeError as error:
        raise DataError("dates with a time zone and dates without one cannot be put into one order") from error
    days = np.diff([pd.Timestamp(label).timestamp() for label in ordered]) / 86_400
    if len(days) > 1 and days.max() > UNEVEN * days.min():
        warnings.warn(
            f"the dates are from {days.min():.0f} to {days.max():.0f} days apart, so transitions average steps of "
            "different lengths",
            DataWarning,
            stacklevel=3,
        )
    return ordered


def _index(against: str, before: pd.Series[int], after: pd.Series[int], rows: Sequence[int]) -> dict[str, Any]:
    """Give the stability index of the sizes with p-value and verdict."""
    index = population_stability(counted(before, rows), counted(after, rows))
    return {
        f"psi_{against}": index.value, f"p_{against}": index.p_value, f"verdict_{against}": verdict(index),
    }  # fmt: skip


def _moves(counts: npt.NDArray[np.int64], before: int, after: int) -> dict[str, Any]:
    """Say how many came, went, stayed and moved."""
    both = int(counts.sum())
    moved = both - int(np.trace(counts))
    told: dict[str, Any] = {"both": both, "new": after - both, "gone": before - both, "moved": moved}
    if both:
        low, high = wilson(moved, both)
        rand = adjusted_rand(counts)
        told |= {
            "moved_share": moved / both, "moved_low": float(low), "moved_high": float(high),
            "rand": rand.value, "rand_low": rand.low, "rand_high": rand.high,
        }  # fmt: skip
    return told


def _sizes(label: Any, ids: pd.Series[int], rows: Sequence[int], names: Sequence[str]) -> pd.DataFrame:
    """Give one date's customers and shares."""
    counts = counted(ids, rows)
    low, high = wilson(counts, len(ids))
    return pd.DataFrame(
        {
            "date": [label] * len(rows), "segment_id": list(rows), "segment": list(names), "customers": counts,
            "n": len(ids), "share": counts / len(ids), "low": low, "high": high,
        }
    )  # fmt: skip


def _stability(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Put the dates below each other; what the first one has not is missing."""
    counts, figures = ("both", "new", "gone", "moved"), ("moved_share", "moved_low", "moved_high")
    columns = [
        "date", "customers", "psi_base", "p_base", "verdict_base", "psi_previous", "p_previous", "verdict_previous",
        *counts, *figures, "rand", "rand_low", "rand_high",
    ]  # fmt: skip
    table = pd.DataFrame(rows, columns=columns)
    numbers = ("psi_previous", "p_previous", *figures, "rand", "rand_low", "rand_high")
    return table.astype({**dict.fromkeys(counts, "Int64"), **dict.fromkeys(numbers, "float64")})


def _migrations(parts: list[pd.DataFrame]) -> pd.DataFrame:
    """Put the steps below each other."""
    columns = ["from_date", "to_date", "from", "to", "customers", "n", "share", "low", "high"]
    return pd.concat(parts, ignore_index=True)[columns] if parts else pd.DataFrame(columns=columns)
