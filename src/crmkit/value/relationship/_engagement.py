"""How much each customer is in touch of their own accord, recent contacts counting more."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError
from crmkit.preparation import as_cutoff, calendar_days, time_split
from crmkit.preparation._customer_columns import INBOUND
from crmkit.preparation._events import customer_codes
from crmkit.value.relationship._weights import is_weight

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["engagement"]


def engagement(
    events: Any,
    *,
    cutoff: Any = None,
    half_life_days: float = 30.0,
    kind: str | None = None,
    kind_weights: Mapping[str, float] | None = None,
    inbound_only: bool = True,
) -> pd.DataFrame:
    """Count each customer's contacts, a contact of ``half_life_days`` ago counting a half.

    It knows nothing of other customers: a customer's number changes only with what they do and with time. The cost is
    one pass over the rows and one sort of the conversations.

    Parameters
    ----------
    events : table
        One row a thing a customer did, or a contact: ``customer_id``, ``day`` or ``time``; tables read as
        ``records.EVENTS`` or ``records.COMMUNICATIONS`` are such. Where there is a ``conversation_id``, the rows of one
        conversation of a customer on one day are one contact, and count as the one that counts most.
    cutoff : date, time, text of one, or None
        Exclusive; None for the day after the last row.
    half_life_days : float, default=30.0
        Days after which a contact counts half as much.
    kind : str or None, default=None
        The column that says what kind of contact it was; None for ``event``, then ``channel``, where there are such.
    kind_weights : mapping of str to float, or None
        What a contact of each kind counts; kinds that are not named do not count. None: all count 1.
    inbound_only : bool, default=True
        Where there is a ``direction``, contacts that the customer did not begin do not count: being written to is no
        engagement. Rows of an unknown direction do not count either.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``, sorted, a row for everyone with a row before the cutoff: ``engagement`` (the
        weighted count), ``contacts`` (those that count, unweighted), ``contact_days`` (from the last of these to the
        cutoff; 1 for the day before; missing where none counts).

    Raises
    ------
    DataError
        If a column is missing or holds what cannot be used, or a number is out of range.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import engagement
    >>> visits = pd.DataFrame({"customer_id": ["a", "a", "b"], "day": [29, 59, 29]})
    >>> engagement(visits, cutoff=60).reset_index()
      customer_id  engagement  contacts  contact_days
    0           a         1.5         2           1.0
    1           b         0.5         1          31.0
    """
    if not is_weight(half_life_days) or half_life_days == 0:
        raise DataError(f"half_life_days must be a finite number above 0, got {half_life_days!r}")
    frame = as_frame(events, what="events")
    require_columns(frame, ["customer_id"], what="events")
    day = calendar_days(frame, what="events")
    if cutoff is None:
        end = int(day.max()) + 1 if len(day) else 0
    else:
        limit = as_cutoff(cutoff)
        frame = time_split(frame, limit).before
        day = calendar_days(frame, what="events")
        # An instant of one time zone may lie in the next day of another.
        end = max(limit.day, int(day.max(initial=limit.day - 1)) + 1)
    codes, ids = customer_codes(frame, what="events")
    weight = _weights(frame, kind, kind_weights)
    if inbound_only and "direction" in frame.columns:
        weight = weight * frame["direction"].astype(str).str.lower().isin(INBOUND).to_numpy(dtype=bool)
    counted = np.flatnonzero(weight > 0)
    who, day, weight = codes[counted], day[counted], weight[counted]
    if "conversation_id" in frame.columns:
        alone = _once_each(who, day, weight, frame["conversation_id"].iloc[counted])
        who, day, weight = who[alone], day[alone], weight[alone]
    # A contact on the last day before the cutoff counts in full.
    faded = weight * 2.0 ** (-(end - 1 - day) / half_life_days)
    last = np.full(len(ids), -np.inf)
    np.maximum.at(last, who, day.astype(np.float64))
    return pd.DataFrame(
        {
            "engagement": np.bincount(who, faded, minlength=len(ids)).astype(np.float64),
            "contacts": np.bincount(who, minlength=len(ids)),
            "contact_days": np.where(np.isfinite(last), end - last, np.nan),
        },
        index=ids,
    )


def _weights(frame: pd.DataFrame, kind: str | None, kind_weights: Mapping[str, float] | None) -> Floats:
    """Give what each row counts by its kind."""
    if kind is not None:
        require_columns(frame, [kind], what="events")
    if kind_weights is None:
        return np.ones(len(frame))
    if not isinstance(kind_weights, Mapping):
        raise DataError(f"kind_weights must map kinds to numbers, got {type(kind_weights).__name__}")
    wrong = [str(name) for name, number in kind_weights.items() if not is_weight(number)]
    if wrong:
        raise DataError(f"kind_weights must be finite numbers of at least 0; {', '.join(wrong)} is not")
    column = kind or next((name for name in ("event", "channel") if name in frame.columns), None)
    if column is None:
        raise DataError(
            "kind_weights need a column of kinds: events has neither 'event' nor 'channel'; name it by kind="
        )
    kinds, unique = pd.factorize(frame[column])
    values = np.array([float(kind_weights.get(one, 0.0)) for one in unique] + [0.0])
    return np.asarray(values[kinds])


def _once_each(
    who: npt.NDArray[np.intp], day: npt.NDArray[np.int64], weight: Floats, conversation: pd.Series
) -> npt.NDArray[np.intp]:
    """Give the row that counts most of each conversation of a customer on a day; rows without one are their own."""
    code, unique = pd.factorize(conversation)
    code = np.where(code < 0, len(unique) + np.arange(len(code)), code)
    order = np.lexsort((-weight, day, code, who))
    same = np.zeros(len(order), dtype=bool)
    same[1:] = (np.diff(who[order]) == 0) & (np.diff(code[order]) == 0) & (np.diff(day[order]) == 0)
    return np.sort(order[~same])
