"""Turns the columns beside a text (channel, time, type) into features that any classifier can take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, TransformerMixin
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import positions, require_columns
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

__all__ = ["ColumnFeatures"]

_BINS = 5


class ColumnFeatures(TransformerMixin, BaseEstimator):
    """Columns of a table as zeros and ones.

    A category becomes one column for each of its values, the most frequent first; a number becomes five columns, one
    for each fifth of the training rows (equal values stay together); a time becomes its hour and its weekday, in the
    zone it is given in. A missing value has a column of its own; a value that was not in training has none. Zeros and
    ones stand well beside TF-IDF, suit naive Bayes, and no outlier can outweigh the text.

    Parameters
    ----------
    columns : sequence of str
        Which columns.
    max_categories : int, default=100
        How many values of a column get a column of their own.

    Raises
    ------
    DataError
        If a column is not there, or a number is infinite.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import ColumnFeatures
    >>> table = pd.DataFrame({"channel": ["phone", "chat", "phone"]})
    >>> beside = ColumnFeatures(["channel"]).fit(table)
    >>> beside.get_feature_names_out().tolist()
    ['channel=phone', 'channel=chat', 'channel missing']
    """

    def __init__(self, columns: Sequence[str], *, max_categories: int = 100) -> None:
        self.columns = columns
        self.max_categories = max_categories

    def fit(self, X: pd.DataFrame, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's signature
        """Learn the categories and the cuts.

        Parameters
        ----------
        X : pandas.DataFrame
            The training rows.
        y : ignored
            For scikit-learn's sake.

        Returns
        -------
        ColumnFeatures
            Itself.
        """
        import pandas as pd

        require_columns(X, list(self.columns), what="X", hint="name others with columns=")
        self.kinds_: list[str] = []
        self.values_: list[list[Any]] = []
        for name in self.columns:
            column = X[name]
            if pd.api.types.is_datetime64_any_dtype(column):
                self.kinds_.append("time")
                self.values_.append([*(f"{hour:02d}h" for hour in range(24)), *(f"weekday {day}" for day in range(7))])
            elif pd.api.types.is_numeric_dtype(column) and not pd.api.types.is_bool_dtype(column):
                numbers = _numbers(column, name)
                known = numbers[~np.isnan(numbers)]
                cuts = np.unique(np.quantile(known, np.arange(1, _BINS) / _BINS)) if len(known) else np.empty(0)
                self.kinds_.append("number")
                self.values_.append(cuts.tolist())
            else:
                counts = column.dropna().astype(str).value_counts(sort=False)
                # Ties are settled by the name, so that the order of the rows decides nothing.
                ranked = sorted(zip((-counts).tolist(), counts.index.tolist(), strict=True))
                self.kinds_.append("category")
                self.values_.append([value for _, value in ranked[: self.max_categories]])
        return self

    def transform(self, X: pd.DataFrame) -> sparse.csr_matrix:
        """Give the zeros and ones.

        Parameters
        ----------
        X : pandas.DataFrame
            Rows with the same columns.

        Returns
        -------
        scipy.sparse.csr_matrix, shape (n_rows, n_features)
            The features.
        """
        check_is_fitted(self)
        require_columns(X, list(self.columns), what="X", hint="these columns were there when it was fitted")
        blocks: list[Any] = []
        for name, kind, values in zip(self.columns, self.kinds_, self.values_, strict=True):
            if kind == "time":
                blocks += _time_blocks(X[name], name)
            else:
                places = _bins(X[name], name, values) if kind == "number" else _categories(X[name], values)
                blocks.append(_ones(places, len(self._names(kind, values))))
        features: sparse.csr_matrix = sparse.csr_matrix(sparse.hstack(blocks, format="csr"))
        return features

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:  # noqa: ARG002 -- scikit-learn's signature
        """Give the names of the features.

        Parameters
        ----------
        input_features : ignored
            For scikit-learn's sake.

        Returns
        -------
        ndarray of object, shape (n_features,)
            Such as ``"channel=phone"``.
        """
        check_is_fitted(self)
        names = []
        for column, kind, values in zip(self.columns, self.kinds_, self.values_, strict=True):
            names += [f"{column}{ending}" for ending in self._names(kind, values)]
        return np.array(names, dtype=object)

    @staticmethod
    def _names(kind: str, values: Sequence[Any]) -> list[str]:
        """Give the endings of one column's feature names."""
        if kind == "time":
            return [*(f" {value}" for value in values), " missing"]
        if kind == "number":
            edges = [f"{value:g}" for value in values]
            ranges = [f" <= {high}" for high in edges] + [f" > {edges[-1]}" if edges else " present"]
            return [*ranges, " missing"]
        return [*(f"={value}" for value in values), " missing"]


def _ones(places: npt.NDArray[np.int64], width: int) -> sparse.csr_matrix:
    """Put a one where each row's place is; -1 puts none."""
    rows = np.flatnonzero(places >= 0)
    return sparse.csr_matrix((np.ones(len(rows)), (rows, places[rows])), shape=(len(places), width))


def _numbers(column: pd.Series[Any], name: str) -> npt.NDArray[np.float64]:
    """Give a column as floats, refusing what is infinite or no number."""
    import pandas as pd

    try:
        numbers = pd.to_numeric(column).to_numpy(dtype=np.float64, na_value=np.nan)
    except (ValueError, TypeError):
        raise DataError(f"X[{name!r}] had numbers when it was fitted and now has something else") from None
    if np.isinf(numbers).any():
        raise DataError(f"X[{name!r}] is infinite in {positions(np.isinf(numbers))}")
    return numbers


def _bins(column: pd.Series[Any], name: str, cuts: Sequence[float]) -> npt.NDArray[np.int64]:
    """Give each number's bin; the last place is for missing ones."""
    numbers = _numbers(column, name)
    return np.where(np.isnan(numbers), len(cuts) + 1, np.searchsorted(cuts, numbers, side="left"))


def _categories(column: pd.Series[Any], values: Sequence[str]) -> npt.NDArray[np.int64]:
    """Give each value's place, -1 for an unseen one; the last place is for missing ones."""
    known = {value: place for place, value in enumerate(values)}
    missing = column.isna().to_numpy(dtype=bool)
    texts = column.astype(str).tolist()
    places = np.fromiter((known.get(text, -1) for text in texts), dtype=np.int64, count=len(texts))
    places[missing] = len(values)
    return places


def _time_blocks(column: pd.Series[Any], name: str) -> list[sparse.csr_matrix]:
    """Give hour, weekday and missing."""
    import pandas as pd

    if not pd.api.types.is_datetime64_any_dtype(column):
        raise DataError(f"X[{name!r}] had times when it was fitted and now has something else")
    hour = column.dt.hour.fillna(-1).to_numpy(dtype=np.int64)
    weekday = column.dt.day_of_week.fillna(-1).to_numpy(dtype=np.int64)
    missing = np.where(column.isna().to_numpy(dtype=bool), 0, -1)
    return [_ones(hour, 24), _ones(weekday, 7), _ones(missing, 1)]
