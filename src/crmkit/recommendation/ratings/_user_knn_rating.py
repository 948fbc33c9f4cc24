"""Ratings by similar customers: what those who mark alike gave the item."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.recommendation.ratings._knn_rating import KNNRating

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["UserKNNRating"]


class UserKNNRating(KNNRating):
    """Rates a pair by what the ``k`` most similar customers who rated the item gave it.

    Two customers are similar if they marked the items that both have rated alike. The prediction is the mean of the
    nearest customers' ratings, weighted by similarity; with ``centre`` it is the mean of how far they lie from the
    customers' means, or from the baseline of customer and item, added to that of the pair. Suits few customers with
    many ratings each; otherwise comparing items is more accurate. Nothing is compared when fitting: predicting compares
    the customers of the pairs with those who have rated their items, and with no other, in blocks of about 100 MB.

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
        With fewer common ratings two customers are not similar.
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
    Resnick, Iacovou, Suchak, Bergstrom & Riedl (1994), GroupLens: an open architecture for collaborative filtering of
    netnews, doi:10.1145/192844.192905. Herlocker, Konstan, Borchers & Riedl (1999), An algorithmic framework for
    performing collaborative filtering, doi:10.1145/312624.312682.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.recommendation.ratings import UserKNNRating
    >>> ratings = pd.DataFrame(
    ...     {"customer_id": [1, 1, 1, 2, 2, 3], "item_id": ["a", "b", "c", "a", "b", "c"],
    ...      "rating": [5, 4, 2, 5, 4, 5]})
    >>> model = UserKNNRating(similarity="msd", centre="mean").fit(ratings)
    >>> model.predict({"customer_id": [2], "item_id": ["c"]}, details=True)[["rating", "neighbors"]].round(2)
       rating  neighbors
    0    2.83          1
    """

    _mean_source = "customer-mean"

    def _sides(self, customer: Any, item: Any) -> tuple[Any, Any]:
        return customer, item

    def similar(self, customer_ids: Any, n: int = 10) -> pd.DataFrame:
        """List the customers most similar to some.

        Parameters
        ----------
        customer_ids : list, array or Series
            Customers.
        n : int, default=10
            Most neighbors of each.

        Returns
        -------
        pandas.DataFrame
            ``customer_id``, ``neighbor``, ``rank``, ``similarity`` (above 0) and ``common`` (items both have rated).

        Raises
        ------
        DataError
            If a customer is unknown.
        """
        return self._similar(customer_ids, self.interactions_.customers, n, "customer_id")
