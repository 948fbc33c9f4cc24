"""Caps for outliers, learned once and kept: at quantiles, or at robust fences around the median."""

from __future__ import annotations

from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, OneToOneFeatureMixin, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.core.errors import DataError
from crmkit.preparation._by_column import by_column, column_names

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

__all__ = ["Winsorizer"]

_FLOATS = (np.float64, np.float32)
# The median absolute deviation of a Gaussian, times this, is its standard deviation.
GAUSSIAN = 1.4826


class Winsorizer(OneToOneFeatureMixin, TransformerMixin, BaseEstimator):
    """Caps each column at limits learned in ``fit`` and never moved: a value beyond a cap is put at the cap.

    Nobody is dropped: who lies beyond keeps being among the largest, but no longer stretches every distance. Caps stand
    at quantiles of the known values, or ``fence`` robust deviations (1.4826 times the median absolute deviation) from
    the median. Quantiles always cap the same share and assume nothing; fences cap only what lies far off, in a skewed
    column a good many, so take its logarithm first. A quantile is read as a value that some customer has, the next
    within the limit, so that one enormous customer cannot pull the cap. A column that capping would leave with a single
    value, such as a mark that 3 in 1,000 customers have, is left alone. Missing values pass through. The cost is one
    sort of each column.

    Parameters
    ----------
    limits : float, pair of float, or mapping of str to these, default=(0.0, 0.99)
        The lower and the upper quantile; 0 and 1 cap nothing, and one number is the upper, with nothing capped below.
        By column name: columns that are not named are left alone.
    fence : float, mapping of str to float, or None, default=None
        How many robust deviations from the median the caps stand, on both sides; ``limits`` is then not used.

    Attributes
    ----------
    lower_, upper_ : ndarray of float, shape (n_features,)
        The caps; infinite where there is none.
    capped_ : ndarray of int, shape (n_features,)
        How many values of each column lay beyond when fitting.
    left_alone_ : ndarray of bool, shape (n_features,)
        Columns without caps because those would leave a single value.
    n_features_in_ : int
        Columns seen.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Their names, where they were all text.

    Raises
    ------
    DataError
        If limits are not quantiles in order, or a column is named that is not there.

    References
    ----------
    Dixon (1960), doi:10.1214/aoms/1177705900. Rousseeuw and Croux (1993), doi:10.1080/01621459.1993.10476408.

    Examples
    --------
    >>> from crmkit.preparation import Winsorizer
    >>> spent = [[10.0], [12.0], [15.0], [20.0], [9000.0]]
    >>> caps = Winsorizer(limits=(0.0, 0.9)).fit(spent)
    >>> caps.upper_.tolist(), caps.capped_.tolist()
    ([20.0], [1])
    >>> caps.transform([[18.0], [700.0]]).ravel().tolist()
    [18.0, 20.0]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "limits": [tuple, list, dict, Interval(Real, 0, 1, closed="both")],
        "fence": [Interval(Real, 0, None, closed="neither"), dict, None],
    }

    n_features_in_: int

    def __init__(
        self,
        limits: float | Sequence[float] | Mapping[str, float | Sequence[float]] = (0.0, 0.99),
        *,
        fence: float | Mapping[str, float] | None = None,
    ) -> None:
        self.limits = limits
        self.fence = fence

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Learn the caps.

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
        names = column_names(self)
        if self.fence is None:
            declared = by_column(self.limits, names, what="limits", otherwise=None)
            caps = [_quantiles(column, _pair(limits)) for column, limits in zip(X.T, declared, strict=True)]
        else:
            declared = by_column(self.fence, names, what="fence", otherwise=None)
            caps = [_fences(column, width) for column, width in zip(X.T, declared, strict=True)]
        lower, upper = np.array(caps, dtype=np.float64).T
        alone = [_levels(column, *pair) for column, pair in zip(X.T, caps, strict=True)]
        self.left_alone_ = np.array(alone, dtype=bool)
        self.lower_ = np.where(self.left_alone_, -np.inf, lower)
        self.upper_ = np.where(self.left_alone_, np.inf, upper)
        self.capped_ = (np.less(X, self.lower_) | np.greater(X, self.upper_)).sum(axis=0)
        return self

    def transform(self, X: Any) -> npt.NDArray[Any]:
        """Put values beyond a cap at the cap.

        Parameters
        ----------
        X : array-like, shape (n_customers, n_features)
            Any rows.

        Returns
        -------
        ndarray of float, shape (n_customers, n_features)
            Values within the caps; missing ones stay missing.
        """
        check_is_fitted(self)
        X = validate_data(self, X, dtype=_FLOATS, ensure_all_finite="allow-nan", reset=False)
        return np.asarray(np.clip(X, self.lower_.astype(X.dtype), self.upper_.astype(X.dtype)))

    def inverse_transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the values as they are: what lay beyond a cap is not known any more.

        Parameters
        ----------
        X : array-like, shape (n_customers, n_features)
            Capped values.

        Returns
        -------
        ndarray of float, shape (n_customers, n_features)
            The same values.
        """
        check_is_fitted(self)
        values = np.asarray(X, dtype=np.float64)
        if values.ndim != 2 or values.shape[1] != self.n_features_in_:
            raise DataError(f"expected {self.n_features_in_} columns, got an array of shape {values.shape}")
        return values

    def __sklearn_tags__(self) -> Any:
        """Say that missing values are allowed and single precision is kept."""
        tags = super().__sklearn_tags__()
        tags.transformer_tags.preserves_dtype = ["float64", "float32"]
        tags.input_tags.allow_nan = True
        return tags


def _pair(limits: Any) -> tuple[float, float] | None:
    """Bring limits to a lower and an upper quantile."""
    if limits is None:
        return None
    pair: Any = (0.0, limits) if isinstance(limits, Real) else limits
    if isinstance(pair, tuple | list) and len(pair) == 2 and all(isinstance(limit, Real) for limit in pair):
        lower, upper = float(pair[0]), float(pair[1])
        if 0 <= lower < upper <= 1:
            return lower, upper
    raise DataError(f"limits must be a lower and a higher quantile from 0 to 1, or the higher alone, got {limits!r}")


def _quantiles(column: npt.NDArray[Any], limits: tuple[float, float] | None) -> tuple[float, float]:
    """Give the outermost values within the limits."""
    known = column[~np.isnan(column)]
    if limits is None or not len(known):
        return -np.inf, np.inf
    # Between two values the inner one is taken: interpolated, one enormous value would pull its own cap along.
    lower = float(np.quantile(known, limits[0], method="higher")) if limits[0] > 0 else -np.inf
    upper = float(np.quantile(known, limits[1], method="lower")) if limits[1] < 1 else np.inf
    return lower, upper


def _fences(column: npt.NDArray[Any], width: Any) -> tuple[float, float]:
    """Give the median less and more so many robust deviations."""
    known = column[~np.isnan(column)].astype(np.float64)
    if width is None or not len(known):
        return -np.inf, np.inf
    if not isinstance(width, Real) or not float(width) > 0:
        raise DataError(f"fence must be a positive number of robust deviations, got {width!r}")
    middle = float(np.median(known))
    reach = float(width) * GAUSSIAN * float(np.median(np.abs(known - middle)))
    return middle - reach, middle + reach


def _levels(column: npt.NDArray[Any], lower: float, upper: float) -> bool:
    """Say whether caps would leave a single value where there are several."""
    known = column[~np.isnan(column)]
    if not len(known) or (known == known[0]).all():
        return False
    # Limits that hardly differ may cross between two values.
    return lower > upper or bool(np.ptp(np.clip(known, lower, upper)) == 0)
