"""The scores of a customer table, in one call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError
from crmkit.segmentation._features import RFM_COLUMNS, choose_features, feature_frame, read_customers
from crmkit.segmentation.segmenters._rfm_cuts import MOST
from crmkit.segmentation.segmenters._rfm_scores import DEFAULT_SCORES, RfmScores

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["rfm_scores"]


def rfm_scores(
    rfm_table: Any,
    scoring: Any = "quantiles",
    *,
    n_scores: Any = DEFAULT_SCORES,
    cuts: Any = None,
    small_is_good: Any = None,
    features: Sequence[str] | None = None,
) -> pd.DataFrame:
    """Score every customer of a table by recency, frequency and monetary value.

    Parameters
    ----------
    rfm_table : table
        One row a customer, ``customer_id`` as index or column; ``preparation.rfm_table`` makes it.
    scoring : {"quantiles", "jenks", "fixed"} or RfmScores, default="quantiles"
        How the cuts are found; or a fitted scorer, whose frozen cuts are used: next month by this month's yardstick.
    n_scores, cuts, small_is_good : optional
        As ``RfmScores`` takes them; not with a scorer.
    features : sequence of str or None, default=None
        The columns. None: ``recency_days``, ``frequency`` and ``monetary``, or those of the scorer.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``: ``recency_score``, ``frequency_score``, ``monetary_score`` (the columns' names
        without their units), and ``rfm_cell``, the scores in one text: ``"545"``, or ``"10-4-5"`` where a column has
        ten scores.

    Raises
    ------
    DataError
        If the table cannot be used; columns and row positions are named.

    Examples
    --------
    >>> from crmkit import segmentation
    >>> table = {"customer_id": ["a", "b", "c"], "recency_days": [3, 40, 300], "frequency": [9, 2, 1],
    ...          "monetary": [900.0, 80.0, 20.0]}
    >>> segmentation.rfm_scores(table, n_scores=3).reset_index()
      customer_id  recency_score  frequency_score  monetary_score rfm_cell
    0           a              3                3               3      333
    1           b              2                2               2      222
    2           c              1                1               1      111
    >>> scorer = segmentation.RfmScores(n_scores=3).fit([[3, 9, 900], [40, 2, 80], [300, 1, 20]])
    >>> later = {"customer_id": ["a"], "recency_days": [33], "frequency": [9], "monetary": [900.0]}
    >>> segmentation.rfm_scores(later, scorer)["rfm_cell"].tolist()
    ['233']
    """
    frame = read_customers(rfm_table)
    if isinstance(scoring, RfmScores):
        if n_scores != DEFAULT_SCORES or cuts is not None or small_is_good is not None:
            raise DataError("a fitted scorer has its cuts: n_scores, cuts and small_is_good are for scoring by name")
        check_is_fitted(scoring)
        chosen = tuple(scoring.columns_) if features is None else choose_features(frame, features, rfm=False)
        if len(chosen) != scoring.n_features_in_:
            raise DataError(f"the scorer was fitted on {scoring.n_features_in_} columns, features names {len(chosen)}")
        values = feature_frame(frame, chosen)
        scorer = scoring
    else:
        chosen = choose_features(frame, RFM_COLUMNS if features is None else features, rfm=False)
        values = feature_frame(frame, chosen)
        scorer = RfmScores(
            scoring, n_scores=n_scores, cuts=cuts, small_is_good=small_is_good, feature_names=list(chosen)
        ).fit(values.to_numpy())
    scores = scorer._scores(values.to_numpy())  # noqa: SLF001 -- the values are checked, and may be named otherwise
    scored = pd.DataFrame(scores, index=frame.index, columns=list(scorer.get_feature_names_out()))
    joiner = "-" if max(scorer.n_scores_) >= MOST else ""
    texts = np.arange(MOST + 1).astype(str).astype(object)
    cell = texts[scores[:, 0]]
    for column in scores.T[1:]:
        cell = cell + joiner + texts[column]
    scored["rfm_cell"] = cell.tolist()
    return scored
