"""Which open opportunities will be won, from the history of each up to the cutoff."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.prediction.targets._deals import Deals
from crmkit.prediction.targets._target import Target
from crmkit.preparation import as_cutoff
from crmkit.preparation.feature_tables._clock import Clock, make_clock
from crmkit.preparation.feature_tables._outcomes import check_horizon

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["will_be_won"]


def will_be_won(
    history: Any,
    cutoffs: Any,
    *,
    stages: Sequence[str],
    horizon: int,
    until: Any,
    won: str | Sequence[str] = "won",
    lost: str | Sequence[str] = "lost",
    by: Sequence[str] = ("agent", "channel"),
) -> Target:
    """Ask of every opportunity that is open at a cutoff whether it will be won within the horizon.

    "Won at all" is not known of those that are still open, and leaving them out would learn from the quick ones only;
    won *within the horizon* is known of every one. Of each deal the history up to the cutoff is used: its stage, how
    long it has been there, its age, moves forward and back, amount and its change, the expected close and how often it
    was put off; how many deals of the customer had ended before and how many of them were won; and the same of whoever
    (or whatever) stands in the columns ``by``, as a rate drawn to the mean of all where there are few.

    Parameters
    ----------
    history : table
        One row a stage entered, or a snapshot: ``opportunity_id``, ``customer_id``, ``stage``, ``time`` or ``day``,
        and where known ``amount``, ``close_time`` (as expected then), ``recorded_time`` and the columns ``by``. A table
        with one row a deal, as it stands now, is refused: its stage is that of the end.
    cutoffs : date, time, text of one, or a sequence of them
        Exclusive.
    stages : sequence of str
        The open stages, first to last.
    horizon : int
        Days.
    until : date, time or text of one
        Up to when the history is complete, exclusive.
    won, lost : str or sequence of str
        What ended deals are called; upper and lower case are one.
    by : sequence of str, default=("agent", "channel")
        Columns whose success so far is a feature; those that are not there are left out.

    Returns
    -------
    Target
        A classifier's question; rows are indexed by ``customer_id``, ``opportunity_id`` and ``cutoff``.

    Raises
    ------
    DataError
        If a column is missing, a stage is not declared, or a horizon reaches past ``until``.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.prediction import will_be_won
    >>> history = pd.DataFrame(
    ...     {
    ...         "opportunity_id": ["s1", "s1", "s2", "s2", "s3"],
    ...         "customer_id": ["a", "a", "b", "b", "b"],
    ...         "day": [1, 40, 5, 20, 25],
    ...         "stage": ["lead", "won", "lead", "lost", "lead"],
    ...     }
    ... )
    >>> asked = will_be_won(history, "1970-01-31", stages=["lead"], horizon=30, until="1970-06-01")
    >>> asked.y.droplevel(["customer_id", "cutoff"]).to_dict()
    {'s1': 1, 's3': 0}
    """
    question = _Wins(
        tuple(stages), check_horizon(horizon), _words(won), _words(lost), tuple([by] if isinstance(by, str) else by)
    )
    if not question.stages or isinstance(stages, str):
        raise DataError("stages must list the open stages in their order")
    keys = [_key(name) for name in question.stages]
    if len({*keys, *question.won, *question.lost}) < len(keys) + len(question.won) + len(question.lost):
        raise DataError("a stage is declared twice: stages are the open ones, none of them a word for won or lost")
    return question.ask(history, cutoffs, until=until)


@dataclass(frozen=True)
class _Wins:
    """The question, to be asked at any cutoff."""

    stages: tuple[str, ...]
    horizon: int
    won: frozenset[str]
    lost: frozenset[str]
    by: tuple[str, ...]
    columns: tuple[str, ...] | None = None

    def ask(self, history: Any, cutoffs: Any, *, others: Any = None, labels: bool = True, until: Any = None) -> Target:
        """Give the target at some cutoffs."""
        if others is not None:
            raise DataError("will_be_won reads the history alone; join other features by customer_id and cutoff")
        clock = make_clock(cutoffs)
        if labels:
            self._check_until(clock, until)
        frame = as_frame(history, what="opportunities")
        require_columns(frame, ["opportunity_id", "customer_id", "stage"], what="opportunities")
        deals = Deals.of(frame, self._codes(frame["stage"]), len(self.stages), self.by, clock)
        parts, answers = zip(*(deals.at(tick, self.horizon, when) for tick, when in self._moments(clock)), strict=True)
        table = pd.concat(parts)
        label = pd.Series(np.concatenate(answers), index=table.index, name="won") if labels else None
        asked = f"Which open opportunities will be won within {self.horizon} days?"
        remark = "0 is lost or still open after the horizon"
        return Target(asked, "classifier", table, label, self.horizon, (remark,), self.ask)

    @staticmethod
    def _moments(clock: Clock) -> list[tuple[int, pd.Timestamp]]:
        """Give each cutoff as a tick and as it stands in the index."""
        return list(zip(clock.ticks.tolist(), clock.index, strict=True))

    def _check_until(self, clock: Clock, until: Any) -> None:
        """Refuse a horizon that reaches past what is known."""
        if until is None:
            raise DataError("until must say up to when the history is complete")
        end = as_cutoff(until)
        tick = end.day if clock.by_day else make_clock(until).ticks[0]
        if clock.by_day != (end.instant is None):
            raise DataError("until must be a date where cutoffs are dates, and a time where they are times")
        late = clock.ticks + self.horizon * clock.day > tick
        if late.any():
            named = ", ".join(str(one) for one, is_late in zip(clock.cutoffs, late, strict=True) if is_late)
            raise DataError(
                f"what is won in the {self.horizon} days from {named} is not known yet: that is past {until}"
            )

    def _codes(self, column: pd.Series) -> Any:
        """Give the place of each stage; won and lost come after the last open one."""
        places = {_key(name): place for place, name in enumerate(self.stages)}
        places |= dict.fromkeys(self.won, len(self.stages)) | dict.fromkeys(self.lost, len(self.stages) + 1)
        codes, names = pd.factorize(column)
        table = np.array([*(places.get(_key(name), -1) for name in names), -1])[codes]
        if (table < 0).any():
            raise DataError(
                f"opportunities: the stage is missing or not declared in {positions(table < 0)}; declared are "
                f"{', '.join(self.stages)}, and the words for won and lost"
            )
        return table


def _key(name: Any) -> str:
    """Bring a stage to the form in which stages are compared."""
    return str(name).strip().casefold()


def _words(given: str | Sequence[str]) -> frozenset[str]:
    """Give the words for an end."""
    return frozenset(map(_key, [given] if isinstance(given, str) else given))
