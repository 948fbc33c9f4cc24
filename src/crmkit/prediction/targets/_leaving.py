"""Who will leave where nobody says goodbye: customers who still bought lately and will buy nothing in the horizon."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.prediction.targets._from_features import ask, with_others

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from crmkit.prediction.targets._target import Target

__all__ = ["will_leave"]


def will_leave(
    transactions: Any,
    cutoffs: Any,
    *,
    windows: Any,
    horizon: int,
    active_within: int | None = None,
    others: Any = None,
    columns: Any = None,
    until: Any = None,
    censored: str = "raise",
) -> Target:
    """Ask of every active customer whether they will buy nothing within the horizon.

    Without a contract nobody says when they leave: what can be seen is a silence as long as the horizon. Some who are
    silent come back later, so the horizon should be longer than most gaps between purchases. Only customers who bought
    within ``active_within`` days before the cutoff are asked about: who has been gone for long cannot leave, and would
    make the question look easy.

    Parameters
    ----------
    transactions : table
        As for ``preparation.features``.
    cutoffs, windows, horizon : object
        As for ``preparation.features``.
    active_within : int or None, default=None
        Days; None for the longest window.
    others : mapping of str to table or None, default=None
        Further tables of events.
    columns : EventColumns, mapping of str to EventColumns, or None
        As for ``preparation.features``; of several tables, the transactions are ``sales``.
    until, censored : optional
        As for ``preparation.features``.

    Returns
    -------
    Target
        A classifier's question; 1 stands for leaving.

    Raises
    ------
    DataError
        If a column is missing, or ``active_within`` is no number of days.

    See Also
    --------
    will_end : Where there is a contract.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.prediction import will_leave
    >>> sales = pd.DataFrame({"customer_id": list("abcab"), "day": [20, 25, 2, 35, 70], "amount": 1.0})
    >>> asked = will_leave(sales, "1970-01-31", windows=[15], horizon=30)
    >>> asked.y.droplevel("cutoff").to_dict()
    {'a': 0, 'b': 1}
    """
    within = max(windows) if active_within is None and not isinstance(windows, int) else active_within or windows
    if isinstance(within, bool) or not isinstance(within, int | np.integer) or within < 1:
        raise DataError(f"active_within must be a whole number of days of at least 1, got {within!r}")

    def active(features: pd.DataFrame) -> npt.NDArray[np.bool_]:
        return np.asarray(features["sales_recency_days"] <= within, dtype=bool)

    return ask(
        f"Who of those active within {within} days will buy nothing within {horizon} days?",
        "classifier",
        lambda given, beside: with_others("sales", given, beside),
        transactions,
        cutoffs,
        others=others,
        until=until,
        keep=active,
        answer=lambda bought: 1 - bought,
        remarks=lambda _: ("silence is taken for leaving: some come back after the horizon",),
        windows=windows,
        horizon=horizon,
        columns=columns if columns is None or isinstance(columns, dict) else {"sales": columns},
        censored=censored,
    )
