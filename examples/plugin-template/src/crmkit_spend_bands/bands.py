"""Bands of equal size along one column."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.base import BaseEstimator, ClusterMixin
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SpendBands"]


class SpendBands(ClusterMixin, BaseEstimator):
    """Cut one column into bands that hold about the same number of customers each.

    The cuts are quantiles of the rows it is fitted on and stay there: new customers are placed by the same cuts. Equal
    values always share a band, so heavily tied columns give fewer bands than asked for. Cost: one sort of the column.

    Parameters
    ----------
    n_bands : int, default=3
        How many bands. Changes the result.
    column : int, default=0
        Which column to cut, counted from 0; in a table with fewer columns, the last one. Changes the result.

    Attributes
    ----------
    cuts_ : ndarray of shape (at most n_bands - 1,)
        Upper ends of all bands but the last, in the column's unit.
    labels_ : ndarray of shape (n_customers,)
        Band of each customer, 0 for the lowest.

    Examples
    --------
    >>> from crmkit_spend_bands.bands import SpendBands
    >>> SpendBands(n_bands=2).fit_predict([[1.0], [2.0], [30.0], [40.0]]).tolist()
    [0, 0, 1, 1]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "n_bands": [Interval(Integral, 1, None, closed="left")],
        "column": [Interval(Integral, 0, None, closed="left")],
    }

    def __init__(self, n_bands: int = 3, column: int = 0) -> None:
        self.n_bands = n_bands
        self.column = column

    def fit(self, X: Any, y: Any = None) -> SpendBands:  # noqa: ARG002 -- scikit-learn's signature
        """Find the cuts.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The table.
        y : None
            Ignored.

        Returns
        -------
        SpendBands
            Itself.
        """
        self._validate_params()
        X = validate_data(self, X, dtype=np.float64)
        shares = np.arange(1, self.n_bands) / self.n_bands
        self.cuts_ = np.unique(np.quantile(self._values(X), shares, method="inverted_cdf"))
        self.labels_ = self._place(X)
        return self

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Place customers by the cuts found in ``fit``.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The table.

        Returns
        -------
        ndarray of shape (n_customers,)
            Band of each customer.
        """
        check_is_fitted(self)
        return self._place(validate_data(self, X, dtype=np.float64, reset=False))

    def _values(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the column that is cut."""
        return X[:, min(self.column, X.shape[1] - 1)]

    def _place(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        """Count the cuts below each value."""
        return np.searchsorted(self.cuts_, self._values(X), side="left")
