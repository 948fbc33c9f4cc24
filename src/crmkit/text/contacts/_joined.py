"""Joins to conversations what customers answered afterwards, what they cost, and how many there are for each order."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.text.contacts._reading import DAY, as_instants
from crmkit.text.contacts._repeats import check_days, require_conversations

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["contact_costs", "contacts_per", "satisfaction_after"]


def satisfaction_after(
    conversations: pd.DataFrame,
    feedback: Any,
    *,
    days: float = 7,
    column: str = "score",
    question: str | None = None,
    timezone: str = "UTC",
) -> pd.DataFrame:
    """Join to each conversation what its customer answered afterwards.

    An answer belongs to the customer's last conversation that had ended by then, if that was at most ``days`` before;
    of several answers to one conversation the first counts. No answer counts twice. Where the feedback names the
    conversation (``conversation_id``) that is believed instead. Those who answer are not everyone: look at how many.

    Parameters
    ----------
    conversations : pandas.DataFrame
        From `conversations`.
    feedback : table
        FEEDBACK: ``customer_id``, ``time`` and the column of marks, or ``conversation_id`` and the marks. Answers
        without a mark or (where needed) a time are left out.
    days : float, default=7
        Days of 24 hours after the end of a conversation.
    column : str, default="score"
        Which marks.
    question : str, default=None
        Which question, where the feedback has several in ``question``.
    timezone : str, default="UTC"
        Of times without a zone.

    Returns
    -------
    pandas.DataFrame
        The conversations with ``satisfaction`` and ``satisfaction_days`` (from the end of the conversation to the
        answer; missing where the feedback has no time), missing where there was no answer.

    Raises
    ------
    DataError
        If a column is missing, the feedback mixes questions, or a mark is no number (by position).

    Warns
    -----
    DataWarning
        If there are answers, and none names a customer or conversation of the table.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import conversations, satisfaction_after
    >>> calls = pd.DataFrame({"customer_id": ["a", "b"], "conversation_id": ["1", "2"],
    ...                       "time": pd.to_datetime(["2024-05-01", "2024-05-02"], utc=True)})
    >>> marks = pd.DataFrame({"customer_id": ["a"], "score": [4.0], "time": pd.to_datetime(["2024-05-03"], utc=True)})
    >>> satisfaction_after(conversations(calls), marks)["satisfaction"].tolist()
    [4.0, nan]
    """
    table = require_conversations(conversations, ["customer_id", "end"])
    check_days(days)
    answers = _answers(feedback, column, question)
    if "conversation_id" in answers.columns:
        rows = table.index.get_indexer(pd.Index(answers["conversation_id"].to_numpy(dtype=object)))
        _tell_strangers(rows >= 0, "feedback", "conversation_id")
        answers = answers.assign(row=rows)[rows >= 0]
        when = _times(answers, timezone)
    else:
        require_columns(answers, ["customer_id", "time"], what="feedback")
        answers = answers[answers["time"].notna()]
        when = _times(answers, timezone)
        own = answers["customer_id"].isin(table["customer_id"])
        _tell_strangers(own.to_numpy(dtype=bool), "feedback", "customer_id")
        rows = _last_before(table, answers["customer_id"], when, days)
        answers, when = answers.assign(row=rows)[rows >= 0], when[rows >= 0]
    order = np.lexsort((np.arange(len(when)), when))
    chosen = answers.iloc[order].assign(when=when[order]).drop_duplicates("row")
    satisfaction, waited = np.full(len(table), np.nan), np.full(len(table), np.nan)
    place = chosen["row"].to_numpy(dtype=np.int64)
    satisfaction[place] = chosen["mark"].to_numpy(dtype=np.float64)
    end = as_instants(table["end"], "UTC", "conversations: end")
    known = chosen["when"].to_numpy(dtype=np.int64)
    waited[place] = np.where(known == _NO_TIME, np.nan, (known - end[place]) / DAY)
    return table.assign(satisfaction=satisfaction, satisfaction_days=waited)


def _tell_strangers(known: npt.NDArray[np.bool_], what: str, key: str) -> None:
    """Warn where nothing can be joined, as where ids are numbers on one side and text on the other."""
    if len(known) and not known.any():
        warnings.warn(
            f"{what}: {key} agrees with none of the conversations; ids must be written alike, as records.read does",
            DataWarning,
            stacklevel=3,
        )


_NO_TIME = np.iinfo(np.int64).max
"""Stands for an answer without a time; such answers come last."""


def _answers(feedback: Any, column: str, question: str | None) -> pd.DataFrame:
    """Give the marks of one question."""
    frame = as_frame(feedback, what="feedback")
    require_columns(frame, [column], what="feedback", hint="name the marks with column=")
    if question is not None:
        require_columns(frame, ["question"], what="feedback")
        frame = frame[(frame["question"] == question).to_numpy(dtype=bool)]
    elif "question" in frame.columns and len(frame["question"].dropna().unique()) > 1:
        raise DataError("feedback has several questions: name one with question=")
    mark = pd.to_numeric(frame[column], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
    wrong = (np.isnan(mark) & frame[column].notna().to_numpy(dtype=bool)) | np.isinf(mark)
    if wrong.any():
        raise DataError(f"feedback: {column} is no number in {positions(wrong)}")
    marked: pd.DataFrame = frame.assign(mark=mark)[~np.isnan(mark)]
    return marked


def _times(answers: pd.DataFrame, timezone: str) -> npt.NDArray[np.int64]:
    """Give the instants of answers, the latest of all where there is none."""
    when = np.full(len(answers), _NO_TIME)
    if "time" in answers.columns:
        known = answers["time"].notna().to_numpy(dtype=bool)
        when[known] = as_instants(answers.loc[known, "time"], timezone, "feedback: time") if known.any() else 0
    return when


def _last_before(
    table: pd.DataFrame, customers: pd.Series[Any], when: npt.NDArray[np.int64], days: float
) -> npt.NDArray[np.int64]:
    """Give the place of each customer's last conversation that had ended by an instant, -1 where too long ago."""
    codes, named = pd.factorize(table["customer_id"])
    who = pd.Index(named).get_indexer(pd.Index(customers.to_numpy(dtype=object)))
    end = as_instants(table["end"], "UTC", "conversations: end")
    order = np.lexsort((end, codes))
    # One number a customer and rank of the instant: the last such number at or below an answer's is its conversation.
    instants = np.unique(np.concatenate([end, when]))
    width = len(instants) + 1
    keys = codes[order].astype(np.int64) * width + np.searchsorted(instants, end[order])
    found = np.searchsorted(keys, who * width + np.searchsorted(instants, when), side="right") - 1
    inside = np.maximum(found, 0)
    row = order[inside] if len(order) else inside
    fits = (found >= 0) & (who >= 0)
    fits &= codes[row] == who
    fits &= (when - end[row]) <= days * DAY
    return np.where(fits, row, -1)


def contact_costs(conversations: pd.DataFrame, costs: Any) -> pd.DataFrame:
    """Give each conversation its cost, from the price of a contact and of a minute on its channel.

    Parameters
    ----------
    conversations : pandas.DataFrame
        From `conversations`.
    costs : table or mapping of str to float
        ``channel`` with ``per_contact`` or ``per_minute`` (of handling time) or both, in one currency; a mapping is
        from channel to cost of a contact.

    Returns
    -------
    pandas.DataFrame
        The conversations with ``cost``; missing where the channel is missing, or a minute has a price and the
        handling time is not known.

    Raises
    ------
    DataError
        If a channel has no price or two, or a price is missing or negative.

    See Also
    --------
    contact_figures : The cost of a contact and of a resolved one, with intervals.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import contact_costs, conversations
    >>> calls = pd.DataFrame({"customer_id": ["a", "b"], "channel": ["call", "chat"], "duration": [120.0, None],
    ...                       "time": pd.to_datetime(["2024-05-01", "2024-05-02"], utc=True)})
    >>> prices = {"channel": ["call", "chat"], "per_contact": [1.0, 0.5], "per_minute": [0.8, 0.0]}
    >>> contact_costs(conversations(calls), prices)["cost"].tolist()
    [2.6, 0.5]
    """
    table = require_conversations(conversations, ["channel", "handling_seconds"])
    prices = _prices(costs)
    channel = table["channel"]
    place = pd.Index(prices["channel"]).get_indexer(pd.Index(channel.to_numpy(dtype=object)))
    known = channel.notna().to_numpy(dtype=bool)
    unpriced = sorted({str(name) for name in channel[(place < 0) & known]})
    if unpriced:
        raise DataError(f"costs has no price for the channels {', '.join(map(repr, unpriced))}")
    # A missing channel has the place -1, and no price.
    each, minute = (np.append(prices[name], np.nan)[place] for name in ("per_contact", "per_minute"))
    spent = table["handling_seconds"].to_numpy(dtype=np.float64) / 60
    cost = each + np.where(minute > 0, minute * spent, 0.0)
    return table.assign(cost=cost)


def _prices(costs: Any) -> pd.DataFrame:
    """Read the prices, one row a channel."""
    if isinstance(costs, dict) and not {"per_contact", "per_minute"} & set(costs):
        costs = {"channel": list(costs), "per_contact": list(costs.values())}
    frame = as_frame(costs, what="costs")
    require_columns(frame, ["channel"], what="costs")
    if not {"per_contact", "per_minute"} & set(frame.columns):
        raise DataError("costs needs per_contact or per_minute (or both)")
    if frame["channel"].duplicated().any():
        raise DataError("costs has more than one row for a channel")
    prices = pd.DataFrame({"channel": frame["channel"].to_numpy(dtype=object)})
    for name in ("per_contact", "per_minute"):
        column = frame[name] if name in frame.columns else pd.Series(np.zeros(len(frame)))
        values = pd.to_numeric(column, errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = ~np.isfinite(values) | (values < 0)
        if wrong.any():
            raise DataError(f"costs: {name} must be a price of at least 0; it is not in {positions(wrong)}")
        prices[name] = values
    return prices


def contacts_per(conversations: pd.DataFrame, among: Any, *, key: str = "customer_id") -> pd.Series[Any]:
    """Count the contacts of each customer or order, those without any included.

    Parameters
    ----------
    conversations : pandas.DataFrame
        From `conversations`.
    among : array-like, table or index
        The ids that could have had contacts, each once or more: all customers, or the orders of the same time. A table
        has them as a column or index named ``key``.
    key : str, default="customer_id"
        ``"customer_id"``, ``"order_id"`` or another column of the conversations.

    Returns
    -------
    pandas.Series of int64
        ``contacts`` by id, in the order of ``among``; hand it to `crmkit.metrics.mean` for the contact rate with its
        interval. Contacts of others, and those without an id, are not in it.

    Raises
    ------
    DataError
        If there is no such column, or an id is missing.

    Warns
    -----
    DataWarning
        If there are contacts, and none has an id, or none is of anyone in ``among``.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import contacts_per, conversations
    >>> calls = pd.DataFrame({"customer_id": ["a", "a"], "time": pd.to_datetime(["2024-05-01"] * 2, utc=True)})
    >>> contacts_per(conversations(calls), ["a", "b"]).to_dict()
    {'a': 2, 'b': 0}
    """
    table = require_conversations(conversations, [key])
    ids = _ids(among, key)
    missing = np.asarray(pd.isna(ids), dtype=bool)
    if missing.any():
        raise DataError(f"among: {key} is missing in {positions(missing)}")
    named = pd.Index(ids, name=key).unique()
    place = named.get_indexer(pd.Index(table[key].to_numpy(dtype=object)))
    given = table[key].notna().to_numpy(dtype=bool)
    if len(table) and not given.any():
        message = f"no conversation names its {key}, so that every count is 0: did the communications have the column?"
        warnings.warn(message, DataWarning, stacklevel=2)
    _tell_strangers(place[given] >= 0, "among", key)
    return pd.Series(np.bincount(place[place >= 0], minlength=len(named)), index=named, name="contacts")


def _ids(among: Any, key: str) -> npt.NDArray[Any]:
    """Take the ids out of whatever holds them."""
    if isinstance(among, pd.DataFrame) and among.index.name == key and key not in among.columns:
        return among.index.to_numpy(dtype=object)
    if hasattr(among, "columns") or isinstance(among, dict):
        frame = as_frame(among, what="among")
        require_columns(frame, [key], what="among")
        return frame[key].to_numpy(dtype=object)
    listed: Any = among
    return np.asarray(pd.Series(listed, dtype=object).to_numpy(dtype=object))
