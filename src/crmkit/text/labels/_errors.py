"""Ranks the texts whose label a classifier that did not see them finds hard to believe."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.optimize import minimize_scalar
from scipy.special import log_softmax
from sklearn.base import clone
from sklearn.utils import check_random_state

from crmkit.core.checks import as_frame, positions, require_methods
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.registry import create
from crmkit.text._texts import is_frame, read_labels, read_texts
from crmkit.text.labels._same import number_texts, word_keys

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["find_label_errors"]


def find_label_errors(
    texts: Any, labels: Any, *, classifier: Any = "text-svm", cv: int = 5, random_state: Any = 0
) -> pd.DataFrame:
    """Find texts that probably carry the wrong label, the most suspicious first.

    The classifier is fitted ``cv`` times, each time without one part of the texts, which it then judges; texts with the
    same words are judged together, so that an error does not vouch for its copy. One temperature turns its scores
    into probabilities. Suspicious are the texts for which another label is more probable than their own. Read the
    list from the top and mend what is wrong; nothing is changed for you. It finds errors made here and there, not a
    class that was labelled wrong throughout. Cost: ``cv`` fits, and one number for each text and class.

    Parameters
    ----------
    texts : list, array or Series of str, or table, shape (n_texts,)
        As the classifier takes them.
    labels : array-like, shape (n_texts,)
        Labels as text, whole numbers or booleans; at least two different ones.
    classifier : str or classifier, default="text-svm"
        A name of kind ``classifier``, or one with ``decision_function`` or ``predict_proba``, cloned before fitting.
        Changes the result.
    cv : int, default=5
        How many parts, at least 2.
    random_state : int, RandomState or None, default=0
        Seed of the parts, and of a classifier named or without a seed of its own.

    Returns
    -------
    pandas.DataFrame
        A row a suspicious text: ``position`` (row in ``texts``), ``label``, ``suggested`` (the most probable one),
        ``confidence`` (probability of the given label, 0 to 1), ``margin`` (that less the largest of another label,
        -1 to 0) and ``likely``: whether the suggested label is as probable as it is on average where it is given, the
        threshold of confident learning. Sorted by ``confidence``, lowest first. Texts without any word or sign are
        not judged.

    Raises
    ------
    DataError
        If a label is missing or no text can be judged.
    ValueError
        If there is one class only, ``cv`` is less than 2, or lengths differ.

    Warns
    -----
    DataWarning
        If texts cannot be judged, because no text of their class stands in another part.

    References
    ----------
    Northcutt, Jiang, Chuang (2021). Confident learning: estimating uncertainty in dataset labels.
    doi:10.1613/jair.1.12125

    Examples
    --------
    >>> from crmkit.testing.tables import texts
    >>> from crmkit.text import find_label_errors
    >>> messages, labels = texts(60)
    >>> labels[8] = "refund"
    >>> find_label_errors(messages, labels)[["position", "label", "suggested", "likely"]]
       position   label suggested  likely
    0         8  refund  delivery    True
    """
    if not isinstance(cv, int | np.integer) or isinstance(cv, bool) or cv < 2:
        raise ValueError(f"cv must be a whole number from 2, got {cv!r}")
    table = as_frame(texts, what="texts") if is_frame(texts) else None
    values = read_texts(texts, what="texts") if table is None else None
    column, n_texts = _text_column(table, values, classifier)
    given = read_labels(labels, n_texts, what="find_label_errors")
    classes, codes = np.unique(given, return_inverse=True)
    if len(classes) < 2:
        raise ValueError(f"find_label_errors needs at least two classes in labels, got {len(classes)}")
    model = _resolve(classifier, random_state)
    keys = word_keys(column)
    fold = _folds(number_texts(keys), codes, int(cv), random_state)
    scores = np.full((n_texts, len(classes)), -np.inf)
    for part in range(int(cv)):
        judged, others = np.flatnonzero(fold == part), np.flatnonzero(fold != part)
        if not len(judged) or len(np.unique(codes[others])) < 2:
            continue
        fresh: Any = clone(model)
        fitted = fresh.fit(_take(table, values, others), given[others])
        scores[np.ix_(judged, np.searchsorted(classes, fitted.classes_))] = _log_scores(
            fitted, _take(table, values, judged)
        )
    known = np.isfinite(scores[np.arange(n_texts), codes])
    filled = np.fromiter((bool(key) for key in keys), dtype=bool, count=n_texts)
    if not known.all():
        warnings.warn(
            f"{positions(~known)} cannot be judged: no other text of their class stands in another part",
            DataWarning,
            stacklevel=2,
        )
    if not (known & filled).any():
        raise DataError("no text can be judged: every class needs two texts that differ")
    return _suspicious(np.flatnonzero(known & filled), scores, codes, classes)


def _text_column(
    table: pd.DataFrame | None, values: npt.NDArray[np.object_] | None, classifier: Any
) -> tuple[npt.NDArray[np.object_], int]:
    """Give the texts, wherever they stand, and how many there are."""
    if table is None:
        assert values is not None  # noqa: S101 -- one of the two is there
        return values, len(values)
    name = getattr(classifier, "text_column", "text")
    if name not in table.columns:
        raise DataError(f"texts has no column {name!r}: hand the text column over, or name it with text_column=")
    return read_texts(table[name], what=f"texts[{name!r}]"), len(table)


def _resolve(classifier: Any, random_state: Any) -> Any:
    """Give an unfitted classifier with a seed."""
    model: Any = create("classifier", classifier) if isinstance(classifier, str) else clone(classifier)
    require_methods(model, ["fit", "predict"], role="a classifier")
    if not any(callable(getattr(model, name, None)) for name in ("decision_function", "predict_proba")):
        raise TypeError(f"classifier needs decision_function or predict_proba; {type(model).__name__} has neither")
    if "random_state" in model.get_params() and model.get_params()["random_state"] is None:
        model.set_params(random_state=check_random_state(random_state).randint(2**31 - 1))
    return model


def _folds(first: npt.NDArray[np.int64], codes: npt.NDArray[np.int64], cv: int, random_state: Any) -> Any:
    """Spread each class over the parts, the same texts in the same one."""
    firsts = np.flatnonzero(first == np.arange(len(first)))
    shuffled = check_random_state(random_state).permutation(firsts)
    dealt = shuffled[np.argsort(codes[shuffled], kind="stable")]
    fold = np.empty(len(first), dtype=np.int64)
    fold[dealt] = np.arange(len(dealt)) % cv
    return fold[first]


def _take(table: pd.DataFrame | None, values: Any, rows: npt.NDArray[np.int64]) -> Any:
    """Give some rows of what was handed in."""
    return values[rows] if table is None else table.iloc[rows]


def _log_scores(fitted: Any, X: Any) -> npt.NDArray[np.float64]:
    """Give a score for each class, as logarithms where they are probabilities."""
    if callable(getattr(fitted, "decision_function", None)):
        scores = np.asarray(fitted.decision_function(X), dtype=np.float64)
        return np.column_stack([-scores, scores]) if scores.ndim == 1 else scores
    return np.log(np.clip(np.asarray(fitted.predict_proba(X), dtype=np.float64), 1e-12, None))


def _suspicious(
    rows: npt.NDArray[np.int64],
    scores: npt.NDArray[np.float64],
    codes: npt.NDArray[np.int64],
    classes: npt.NDArray[Any],
) -> pd.DataFrame:
    """Turn out-of-fold scores into the ranking."""
    codes = codes[rows]
    here = np.arange(len(rows))
    log_p = _tempered(scores[rows], codes)
    own = np.exp(log_p[here, codes])
    # The average probability of a class where it is given; a class that nobody judged asks for more than can be.
    sizes = np.bincount(codes, minlength=len(classes))
    sums = np.bincount(codes, weights=own, minlength=len(classes))
    threshold = np.where(sizes > 0, sums / np.maximum(sizes, 1), np.inf)
    log_own = log_p[here, codes].copy()
    log_p[here, codes] = -np.inf
    best = log_p.argmax(axis=1)
    rival = log_p[here, best]
    listed = np.flatnonzero(rival > log_own)
    # Two texts may both have a probability that rounds to nothing: the logarithms still tell them apart.
    listed = listed[np.lexsort((rows[listed], log_own[listed]))]
    return pd.DataFrame(
        {
            "position": rows[listed],
            "label": classes[codes[listed]],
            "suggested": classes[best[listed]],
            "confidence": own[listed],
            "margin": own[listed] - np.exp(rival[listed]),
            "likely": np.exp(rival[listed]) >= threshold[best[listed]],
        }
    )


def _tempered(scores: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]) -> npt.NDArray[np.float64]:
    """Give log probabilities by the one temperature that makes the given labels most probable."""
    here = np.arange(len(codes))

    def loss(log_factor: float) -> float:
        return -float(log_softmax(scores * np.exp(log_factor), axis=1)[here, codes].mean())

    best = minimize_scalar(loss, bounds=(-7.0, 7.0), method="bounded", options={"xatol": 1e-3})
    scaled: npt.NDArray[np.float64] = log_softmax(scores * np.exp(best.x), axis=1)
    return scaled
