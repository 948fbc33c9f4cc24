"""Who will complain next, from complaints so far and whatever else is known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.checks import as_frame
from crmkit.prediction.targets._from_features import ask, with_others
from crmkit.preparation import EventColumns

if TYPE_CHECKING:
    from crmkit.prediction.targets._target import Target

__all__ = ["will_complain"]


def will_complain(
    cases: Any,
    cutoffs: Any,
    *,
    windows: Any,
    horizon: int,
    others: Any,
    columns: Any = None,
    customers: Any = None,
    until: Any = None,
    censored: str = "raise",
) -> Target:
    """Ask of every customer whether they will complain within the horizon.

    The rows are all customers with anything in any table before the cutoff, so that those who never complained are
    asked about too; without other tables there would be none. Of the cases only what was known when they were opened is
    used: how many, how lately, by which channel; a closing date, a remedy or an outcome is written into the row later
    and would tell the future.

    Parameters
    ----------
    cases : table
        A row a complaint: a table of cases, or the rows of communications that are complaints. ``customer_id``, and
        ``day`` or ``time`` of opening.
    cutoffs, windows, horizon : object
        As for ``preparation.features``.
    others : mapping of str to table
        What else customers did: ``{"sales": transactions, "calls": communications, "marks": feedback}``.
    columns : mapping of str to EventColumns or None, default=None
        As for ``preparation.features``; the cases are ``cases``.
    customers, until, censored : optional
        As for ``preparation.features``; ``until`` is a day after the last row of any table where nobody says.

    Returns
    -------
    Target
        A classifier's question.

    Raises
    ------
    DataError
        If a column is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.prediction import will_complain
    >>> sales = pd.DataFrame({"customer_id": list("abb"), "day": [1, 20, 70], "amount": 1.0})
    >>> cases = pd.DataFrame({"customer_id": ["b", "b"], "day": [5, 35]})
    >>> will_complain(cases, "1970-01-31", windows=[15], horizon=30, others={"sales": sales}).y.tolist()
    [0, 1]
    """
    there = as_frame(cases, what="cases").columns
    opened = EventColumns(measures=(), distinct=[name for name in ("order_id", "channel") if name in there])
    return ask(
        f"Who will complain within {horizon} days?",
        "classifier",
        lambda given, beside: with_others("cases", given, beside),
        cases,
        cutoffs,
        others=others,
        until=until,
        windows=windows,
        horizon=horizon,
        columns={"cases": opened, **(columns or {})},
        customers=customers,
        censored=censored,
    )
