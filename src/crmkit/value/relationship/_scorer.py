"""Scores customers by where they stood among those of one month, and says why, on a scale that stays put."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import by_customer, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.value.relationship._frozen_rank import FrozenRank
from crmkit.value.relationship._score_words import check_language, reasons
from crmkit.value.relationship._weights import read_weights

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["SCORE_WEIGHTS", "CustomerScorer"]

SCORE_WEIGHTS: Mapping[str, float] = {"value": 0.5, "loyalty": 0.3, "engagement": 0.2}
"""What each part counts."""


class CustomerScorer(BaseEstimator):
    """Scores customers from 0 to 100 by where they stood, part by part, among the customers of one month.

    Each part is turned into a rank: the share of the fitted customers who are lower, ties counting half. The score is
    100 times the mean of the ranks by their weights. The ranks are frozen when fitting: next month's customers are
    placed among those of the month it was fitted on, one alone as well as a million, and nobody's score moves because
    others came or left. Fit again when the whole base has moved.

    Use it where people want one number and its reasons. It is a declared summary, not a forecast. Fitting sorts each
    part and keeps about a thousand steps of it; scoring is one binary search a value.

    Parameters
    ----------
    weights : mapping of str to float, or None, default=None
        The columns that are scored and what each counts; they need not sum to 1. None is value 0.5, loyalty 0.3,
        engagement 0.2. Any other numeric column may be named where higher is better.

    Attributes
    ----------
    weights_ : dict of str to float
        The parts that count, summing to 1: those of ``weights`` that were there when fitting.
    values_, below_, upto_ : dict of str to ndarray
        For each part some of its values, and the share of customers below and up to each.
    n_customers_ : int
        Customers fitted on.

    Notes
    -----
    A customer of whom a part is missing is scored by the others, whose weights are shared out anew; ``known_weight``
    says how much of the weight was known. Where nothing is known, the score is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import CustomerScorer
    >>> parts = pd.DataFrame(
    ...     {"value": [10.0, 20.0, 90.0, 40.0], "loyalty": [0.1, 0.2, 0.7, 0.9]},
    ...     index=pd.Index(["a", "b", "c", "d"], name="customer_id"),
    ... )
    >>> scorer = CustomerScorer(weights={"value": 2, "loyalty": 1}).fit(parts)
    >>> scorer.predict(parts)["score"].round(1).tolist()
    [12.5, 37.5, 79.2, 70.8]
    >>> scorer.predict(parts).loc["c", "reason_for"]
    'value higher than that of 75 % of customers'
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"weights": [Mapping, None]}

    def __init__(self, *, weights: Mapping[str, float] | None = None) -> None:
        self.weights = weights

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, parts: Any, y: Any = None, /) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Freeze the scale of each part.

        Parameters
        ----------
        parts : table
            One row a customer, with ``customer_id`` as column or index, and the columns that ``weights`` names; made by
            ``score_parts`` for the usual three.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted scorer.

        Raises
        ------
        DataError
            If a weight is none, a part is infinite or no number, or no part is known of any customer.

        Warns
        -----
        DataWarning
            If a part that counts is not there, or of nobody: its weight is shared out over the others.
        """
        default = self.weights if isinstance(self.weights, Mapping) else SCORE_WEIGHTS
        weights = read_weights(self.weights, default)
        frame = by_customer(parts, what="parts")
        columns = {part: _numbers(frame, part) for part in weights if part in frame.columns}
        known = {part: column[~np.isnan(column)] for part, column in columns.items()}
        known = {part: column for part, column in known.items() if len(column)}
        if not known:
            raise DataError(f"parts holds nothing to score: none of {', '.join(weights)} is known of any customer")
        self.weights_ = read_weights({part: weights[part] for part in known}, default)
        absent = [part for part in weights if part not in known]
        if absent:
            told = ", ".join(f"{part} {weight:.3g}" for part, weight in self.weights_.items())
            warnings.warn(
                f"parts says nothing of {', '.join(absent)}: the weights are {told}; leave it out of weights= if that "
                "is meant",
                DataWarning,
                # Beyond the wrapper in which scikit-learn checks parameters.
                stacklevel=3,
            )
        ranks = {part: FrozenRank.of(column) for part, column in known.items()}
        self.values_ = {part: rank.values for part, rank in ranks.items()}
        self.below_ = {part: rank.below for part, rank in ranks.items()}
        self.upto_ = {part: rank.upto for part, rank in ranks.items()}
        self.n_customers_ = len(frame)
        return self

    def predict(self, parts: Any, *, language: str = "en") -> pd.DataFrame:
        """Score customers on the frozen scale.

        Parameters
        ----------
        parts : table
            As for ``fit``; it need not be the same customers.
        language : {"en", "zh"}, default="en"
            Of the reasons.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``customer_id``, in the order given: ``score`` (0 to 100); for each part ``<part>_rank`` (0 to 1)
            and ``<part>_points``, which sum to the score; ``known_weight`` (1 where all parts are known); and
            ``reason_for`` and ``reason_against``, the part that raises the score most above, and that lowers it most
            below, the 50 points of someone in the middle.

        Raises
        ------
        DataError
            If a part that was fitted is not there, is infinite or no number. A table in which a part is unknown needs
            the column with missing values: a forgotten column is not taken for one.
        sklearn.exceptions.NotFittedError
            If it is not fitted.
        """
        check_is_fitted(self)
        check_language(language)
        frame = by_customer(parts, what="parts")
        names = list(self.weights_)
        require_columns(frame, names, what="parts", hint="where a part is unknown of all, give it as missing values")
        size = len(frame)
        below, upto = np.empty((2, len(names), size))
        for row, part in enumerate(names):
            rank = FrozenRank(self.values_[part], self.below_[part], self.upto_[part])
            below[row], upto[row] = rank.shares(_numbers(frame, part))
        ranks = (below + upto) / 2
        known = ~np.isnan(ranks)
        weight = np.array(list(self.weights_.values()))[:, None] * known
        total = weight.sum(axis=0)
        weight = np.divide(weight, total, out=np.zeros_like(weight), where=total > 0)
        points = np.where(known, 100 * weight * np.where(known, ranks, 0.0), np.nan)
        pull = np.where(known, weight * (np.where(known, ranks, 0.5) - 0.5), 0.0)
        best, worst = pull.argmax(axis=0), pull.argmin(axis=0)
        customer = np.arange(size)
        best_share, worst_share = below[best, customer], 1 - upto[worst, customer]
        best = np.where(pull[best, customer] > 0, best, -1)
        worst = np.where(pull[worst, customer] < 0, worst, -1)
        columns: dict[str, Any] = {"score": np.where(total > 0, np.nansum(points, axis=0), np.nan)}
        columns.update({f"{part}_rank": ranks[row] for row, part in enumerate(names)})
        columns.update({f"{part}_points": points[row] for row, part in enumerate(names)})
        columns["known_weight"] = total
        columns["reason_for"] = reasons(names, best, best_share, total > 0, speaks_for=True, language=language)
        columns["reason_against"] = reasons(names, worst, worst_share, total > 0, speaks_for=False, language=language)
        return pd.DataFrame(columns, index=frame.index)


def _numbers(frame: pd.DataFrame, part: str) -> Floats:
    """Give a part as floats; missing is allowed, infinite is not."""
    series = frame[part]
    if not pd.api.types.is_numeric_dtype(series.dtype):
        raise DataError(f"parts: {part} must hold numbers, got {series.dtype}")
    values = series.to_numpy(dtype=np.float64, na_value=np.nan)
    if np.isinf(values).any():
        raise DataError(f"parts: {part} is infinite in {positions(np.isinf(values))}")
    return values
