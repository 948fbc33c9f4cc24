"""Linear models that standardise their columns inside: logistic regression, ridge regression and least squares."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.linear_model import LinearRegression, LogisticRegression, Ridge
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.prediction._scaled import ScaledClassifier, ScaledRegressor

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ScaledLinear", "ScaledLogistic", "ScaledRidge"]


class ScaledLogistic(ScaledClassifier):
    """Logistic regression on standardised columns.

    Without one scale the penalty would fall on columns by their unit: income in cents would be free and income in
    millions forbidden, and the solver would not converge. Columns are brought to mean 0 and deviation 1 from the
    training rows, so that it is safe inside cross-validation. The first model to try for churn or purchase: quick
    (linear in rows and columns), hard to beat on a few thousand rows, and its probabilities are about right. It assumes
    that the log-odds are a sum over columns: no interactions, no bends, unless columns hold them.

    Parameters
    ----------
    C : float, default=1.0
        Inverse strength of the penalty; smaller is simpler.
    class_weight : dict, "balanced" or None, default=None
        Weights of labels. "balanced" finds rare labels more often and makes the probabilities wrong.
    max_iter : int, default=1000
        Steps of the solver at most.
    tol : float, default=1e-4
        When the solver stops.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        Labels in ascending order.
    columns_ : TableColumns or None
        What became of a table's columns; None where it learned from an array.
    column_names_ : ndarray of str
        Names of the columns the model sees.
    scaler_ : StandardScaler
        Fitted on the training rows.
    model_ : LogisticRegression
        Fitted on the scaled rows; its ``coef_`` compare columns with each other.
    coef_, intercept_ : ndarray
        The same in the columns' original units, in the order of ``column_names_``.
    n_iter_ : ndarray of int
        Steps the solver took.
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    Examples
    --------
    >>> import crmkit
    >>> model = crmkit.create("classifier", "logistic").fit([[0.0], [1e6], [2e6], [3e6]], ["stay", "stay", "go", "go"])
    >>> model.predict([[1e5]]).tolist()
    ['stay']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "max_iter": LogisticRegression._parameter_constraints["max_iter"],  # noqa: SLF001 -- scikit-learn's own form of legal values
        "tol": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(self, C: float = 1.0, *, class_weight: Any = None, max_iter: int = 1000, tol: float = 1e-4) -> None:
        self.C = C
        self.class_weight = class_weight
        self.max_iter = max_iter
        self.tol = tol

    def _model(self) -> Any:
        """Give the model to fit on scaled columns."""
        return LogisticRegression(C=self.C, class_weight=self.class_weight, max_iter=self.max_iter, tol=self.tol)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from labelled rows.

        Parameters
        ----------
        X : table, array-like or sparse matrix, shape (n_rows, n_features)
            A customer table as it is (see ``TableColumns``), or finite numbers.
        y : array-like, shape (n_rows,)
            Labels, at least two different ones.
        sample_weight : array-like of float, shape (n_rows,), default=None
            How much each row counts.

        Returns
        -------
        self
            The fitted model.
        """
        return self._fit(X, y, sample_weight)

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the log-odds of each row.

        Parameters
        ----------
        X : table, array-like or sparse matrix, shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray of float, shape (n_rows,) or (n_rows, n_classes)
            Of the second label, or of each where there are more than two.
        """
        scaled = self._scale(X)
        return np.asarray(self.model_.decision_function(scaled))

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability of each label.

        Parameters
        ----------
        X : table, array-like or sparse matrix, shape (n_rows, n_features)
            The columns of ``fit``.

        Returns
        -------
        ndarray of float, shape (n_rows, n_classes)
            Rows sum to 1.
        """
        scaled = self._scale(X)
        return np.asarray(self.model_.predict_proba(scaled))

    @property
    def n_iter_(self) -> npt.NDArray[np.int32]:
        """Steps the solver took."""
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.n_iter_)

    @property
    def coef_(self) -> npt.NDArray[np.float64]:
        """Log-odds for one unit of each column."""
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.coef_ / self.scaler_.scale_)

    @property
    def intercept_(self) -> npt.NDArray[np.float64]:
        """Log-odds where every column is 0."""
        check_is_fitted(self, "model_")
        shift = 0.0 if self.scaler_.mean_ is None or not self.scaler_.with_mean else self.coef_ @ self.scaler_.mean_
        return np.asarray(self.model_.intercept_ - shift)


class ScaledRidge(ScaledRegressor):
    """Ridge regression on standardised columns.

    Least squares with a penalty on large coefficients, which steadies it where columns say nearly the same. Columns
    are brought to mean 0 and deviation 1 from the training rows, so that the penalty does not depend on their units.
    It assumes that the expected number is a sum over columns, and follows outliers of y.

    Parameters
    ----------
    alpha : float, default=1.0
        Strength of the penalty, on columns of deviation 1; 0 is plain least squares.

    Attributes
    ----------
    columns_ : TableColumns or None
        What became of a table's columns; None where it learned from an array.
    column_names_ : ndarray of str
        Names of the columns the model sees.
    scaler_ : StandardScaler
        Fitted on the training rows.
    model_ : Ridge
        Fitted on the scaled rows; its ``coef_`` compare columns with each other.
    coef_, intercept_ : ndarray, float
        The same in the columns' original units, in the order of ``column_names_``.
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    Examples
    --------
    >>> import crmkit
    >>> model = crmkit.create("regressor", "ridge", alpha=1e-9).fit([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
    >>> model.predict([[4.0]]).round(3).tolist()
    [8.0]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"alpha": [Interval(Real, 0, None, closed="left")]}

    def __init__(self, alpha: float = 1.0) -> None:
        self.alpha = alpha

    def _model(self) -> Any:
        """Give the model to fit on scaled columns."""
        return Ridge(alpha=self.alpha)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from rows with known numbers.

        Parameters
        ----------
        X : table, array-like or sparse matrix, shape (n_rows, n_features)
            A customer table as it is (see ``TableColumns``), or finite numbers.
        y : array-like of float, shape (n_rows,)
            What is to be predicted.
        sample_weight : array-like of float, shape (n_rows,), default=None
            How much each row counts.

        Returns
        -------
        self
            The fitted model.
        """
        return self._fit(X, y, sample_weight)

    @property
    def coef_(self) -> npt.NDArray[np.float64]:
        """Change of y for one unit of each column."""
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.coef_ / self.scaler_.scale_)

    @property
    def intercept_(self) -> float:
        """Value of y where every column is 0."""
        check_is_fitted(self, "model_")
        shift = 0.0 if not self.scaler_.with_mean else float(self.coef_ @ self.scaler_.mean_)
        return float(self.model_.intercept_) - shift


class ScaledLinear(ScaledRegressor):
    """Least squares on standardised columns.

    The scale changes nothing of what is predicted; it steadies the solution where units differ by many orders, and the
    columns of a table are prepared as for the other models. Where columns say the same (as the levels of a category
    do), the smallest coefficients are taken. It assumes that the expected number is a sum over columns, and follows
    outliers of y.

    Parameters
    ----------
    fit_intercept : bool, default=True
        Whether the sum has a constant part; where not, columns are not centred either.
    positive : bool, default=False
        Whether no coefficient may be negative.

    Attributes
    ----------
    columns_ : TableColumns or None
        What became of a table's columns; None where it learned from an array.
    column_names_ : ndarray of str
        Names of the columns the model sees.
    scaler_ : StandardScaler
        Fitted on the training rows.
    model_ : LinearRegression
        Fitted on the scaled rows; its ``coef_`` compare columns with each other.
    coef_, intercept_ : ndarray, float
        The same in the columns' original units, in the order of ``column_names_``.
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    Examples
    --------
    >>> import crmkit
    >>> model = crmkit.create("regressor", "linear").fit([[1.0], [2.0], [3.0]], [2.0, 4.0, 6.0])
    >>> model.predict([[4.0]]).round(3).tolist(), model.coef_.round(3).tolist()
    ([8.0], [2.0])
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {"fit_intercept": ["boolean"], "positive": ["boolean"]}

    def __init__(self, *, fit_intercept: bool = True, positive: bool = False) -> None:
        self.fit_intercept = fit_intercept
        self.positive = positive

    def _model(self) -> Any:
        """Give the model to fit on scaled columns."""
        return LinearRegression(fit_intercept=self.fit_intercept, positive=self.positive)

    def _centred(self) -> bool:
        """Say whether the columns may be centred."""
        return self.fit_intercept

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any, sample_weight: Any = None) -> Self:
        """Learn from rows with known numbers.

        Parameters
        ----------
        X : table, array-like or sparse matrix, shape (n_rows, n_features)
            A customer table as it is (see ``TableColumns``), or finite numbers.
        y : array-like of float, shape (n_rows,)
            What is to be predicted.
        sample_weight : array-like of float, shape (n_rows,), default=None
            How much each row counts.

        Returns
        -------
        self
            The fitted model.
        """
        return self._fit(X, y, sample_weight)

    @property
    def coef_(self) -> npt.NDArray[np.float64]:
        """Change of y for one unit of each column."""
        check_is_fitted(self, "model_")
        return np.asarray(self.model_.coef_ / self.scaler_.scale_)

    @property
    def intercept_(self) -> float:
        """Value of y where every column is 0."""
        check_is_fitted(self, "model_")
        shift = 0.0 if not self.scaler_.with_mean else float(self.coef_ @ self.scaler_.mean_)
        return float(self.model_.intercept_) - shift
