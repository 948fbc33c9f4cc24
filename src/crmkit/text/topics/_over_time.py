"""How many messages each topic has in each period."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import require_methods
from crmkit.metrics import wilson
from crmkit.text._texts import read_texts
from crmkit.text.topics._base import strongest
from crmkit.text.topics._periods import read_periods

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["count_topics", "names_of_topics", "topics_over_time"]

NO_TOPIC = "(no topic)"


def topics_over_time(
    model: Any, texts: Any, time: Any, by: str = "month", *, timezone: str | None = None, level: float = 0.95
) -> pd.DataFrame:
    """Count topics by period.

    Each text counts for its strongest topic. Periods between the first and the last without any text are there, with
    no share. Whether something is new is a question for `new_topics`, not for the eye: of twenty topics over twelve
    months many intervals do not meet by chance. Costs one ``transform``.

    Parameters
    ----------
    model : fitted topic model
        Whose topics.
    texts : list, array or Series of str, shape (n_texts,)
        The messages.
    time : array-like of datetimes, dates, ISO texts or whole days since 1970, shape (n_texts,)
        When each was sent; those without one are left out with a warning.
    by : {"day", "week", "month", "quarter", "year"}, default="month"
        How long a period is.
    timezone : str or None, default=None
        Whose calendar, for times with a zone; None for their own, which is UTC in tables of `records.read`.
    level : float, default=0.95
        Coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        One row a period and topic: ``period`` (its first day), ``topic`` (-1 for texts without one), ``label``,
        ``n_texts``, ``of`` (all of the period), ``share`` and its Wilson interval ``low``, ``high``.

    Raises
    ------
    DataError
        If no text has a time, or a time cannot be read.

    Examples
    --------
    >>> from crmkit import text
    >>> texts = ["refund order", "refund money", "late parcel", "parcel lost"]
    >>> model = text.NMFTopics(2, random_state=0).fit(texts)
    >>> table = text.topics_over_time(model, texts, ["2026-01-05", "2026-01-09", "2026-02-01", "2026-02-03"])
    >>> table[table["n_texts"] > 0][["label", "n_texts", "of"]].values.tolist()
    [['refund / money / order', 2, 2], ['parcel / late / lost', 2, 2]]
    """
    require_methods(model, ["transform", "topics"], role="a topic model")
    values = read_texts(texts, what="texts")
    place, start = read_periods(time, len(values), by=by, timezone=timezone)
    kept = place >= 0
    counts = count_topics(model, values[kept], place[kept], len(start))
    total = counts.sum(axis=1)
    n_topics = counts.shape[1] - 1
    low, high = wilson(counts, total[:, None], level=level)
    with np.errstate(invalid="ignore"):
        share = counts / total[:, None]
    labels = [*names_of_topics(model, n_topics), NO_TOPIC]
    return pd.DataFrame(
        {
            "period": np.repeat(start.to_numpy(), n_topics + 1),
            "topic": np.tile([*range(n_topics), -1], len(start)),
            "label": np.tile(np.array(labels, dtype=object), len(start)),
            "n_texts": counts.ravel(),
            "of": np.repeat(total, n_topics + 1),
            "share": share.ravel(),
            "low": low.ravel(),
            "high": high.ravel(),
        }
    )


def count_topics(
    model: Any, texts: npt.NDArray[np.object_], place: npt.NDArray[np.int64], n_periods: int
) -> npt.NDArray[np.int64]:
    """Count the strongest topics by period; the last column is for texts without a topic."""
    weights = np.asarray(model.transform(texts), dtype=np.float64)
    n_topics = weights.shape[1]
    topic = strongest(weights)
    column = np.where(topic < 0, n_topics, topic)
    flat = np.bincount(place * (n_topics + 1) + column, minlength=n_periods * (n_topics + 1))
    return flat.reshape(n_periods, n_topics + 1)


def names_of_topics(model: Any, n_topics: int) -> list[str]:
    """Give the labels of topics, or their numbers where a model has none."""
    table = model.topics(3)
    if "label" in table and len(table) == n_topics:
        return [str(label) for label in table["label"]]
    return [f"topic {topic}" for topic in range(n_topics)]
