"""What every recommender shares: reading events, scoring in blocks, rules, the fallback ladder and explanations."""

from __future__ import annotations

import logging
from abc import ABC, abstractmethod
from collections.abc import Mapping
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.recommendation._diversity import CANDIDATES, item_vectors, reorder
from crmkit.recommendation._ids import as_ids
from crmkit.recommendation._interactions import Events, Interactions, item_column, read_events, read_interactions
from crmkit.recommendation._ladder import RUNGS, SOURCES, Ladder
from crmkit.recommendation._memory import as_bytes
from crmkit.recommendation._rules import Rules, waiting_days
from crmkit.recommendation._side_tables import Labels, labels_of, read_customers, read_items
from crmkit.recommendation._top import top_n

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.recommendation._ids import Ids

__all__ = ["BaseRecommender"]

_LOG = logging.getLogger("crmkit.recommendation")

_BYTES_A_CANDIDATE = 2048
"""Memory for a candidate of a list that is made diverse: its vector, twice, and some room."""

Reasons = tuple["npt.NDArray[np.int64]", "npt.NDArray[np.int64]", "npt.NDArray[np.float64]"]


class BaseRecommender(BaseEstimator, ABC):
    """A model that scores every item for a customer with events.

    A model says how it learns (``_learn``) and how it scores a block of customers (``_scores``); this class reads the
    events, keeps to the rules, fills lists up and gives ids back. A model whose scores are sums over the customer's
    items also gives the summands (``_because``), which ``explain`` shows.

    Parameters
    ----------
    event_weights : mapping of str to float or None, default=None
        What each kind in the column ``event`` weighs, such as ``{"view": 0.1, "purchase": 1.0}``. Needed where there
        is more than one kind.
    values : {"binary", "count", "log"}, default="binary"
        The value of a pair of customer and item: the greatest weight among its events, their sum, or log(1 + sum).
    window_days : int or None, default=None
        Learn only from events of so many days before the cutoff.
    half_life_days : float or None, default=None
        Days after which an event weighs half.
    min_rating : float or None, default=None
        Learn only from events rated at least so high.
    fallback : sequence of {"segment", "category", "popular", "any"}, default=all four
        What fills a list where the model has nothing to say, in order.
    popular_days : int, default=30
        Days of events that count as popular in the fallback.
    memory_limit : int or str, default="256MB"
        What scoring may take at once, in bytes or as text; changes only the speed.

    Attributes
    ----------
    interactions_ : Interactions
        The matrix of customers and items, what was bought, and the ids.
    n_customers_, n_items_ : int
        How many there are.
    set_aside_ : dict of str to int
        Rows that could not be used, by reason.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "event_weights": [Mapping, None],
        "values": [StrOptions({"binary", "count", "log"})],
        "window_days": [Interval(Integral, 1, None, closed="left"), None],
        "half_life_days": [Interval(Real, 0, None, closed="neither"), None],
        "min_rating": [Real, None],
        "fallback": ["array-like", tuple, str],
        "popular_days": [Interval(Integral, 1, None, closed="left")],
        "memory_limit": [Integral, str],
    }

    _source: ClassVar[str]
    # What ``exclude="auto"`` means for this model.
    _excluded: ClassVar[str] = "bought"
    # Memory that scoring takes for a pair of customer and item, all copies counted.
    _bytes_a_cell: ClassVar[int] = 48
    # Whether it also scores customers without events, whose number is -1.
    _knows_everyone: ClassVar[bool] = False
    _transient: ClassVar[tuple[str, ...]] = ("_item_vectors",)

    def __init__(
        self,
        *,
        event_weights: Mapping[str, float] | None = None,
        values: str = "binary",
        window_days: int | None = None,
        half_life_days: float | None = None,
        min_rating: float | None = None,
        fallback: Sequence[str] = RUNGS,
        popular_days: int = 30,
        memory_limit: int | str = "256MB",
    ) -> None:
        self.event_weights = event_weights
        self.values = values
        self.window_days = window_days
        self.half_life_days = half_life_days
        self.min_rating = min_rating
        self.fallback = fallback
        self.popular_days = popular_days
        self.memory_limit = memory_limit

    @abstractmethod
    def _learn(self, interactions: Interactions, events: Events) -> None:
        """Learn from the matrix; events are there for what the matrix does not tell, and are not kept."""

    @abstractmethod
    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.floating]:
        """Score every item for some customers, by number, minus infinity where the model has nothing to say.

        Gives ``(n, n_items)`` in memory of its own, which the caller writes into.
        """

    def _because(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Reasons:
        """Give the summands of the score of each pair: the pair's place, the item of the customer, and the weight."""
        raise NotImplementedError

    def _explains(self) -> bool:
        """Say whether there are summands."""
        return type(self)._because is not BaseRecommender._because  # noqa: SLF001 -- our own method

    def _usually_excluded(self) -> str:
        """Give what ``exclude="auto"`` means."""
        return self._excluded

    def _sources(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> npt.NDArray[np.object_]:
        """Give what stands in ``source`` for each pair that this model gave."""
        del customers
        return np.full(len(items), self._source, dtype=object)

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(
        self,
        interactions: Any,
        y: Any = None,  # noqa: ARG002 -- scikit-learn passes y
        /,
        *,
        items: Any = None,
        customers: Any = None,
        cutoff: Any = None,
        events: str | Sequence[str] | None = None,
    ) -> Self:
        """Learn from events.

        Parameters
        ----------
        interactions : table
            One row an event: ``customer_id``, ``item_id`` (or ``product_id``) and, where known, ``time`` or ``day``,
            ``event``, ``quantity``, ``amount``, ``rating``. Negative quantities (or amounts, where there are no
            quantities) take back what was bought.
        y : None
            Ignored.
        items : table or None, default=None
            One row an item, ``item_id`` and perhaps ``category``; may name items that nobody has bought yet.
        customers : table or None, default=None
            One row a customer, with ``segment``: new customers get what is popular in theirs.
        cutoff : date, time or None, default=None
            Only rows before it are read; ages are counted from it. None reads all, up to the day of the last one.
        events : str, sequence of str or None, default=None
            The kinds of event by which a customer comes to have an item, such as ``"order"`` where others are views;
            None for ``"purchase"`` where that is a kind, and for all kinds otherwise.

        Returns
        -------
        self
            The fitted model.

        Raises
        ------
        DataError
            If the tables cannot be read or leave nothing to learn from.
        """
        as_bytes(self.memory_limit)
        rungs = self._rungs()
        state: Any = self.__dict__
        before = dict(state)
        try:
            with threadpool_limits(limits=1):
                self._fit(interactions, items, customers, cutoff, rungs, events)
        except Exception:
            # What could not be fitted again stays as it was fitted before.
            state.clear()
            state.update(before)
            raise
        return self

    def _fit(
        self, interactions: Any, items: Any, customers: Any, cutoff: Any, rungs: list[str], kinds: Any = None
    ) -> None:
        """Read the tables and learn."""
        item_ids, table = read_items(items) if items is not None else (None, None)
        segments = read_customers(customers) if customers is not None else None
        had = None if kinds is None else (kinds,) if isinstance(kinds, str) else tuple(kinds)
        events = read_events(
            interactions, event_weights=self.event_weights, had_events=had, cutoff=cutoff, more_items=item_ids
        )
        if table is not None and item_ids is not None:
            events.goods = events.items.numbers_of(item_ids), table
        self._fit_events(events, segments, rungs)

    def _fit_events(self, events: Events, segments: tuple[Ids, Labels] | None, rungs: list[str]) -> None:
        """Learn from events that are read already."""
        learned = self._interactions(events)
        self._forget()
        self.interactions_ = learned
        self.n_customers_, self.n_items_ = len(learned.customers), len(learned.items)
        self.set_aside_ = dict(learned.set_aside)
        self.categories_: Labels | None = None
        place, table = events.goods
        if "category" in table.columns:
            labels = labels_of(table["category"])
            code = np.full(self.n_items_, -1, dtype=np.int64)
            code[place] = labels.code
            self.categories_ = Labels(labels.names, code)
        self.ladder_ = Ladder(rungs)
        self.ladder_.learn(events, learned, days=self.popular_days, categories=self.categories_, segments=segments)
        self._learn(learned, events)

    def _forget(self) -> None:
        """Drop what was made of an earlier fit and is not part of it."""
        for name in self._transient:
            if hasattr(self, name):
                delattr(self, name)

    def _interactions(self, events: Events) -> Interactions:
        """Add events up as the parameters say."""
        return read_interactions(
            events,
            values=self.values,
            window_days=self.window_days,
            half_life_days=self.half_life_days,
            min_rating=self.min_rating,
        )

    def _rungs(self) -> list[str]:
        """Check the names of the rungs."""
        rungs = [self.fallback] if isinstance(self.fallback, str) else list(self.fallback)
        unknown = [str(rung) for rung in rungs if rung not in RUNGS]
        if unknown:
            raise DataError(f"fallback knows no {', '.join(unknown)}; there are: {', '.join(RUNGS)}")
        return rungs

    def recommend(
        self,
        customer_ids: Any = None,
        n: int = 10,
        *,
        eligible: Any = None,
        forbidden: Any = None,
        stock: Any = None,
        exclude: Any = "auto",
        diversity: float = 0.0,
    ) -> pd.DataFrame:
        """Give each customer a list of items.

        A list has ``n`` items, or all that the customer may be given where there are fewer. An item that is not
        eligible, forbidden, out of stock or excluded is never given, whatever fills the list.

        Parameters
        ----------
        customer_ids : list, array, Series or None, default=None
            Customers; unknown ones are new customers. One that stands twice gets one list. None: all that were fitted.
        n : int, default=10
            Items a customer.
        eligible : table, items, function or None, default=None
            What may be given: a table of ``customer_id`` and ``item_id`` (a customer who is not in it gets nothing), a
            list of items for all, or a function of ``(customer_ids, item_ids)`` to ``(n_customers, n_items)`` bool.
        forbidden : table, items, function or None, default=None
            What must not be given, in the same forms.
        stock : items, mapping of item to number, table of item_id and stock, or None, default=None
            What is there; items that it does not name, or of which there are none, are not given. How to share out
            few pieces among many customers is for ``remediation.plan`` to say.
        exclude : {"auto", "bought", "nothing"}, int, or mapping, default="auto"
            When an item may be offered again to a customer who has had it: never (``"bought"``), always
            (``"nothing"``), after a number of days, or by category, such as ``{"coffee": "always", "printers": 365}``
            (others never, unless ``"*"`` says otherwise). ``"auto"`` is what suits the model.
        diversity : float, default=0.0
            From 0 (by score alone) to 1: how much a list avoids items that are bought by the same customers as those
            above them. The first five times ``n`` items are reordered (maximal marginal relevance).

        Returns
        -------
        pandas.DataFrame
            ``customer_id`` as asked for, ``item_id``, ``rank`` from 1, ``score`` (comparable within one source) and
            ``source``: the model, or the rung of the fallback ladder that gave the item. Customers stand in the order
            asked for.

        Raises
        ------
        DataError
            If an id is missing or a rule cannot be read.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        if isinstance(n, bool) or not isinstance(n, Integral) or n < 1:
            raise ValueError(f"n must be a whole number of at least 1, got {n!r}")
        if not 0.0 <= diversity <= 1.0:
            raise ValueError(f"diversity must be between 0 and 1, got {diversity!r}")
        learned = self.interactions_
        ids = self._asked(customer_ids)
        codes = learned.customers.numbers_of(ids)
        policy = self._usually_excluded() if isinstance(exclude, str) and exclude == "auto" else exclude
        waiting = waiting_days(policy, self.categories_, self.n_items_, has_days=learned.has_days)
        rules = Rules(learned, ids, codes, waiting=waiting, eligible=eligible, forbidden=forbidden, stock=stock)
        new = int((codes < 0).sum())
        if new:
            _LOG.info("%d of %d customers have no events and get lists of the fallback", new, len(codes))
        a_customer = self._bytes_a_cell * self.n_items_ + (_BYTES_A_CANDIDATE * CANDIDATES * int(n) if diversity else 0)
        step = max(1, as_bytes(self.memory_limit) // a_customer)
        parts = []
        with threadpool_limits(limits=1):
            for start in range(0, len(ids), step):
                stop = min(start + step, len(ids))
                block = self._block(ids[start:stop], codes[start:stop], rules.mask(start, stop), int(n), diversity)
                parts.append((block[0] + start, *block[1:]))
        return self._as_table(ids, parts)

    def _asked(self, customer_ids: Any) -> npt.NDArray[Any]:
        """Give the customers asked for, each once."""
        if customer_ids is None:
            values: npt.NDArray[Any] = self.interactions_.customers.values
            return values
        ids, missing = as_ids(customer_ids)
        if missing.any():
            raise DataError(f"customer_ids: an id is missing in {positions(missing)}")
        return np.asarray(pd.unique(ids))

    def _block(
        self,
        ids: npt.NDArray[Any],
        codes: npt.NDArray[np.int64],
        mask: npt.NDArray[np.bool_],
        n: int,
        diversity: float,
    ) -> tuple[npt.NDArray[Any], ...]:
        """Give row, item, rank, score and source for a block of customers."""
        size = n if diversity == 0.0 else CANDIDATES * n
        wanted = np.minimum(mask.sum(axis=1), size)
        found: list[tuple[npt.NDArray[Any], ...]] = []
        own = np.flatnonzero(((codes >= 0) | self._knows_everyone) & (wanted > 0))
        if len(own):
            scores = self._scores(codes[own])
            scores[~mask[own]] = -np.inf
            row, item, score = top_n(scores, size)
            found.append((own[row], item, score, self._sources(codes[own][row], item)))
        for rung in self.ladder_.rungs:
            for row, item, *_ in found[-1:]:
                mask[row, item] = False
                wanted -= np.bincount(row, minlength=len(wanted))
            short = np.flatnonzero(wanted > 0)
            if not len(short):
                break
            said = self.ladder_.scores(rung, ids[short], codes[short], self.interactions_.matrix)
            if said is None:
                found.append(_NOTHING)
                continue
            row, item, score = top_n(np.where(mask[short], said, -np.inf), int(wanted[short].max()))
            # A customer who lacks less than another takes less.
            place = np.arange(len(row)) - np.searchsorted(row, row)
            fits = place < wanted[short][row]
            row, item, score = short[row[fits]], item[fits], score[fits]
            found.append((row, item, score, np.full(len(row), SOURCES[rung], dtype=object)))
        rows, items, scores_, sources = (np.concatenate(column) for column in zip(_NOTHING, *found, strict=True))
        order = np.argsort(rows, kind="stable")
        rows, items, scores_, sources = rows[order], items[order], scores_[order], sources[order]
        if diversity > 0.0:
            kept = reorder(rows, items, self._vectors(), n, diversity)
            rows, items, scores_, sources = rows[kept], items[kept], scores_[kept], sources[kept]
        rank = np.arange(len(rows)) - np.searchsorted(rows, rows) + 1
        return rows, items, rank, scores_, sources

    def _as_table(self, ids: npt.NDArray[Any], parts: list[tuple[npt.NDArray[Any], ...]]) -> pd.DataFrame:
        """Give blocks as one table with ids."""
        columns = [np.concatenate(column) for column in zip(*parts, strict=True)] if parts else [*_NOTHING_RANKED]
        rows, items, rank, score, source = columns
        return pd.DataFrame(
            {
                "customer_id": ids[rows.astype(np.int64)],
                "item_id": self.interactions_.items.values[items.astype(np.int64)],
                "rank": rank.astype(np.int64),
                "score": score.astype(np.float64),
                "source": source,
            }
        )

    def _vectors(self) -> npt.NDArray[np.float64]:
        """Give a vector of length 1 (or 0) for each item, by which items are alike; made once and not saved."""
        if not hasattr(self, "_item_vectors"):
            self._item_vectors: npt.NDArray[np.float64] = item_vectors(self.interactions_.matrix)
        return self._item_vectors

    def explain(self, customer_ids: Any, item_ids: Any = None) -> pd.DataFrame:
        """Say which of a customer's items an item was recommended for, and by how much.

        Parameters
        ----------
        customer_ids : list, array, Series, or table
            Customers, one a pair; or lists as ``recommend`` gives them (then without ``item_ids``).
        item_ids : list, array or Series, default=None
            Items, one a pair.

        Returns
        -------
        pandas.DataFrame
            ``customer_id``, ``item_id``, ``because`` (an item that the customer had) and ``weight``, the greatest
            weight first. The weights of a pair add up to its score. What a rung of the fallback gave, and what is not
            due to an item, has one row without ``because``; a pair of which the model knows nothing has no row.

        Raises
        ------
        DataError
            If ids are missing, their numbers differ, or an item is unknown.
        TypeError
            If the model's scores are no sums over the customer's items.
        """
        check_is_fitted(self)
        if not self._explains():
            raise TypeError(
                f"the scores of {type(self).__name__} are no sums over what a customer bought, so that there is no "
                "'because you bought' that would be true"
            )
        customers, items, elsewhere, scores = self._pairs(customer_ids, item_ids)
        learned = self.interactions_
        codes, numbers = learned.customers.numbers_of(customers), learned.items.numbers_of(items)
        if (numbers < 0).any():
            raise DataError(f"explain: the model does not know the item in {positions(numbers < 0)}")
        mine = np.flatnonzero(((codes >= 0) | self._knows_everyone) & ~elsewhere)
        with threadpool_limits(limits=1):
            pair, because, weight = self._because(codes[mine], numbers[mine])
        real = weight != 0.0
        pair, because, weight = mine[pair[real]], because[real], weight[real]
        other = np.flatnonzero(elsewhere)
        pair = np.concatenate([pair, other])
        because = np.concatenate([because, np.full(len(other), -1)])
        weight = np.concatenate([weight, scores[other]])
        order = np.lexsort((because, -weight, pair))
        pair, because, weight = pair[order], because[order], weight[order]
        reason = pd.Series(learned.items.values[because]).where(because >= 0)
        if learned.items.values.dtype != object:
            reason = reason.astype("Int64") if (because < 0).any() else reason.astype(np.int64)
        return pd.DataFrame(
            {"customer_id": customers[pair], "item_id": items[pair], "because": reason, "weight": weight}
        )

    def _pairs(
        self, customer_ids: Any, item_ids: Any
    ) -> tuple[npt.NDArray[Any], npt.NDArray[Any], npt.NDArray[np.bool_], npt.NDArray[np.float64]]:
        """Read pairs to explain: customers, items, which of them a rung gave, and the score that it gave."""
        scores: npt.NDArray[np.float64] | None = None
        elsewhere = None
        if item_ids is None:
            table = as_frame(customer_ids, what="lists")
            require_columns(table, ["customer_id"], what="lists")
            if {"source", "score"} <= set(table.columns):
                elsewhere = table["source"].isin(list(SOURCES.values())).to_numpy(dtype=bool)
                scores = table["score"].to_numpy(dtype=np.float64)
            customer_ids, item_ids = table["customer_id"], table[item_column(table, what="lists")]
        customers, no_customer = as_ids(customer_ids)
        items, no_item = as_ids(item_ids)
        if len(customers) != len(items):
            raise DataError(f"explain needs one item a customer; got {len(customers)} customers and {len(items)} items")
        if no_customer.any() or no_item.any():
            raise DataError(f"explain: customer_id or item_id is missing in {positions(no_customer | no_item)}")
        if elsewhere is None or scores is None:
            elsewhere, scores = np.zeros(len(items), dtype=bool), np.zeros(len(items))
        return customers, items, elsewhere, scores


_NOTHING = (
    np.zeros(0, dtype=np.int64),
    np.zeros(0, dtype=np.int64),
    np.zeros(0, dtype=np.float64),
    np.zeros(0, dtype=object),
)
_NOTHING_RANKED = (*_NOTHING[:2], np.zeros(0, dtype=np.int64), *_NOTHING[2:])
