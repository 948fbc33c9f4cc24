"""One declared preparation of customers for clustering: gaps, outliers, skew, scale, weights and components."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.preprocessing import MinMaxScaler, RobustScaler, StandardScaler
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import _check_feature_names_in, check_is_fitted, validate_data

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.preparation._by_column import column_names
from crmkit.preparation._clustering_rules import (
    INDICATOR,
    check_declared,
    column_weights,
    fill_rules,
    skew_rules,
    winsorizer,
)
from crmkit.preparation._clustering_told import told
from crmkit.preparation._components import fitted_components
from crmkit.preparation._unskew import Unskewer
from crmkit.preparation._winsorize import Winsorizer

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["ClusteringTransform"]

_SCALERS = {"standard": StandardScaler, "robust": RobustScaler, "minmax": MinMaxScaler}


class ClusteringTransform(TransformerMixin, BaseEstimator):
    """One declared way from a customer table to points whose distances mean something; ``for_clustering`` makes it.

    Six steps in this order, each learned in ``fit`` from the values known and then frozen: caps for outliers
    (``Winsorizer``); missing values, filled in the table's own units; skew; scale; weights; principal components. What
    was learned can be read: ``print`` shows a row a column, ``table`` has it as a DataFrame.

    Nothing is done that was not declared. A missing value is refused by name and row unless ``missing`` says what
    stands for it; infinite ones are always refused. Scales and skew are learned from known values alone, so that
    filling does not narrow a column. A column with one value (after capping) is put at 0, also next month, when it may
    vary: it had no spread from which a scale could be learned. The cost is a few passes and, for caps and medians, a
    sort of each column; components add n_customers x n_columns squared.

    Parameters
    ----------
    missing : {"refuse", "median", "zero", "category"} or float, or mapping of str to these, default="refuse"
        What stands for a missing value: nothing (a ``DataError``), the median of the column's known and capped values,
        0, or a number. By column name: columns that are not named refuse. ``"category"`` is for columns of text,
        categories and yes or no, where ``segment`` takes these: being missing is a category of its own there; numbers
        refuse.
    indicator : bool, default=False
        Add a column of 0 and 1, ``<column>_is_missing``, for each column that has filled values in the training rows.
        It is not scaled: its weight says how much it counts.
    winsorize : float, pair, mapping of these, Winsorizer, or None, default=None
        Caps for outliers: limits as ``Winsorizer`` takes them (``0.99`` caps the largest in a hundred), an unfitted
        ``Winsorizer`` (for fences), or none.
    skew : {"signed-log", "yeo-johnson", "none"}, or mapping of str to these, default="signed-log"
        What is done about long tails: the signed logarithm in units of each column's median size
        (``SignedLog(scale="median")``), Yeo and Johnson's power transform with its exponent fitted, or nothing. By
        column name: the others are left as they are.
    min_skew : float or None, default=None
        Do so only for columns whose sample skewness, after capping, is above this in size.
    scaling : {"standard", "robust", "minmax", "none"}, default="standard"
        Mean 0 and deviation 1; median 0 and interquartile range 1; 0 to 1; or nothing.
    weights : mapping of str to float, or None, default=None
        How much a column counts: a weight multiplies its part of the squared Euclidean distance, so that 4 is as if
        the column stood there four times, and 0 leaves it out. (The column is multiplied by the square root, after
        scaling and before components; Manhattan distances grow with the root.) Columns that are not named weigh 1.
    pca : int, float, True or None, default=None
        Turn to principal components: so many, as many as hold this share of the variance (below 1), or all of them.

    Attributes
    ----------
    caps_ : Winsorizer
        The caps, with ``lower_``, ``upper_``, ``capped_``.
    missing_counts_ : ndarray of int, shape (n_features,)
        Values filled in the training rows.
    fills_ : ndarray of float, shape (n_features,)
        What stands for a missing value; NaN where that is refused.
    indicators_ : ndarray of int
        Positions of the columns with an indicator.
    constant_ : ndarray of bool, shape (n_features,)
        Columns with one value, which are put at 0.
    weights_ : ndarray of float
        Weight of each column, those of the indicators last.
    pca_ : PCA or None
        The components.
    explained_variance_ratio_ : ndarray of float or None
        Share of the variance of each component.
    unskew_, scaler_ : transformer or None
        The steps in the middle.
    n_features_in_ : int
        Columns seen.
    feature_names_in_ : ndarray of str, shape (n_features,)
        Their names, where they were all text.

    Raises
    ------
    DataError
        If a value is missing where that is refused, infinite, or too large for the steps declared, naming columns and
        rows; if a column has no known value to take a median of, a name is no column, or there are fewer components
        than asked for.

    See Also
    --------
    crmkit.segmentation.segment : Takes it as ``transform=``.

    References
    ----------
    Yeo and Johnson (2000), doi:10.1093/biomet/87.4.954. Weights and standardization: Milligan and Cooper (1988),
    doi:10.1007/BF01897163.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit import preparation
    >>> table = pd.DataFrame({"spend": [10.0, 12.0, 15.0, 20.0, 9000.0], "age": [30.0, None, 50.0, 41.0, 28.0]})
    >>> made = preparation.for_clustering(missing={"age": "median"}, winsorize={"spend": 0.9}, weights={"age": 4.0})
    >>> made.fit_transform(table).round(2)[:2].tolist()
    [[-1.38, -1.62], [-0.81, -0.28]]
    >>> made.table[["cap_high", "capped", "filled", "weight"]].T
    column    spend  age
    cap_high   20.0  inf
    capped      1.0  0.0
    filled      0.0  1.0
    weight      1.0  4.0
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "missing": [str, Real, dict],
        "indicator": ["boolean"],
        "winsorize": [Interval(Real, 0, 1, closed="both"), tuple, list, dict, Winsorizer, None],
        "skew": [str, dict],
        "min_skew": [Interval(Real, 0, None, closed="left"), None],
        "scaling": [str],
        "weights": [dict, None],
        "pca": ["boolean", Real, None],
    }

    n_features_in_: int
    rules_: list[Any]
    missing_counts_: npt.NDArray[np.intp]
    caps_: Winsorizer
    fills_: npt.NDArray[np.float64]
    indicators_: npt.NDArray[np.intp]
    weights_: npt.NDArray[np.float64]
    constants_: npt.NDArray[np.float64]
    constant_: npt.NDArray[np.bool_]
    unskew_: Unskewer
    scaler_: Any | None
    pca_: Any | None
    explained_variance_ratio_: npt.NDArray[np.float64] | None

    def __init__(
        self,
        *,
        missing: Any = "refuse",
        indicator: bool = False,
        winsorize: Any = None,
        skew: str | Mapping[str, str] = "signed-log",
        min_skew: float | None = None,
        scaling: str = "standard",
        weights: Mapping[str, float] | None = None,
        pca: float | None = None,
    ) -> None:
        self.missing = missing
        self.indicator = indicator
        self.winsorize = winsorize
        self.skew = skew
        self.min_skew = min_skew
        self.scaling = scaling
        self.weights = weights
        self.pca = pca

    def fills(self, column: str, *, category: bool = False) -> bool:
        """Say whether it is declared what stands for a column's missing values.

        Parameters
        ----------
        column : str
            Its name.
        category : bool, default=False
            Whether the column holds categories and not numbers.

        Returns
        -------
        bool
            False where they are refused.
        """
        rule = self.missing.get(column, "refuse") if isinstance(self.missing, Mapping) else self.missing
        return bool(rule == "category") if category else rule not in {"refuse", "category"}

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Learn every step.

        Parameters
        ----------
        X : table or array-like, shape (n_customers, n_features)
            Training rows.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted transform.
        """
        check_declared(self.missing, self.skew, self.scaling, self.weights, self.pca)
        X = self._read(X, reset=True)
        names = column_names(self)
        self.rules_ = fill_rules(self.missing, names)
        self._refuse(X)
        missing = np.isnan(X)
        self.missing_counts_ = missing.sum(axis=0)
        self.caps_ = winsorizer(self.winsorize).fit(pd.DataFrame(X, columns=names))
        capped = self._capped(X)
        self.fills_ = self._learned_fills(capped)
        found = missing.any(axis=0)
        self.indicators_ = np.flatnonzero(found) if self.indicator else np.zeros(0, dtype=np.intp)
        self.weights_ = column_weights(self.weights, self._out_names())
        # A number that was declared is a value like any other; a median would only narrow what is learned.
        declared = np.array([not isinstance(rule, str) for rule in self.rules_])
        values = np.where(missing & declared, self.fills_, capped)
        self.constants_ = np.array([column[~np.isnan(column)][0] for column in values.T])
        self.constant_ = np.array([_is_constant(column) for column in values.T], dtype=bool)
        rules = skew_rules(self.skew, names)
        self.unskew_ = Unskewer().fit(values, rules, constant=self.constant_, min_skew=self.min_skew)
        turned = self.unskew_.transform(values)
        self.scaler_ = None if self.scaling == "none" else _SCALERS[self.scaling]().fit(turned)
        points = self._points(X)
        self.pca_ = None if self.pca is None or self.pca is False else fitted_components(points, self.pca)
        self.explained_variance_ratio_ = None if self.pca_ is None else self.pca_.explained_variance_ratio_
        return self

    def transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Give points whose distances mean something.

        Parameters
        ----------
        X : table or array-like, shape (n_customers, n_features)
            Any rows, with the columns it was fitted on.

        Returns
        -------
        ndarray of float, shape (n_customers, n_columns)
            The columns, then the indicators; or the components.
        """
        check_is_fitted(self)
        X = self._read(X, reset=False)
        self._refuse(X)
        points = self._points(X)
        return points if self.pca_ is None else np.asarray(self.pca_.transform(points))

    def inverse_transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Give points, such as centers of segments, in the table's own units.

        What was lost stays lost: values beyond a cap come back at the cap, filled ones filled, columns of weight 0 at
        the middle of the scale, and what left-out components held is missing.

        Parameters
        ----------
        X : array-like, shape (n_points, n_columns)
            Points as ``transform`` gives them.

        Returns
        -------
        ndarray of float, shape (n_points, n_features)
            Values of the columns it was fitted on, indicators left out.
        """
        check_is_fitted(self)
        points = np.asarray(X, dtype=np.float64)
        width = len(self._out_names()) if self.pca_ is None else int(self.pca_.n_components_)
        if points.ndim != 2 or points.shape[1] != width:
            raise DataError(f"expected {width} columns, got an array of shape {points.shape}")
        if self.pca_ is not None:
            points = np.asarray(self.pca_.inverse_transform(points))
        factor = np.sqrt(self.weights_)
        back = np.divide(points, factor, out=np.zeros_like(points), where=factor > 0)[:, : self.n_features_in_]
        if self.scaler_ is not None:
            back = np.asarray(self.scaler_.inverse_transform(back))
        back = self.unskew_.inverse_transform(back)
        back[:, self.constant_] = self.constants_[self.constant_]
        return back

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Name what comes out.

        Parameters
        ----------
        input_features : array-like of str or None, default=None
            Names of the columns, where it was fitted on an array.

        Returns
        -------
        ndarray of str
            The columns and their indicators, or ``pca0``, ``pca1``, ….
        """
        check_is_fitted(self)
        given: Any = _check_feature_names_in(self, input_features)
        names = [str(name) for name in given]
        if self.pca_ is not None:
            return np.array([f"pca{place}" for place in range(self.pca_.n_components_)], dtype=object)
        return np.array([*names, *(INDICATOR.format(names[place]) for place in self.indicators_)], dtype=object)

    @property
    def table(self) -> pd.DataFrame:
        """One row a column: caps and how many they caught, what was filled, skew, scale, weight, and that in words."""
        check_is_fitted(self)
        return told(self)

    @property
    def components(self) -> pd.DataFrame:
        """One row a principal component: its share of the variance, and how much of each column is in it."""
        check_is_fitted(self)
        if self.pca_ is None:
            raise AttributeError("there are no principal components: declare pca=")
        names = pd.Index(self.get_feature_names_out(), name="component")
        loadings = pd.DataFrame(self.pca_.components_, index=names, columns=self._out_names())
        loadings.insert(0, "variance", self.pca_.explained_variance_ratio_)
        return loadings

    def __str__(self) -> str:
        if not hasattr(self, "weights_"):
            return repr(self)
        lines = [f"{name}: {done}" for name, done in self.table["done"].items()]
        if self.pca_ is not None:
            kept, most = int(self.pca_.n_components_), len(self._out_names())
            held = float(self.pca_.explained_variance_ratio_.sum())
            lines.append(f"then {kept} of {most} principal components, {held:.1%} of the variance")
        return "\n".join(lines)

    def __sklearn_tags__(self) -> Any:
        """Say whether missing values are allowed."""
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = self.missing not in ("refuse", "category")
        return tags

    def _out_names(self) -> list[str]:
        """Name the columns before components."""
        names = column_names(self)
        return [*names, *(INDICATOR.format(names[place]) for place in self.indicators_)]

    def _read(self, X: Any, *, reset: bool) -> npt.NDArray[np.float64]:
        """Take the table as numbers, without repeating a value in a message."""
        try:
            read = validate_data(self, X, dtype=np.float64, ensure_all_finite=False, reset=reset)
        except ValueError as error:
            if "could not convert" not in str(error):
                raise
        else:
            return np.asarray(read, dtype=np.float64)
        dtypes = getattr(X, "dtypes", None)
        text = [str(name) for name, kind in dtypes.items() if not pd.api.types.is_numeric_dtype(kind)] if isinstance(
            dtypes, pd.Series
        ) else []  # fmt: skip
        raise DataError(f"{', '.join(text) or 'a column'}: not numeric; for_clustering prepares numbers only")

    def _refuse(self, X: npt.NDArray[np.float64]) -> None:
        """Refuse infinite values, and missing ones of which nothing is declared, all columns in one error."""
        problems = []
        for name, rule, column in zip(column_names(self), self.rules_, X.T, strict=True):
            if np.isinf(column).any():
                problems.append(f"{name!r} is infinite in {positions(np.isinf(column))}")
            missing = np.isnan(column)
            if rule == "refuse" and missing.any():
                declare = f"missing={{{name!r}: 'median'}}, or 'zero', or a number"
                problems.append(
                    f"{name!r} is missing (NaN) in {positions(missing)} (say what stands for it: {declare})"
                )
            elif rule == "median" and missing.all() and not hasattr(self, "fills_"):
                problems.append(f"{name!r} has no known value to take the median of")
        if problems:
            raise DataError(f"the table cannot be prepared for clustering: {'; '.join(problems)}")

    def _capped(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.clip(X, self.caps_.lower_, self.caps_.upper_)

    def _learned_fills(self, capped: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        fills = np.full(capped.shape[1], np.nan)
        for place, rule in enumerate(self.rules_):
            if rule == "median":
                fills[place] = np.nanmedian(capped[:, place])
            elif rule != "refuse":
                fills[place] = rule
        return fills

    def _points(self, X: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Take every step but components."""
        missing = np.isnan(X)
        turned = self.unskew_.transform(np.where(missing, self.fills_, self._capped(X)))
        self._refuse_overflow(turned)
        with np.errstate(over="ignore", invalid="ignore"):
            if self.scaler_ is not None:
                turned = np.asarray(self.scaler_.transform(turned))
            turned[:, self.constant_] = 0.0
            points = np.hstack([turned, missing[:, self.indicators_]])
            points *= np.sqrt(self.weights_)
        self._refuse_overflow(points)
        return points

    def _refuse_overflow(self, values: npt.NDArray[np.float64]) -> None:
        """Refuse values that a step could not hold."""
        lost = ~np.isfinite(values)
        if lost.any():
            names = self._out_names()[: lost.shape[1]]
            told_of = [f"{name!r} in {positions(rows)}" for name, rows in zip(names, lost.T, strict=True) if rows.any()]
            raise DataError(f"too large for the scale learned: {'; '.join(told_of)}; cap them with winsorize=")


def _is_constant(column: npt.NDArray[np.float64]) -> bool:
    """Say whether known values are all the same."""
    known = column[~np.isnan(column)]
    return bool((known == known[0]).all())
