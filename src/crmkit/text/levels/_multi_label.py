"""Several labels a text: one line a label, each with the threshold that serves it best."""

from __future__ import annotations

import copy
import math
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.base import _fit_context
from sklearn.svm import LinearSVC
from sklearn.utils import check_random_state
from sklearn.utils._param_validation import Interval
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from crmkit.core.checks import as_frame, positions
from crmkit.core.errors import DataError
from crmkit.text._texts import is_frame, split_frame
from crmkit.text.classifying._input import SHARED_CONSTRAINTS, TextInput

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["MultiLabelTextClassifier"]

_FEW = 10


class MultiLabelTextClassifier(TextInput):
    """Linear support vectors for texts that have any number of labels, none included.

    The features are those of `TextSVM`; one line is placed between the texts that have a label and those that have it
    not. A rare label's line leaves most of its texts on the wrong side, so each label has a threshold of its own: the
    one with the best F1 on texts that were not trained on (``cv`` fits). A label that fewer than ten of these have
    shares the threshold that is best over all labels together. Cost: ``cv`` + 1 times the features and one line a
    label; memory of one number for each pair of term and label.

    Parameters
    ----------
    features : None, str, encoder or vectorizer, default=None
        None is `TextFeatures`; a name is a plugin of kind ``encoder``; an encoder has ``encode(texts)``;
        anything with ``fit`` and ``transform`` is a vectorizer. Changes the result.
    columns : "auto", sequence of str or None, default="auto"
        Columns of a table that are used beside the text. ``"auto"`` takes channel, direction, type and time where
        the training table has them; None uses the text alone. Changes the result.
    text_column : str, default="text"
        Which column of a table has the texts.
    C : float, default=0.8
        How much a training error costs; smaller is smoother. Changes the result.
    cv : int, default=5
        How many times it is fitted without some of the texts.
    random_state : int, RandomState or None, default=None
        Which text is left out when, and the order of the passes.

    Attributes
    ----------
    classes_ : ndarray, shape (n_labels,)
        The labels: the columns of an indicator table, else sorted.
    columns_ : list of str
        The columns used beside the text.
    thresholds_ : ndarray of float64, shape (n_labels,)
        The score from which a text gets each label.
    tried_ : pandas.DataFrame
        A row a label: its threshold and what was found out of fold.
    micro_f1_, macro_f1_ : float
        F1 over all pairs of text and label, and its mean over the labels, by thresholds chosen without the texts.

    Raises
    ------
    DataError
        If no text has a label, a label set or a label in it is missing, an indicator is neither 0 nor 1, or a column is
        not there.
    TypeError
        If a text is no ``str``, or labels are text in one set and numbers in another.

    Notes
    -----
    `explain` says which words spoke for each label a text was given. scikit-learn's searches need a ``scoring``, such
    as ``"f1_micro"``, and labels as 0 and 1.

    References
    ----------
    Fan, R.-E., & Lin, C.-J. (2007). A study on threshold selection for multi-label classification. National Taiwan
    University.

    Examples
    --------
    >>> from crmkit.text import MultiLabelTextClassifier
    >>> texts = ["late and cold", "late", "cold soup", "all fine"] * 3
    >>> model = MultiLabelTextClassifier(cv=3, random_state=0)
    >>> model.fit(texts, [{"late", "cold"}, {"late"}, {"cold"}, set()] * 3).predict_sets(["cold and late", "fine"])
    [('cold', 'late'), ()]
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        **SHARED_CONSTRAINTS,
        "C": [Interval(Real, 0, None, closed="neither")],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        *,
        features: Any = None,
        columns: str | Sequence[str] | None = "auto",
        text_column: str = "text",
        C: float = 0.8,
        cv: int = 5,
        random_state: Any = None,
    ) -> None:
        super().__init__(features=features, columns=columns, text_column=text_column)
        self.C = C
        self.cv = cv
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn the labels and their thresholds.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            A missing text counts as empty. A table has a text column and, if wanted, columns beside it.
        y : list of sets, lists or tuples of labels, or indicator table, array or sparse matrix (n_texts, n_labels)
            What each text is about.

        Returns
        -------
        MultiLabelTextClassifier
            Itself.
        """
        texts, frame = split_frame(X, self.text_column)
        self.classes_, has = _indicators(y)
        if len(has) != len(texts):
            raise ValueError(f"X and y must be as long: {len(texts)} texts and {len(has)} sets of labels")
        if len(texts) < 2 or not has.any():
            raise DataError("there is nothing to learn: it takes two texts, and one of them with a label")
        self.columns_ = self._choose_columns(frame)
        order = check_random_state(self.random_state).permutation(len(texts))
        folds = np.empty(len(texts), dtype=np.int64)
        folds[order] = np.arange(len(texts)) % self.cv
        scores = np.empty(has.shape)
        for fold in np.unique(folds).tolist():
            out = folds == fold
            without = copy.copy(self)
            without._learn(texts[~out], None if frame is None else frame[~out], has[~out])  # noqa: SLF001 -- its own copy
            scores[out] = without._scores(texts[out] if frame is None else frame[out])  # noqa: SLF001 -- its own copy
        self._learn(texts, frame, has)
        self.thresholds_, self.shared_ = _best_thresholds(scores, has)
        given = np.empty(has.shape, dtype=bool)
        for fold in np.unique(folds).tolist():
            out = folds == fold
            given[out] = scores[out] >= _best_thresholds(scores[~out], has[~out])[0]
        self.counts_ = np.column_stack([has.sum(axis=0), given.sum(axis=0), (given & has).sum(axis=0)])
        return self

    def decision_function(self, X: Any) -> npt.NDArray[np.float64]:
        """Give how far each text is on the side of each label.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_labels)
            To be compared with ``thresholds_``.
        """
        check_is_fitted(self, "coef_")
        return self._scores(X)

    def linear_weights(self) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give what each label's score is made of.

        Returns
        -------
        weights : ndarray of float64, shape (n_labels, n_features)
            What one unit of each feature adds to the score of each label.
        base : ndarray of float64, shape (n_labels,)
            The score of a text without any feature.
        """
        check_is_fitted(self, "coef_")
        return self.coef_, self.intercept_

    def predict(self, X: Any) -> npt.NDArray[np.int64]:
        """Give the labels of each text as zeros and ones, the form that scikit-learn's metrics take.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of int64, shape (n_texts, n_labels)
            1 where a text has the label.
        """
        scores = self.decision_function(X)
        return (scores >= self.thresholds_).astype(np.int64)

    def predict_sets(self, X: Any) -> list[tuple[Any, ...]]:
        """Give the labels of each text by name.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        list of tuple
            In the order of ``classes_``; empty where a text has none.
        """
        return [tuple(self.classes_[row > 0].tolist()) for row in self.predict(X)]

    @property
    def tried_(self) -> pd.DataFrame:
        """What was found out of fold, a row a label, by thresholds chosen without the texts."""
        check_is_fitted(self, "counts_")
        n, given, right = self.counts_.T
        with np.errstate(invalid="ignore"):
            table = {"precision": right / given, "recall": right / n}
        return pd.DataFrame(
            {"threshold": self.thresholds_, "shared": self.shared_, "n": n, "given": given, **table, "f1": self._f1()},
            index=pd.Index(self.classes_, name="label"),
        )

    @property
    def micro_f1_(self) -> float:
        """F1 over all pairs of text and label, out of fold."""
        check_is_fitted(self, "counts_")
        n, given, right = self.counts_.sum(axis=0).tolist()
        return float(2 * right / (n + given))

    @property
    def macro_f1_(self) -> float:
        """The mean of the labels' F1, out of fold."""
        check_is_fitted(self, "counts_")
        return float(self._f1().mean())

    def _f1(self) -> npt.NDArray[np.float64]:
        """Give the F1 of each label; 0 for one that no text has and none was given."""
        n, given, right = self.counts_.T
        return np.asarray(2 * right / np.maximum(n + given, 1), dtype=np.float64)

    def _learn(self, texts: npt.NDArray[np.object_], frame: pd.DataFrame | None, has: npt.NDArray[np.bool_]) -> None:
        """Fit the features and the line of each label; a label of all or no texts has a flat one."""
        with threadpool_limits(limits=1):
            values = self._fit_features(texts, frame)
            self.coef_ = np.zeros((has.shape[1], values.shape[1]))
            self.intercept_ = np.where(has.all(axis=0), 1.0, -1.0)
            for place in np.flatnonzero(has.any(axis=0) & ~has.all(axis=0)).tolist():
                line: Any = LinearSVC(C=self.C, random_state=self.random_state).fit(values, has[:, place])
                self.coef_[place], self.intercept_[place] = line.coef_[0], line.intercept_[0]

    def _scores(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the side of each label's line."""
        sides = [np.asarray(values @ self.coef_.T) + self.intercept_ for values in self._batches(X)]
        return np.concatenate([np.empty((0, len(self.classes_))), *sides])


def _indicators(y: Any) -> tuple[npt.NDArray[Any], npt.NDArray[np.bool_]]:
    """Give the labels and which text has which."""
    if y is None:
        raise ValueError("MultiLabelTextClassifier requires y to be passed, but the target y is None")
    if sparse.issparse(y):
        matrix: Any = y
        y = matrix.toarray()
    if hasattr(y, "to_pylist") and not is_frame(y):
        y = y.to_pylist()
    if is_frame(y) or getattr(y, "ndim", 1) == 2:
        names = as_frame(y, what="y").columns.to_list() if is_frame(y) else list(range(y.shape[1]))
        values = np.asarray(as_frame(y, what="y") if is_frame(y) else y)
        wrong = ~np.isin(values.astype(object), [0, 1]).all(axis=1)
        if wrong.any():
            raise DataError(f"y must hold 0 and 1, or sets of labels; {positions(wrong)} hold something else")
        return np.array(names), values.astype(bool)
    sets = list(y)
    wrong = np.array([not isinstance(one, set | frozenset | list | tuple | np.ndarray) for one in sets], dtype=bool)
    if wrong.any():
        raise DataError(
            f"y must hold a set, list or tuple of labels a text (empty for none); {positions(wrong)} do not"
        )
    wrong = np.array([not all(map(_is_label, one)) for one in sets], dtype=bool)
    if wrong.any():
        raise DataError(f"a label must be text, a number or a boolean, and not missing; not so in {positions(wrong)}")
    if len({isinstance(label, str) for one in sets for label in one}) > 1:
        raise TypeError("labels must be all text or all numbers, got both")
    names = sorted({label for one in sets for label in one})
    place = {label: code for code, label in enumerate(names)}
    has = np.zeros((len(sets), len(names)), dtype=bool)
    for row, one in enumerate(sets):
        has[row, [place[label] for label in one]] = True
    return np.array(names), has


def _is_label(label: Any) -> bool:
    """Say whether it can be a label."""
    return isinstance(label, str | np.bool_) or (isinstance(label, Real) and math.isfinite(label))


def _best_threshold(scores: npt.NDArray[np.float64], has: npt.NDArray[np.bool_]) -> float:
    """Give the threshold with the best F1, half way to the next lower score."""
    order = np.argsort(-scores, kind="stable")
    falling = scores[order]
    f1 = 2 * np.cumsum(has[order]) / (np.arange(1, len(order) + 1) + has.sum())
    last = np.append(falling[:-1] > falling[1:], True)
    best = int(np.argmax(np.where(last, f1, -1.0)))
    return float(falling[best] if best + 1 == len(order) else (falling[best] + falling[best + 1]) / 2)


def _best_thresholds(
    scores: npt.NDArray[np.float64], has: npt.NDArray[np.bool_]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.bool_]]:
    """Give each label's threshold and which labels share one because too few texts have them."""
    shared = has.sum(axis=0) < _FEW
    common = _best_threshold(scores.ravel(), has.ravel()) if has.any() else 0.0
    own = [common if few else _best_threshold(scores[:, place], has[:, place]) for place, few in enumerate(shared)]
    return np.array(own), shared
