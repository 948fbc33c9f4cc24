"""Segments held against declared business needs."""

from __future__ import annotations

from dataclasses import dataclass
from functools import singledispatch
from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import is_bool_dtype, is_complex_dtype, is_numeric_dtype

from crmkit.core.checks import positions, require_columns
from crmkit.core.errors import DataError
from crmkit.core.predicate import parse
from crmkit.metrics import share, wilson
from crmkit.segmentation._features import WHAT, read_customers
from crmkit.segmentation.over_time._differences import mean_difference, share_difference
from crmkit.segmentation.over_time._needs import (
    Difference,
    LargestSize,
    LeastSize,
    Reachable,
    SegmentCount,
    Stable,
    read_needs,
)  # fmt: skip
from crmkit.segmentation.over_time._needs_report import NeedsReport

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.segmentation._model import SegmentationModel

__all__ = ["check"]

ERROR = 0.05
COLUMNS = ("place", "need", "segment", "against", "figure", "low", "high", "n", "level", "met", "reason")


@dataclass(frozen=True)
class Held:
    """What needs are held against.

    Parameters
    ----------
    names : dict of int to str
        The segments that hold customers, by id.
    sizes : dict of int to int
        Their customers when fitting.
    total : int
        All customers when fitting, those in no segment among them.
    customers : pandas.DataFrame or None
        The customers of the table who are in a segment.
    ids : ndarray of shape (n_customers,)
        Their segments.
    model : SegmentationModel
        The segments.
    given : table or None
        The customer table, with customers that are in no segment.
    """

    names: dict[int, str]
    sizes: dict[int, int]
    total: int
    customers: pd.DataFrame | None
    ids: npt.NDArray[np.int64]
    model: SegmentationModel
    given: Any

    def table(self, need: str) -> pd.DataFrame:
        """Give the table, or say which need asks for it."""
        if self.customers is None:
            raise DataError(f"the need {need!r} is about columns of the customers: give the table in customers=")
        return self.customers


def check(model: SegmentationModel, needs: Any, customers: Any = None) -> NeedsReport:
    """Hold segments against needs.

    Parameters
    ----------
    model : SegmentationModel
        The segments.
    needs : need, mapping, or list of these
        What is asked.
    customers : table or None, default=None
        Columns that needs name, one row a customer.

    Returns
    -------
    NeedsReport
        The answers.
    """
    asked = read_needs(needs)
    ids = model.segment_id.clip(lower=-1)
    segments, counts = np.unique(ids[ids >= 0].to_numpy(), return_counts=True)
    sizes = dict(zip(segments.tolist(), counts.tolist(), strict=True))
    frame: pd.DataFrame | None = None
    notes: list[str] = []
    placed = np.zeros(0, dtype=np.int64)
    if customers is not None:
        frame, placed, notes = _joined(ids, customers)
    held = Held(
        {segment: model.names[segment] for segment in sizes}, sizes, len(ids), frame, placed, model, customers,
    )  # fmt: skip
    rows = []
    for place, need in enumerate(asked):
        answers = _answers(need, held) if held.names else [_row(None, met="no", reason="there are no segments")]
        rows += [{"place": place, "need": str(need), **answer} for answer in answers]
    table = pd.DataFrame(rows, columns=list(COLUMNS)).astype(
        {"figure": "float64", "low": "float64", "high": "float64", "n": "int64", "level": "float64"}
    )
    return NeedsReport(table, notes)


def _joined(ids: pd.Series[int], customers: Any) -> tuple[pd.DataFrame, npt.NDArray[np.int64], list[str]]:
    """Give the table's customers who are in a segment, and tell how many others there are."""
    frame = read_customers(customers)
    known = frame.index.isin(ids.index)
    if not known.any():
        raise DataError(
            f"none of the {len(frame):,} customers of the table is among the {len(ids):,} that the segments were made "
            "on: are these the same customer ids?"
        )
    of_rows = np.asarray(ids.reindex(frame.index, fill_value=-1), dtype=np.int64)
    inside = of_rows >= 0
    absent = int((~ids.index[ids >= 0].isin(frame.index)).sum())
    outside, strangers = int((known & ~inside).sum()), int((~known).sum())
    notes = [
        f"{count:,} {words}"
        for count, words in (
            (strangers, "customers of the table were not segmented, and are left out"),
            (outside, "customers of the table are in no segment, and are left out"),
            (absent, "customers in segments are not in the table; its figures do not know them"),
        )
        if count
    ]
    return frame[inside], of_rows[inside], notes


def _row(
    segment: str | None, *, met: str, reason: str, against: str | None = None, figure: float = float("nan"),
    low: float = float("nan"), high: float = float("nan"), n: int = 0, level: float = float("nan"),
) -> dict[str, Any]:  # fmt: skip
    """Put one answer together."""
    return {
        "segment": segment, "against": against, "figure": figure, "low": low, "high": high, "n": n, "level": level,
        "met": met, "reason": reason,
    }  # fmt: skip


def _over(low: float, high: float, border: float) -> str:
    """Say whether a figure is at least so large, by its interval."""
    return "yes" if low >= border else "no" if high < border else "unclear"


@singledispatch
def _answers(need: Any, held: Held) -> list[dict[str, Any]]:  # noqa: ARG001 -- the answers to each kind use it
    """Answer a need, one row a segment."""
    raise TypeError(f"no answer is known to a {type(need).__name__}")


@_answers.register
def _count(need: SegmentCount, held: Held) -> list[dict[str, Any]]:
    count = len(held.names)
    met = need.low <= count and (need.high is None or count <= need.high)
    noun = "segment holds" if count == 1 else "segments hold"
    return [
        _row(None, met="yes" if met else "no", reason=f"{count} {noun} customers", figure=count, low=count, high=count,
             n=held.total)
    ]  # fmt: skip


@_answers.register
def _least(need: LeastSize, held: Held) -> list[dict[str, Any]]:
    if need.share is not None:
        return [_sized(held, segment, _over, need.share, f"at least {need.share:.1%} wanted") for segment in held.names]
    least = int(need.customers or 1)
    return [
        _row(held.names[segment], met="yes" if size >= least else "no", figure=size, low=size, high=size, n=size,
             reason=f"{size:,} customers, at least {least:,} wanted")
        for segment, size in held.sizes.items()
    ]  # fmt: skip


@_answers.register
def _largest(need: LargestSize, held: Held) -> list[dict[str, Any]]:
    def under(low: float, high: float, border: float) -> str:
        return "yes" if high <= border else "no" if low > border else "unclear"

    return [_sized(held, segment, under, need.share, f"at most {need.share:.1%} wanted") for segment in held.names]


def _sized(held: Held, segment: int, rule: Any, border: float, wanted: str) -> dict[str, Any]:
    """Hold a segment's share of all customers against a border."""
    found = share(held.sizes[segment], held.total, level=1 - ERROR / len(held.names))
    return _row(
        held.names[segment], met=rule(found.low, found.high, border), figure=found.value, low=found.low,
        high=found.high, n=found.n, level=found.level,
        reason=f"{found.value:.1%} [{found.low:.1%}, {found.high:.1%}] of {found.n:,} customers, {wanted}",
    )  # fmt: skip


@_answers.register
def _reachable(need: Reachable, held: Held) -> list[dict[str, Any]]:
    frame = held.table(str(need))
    found = parse(need.where).evaluate(frame)
    if found.values.dtype != np.bool_:
        raise DataError(f"{need.where!r} must be a condition that is true or false, such as 'email_consent == True'")
    level = 1 - ERROR / len(held.names)
    rows = []
    for segment, name in held.names.items():
        inside = held.ids == segment
        n, unknown = int(inside.sum()), int(found.missing[inside].sum())
        if not n:
            rows.append(_row(name, met="unclear", level=level, reason="none of its customers is in the table"))
            continue
        reached = int((found.values & ~found.missing)[inside].sum())
        low, high = (float(end) for end in wilson(reached, n, level=level))
        told = f"; unknown for {unknown:,} of them, who count as not reached" if unknown else ""
        rows.append(
            _row(name, met=_over(low, high, need.share), figure=reached / n, low=low, high=high, n=n, level=level,
                 reason=f"{reached / n:.1%} [{low:.1%}, {high:.1%}] of {n:,} customers, at least {need.share:.1%} "
                        f"wanted{told}")
        )  # fmt: skip
    return rows


@_answers.register
def _difference(need: Difference, held: Held) -> list[dict[str, Any]]:
    frame = held.table(str(need))
    values = _numbers(frame, need.column)
    known = ~np.isnan(values)
    response = bool(np.isin(values[known], (0.0, 1.0)).all())
    segments = list(held.names)
    if len(segments) == 1:
        return [_row(held.names[segments[0]], met="no", reason="there is no other segment to differ from")]
    sides: list[tuple[int, int | None]]
    sides = [(one, None) for one in segments] if need.between == "rest" else list(combinations(segments, 2))
    level = 1 - ERROR / len(sides)
    rows = []
    for one, other in sides:
        first = held.ids == one
        second = ~first if other is None else held.ids == other
        against = "the rest" if other is None else held.names[other]
        notes = []
        unknown = int((~known & (first | second)).sum())
        if unknown:
            noun = "customer" if unknown == 1 else "customers"
            notes.append(f"{unknown:,} {noun} without a value left out")
        if need.column in held.model.features:
            notes.append("the segments were made by this column, so that they differ in it is no evidence")
        a, b = values[first & known], values[second & known]
        rows.append(_apart(need, (held.names[one], against), a, b, level=level, response=response, notes=notes))
    return rows


@_answers.register
def _stable(need: Stable, held: Held) -> list[dict[str, Any]]:
    from crmkit.segmentation.choosing._stability import stability

    held.table(str(need))
    level = 1 - ERROR / len(held.names)
    found = stability(held.model, held.given, n_resamples=need.n_resamples, random_state=0, level=level)
    refound = dict(zip(found.index, found.to_dict(orient="records"), strict=True))
    rows = []
    for name in held.names.values():
        seen = refound.get(name)
        if seen is None or not seen["resamples"]:
            reason = "none of its customers is in the table, or was drawn"
            rows.append(_row(name, met="unclear", level=level, reason=reason))
            continue
        figure, low, high = (float(seen[part]) for part in ("jaccard", "low", "high"))
        rows.append(
            _row(name, met=_over(low, high, need.jaccard), figure=figure, low=low, high=high, n=int(seen["customers"]),
                 level=level, reason=f"similarity {figure:.2f} [{low:.2f}, {high:.2f}] in {int(seen['resamples'])} "
                                     f"resamples, {seen['reading']}; at least {need.jaccard:.3g} wanted")
        )  # fmt: skip
    return rows


def _apart(
    need: Difference, names: tuple[str, str], a: npt.NDArray[np.float64], b: npt.NDArray[np.float64], *, level: float,
    response: bool, notes: list[str],
) -> dict[str, Any]:  # fmt: skip
    """Answer for one segment and what it is held against."""
    told = "".join(f"; {note}" for note in notes)
    n = len(a) + len(b)
    if not len(a) or not len(b):
        reason = f"no known {need.column} on one side{told}"
        return _row(names[0], against=names[1], met="unclear", n=n, level=level, reason=reason)
    if response:
        figure, low, high = (float(part) for part in share_difference(b.sum(), len(b), a.sum(), len(a), level=level))
        figures = f"{a.mean():.1%} against {b.mean():.1%} of {names[1]}: {100 * figure:+.1f} points"
        ends, least = f"[{100 * low:+.1f}, {100 * high:+.1f}]", f"{100 * need.at_least:.3g} points"
    else:
        found = mean_difference(a, b, level=level)
        figure, low, high = found.value, found.low, found.high
        figures = f"mean {a.mean():,.4g} against {b.mean():,.4g} of {names[1]}: {figure:+,.4g}"
        ends, least = f"[{low:+,.4g}, {high:+,.4g}]", f"{need.at_least:g}"
    wanted = f"at least {least} up or down wanted" if need.at_least else "any difference wanted"
    border = need.at_least
    surely = (low >= border and low > 0) or (high <= -border and high < 0)
    surely_not = low > -border and high < border
    met = "yes" if surely else "no" if surely_not else "unclear"
    return _row(
        names[0], against=names[1], met=met, figure=figure, low=low, high=high, n=n, level=level,
        reason=f"{figures} {ends}, {wanted}{told}",
    )  # fmt: skip


def _numbers(frame: pd.DataFrame, name: str) -> npt.NDArray[np.float64]:
    """Take a column as numbers, missing ones as NaN."""
    require_columns(frame, [name], what=WHAT)
    column = frame[name]
    if not (is_numeric_dtype(column) or is_bool_dtype(column)) or is_complex_dtype(column):
        raise DataError(f"{WHAT}: {name!r} is not numeric ({column.dtype}), so segments cannot differ in its mean")
    values: npt.NDArray[np.float64] = column.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError(f"{WHAT}: {name!r} is infinite in {positions(np.isinf(values))}")
    return values
