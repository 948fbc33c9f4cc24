"""Customer tables as they are, turned into the numbers that models learn from."""

from __future__ import annotations

from dataclasses import replace
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.multiclass import type_of_target
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError
from crmkit.core.telling import tell
from crmkit.prediction._checking import feature_names, validate_data
from crmkit.prediction._plans import ColumnPlan, make_plan, ranks
from crmkit.prediction._reading import as_numbers

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["TableColumns"]

# Beyond so many levels, a level's mean of the target is too much that of its own rows.
_MANY_LEVELS = 10


class TableColumns(TransformerMixin, BaseEstimator):
    """Turn a customer table as it is into numbers: mixed types, categories, times and missing values.

    Every crmkit classifier and regressor does this inside, in the form that suits it; use this class to put selectors
    or other scikit-learn models behind it in a pipeline. What each column is, is decided on the training rows and
    kept: numbers, booleans and numbers written as text (blanks are missing) are numbers; dates become days since
    1970-01-01, durations days; texts and pandas categories are categories, and so are texts with a leading zero, such
    as postcodes. Numbers that are really codes (a browser, a region) cannot be told from others: make them categories
    with ``astype("category")``. Levels that few rows have are one level, ``(rare)``, which also stands for levels that
    first turn up later. Costs one pass over each column.

    Parameters
    ----------
    categories : {"one-hot", "ranked"}, default="one-hot"
        "one-hot": a column of 0 and 1 for each level, of two levels the second alone. "ranked": one column, its levels
        in the order in which the target rises, which trees cut best; needs y. ``fit_transform`` ranks the training
        rows of a category with more than ten levels by the target of other rows, in five folds: ``transform`` gives
        them other numbers.
    scale : bool, default=True
        Bring every resulting column to mean 0 and deviation 1; only with "one-hot".
    missing : {"indicate", "keep"}, default="indicate"
        Of numbers: "indicate" fills the training rows' mean and adds a column ``<name>=(missing)`` where at least
        ``min_rows`` training rows are missing; "keep" leaves NaN for models that know what to do with it.
    target : {"auto", "label", "number"}, default="auto"
        What y is, where levels are ranked by it. "auto" takes fractions for numbers and everything else for labels.
    max_levels : int, default=50
        Levels of a category that stand for themselves, the most frequent ones; changes the result.
    min_rows : int, default=10
        Training rows a level needs to stand for itself; in tables below 100 rows, a tenth of them.

    Attributes
    ----------
    plan_ : list of ColumnPlan
        What becomes of each column.
    mean_, scale_ : ndarray of float64, shape (n_features_out,)
        Subtracted from the resulting columns, and divided by.
    n_features_in_ : int
        How many columns there were.
    feature_names_in_ : ndarray of str
        Their names, where the table had names.

    Raises
    ------
    DataError
        If a number is infinite or too large to be scaled, two columns have one name, or a column holds neither numbers
        nor words; names columns and row positions.

    Warns
    -----
    DataWarning
        Of columns in which nearly every row has its own value (ids, names, free text): these are left out, or where
        categories are ranked made a constant. Of whole numbers that look like ids, which are kept. Of texts
        among numbers, and of missing values in columns that had none in the training rows.

    References
    ----------
    Breiman, L., Friedman, J., Olshen, R., & Stone, C. (1984). Classification and Regression Trees, theorem 4.5.
    doi:10.1201/9781315139470
    Coppersmith, D., Hong, S. J., & Hosking, J. R. M. (1999). Partitioning nominal attributes in decision trees. Data
    Mining and Knowledge Discovery 3, 197-217. doi:10.1023/A:1009869804967

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.prediction import TableColumns
    >>> table = pd.DataFrame({"plan": ["a", "b", "a", "c"] * 5, "total": ["1.5", " ", "2", "3"] * 5})
    >>> columns = TableColumns(scale=False, min_rows=2).fit(table)
    >>> columns.get_feature_names_out().tolist()
    ['plan=a', 'plan=b', 'plan=c', 'total', 'total=(missing)']
    >>> columns.transform(pd.DataFrame({"plan": ["b"], "total": [4.0]})).tolist()
    [[0.0, 1.0, 0.0, 4.0, 0.0]]
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "categories": [StrOptions({"one-hot", "ranked"})],
        "scale": ["boolean"],
        "missing": [StrOptions({"indicate", "keep"})],
        "target": [StrOptions({"auto", "label", "number"})],
        "max_levels": [Interval(Integral, 1, None, closed="left")],
        "min_rows": [Interval(Integral, 1, None, closed="left")],
    }

    def __init__(
        self,
        categories: str = "one-hot",
        *,
        scale: bool = True,
        missing: str = "indicate",
        target: str = "auto",
        max_levels: int = 50,
        min_rows: int = 10,
    ) -> None:
        self.categories = categories
        self.scale = scale
        self.missing = missing
        self.target = target
        self.max_levels = max_levels
        self.min_rows = min_rows

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:
        """Decide what becomes of each column.

        Parameters
        ----------
        X : table or array-like, shape (n_rows, n_features)
            The training rows.
        y : array-like, shape (n_rows,), default=None
            Labels or numbers; needed where ``categories="ranked"``.

        Returns
        -------
        TableColumns
            Itself.
        """
        self._fit(X, y)
        return self

    @_fit_context(prefer_skip_nested_validation=True)
    def fit_transform(  # pyright: ignore[reportIncompatibleMethodOverride]  # there is nothing to pass on
        self, X: Any, y: Any = None
    ) -> npt.NDArray[np.float64]:
        """Decide what becomes of each column, and give the training rows as numbers.

        Parameters
        ----------
        X : table or array-like, shape (n_rows, n_features)
            The training rows.
        y : array-like, shape (n_rows,), default=None
            Labels or numbers; needed where ``categories="ranked"``.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_features_out)
            As ``transform``, but for ranks of categories with many levels.
        """
        numbers = self._fit(X, y)
        return np.asarray((numbers - self.mean_) / self.scale_)

    def _fit(self, X: Any, y: Any) -> npt.NDArray[np.float64]:
        """Fit, and give the training rows before scaling."""
        frame = self._read(X, fitting=True)
        plans = [
            make_plan(frame.iloc[:, place], max_levels=self.max_levels, min_rows=self.min_rows)
            for place in range(frame.shape[1])
        ]
        own: dict[int, npt.NDArray[np.float64]] = {}
        if self.categories == "ranked":
            if y is None:
                raise ValueError("TableColumns requires y to be passed, but the target y is None: ranks follow it")
            target = _target_columns(y, len(frame), self.target)
            for place, plan in enumerate(plans):
                plans[place], own[place] = _ranked(plan, frame.iloc[:, place], target)
        else:
            plans = [_shared(plan, frame.iloc[:, place]) for place, plan in enumerate(plans)]
        self.plan_: list[ColumnPlan] = plans
        self._tell()
        numbers = self._numbers(frame)
        self.mean_: npt.NDArray[np.float64] = np.zeros(numbers.shape[1])
        self.scale_: npt.NDArray[np.float64] = np.ones(numbers.shape[1])
        if self.scale and self.categories == "one-hot":
            gaps = np.isnan(numbers)
            known = np.maximum((~gaps).sum(axis=0), 1)
            with np.errstate(over="ignore", invalid="ignore"):
                self.mean_ = np.where(gaps, 0.0, numbers).sum(axis=0) / known
                deviation = np.sqrt((np.where(gaps, 0.0, numbers - self.mean_) ** 2).sum(axis=0) / known)
            lost = [plans[place].name for place in self.sources_[~np.isfinite(deviation)]]
            if lost:
                raise DataError(f"X holds numbers too large to be brought to one scale: {', '.join(map(repr, lost))}")
            # Rounding leaves a little of a constant, which must not be blown up.
            constant = deviation <= 1e-12 * np.maximum(np.abs(self.mean_), 1.0)
            self.scale_ = np.where(constant, 1.0, deviation)
        for position, place in enumerate(self.sources_.tolist()):
            if len(plans[place].levels) > _MANY_LEVELS and place in own:
                numbers[:, position] = own[place]
        return numbers

    def transform(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the table as numbers.

        Parameters
        ----------
        X : table or array-like, shape (n_rows, n_features)
            The columns of ``fit``, in its order.

        Returns
        -------
        ndarray of float64, shape (n_rows, n_features_out)
            Finite, except where ``missing="keep"``.
        """
        check_is_fitted(self)
        frame = self._read(X, fitting=False)
        return np.asarray((self._numbers(frame, told=True) - self.mean_) / self.scale_)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:
        """Name the resulting columns.

        Parameters
        ----------
        input_features : array-like of str, default=None
            Names of the columns of ``fit``, where it was given an array.

        Returns
        -------
        ndarray of str, shape (n_features_out,)
            A number keeps its name; a level is ``<name>=<level>``.
        """
        check_is_fitted(self)
        return np.array(self._names(list(feature_names(self, input_features))), dtype=object)

    @property
    def sources_(self) -> npt.NDArray[np.intp]:
        """From which column of ``fit`` each resulting column comes."""
        check_is_fitted(self, "plan_")
        return np.repeat(np.arange(len(self.plan_)), [len(self._of(plan)) for plan in self.plan_])

    def _read(self, X: Any, *, fitting: bool) -> pd.DataFrame:
        """Give the rows as a table, its names checked."""
        if hasattr(X, "columns"):
            X = as_frame(X, what="X")
        if isinstance(X, pd.DataFrame):
            validate_data(self, X, reset=fitting, skip_check_array=True)
            least = {"feature(s)": X.shape[1], "sample(s)": X.shape[0] if fitting else 1}
            for what, n in least.items():
                if not n:
                    raise ValueError(f"Found array with 0 {what} (shape={X.shape}) while a minimum of 1 is required.")
            return X
        array = np.asarray(validate_data(self, X, reset=fitting, dtype=None, ensure_all_finite=False))
        if array.dtype.kind == "O":
            return pd.DataFrame(
                {
                    place: pd.Series(list(array[:, place]), dtype=object).infer_objects()
                    for place in range(array.shape[1])
                }
            )
        return pd.DataFrame(array, columns=pd.RangeIndex(array.shape[1]))

    def _of(self, plan: ColumnPlan) -> list[str]:
        """Give what is added to a column's name for each column it becomes."""
        if plan.kind != "category":
            return ["", "=(missing)"] if plan.missing and self.missing == "indicate" else [""]
        if self.categories != "one-hot":
            return [""]
        if plan.left_out:
            return []
        return [f"={word}" for word in plan.words]

    def _names(self, given: list[str]) -> list[str]:
        names = [f"{name}{ending}" for name, plan in zip(given, self.plan_, strict=True) for ending in self._of(plan)]
        seen: dict[str, int] = {}
        for place, name in enumerate(names):
            seen[name] = seen.get(name, 0) + 1
            if seen[name] > 1:
                names[place] = f"{name} ({seen[name]})"
        return names

    def _numbers(self, frame: pd.DataFrame, *, told: bool = False) -> npt.NDArray[np.float64]:
        """Give the resulting columns before scaling."""
        found: list[npt.NDArray[np.float64]] = []
        problems: dict[str, list[str]] = {"infinite": [], "lost": [], "gaps": []}
        for place, plan in enumerate(self.plan_):
            column = frame.iloc[:, place]
            if plan.kind == "category" and self.categories == "one-hot":
                found += [] if plan.left_out else list(plan.indicators(column).T)
            elif plan.kind == "category":
                found.append(np.array(plan.codes)[plan.places(column)])
            else:
                found += self._measured(plan, column, problems)
        if problems["infinite"]:
            what = "; ".join(problems["infinite"])
            raise DataError(f"X contains infinity, or a value too large for float64: {what}")
        sentences = {
            "lost": "not read as the training rows were, so taken as missing",
            "gaps": "missing where no training row was, so taken as the mean",
        }
        for kind, sentence in sentences.items():
            if told and problems[kind]:
                tell(f"{sentence}: {'; '.join(problems[kind])}")
        return np.column_stack(found) if found else np.empty((len(frame), 0))

    def _measured(
        self, plan: ColumnPlan, column: pd.Series[Any], problems: dict[str, list[str]]
    ) -> list[npt.NDArray[np.float64]]:
        """Give the columns of one number, noting what is wrong and where."""
        values, lost = as_numbers(column, plan.kind)
        gaps = np.isnan(values)
        wrong = {
            "infinite": np.isinf(values),
            "lost": lost & (not plan.n_lost),
            "gaps": gaps & (not plan.n_missing) & (self.missing == "indicate"),
        }
        for kind, rows in wrong.items():
            if rows.any():
                problems[kind].append(f"{plan.name!r} in {positions(rows)}")
        if self.missing == "keep":
            return [values]
        filled = np.where(gaps, plan.fill, values)
        return [filled, gaps.astype(np.float64)][: len(self._of(plan))]

    def _tell(self) -> None:
        """Say which columns deserve a look."""
        left = [f"{plan.name} ({plan.left_out})" for plan in self.plan_ if plan.left_out]
        if left:
            tell(f"left out, because they tell nothing of other rows: {', '.join(left)}")
        odd = [f"{plan.name} {plan.warned}" for plan in self.plan_ if plan.warned]
        if odd:
            tell("; ".join(odd))

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.allow_nan = True
        tags.input_tags.string = True
        tags.input_tags.categorical = True
        tags.target_tags.required = self.categories == "ranked"
        tags.transformer_tags.preserves_dtype = []
        return tags


def _target_columns(y: Any, n_rows: int, kind: str) -> npt.NDArray[np.float64]:
    """Give the target as a column of numbers, or a column of 0 and 1 for each label but the first of two."""
    values = np.asarray(y)
    if values.ndim == 2 and values.shape[1] == 1:
        values = values[:, 0]
    if len(values) != n_rows:
        raise DataError(f"X has {n_rows:,} rows and y {len(values):,}")
    if kind == "number" or (kind == "auto" and type_of_target(values).startswith("continuous")):
        numbers: npt.NDArray[np.float64] = values.astype(np.float64)
        return np.asarray(numbers.reshape(len(numbers), -1))
    found, codes = np.unique(values, return_inverse=True)
    if len(found) <= 2:
        return np.asarray((codes == len(found) - 1)[:, None], dtype=np.float64)
    return np.asarray(codes.reshape(-1)[:, None] == np.arange(len(found)), dtype=np.float64)


def _ranked(
    plan: ColumnPlan, column: pd.Series[Any], target: npt.NDArray[np.float64]
) -> tuple[ColumnPlan, npt.NDArray[np.float64]]:
    """Number the levels by the target; give the training rows' own numbers too."""
    if plan.kind != "category":
        return plan, np.empty(0)
    if plan.left_out:
        return replace(plan, codes=(0.0, 0.0)), np.zeros(len(column))
    codes, own = ranks(plan.places(column), len(plan.levels) + 2, target)
    return replace(plan, codes=tuple(codes.tolist())), own


def _shared(plan: ColumnPlan, column: pd.Series[Any]) -> ColumnPlan:
    """Note the shares of levels, which stand for what is unknown."""
    if plan.kind != "category" or not plan.words:
        return plan
    shares = plan.indicators(column).mean(axis=0)
    return replace(plan, codes=tuple(shares.tolist()))
