"""The keywords of a corpus, and of each class in it against the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone

from crmkit.metrics import wilson
from crmkit.metrics.intervals import check_level
from crmkit.text._texts import read_texts
from crmkit.text.keywords._log_odds import log_odds
from crmkit.text.keywords._reading import first_sentence, in_language, read_classes, read_factors
from crmkit.text.topics._base import tfidf
from crmkit.text.topics._class_terms import class_tfidf
from crmkit.text.topics._terms import ReadableTerms

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["keywords"]

_METHODS = ("log-odds", "c-tf-idf")


def keywords(
    texts: Any,
    *,
    by: Any = None,
    weights: Any = None,
    language: str | None = None,
    stop_words: Any = None,
    n: int = 20,
    method: str = "log-odds",
    titles: Any = None,
    title_weight: float = 3.0,
    first_weight: float = 1.0,
    prior: float = 500.0,
    level: float = 0.95,
    terms: Any = None,
) -> pd.DataFrame:
    """Give the words that stand out in a corpus, or in each class of it.

    With labels each class is compared with all others together, by log-odds with an informative Dirichlet prior: how
    sure it is that the class uses a term more (``z``, with an interval of the log-odds). Class-based TF-IDF stands
    beside it, and ranks when asked to: it prefers the frequent, log-odds the certain. Without labels there is nothing
    to compare with, and terms are ranked by their mean TF-IDF. Costs one reading of the texts.

    Parameters
    ----------
    texts : list, array or Series of str, shape (n_texts,)
        The corpus, Chinese and English in any mixture.
    by : array-like, shape (n_texts,), default=None
        The class of each text, such as its category or rating; texts without one are left out with a warning.
    weights : mapping of str to float, default=None
        Factors of the score: 2 for a term that matters twice, 0 to leave one out.
    language : {"zh", "en"}, default=None
        Terms in Han or in Latin script only; None for all.
    stop_words : iterable of str, default=None
        Words left out; None for those in the box, see `crmkit.language.stop_words` to change them.
    n : int, default=20
        At most how many terms, of each class.
    method : {"log-odds", "c-tf-idf"}, default="log-odds"
        What ranks terms of classes.
    titles : list, array or Series of str, default=None
        The title of each text, read with it.
    title_weight, first_weight : float, default=3.0 and 1.0
        How much an occurrence in the title, or in the first sentence, counts for the score, against 1 elsewhere; not
        for ``count``, ``z`` and intervals.
    prior : float, default=500.0
        How many words the prior weighs; more draws rare terms to no difference.
    level : float, default=0.95
        Coverage of the intervals.
    terms : ReadableTerms, default=None
        What reads the texts, in place of ``ReadableTerms(stop_words=stop_words)``; cloned.

    Returns
    -------
    pandas.DataFrame
        One row a keyword, best first: ``label`` (with ``by``), ``rank``, ``term``, ``score``; ``n_texts`` with the term
        ``of`` all of the class, their ``share`` with its Wilson interval ``low``, ``high``; ``count``; with ``by`` also
        ``log_odds``, ``log_odds_low``, ``log_odds_high``, ``z`` and ``c_tf_idf``. A class that uses no term more than
        the others has no row.

    Raises
    ------
    DataError
        If no text has a term, or none a label.
    ValueError, TypeError
        If weights, lengths or names are wrong.

    Notes
    -----
    With as many terms as a corpus has, some reach a ``z`` of 3 by chance; the intervals are for each term by itself.

    References
    ----------
    Monroe, B. L., Colaresi, M. P., & Quinn, K. M. (2008). Fightin' words. Political Analysis 16, 372-403.
    doi:10.1093/pan/mpn018

    Examples
    --------
    >>> from crmkit import text
    >>> texts = ["late parcel", "parcel lost", "refund please", "where is my refund"]
    >>> table = text.keywords(texts, by=["delivery", "delivery", "money", "money"], n=1)
    >>> table[["label", "term", "n_texts", "of"]].values.tolist()
    [['delivery', 'parcel', 2, 2], ['money', 'refund', 2, 2]]
    """
    if method not in _METHODS:
        raise ValueError(f"method must be one of {', '.join(map(repr, _METHODS))}, got {method!r}")
    if n < 1:
        raise ValueError(f"n must be at least 1, got {n}")
    for name, value in (("title_weight", title_weight), ("first_weight", first_weight), ("prior", prior)):
        if not (np.isfinite(value) and value >= 0) or (name == "prior" and value == 0):
            raise ValueError(f"{name} must be {'above 0' if name == 'prior' else '0 or more'}, got {value}")
    check_level(level)
    if terms is not None and stop_words is not None:
        raise ValueError("give stop_words to terms=, or leave terms out")
    bodies = read_texts(texts, what="texts")
    which, classes = (np.zeros(len(bodies), dtype=np.int64), [None]) if by is None else read_classes(by, len(bodies))
    kept = np.flatnonzero(which >= 0)
    reader = _reader(terms, stop_words)
    heads = None if titles is None else _titles(titles, len(which))[kept]
    bodies, which = bodies[kept], which[kept]
    whole = bodies if heads is None else heads + np.array("\n", dtype=object) + bodies
    counts = sparse.csr_matrix(reader.fit_transform(whole))
    names = [str(name) for name in reader.get_feature_names_out()]

    members = sparse.csr_matrix((np.ones(len(which)), (which, np.arange(len(which)))), shape=(len(classes), len(which)))
    by_class = np.asarray((members @ counts).todense())
    there = sparse.csr_matrix(counts > 0, dtype=np.float64)
    texts_with = np.asarray((members @ there).todense())
    sizes = np.bincount(which, minlength=len(classes))
    weighed = by_class.copy()
    if heads is not None:
        weighed += (title_weight - 1) * np.asarray((members @ reader.transform(heads)).todense())
    if first_weight != 1:
        first = np.array([first_sentence(text) for text in bodies], dtype=object)
        weighed += (first_weight - 1) * np.asarray((members @ reader.transform(first)).todense())
    factor = np.divide(weighed, by_class, out=np.ones_like(weighed), where=by_class > 0)
    factor = np.maximum(factor, 0) * read_factors(weights, names) * in_language(names, language)

    extra: dict[str, npt.NDArray[np.float64]] = {}
    if by is None:
        score = np.asarray(tfidf(counts)[1].mean(axis=0))
    else:
        odds = log_odds(by_class, prior=prior, level=level)
        extra = {
            "log_odds": odds.value,
            "log_odds_low": odds.low,
            "log_odds_high": odds.high,
            "z": odds.z,
            "c_tf_idf": class_tfidf(by_class),
        }
        score = extra["z"] if method == "log-odds" else extra["c_tf_idf"]
    score = np.where(by_class > 0, score, 0) * factor

    order = np.argsort(-score, axis=1, kind="stable")[:, :n]
    group = np.repeat(np.arange(len(classes)), order.shape[1])
    term = order.ravel()
    rank = np.tile(np.arange(1, order.shape[1] + 1), len(classes))
    good = score[group, term] > 0
    group, term, rank = group[good], term[good], rank[good]
    low, high = wilson(texts_with[group, term], sizes[group], level=level)
    table: dict[str, Any] = {} if by is None else {"label": [classes[place] for place in group.tolist()]}
    table |= {
        "rank": rank,
        "term": [names[place] for place in term.tolist()],
        "score": score[group, term],
        "n_texts": texts_with[group, term].astype(np.int64),
        "of": sizes[group],
        "share": texts_with[group, term] / sizes[group],
        "low": low,
        "high": high,
        "count": by_class[group, term].astype(np.int64),
    }
    return pd.DataFrame(table | {name: values[group, term] for name, values in extra.items()})


def _reader(terms: Any, stop_words: Any) -> Any:
    """Give what reads the texts."""
    return ReadableTerms(stop_words=stop_words) if terms is None else clone(terms)


def _titles(titles: Any, n_texts: int) -> npt.NDArray[np.object_]:
    """Check the titles."""
    heads = read_texts(titles, what="titles")
    if len(heads) != n_texts:
        raise ValueError(f"texts and titles must be as long: {n_texts} texts and {len(heads)} titles")
    return heads
