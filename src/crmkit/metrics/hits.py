"""How much of what turned out right stood in the lists: recall, precision, hit rate."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

from crmkit.core.errors import DataError
from crmkit.metrics._list_scores import find, mean_of_customers

if TYPE_CHECKING:
    from crmkit.core.estimate import Estimate
    from crmkit.metrics._list_scores import NoRelevant

__all__ = ["hit_rate", "precision_at_n", "recall_at_n"]


def recall_at_n(
    recommended: Any,
    relevant: Any,
    *,
    n: int = 10,
    denominator: Literal["relevant", "reachable"] = "relevant",
    no_relevant: NoRelevant = "exclude",
    level: float = 0.95,
) -> Estimate:
    """Give the mean over customers of the share of their relevant items that stand in the first n places.

    Parameters
    ----------
    recommended, relevant, n, no_relevant, level
        As for ``ndcg``; ``gain`` says only whether a pair is relevant.
    denominator : {"relevant", "reachable"}, default="relevant"
        ``"relevant"`` divides by all relevant items (RecTools, recmetrics): who bought thirty things cannot exceed a
        third in ten places. ``"reachable"`` divides by the lesser of that number and ``n``, so that 1 is within reach
        for everyone.

    Returns
    -------
    Estimate
        As of ``ndcg``.

    Raises
    ------
    DataError
        As ``ndcg``.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import recall_at_n
    >>> lists = pd.DataFrame({"customer_id": [*"aaabbb"], "item_id": [*"xyzxyz"], "rank": [1, 2, 3, 1, 2, 3]})
    >>> bought = pd.DataFrame({"customer_id": ["a", "b", "b"], "item_id": ["x", "y", "w"]})
    >>> recall_at_n(lists, bought, n=1).value, recall_at_n(lists, bought, n=2).value
    (0.5, 0.75)
    """
    if denominator not in {"relevant", "reachable"}:
        raise DataError(f"denominator must be 'relevant' or 'reachable', got {denominator!r}")
    found = find(recommended, relevant, n)
    values = found.recall(reachable=denominator == "reachable")
    return mean_of_customers(values, found, no_relevant=no_relevant, level=level)


def precision_at_n(
    recommended: Any,
    relevant: Any,
    *,
    n: int = 10,
    denominator: Literal["places", "listed"] = "places",
    no_relevant: NoRelevant = "exclude",
    level: float = 0.95,
) -> Estimate:
    """Give the mean over customers of the share of the first n places that hold a relevant item.

    Who bought fewer than ``n`` things cannot reach 1, so that it says as much of the customers as of the lists:
    compare it only between models on the same customers.

    Parameters
    ----------
    recommended, relevant, n, no_relevant, level
        As for ``ndcg``; ``gain`` says only whether a pair is relevant.
    denominator : {"places", "listed"}, default="places"
        ``"places"`` divides by ``n`` also where the list is shorter (RecTools); ``"listed"`` by the places that are
        filled (LensKit), which rewards lists that stop where they are unsure. Who was given no list counts with 0.

    Returns
    -------
    Estimate
        As of ``ndcg``.

    Raises
    ------
    DataError
        As ``ndcg``.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import precision_at_n
    >>> lists = pd.DataFrame({"customer_id": [*"aaab"], "item_id": [*"xyzy"], "rank": [1, 2, 3, 1]})
    >>> bought = pd.DataFrame({"customer_id": ["a", "b", "b"], "item_id": ["x", "y", "w"]})
    >>> precision_at_n(lists, bought, n=2).value, precision_at_n(lists, bought, n=2, denominator="listed").value
    (0.5, 0.75)
    """
    if denominator not in {"places", "listed"}:
        raise DataError(f"denominator must be 'places' or 'listed', got {denominator!r}")
    found = find(recommended, relevant, n)
    values = found.precision(listed=denominator == "listed")
    return mean_of_customers(values, found, no_relevant=no_relevant, level=level)


def hit_rate(
    recommended: Any, relevant: Any, *, n: int = 10, no_relevant: NoRelevant = "exclude", level: float = 0.95
) -> Estimate:
    """Give the share of customers who find at least one relevant item in the first n places.

    With ``no_relevant="zero"`` it is the share of everyone who was given a list: what a campaign would count.

    Parameters
    ----------
    recommended, relevant, n, no_relevant, level
        As for ``ndcg``; ``gain`` says only whether a pair is relevant.

    Returns
    -------
    Estimate
        Between 0 and 1, with Wilson's interval.

    Raises
    ------
    DataError
        As ``ndcg``.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import hit_rate
    >>> lists = pd.DataFrame({"customer_id": [*"aaabbb"], "item_id": [*"xyzxyz"], "rank": [1, 2, 3, 1, 2, 3]})
    >>> bought = pd.DataFrame({"customer_id": ["a", "b", "b"], "item_id": ["x", "y", "w"]})
    >>> hit_rate(lists, bought, n=1)
    0.5 [0.09453, 0.9055] (n=2, 95% wilson)
    """
    found = find(recommended, relevant, n)
    return mean_of_customers(found.hit(), found, no_relevant=no_relevant, level=level)
