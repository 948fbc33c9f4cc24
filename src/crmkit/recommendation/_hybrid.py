"""Several recommenders as one, in the proportion that proved best on the latest days."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from sklearn.base import clone
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval, StrOptions

from crmkit.core.errors import DataError
from crmkit.core.registry import create
from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._blend import Blend, columns_of
from crmkit.recommendation._judged import Judged, discounted, discounts
from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation._memory import as_bytes
from crmkit.recommendation._top import top_n

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    import numpy.typing as npt

    from crmkit.recommendation._interactions import Events, Interactions

__all__ = ["Hybrid"]

_CANDIDATES = 100
_LOOKED_AT = 128


class Hybrid(BaseRecommender):
    """Recommends by several models at once, blended as it was best on the last days before the cutoff.

    The parts are fitted on what was known ``validation_days`` ago, and from what was bought since it is learned how to
    add their scores up: by a model of choice that rises with every part, then by the lists themselves. The blend is
    judged on customers it did not learn from, beside each part alone and the parts' ranks taken alike, and the best of
    all is taken, so that a hybrid is no worse than its best part on those days. Then the parts are fitted again on
    everything. The usual parts say what is bought again, what is discovered, and what is popular lately.

    Cost: each part is fitted twice, and scores ``max_customers`` customers once.

    Parameters
    ----------
    parts : sequence of str or estimator, or mapping of name to either, default=("repeat-purchase", "ease", \
"popularity")
        Names of recommenders, or unfitted recommenders of crmkit, which are cloned. Those named get the
        ``event_weights`` and the ``min_rating`` of the hybrid.
    goal : {"all", "new"}, default="all"
        Whether lists are to hold all that will be bought, or only what the customer has not had; ``exclude="auto"``
        follows it.
    validation_days : int, default=30
        How many of the last days are kept to learn the blend from.
    list_length : int, default=10
        Length of the lists that are judged, by NDCG.
    max_customers : int, default=3000
        Customers to learn the blend from, drawn among those with purchases before and in those days.
    random_state : int, RandomState or None, default=None
        Seed of that draw, and of the parts given by name.
    event_weights, values, window_days, half_life_days, min_rating, fallback, popular_days, memory_limit
        As for every recommender, see ``ItemKNN``; parts given as estimators keep to their own.

    Attributes
    ----------
    parts_ : dict of str to recommender
        The parts, fitted on everything: ``model.parts_["ease"].explain(lists)`` says why.
    chosen_ : str
        What proved best: ``"blend"``, ``"ranks"``, or the name of a part.
    validation_ : pandas.DataFrame
        The NDCG of every candidate on the validation days, the best first, and of how many customers.

    Raises
    ------
    DataError
        If the events have no days, or too few to divide.

    Examples
    --------
    >>> import crmkit
    >>> from crmkit.testing.tables import interactions
    >>> model = crmkit.create("recommender", "hybrid", parts=["item-knn", "popularity"], random_state=0)
    >>> lists = model.fit(interactions()).recommend(["c0"], 3)
    >>> sorted(model.validation_["candidate"])
    ['blend', 'item-knn', 'popularity', 'ranks']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRecommender._parameter_constraints,  # noqa: SLF001 -- scikit-learn's name for what a class inherits
        "parts": ["array-like", tuple, dict],
        "goal": [StrOptions({"all", "new"})],
        "validation_days": [Interval(Integral, 1, None, closed="left")],
        "list_length": [Interval(Integral, 1, None, closed="left")],
        "max_customers": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }
    _source: ClassVar[str] = "hybrid"
    _bytes_a_cell: ClassVar[int] = 160

    def __init__(
        self,
        *,
        parts: Sequence[Any] | Mapping[str, Any] = ("repeat-purchase", "ease", "popularity"),
        goal: str = "all",
        validation_days: int = 30,
        list_length: int = 10,
        max_customers: int = 3000,
        random_state: Any = None,
        event_weights: Mapping[str, float] | None = None,
        values: str = "binary",
        window_days: int | None = None,
        half_life_days: float | None = None,
        min_rating: float | None = None,
        fallback: Sequence[str] = RUNGS,
        popular_days: int = 30,
        memory_limit: int | str = "256MB",
    ) -> None:
        super().__init__(
            event_weights=event_weights,
            values=values,
            window_days=window_days,
            half_life_days=half_life_days,
            min_rating=min_rating,
            fallback=fallback,
            popular_days=popular_days,
            memory_limit=memory_limit,
        )
        self.parts = parts
        self.goal = goal
        self.validation_days = validation_days
        self.list_length = list_length
        self.max_customers = max_customers
        self.random_state = random_state

    def _usually_excluded(self) -> str:
        return "nothing" if self.goal == "all" else "bought"

    def _learn(self, interactions: Interactions, events: Events) -> None:
        random = check_random_state(self.random_state)
        parts = self._made(random)
        cutoff = events.now - self.validation_days
        if events.day is None or not (events.day < cutoff).any() or not (events.day >= cutoff).any():
            raise DataError(
                f"hybrid learns from the last {self.validation_days} days what the days before said: it needs the "
                "column time or day, and events on both sides; choose other validation_days"
            )
        earlier: Any = {name: clone(part) for name, part in parts.items()}
        for part in earlier.values():
            part._fit_events(events.between(int(events.day.min()), cutoff), None, [])  # noqa: SLF001 -- our own base
        self._choose(earlier, events.between(cutoff, events.now), random)
        for part in parts.values():
            part._fit_events(events, None, [])  # noqa: SLF001 -- our own base
        self.parts_: dict[str, BaseRecommender] = parts
        del interactions

    def _made(self, random: np.random.RandomState) -> dict[str, BaseRecommender]:
        """Make the parts, unfitted, by name."""
        given = dict(self.parts) if isinstance(self.parts, dict) else {}
        several: Any = () if isinstance(self.parts, dict) else self.parts
        for part in several:
            name = part if isinstance(part, str) else getattr(part, "_source", type(part).__name__)
            if name in given:
                raise DataError(f"hybrid has two parts named {name!r}: give them names, parts={{'one': …, 'two': …}}")
            given[name] = part
        made: dict[str, BaseRecommender] = {}
        for name, part in given.items():
            model = create("recommender", part) if isinstance(part, str) else clone(part)
            if not isinstance(model, BaseRecommender) or isinstance(model, Hybrid):
                raise TypeError(
                    f"hybrid's part {name!r} must be the name of a recommender of crmkit or one of its recommenders, "
                    f"got {type(model).__name__}"
                )
            if isinstance(part, str):
                shared = {"event_weights": self.event_weights, "min_rating": self.min_rating}
                seed = {"random_state": int(random.randint(2**31 - 1))}
                model.set_params(**shared, **(seed if "random_state" in model.get_params() else {}))
            made[name] = model
        if len(made) < 2:
            raise DataError("hybrid needs at least two parts")
        return made

    def _choose(self, parts: dict[str, BaseRecommender], later: Events, random: np.random.RandomState) -> None:
        """Learn the blend, judge it beside every part, and keep the best."""
        had = next(iter(parts.values())).interactions_.had
        key = self._truth(had, later)
        n_items = had.shape[1]
        buyers = np.unique(key // n_items)
        known = buyers[np.diff(had.indptr)[buyers] > 0]
        if len(known) < 2:
            raise DataError(
                f"hybrid: fewer than two customers bought both in the last {self.validation_days} days and before them"
                f"{', something they did not have' if self.goal == 'new' else ''}; choose other validation_days"
            )
        if len(known) > self.max_customers:
            known = np.sort(random.choice(known, self.max_customers, replace=False))
        gains: dict[str, list[npt.NDArray[np.float64]]] = {name: [] for name in (*parts, "ranks")}
        kept: list[tuple[npt.NDArray[Any], ...]] = []
        # From the same customers whatever the size of a block.
        seen = [[_positive(part) for part in scores] for _, scores in self._scored(parts, known[:_LOOKED_AT], had)]
        least = [_tenth(np.concatenate(part)) for part in zip(*seen, strict=True)]
        for block, scores in self._scored(parts, known, had):
            for name, part in zip(parts, scores, strict=True):
                gains[name].append(self._gain(part, block, key, n_items))
            gains["ranks"].append(self._gain(_by_ranks(scores), block, key, n_items))
            kept.append(_candidates(block, scores, least, key, n_items))
        customer, _, bought, features = (np.concatenate(column) for column in zip(*kept, strict=True))
        self.blend_ = Blend(least)
        ideal = self._ideal(known, key // n_items)
        judged = Judged(features, bought, np.searchsorted(known, customer), ideal, self.list_length)
        half = random.permutation(len(known)) % 2 == 0
        gain = np.zeros(len(known))
        for side in (half, ~half):
            gain[~side] = judged.gains(judged.blend(self.blend_, side))[~side]
        judged.blend(self.blend_, np.ones(len(known), dtype=bool))
        gains["blend"] = [gain]
        worth = {name: float(np.concatenate(parts_gain).mean()) for name, parts_gain in gains.items()}
        # A part that is as good as the blend is simpler.
        self.chosen_ = max(worth, key=worth.__getitem__)
        self._worth, self._judged_by = worth, len(known)

    def _truth(self, had: Any, later: Events) -> npt.NDArray[np.int64]:
        """Give the pairs that are to be found, as sorted numbers."""
        n_items = had.shape[1]
        bought = later.had & (later.weight > 0.0)
        key = np.unique(later.customer[bought] * n_items + later.item[bought])
        if self.goal == "new":
            before = np.repeat(np.arange(had.shape[0]), np.diff(had.indptr)) * n_items + had.indices
            key = np.setdiff1d(key, before, assume_unique=True)
        return key

    def _scored(
        self, parts: dict[str, BaseRecommender], customers: npt.NDArray[np.int64], had: Any
    ) -> Iterator[tuple[npt.NDArray[np.int64], list[npt.NDArray[np.float64]]]]:
        """Score customers by every part, block by block."""
        step = max(1, as_bytes(self.memory_limit) // (self._bytes_a_cell * had.shape[1] * len(parts)))
        for start in range(0, len(customers), step):
            block = customers[start : start + step]
            scores = [np.asarray(part._scores(block), dtype=np.float64) for part in parts.values()]  # noqa: SLF001 -- our own base
            if self.goal == "new":
                row, column = had[block].tocoo().coords
                for part in scores:
                    part[row, column] = -np.inf
            yield block, scores

    def _gain(
        self, scores: npt.NDArray[np.float64], block: npt.NDArray[np.int64], key: npt.NDArray[np.int64], n_items: int
    ) -> npt.NDArray[np.float64]:
        """Give the NDCG of each customer of a block."""
        row, item, _ = top_n(scores, self.list_length)
        hit = np.isin(block[row] * n_items + item, key)
        return discounted(row, hit, len(block), self.list_length) / self._ideal(block, key // n_items)

    def _ideal(self, customers: npt.NDArray[np.int64], buyers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        """Give the greatest discounted gain of each customer's list; ``buyers`` are those of the pairs, sorted."""
        many = np.searchsorted(buyers, customers, side="right") - np.searchsorted(buyers, customers, side="left")
        most = np.cumsum(discounts(self.list_length))
        return np.asarray(most[np.minimum(many, self.list_length) - 1], dtype=np.float64)

    @property
    def validation_(self) -> pd.DataFrame:
        """The NDCG of every candidate on the validation days."""
        table = pd.DataFrame({"candidate": list(self._worth), "ndcg": list(self._worth.values())})
        table["n_customers"] = self._judged_by
        return table.sort_values("ndcg", ascending=False, kind="stable").reset_index(drop=True)

    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        if self.chosen_ in self.parts_:
            return np.asarray(self.parts_[self.chosen_]._scores(customers), dtype=np.float64)  # noqa: SLF001 -- our own base
        scores = [np.asarray(part._scores(customers), dtype=np.float64) for part in self.parts_.values()]  # noqa: SLF001 -- our own base
        return self.blend_.score(scores) if self.chosen_ == "blend" else _by_ranks(scores)


def _candidates(
    block: npt.NDArray[np.int64],
    scores: list[npt.NDArray[np.float64]],
    least: list[float],
    key: npt.NDArray[np.int64],
    n_items: int,
) -> tuple[npt.NDArray[Any], ...]:
    """Give the first of every part's list, with what every part says of them and whether they were bought."""
    found = [row * n_items + item for row, item, _ in (top_n(part, _CANDIDATES) for part in scores)]
    row, item = np.divmod(np.unique(np.concatenate(found)), n_items)
    columns = [column[row, item] for part, low in zip(scores, least, strict=True) for column in columns_of(part, low)]
    return block[row], item, np.isin(block[row] * n_items + item, key), np.column_stack(columns)


def _by_ranks(scores: list[npt.NDArray[np.float64]]) -> npt.NDArray[np.float64]:
    """Add up 1 / (60 + rank) over the parts (reciprocal rank fusion)."""
    total = np.zeros(scores[0].shape)
    for part in scores:
        order = np.argsort(-part, axis=1, kind="stable")
        share = np.broadcast_to(1.0 / (60.0 + np.arange(1, part.shape[1] + 1)), part.shape)
        ranked = np.empty_like(total)
        np.put_along_axis(ranked, order, share, axis=1)
        total += np.where(np.isfinite(part), ranked, 0.0)
    total[total == 0.0] = -np.inf
    return total


def _positive(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Give the scores above 0."""
    return scores[np.isfinite(scores) & (scores > 0.0)]


def _tenth(positive: npt.NDArray[np.float64]) -> float:
    """Give the score above which nine of ten are."""
    return float(np.quantile(positive, 0.1)) if len(positive) else 1.0
