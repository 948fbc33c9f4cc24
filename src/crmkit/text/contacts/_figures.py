"""The figures of conversations with their intervals: by agent, channel, type, or whatever a column says."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.core.estimate import Estimate
from crmkit.metrics import contact_cost, first_contact_resolution, mean, median, share
from crmkit.metrics.intervals import check_level
from crmkit.text.contacts._grouping import read_groups
from crmkit.text.contacts._repeats import check_days, flags_of, require_conversations

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Iterable, Sequence

__all__ = ["contact_figures"]

_NEEDED = ["customer_id", "began", "answered", "previous_days", "seen_before_days", "repeat_days", "followed_days"]
_RESULT = ["figure", "value", "low", "high", "n", "method"]


def contact_figures(
    conversations: pd.DataFrame, by: str | Sequence[str] | None = None, *, days: float = 7, level: float = 0.95
) -> pd.DataFrame:
    """Give the figures of conversations, each with its interval and the number it rests on.

    One row a group and figure, so that a small group is seen to be small. A figure that nothing supports has ``n`` 0
    and is missing. Groups are worked out one after the other: a thousand agents take some seconds.

    Parameters
    ----------
    conversations : pandas.DataFrame
        From `conversations`; with `satisfaction_after` or `contact_costs` there are more figures.
    by : str or sequence of str, default=None
        Columns, such as ``"agent"`` or ``["channel", "type"]``; None for all together. Conversations in which such a
        column is missing are a group of their own.
    days : float, default=7
        How long silence after a contact must last.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    pandas.DataFrame
        The columns of ``by``, then ``figure``, ``value``, ``low``, ``high``, ``n``, ``method``, with these figures:

        - ``answered``: share of the conversations in which the customer said something (Wilson);
        - ``first_response_seconds``: median of those that were answered in writing (order statistics);
        - ``turns``, ``talk_share``, ``handling_seconds``: means (t);
        - ``span_seconds``: median;
        - ``first_contact_resolution``: of first contacts, the share without a repeat, by
          `crmkit.metrics.first_contact_resolution` with the customers as groups;
        - ``repeat_contact``: of all contacts that the customer began, the share with one;
        - ``satisfaction``: mean of the answers, where `satisfaction_after` added them;
        - ``cost``, ``cost_per_resolved``: by `crmkit.metrics.contact_cost`, where `contact_costs` added them; the
          second over the contacts that the customer began and that were followed for all the days.

    Raises
    ------
    DataError
        If a column is missing, is named twice, or has the name of one of the result's.

    Notes
    -----
    Whose answer to a contact a repeat speaks of is a matter of routing: an agent who gets the difficult ones resolves
    fewer. With many agents some look good or bad by chance; look at the intervals.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import contact_figures, conversations
    >>> table = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"], "conversation_id": ["1", "1", "2"], "direction": ["in", "out", "in"],
    ...     "time": pd.to_datetime(["2024-05-01 09:00", "2024-05-01 09:05", "2024-05-20 09:00"], utc=True)})
    >>> figures = contact_figures(conversations(table)).set_index("figure")
    >>> float(figures.loc["answered", "value"]), float(figures.loc["first_response_seconds", "value"])
    (0.5, 300.0)
    """
    check_days(days)
    check_level(level)
    table = require_conversations(conversations, _NEEDED)
    names = [] if by is None else read_groups(by, _RESULT)
    require_columns(table, names, what="conversations")
    groups: Iterable[tuple[Any, pd.DataFrame]]
    groups = table.groupby(names, dropna=False, observed=True, sort=True) if names else [((), table)]
    rows: list[list[Any]] = []
    for key, group in groups:
        for figure, (count, measure) in _figures(group, days, level).items():
            made = measure() if count else None
            rows.append([*key, figure, *_cells(made)])
    return pd.DataFrame(rows, columns=[*names, *_RESULT])


def _cells(estimate: Estimate | None) -> list[Any]:
    """Write an estimate as cells; nothing where there is none."""
    if estimate is None:
        return [np.nan, np.nan, np.nan, 0, ""]
    return [estimate.value, estimate.low, estimate.high, estimate.n, estimate.method]


def _figures(group: pd.DataFrame, days: float, level: float) -> dict[Hashable, tuple[int, Callable[[], Estimate]]]:
    """Give of each figure on how many conversations it rests and how it is worked out."""
    asked = group["answered"].dropna()
    first, _ = flags_of(group, days)
    own = (group["began"] != "company").fillna(value=True).to_numpy(dtype=bool)
    long_enough = (group["followed_days"] >= days).to_numpy(dtype=bool)
    firsts = group[first.fillna(value=False).to_numpy(dtype=bool) & own]
    contacts = group[own]

    def resolution(rows: pd.DataFrame) -> Estimate:
        return first_contact_resolution(
            rows["repeat_days"], rows["followed_days"], days=days, groups=rows["customer_id"], level=level
        )

    figures: dict[Hashable, tuple[int, Callable[[], Estimate]]] = {
        "answered": (len(asked), lambda: share(int(asked.sum()), len(asked), level=level))
    }
    for name, measure in (
        ("first_response_seconds", median),
        ("turns", mean),
        ("talk_share", mean),
        ("span_seconds", median),
        ("handling_seconds", mean),
        ("satisfaction", mean),
    ):
        if name in group.columns:
            figures[name] = _of_column(group[name], measure, level)
    figures["first_contact_resolution"] = (
        int((firsts["followed_days"] >= days).sum()),
        lambda: resolution(firsts),
    )
    figures["repeat_contact"] = (int((own & long_enough).sum()), lambda: _turned(resolution(contacts)))
    if "cost" in group.columns:
        figures["cost"] = _of_column(group["cost"], contact_cost, level)
        counted = group[own & long_enough & group["cost"].notna().to_numpy(dtype=bool)]
        resolved = ~(counted["repeat_days"] <= days).to_numpy(dtype=bool)
        figures["cost_per_resolved"] = (
            int(resolved.sum()),
            lambda: contact_cost(counted["cost"], resolved, level=level),
        )
    return figures


def _of_column(
    column: pd.Series[Any], measure: Callable[..., Estimate], level: float
) -> tuple[int, Callable[[], Estimate]]:
    """Measure what a column has."""
    known = column.dropna().to_numpy(dtype=np.float64)
    return len(known), lambda: measure(known, level=level)


def _turned(estimate: Estimate) -> Estimate:
    """Give the share of the others."""
    return Estimate(
        1 - estimate,
        n=estimate.n,
        low=1 - estimate.high,
        high=1 - estimate.low,
        level=estimate.level,
        method=estimate.method,
    )
