"""Reads messages of customers and gives what each speaks of, by phrases or by a classifier, with its evidence."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, as_texts, positions, require_columns, require_methods
from crmkit.core.errors import DataError
from crmkit.text.causes._taxonomy import find_mentions, taxonomy
from crmkit.text.classifying._explain import explain
from crmkit.text.contacts._reading import as_instants
from crmkit.text.features._text_features import TextFeatures
from crmkit.text.summaries._roles import role_of_direction

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["read_messages", "signs_in"]


def read_messages(messages: Any, timezone: str) -> tuple[pd.DataFrame, npt.NDArray[np.int64]]:
    """Give the messages that customers wrote, and their positions in the table.

    Parameters
    ----------
    messages : table
        COMMUNICATIONS: ``customer_id``, ``time``, ``text``; with a ``direction``, the company's own are left out.
    timezone : str
        Of times without a zone.

    Returns
    -------
    frame : pandas.DataFrame
        The rows, with ``time`` in UTC.
    position : ndarray of int64
        Where each stands in the table.

    Raises
    ------
    DataError
        If a column, a customer or a time is missing.
    """
    frame = as_frame(messages, what="messages")
    require_columns(frame, ["customer_id", "time", "text"], what="messages", hint="read it with records.read")
    missing = frame["customer_id"].isna().to_numpy(dtype=bool)
    if missing.any():
        raise DataError(f"messages: customer_id is missing in {positions(missing)}")
    instants = as_instants(frame["time"], timezone, "messages: time")
    frame = frame.assign(
        time=pd.DatetimeIndex(instants.view("datetime64[us]")).tz_localize("UTC"),
        text=as_texts(frame["text"], what="messages['text']"),
    )
    own = np.ones(len(frame), dtype=bool)
    if "direction" in frame.columns:
        own = frame["direction"].map(role_of_direction).to_numpy(dtype=object) != "agent"
    return frame[own], np.flatnonzero(own)


def signs_in(
    texts: Sequence[str], *, table: Any, classifier: Any, threshold: float, ignore: Sequence[Any]
) -> pd.DataFrame:
    """Give what each text speaks of: ``text_id``, ``name``, ``start``, ``end``, ``probability`` (missing for phrases).

    Parameters
    ----------
    texts : sequence of str
        The texts.
    table : taxonomy
        Used where there is no classifier.
    classifier : classifier or None
        Fitted, with ``predict_proba``.
    threshold : float
        Least probability.
    ignore : sequence
        Labels that are no need.

    Returns
    -------
    pandas.DataFrame
        A row a mention (phrases), or a row a text and label (classifier).
    """
    if classifier is None:
        return find_mentions(texts, taxonomy(table)).assign(probability=np.nan)
    require_methods(classifier, ["predict_proba"], role="a classifier of needs (calibrate it for probabilities)")
    if isinstance(threshold, bool | str) or not 0 < threshold <= 1:
        raise DataError(f"threshold must lie above 0 and not above 1, got {threshold!r}")
    written = [place for place, text in enumerate(texts) if text.strip()]
    said = [texts[place] for place in written]
    labels = np.asarray(classifier.classes_)
    chances = np.asarray(classifier.predict_proba(said), dtype=np.float64) if said else np.empty((0, len(labels)))
    row, column = np.nonzero(chances >= threshold)
    kept = ~np.isin(labels[column], np.asarray(list(ignore))) if len(ignore) else np.ones(len(row), dtype=bool)
    row, column = row[kept], column[kept]
    start, end = _evidence(classifier, [said[place] for place in row.tolist()], labels[column])
    return pd.DataFrame(
        {
            "text_id": np.array(written, dtype=np.int64)[row],
            "name": labels[column],
            "start": start,
            "end": end,
            "probability": chances[row, column],
        }
    )


def _evidence(
    classifier: Any, said: list[str], labels: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]]:
    """Give the word that weighs most for the label, or the whole text where the classifier cannot say."""
    start, end = np.zeros(len(said), dtype=np.int64), np.array([len(text) for text in said], dtype=np.int64)
    explains = callable(getattr(classifier, "linear_weights", None))
    if said and explains and isinstance(getattr(classifier, "features_", None), TextFeatures):
        weights = explain(classifier, said, labels=labels)
        weights = weights[(weights["end"] > weights["start"]) & (weights["weight"] > 0)]
        best = weights.sort_values("weight", kind="stable").drop_duplicates("text_id", keep="last")
        place = best["text_id"].to_numpy(dtype=np.int64)
        start[place], end[place] = best["start"].to_numpy(), best["end"].to_numpy()
    return start, end
