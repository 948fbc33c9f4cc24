"""Trees and forests that take customer tables as they are."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.ensemble import RandomForestClassifier, RandomForestRegressor
from sklearn.tree import DecisionTreeClassifier, DecisionTreeRegressor

from crmkit.prediction._tables import TakesTables

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ForestClassifier", "ForestRegressor", "TreeClassifier", "TreeRegressor"]


class _Tree(TakesTables):
    """What trees and forests share."""

    def fit(self, X: Any, y: Any, sample_weight: Any = None, **options: Any) -> Self:
        """Learn from rows.

        Parameters
        ----------
        X : table or array-like, shape (n_rows, n_features)
            A customer table as it is, or numbers; both may have missing values.
        y : array-like, shape (n_rows,)
            Labels or numbers.
        sample_weight : array-like of float, shape (n_rows,), default=None
            How much each row counts.
        **options : object
            Passed on.

        Returns
        -------
        self
            The fitted model.
        """
        super().fit(self._learned(X, y), y, sample_weight, **options)  # type: ignore[misc]  # of the class to the right
        return self

    def apply(self, X: Any, **options: Any) -> npt.NDArray[np.int64]:
        """Give the leaf of each row.

        Parameters
        ----------
        X : table or array-like, shape (n_rows, n_features)
            The columns of ``fit``.
        **options : object
            Passed on.

        Returns
        -------
        ndarray of int, shape (n_rows,) or (n_rows, n_trees)
            Numbers of leaves.
        """
        return np.asarray(super().apply(self._prepared(X), **options))  # type: ignore[misc]  # as above

    def decision_path(self, X: Any, **options: Any) -> Any:
        """Give the nodes each row passes.

        Parameters
        ----------
        X : table or array-like, shape (n_rows, n_features)
            The columns of ``fit``.
        **options : object
            Passed on.

        Returns
        -------
        sparse matrix, or a pair of it and where each tree begins
            1 where a row passes a node.
        """
        return super().decision_path(self._prepared(X), **options)  # type: ignore[misc]  # as above


class _Classifier(_Tree):
    """What those for labels share."""

    def predict_proba(self, X: Any, **options: Any) -> npt.NDArray[np.float64]:
        """Give the probability of each label.

        Parameters
        ----------
        X : table or array-like, shape (n_rows, n_features)
            The columns of ``fit``.
        **options : object
            Passed on.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes)
            Rows sum to 1.
        """
        probabilities: npt.NDArray[np.float64] = super().predict_proba(self._prepared(X), **options)  # type: ignore[misc]  # as above
        return probabilities


# scikit-learn's trees take check_input in place; here it is passed on by name.
class TreeClassifier(_Classifier, DecisionTreeClassifier):  # pyright: ignore[reportIncompatibleMethodOverride]
    """One decision tree for labels, on customer tables as they are.

    scikit-learn's ``DecisionTreeClassifier``, with its parameters and attributes, that also takes tables with
    categories, times and missing values (see ``TableColumns``, form "ranked"): each column stays one column, so that
    ``feature_importances_`` are those of the table's own columns. Readable, and weaker than a forest. Costs
    rows x columns x log rows.

    Attributes
    ----------
    columns_ : TableColumns or None
        What became of the table's columns; None where it learned from an array.

    References
    ----------
    Breiman, L., Friedman, J., Olshen, R., & Stone, C. (1984). Classification and Regression Trees.
    doi:10.1201/9781315139470

    Examples
    --------
    >>> import pandas as pd
    >>> import crmkit
    >>> table = pd.DataFrame({"plan": ["a", "b"] * 30, "age": [30, None, 50] * 20})
    >>> crmkit.create("classifier", "tree").fit(table, table["plan"] == "b").predict(table.head(2)).tolist()
    [False, True]
    """

    def predict(  # pyright: ignore[reportIncompatibleMethodOverride]
        self, X: Any, **options: Any
    ) -> npt.NDArray[Any]:
        """Give the most likely label of each row.

        Parameters
        ----------
        X : table or array-like, shape (n_rows, n_features)
            The columns of ``fit``.
        **options : object
            Passed on.

        Returns
        -------
        ndarray, shape (n_rows,)
            Labels.
        """
        return np.asarray(super().predict(self._prepared(X), **options))


class ForestClassifier(_Classifier, RandomForestClassifier):
    """A random forest for labels, on customer tables as they are.

    scikit-learn's ``RandomForestClassifier``, with its parameters and attributes, that also takes tables with
    categories, times and missing values (see ``TableColumns``, form "ranked"): each column stays one column. Hard to
    get wrong, seldom the best; costs rows x columns x trees, and much memory with leaves of few rows.

    Attributes
    ----------
    columns_ : TableColumns or None
        What became of the table's columns; None where it learned from an array.

    References
    ----------
    Breiman, L. (2001). Random forests. Machine Learning 45, 5-32. doi:10.1023/A:1010933404324

    Examples
    --------
    >>> import pandas as pd
    >>> import crmkit
    >>> table = pd.DataFrame({"plan": ["a", "b"] * 30, "age": [30, None, 50] * 20})
    >>> model = crmkit.create("classifier", "forest", n_estimators=10, random_state=0)
    >>> model.fit(table, table["plan"] == "b").predict(table.head(2)).tolist()
    [False, True]
    """


class _Regressor(_Tree):
    """What those for numbers share."""

    def predict(self, X: Any, **options: Any) -> npt.NDArray[np.float64]:
        """Give the expected number of each row.

        Parameters
        ----------
        X : table or array-like, shape (n_rows, n_features)
            The columns of ``fit``.
        **options : object
            Passed on.

        Returns
        -------
        ndarray of float, shape (n_rows,)
            In the unit of y.
        """
        return np.asarray(super().predict(self._prepared(X), **options), dtype=np.float64)  # type: ignore[misc]  # as above


# scikit-learn's trees take check_input in place; here it is passed on by name.
class TreeRegressor(_Regressor, DecisionTreeRegressor):  # pyright: ignore[reportIncompatibleMethodOverride]
    """One regression tree, on customer tables as they are.

    As ``TreeClassifier``, for numbers: scikit-learn's ``DecisionTreeRegressor`` that also takes tables.

    Attributes
    ----------
    columns_ : TableColumns or None
        What became of the table's columns; None where it learned from an array.

    Examples
    --------
    >>> import pandas as pd
    >>> import crmkit
    >>> table = pd.DataFrame({"plan": ["a", "b"] * 30})
    >>> crmkit.create("regressor", "tree").fit(table, [1.0, 3.0] * 30).predict(table.head(2)).tolist()
    [1.0, 3.0]
    """


class ForestRegressor(_Regressor, RandomForestRegressor):
    """A random forest for numbers, on customer tables as they are.

    As ``ForestClassifier``, for numbers: scikit-learn's ``RandomForestRegressor`` that also takes tables.

    Attributes
    ----------
    columns_ : TableColumns or None
        What became of the table's columns; None where it learned from an array.

    Examples
    --------
    >>> import pandas as pd
    >>> import crmkit
    >>> table = pd.DataFrame({"plan": ["a", "b"] * 30})
    >>> model = crmkit.create("regressor", "forest", n_estimators=10, random_state=0).fit(table, [1.0, 3.0] * 30)
    >>> model.predict(table.head(2)).round(1).tolist()
    [1.0, 3.0]
    """
