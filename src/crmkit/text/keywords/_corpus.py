"""The keywords of a corpus, and of each class in it against the others."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import clone

from crmkit.core.errors import DataWarning
from crmkit.language import blank_markup
from crmkit.metrics import wilson
from crmkit.metrics.intervals import check_level
from crmkit.text._texts import read_texts
from crmkit.text.keywords._log_odds import log_odds
from crmkit.text.keywords._reading import (
    check_count,
    check_weights,
    first_sentence,
    in_language,
    read_classes,
    read_factors,
)
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

    Warns
    -----
    DataWarning
        If a text has no label, or there is only one, which cannot be compared with others.

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
    check_count(n)
    check_weights(title_weight=title_weight, first_weight=first_weight)
    if not (np.isfinite(prior) and prior > 0):
        raise ValueError(f"prior must be above 0, got {prior}")
    check_level(level)
    if terms is not None and stop_words is not None:
        raise ValueError("give stop_words to terms=, or leave terms out")
    corpus = _read(texts, titles, by)
    reader: Any = ReadableTerms(stop_words=stop_words) if terms is None else clone(terms)
    counts = sparse.csr_matrix(reader.fit_transform(corpus.whole))
    names = [str(name) for name in reader.get_feature_names_out()]
    times = _by_class(corpus, counts)
    factor = _emphasis(corpus, reader, times, title_weight, first_weight)
    factor = factor * read_factors(weights, names) * in_language(names, language)
    extra: dict[str, npt.NDArray[np.float64]] = {}
    if by is None:
        score = np.asarray(tfidf(counts)[1].mean(axis=0))
    else:
        odds = log_odds(times, prior=prior, level=level)
        extra = {"log_odds": odds.value, "log_odds_low": odds.low, "log_odds_high": odds.high, "z": odds.z}
        extra["c_tf_idf"] = class_tfidf(times)
        score = extra["z"] if method == "log-odds" else extra["c_tf_idf"]
        if len(corpus.classes) == 1 and method == "log-odds":
            message = "by has one class only, and nothing to compare it with: leave by out, or take method='c-tf-idf'"
            warnings.warn(message, DataWarning, stacklevel=2)
    group, term, rank = _best(np.where(times > 0, score, 0) * factor, n)
    here = (group, term)
    n_texts = _by_class(corpus, sparse.csr_matrix(counts > 0, dtype=np.float64))[here].astype(np.int64)
    of = np.bincount(corpus.which, minlength=len(corpus.classes))[group]
    low, high = wilson(n_texts, of, level=level)
    return pd.DataFrame(
        {
            **({} if by is None else {"label": [corpus.classes[place] for place in group.tolist()]}),
            "rank": rank,
            "term": [names[place] for place in term.tolist()],
            "score": (score * factor)[here],
            "n_texts": n_texts,
            "of": of,
            "share": n_texts / of,
            "low": low,
            "high": high,
            "count": times[here].astype(np.int64),
            **{name: values[here] for name, values in extra.items()},
        }
    )


class _Corpus(NamedTuple):
    """Texts that have a class, their titles where there are any, and the classes."""

    bodies: npt.NDArray[np.object_]
    heads: npt.NDArray[np.object_] | None
    which: npt.NDArray[np.int64]
    classes: list[Any]

    @property
    def whole(self) -> npt.NDArray[np.object_]:
        """Titles and texts, one below the other."""
        return self.bodies if self.heads is None else self.heads + np.array("\n", dtype=object) + self.bodies


def _read(texts: Any, titles: Any, by: Any) -> _Corpus:
    """Read texts, titles and classes, leaving out what has no class."""
    bodies = read_texts(texts, what="texts")
    heads = None if titles is None else read_texts(titles, what="titles")
    if heads is not None and len(heads) != len(bodies):
        raise ValueError(f"texts and titles must be as long: {len(bodies)} texts and {len(heads)} titles")
    if by is None:
        return _Corpus(bodies, heads, np.zeros(len(bodies), dtype=np.int64), [None])
    which, classes = read_classes(by, len(bodies))
    kept = np.flatnonzero(which >= 0)
    return _Corpus(bodies[kept], None if heads is None else heads[kept], which[kept], classes)


def _by_class(corpus: _Corpus, counts: sparse.csr_matrix) -> npt.NDArray[np.float64]:
    """Add up rows of texts by class."""
    n_texts = len(corpus.which)
    shape = (len(corpus.classes), n_texts)
    members = sparse.csr_matrix((np.ones(n_texts), (corpus.which, np.arange(n_texts))), shape=shape)
    return np.asarray((members @ counts).todense())


def _emphasis(
    corpus: _Corpus, reader: Any, times: npt.NDArray[np.float64], title_weight: float, first_weight: float
) -> npt.NDArray[np.float64]:
    """Give by how much the score of each class and term grows for what stands in titles and first sentences."""
    weighed = times.copy()
    if corpus.heads is not None:
        weighed += (title_weight - 1) * _by_class(corpus, reader.transform(corpus.heads))
    if first_weight != 1:
        first = np.array([first_sentence(blank_markup(text)) for text in corpus.bodies], dtype=object)
        weighed += (first_weight - 1) * _by_class(corpus, reader.transform(first))
    return np.maximum(np.divide(weighed, times, out=np.ones_like(times), where=times > 0), 0)


def _best(
    score: npt.NDArray[np.float64], n: int
) -> tuple[npt.NDArray[np.intp], npt.NDArray[np.intp], npt.NDArray[np.int64]]:
    """Give class, term and rank of the terms with the highest scores above 0, class by class."""
    order = np.argsort(-score, axis=1, kind="stable")[:, :n]
    group = np.repeat(np.arange(len(score)), order.shape[1])
    term = order.ravel()
    rank = np.tile(np.arange(1, order.shape[1] + 1), len(score))
    good = score[group, term] > 0
    return group[good], term[good], rank[good]
