"""Named segments from the classic recency, frequency and monetary scores, with frozen cuts."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from scipy.stats import rankdata
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted, validate_data

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["RfmRules"]

N_SCORES = 5

# One row a recency score from 1 (longest ago) to 5 (most recent), one column a worth score from 1 to 5.
# Every cell holds exactly one name, so the names are a partition of the scores by construction.
_GRID = (
    ("lost", "lost", "at risk", "at risk", "cannot lose"),
    ("hibernating", "hibernating", "at risk", "at risk", "cannot lose"),
    ("about to sleep", "about to sleep", "need attention", "loyal", "loyal"),
    ("promising", "potential loyal", "potential loyal", "loyal", "champions"),
    ("new", "potential loyal", "potential loyal", "champions", "champions"),
)
_NAMES = (
    "champions", "loyal", "potential loyal", "new", "promising", "need attention", "about to sleep", "at risk",
    "cannot lose", "hibernating", "lost",
)  # fmt: skip
_CELLS = np.array([[_NAMES.index(name) for name in row] for row in _GRID], dtype=np.int64)


class RfmRules(BaseEstimator):
    """Eleven named segments by rules on recency, frequency and monetary scores.

    Every column is scored from 1 to 5 by where its values lie among the customers it is fitted on; recency is turned
    round, so that 5 is always the good end. The recency score and the rounded mean of the other scores then name the
    segment in a fixed 5 x 5 table, of which every cell holds exactly one name. The cuts between the scores are frozen
    when fitting: a new month is scored by the old cuts, one customer alone as well as in a batch.

    Use it where people already speak of champions and customers at risk, or as the baseline that a clustering has to
    beat. It looks at ranks only: it finds no groups, it cuts. Fitting sorts each column; predicting is one binary
    search a value.

    Attributes
    ----------
    cuts_ : ndarray of shape (n_features, 4)
        A value's score is one more than the number of cuts below it (recency: five less that number). An infinite cut
        is one that no fitted value falls under.
    labels_ : ndarray of shape (n_customers,)
        Positions in ``segment_names_``.
    segment_names_ : list of str
        The eleven names.
    n_features_in_ : int
        How many columns it was fitted on.

    Notes
    -----
    Equal values always get equal scores. A tied value takes the score of its mid-rank (``ceil(5 * mid-rank share)``):
    where six customers in ten bought once, that one purchase scores 2, and where all are equal, all score 3. Splitting
    ties at random, as equal-count tiles do, would put like customers into different segments.

    The first column is days since the last purchase (small is good); in all others, large is good. It scores ranks, so
    it wants the raw columns: any rising transform would only hide the cuts' units.

    References
    ----------
    Hughes, A. M. (1994). Strategic Database Marketing. Probus.

    Examples
    --------
    >>> import numpy as np
    >>> from crmkit.segmentation import RfmRules
    >>> days, orders, spent = [1, 30, 60, 90, 365], [20, 5, 4, 2, 1], [900.0, 400.0, 200.0, 90.0, 10.0]
    >>> rules = RfmRules().fit(np.column_stack([days, orders, spent]))
    >>> rules.scores(np.array([[1, 20, 900.0], [365, 1, 10.0]])).tolist()
    [[5, 5, 5], [1, 1, 1]]
    >>> [rules.segment_names_[label] for label in rules.predict(np.array([[1, 20, 900.0], [365, 1, 10.0]]))]
    ['champions', 'lost']
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {}
    preferred_transform = "none"
    """What ``segment`` hands it: the columns as they are."""

    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's signature
        """Freeze the cuts.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            Days since the last purchase, then frequency, monetary value and any more columns where large is good.
        y : None
            Not used.

        Returns
        -------
        RfmRules
            Itself.

        Raises
        ------
        ValueError
            If a value is missing or infinite, or there are fewer than two columns.
        """
        values = np.asarray(validate_data(self, X, dtype=np.float64, ensure_min_features=2))
        self.segment_names_ = list(_NAMES)
        self.cuts_ = np.array([_cuts(column) for column in self._directed(values).T])
        self.labels_ = self._labels(values)
        return self

    def fit_predict(self, X: Any, y: Any = None) -> npt.NDArray[np.int64]:
        """Freeze the cuts and give each customer's segment.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            As in ``fit``.
        y : None
            Not used.

        Returns
        -------
        ndarray of shape (n_customers,)
            Positions in ``segment_names_``.
        """
        return self.fit(X, y).labels_

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Give each customer's segment by the frozen cuts.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The columns it was fitted on.

        Returns
        -------
        ndarray of shape (n_customers,)
            Positions in ``segment_names_``.
        """
        check_is_fitted(self)
        return self._labels(np.asarray(validate_data(self, X, dtype=np.float64, reset=False)))

    def scores(self, X: Any) -> npt.NDArray[np.int64]:
        """Give the scores behind the segments.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            The columns it was fitted on.

        Returns
        -------
        ndarray of shape (n_customers, n_features)
            1 to 5, where 5 is the good end of every column.
        """
        check_is_fitted(self)
        return self._scores(np.asarray(validate_data(self, X, dtype=np.float64, reset=False)))

    def _directed(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn recency round, so that large is good in every column."""
        directed = values.copy()
        directed[:, 0] *= -1.0
        return directed

    def _scores(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        directed = self._directed(values)
        columns = [np.searchsorted(cuts, column) for cuts, column in zip(self.cuts_, directed.T, strict=True)]
        return np.column_stack(columns).astype(np.int64) + 1

    def _labels(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.int64]:
        scores = self._scores(values)
        others = scores[:, 1:]
        # Whole numbers throughout, so that a half always rounds up and never to even.
        worth = (2 * others.sum(axis=1) + others.shape[1]) // (2 * others.shape[1])
        return np.asarray(_CELLS[scores[:, 0] - 1, worth - 1])


def _cuts(column: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the four values above which the next score begins, half-way between neighbouring values."""
    values, first = np.unique(column, return_index=True)
    middle = (rankdata(column)[first] - 0.5) / len(column)
    # Rounding first keeps a share such as 3/5 from landing a hair above its own boundary.
    score = np.clip(np.ceil(np.round(middle * N_SCORES, 9)), 1, N_SCORES)
    below = np.searchsorted(score, np.arange(1, N_SCORES), side="right")
    inner = np.clip(below, 1, max(len(values) - 1, 1))
    between = values[inner - 1] / 2 + values[np.minimum(inner, len(values) - 1)] / 2
    return np.where(below == 0, -np.inf, np.where(below == len(values), np.inf, between))
