"""Multi-layer perceptrons that standardise their columns, and the regressor its target, inside."""

from __future__ import annotations

from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.neural_network import MLPClassifier, MLPRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted

from crmkit.prediction._scaled import ScaledClassifier, ScaledRegressor

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ScaledMLPClassifier", "ScaledMLPRegressor"]

_CONSTRAINTS: dict[str, list[Any]] = {
    "hidden_layer_sizes": ["array-like", Interval(Integral, 1, None, closed="left")],
    "alpha": [Interval(Real, 0, None, closed="left")],
    "learning_rate_init": [Interval(Real, 0, None, closed="neither")],
    "max_iter": [Interval(Integral, 1, None, closed="left")],
    "early_stopping": ["boolean"],
    "random_state": ["random_state"],
}


class ScaledMLPClassifier(ScaledClassifier):
    """Multi-layer perceptron for labels, on standardised columns.

    Columns pass through layers of simple units whose weights are learned by gradient descent (Adam). It finds bends and
    interactions by itself, and on the tables of a few thousand customers seldom beats boosting. Costs
    rows x columns x units for each of up to ``max_iter`` passes; different seeds give different models.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int or int, default=(64,)
        Units of each hidden layer.
    alpha : float, default=1e-3
        Penalty on large weights.
    learning_rate_init : float, default=1e-3
        Size of the steps.
    max_iter : int, default=500
        Passes at most.
    early_stopping : bool, default=False
        Keep a tenth of the training rows aside and stop when they no longer gain.
    random_state : int, RandomState or None, default=None
        First weights and order of rows; changes the result.

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
    model_ : MLPClassifier
        Fitted on the scaled rows.
    n_iter_ : int
        Passes over the rows.
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    Examples
    --------
    >>> import crmkit
    >>> model = crmkit.create("classifier", "mlp", random_state=0)
    >>> model.fit([[0.0], [1.0], [9.0], [10.0]], ["a", "a", "b", "b"]).predict([[10.0]]).tolist()
    ['b']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = _CONSTRAINTS

    def __init__(
        self,
        hidden_layer_sizes: Any = (64,),
        *,
        alpha: float = 1e-3,
        learning_rate_init: float = 1e-3,
        max_iter: int = 500,
        early_stopping: bool = False,
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.random_state = random_state

    def _model(self) -> Any:
        """Give the model to fit on scaled columns."""
        return MLPClassifier(**self.get_params(deep=False))

    def _fit_scaled(self, X: Any, y: Any, sample_weight: Any) -> None:
        """Learn codes of labels: scikit-learn 1.6 cannot stop early on labels that are text."""
        super()._fit_scaled(X, np.unique(y, return_inverse=True)[1], sample_weight)

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
        codes = super().predict(X)
        return np.asarray(self.classes_[codes])

    @property
    def n_iter_(self) -> int:
        """Passes over the rows."""
        check_is_fitted(self, "model_")
        return int(self.model_.n_iter_)

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


class ScaledMLPRegressor(ScaledRegressor):
    """Multi-layer perceptron for numbers, on standardised columns with a standardised target.

    As ``ScaledMLPClassifier``, for numbers. The target is brought to mean 0 and deviation 1 from the training rows and
    back in ``predict``: an untransformed amount in thousands would need thousands of steps to be reached.

    Parameters
    ----------
    hidden_layer_sizes : sequence of int or int, default=(64,)
        Units of each hidden layer.
    alpha : float, default=1e-3
        Penalty on large weights.
    learning_rate_init : float, default=1e-3
        Size of the steps.
    max_iter : int, default=500
        Passes at most.
    early_stopping : bool, default=False
        Keep a tenth of the training rows aside and stop when they no longer gain.
    random_state : int, RandomState or None, default=None
        First weights and order of rows; changes the result.

    Attributes
    ----------
    columns_ : TableColumns or None
        What became of a table's columns; None where it learned from an array.
    column_names_ : ndarray of str
        Names of the columns the model sees.
    scaler_ : StandardScaler
        Fitted on the training rows.
    model_ : TransformedTargetRegressor
        Fitted on the scaled rows.
    n_iter_ : int
        Passes over the rows.
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    Examples
    --------
    >>> import crmkit
    >>> model = crmkit.create("regressor", "mlp", random_state=0)
    >>> model.fit([[0.0], [1.0], [9.0], [10.0]], [0.0, 1.0, 9.0, 10.0]).predict([[5.0]]).shape
    (1,)
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = _CONSTRAINTS

    def __init__(
        self,
        hidden_layer_sizes: Any = (64,),
        *,
        alpha: float = 1e-3,
        learning_rate_init: float = 1e-3,
        max_iter: int = 500,
        early_stopping: bool = False,
        random_state: Any = None,
    ) -> None:
        self.hidden_layer_sizes = hidden_layer_sizes
        self.alpha = alpha
        self.learning_rate_init = learning_rate_init
        self.max_iter = max_iter
        self.early_stopping = early_stopping
        self.random_state = random_state

    def _model(self) -> Any:
        """Give the model to fit on scaled columns."""
        return TransformedTargetRegressor(MLPRegressor(**self.get_params(deep=False)), transformer=StandardScaler())

    @property
    def n_iter_(self) -> int:
        """Passes over the rows."""
        check_is_fitted(self, "model_")
        return int(self.model_.regressor_.n_iter_)
