"""The common part of models that need columns of one scale: they prepare and standardise inside, from training rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import as_frame
from crmkit.prediction._checking import check_X_y, refuse_words, validate_data
from crmkit.prediction._tables import is_table
from crmkit.prediction.columns import TableColumns

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ScaledClassifier", "ScaledRegressor"]


class _Scaled(BaseEstimator, ABC):
    """Holds what prepares the columns of a table, a scaler and a model, all fitted on the same rows."""

    columns_: TableColumns | None
    scaler_: Any
    model_: Any
    n_features_in_: int

    @abstractmethod
    def _model(self) -> Any:
        """Give the model to fit on scaled columns."""

    def _centred(self) -> bool:
        """Say whether the columns may be centred."""
        return True

    def _scale(self, X: Any) -> Any:
        """Bring new rows to the scale of the training rows."""
        check_is_fitted(self)
        if self.columns_ is not None:
            return self.scaler_.transform(self.columns_.transform(X))
        return self.scaler_.transform(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False))

    def _checked(self, X: Any, y: Any, *, y_numeric: bool) -> tuple[Any, Any]:
        """Give the training rows as numbers, and the target; the columns of a table are prepared."""
        self.columns_ = None
        if not is_table(X):
            checked: tuple[Any, Any] = validate_data(
                self, X, y, accept_sparse="csr", dtype=np.float64, y_numeric=y_numeric
            )
            return checked
        frame = as_frame(X, what="X")
        validate_data(self, frame, skip_check_array=True)
        columns = TableColumns(scale=False).fit(frame)
        numbers, target = check_X_y(columns.transform(frame), y, dtype=np.float64, y_numeric=y_numeric)
        self.columns_ = columns
        return numbers, target

    @property
    def column_names_(self) -> npt.NDArray[np.object_]:
        """Name the columns the model sees: the table's own, or those made of its categories and missing values."""
        check_is_fitted(self)
        if self.columns_ is not None:
            return self.columns_.get_feature_names_out()
        own = [f"x{place}" for place in range(self.n_features_in_)]
        return np.asarray(getattr(self, "feature_names_in_", own), dtype=object)

    def _fit_scaled(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fit the scaler, then the model; a sparse table is not centred, which would fill it."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.scaler_ = StandardScaler(with_mean=self._centred() and not issparse(X)).fit(X, **weights)
        self.model_ = self._model().fit(self.scaler_.transform(X), y, **weights)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.sparse = True
        return tags


class ScaledClassifier(ClassifierMixin, _Scaled):
    """A classifier on standardised columns."""

    classes_: npt.NDArray[Any]

    def _fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Check the table and the labels, then fit."""
        X, y = self._checked(X, y, y_numeric=False)
        check_classification_targets(y)
        self._fit_scaled(X, y, sample_weight)
        self.classes_ = np.unique(y)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn from labelled rows.

        Parameters
        ----------
        X : table, array-like or sparse matrix, shape (n_rows, n_features)
            A customer table as it is (see ``TableColumns``), or finite numbers.
        y : array-like, shape (n_rows,)
            Labels, at least two different ones.

        Returns
        -------
        self
            The fitted model.
        """
        return self._fit(X, y)

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Give the most likely label of each row.

        Parameters
        ----------
        X : table, array-like or sparse matrix, shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray, shape (n_rows,)
            Labels.
        """
        scaled = self._scale(X)
        return np.asarray(self.model_.predict(scaled))


class ScaledRegressor(RegressorMixin, _Scaled):
    """A regressor on standardised columns."""

    def _fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Check the table and the target, then fit."""
        refuse_words(y)
        X, y = self._checked(X, y, y_numeric=True)
        self._fit_scaled(X, y, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn from rows with known numbers.

        Parameters
        ----------
        X : table, array-like or sparse matrix, shape (n_rows, n_features)
            A customer table as it is (see ``TableColumns``), or finite numbers.
        y : array-like of float, shape (n_rows,)
            What is to be predicted.

        Returns
        -------
        self
            The fitted model.
        """
        return self._fit(X, y)

    def predict(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the expected number of each row.

        Parameters
        ----------
        X : table, array-like or sparse matrix, shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray of float, shape (n_rows,)
            In the unit of y.
        """
        scaled = self._scale(X)
        return np.asarray(self.model_.predict(scaled), dtype=np.float64)
