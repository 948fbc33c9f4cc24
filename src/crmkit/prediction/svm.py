"""Support-vector machines that standardise their columns, and the regressor its target, inside."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from sklearn.compose import TransformedTargetRegressor
from sklearn.preprocessing import StandardScaler
from sklearn.svm import SVC, SVR
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.prediction._scaled import ScaledClassifier, ScaledRegressor

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ScaledSVC", "ScaledSVR"]

_KERNELS: list[Any] = [StrOptions({"rbf", "linear", "poly", "sigmoid"})]
_GAMMA: list[Any] = [StrOptions({"scale", "auto"}), Interval(Real, 0, None, closed="left")]


class ScaledSVC(ScaledClassifier):
    """Support-vector classifier on standardised columns.

    Its kernel measures distances between rows, in which a column counts by its unit unless all have one scale. Costs
    time between n^2 and n^3 of the rows: fine to some ten thousand, not beyond. It gives decision values, not
    probabilities; calibrate it (scikit-learn's ``CalibratedClassifierCV``) where probabilities are needed.

    Parameters
    ----------
    C : float, default=1.0
        Price of a row on the wrong side; smaller is smoother.
    kernel : {"rbf", "linear", "poly", "sigmoid"}, default="rbf"
        Likeness of two rows.
    gamma : {"scale", "auto"} or float, default="scale"
        How quickly likeness fades; on standardised columns "scale" is one over their number.
    class_weight : dict, "balanced" or None, default=None
        Weights of labels.
    cache_size : float, default=200
        Megabytes for the kernel; changes only the speed.

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
    model_ : SVC
        Fitted on the scaled rows.
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    References
    ----------
    Cortes, C., & Vapnik, V. (1995). Support-vector networks. Machine Learning 20, 273-297. doi:10.1007/BF00994018

    Examples
    --------
    >>> import crmkit
    >>> model = crmkit.create("classifier", "svm").fit([[0.0], [1.0], [9.0], [10.0]], ["a", "a", "b", "b"])
    >>> model.predict([[8.0]]).tolist()
    ['b']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "kernel": _KERNELS,
        "gamma": _GAMMA,
        "class_weight": [dict, StrOptions({"balanced"}), None],
        "cache_size": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        C: float = 1.0,
        *,
        kernel: str = "rbf",
        gamma: Any = "scale",
        class_weight: Any = None,
        cache_size: float = 200,
    ) -> None:
        self.C = C
        self.kernel = kernel
        self.gamma = gamma
        self.class_weight = class_weight
        self.cache_size = cache_size

    def _model(self) -> Any:
        """Give the model to fit on scaled columns."""
        return SVC(**self.get_params(deep=False))

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Give how far on a label's side each row lies.

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


class ScaledSVR(ScaledRegressor):
    """Support-vector regressor on standardised columns, with a standardised target.

    Errors smaller than ``epsilon`` cost nothing and larger ones their size, so that outliers pull less than on least
    squares. scikit-learn's own takes ``epsilon`` and ``C`` in the unit of y, which makes its defaults useless for
    amounts; here y is brought to deviation 1 from the training rows, and back in ``predict``. Costs time between n^2
    and n^3 of the rows.

    Parameters
    ----------
    C : float, default=1.0
        Price of an error of one standard deviation of y.
    epsilon : float, default=0.1
        Errors below it are free, in standard deviations of y.
    kernel : {"rbf", "linear", "poly", "sigmoid"}, default="rbf"
        Likeness of two rows.
    gamma : {"scale", "auto"} or float, default="scale"
        How quickly likeness fades.
    cache_size : float, default=200
        Megabytes for the kernel; changes only the speed.

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
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where X had names.

    References
    ----------
    Smola, A. J., & Schölkopf, B. (2004). A tutorial on support vector regression. Statistics and Computing 14, 199-222.
    doi:10.1023/B:STCO.0000035301.49549.88

    Examples
    --------
    >>> import crmkit
    >>> model = crmkit.create("regressor", "svr", kernel="linear").fit([[1.0], [2.0], [3.0]], [1000.0, 2000.0, 3000.0])
    >>> bool(abs(model.predict([[2.0]])[0] - 2000.0) < 200)
    True
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "C": [Interval(Real, 0, None, closed="neither")],
        "epsilon": [Interval(Real, 0, None, closed="left")],
        "kernel": _KERNELS,
        "gamma": _GAMMA,
        "cache_size": [Interval(Real, 0, None, closed="neither")],
    }

    def __init__(
        self,
        C: float = 1.0,
        *,
        epsilon: float = 0.1,
        kernel: str = "rbf",
        gamma: Any = "scale",
        cache_size: float = 200,
    ) -> None:
        self.C = C
        self.epsilon = epsilon
        self.kernel = kernel
        self.gamma = gamma
        self.cache_size = cache_size

    def _model(self) -> Any:
        """Give the model to fit on scaled columns."""
        return TransformedTargetRegressor(SVR(**self.get_params(deep=False)), transformer=StandardScaler())
