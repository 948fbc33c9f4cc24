"""A question about customers as rows, answers and what is not known yet, ready for a model."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.preparation import CustomerFolds, CustomerTimeFolds, TimeFolds

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["Target"]


@dataclass(frozen=True, eq=False, repr=False)
class Target:
    """A question, with the rows that can answer it.

    Parameters
    ----------
    question : str
        What is asked, in words.
    kind : {"classifier", "regressor"}
        Which models answer it; for ``select_model(kind=…)``.
    features : pandas.DataFrame
        All rows, indexed by ``customer_id`` and ``cutoff`` (and ``opportunity_id``): what was known strictly before.
    label : Series or None
        The answers; missing where nobody knows. None for rows that are only to be scored.
    horizon : int
        Days in which the answer falls.
    remarks : tuple of str
        What to bear in mind when reading the answers.
    again : callable
        How ``apply`` asks the same at other cutoffs.
    """

    question: str
    kind: str
    features: pd.DataFrame
    label: pd.Series | None
    horizon: int
    remarks: tuple[str, ...]
    again: Callable[..., Target]

    @property
    def X(self) -> pd.DataFrame:  # noqa: N802 -- X is the field's own name
        """The rows whose answer is known."""
        return self.features.loc[self._answers().notna().to_numpy(dtype=bool)]

    @property
    def y(self) -> pd.Series:
        """The known answers: 0 and 1 of a classifier's question, numbers of a regressor's."""
        known = self._answers().dropna()
        return known.astype(np.int64) if self.kind == "classifier" else known.astype(np.float64)

    @property
    def groups(self) -> pd.Index:
        """Whose row each of ``X`` is."""
        return self.X.index.get_level_values("customer_id")

    @property
    def coverage(self) -> pd.DataFrame:
        """By cutoff: ``rows``, ``known`` and ``unknown`` answers, and the ``mean`` of the known."""
        cutoff = self.features.index.get_level_values("cutoff")
        answers = pd.Series(np.nan, index=cutoff) if self.label is None else self.label.astype(float).set_axis(cutoff)
        by_cutoff = answers.groupby(level=0, sort=True)
        table = pd.DataFrame({"rows": by_cutoff.size(), "known": by_cutoff.count(), "mean": by_cutoff.mean()})
        table.insert(2, "unknown", table["rows"] - table["known"])
        return table

    def _answers(self) -> pd.Series:
        """Give the answers, where they were asked for."""
        if self.label is None:
            raise DataError("this target was made without answers: score its .features")
        return self.label

    def folds(
        self,
        by: str = "time",
        *,
        n_folds: int | None = None,
        gap: int = 0,
        least_cutoffs: int = 1,
        random_state: Any = 0,
    ) -> Any:
        """Give a splitter that lets no answer of training reach into the test.

        Parameters
        ----------
        by : {"time", "customer", "both"}, default="time"
            Test later cutoffs, customers never trained on, or both.
        n_folds : int or None, default=None
            Folds in time (None for all), or parts of customers (None for 5).
        gap : int, default=0
            Days more between training answers and the test.
        least_cutoffs : int, default=1
            Cutoffs a fold must train on; 2 where a search divides the training rows by time again.
        random_state : int, RandomState or None, default=0
            Of dealing customers.

        Returns
        -------
        TimeFolds, CustomerFolds or CustomerTimeFolds
            For ``cv=``.
        """
        if by == "customer":
            return CustomerFolds(n_folds or 5, random_state=random_state)
        if by == "time":
            return TimeFolds(self.horizon, gap=gap, n_folds=n_folds, least_cutoffs=least_cutoffs)
        if by == "both":
            return CustomerTimeFolds(
                self.horizon, gap=gap, n_folds=n_folds, least_cutoffs=least_cutoffs, random_state=random_state
            )
        raise DataError(f"by must be one of 'time', 'customer', 'both', got {by!r}")

    def apply(self, table: Any, cutoffs: Any, *, others: Any = None, labels: bool = True, until: Any = None) -> Target:
        """Ask the same at other cutoffs, with the same columns and everything that was learned left as it is.

        Parameters
        ----------
        table : table
            As the first argument was.
        cutoffs : date, time, text of one, or a sequence of them
            Exclusive.
        others : mapping of str to table or None, default=None
            The other tables, where there were any.
        labels : bool, default=True
            Whether answers are looked for; False for rows to be scored.
        until : date, time, text of one, or None
            Up to when events are complete.

        Returns
        -------
        Target
            With the same columns.

        Raises
        ------
        DataError
            If a table is missing, or answers are not known yet.
        """
        return self.again(table, cutoffs, others=others, labels=labels, until=until)

    def __repr__(self) -> str:
        lines = [f"{self.question} ({self.kind}): {len(self.features):,} rows, {self.features.shape[1]} features"]
        if self.label is not None:
            known = self.label.notna()
            mean = f", mean {float(self.label[known].astype(float).mean()):.4g}" if known.any() else ""
            lines.append(f"  {int(known.sum()):,} answers known{mean}, {int((~known).sum()):,} unknown")
        return "\n".join([*lines, *(f"  {remark}" for remark in self.remarks)])

    def _repr_html_(self) -> str:
        """Show what is known at which cutoff."""
        shown = self.coverage.reset_index()
        return html.table(list(shown.columns), shown.astype(object).to_numpy().tolist(), caption=repr(self))
