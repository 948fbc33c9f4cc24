"""Sales chances in messages, as OPPORTUNITIES rows that somebody should look at."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.text.causes._messages import read_messages, signs_in

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["opportunities"]

_CARRIED = ("channel", "agent", "conversation_id")


def opportunities(
    messages: Any,
    *,
    taxonomy: Any = "sales",
    classifier: Any = None,
    threshold: float = 0.5,
    ignore: Sequence[Any] = (),
    stage: str = "suspected",
    timezone: str = "UTC",
) -> pd.DataFrame:
    """Give the sales chances found in messages as rows of OPPORTUNITIES, for review.

    One row a conversation (a message, where there is none) and kind of chance, at its first sign. Found words are a
    reason to look, not a deal: every row has ``needs_review`` and a stage of its own, so that no forecast takes it for
    more. The company's own messages are left out.

    Parameters
    ----------
    messages : table
        COMMUNICATIONS: ``customer_id``, ``time``, ``text``; carried along where they are: ``channel``, ``agent``,
        ``conversation_id``.
    taxonomy : {"sales"}, path, mapping or table, default="sales"
        As for `taxonomy`; not used with a classifier.
    classifier : text classifier, default=None
        Fitted on texts, with ``predict_proba``; its labels are the kinds.
    threshold : float, default=0.5
        Least probability of a label in a message.
    ignore : sequence of labels, default=()
        Labels that are no chance.
    stage : str, default="suspected"
        What they are called.
    timezone : str, default="UTC"
        Of times without a zone.

    Returns
    -------
    pandas.DataFrame
        In the order of the messages: ``opportunity_id`` (made of conversation or position and kind, so that the same
        messages give the same ids), ``customer_id``, ``time``, ``stage``, ``label`` (the kind), the carried columns,
        ``needs_review`` (True), ``confidence``, ``source``, ``message`` (position in the table), ``start``, ``end``
        (half-open offsets into its text). `crmkit.records.read` takes it as OPPORTUNITIES.

    Raises
    ------
    DataError
        As `needs`.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import opportunities
    >>> messages = pd.DataFrame({
    ...     "customer_id": ["a", "b"], "time": pd.to_datetime(["2024-05-01"] * 2, utc=True),
    ...     "text": ["how much is the larger one?", "我想买两台，有货吗"]})
    >>> opportunities(messages)[["opportunity_id", "stage", "start", "end"]].values.tolist()
    [['#0:price-request', 'suspected', 0, 11], ['#1:buy', 'suspected', 1, 3]]
    """
    frame, position = read_messages(messages, timezone)
    signs = signs_in(frame["text"].tolist(), table=taxonomy, classifier=classifier, threshold=threshold, ignore=ignore)
    row = signs["text_id"].to_numpy(dtype=np.int64)
    place = position[row]
    own = np.array([f"#{number}" for number in place.tolist()], dtype=object)
    if "conversation_id" in frame.columns:
        named = frame["conversation_id"].to_numpy(dtype=object)[row]
        own = np.where(pd.isna(named), own, named)
    kind = signs["name"].astype(str).to_numpy(dtype=object)
    found = pd.DataFrame(
        {
            "opportunity_id": np.array([f"{one}:{what}" for one, what in zip(own, kind, strict=True)], dtype=object),
            "customer_id": frame["customer_id"].to_numpy(dtype=object)[row],
            "time": frame["time"].iloc[row].array,
            "stage": stage,
            "label": kind,
            **{name: frame[name].iloc[row].array for name in _CARRIED if name in frame.columns},
            "needs_review": True,
            "confidence": signs["probability"].to_numpy(dtype=np.float64),
            "source": "phrases" if classifier is None else "classifier",
            "message": place,
            "start": signs["start"].to_numpy(dtype=np.int64),
            "end": signs["end"].to_numpy(dtype=np.int64),
        }
    ).sort_values(["time", "message", "start"], kind="stable")
    grouped = found.groupby("opportunity_id", sort=False)["confidence"]
    count, largest = grouped.transform("size"), grouped.transform("max")
    found["confidence"] = count / (count + 1) if classifier is None else largest
    found = found.drop_duplicates("opportunity_id")
    return found.sort_values(["message", "start"], kind="stable", ignore_index=True)
