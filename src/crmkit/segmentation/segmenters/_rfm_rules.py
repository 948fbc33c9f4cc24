"""Named segments from recency, frequency and monetary scores, by a map that is proved to place everybody once."""

from __future__ import annotations

from collections.abc import Mapping
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted, validate_data

from crmkit.segmentation.segmenters._rfm_cuts import FEWEST, MOST
from crmkit.segmentation.segmenters._rfm_map_rows import read_map
from crmkit.segmentation.segmenters._rfm_maps import LANGUAGES
from crmkit.segmentation.segmenters._rfm_notes import notes_on_sizes
from crmkit.segmentation.segmenters._rfm_partition import Dimensions, prove
from crmkit.segmentation.segmenters._rfm_scores import DEFAULT_SCORES, RfmScores

if TYPE_CHECKING:
    from collections.abc import Sequence
    from pathlib import Path

    import numpy.typing as npt
    import pandas as pd

__all__ = ["RfmRules"]


class RfmRules(BaseEstimator):
    """Named segments by rules on recency, frequency and monetary scores.

    Every column is scored (``RfmScores``: quantiles, natural breaks or fixed cuts; the highest score is always the good
    end), and a map names the segment of every combination of scores. When fitting, the map is proved to be a
    partition: every combination is looked at, and one that no segment covers or that two claim is an error that names
    it. Cuts and map are frozen: a new month is scored by the old cuts, one customer alone as well as in a batch.

    Use it where people already speak of champions and customers at risk, or as the baseline that a clustering has to
    beat. It finds no groups, it cuts. Fitting sorts each column; predicting is one binary search a value.

    Parameters
    ----------
    segments : str, path, table or list of dict, default="eleven"
        The map. ``"eleven"``, ``"ten"`` or ``"eight"`` of ``rfm_segment_map``; a table, a list of dicts, or a CSV,
        Parquet or TOML file (``[[segments]]``) with one row a range: ``segment``; any of ``recency_low``,
        ``recency_high``, ``frequency_low``, … ``worth_low``, ``worth_high`` (ends included, left open where blank); and
        ``where``, an expression such as ``"recency >= 4 and worth != 3"``. Rows of one name add up. ``worth`` is the
        rounded mean of all scores but recency.
    scoring : {"quantiles", "jenks", "fixed"}, default="quantiles"
        How the cuts between scores are found.
    n_scores : int or mapping, default=5
        How many scores, 2 to 10; by column where they differ. ``"eleven"`` and ``"ten"`` need five.
    cuts : mapping or sequence, or None, default=None
        With ``"fixed"``: the cuts of every column.
    small_is_good : str, sequence of str or int, or None, default=None
        The columns where small is good. None: those named like recency, else the first.
    feature_names : sequence of str or None, default=None
        Names of the columns where X is an array. None: ``recency_days``, ``frequency``, ``monetary``. ``segment`` sets
        them.
    language : {"en", "zh"} or None, default=None
        Of a built-in map's names; None is English. ``segment`` sets it.

    Attributes
    ----------
    scorer_ : RfmScores
        The frozen scores; ``scorer_.score_table`` says what each means.
    segment_names_ : list of str
        The names, in the order of the map.
    labels_ : ndarray of shape (n_customers,)
        Positions in ``segment_names_``.
    parts_ : list of str
        The scores the map speaks of.
    cells_ : ndarray of int
        Position in ``segment_names_`` of every combination of these; one axis a part, from score 1 on.
    notes_ : list of str
        What was assumed of the columns; and each segment that holds more than 40 % of the customers, with the reason.
    n_features_in_ : int
        How many columns it was fitted on.

    See Also
    --------
    rfm_segment_map : The built-in maps as tables.
    RfmScores : The scores alone.

    Notes
    -----
    It scores the columns' own values, so it wants them raw: any rising transform would only hide the cuts' units.
    ``frequency`` and ``monetary`` of a map are the columns of that name, else the first and second of those that are
    not recency.

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
    >>> RfmRules([{"segment": "recent", "recency_low": 4}, {"segment": "rest", "recency_high": 2}]).fit([[1, 2, 3]])
    Traceback (most recent call last):
        ...
    crmkit.core.errors.DataError: the segment map is no partition of the scores: no segment covers recency 3
    """

    _parameter_constraints: ClassVar[dict[str, Any]] = {
        # Read and checked by itself: tables of several libraries, rows and files.
        "segments": "no_validation",
        "scoring": [StrOptions({"quantiles", "jenks", "fixed"})],
        "n_scores": [Interval(Integral, FEWEST, MOST, closed="both"), Mapping],
        "cuts": [Mapping, "array-like", None],
        "small_is_good": [str, Integral, "array-like", None],
        "feature_names": ["array-like", None],
        "language": [StrOptions(set(LANGUAGES)), None],
    }
    scorer_: RfmScores
    map_: list[dict[str, Any]]
    segment_names_: list[str]
    parts_: list[str]
    cells_: npt.NDArray[np.int64]
    labels_: npt.NDArray[np.int64]
    notes_: list[str]
    preferred_transform = "none"
    """What ``segment`` hands it: the columns as they are."""

    def __init__(
        self,
        segments: str | Path | Any = "eleven",
        *,
        scoring: str = "quantiles",
        n_scores: Any = DEFAULT_SCORES,
        cuts: Any = None,
        small_is_good: Any = None,
        feature_names: Sequence[str] | None = None,
        language: str | None = None,
    ) -> None:
        self.segments = segments
        self.scoring = scoring
        self.n_scores = n_scores
        self.cuts = cuts
        self.small_is_good = small_is_good
        self.feature_names = feature_names
        self.language = language

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, X: Any, y: Any = None) -> Self:  # noqa: ARG002 -- scikit-learn's signature
        """Freeze the cuts and prove the map.

        Parameters
        ----------
        X : array-like of shape (n_customers, n_features)
            Days since the last purchase, frequency, monetary value and any more columns.
        y : None
            Not used.

        Returns
        -------
        RfmRules
            Itself.

        Raises
        ------
        ValueError
            If a value is missing or infinite, there are fewer than two columns, or the map does not fit the scores or
            is no partition of them.
        """
        validate_data(self, X, dtype=None, ensure_all_finite=False, ensure_min_features=2)
        self.scorer_ = RfmScores(
            self.scoring,
            n_scores=self.n_scores,
            cuts=self.cuts,
            small_is_good=self.small_is_good,
            feature_names=self.feature_names,
        ).fit(X)
        dimensions = self._dimensions()
        self.map_ = read_map(self.segments, dimensions, self.language or "en")
        partition = prove(self.map_, dimensions)
        self.segment_names_, self.parts_, self.cells_ = partition.names, partition.parts, partition.cells
        scores = self.scorer_.transform(X)
        self.labels_ = self._labels(scores)
        values = np.asarray(X, dtype=np.float64)
        self.notes_ = [
            *self.scorer_.notes_,
            *notes_on_sizes(values, scores, self.labels_, self.scorer_, partition, dimensions),
        ]
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
        self.fit(X, y)
        return self.labels_

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
        return self._labels(self.scores(X))

    def scores(self, X: Any) -> npt.NDArray[np.int64]:
        """Give the scores behind the segments.

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
        validate_data(self, X, dtype=None, ensure_all_finite=False, reset=False)
        return self.scorer_.transform(X)

    @property
    def cuts_(self) -> list[npt.NDArray[np.float64]]:
        """The rising cuts of each column, in its own unit."""
        return self.scorer_.cuts_

    @property
    def segment_map(self) -> pd.DataFrame:
        """The map as a table, as it was read."""
        import pandas as pd

        check_is_fitted(self)
        return pd.DataFrame(self.map_)

    def _dimensions(self) -> Dimensions:
        return Dimensions.of(self.scorer_.bases_, self.scorer_.n_scores_, self.scorer_.recency_)

    def _labels(self, scores: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
        dimensions = self._dimensions()
        return np.asarray(self.cells_[tuple(dimensions.scores_of(part, scores) - 1 for part in self.parts_)])
