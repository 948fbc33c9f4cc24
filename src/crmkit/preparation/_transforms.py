"""Transforms for skewed columns such as money and counts, as scikit-learn transformers."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.pipeline import Pipeline
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["SignedLog", "skewed_pipeline", "skewness"]

_LARGE = 700.0  # the exponential of more is infinite
_FLOATS = (np.float64, np.float32)
_SCALERS = {"standard": StandardScaler, "robust": RobustScaler, "minmax": MinMaxScaler}


class SignedLog(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Logarithm for columns of both signs, ``sign(x) log(1 + |x| / scale)``.

    Near zero it is a straight line, far from it a logarithm, so that zeros and refunds have a place and a few very
    large customers no longer decide every distance. With ``min_skew`` only the columns that are skewed in the training
    rows are transformed; the others pass unchanged. What is learned (scales, which columns) is learned in ``fit`` and
    never moves. Missing values pass through. The cost is one pass over the table.

    Parameters
    ----------
    scale : {"unit", "median"} or float, default="unit"
        Where the line turns into the logarithm: at 1; at the median of each column's non-zero sizes, which makes the
        result independent of the currency; or at a size given for all columns.
    min_skew : float or None, default=None
        Transform only columns whose sample skewness is above this in size; None transforms all.

    Attributes
    ----------
    scale_ : ndarray of float, shape (n_features,)
        Where each column turns.
    transformed_ : ndarray of bool, shape (n_features,)
        Which columns are transformed.
    n_features_in_ : int
        Columns seen.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Their names, where they were all text.

    Examples
    --------
    >>> from crmkit.preparation import SignedLog
    >>> SignedLog().fit_transform([[0.0], [9.0], [-99.0]]).round(2).ravel().tolist()
    [0.0, 2.3, -4.61]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "scale": [StrOptions({"unit", "median"}), Interval(Real, 0, None, closed="neither")],
        "min_skew": [Interval(Real, 0, None, closed="left"), None],
    }

    def __init__(self, *, scale: str | float = "unit", min_skew: float | None = None) -> None:
        self.scale = scale
        self.min_skew = min_skew

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Learn the scales and which columns are skewed.

        Parameters
        ----------
        X : array-like, shape (n_customers, n_features)
            Training rows.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted transformer.
        """
        X = validate_data(self, X, dtype=_FLOATS, ensure_all_finite="allow-nan")
        self.scale_ = _medians(X) if self.scale == "median" else np.ones(X.shape[1])
        if not isinstance(self.scale, str):
            self.scale_ = np.full(X.shape[1], float(self.scale))
        self.transformed_ = (
            np.ones(X.shape[1], dtype=bool) if self.min_skew is None else np.abs(skewness(X)) > self.min_skew
        )
        return self

    def transform(self, X: Any) -> npt.NDArray[Any]:
        """Transform rows.

        Parameters
        ----------
        X : array-like, shape (n_customers, n_features)
            Any rows.

        Returns
        -------
        ndarray of float, shape (n_customers, n_features)
            Transformed values.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, ensure_all_finite="allow-nan", reset=False)
        # log(1 + |x| / scale) without the division, which overflows where a scale is tiny.
        with np.errstate(divide="ignore", invalid="ignore"):
            logged = np.sign(X) * np.logaddexp(0, np.log(np.abs(X)) - np.log(self.scale_).astype(X.dtype))
        return np.asarray(np.where(self.transformed_, logged, X))

    def inverse_transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Give back the original units.

        Parameters
        ----------
        X : array-like, shape (n_customers, n_features)
            Transformed values.

        Returns
        -------
        ndarray of float, shape (n_customers, n_features)
            Original values.
        """
        check_is_fitted(self)
        X = np.asarray(X, dtype=np.float64)
        if X.ndim != 2 or X.shape[1] != len(self.scale_):
            raise DataError(f"expected {len(self.scale_)} columns, got an array of shape {X.shape}")
        size = np.abs(X)
        with np.errstate(over="ignore"):
            back = np.where(size < _LARGE, np.expm1(size) * self.scale_, np.exp(size + np.log(self.scale_)))
        return np.asarray(np.where(self.transformed_, np.sign(X) * back, X))

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are allowed and single precision is kept."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.allow_nan = True
        return tags


def skewed_pipeline(
    scaler: str = "standard", *, scale: str | float = "unit", min_skew: float | None = None
) -> Pipeline:
    """Make the usual preparation of skewed columns: a signed logarithm, then a scaler.

    Fit it on training rows only (a pipeline inside cross-validation does so by itself); ``inverse_transform`` leads
    back to the original units.

    Parameters
    ----------
    scaler : {"standard", "robust", "minmax", "none"}, default="standard"
        Mean 0 and deviation 1; median 0 and interquartile range 1; 0 to 1; or nothing after the logarithm.
    scale : {"unit", "median"} or float, default="unit"
        As for ``SignedLog``.
    min_skew : float or None, default=None
        As for ``SignedLog``.

    Returns
    -------
    sklearn.pipeline.Pipeline
        Unfitted.

    Raises
    ------
    DataError
        If there is no such scaler.

    Examples
    --------
    >>> from crmkit.preparation import skewed_pipeline
    >>> skewed_pipeline("minmax").fit_transform([[0.0], [9.0], [99.0]]).round(2).ravel().tolist()
    [0.0, 0.5, 1.0]
    """
    log = ("log", SignedLog(scale=scale, min_skew=min_skew))
    if scaler == "none":
        return Pipeline([log])
    if scaler not in _SCALERS:
        raise DataError(f"scaler must be one of {', '.join(map(repr, [*_SCALERS, 'none']))}, got {scaler!r}")
    return Pipeline([log, ("scale", _SCALERS[scaler]())])


def _medians(X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the median size of each column's non-zero values, 1 where it has none."""
    sizes = np.abs(np.where(X == 0, np.nan, X))
    empty = np.isnan(sizes).all(axis=0)
    sizes[:, empty] = 1.0
    return np.asarray(np.nanmedian(sizes, axis=0), dtype=np.float64)


def skewness(X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the sample skewness of each column, 0 where it does not vary."""
    empty = np.isnan(X).all(axis=0)
    X = np.where(empty, 0.0, X)
    spread = np.nanstd(X, axis=0)
    constant = spread <= 1e-12 * np.maximum(1e-300, np.nanmax(np.abs(X), axis=0))
    standard = (X - np.nanmean(X, axis=0)) / np.where(constant, 1.0, spread)
    return np.where(constant, 0.0, np.nanmean(standard**3, axis=0))
