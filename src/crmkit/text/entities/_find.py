"""Puts what a recogniser finds into a table."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, cast

import numpy as np
import pandas as pd

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError
from crmkit.text._texts import read_texts

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.privacy.protocols import EntityRecognizer

__all__ = ["find_entities"]


def find_entities(
    recognizer: EntityRecognizer, texts: Any, *, scores: bool = False, show: bool = False
) -> pd.DataFrame:
    """Find entities in texts, as a table.

    Parameters
    ----------
    recognizer : recogniser
        Anything with ``predict(texts)``.
    texts : list, array or Series of str
        A missing text counts as empty.
    scores : bool, default=False
        Whether to add ``score``, the probability of each entity, from a recogniser with ``score_entities``, such as
        `CRFEntities` with ``algorithm="l-bfgs"``.
    show : bool, default=False
        Whether to add ``text``, what stands there. The table itself may then be personal data.

    Returns
    -------
    pandas.DataFrame
        One row an entity: ``text_id`` (position of the text), ``start``, ``end`` (half-open, in code points of the
        text as it was given), ``label``, and what was asked for.

    Raises
    ------
    DataError
        If scores are asked of a recogniser that has none.

    Examples
    --------
    >>> from crmkit.text import Gazetteer, find_entities
    >>> find_entities(Gazetteer().fit({"branch": ["浦东店"]}), ["你好", "浦东店在哪里"])
       text_id  start  end   label
    0        1      0    3  branch
    """
    require_methods(recognizer, ["predict"], role="a recognizer")
    values = read_texts(texts, what="texts").tolist()
    found = [sorted(entities, key=lambda one: (one[0], -one[1], one[2])) for entities in recognizer.predict(values)]
    rows = [(position, *entity[:3]) for position, entities in enumerate(found) for entity in entities]
    frame = pd.DataFrame(
        {
            "text_id": np.array([row[0] for row in rows], dtype=np.int64),
            "start": np.array([row[1] for row in rows], dtype=np.int64),
            "end": np.array([row[2] for row in rows], dtype=np.int64),
            "label": pd.Series([row[3] for row in rows], dtype=pd.Series(["text"]).dtype),
        }
    )
    if scores:
        ask = getattr(recognizer, "score_entities", None)
        if not callable(ask):
            raise DataError(f"{type(recognizer).__name__} gives no scores: it has no score_entities()")
        given: list[npt.NDArray[np.float64]] = list(cast("Any", ask)(values, found))
        frame["score"] = np.concatenate([*given, np.empty(0)])
    if show:
        frame["text"] = pd.Series([values[row[0]][row[1] : row[2]] for row in rows], dtype=frame["label"].dtype)
    return frame
