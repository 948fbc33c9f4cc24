"""The common part of models that need columns of one scale: they standardise inside, from their training rows."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy.sparse import issparse
from sklearn.base import BaseEstimator, ClassifierMixin, RegressorMixin, _fit_context
from sklearn.preprocessing import StandardScaler
from sklearn.utils.multiclass import check_classification_targets
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ScaledClassifier", "ScaledRegressor"]


class _Scaled(BaseEstimator, ABC):
    """Holds a scaler and a model, both fitted on the same rows."""

    scaler_: Any
    model_: Any

    @abstractmethod
    def _model(self) -> Any:
        """Give the model to fit on scaled columns."""

    def _scale(self, X: Any) -> Any:
        """Bring new rows to the scale of the training rows."""
        check_is_fitted(self)
        return self.scaler_.transform(validate_data(self, X, accept_sparse="csr", dtype=np.float64, reset=False))

    def _fit_scaled(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Fit the scaler, then the model; a sparse table is not centred, which would fill it."""
        weights = {} if sample_weight is None else {"sample_weight": sample_weight}
        self.scaler_ = StandardScaler(with_mean=not issparse(X)).fit(X, **weights)
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
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64)
        check_classification_targets(y)
        self._fit_scaled(X, y, sample_weight)
        self.classes_ = np.unique(y)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn from labelled rows.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_rows, n_features)
            Finite numbers.
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
        X : array-like or sparse matrix, shape (n_rows, n_features)
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
        X, y = validate_data(self, X, y, accept_sparse="csr", dtype=np.float64, y_numeric=True)
        self._fit_scaled(X, y, sample_weight)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn from rows with known numbers.

        Parameters
        ----------
        X : array-like or sparse matrix, shape (n_rows, n_features)
            Finite numbers.
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
        X : array-like or sparse matrix, shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray of float, shape (n_rows,)
            In the unit of y.
        """
        scaled = self._scale(X)
        return np.asarray(self.model_.predict(scaled), dtype=np.float64)
