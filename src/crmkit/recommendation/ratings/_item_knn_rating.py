"""Ratings by similar items: what the customer gave items that are rated alike."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.recommendation.ratings._knn_rating import KNNRating

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from crmkit.recommendation._base import Reasons

__all__ = ["ItemKNNRating"]


class ItemKNNRating(KNNRating):
    """Rates a pair by what the customer gave the ``k`` items that are most similar to this one.

    Two items are similar if customers who rated both marked them alike. The prediction is the mean of the customer's
    ratings of the nearest items, weighted by similarity; with ``centre`` it is the mean of how far they lie from the
    items' means, or from the baseline of customer and item, added to that of the pair. It says why ("because you
    gave …"), and learns a new rating without training. Nothing is compared when fitting: predicting compares the items
    of the pairs with the items that their customers have rated, and with no other, in blocks of about 100 MB.

    Parameters
    ----------
    similarity : {"pearson-baseline", "pearson", "msd", "cosine"}, default="pearson-baseline"
        Of two rows of common ratings: the correlation of what they add to their baselines, shrunk by the number of
        common ratings; the correlation; 1 / (1 + mean squared difference); or the cosine.
    centre : {"baseline", "mean", "none"}, default="baseline"
        What neighbors' ratings are measured from.
    k : int, default=40
        Most neighbors; only those of positive similarity count.
    min_k : int, default=1
        With fewer neighbors these are not listened to.
    min_support : int, default=1
        With fewer common ratings two items are not similar.
    shrinkage : float, default=100
        Of ``"pearson-baseline"``: n common ratings count (n - 1) / (n - 1 + shrinkage).
    baseline : BaselineRating or None, default=None
        How biases are estimated; None for its defaults.
    otherwise : {"baseline", "mean"}, default="baseline"
        What is predicted where the formula has no answer: the baseline, or the mean of all ratings. With
        ``centre="baseline"`` it is the baseline.
    scale : tuple of float or None, default=None
        The lowest and highest rating there may be, such as ``(1, 5)``; None takes those of the ratings fitted.
        Predictions keep to it, and ratings outside it are an error.
    duplicates : {"last", "mean", "error"}, default="last"
        What becomes of several ratings of one item by one customer: the latest by ``time`` or else ``day``
        counts (of equal ones the one that stands last), their mean does, or they are an error.
    fallback, popular_days, memory_limit
        Of lists: as for every recommender; change no rating.

    Attributes
    ----------
    scale_ : tuple of float
        The scale.
    mean_ : float
        The mean of all ratings.
    n_ratings_, n_replaced_ : int
        Ratings learned from, and ratings that gave way to another of the same pair.
    set_aside_ : dict of str to int
        Rows that could not be used, by reason.

    Notes
    -----
    Of equally similar neighbors, the one whose rating stands first in the table is taken.

    References
    ----------
    Koren (2010), Factor in the neighbors: scalable and accurate collaborative filtering, ACM TKDD 4(1),
    doi:10.1145/1644873.1644874. Sarwar, Karypis, Konstan & Riedl (2001), Item-based collaborative filtering
    recommendation algorithms, doi:10.1145/371920.372071.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.recommendation.ratings import ItemKNNRating
    >>> ratings = pd.DataFrame(
    ...     {"customer_id": [1, 1, 2, 2, 3, 3, 4], "item_id": ["tea", "茶"] * 3 + ["tea"],
    ...      "rating": [5, 5, 1, 2, 4, 4, 5]})
    >>> model = ItemKNNRating(similarity="msd", centre="none", scale=(1, 5)).fit(ratings)
    >>> model.predict({"customer_id": [4], "item_id": ["茶"]}).tolist()
    [5.0]
    """

    _mean_source = "item-mean"

    def _sides(self, customer: Any, item: Any) -> tuple[Any, Any]:
        return item, customer

    def similar(self, item_ids: Any, n: int = 10) -> pd.DataFrame:
        """List the items most similar to some.

        Parameters
        ----------
        item_ids : list, array or Series
            Items.
        n : int, default=10
            Most neighbors of each.

        Returns
        -------
        pandas.DataFrame
            ``item_id``, ``neighbor``, ``rank``, ``similarity`` (above 0) and ``common`` (customers who rated both).

        Raises
        ------
        DataError
            If an item is unknown.
        """
        return self._similar(item_ids, self.interactions_.items, n, "item_id")

    def _because(self, customers: npt.NDArray[np.int64], items: npt.NDArray[np.int64]) -> Reasons:
        """Give what each rated item adds, and the rest, which is due to none."""
        items = np.where(self._item_is_rated[items], items, -1)
        said = self._estimate(customers, items)
        both = np.flatnonzero(said.neighbors >= self.min_k)
        pair, member, weight = self._neighborhoods.reasons(items[both], customers[both], self._measure(), self.k)
        pair = both[pair]
        rest = self._held(said.rating) - np.bincount(pair, weight, len(items))
        everyone = np.arange(len(items))
        return (
            np.concatenate([pair, everyone]),
            np.concatenate([member, np.full(len(items), -1)]),
            np.concatenate([weight, rest]),
        )
