"""What lists offer besides being right: how much of the catalogue, how unknown, how unlike one another."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.metrics._over_lists import jackknife, lists_and_items, some_lists
from crmkit.metrics._ranked_lists import numbered, same_kind
from crmkit.metrics.intervals import mean

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.core.estimate import Estimate

__all__ = ["concentration", "coverage", "diversity", "novelty"]

_BLOCK = 2**22
"""Cells of sums of vectors held in memory at once (32 MB of float64)."""


def coverage(recommended: Any, items: Any, *, n: int = 10, level: float = 0.95) -> Estimate:
    """Give the share of the catalogue that stands in at least one customer's first n places.

    It grows with the number of customers: compare it only between models on the same customers. One list of bestsellers
    for everyone covers ``n`` items however many customers there are.

    Parameters
    ----------
    recommended : table
        As for ``ndcg``.
    items : table with item_id, or column of ids
        All that could have been recommended. A table of events serves: each item counts once.
    n : int, default=10
        How many places count.
    level : float, default=0.95
        Coverage of the interval.

    Returns
    -------
    Estimate
        Between 0 and 1; the interval is that of as many lists for other customers of the same kind, by the jackknife
        over customers, which errs on the wide side.

    Raises
    ------
    DataError
        If there is no list, an item is none of ``items``, or lists are not as ``ndcg`` needs them.

    References
    ----------
    Herlocker, J. L., Konstan, J. A., Terveen, L. G., & Riedl, J. T. (2004). Evaluating collaborative filtering
    recommender systems. ACM Transactions on Information Systems 22, 5-53. doi:10.1145/963770.963772
    Efron, B., & Stein, C. (1981). The jackknife estimate of variance. Annals of Statistics 9, 586-596.
    doi:10.1214/aos/1176345462

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import coverage
    >>> lists = pd.DataFrame({"customer_id": [*"aabb"], "item_id": [*"xyxz"], "rank": [1, 2, 1, 2]})
    >>> coverage(lists, ["x", "y", "z", "w"]).value
    0.75
    """
    lists, item, n_items = lists_and_items(recommended, items, n)
    times = np.bincount(item, minlength=n_items)
    covered = int((times > 0).sum())
    # What nobody else was shown goes with the customer.
    alone = np.bincount(lists.customer, times[item] == 1, minlength=len(lists.customers))
    return jackknife(covered / n_items, (covered - alone) / n_items, level=level)


def concentration(recommended: Any, items: Any, *, n: int = 10, level: float = 0.95) -> Estimate:
    """Give the Gini index of how often the items of the catalogue stand in the customers' first n places.

    0 where every item is shown equally often, near 1 where all places go to a few: what makes bestsellers of
    bestsellers. Items never shown count.

    Parameters
    ----------
    recommended, items, n, level
        As for ``coverage``.

    Returns
    -------
    Estimate
        Between 0 and 1 (exactly 1 less one over the number of items at most), with the jackknife's interval over
        customers. Smaller is less concentrated.

    Raises
    ------
    DataError
        As ``coverage``.

    Notes
    -----
    To leave a customer out, each of their items is taken to the end of the items shown as often, which is exact unless
    one list holds several items that are shown equally often.

    References
    ----------
    Fleder, D., & Hosanagar, K. (2009). Blockbuster culture's next rise or fall: the impact of recommender systems on
    sales diversity. Management Science 55, 697-712. doi:10.1287/mnsc.1080.0974

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import concentration
    >>> lists = pd.DataFrame({"customer_id": [*"aabb"], "item_id": [*"xyxz"], "rank": [1, 2, 1, 2]})
    >>> concentration(lists, ["x", "y", "z", "w"]).value
    0.375
    """
    lists, item, n_items = lists_and_items(recommended, items, n)
    times = np.bincount(item, minlength=n_items)
    ordered = np.sort(times)
    weight = 2 * np.arange(1, n_items + 1) - n_items - 1
    whole, total = float(weight @ ordered), len(item)
    last = weight[np.searchsorted(ordered, times)]
    n_customers = len(lists.customers)
    lost = np.bincount(lists.customer, last[item], minlength=n_customers)
    left = total - np.bincount(lists.customer, minlength=n_customers)
    # Without the only customer nothing is shown, and nothing is concentrated.
    without = np.divide(whole - lost, n_items * left, out=np.zeros(n_customers), where=left > 0)
    return jackknife(whole / (n_items * total), without, level=level)


def novelty(recommended: Any, interactions: Any, *, n: int = 10, level: float = 0.95) -> Estimate:
    """Give how unknown recommended items are, in bits: minus log2 of the share of customers who had them before.

    The mean over each customer's first n places, then over customers. An item that half of all customers had is worth
    1 bit, one that a thousandth had 10. Great novelty is easy (recommend what nobody buys): read it beside a figure of
    being right.

    Parameters
    ----------
    recommended : table
        As for ``ndcg``.
    interactions : table
        ``customer_id``, ``item_id``: what was known when the lists were made, one row an event or a pair. Repeated
        pairs count once; its customers are all there are.
    n : int, default=10
        How many places count.
    level : float, default=0.95
        Coverage of the interval.

    Returns
    -------
    Estimate
        In bits, from 0 on, with the t-interval of the mean over customers. An item that nobody had counts as if one
        customer had (as in RecTools), since its novelty would be infinite.

    Raises
    ------
    DataError
        If there is no list or no event, ids are missing, or lists are not as ``ndcg`` needs them.

    References
    ----------
    Zhou, T., Kuscsik, Z., Liu, J.-G., Medo, M., Wakeling, J. R., & Zhang, Y.-C. (2010). Solving the apparent
    diversity-accuracy dilemma of recommender systems. PNAS 107, 4511-4515. doi:10.1073/pnas.1000488107

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import novelty
    >>> lists = pd.DataFrame({"customer_id": [*"aabb"], "item_id": [*"xyxz"], "rank": [1, 2, 1, 2]})
    >>> bought = pd.DataFrame({"customer_id": [*"abcd"], "item_id": [*"xxyx"]})
    >>> round(novelty(lists, bought).value, 3)
    1.208
    """
    lists = some_lists(recommended, n)
    frame = as_frame(interactions, what="interactions")
    require_columns(frame, ["customer_id", "item_id"], what="interactions")
    if not len(frame):
        raise DataError("interactions is empty: nothing is known of what customers had")
    customer, customers = numbered(frame["customer_id"], "interactions: customer_id")
    item, items = numbered(frame["item_id"], "interactions: item_id")
    same_kind(lists.items, items, column="item_id", tables=("recommended", "interactions"))
    pairs = pd.unique(customer * len(items) + item)
    had = np.append(np.bincount(pairs % len(items), minlength=len(items)), 1)  # the last, at -1, is an unknown item
    bits = np.log2(len(customers)) - np.log2(had[items.get_indexer(lists.items)])
    places = np.bincount(lists.customer, minlength=len(lists.customers))
    return mean(np.bincount(lists.customer, bits[lists.item], minlength=len(places)) / places, level=level)


def diversity(recommended: Any, features: Any, *, n: int = 10, level: float = 0.95) -> Estimate:
    """Give how unlike the items of a list are: the mean over its pairs of one less their cosine.

    Parameters
    ----------
    recommended : table
        As for ``ndcg``.
    features : table
        One row an item, ``item_id`` as column or index: numbers are used as they are (scale them so that none drowns
        the others), text and truth values stand for one column a value, so that a single column ``category`` makes the
        figure the share of pairs of different categories. Missing values stand for nothing. An item without any
        feature is like no other.
    n : int, default=10
        How many places count.
    level : float, default=0.95
        Coverage of the interval.

    Returns
    -------
    Estimate
        Between 0 and 1, up to 2 where features may be negative, with the t-interval of the mean over customers. Lists
        of one item have no pairs and are left out, counted in ``method``.

    Raises
    ------
    DataError
        If no list has two items, an item has no row in ``features`` or two, there is no feature, or lists are not as
        ``ndcg`` needs them.

    Notes
    -----
    The cosines of all pairs add up to the squared length of the sum of unit vectors, less those of the vectors, so
    that the cost grows with places, not with pairs.

    References
    ----------
    Ziegler, C.-N., McNee, S. M., Konstan, J. A., & Lausen, G. (2005). Improving recommendation lists through topic
    diversification. WWW 2005, 22-32. doi:10.1145/1060745.1060754

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.metrics import diversity
    >>> lists = pd.DataFrame({"customer_id": [*"aaabb"], "item_id": [*"xyzxy"], "rank": [1, 2, 3, 1, 2]})
    >>> items = pd.DataFrame({"item_id": [*"xyz"], "category": ["tea", "tea", "cups"]})
    >>> round(diversity(lists, items).value, 4)
    0.3333
    """
    lists = some_lists(recommended, n)
    ids, vectors = _unit_vectors(features)
    same_kind(lists.items, ids, column="item_id", tables=("recommended", "features"))
    place = ids.get_indexer(lists.items)[lists.item]
    unknown = np.zeros(int(lists.row.max()) + 1, dtype=bool)
    unknown[lists.row[place < 0]] = True
    if unknown.any():
        raise DataError(f"recommended: the item has no row in features in {positions(unknown)}")
    places = np.bincount(lists.customer, minlength=len(lists.customers))
    pairs = places * (places - 1)
    if not pairs.any():
        raise DataError("no list has two items within its first places: there is no pair to compare")
    own = np.asarray(vectors.multiply(vectors).sum(axis=1)).ravel()
    alone = np.bincount(lists.customer, own[place], minlength=len(places))
    holds = sparse.csr_array(
        (np.ones(len(place)), place, np.append(0, np.cumsum(places))), shape=(len(places), len(ids))
    )
    together = np.concatenate([_squared(block) for block in _sums(holds, vectors)])
    several = pairs > 0
    values = 1.0 - (together - alone)[several] / pairs[several]
    single = int((~several).sum())
    note = f"; {single:,} lists of one item left out" if single else ""
    return mean(np.maximum(values, 0.0), level=level, method=f"t{note}")


def _sums(holds: sparse.csr_array, vectors: sparse.csr_array) -> Any:
    """Add up the vectors of each list, block by block."""
    step = max(1, _BLOCK // max(vectors.shape[1], 1))
    for start in range(0, holds.shape[0], step):
        yield holds[start : start + step] @ vectors


def _squared(sums: sparse.csr_array) -> npt.NDArray[np.float64]:
    """Give the squared length of each row."""
    return np.asarray(sums.multiply(sums).sum(axis=1), dtype=np.float64).ravel()


def _unit_vectors(features: Any) -> tuple[pd.Index, sparse.csr_array]:
    """Read features and give each item's vector at length 1, or 0 where it has no feature."""
    frame = as_frame(features, what="features")
    if "item_id" in frame.columns:
        frame = frame.set_index("item_id")
    elif frame.index.name != "item_id":
        require_columns(frame, ["item_id"], what="features")
    if not frame.shape[1]:
        raise DataError("features has no column besides item_id")
    codes, ids = numbered(frame.index, "features: item_id")
    if len(ids) < len(codes):
        twice = frame.index.duplicated(keep=False)
        raise DataError(f"features must have one row an item; an item_id stands more than once in {positions(twice)}")
    matrix = sparse.hstack([_column(frame[name], str(name)) for name in frame.columns], format="csr")
    length = np.sqrt(_squared(sparse.csr_array(matrix)))
    inverse = np.divide(1.0, length, out=np.zeros_like(length), where=length > 0)
    return ids, sparse.csr_array(sparse.diags_array(inverse) @ matrix)


def _column(column: pd.Series, name: str) -> sparse.csr_array:
    """Give numbers as one column, and anything else as one column a value."""
    if pd.api.types.is_numeric_dtype(column.dtype) and not pd.api.types.is_bool_dtype(column.dtype):
        numbers = column.to_numpy(dtype=np.float64, na_value=np.nan)
        if np.isinf(numbers).any():
            raise DataError(f"features: {name} is infinite in {positions(np.isinf(numbers))}")
        return sparse.csr_array(np.nan_to_num(numbers, nan=0.0)[:, np.newaxis])
    codes, values = pd.factorize(column)
    row = np.flatnonzero(codes >= 0)
    return sparse.csr_array((np.ones(len(row)), (row, codes[row])), shape=(len(codes), max(len(values), 1)))
