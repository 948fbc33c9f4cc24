"""Labels of two levels: a class of messages, and what it is about within the class."""

from __future__ import annotations

from numbers import Integral
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import _fit_context
from sklearn.utils._param_validation import HasMethods, Interval, StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import DataError
from crmkit.text._texts import read_labels
from crmkit.text.rejecting._calibrated import CalibratedTextClassifier
from crmkit.text.rejecting._folds import readable_rows, take_rows
from crmkit.text.rejecting._wrapping import WrappingClassifier, make_classifier

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["HierarchicalTextClassifier"]


class HierarchicalTextClassifier(WrappingClassifier):
    """A text classifier for labels that belong to parents, whose two answers always fit each other.

    Probabilities are calibrated (`CalibratedTextClassifier`) and every one is that of a whole path: a parent's is the
    sum of its labels'. With ``"flat"`` one classifier tells all labels apart and the parents' probabilities are added
    up from it. With ``"top-down"`` one classifier tells the parents apart, and one within each parent its labels; a
    path's probability is the product. The predicted parent is the parent of the predicted label.

    Flat is the first choice: linear classifiers already tell labels of different parents apart, and a mistake among
    the parents cannot be mended below. Top-down learns from fewer classes at a time, so it is quicker with hundreds of
    labels. Cost: flat as one calibrated classifier; top-down as two, since each text is learned from twice.

    Parameters
    ----------
    parents : mapping
        From each label to its parent; a label that is not in it is a parent of its own.
    estimator : str or classifier, default="text-svm"
        The name of a plugin of kind ``classifier``, or a classifier; it is cloned. Changes the result.
    method : {"flat", "top-down"}, default="flat"
        How the levels are learned. Changes the result.
    cv : int, default=5
        How many times each classifier is fitted without some of the texts, for calibrating.
    random_state : int, RandomState or None, default=None
        Which text is left out when; seeds the classifiers too where they have no seed of their own.

    Attributes
    ----------
    classes_ : ndarray, shape (n_classes,)
        The labels, sorted.
    parent_classes_ : ndarray, shape (n_parents,)
        The parents, sorted.
    parent_of_ : ndarray of int, shape (n_classes,)
        The place of each label's parent among ``parent_classes_``.

    Raises
    ------
    DataError
        If there are fewer than two parents, or parents and labels are of different kinds.

    Examples
    --------
    >>> from crmkit.text import HierarchicalTextClassifier
    >>> texts = ["card lost", "lost card", "card late", "late card", "refund late", "late refund", "refund wrong"] * 2
    >>> labels = ["lost", "lost", "late", "late", "refund late", "refund late", "refund wrong"] * 2
    >>> parents = {"lost": "card", "late": "card", "refund late": "refund", "refund wrong": "refund"}
    >>> model = HierarchicalTextClassifier(parents, cv=2, random_state=0).fit(texts, labels)
    >>> model.predict(["lost card"]).tolist(), model.predict_parent(["lost card"]).tolist()
    (['lost'], ['card'])
    """

    _parameter_constraints: dict[str, Any] = {  # noqa: RUF012 -- scikit-learn's own name and form
        "parents": [HasMethods(["get", "items"])],
        "estimator": [str, HasMethods(["fit", "predict"])],
        "method": [StrOptions({"flat", "top-down"})],
        "cv": [Interval(Integral, 2, None, closed="left")],
        "random_state": ["random_state"],
    }

    def __init__(
        self,
        parents: Mapping[Any, Any],
        estimator: Any = "text-svm",
        *,
        method: str = "flat",
        cv: int = 5,
        random_state: Any = None,
    ) -> None:
        self.parents = parents
        self.estimator = estimator
        self.method = method
        self.cv = cv
        self.random_state = random_state

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn both levels.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for the classifier.
        y : array-like, shape (n_texts,)
            Labels of the lower level.

        Returns
        -------
        HierarchicalTextClassifier
            Itself.
        """
        rows = readable_rows(X)
        labels = read_labels(y, rows.shape[0], what=type(self).__name__)
        self.classes_, codes = np.unique(labels, return_inverse=True)
        names = [self.parents.get(label, label) for label in self.classes_.tolist()]
        if len({isinstance(name, str) for name in names}) > 1:
            raise DataError("parents= must name parents of one kind: all text, or all numbers")
        self.parent_classes_, self.parent_of_ = np.unique(names, return_inverse=True)
        if len(self.parent_classes_) < 2:
            raise DataError("the labels have one parent: there is no upper level to tell apart")
        self.within_: dict[int, CalibratedTextClassifier] = {}
        if self.method == "flat":
            self.estimator_ = self._calibrated().fit(rows, labels)
            return self
        upper = self.parent_of_[codes]
        self.estimator_ = self._calibrated().fit(rows, self.parent_classes_[upper])
        for place in np.flatnonzero(np.bincount(self.parent_of_) > 1).tolist():
            mine = np.flatnonzero(upper == place)
            try:
                self.within_[place] = self._calibrated().fit(take_rows(rows, mine), labels[mine])
            except DataError as error:
                raise DataError(f"within parent {place} of parent_classes_: {error}") from error
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Give the likeliest label of each text.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n_texts,)
            Labels of the lower level.
        """
        places = self.predict_proba(X).argmax(axis=1)
        predicted: npt.NDArray[Any] = self.classes_[places]
        return predicted

    def predict_parent(self, X: Any) -> npt.NDArray[Any]:
        """Give the parent of each text's predicted label.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray, shape (n_texts,)
            Parents.
        """
        places = self.predict_proba(X).argmax(axis=1)
        predicted: npt.NDArray[Any] = self.parent_classes_[self.parent_of_[places]]
        return predicted

    def predict_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability of each path.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_classes)
            Rows sum to 1.
        """
        check_is_fitted(self, "estimator_")
        upper: npt.NDArray[np.float64] = self.estimator_.predict_proba(X)
        if self.method == "flat":
            return upper
        chances = upper[:, self.parent_of_]
        for place, model in self.within_.items():
            columns = np.flatnonzero(self.parent_of_ == place)
            chances[:, columns] *= model.predict_proba(X)
        return chances

    def predict_parent_proba(self, X: Any) -> npt.NDArray[np.float64]:
        """Give the probability of each parent: the sum over its labels.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`.

        Returns
        -------
        ndarray of float64, shape (n_texts, n_parents)
            Rows sum to 1.
        """
        chances = self.predict_proba(X)
        sums = np.zeros((len(chances), len(self.parent_classes_)))
        np.add.at(sums.T, self.parent_of_, chances.T)
        return sums

    def _calibrated(self) -> CalibratedTextClassifier:
        """Make the classifier of one node."""
        inner = make_classifier(self.estimator, self.random_state)
        return CalibratedTextClassifier(inner, cv=self.cv, random_state=self.random_state)
