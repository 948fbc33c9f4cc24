"""What a customer buys again, by the customer's own counts and rhythm."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.linear_model import LogisticRegression
from sklearn.utils._param_validation import Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError
from crmkit.recommendation._base import BaseRecommender
from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation._rhythm import NAMES, purchase_days, rhythms

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from crmkit.recommendation._base import Reasons
    from crmkit.recommendation._interactions import Events, Interactions
    from crmkit.recommendation._rhythm import PurchaseDays, Rhythms

__all__ = ["RepeatPurchase"]

_WINDOWS = 3
_MOST_PAIRS = 300_000


class RepeatPurchase(BaseRecommender):
    """Recommends what the customer bought before and is likely to buy again now.

    By rhythm, the score is the chance that the customer buys the item again within ``horizon_days``. It is a logistic
    regression on how often, how lately and how evenly the customer bought the item, how late it is against the usual
    gap, how popular the item is lately and how many of its buyers come back for it. It learns from up to three earlier
    moments, a horizon apart: what was known before each, and what was bought in the horizon after it. By count, the
    score is the customer's own number of purchases. What a customer never bought is for another model to say
    (``hybrid`` takes several), so that lists are filled by the fallback.

    Cost: a few sorts of the events. 300,000 pairs of customer and item, evenly spaced, are learned from.

    Parameters
    ----------
    horizon_days : int, default=30
        How many days ahead are meant.
    method : {"auto", "rhythm", "count"}, default="auto"
        ``"auto"`` goes by rhythm where the table has days, reaches back two horizons, and holds both repeats and
        non-repeats; ``method_`` says which it was.
    values : {"binary", "count", "log"}, default="count"
        By count, the value of a pair.
    event_weights, window_days, half_life_days, min_rating, fallback, popular_days, memory_limit
        As for every recommender, see ``ItemKNN``; windows and half-lives are for the method ``"count"``.

    Attributes
    ----------
    method_ : {"rhythm", "count"}
        By what it scores.
    coefficients_ : dict of str to float
        By rhythm, what a standard deviation of each number adds to the log-odds.
    scores_ : csr_array, shape (n_customers, n_items)
        The score of each pair.

    References
    ----------
    Bhagat, R., Muralidharan, S., Lobzhanidze, A. and Vishwanath, S. (2018). Buy it again: modeling repeat purchase
    recommendations. KDD '18, 62-70. doi:10.1145/3219819.3219891

    Examples
    --------
    >>> import pandas as pd, crmkit
    >>> sales = pd.DataFrame({"customer_id": ["a", "a", "a", "b"], "item_id": ["tea", "tea", "mug", "mug"]})
    >>> model = crmkit.create("recommender", "repeat-purchase").fit(sales)
    >>> model.method_, model.recommend(["a"], 2)["item_id"].tolist()
    ('count', ['tea', 'mug'])
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **BaseRecommender._parameter_constraints,  # noqa: SLF001 -- scikit-learn's name for what a class inherits
        "horizon_days": [Interval(Integral, 1, None, closed="left")],
        "method": [StrOptions({"auto", "rhythm", "count"})],
    }
    _source: ClassVar[str] = "repeat-purchase"
    _excluded: ClassVar[str] = "nothing"

    def __init__(
        self,
        *,
        horizon_days: int = 30,
        method: str = "auto",
        event_weights: Mapping[str, float] | None = None,
        values: str = "count",
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
        self.horizon_days = horizon_days
        self.method = method

    def _learn(self, interactions: Interactions, events: Events) -> None:
        days = self._days(interactions, events)
        chances = None
        if self.method != "count" and days is not None and len(days.pair):
            now = rhythms(days, events.now, self.horizon_days)
            chances = self._chances(days, now, events.now)
            self.pairs_ = {"pair": now.pair, "times": now.times, "first": now.first, "last": now.last}
        if chances is None and self.method == "rhythm":
            raise DataError(
                f"repeat-purchase by rhythm needs the column time or day, purchases over at least two horizons of "
                f"{self.horizon_days} days, and some that were repeated and some that were not; use method='count' or "
                "a shorter horizon_days"
            )
        if chances is None:
            self.method_ = "count"
            self.coefficients_: dict[str, float] = {}
            # Of equal counts, what most customers bought lately comes first.
            lately = self.ladder_.lately / (self.ladder_.lately.max() + 1.0)
            counted = interactions.matrix.copy()
            counted.data = counted.data * (1.0 + 1e-6 * lately[counted.indices])
            self.scores_ = counted
            return
        self.method_ = "rhythm"
        row, column = np.divmod(self.pairs_["pair"], len(interactions.items))
        shape = interactions.matrix.shape
        self.scores_ = sparse.csr_array(sparse.coo_array((chances, (row, column)), shape=shape))

    def _days(self, interactions: Interactions, events: Events) -> PurchaseDays | None:
        """Give the days of purchases that were not taken back."""
        if events.day is None:
            return None
        n_customers, n_items = interactions.matrix.shape
        row, column = interactions.matrix.tocoo().coords
        kept = np.sort(row.astype(np.int64) * n_items + column)
        bought = events.had & (events.weight > 0.0)
        pair = events.customer[bought] * n_items + events.item[bought]
        place = np.minimum(np.searchsorted(kept, pair), len(kept) - 1)
        left = kept[place] == pair
        return purchase_days(
            events.customer[bought][left], events.item[bought][left], events.day[bought][left], n_customers, n_items
        )

    def _chances(self, days: PurchaseDays, now: Rhythms, today: int) -> npt.NDArray[np.float64] | None:
        """Learn from earlier moments what the rhythms of today are worth; None where there is nothing to learn."""
        features, bought = [], []
        for window in range(1, _WINDOWS + 1):
            moment = today - window * self.horizon_days
            known = days.before(moment)
            # A moment with less than a horizon behind it has no rhythm to show.
            if not len(known.pair) or moment - int(known.day.min()) < self.horizon_days:
                break
            then = rhythms(known, moment, self.horizon_days)
            after = days.pair[(days.day >= moment) & (days.day < moment + self.horizon_days)]
            features.append(then.features)
            bought.append(np.isin(then.pair, after))
        if not features:
            return None
        X, y = np.concatenate(features), np.concatenate(bought)
        step = -(-len(y) // _MOST_PAIRS)
        X, y = X[::step], y[::step]
        if y.all() or not y.any():
            return None
        centre, spread = X.mean(axis=0), X.std(axis=0)
        spread[spread == 0.0] = 1.0
        model = LogisticRegression(max_iter=1000).fit((X - centre) / spread, y)
        self.coefficients_ = dict(zip(NAMES, map(float, model.coef_[0]), strict=True))
        return np.asarray(model.predict_proba((now.features - centre) / spread)[:, 1], dtype=np.float64)

    def _scores(self, customers: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
        scores = np.asarray(self.scores_[customers].toarray(), dtype=np.float64)
        scores[scores == 0.0] = -np.inf
        return scores

    def _because(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Reasons:
        weight = np.asarray(self.scores_[customers, items], dtype=np.float64).ravel()
        return np.arange(len(items), dtype=np.int64), items, weight

    def rhythm(self, customer_ids: Any = None) -> pd.DataFrame:
        """Show each customer's own rhythm of each item, the likeliest first.

        Parameters
        ----------
        customer_ids : list, array, Series or None, default=None
            Customers; None for all. Unknown ones have no row.

        Returns
        -------
        pandas.DataFrame
            ``customer_id``, ``item_id``, ``times`` (days on which it was bought), ``gap_days`` (the mean gap, missing
            after one purchase), ``days_since``, ``due_in_days`` (the gap less the days since; negative where it is
            overdue) and ``chance`` (of a purchase within the horizon).

        Raises
        ------
        DataError
            If the model scores by count.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        if self.method_ != "rhythm":
            raise DataError("rhythm needs a model that scores by rhythm; this one scores by count")
        learned = self.interactions_
        row, column = np.divmod(self.pairs_["pair"], self.n_items_)
        asked = learned.customers.numbers_of(self._asked(customer_ids))
        place = np.flatnonzero(np.isin(row, asked[asked >= 0]))
        times, last = self.pairs_["times"][place], self.pairs_["last"][place]
        gap = np.where(times > 1, (last - self.pairs_["first"][place]) / np.maximum(times - 1, 1), np.nan)
        chance = np.asarray(self.scores_[row[place], column[place]], dtype=np.float64).ravel()
        since = learned.now - last
        order = np.lexsort((column[place], -chance, row[place]))
        table = pd.DataFrame(
            {
                "customer_id": learned.customers.values[row[place]],
                "item_id": learned.items.values[column[place]],
                "times": times,
                "gap_days": gap,
                "days_since": since,
                "due_in_days": gap - since,
                "chance": chance,
            }
        )
        return table.iloc[order].reset_index(drop=True)
