"""What sets each segment apart as one long table, strongest first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.segmentation.explaining._figures import STATISTICS
from crmkit.segmentation.explaining._traits import LANGUAGES, PLAIN

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["trait_frame"]


def trait_frame(state: Mapping[str, Any], names: Mapping[int, str]) -> pd.DataFrame:
    """Put what sets segments apart into one row a segment and column.

    Parameters
    ----------
    state : mapping
        What was kept of the segments.
    names : mapping of int to str
        Name of each segment.

    Returns
    -------
    pandas.DataFrame
        ``segment``, ``column``, ``trait`` (the word for it; empty where the effect is small), ``n``, ``figure`` (the
        median; the share of a column of 0 and 1) and ``everybody`` (the same of all), then lift, robust z, effect and
        standardized difference with their intervals. Segments as in the profile, in each the largest effect first.
    """
    statistics, shares, columns = state["statistics"], set(state["shares"]), list(state["columns"])
    words = LANGUAGES[state["language"]]
    effects = statistics["effect"]
    places = [
        (row, column)
        for row in range(len(effects))
        for column in np.argsort(-np.abs(np.nan_to_num(effects[row])), kind="stable")
    ]
    rows, at = (np.array([place[side] for place in places], dtype=np.intp) for side in (0, 1))
    told = [
        words.trait(columns[column], effects[row, column], graded=True, share=columns[column] in shares)
        if abs(effects[row, column]) >= PLAIN
        else ""
        for row, column in places
    ]
    table: dict[str, Any] = {
        "segment": [names[state["row_ids"][row]] for row in rows],
        "column": [columns[column] for column in at],
        "trait": told,
    }
    table |= {
        "n": statistics["n"][rows, at].astype(np.int64),
        "figure": state["middle"][rows, at],
        "everybody": np.asarray(state["middle_everybody"])[at],
    }
    order = (f"{name}{end}" for name in ("lift", "robust_z", "effect", "smd") for end in ("", "_low", "_high"))
    table |= {name: statistics[name][rows, at] for name in order if name in STATISTICS}
    return pd.DataFrame(table)
