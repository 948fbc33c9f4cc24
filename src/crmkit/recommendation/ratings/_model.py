"""What rating recommenders share: predicting within the scale, the rule behind each prediction, lists of the best."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import dataclass
from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar, Literal, Self, overload

import numpy as np
import pandas as pd
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._ids import as_ids
from crmkit.recommendation._interactions import Events, Interactions, add_pairs, item_column
from crmkit.recommendation._ladder import SOURCES as RUNG_SOURCES
from crmkit.recommendation.ratings._table import Ratings, read_ratings

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.recommendation.ratings._biases import Biases

__all__ = ["LIST_PARAMETERS", "SOURCES", "Estimates", "RatingModel", "baseline_sources"]

SOURCES = (
    "neighbors",
    "factors",
    "baseline",
    "customer-mean",
    "item-mean",
    "customer-baseline",
    "item-baseline",
    "mean",
)
"""The rules that give a prediction, as ``source`` names them."""

LIST_PARAMETERS: dict[str, list[Any]] = {
    "scale": ["array-like", tuple, None],
    "duplicates": [StrOptions({"last", "mean", "error"})],
    "fallback": ["array-like", tuple],
    "popular_days": [Interval(Integral, 1, None, closed="left")],
    "memory_limit": [Integral, str],
}


@dataclass
class Estimates:
    """What a model says of pairs.

    Attributes
    ----------
    rating : ndarray of float64, shape (n_pairs,)
        Ratings, not yet held to the scale.
    source : ndarray of int8, shape (n_pairs,)
        Which of ``SOURCES`` gave each.
    neighbors : ndarray of int64, shape (n_pairs,)
        How many neighbors were asked; 0 for models without.
    """

    rating: npt.NDArray[np.float64]
    source: npt.NDArray[np.int8]
    neighbors: npt.NDArray[np.int64]


def baseline_sources(
    customer: npt.NDArray[np.int64], item: npt.NDArray[np.int64], both: str = "baseline"
) -> npt.NDArray[np.int8]:
    """Name the rule by which mean and biases rate pairs.

    Parameters
    ----------
    customer, item : ndarray of int64, shape (n_pairs,)
        Numbers; -1 for one who is unknown.
    both : str, default="baseline"
        The rule where both are known.

    Returns
    -------
    ndarray of int8, shape (n_pairs,)
        Places in ``SOURCES``.
    """
    rules = np.array(
        [SOURCES.index(name) for name in ("mean", "item-baseline", "customer-baseline", both)], dtype=np.int8
    )
    return np.asarray(rules[2 * (customer >= 0) + (item >= 0)], dtype=np.int8)


class RatingModel(BaseRecommender):
    """Reads ratings, predicts within the scale and says which rule did, and makes lists of the best predicted.

    A model says how it learns (``_learn_ratings``) and what it says of pairs (``_estimate``).
    """

    # What the base asks of models of events and ratings have no use for.
    event_weights = None
    values = "binary"
    window_days = None
    half_life_days = None
    min_rating = None

    scale: Any
    duplicates: str

    # Pairs that are estimated at once when all items are.
    _PAIRS: ClassVar[int] = 2**18

    @abstractmethod
    def _learn_ratings(self, ratings: Ratings) -> None:
        """Learn."""

    @abstractmethod
    def _estimate(self, customer: npt.NDArray[np.int64], item: npt.NDArray[np.int64]) -> Estimates:
        """Rate pairs of numbers, -1 for one without ratings."""

    def fit(  # pyright: ignore[reportIncompatibleMethodOverride] -- ratings have no kinds of event
        self,
        ratings: Any,
        y: Any = None,
        /,
        *,
        items: Any = None,
        customers: Any = None,
        cutoff: Any = None,
    ) -> Self:
        """Learn from ratings.

        Parameters
        ----------
        ratings : table
            One row a rating: ``customer_id``, ``item_id`` (or ``product_id``), ``rating``, and ``time`` or ``day``
            where it is known. Rows without one of the first three are set aside with a warning.
        y : None
            Ignored.
        items : table or None, default=None
            Of lists: one row an item, ``item_id`` and perhaps ``category``.
        customers : table or None, default=None
            Of lists: one row a customer, with ``segment``: new customers get what is popular in theirs.
        cutoff : date, time or None, default=None
            Only rows before it are read. None reads all.

        Returns
        -------
        self
            The fitted model.

        Raises
        ------
        DataError
            If ratings are no finite numbers or outside the scale, no row can be used, or an item is rated twice by one
            customer where that is an error.

        Warns
        -----
        DataWarning
            If rows are set aside, or one customer rates an item more than once and neither time nor day says which was
            the last.
        """
        super().fit(ratings, y, items=items, customers=customers, cutoff=cutoff)
        return self

    def _fit(
        self, interactions: Any, items: Any, customers: Any, cutoff: Any, rungs: list[str], kinds: Any = None
    ) -> None:
        """Read the ratings, then what every recommender reads, and learn."""
        del kinds
        table = read_ratings(interactions, scale=self.scale, duplicates=self.duplicates, cutoff=cutoff)
        self.scale_ = table.scale
        self.n_replaced_ = table.n_replaced
        super()._fit(table.frame, items, customers, cutoff if _has_days(table.frame) else None, rungs)
        self.set_aside_ = dict(table.set_aside)

    def _interactions(self, events: Events) -> Interactions:
        """Count every rated pair as one that the customer has had."""
        matrix, had = add_pairs(events, np.ones(len(events.customer)), "binary")
        has_days = events.day is not None
        return Interactions(events.customers, events.items, matrix, had, has_days, events.now, dict(events.set_aside))

    def _learn(self, interactions: Interactions, events: Events) -> None:
        """Hand the ratings on."""
        assert events.rating is not None  # noqa: S101 -- read_ratings gives the column
        ratings = Ratings(
            events.customer,
            events.item,
            events.rating,
            len(interactions.customers),
            len(interactions.items),
            self.scale_,
        )
        self.mean_ = ratings.mean
        self.n_ratings_ = len(ratings.value)
        self._item_is_rated = np.bincount(ratings.item, minlength=ratings.n_items) > 0
        self._learn_ratings(ratings)

    @overload
    def predict(self, pairs: Any, /, *, details: Literal[False] = False) -> pd.Series: ...
    @overload
    def predict(self, pairs: Any, /, *, details: Literal[True]) -> pd.DataFrame: ...
    def predict(self, pairs: Any, /, *, details: bool = False) -> pd.Series | pd.DataFrame:
        """Say which rating each customer would give each item.

        A rating that is known does not count for its own prediction. Nobody is left without a prediction: where the
        model has nothing to say, the rule that it falls back on gives one, which ``details`` names.

        Parameters
        ----------
        pairs : table
            One row a pair: ``customer_id`` and ``item_id`` (or ``product_id``), known or not.
        details : bool, default=False
            Whether to tell how each prediction came about.

        Returns
        -------
        pandas.Series or pandas.DataFrame
            With the index of ``pairs``: the ratings, within the scale; or a table of ``rating``, ``source``,
            ``neighbors`` (how many were asked) and ``held`` (whether the model said more or less than the scale
            allows). ``source`` is ``"neighbors"``, ``"factors"`` or ``"baseline"`` for what the model says of a known
            pair, ``"customer-baseline"`` or ``"item-baseline"`` where only that one is known, ``"customer-mean"`` or
            ``"item-mean"`` where neighbors are too few, and ``"mean"`` for the mean of all ratings.

        Raises
        ------
        DataError
            If a column is not there or an id is missing.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        frame = as_frame(pairs, what="pairs")
        require_columns(frame, ["customer_id"], what="pairs")
        items_in = item_column(frame, what="pairs")
        customers, no_customer = as_ids(frame["customer_id"])
        items, no_item = as_ids(frame[items_in])
        if no_customer.any() or no_item.any():
            raise DataError(f"pairs: customer_id or {items_in} is missing in {positions(no_customer | no_item)}")
        learned = self.interactions_
        with threadpool_limits(limits=1):
            said = self._estimates(learned.customers.numbers_of(customers), learned.items.numbers_of(items))
        rating = self._held(said.rating)
        if not details:
            return pd.Series(rating, index=frame.index, name="rating")
        return pd.DataFrame(
            {
                "rating": rating,
                "source": np.array(SOURCES, dtype=object)[said.source],
                "neighbors": said.neighbors,
                "held": rating != said.rating,
            },
            index=frame.index,
        )

    def _estimates(self, customer: npt.NDArray[np.int64], item: npt.NDArray[np.int64]) -> Estimates:
        """Rate pairs; an item that is listed but not rated is as unknown as one that is not listed."""
        return self._estimate(customer, np.where(self._item_is_rated[item] & (item >= 0), item, -1))

    def _held(self, rating: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Hold ratings to the scale."""
        return np.clip(rating, *self.scale_)

    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.floating]:
        """Rate all items for some customers; what nobody has rated is left to the fallback."""
        scores = np.full((len(customers), self.n_items_), -np.inf)
        rated = np.flatnonzero(self._item_is_rated)
        step = max(1, self._PAIRS // len(rated))
        for first in range(0, len(customers), step):
            some = customers[first : first + step]
            said = self._estimate(np.repeat(some, len(rated)), np.tile(rated, len(some)))
            scores[first : first + step, rated] = said.rating.reshape(len(some), len(rated))
        return scores

    def _sources(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
        """Name the rule behind each recommended pair."""
        return np.array(SOURCES, dtype=object)[self._estimates(customers, items).source]

    def _as_table(self, ids: npt.NDArray[Any], parts: list[tuple[npt.NDArray[Any], ...]]) -> pd.DataFrame:
        """Give lists in the order of what was predicted, and the scores within the scale."""
        table = super()._as_table(ids, parts)
        own = ~table["source"].isin(list(RUNG_SOURCES.values())).to_numpy()
        score = table["score"].to_numpy(copy=True)
        score[own] = self._held(score[own])
        return table.assign(score=score)


def _has_days(frame: pd.DataFrame) -> bool:
    """Say whether a table tells when its rows were."""
    return "time" in frame.columns or "day" in frame.columns


def unanswered(
    otherwise: str, biases: Biases, customer: npt.NDArray[np.int64], item: npt.NDArray[np.int64]
) -> Estimates:
    """Rate pairs of which the model itself has nothing to say.

    Parameters
    ----------
    otherwise : {"baseline", "mean"}
        By mean and biases, or by the mean alone.
    biases : Biases
        Of customers and items.
    customer, item : ndarray of int64, shape (n_pairs,)
        Numbers; -1 for one who is unknown.

    Returns
    -------
    Estimates
        A rating for each.
    """
    nobody = np.zeros(len(customer), dtype=np.int64)
    if otherwise == "mean":
        return Estimates(
            np.full(len(customer), biases.mean), np.full(len(customer), SOURCES.index("mean"), dtype=np.int8), nobody
        )
    return Estimates(biases.of(customer, item), baseline_sources(customer, item), nobody)
