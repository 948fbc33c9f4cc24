"""Recency, frequency and monetary scores, with cuts that are frozen when fitting."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, TransformerMixin, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.segmentation.segmenters._rfm_columns import Roles, default_columns, per_column, read_roles
from crmkit.segmentation.segmenters._rfm_cuts import FEWEST, MOST, checked_cuts, jenks_cuts, quantile_cuts

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

__all__ = ["RfmScores"]

DEFAULT_SCORES = 5


class RfmScores(TransformerMixin, BaseEstimator):
    """Scores of each column from 1 to 5 (or another number), where the highest is always the good end.

    The cuts between the scores are worked out when fitting, or given, and then frozen: a new month is scored by the
    old cuts, one customer alone as well as in a batch. Equal values always get equal scores. Recency is the column
    where few days are good; it is known by its name wherever it stands, and the first column where no name tells.

    Three ways to cut. ``"quantiles"``: about equal shares of customers a score; a value that many share takes the
    score of its middle rank, so that where six in ten bought once, one purchase scores 2. Looks at ranks only, says
    nothing of how far apart values are. ``"jenks"``: natural breaks, the exact optimum; follows gaps, and gives a long
    tail scores of its own. ``"fixed"``: your cuts, the same for every customer base and year; the only scores that
    mean the same in two companies.

    Cost: a sort of each column; ``"jenks"`` beyond that about a second for a million distinct values. Scoring is one
    binary search a value.

    Parameters
    ----------
    scoring : {"quantiles", "jenks", "fixed"}, default="quantiles"
        How the cuts are found.
    n_scores : int or mapping, default=5
        How many scores, 2 to 10; by column name or place where they differ (5 for the others). With ``"fixed"`` it
        follows from the cuts.
    cuts : mapping or sequence, or None, default=None
        With ``"fixed"``: for each column, by name or place, the upper ends of all intervals but the last, in the
        column's own unit. ``{"recency_days": [30, 90, 180, 365], ...}`` gives five scores: up to 30 days 5, above 365
        days 1.
    small_is_good : str, sequence of str or int, or None, default=None
        The columns where small is good. None: those named like recency (``recency_days``, ``days_since_order``), else
        the first.
    feature_names : sequence of str or None, default=None
        Names of the columns where X is an array. None: ``recency_days``, ``frequency``, ``monetary``. ``segment`` sets
        them.

    Attributes
    ----------
    cuts_ : list of ndarray
        For each column the rising cuts in its own unit: a value lies on the level of the number of cuts below it.
        Infinite where no fitted value lies on the other side.
    n_scores_ : list of int
        For each column.
    small_is_good_ : list of bool
        For each column.
    columns_ : list of str
        Names of the columns.
    recency_ : int
        Place of recency.
    counts_ : list of ndarray
        For each column, how many fitted customers have each score from 1 on.
    notes_ : list of str
        What was assumed and should be known.
    n_features_in_ : int
        How many columns it was fitted on.

    See Also
    --------
    rfm_scores : The scores of a customer table, in one call.
    RfmRules : Named segments from the scores.

    References
    ----------
    Hughes, A. M. (1994). Strategic Database Marketing. Probus.
    Fisher, W. D. (1958). On grouping for maximum homogeneity. doi:10.1080/01621459.1958.10501479.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.segmentation import RfmScores
    >>> scorer = RfmScores(scoring="fixed", cuts={"recency_days": [30, 90], "frequency": [1, 4]})
    >>> scorer.fit_transform(np.array([[12, 5], [90, 1], [400, 2]])).tolist()
    [[3, 3], [2, 1], [1, 2]]
    >>> scorer.score_table
             column  score  above  up_to  customers
    0  recency_days      1   90.0    inf          1
    1  recency_days      2   30.0   90.0          1
    2  recency_days      3   -inf   30.0          1
    3     frequency      1   -inf    1.0          1
    4     frequency      2    1.0    4.0          1
    5     frequency      3    4.0    inf          1
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        "scoring": [StrOptions({"quantiles", "jenks", "fixed"})],
        "n_scores": [Interval(Integral, FEWEST, MOST, closed="both"), Mapping],
        "cuts": [Mapping, "array-like", None],
        "small_is_good": [str, Integral, "array-like", None],
        "feature_names": ["array-like", None],
    }

    columns_: list[str]
    bases_: list[str]
    small_is_good_: list[bool]
    recency_: int
    cuts_: list[npt.NDArray[np.float64]]
    n_scores_: list[int]
    counts_: list[npt.NDArray[np.int64]]
    notes_: list[str]
    n_features_in_: int

    def __init__(
        self,
        scoring: str = "quantiles",
        *,
        n_scores: Any = DEFAULT_SCORES,
        cuts: Any = None,
        small_is_good: Any = None,
        feature_names: Sequence[str] | None = None,
    ) -> None:
        self.scoring = scoring
        self.n_scores = n_scores
        self.cuts = cuts
        self.small_is_good = small_is_good
        self.feature_names = feature_names

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's signature
        """Freeze the cuts.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            Finite numbers, one column a figure.
        y : None
            Not used.

        Returns
        -------
        RfmScores
            Itself.

        Raises
        ------
        ValueError
            If a value is missing, infinite or no number (columns named, with row positions), or cuts or numbers of
            scores do not fit the columns.
        """
        values = self._read(X, reset=True)
        roles = self._roles(values.shape[1])
        self.columns_, self.bases_ = list(roles.columns), list(roles.bases)
        self.small_is_good_, self.recency_, self.notes_ = list(roles.small_is_good), roles.recency, list(roles.notes)
        _refuse(values, self.columns_)
        self.cuts_ = self._fitted_cuts(values)
        self.n_scores_ = [len(cuts) + 1 for cuts in self.cuts_]
        self.counts_ = [
            np.bincount(scores - 1, minlength=n_scores)
            for scores, n_scores in zip(self._scores(values).T, self.n_scores_, strict=True)
        ]
        return self

    def transform(self, X: Any) -> npt.NDArray[np.int64]:
        """Give the scores by the frozen cuts.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The columns it was fitted on.

        Returns
        -------
        ndarray of shape (n_customers, n_features)
            From 1, where the highest is the good end of every column.
        """
        check_is_fitted(self)
        values = self._read(X, reset=False)
        _refuse(values, self.columns_)
        return self._scores(values)

    def get_feature_names_out(self, input_features: Any = None) -> npt.NDArray[np.object_]:  # noqa: ARG002 -- scikit-learn's signature
        """Name the columns of scores.

        Parameters
        ----------
        input_features : None
            Not used.

        Returns
        -------
        ndarray of str
            ``recency_score`` for ``recency_days``.
        """
        check_is_fitted(self)
        return np.array([f"{base}_score" for base in self.bases_], dtype=object)

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        # Scores are whole numbers, whatever the columns are.
        tags.transformer_tags.preserves_dtype = []
        return tags

    @property
    def score_table(self) -> pd.DataFrame:
        """What each score means: above and up to which value, and how many fitted customers have it."""
        import pandas as pd

        check_is_fitted(self)
        parts = []
        for place, cuts in enumerate(self.cuts_):
            ends = np.concatenate([[-np.inf], cuts, [np.inf]])
            turn = -1 if self.small_is_good_[place] else 1
            parts.append(
                pd.DataFrame(
                    {
                        "column": self.columns_[place],
                        "score": np.arange(1, len(cuts) + 2),
                        "above": ends[:-1][::turn],
                        "up_to": ends[1:][::turn],
                        "customers": self.counts_[place],
                    }
                )
            )
        return pd.concat(parts, ignore_index=True)

    def _read(self, X: Any, *, reset: bool) -> npt.NDArray[np.float64]:
        """Read numbers; what cannot be used is told by column and row, never by its value."""
        try:
            read = validate_data(self, X, dtype=np.float64, ensure_all_finite=False, reset=reset)
        except ValueError as error:
            if "could not convert" not in str(error):
                raise
            kinds = {str(name): str(dtype) for name, dtype in getattr(X, "dtypes", {}).items()}
            told = f" (the columns are {', '.join(f'{name} {kind}' for name, kind in kinds.items())})" if kinds else ""
            raise DataError(f"X holds text that is no number{told}") from None
        return np.asarray(read)

    def _roles(self, count: int) -> Roles:
        """Say what the columns are, from a table's own names, else those that were given."""
        own = getattr(self, "feature_names_in_", None)
        given = None if self.feature_names is None else [str(name) for name in self.feature_names]
        if given is not None and len(given) != count:
            raise DataError(f"feature_names names {len(given)} columns, but X has {count}")
        if own is not None and given is not None and list(own) != given:
            raise DataError("feature_names and the columns of X differ: leave feature_names out for a table")
        names = list(own) if own is not None else given
        return read_roles(default_columns(count) if names is None else names, self.small_is_good, named=bool(names))

    def _fitted_cuts(self, values: npt.NDArray[np.float64]) -> list[npt.NDArray[np.float64]]:
        """Work out or check the cuts of every column."""
        asked = self.n_scores
        each = per_column(asked, self.columns_, what="n_scores") if isinstance(asked, Mapping) else {}
        for place, number in each.items():
            if isinstance(number, bool) or not isinstance(number, int | np.integer) or not FEWEST <= number <= MOST:
                raise DataError(f"n_scores of {self.columns_[place]!r} must be {FEWEST} to {MOST}, got {number!r}")
        wanted = [int(each.get(place, DEFAULT_SCORES if each else asked)) for place in range(values.shape[1])]
        if self.scoring != "fixed":
            if self.cuts is not None:
                raise DataError(f"cuts are for scoring='fixed', got scoring={self.scoring!r}")
            cut = quantile_cuts if self.scoring == "quantiles" else jenks_cuts
            return [
                cut(column, n_scores, small_is_good=small)
                for column, n_scores, small in zip(values.T, wanted, self.small_is_good_, strict=True)
            ]
        given = per_column(self.cuts if self.cuts is not None else {}, self.columns_, what="cuts")
        without = [name for place, name in enumerate(self.columns_) if place not in given]
        if without:
            raise DataError(f"scoring='fixed' needs cuts for every column; none for {', '.join(map(repr, without))}")
        cuts = [checked_cuts(given[place], name) for place, name in enumerate(self.columns_)]
        for place, name in enumerate(self.columns_):
            stated = place in each or (not each and asked != DEFAULT_SCORES)
            if stated and wanted[place] != len(cuts[place]) + 1:
                raise DataError(f"{len(cuts[place])} cuts of {name!r} make {len(cuts[place]) + 1} scores, "
                                f"but n_scores is {wanted[place]}: leave n_scores out")  # fmt: skip
        return cuts

    def _scores(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        scores = np.empty(values.shape, dtype=np.int64)
        for place, (cuts, small) in enumerate(zip(self.cuts_, self.small_is_good_, strict=True)):
            level = np.searchsorted(cuts, values[:, place])
            scores[:, place] = len(cuts) + 1 - level if small else level + 1
        return scores


def _refuse(values: npt.NDArray[np.float64], columns: Sequence[str]) -> None:
    """Refuse values that have no score, naming columns and rows."""
    problems = []
    for name, column in zip(columns, values.T, strict=True):
        if np.isnan(column).any():
            problems.append(f"{name!r} is missing (NaN) in {positions(np.isnan(column))}")
        if np.isinf(column).any():
            problems.append(f"{name!r} is infinite in {positions(np.isinf(column))}")
    if problems:
        raise DataError(f"X cannot be scored: {'; '.join(problems)}")
