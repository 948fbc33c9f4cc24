"""Opportunities reduced to the stages each deal was in and how it ended, as they were known at one moment."""

from __future__ import annotations

import warnings
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, TypedDict
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.core.html import element, table
from crmkit.value.sales._instants import DAY, NONE, as_moment, timestamps
from crmkit.value.sales._opportunity_rows import Form, read_opportunity_rows
from crmkit.value.sales._stage_names import read_stage_names
from crmkit.value.sales._stage_reduction import LOST, OPEN, STATUS, WON, Visits, deal_table, rows_before, stays

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    import numpy.typing as npt

__all__ = ["Reading", "StageHistory", "as_history", "stage_history"]


class Reading(TypedDict, total=False):
    """How a table of opportunities is read: the keywords of ``stage_history``."""

    stages: Sequence[str]
    won: str | Iterable[str] | None
    lost: str | Iterable[str] | None
    as_of: Any
    rows: Form | None
    moment: Literal["time", "recorded_time"]
    timezone: str
    on_error: Literal["raise", "set-aside"]


@dataclass(frozen=True, repr=False, eq=False)
class StageHistory:
    """Deals with the stages they were in, as ``stage_history`` makes it and every sales figure reads it.

    Parameters
    ----------
    stages : tuple of str
        The open stages in their order.
    as_of : pandas.Timestamp
        The first moment that is not seen, in UTC.
    timezone : str
        In which dates are meant.
    rows : {"history", "current"}
        What a row of the table said.
    deals : pandas.DataFrame, indexed by opportunity_id
        ``status`` ("open", "won", "lost"), ``opened``, ``closed``, ``stage`` (the one it is in, or was in when it
        ended), ``furthest`` (the last in the order that it came to), ``timed`` (whether it is known when it was in
        which stage), ``visits``, ``reopened``, ``moved_back`` (counts), ``amount``, ``expected_close`` (of open
        deals), and the table's other columns, each as last known; one whose name is among these is not carried.
    steps : Visits
        The stays as arrays.
    """

    stages: tuple[str, ...]
    as_of: pd.Timestamp
    timezone: str
    rows: Form
    deals: pd.DataFrame
    steps: Visits = field(repr=False)
    _codes: dict[str, npt.NDArray[np.int64]] = field(repr=False, default_factory=dict)

    @property
    def visits(self) -> pd.DataFrame:
        """The stays: opportunity_id, stage, entered, left (missing where it goes on), days (so far), next."""
        steps, now = self.steps, self.moment
        names = np.array([*self.stages, "won", "lost", None], dtype=object)
        return pd.DataFrame(
            {
                "opportunity_id": self.deals.index.to_numpy()[steps.deal],
                "stage": names[steps.stage],
                "entered": timestamps(steps.entered),
                "left": timestamps(steps.left),
                "days": (np.where(steps.left == NONE, now, steps.left) - steps.entered) / DAY,
                "next": names[steps.next],
            }
        )

    @property
    def moment(self) -> int:
        """``as_of`` in microseconds."""
        return int(self._codes["as_of"][0])

    def code(self, name: str) -> npt.NDArray[np.int64]:
        """Give a column of the deals as integers: status, opened, closed, expected, stage, furthest, first."""
        return self._codes[name]

    def __repr__(self) -> str:
        counts = ", ".join(f"{name}={count:,}" for name, count in self._counts())
        return f"StageHistory({counts}, stages={list(self.stages)}, as_of={self.as_of.isoformat()})"

    def _counts(self) -> list[tuple[str, int]]:
        """Count deals by how they stand."""
        counts = np.bincount(self.code("status"), minlength=3)
        return [("deals", len(self.deals)), *((str(name), int(counts[at])) for at, name in enumerate(STATUS))]

    def _repr_html_(self) -> str:
        stage, status = self.code("stage"), self.code("status")
        rows = [
            (name, *(int(((stage == at) & (status == code)).sum()) for code in (OPEN, WON, LOST)))
            for at, name in enumerate(self.stages)
        ]
        unknown = [int(((stage < 0) & (status == code)).sum()) for code in (OPEN, WON, LOST)]
        if any(unknown):
            rows.append(("not known", *unknown))
        caption = f"{len(self.deals):,} opportunities as of {self.as_of.isoformat()}, by their last stage"
        return element("div", table(("stage", "open", "won", "lost"), rows, caption=caption))


def stage_history(
    opportunities: Any,
    *,
    stages: Sequence[str],
    won: str | Iterable[str] | None = None,
    lost: str | Iterable[str] | None = None,
    as_of: Any = None,
    rows: Form | None = None,
    moment: Literal["time", "recorded_time"] = "time",
    timezone: str = "UTC",
    on_error: Literal["raise", "set-aside"] = "raise",
) -> StageHistory:
    """Reduce opportunities to the stages each deal was in, when, and how it ended.

    Every sales figure starts from it: make it once and hand it to them, or hand them the table with the same keywords.
    Deals may move back, skip stages and be re-opened: a closing that was undone is none. Costs two sorts; a million
    rows take about a second and a half.

    Parameters
    ----------
    opportunities : table
        ``opportunity_id`` (a column or the index), ``stage``, ``time``; where there are, ``amount``, ``close_time``,
        ``outcome`` (won or lost beside the stage in which that happened), ``recorded_time``, ``currency`` and any
        columns to group by.
    stages : sequence of str
        The stages in their order. Width, case, spaces, hyphens and underscores do not count.
    won, lost : str or iterable of str, default=None
        What ended deals are called in ``stage`` or ``outcome``. Where None: won, win, closed won, 赢单, 已赢单, 成交,
        已成交, 成单; lost, loss, closed lost, 输单, 已输单, 丢单, 已丢单, 失单.
    as_of : date, time, text of one, or None
        The moment of asking, exclusive: nothing at or after it is seen, nor is a row of a history that was recorded
        (``recorded_time``) at or after it. Where None, just after the last row and the last closing of the table.
    rows : {"history", "current"} or None
        What a row says: that the deal entered this stage at that moment (or was seen in it), or how the deal stands
        now, ``time`` being when it was opened. None tells it by whether deals have several rows, and refuses to guess
        where fewer than half of them do.
    moment : {"time", "recorded_time"}, default="time"
        The column with the moment of a row. In snapshots taken again and again it is ``recorded_time``, and ``time``
        is when the deal was opened; stages are then entered at the first snapshot that shows them.
    timezone : str, default="UTC"
        In which bare dates, and times without a zone, are meant.
    on_error : {"raise", "set-aside"}, default="raise"
        Whether deals that cannot be used stop the work, or are left out and counted in a warning.

    Returns
    -------
    StageHistory
        ``.deals`` (one row a deal, sorted by id) and ``.visits`` (one row a stay in a stage).

    Raises
    ------
    DataError
        If a row cannot be used, telling every reason with its rows; if there are two currencies; if nothing lies
        before ``as_of``.

    Warns
    -----
    DataWarning
        If rows repeat each other, deals are left out, or a column has the name of one that ``.deals`` has itself.

    Notes
    -----
    When a deal ended is the moment of the row that says so; for a deal's only row, a row with an ``outcome``, and
    snapshots it is ``close_time``. In any other row ``close_time`` is an expectation, and so it is where it lies at or
    after ``as_of``: such a deal is open. A table of what stands now does not tell which stages a deal passed when: its
    closed deals count in win rates and in the length of sales, and in no stage, unless ``outcome`` stands beside the
    stage reached. Where such a table shows anything after ``as_of``, the stages of its open deals are not known then.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import stage_history
    >>> rows = [("a", "lead", 1), ("a", "offer", 5), ("a", "won", 9), ("b", "lead", 2), ("b", "lost", 8)]
    >>> table = pd.DataFrame(rows, columns=["opportunity_id", "stage", "day"])
    >>> table["time"] = pd.to_datetime(table.pop("day"), unit="D", utc=True)
    >>> history = stage_history(table, stages=["lead", "offer"])
    >>> history.deals[["status", "stage"]].to_numpy().tolist()
    [['won', 'offer'], ['lost', 'lead']]
    >>> history.visits[["opportunity_id", "stage", "days", "next"]].to_numpy().tolist()
    [['a', 'lead', 4.0, 'offer'], ['a', 'offer', 4.0, 'won'], ['b', 'lead', 6.0, 'lost']]
    """
    names = read_stage_names(stages, won, lost)
    for given, allowed, what in (
        (rows, (None, "history", "current"), "rows"),
        (moment, ("time", "recorded_time"), "moment"),
        (on_error, ("raise", "set-aside"), "on_error"),
    ):
        if given not in allowed:
            raise DataError(f"{what} must be one of {', '.join(map(repr, allowed))}, got {given!r}")
    try:
        ZoneInfo(timezone)
    except (ValueError, LookupError, OSError):
        raise DataError(f"timezone must be an IANA name such as 'Asia/Shanghai', got {timezone!r}") from None
    read = read_opportunity_rows(opportunities, names, moment=moment, form=rows, timezone=timezone, on_error=on_error)
    if not len(read.deal):
        raise DataError("opportunities holds no row that can be used")
    now = int(max(read.known.max(), read.ended.max())) + 1 if as_of is None else as_moment(as_of, timezone)
    kept = rows_before(read, now)
    if not len(kept.deal):
        raise DataError(f"opportunities holds no row before as_of={timestamps(np.array([now]))[0].isoformat()}")
    steps, states = stays(kept, names)
    deals, codes = deal_table(kept, names, steps, states)
    return StageHistory(
        stages=names.names,
        as_of=timestamps(np.array([now]))[0],
        timezone=timezone,
        rows=kept.form,
        deals=deals,
        steps=steps,
        _codes={**codes, "as_of": np.array([now])},
    )


def as_history(opportunities: Any, reading: Reading) -> StageHistory:
    """Give a history, made of a table where it is one.

    Parameters
    ----------
    opportunities : StageHistory or table
        What a sales figure was given.
    reading : Reading
        The keywords it was given for reading a table.

    Returns
    -------
    StageHistory
        The history.

    Raises
    ------
    DataError
        If a table comes without ``stages``, or a history with keywords that it was already made with.
    """
    if isinstance(opportunities, StageHistory):
        if reading:
            raise DataError(
                f"{', '.join(reading)} cannot be changed in a StageHistory: write it in value.stage_history(...)"
            )
        return opportunities
    if "stages" not in reading:
        raise DataError("stages= must list the stages in their order, such as ['lead', 'qualified', 'proposal']")
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        history = stage_history(opportunities, **reading)
    for warning in told:
        # Told again from here, so that it points at the caller's line.
        warnings.warn(str(warning.message), warning.category, stacklevel=3)
    return history
