"""How high lists put what turned out right: NDCG, mean average precision, mean reciprocal rank."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Literal

import pandas as pd

from crmkit.core.errors import DataError
from crmkit.metrics._list_scores import find, mean_of_customers

if TYPE_CHECKING:
    from crmkit.core.estimate import Estimate
    from crmkit.metrics._list_scores import NoRelevant

__all__ = ["list_scores", "mean_average_precision", "mean_reciprocal_rank", "ndcg"]


def ndcg(
    recommended: Any, relevant: Any, *, n: int = 10, no_relevant: NoRelevant = "exclude", level: float = 0.95
) -> Estimate:
    """Give the mean over customers of the normalized discounted cumulative gain of their lists.

    A relevant item at rank r is worth its gain over log2(1 + r), and the sum is divided by that of the best list the
    customer could have got: the greatest gains first, as many as are relevant or as the list has places. So 1 is
    within reach for everyone, also for who bought one thing. It is the figure to choose by where the order matters.

    Definitions differ, and figures of one must not be held against another's. Some divide by a list that is full of
    relevant items whether or not there are that many (RecTools by default), which puts 1 out of reach for most
    customers; scikit-learn's ``ndcg_score`` averages over ties of the score, which ranks do not have. Gains are used
    as they are; for the exponential form hand in ``2 ** gain - 1``.

    Parameters
    ----------
    recommended : table
        One row an item of a list: ``customer_id``, ``item_id``, ``rank`` (1, 2, 3, … in each list). A list may be
        shorter than ``n``: places that are empty find nothing. Rows beyond rank ``n`` do not count.
    relevant : table
        One row a customer and item that turned out right: ``customer_id``, ``item_id``, and where some count more than
        others ``gain``; a row that gains 0 is not relevant. A customer who stands here but was given no list counts
        with 0.
    n : int, default=10
        How many places count.
    no_relevant : {"exclude", "zero"}, default="exclude"
        What becomes of customers who were given a list and for whom nothing is relevant: the figure is not defined for
        them and they are left out and counted in ``method``, or they count with 0, as when the question is what
        became of everyone who was written to.
    level : float, default=0.95
        Coverage of the interval.

    Returns
    -------
    Estimate
        Between 0 and 1, with the t-interval of the mean over customers; Wilson's where all customers score alike, whose
        spread of 0 would promise certainty. ``n`` counts customers.

    Raises
    ------
    DataError
        If an item or a rank stands twice in a list, ranks have gaps, a pair stands twice in ``relevant``, ids are
        numbers on one side and text on the other, or nothing is relevant to anyone. The message names the rows.

    See Also
    --------
    list_scores : Every figure of every customer.

    Notes
    -----
    The cost is that of sorting the rows: ten million rows of lists take seconds.

    References
    ----------
    Järvelin, K., & Kekäläinen, J. (2002). Cumulated gain-based evaluation of IR techniques. ACM Transactions on
    Information Systems 20, 422-446. doi:10.1145/582415.582418

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import ndcg
    >>> lists = pd.DataFrame({"customer_id": [*"aaabbb"], "item_id": [*"xyzxyz"], "rank": [1, 2, 3, 1, 2, 3]})
    >>> bought = pd.DataFrame({"customer_id": ["a", "b", "b"], "item_id": ["x", "y", "w"]})
    >>> ndcg(lists, bought, n=3)
    0.6934 [0, 1] (n=2, 95% t)
    """
    found = find(recommended, relevant, n)
    return mean_of_customers(found.ndcg(), found, no_relevant=no_relevant, level=level)


def mean_average_precision(
    recommended: Any,
    relevant: Any,
    *,
    n: int = 10,
    denominator: Literal["reachable", "relevant"] = "reachable",
    no_relevant: NoRelevant = "exclude",
    level: float = 0.95,
) -> Estimate:
    """Give the mean over customers of the average precision of their lists (MAP).

    At each rank that holds a relevant item, take the share of relevant items among the ranks so far; add these up and
    divide. What by is where definitions differ: ``"reachable"`` is the lesser of ``n`` and the number of relevant
    items, so that the best list scores 1 (Kaggle's MAP@k); ``"relevant"`` is all relevant items, found or not, so that
    who bought thirty things cannot exceed a third in ten places (RecTools' default, and the definition for whole
    rankings).

    Parameters
    ----------
    recommended, relevant, n, no_relevant, level
        As for ``ndcg``; ``gain`` says only whether a pair is relevant.
    denominator : {"reachable", "relevant"}, default="reachable"
        What the sum is divided by.

    Returns
    -------
    Estimate
        As of ``ndcg``.

    Raises
    ------
    DataError
        As ``ndcg``.

    References
    ----------
    Buckley, C., & Voorhees, E. M. (2000). Evaluating evaluation measure stability. SIGIR 2000, 33-40.
    doi:10.1145/345508.345543

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import mean_average_precision
    >>> lists = pd.DataFrame({"customer_id": [*"aaabbb"], "item_id": [*"xyzxyz"], "rank": [1, 2, 3, 1, 2, 3]})
    >>> bought = pd.DataFrame({"customer_id": ["a", "b", "b"], "item_id": ["x", "y", "w"]})
    >>> mean_average_precision(lists, bought, n=3).value
    0.625
    """
    reachable = _is_first(denominator, "denominator", ("reachable", "relevant"))
    found = find(recommended, relevant, n)
    return mean_of_customers(found.average_precision(reachable=reachable), found, no_relevant=no_relevant, level=level)


def mean_reciprocal_rank(
    recommended: Any, relevant: Any, *, n: int = 10, no_relevant: NoRelevant = "exclude", level: float = 0.95
) -> Estimate:
    """Give the mean over customers of one over the rank of the first relevant item (MRR).

    Where the first ``n`` places hold none it is 0. It sees only the first find: fit for "did they see it at once", not
    for lists from which several things are bought.

    Parameters
    ----------
    recommended, relevant, n, no_relevant, level
        As for ``ndcg``; ``gain`` says only whether a pair is relevant.

    Returns
    -------
    Estimate
        As of ``ndcg``.

    Raises
    ------
    DataError
        As ``ndcg``.

    References
    ----------
    Voorhees, E. M. (1999). The TREC-8 question answering track report. TREC-8, 77-82.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import mean_reciprocal_rank
    >>> lists = pd.DataFrame({"customer_id": [*"aaabbb"], "item_id": [*"xyzxyz"], "rank": [1, 2, 3, 1, 2, 3]})
    >>> bought = pd.DataFrame({"customer_id": ["a", "b", "b"], "item_id": ["x", "y", "w"]})
    >>> mean_reciprocal_rank(lists, bought, n=3).value
    0.75
    """
    found = find(recommended, relevant, n)
    return mean_of_customers(found.reciprocal_rank(), found, no_relevant=no_relevant, level=level)


def list_scores(recommended: Any, relevant: Any, *, n: int = 10) -> pd.DataFrame:
    """Give every figure of every customer for whom something is relevant.

    Their means are what ``ndcg``, ``recall_at_n``, ``precision_at_n``, ``hit_rate``, ``mean_average_precision`` and
    ``mean_reciprocal_rank`` give, with the definitions described there. Two models are compared customer by customer:
    hand the same column of both to ``paired_differences``.

    Parameters
    ----------
    recommended, relevant, n
        As for ``ndcg``.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``customer_id``, in the order of ``relevant``: ``n_relevant`` (items that are right), ``n_listed``
        (places filled, at most ``n``), ``hits`` (both), ``ndcg``, ``recall``, ``precision``, ``hit``,
        ``average_precision``, ``reciprocal_rank``.

    Raises
    ------
    DataError
        As ``ndcg``.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import list_scores
    >>> lists = pd.DataFrame({"customer_id": [*"aaabbb"], "item_id": [*"xyzxyz"], "rank": [1, 2, 3, 1, 2, 3]})
    >>> bought = pd.DataFrame({"customer_id": ["a", "b", "b"], "item_id": ["x", "y", "w"]})
    >>> list_scores(lists, bought, n=3)[["n_relevant", "hits", "recall", "hit"]]  # doctest: +NORMALIZE_WHITESPACE
                 n_relevant  hits  recall  hit
    customer_id
    a                     1     1     1.0  1.0
    b                     2     1     0.5  1.0
    """
    found = find(recommended, relevant, n)
    return pd.DataFrame(
        {
            "n_relevant": found.n_relevant,
            "n_listed": found.n_listed,
            "hits": found.hits,
            "ndcg": found.ndcg(),
            "recall": found.recall(reachable=False),
            "precision": found.precision(listed=False),
            "hit": found.hit(),
            "average_precision": found.average_precision(reachable=True),
            "reciprocal_rank": found.reciprocal_rank(),
        },
        index=found.customers.rename("customer_id"),
    )


def _is_first(chosen: str, what: str, choices: tuple[str, str]) -> bool:
    """Say whether the first of two choices was made, refusing any third."""
    if chosen not in choices:
        raise DataError(f"{what} must be {choices[0]!r} or {choices[1]!r}, got {chosen!r}")
    return chosen == choices[0]
