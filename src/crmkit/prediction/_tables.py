"""The part of models that take customer tables as they are."""

from __future__ import annotations

from typing import Any

import pandas as pd

from crmkit.core.checks import as_frame
from crmkit.prediction._checking import refuse_words
from crmkit.prediction.columns import TableColumns

__all__ = ["TakesTables", "is_table"]

_MOST_LEVELS = 250


def is_table(X: Any) -> bool:
    """Say whether something is a table with named columns; arrays and sparse matrices are taken as they are."""
    return isinstance(X, pd.DataFrame) or hasattr(X, "columns")


class TakesTables:
    """Stands left of a scikit-learn tree model, whose columns then may be categories, times or missing.

    Each column of the table stays one column: categories as numbers in the order in which the target rises.
    """

    columns_: TableColumns | None

    def _table_columns(self) -> TableColumns:
        """Give what prepares the columns."""
        target = "number" if self._predicts_numbers() else "label"
        return TableColumns("ranked", scale=False, missing="keep", target=target, max_levels=_MOST_LEVELS)

    def _predicts_numbers(self) -> bool:
        """Say whether it is a regressor."""
        kind = getattr(self, "_estimator_type", None) or self.__sklearn_tags__().estimator_type  # type: ignore[attr-defined]  # the model beside this mixin has them
        return bool(kind == "regressor")

    def _learned(self, X: Any, y: Any) -> Any:
        """Decide on the columns of a table and give it prepared; anything else stays."""
        self.columns_ = None
        if self._predicts_numbers():
            refuse_words(y)
        if not is_table(X):
            return X
        frame = as_frame(X, what="X")
        self.columns_ = self._table_columns()
        numbers = self.columns_.fit_transform(frame, y)
        return pd.DataFrame(numbers, columns=frame.columns, index=frame.index)

    def _prepared(self, X: Any) -> Any:
        """Give new rows as the training rows were given."""
        columns = getattr(self, "columns_", None)
        if columns is None:
            return X
        numbers = columns.transform(X)
        if not is_table(X):
            return numbers
        frame = as_frame(X, what="X")
        return pd.DataFrame(numbers, columns=frame.columns, index=frame.index)
