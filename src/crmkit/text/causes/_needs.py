"""What each customer needs, with the places in the messages that say so."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.text.causes._messages import read_messages, signs_in

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["needs"]

_COLUMNS = ["customer_id", "need", "messages", "first", "last", "confidence", "source", "evidence"]


def needs(
    messages: Any,
    *,
    taxonomy: Any = "causes",
    classifier: Any = None,
    threshold: float = 0.5,
    ignore: Sequence[Any] = (),
    timezone: str = "UTC",
) -> pd.DataFrame:
    """Give a row a customer and need, with the evidence in the customer's own messages.

    Without a classifier the phrases of a taxonomy are looked for: on the first day, and for what is rare. A phrase
    after a negation ("no delay", 没有破损) does not count. With a classifier each message has the labels whose
    probability reaches ``threshold``. Phrases find what is said in those words and nothing else; look at the evidence.
    The company's own messages are left out. 100,000 short messages take some five seconds with phrases.

    Parameters
    ----------
    messages : table
        COMMUNICATIONS: ``customer_id``, ``time``, ``text``, and where there is one ``direction``.
    taxonomy : {"causes"}, path, mapping or table, default="causes"
        As for `taxonomy`; not used with a classifier.
    classifier : text classifier, default=None
        Fitted on texts, with ``predict_proba`` that can be believed: calibrate it.
    threshold : float, default=0.5
        Least probability of a label in a message.
    ignore : sequence of labels, default=()
        Labels of the classifier that are no need, such as ``["other", "praise"]``.
    timezone : str, default="UTC"
        Of times without a zone.

    Returns
    -------
    pandas.DataFrame
        Sorted by customer and need: ``customer_id``, ``need``, ``messages`` (how many), ``first``, ``last`` (UTC),
        ``confidence``, ``source`` (``"classifier"`` or ``"phrases"``), ``evidence`` (a list of ``(message, start,
        end)``: position in the table, half-open offsets into its text). By a classifier ``confidence`` is the largest
        probability among the messages, and the evidence of a message the word that weighs most for the label, where
        the classifier can say, else the whole text. By phrases it is k / (k + 1) for k different mentions: it orders,
        and is no probability.

    Raises
    ------
    DataError
        If a column, a customer or a time is missing, or the taxonomy is none.
    TypeError
        If the classifier gives no probabilities.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import needs
    >>> messages = pd.DataFrame({
    ...     "customer_id": ["a", "a", "b"], "time": pd.to_datetime(["2024-05-01"] * 3, utc=True),
    ...     "text": ["my parcel has not arrived", "客服态度恶劣", "no delay, thank you"]})
    >>> needs(messages)[["customer_id", "need", "evidence"]].values.tolist()
    [['a', 'attitude', [(1, 2, 6)]], ['a', 'delivery', [(0, 10, 25)]]]
    """
    frame, position = read_messages(messages, timezone)
    signs = signs_in(frame["text"].tolist(), table=taxonomy, classifier=classifier, threshold=threshold, ignore=ignore)
    if not len(signs):
        return pd.DataFrame({name: pd.Series(dtype=object) for name in _COLUMNS})
    row = signs["text_id"].to_numpy(dtype=np.int64)
    place = position[row]
    spans: Any = list(zip(place.tolist(), signs["start"].tolist(), signs["end"].tolist(), strict=True))
    signs = signs.assign(
        customer_id=frame["customer_id"].to_numpy(dtype=object)[row],
        time=frame["time"].iloc[row].array,
        message=place,
        evidence=spans,
    ).sort_values(["message", "start"], kind="stable")
    grouped = signs.groupby(["customer_id", "name"], sort=True)
    result = grouped.agg(
        messages=("message", "nunique"),
        first=("time", "min"),
        last=("time", "max"),
        confidence=("probability", "max"),
        mentions=("message", "size"),
        evidence=("evidence", list),
    ).reset_index()
    if classifier is None:
        result["confidence"] = result["mentions"] / (result["mentions"] + 1)
    result["source"] = "phrases" if classifier is None else "classifier"
    return result.rename(columns={"name": "need"})[_COLUMNS]
