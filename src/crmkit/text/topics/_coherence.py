"""Whether the words of a topic are said together: normalised pointwise mutual information."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse

from crmkit.core.checks import require_methods
from crmkit.text._texts import read_texts
from crmkit.text.topics._terms import ReadableTerms

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["coherence", "npmi", "topic_lists"]


def coherence(
    topics: Any, texts: Any, *, n_terms: int = 10, window: int | None = None, terms: Any = None
) -> pd.DataFrame:
    """Measure whether the terms of each topic stand in the same texts.

    For each pair of a topic's first terms, normalised pointwise mutual information: 1 where two terms only ever stand
    together, 0 where they meet as often as by chance, -1 where they never meet; a topic's figure is the mean over its
    pairs. It is measured in the texts given, which may be those of fitting; texts held back are the sterner judge.
    Costs one pass over the texts.

    Parameters
    ----------
    topics : fitted topic model, or list of list of str
        Whose terms.
    texts : list, array or Series of str, shape (n_texts,)
        Where it is measured.
    n_terms : int, default=10
        How many terms of each topic.
    window : int or None, default=None
        Terms meet within so many terms in a row; None for within a text, which suits short messages. Röder and others
        take 10 for long texts.
    terms : ReadableTerms, default=None
        What reads the texts; None for the model's own, or ``ReadableTerms()`` for lists of terms.

    Returns
    -------
    pandas.DataFrame
        One row a topic, indexed by ``topic``: ``npmi``, missing where fewer than two terms stand in the texts;
        ``n_pairs``; ``terms``, a list.

    Raises
    ------
    ValueError
        If ``n_terms`` or ``window`` is below 2.

    References
    ----------
    Bouma, G. (2009). Normalized (pointwise) mutual information in collocation extraction. GSCL 2009, 31-40.

    Röder, M., Both, A., & Hinneburg, A. (2015). Exploring the space of topic coherence measures. WSDM 2015, 399-408.
    doi:10.1145/2684822.2685324

    Examples
    --------
    >>> from crmkit import text
    >>> texts = ["refund order", "refund order", "late parcel", "parcel late today"]
    >>> text.coherence([["refund", "order"], ["refund", "parcel"]], texts)["npmi"].tolist()
    [1.0, -1.0]
    """
    if n_terms < 2:
        raise ValueError(f"n_terms must be at least 2, for there to be pairs, got {n_terms}")
    if window is not None and window < 2:
        raise ValueError(f"window must be None or at least 2, got {window}")
    lists = topic_lists(topics, n_terms)
    values = read_texts(texts, what="texts")
    if terms is None:
        terms = getattr(topics, "terms_", None)
    if terms is None:
        terms = ReadableTerms(min_df=1).fit(values)
    if window is not None and not callable(getattr(terms, "sequence", None)):
        raise TypeError("window= needs terms that know the order of words, such as ReadableTerms: give terms=")
    places = {str(name): place for place, name in enumerate(terms.get_feature_names_out())}
    chosen = sorted({places[term] for one in lists for term in one if term in places})
    met = terms.transform(values)[:, chosen] if window is None else _windows(terms.sequence(values), chosen, window)
    column = {place: at for at, place in enumerate(chosen)}
    table = npmi(met)
    rows = []
    for one in lists:
        at = [column[places[term]] for term in one if term in places]
        pairs = table[np.ix_(at, at)][np.triu_indices(len(at), 1)]
        pairs = pairs[np.isfinite(pairs)]
        rows.append((float(pairs.mean()) if len(pairs) else np.nan, len(pairs), one))
    index = pd.RangeIndex(len(rows), name="topic")
    return pd.DataFrame(rows, columns=["npmi", "n_pairs", "terms"], index=index)


def topic_lists(topics: Any, n_terms: int) -> list[list[str]]:
    """Give the terms of each topic, of a model or of lists.

    Parameters
    ----------
    topics : fitted topic model, or list of list of str
        A model of one's own gives a column ``terms`` of lists in ``topics(n_terms)``.
    n_terms : int
        How many.

    Returns
    -------
    list of list of str
        At most so many each.
    """
    if isinstance(topics, list | tuple):
        if any(isinstance(one, str) for one in topics):
            raise TypeError("topics must be a list of lists of terms, got a list of str")
        return [[str(term) for term in one][:n_terms] for one in topics]
    require_methods(topics, ["transform", "topics"], role="a topic model")
    table = topics.topics(n_terms)
    if "terms" not in table or not all(isinstance(one, list | tuple) for one in table["terms"]):
        raise TypeError(f"{type(topics).__name__}.topics() needs a column 'terms' with lists of str")
    return [[str(term) for term in one][:n_terms] for one in table["terms"]]


def npmi(met: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    """Give normalised pointwise mutual information of all pairs of terms.

    Parameters
    ----------
    met : sparse matrix, shape (n_texts, n_terms)
        Above 0 where a term stands in a text.

    Returns
    -------
    ndarray of float, shape (n_terms, n_terms)
        Missing for a term in no text, and for two that both stand in every text, of which nothing can be said.
    """
    there = sparse.csr_matrix(met > 0, dtype=np.float64)
    n = max(there.shape[0], 1)
    both = np.asarray((there.T @ there).todense()) / n
    alone = np.diag(both)
    with np.errstate(divide="ignore", invalid="ignore"):
        value = np.log(both / np.outer(alone, alone)) / -np.log(both)
    value = np.where(both == 0, -1.0, value)
    value[:, alone == 0] = np.nan
    value[alone == 0, :] = np.nan
    return np.asarray(np.where(both >= 1, np.nan, value), dtype=np.float64)


def _windows(
    found: tuple[npt.NDArray[np.int64], npt.NDArray[np.int64]], chosen: Sequence[int], window: int
) -> sparse.csr_matrix:
    """Give which chosen terms stand in which window; a text no longer than a window is one window."""
    term, text = found
    n_texts = int(text[-1]) + 1 if len(text) else 0
    length = np.bincount(text, minlength=n_texts)
    begins = np.cumsum(length) - length
    windows = np.where(length > 0, np.maximum(length - window, 0) + 1, 0)
    first_window = np.cumsum(windows) - windows
    column = np.full(int(term.max(initial=-1)) + 2, -1, dtype=np.int64)
    inside = [place for place in chosen if place < len(column) - 1]
    column[inside] = np.searchsorted(chosen, inside)
    kept = np.flatnonzero(column[term] >= 0)
    place = kept - begins[text[kept]]
    # A term at place p is in the windows that begin from p - window + 1 to p, as far as there are such.
    low = np.maximum(place - window + 1, 0)
    high = np.minimum(place, windows[text[kept]] - 1)
    times = high - low + 1
    start = np.repeat(first_window[text[kept]] + low, times)
    within = np.arange(len(start)) - np.repeat(np.cumsum(times) - times, times)
    shape = (int(windows.sum()), len(chosen))
    return sparse.csr_matrix((np.ones(len(start)), (start + within, np.repeat(column[term[kept]], times))), shape=shape)
