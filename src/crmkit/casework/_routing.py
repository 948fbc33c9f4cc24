"""Sends new cases to the queue that a table names for their class and urgency, or to a person where it is not sure."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from crmkit.casework._ids import as_optional_texts
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError

__all__ = ["Routing"]


class Routing:
    """A table that says which queue a case goes to, by class, urgency and how sure the class is.

    The first row whose ``label`` is the case's (or ``"*"``) and whose ``min_urgency`` the case reaches decides. Where
    the classifier was less sure of the label than the row asks for, or did not say how sure it was, a person decides.
    A case without a label, such as one made by a rule and no classifier, is matched by ``"*"`` only and needs no
    confidence.

    Parameters
    ----------
    table : table or path to CSV
        ``label``, ``queue``, and where rows differ in it ``min_urgency`` and ``min_confidence``; empty cells are no
        limit of urgency, and ``confidence``.
    confidence : float, default=0.8
        The least confidence of rows that do not name their own.
    person : str, default="review"
        The queue in which a person decides; also of cases that no row is for.

    Attributes
    ----------
    table : pandas.DataFrame
        The rows, complete.

    Raises
    ------
    DataError
        If a label or queue is missing, a confidence is not between 0 and 1, or a row can never decide because one above
        it takes all its cases.

    Examples
    --------
    >>> from crmkit.casework import Routing
    >>> routing = Routing({"label": ["billing", "*"], "queue": ["accounts", "service"]})
    >>> cases = {"label": ["billing", "billing", "delay"], "confidence": [0.95, 0.5, 0.9], "urgency": [0, 0, 0]}
    >>> routing.route(cases)["queue"].tolist()
    ['accounts', 'review', 'service']
    """

    def __init__(self, table: Any, *, confidence: float = 0.8, person: str = "review") -> None:
        frame = as_frame(table, what="routing")
        require_columns(frame, ["label", "queue"], what="routing")
        if not isinstance(person, str) or not person.strip():
            raise DataError("person must be the name of a queue")
        if not isinstance(confidence, int | float):
            raise DataError(f"confidence must be a number between 0 and 1, got {type(confidence).__name__}")
        names = {name: as_optional_texts(frame[name], f"routing: {name}") for name in ("label", "queue")}
        for name, texts in names.items():
            missing = [text is None for text in texts]
            if any(missing):
                raise DataError(f"routing: {name} is missing in {positions(missing)}")
        self.person = person
        self.table = pd.DataFrame(
            {
                "label": np.array(names["label"], dtype=object),
                "min_urgency": _numbers(frame, "min_urgency", -np.inf),
                "min_confidence": _numbers(frame, "min_confidence", confidence),
                "queue": np.array(names["queue"], dtype=object),
            }
        )
        least = self.table["min_confidence"].to_numpy()
        wrong = ~((least >= 0) & (least <= 1))
        if wrong.any():
            raise DataError(f"routing: min_confidence must lie between 0 and 1; it does not in {positions(wrong)}")
        idle = [place for place in range(len(self.table)) if self._covered(place)]
        if idle:
            rows = ", ".join(map(str, idle))
            raise DataError(f"routing: a row above takes all cases of row {rows}: put the narrower row first")

    def _covered(self, place: int) -> bool:
        """Say whether a row above takes all that this one would."""
        above, row = self.table.iloc[:place], self.table.iloc[place]
        return bool((above["label"].isin(["*", row["label"]]) & (above["min_urgency"] <= row["min_urgency"])).any())

    def route(self, cases: Any) -> pd.DataFrame:
        """Say where each case goes, and why.

        Parameters
        ----------
        cases : table
            With ``label``; ``confidence`` and ``urgency`` where there are such. A missing urgency is 0.

        Returns
        -------
        pandas.DataFrame
            With the index of ``cases``: ``queue``, ``row`` of the table that decided (-1 where none did), ``person``
            (whether a person decides) and ``reason``.

        Raises
        ------
        DataError
            If there is no ``label``, or a confidence is not between 0 and 1.
        """
        frame = as_frame(cases, what="cases")
        require_columns(frame, ["label"], what="cases")
        label = np.array([*as_optional_texts(frame["label"], "cases: label"), None], dtype=object)[:-1]
        missing = np.array([text is None for text in label], dtype=bool)
        urgency = _numbers(frame, "urgency", 0.0)
        sure = _numbers(frame, "confidence", np.nan)
        wrong = (sure < 0) | (sure > 1)
        if wrong.any():
            raise DataError(f"cases: confidence must lie between 0 and 1; it does not in {positions(wrong)}")
        row = np.full(len(frame), -1, dtype=np.intp)
        for place, (name, least) in enumerate(zip(self.table["label"], self.table["min_urgency"], strict=True)):
            fits = np.full(len(frame), name == "*") | (label == name)
            row[(row < 0) & fits & (urgency >= least)] = place
        limit = np.append(self.table["min_confidence"].to_numpy(), 0.0)[row]
        # A confidence that is not known is below every limit but 0.
        unsure = ~missing & (row >= 0) & (np.where(np.isnan(sure), -1.0 + (limit == 0), sure) < limit)
        person = unsure | (row < 0)
        queue = np.append(self.table["queue"].to_numpy(dtype=object), self.person)[np.where(person, -1, row)]
        reason = np.where(
            row < 0, "no row of the table is for it", np.where(unsure, "the class is not sure", "")
        ).astype(object)
        return pd.DataFrame({"queue": queue, "row": row, "person": person, "reason": reason}, index=frame.index)

    def __repr__(self) -> str:
        return f"Routing({len(self.table)} rows; a person decides in {self.person!r})"


def _numbers(frame: pd.DataFrame, name: str, default: float) -> Any:
    """Give a column of numbers with a default for what is missing."""
    if name not in frame.columns:
        return np.full(len(frame), default)
    numbers = pd.to_numeric(frame[name], errors="coerce").astype(np.float64).to_numpy()
    wrong = np.isnan(numbers) & frame[name].notna().to_numpy(dtype=bool)
    if wrong.any():
        raise DataError(f"column {name!r} must hold numbers; it does not in {positions(wrong)}")
    return np.where(np.isnan(numbers), default, numbers)
