"""What mark a customer will give next, from the marks so far and whatever else is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.prediction.targets._from_features import ask, with_others
from crmkit.preparation import calendar_days

if TYPE_CHECKING:
    from crmkit.prediction.targets._target import Target
    from crmkit.preparation import FeatureTable

__all__ = ["next_mark"]


def next_mark(
    feedback: Any,
    cutoffs: Any,
    *,
    windows: Any,
    horizon: int,
    others: Any = None,
    columns: Any = None,
    customers: Any = None,
    until: Any = None,
    censored: str = "raise",
) -> Target:
    """Ask of every customer what the first mark will be that they give within the horizon.

    Known only of those who answer, and who answers is not drawn by lot: the very pleased and the very annoyed answer
    more often. A model learns the marks of such people; of the others nobody knows, and their answer is missing, not
    average. How many answered stands in the remarks.

    Parameters
    ----------
    feedback : table
        ``customer_id``, ``score``, and ``day`` or ``time``.
    cutoffs, windows, horizon : object
        As for ``preparation.features``.
    others : mapping of str to table or None, default=None
        Further tables of events, such as ``{"sales": transactions, "calls": communications}``.
    columns : mapping of str to EventColumns or None, default=None
        As for ``preparation.features``; the feedback is ``marks``.
    customers, until, censored : optional
        As for ``preparation.features``; ``until`` is a day after the last row of any table where nobody says.

    Returns
    -------
    Target
        A regressor's question.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.prediction import next_mark
    >>> marks = pd.DataFrame({"customer_id": list("abab"), "day": [1, 20, 35, 99], "score": [5.0, 2.0, 4.0, 1.0]})
    >>> next_mark(marks, "1970-01-31", windows=[15], horizon=30).y.droplevel("cutoff").to_dict()
    {'a': 4.0}
    """
    frame = as_frame(feedback, what="feedback")
    require_columns(frame, ["customer_id", "score"], what="feedback")

    def first_mark(after: dict[str, pd.DataFrame], customers: pd.Index) -> pd.Series:
        rows = after["marks"].dropna(subset=["score"])
        when = rows["time"] if "time" in rows.columns else pd.Series(calendar_days(rows, what="feedback"), rows.index)
        ordered = rows.loc[when.sort_values(kind="stable").index] if len(rows) else rows
        return ordered.groupby("customer_id")["score"].first().reindex(customers)

    return ask(
        f"What mark will be given next, within {horizon} days?",
        "regressor",
        lambda given, beside: with_others("marks", given, beside),
        feedback,
        cutoffs,
        others=others,
        until=until,
        remarks=_answered,
        label=first_mark,
        windows=windows,
        horizon=horizon,
        columns=columns,
        customers=customers,
        censored=censored,
    )


def _answered(table: FeatureTable) -> tuple[str, ...]:
    """Say how many answered."""
    if table.label is None or not len(table.label):
        return ()
    share = table.label.notna().mean()
    return (f"{share:.1%} of the rows have a mark: the model learns those who answer",)
