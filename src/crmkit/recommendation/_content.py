"""Items that read like what a customer bought."""

from __future__ import annotations

import warnings
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.preprocessing import normalize
from sklearn.utils._param_validation import HasMethods, Interval

from crmkit.core.checks import as_texts, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.language import Analyzer
from crmkit.recommendation._item_sums import ItemSums
from crmkit.recommendation._ladder import RUNGS
from crmkit.recommendation._memory import as_bytes
from crmkit.recommendation._neighbors import nearest
from crmkit.recommendation._side_tables import labels_of

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit.recommendation._interactions import Events, Interactions

__all__ = ["Content"]

_IDS = {"item_id", "product_id"}


class Content(ItemSums):
    """Recommends items whose text and attributes are like those of what the customer bought.

    Each item is a vector: its texts by TF-IDF of words and characters in any script, and its attributes. The score of
    an item is the sum, over the customer's items that are among its ``n_neighbors`` most similar ones, of cosine times
    value. It is the way to offer an item on the day it is listed, before anybody bought it. The table of items is
    handed to ``fit(sales, items=goods)``. Every score is a sum over the customer's items, which ``explain`` shows.

    Cost: one product of all items with each other over their terms, in blocks of ``memory_limit``.

    Parameters
    ----------
    text : str, sequence of str or "auto", default="auto"
        Columns of ``items`` that hold text; ``"auto"`` takes columns of text of which more than half of the values
        differ.
    attributes : str, sequence of str or "auto", default="auto"
        Columns whose equal values make items alike; ``"auto"`` takes the other columns of text. Give numbers in ranges.
    attribute_weight : float, default=0.5
        What each attribute weighs beside the text, as the length of its part of the vector.
    vectorizer : vectorizer, encoder or None, default=None
        What turns texts to vectors: anything with ``fit_transform(texts)``, cloned, or with ``encode(texts)``. None is
        TF-IDF over ``crmkit.language.Analyzer()``.
    n_neighbors : int, default=100
        Items kept for each candidate item, among those that were bought.
    event_weights, values, window_days, half_life_days, min_rating, fallback, popular_days, memory_limit
        As for every recommender, see ``ItemKNN``.

    Attributes
    ----------
    neighbors_ : csr_array, shape (n_items, n_items)
        Row i holds the cosine of candidate item i with each of its neighbours.
    text_, attributes_ : list of str
        The columns used.

    Warns
    -----
    DataWarning
        If ``fit`` is given no items: all lists are then filled by the fallback.

    References
    ----------
    Pazzani, M. J. and Billsus, D. (2007). Content-based recommendation systems. In The Adaptive Web, 325-341.
    doi:10.1007/978-3-540-72079-9_10

    Examples
    --------
    >>> import pandas as pd, crmkit
    >>> sales = pd.DataFrame({"customer_id": ["a", "b"], "item_id": ["t1", "m1"]})
    >>> goods = pd.DataFrame({"item_id": ["t1", "t2", "m1"], "name": ["green tea", "green tea bags", "mug"]})
    >>> model = crmkit.create("recommender", "content").fit(sales, items=goods)
    >>> model.recommend(["a"], 1)["item_id"].tolist()
    ['t2']
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **ItemSums._parameter_constraints,  # noqa: SLF001 -- scikit-learn's name for what a class inherits
        "text": [str, "array-like", tuple],
        "attributes": [str, "array-like", tuple],
        "attribute_weight": [Interval(Real, 0, None, closed="left")],
        "vectorizer": [HasMethods(["fit_transform"]), HasMethods(["encode"]), None],
        "n_neighbors": [Interval(Integral, 1, None, closed="left")],
    }
    _source: ClassVar[str] = "content"

    def __init__(
        self,
        *,
        text: str | Sequence[str] = "auto",
        attributes: str | Sequence[str] = "auto",
        attribute_weight: float = 0.5,
        vectorizer: Any = None,
        n_neighbors: int = 100,
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
        self.text = text
        self.attributes = attributes
        self.attribute_weight = attribute_weight
        self.vectorizer = vectorizer
        self.n_neighbors = n_neighbors

    def _learn(self, interactions: Interactions, events: Events) -> None:
        place, table = events.goods
        n_items = len(interactions.items)
        self.text_, self.attributes_ = self._columns(table)
        blocks = [*self._texts(table), *self._attributes(table)]
        if not blocks:
            if len(table):
                raise DataError("content: the table of items has no column of text; name columns in text or attributes")
            warnings.warn(
                "content knows nothing of the items, so that the fallback fills all lists: fit(sales, items=goods) "
                "with a table of item_id and columns that describe them",
                DataWarning,
                stacklevel=6,
            )
            self._keep(sparse.csr_array((n_items, n_items)))
            return
        described = _unit(sparse.csr_array(sparse.hstack(blocks, format="csr")))
        widen = sparse.csr_array((np.ones(len(place)), (place, np.arange(len(place)))), shape=(n_items, len(place)))
        vectors = sparse.csr_array(widen @ described)
        # Only what was bought can be a reason.
        bought = np.bincount(interactions.matrix.indices, minlength=n_items) > 0
        reasons = sparse.csr_array(sparse.diags_array(bought.astype(np.float64)) @ vectors)
        reasons.eliminate_zeros()
        neighbors = nearest(
            vectors,
            reasons.T.tocsr(),
            self.n_neighbors,
            similarity=lambda cosine, *_: cosine,
            memory=as_bytes(self.memory_limit),
        )
        self._keep(neighbors)

    def _columns(self, table: pd.DataFrame) -> tuple[list[str], list[str]]:
        """Choose the columns."""
        named = [column for column in table.columns if column not in _IDS]
        words = [column for column in named if _is_text(table[column])]
        many = {column for column in words if table[column].nunique() > 0.5 * table[column].notna().sum()}
        text = _listed(self.text)
        attributes = _listed(self.attributes)
        if text is not None:
            require_columns(table, text, what="items")
        if attributes is not None:
            require_columns(table, attributes, what="items")
        if text is None:
            text = [column for column in words if column in many and column not in (attributes or ())]
        if attributes is None:
            attributes = [column for column in words if column not in many and column not in text]
        return text, attributes

    def _texts(self, table: pd.DataFrame) -> list[sparse.csr_array]:
        """Give the part of the vectors that stands for texts."""
        if not self.text_:
            return []
        columns = [as_texts(table[column], what=f"items.{column}") for column in self.text_]
        texts = [" \n".join(parts) for parts in zip(*columns, strict=True)]
        if callable(getattr(self.vectorizer, "encode", None)):
            vectors = self.vectorizer.encode(texts)
        else:
            usual: Any = TfidfVectorizer
            vectorizer: Any = self.vectorizer
            vectorizer = usual(analyzer=Analyzer(), sublinear_tf=True) if vectorizer is None else clone(vectorizer)
            vectors = vectorizer.fit_transform(texts)
        return [_unit(sparse.csr_array(vectors, dtype=np.float64))]

    def _attributes(self, table: pd.DataFrame) -> list[sparse.csr_array]:
        """Give the parts of the vectors that stand for attributes."""
        blocks = []
        for column in self.attributes_:
            labels = labels_of(table[column])
            known = np.flatnonzero(labels.code >= 0)
            weight = np.full(len(known), float(self.attribute_weight))
            shape = (len(table), max(1, len(labels.names)))
            blocks.append(sparse.csr_array((weight, (known, labels.code[known])), shape=shape))
        return blocks


def _unit(rows: Any) -> sparse.csr_array:
    """Bring every row that is not 0 to length 1."""
    unit: Any = normalize(rows)
    return sparse.csr_array(unit)


def _listed(columns: str | Sequence[str]) -> list[str] | None:
    """Give columns as a list, None for "auto"."""
    if isinstance(columns, str):
        return None if columns == "auto" else [columns]
    return list(columns)


def _is_text(column: pd.Series) -> bool:
    """Say whether a column holds text."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.astype(column.dtype.categories.dtype)
    return bool(pd.api.types.infer_dtype(column, skipna=True) == "string")
