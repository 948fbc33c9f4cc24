"""What all text classifiers share: taking texts in, features, labels, and answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from sklearn.base import ClassifierMixin, _fit_context
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from crmkit.core.errors import DataError
from crmkit.text._texts import read_labels, split_frame
from crmkit.text.classifying._input import TextInput

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["TextClassifier", "smallest"]


class TextClassifier(ClassifierMixin, TextInput, ABC):
    """Base of the text classifiers: features of texts (and of columns beside them), then a learner of scikit-learn.

    A subclass gives `_make_learner`, and may change the features (`_default_features`) or reduce them before they
    are learned from (`_reduce`). Linear algebra uses one thread, so that several fits side by side do not fight.

    Parameters
    ----------
    features : None, str, encoder or vectorizer, default=None
        None is `TextFeatures`; a name is a plugin of kind ``encoder``; an encoder has ``encode(texts)``; anything
        with ``fit`` and ``transform`` is a vectorizer, cloned before it is fitted.
    columns : "auto", sequence of str or None, default="auto"
        Columns of a table that are used beside the text. ``"auto"`` takes channel, direction, type and time where
        the training table has them; None uses the text alone.
    text_column : str, default="text"
        Which column of a table has the texts.
    """

    @_fit_context(prefer_skip_nested_validation=False)
    def fit(self, X: Any, y: Any) -> Self:
        """Learn labels from texts.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            A missing text counts as empty. A table has a text column and, if wanted, columns beside it.
        y : array-like, shape (n_texts,)
            Labels: all text, or all whole numbers or booleans; at least two different ones.

        Returns
        -------
        TextClassifier
            Itself.
        """
        texts, frame = split_frame(X, self.text_column)
        labels = read_labels(y, len(texts), what=type(self).__name__)
        if not len(texts):
            raise ValueError(f"{type(self).__name__} needs texts to learn from: Found array with 0 sample(s)")
        self.classes_, codes = np.unique(labels, return_inverse=True)
        if len(self.classes_) < 2:
            raise ValueError(f"{type(self).__name__} needs at least two classes in y, got 1 class")
        self.columns_ = self._choose_columns(frame)
        blank = np.array([not text.strip() for text in texts], dtype=bool)
        if blank.all():
            raise DataError(f"all {len(texts)} texts are empty: there is nothing to learn from")
        with threadpool_limits(limits=1):
            # No name holds the features here, so that a learner can give their memory back before it learns.
            self.learner_ = self._learn(self._reduce(self._fit_features(texts, frame), codes), codes)
        return self

    def predict(self, X: Any) -> npt.NDArray[Any]:
        """Give the most likely label of each text.

        Parameters
        ----------
        X : list, array or Series of str, or table, shape (n_texts,)
            As for `fit`; a table is needed where columns were used.

        Returns
        -------
        ndarray, shape (n_texts,)
            Labels.
        """
        answers = self._ask(X, "predict")
        codes = np.concatenate(answers) if answers else np.empty(0, dtype=np.int64)
        predicted: npt.NDArray[Any] = self.classes_[codes]
        return predicted

    @abstractmethod
    def _make_learner(self, values: Any) -> Any:
        """Make the learner for such features."""

    def _learn(self, values: Any, codes: npt.NDArray[np.int64]) -> Any:
        """Give the fitted learner."""
        return self._make_learner(values).fit(values, codes)

    def _coded_weights(self) -> Any:
        """Translate class weights by label to weights by place in ``classes_``."""
        weights = getattr(self, "class_weight", None)
        if not isinstance(weights, dict):
            return weights
        known = self.classes_.tolist()
        unknown = len(set(weights) - set(known))
        if unknown:
            raise ValueError(f"class_weight names {unknown} labels that are not in y")
        if not all(np.isfinite(weight) and weight >= 0 for weight in weights.values()):
            raise ValueError("class_weight must hold finite weights that are not negative")
        return {place: weights.get(label, 1.0) for place, label in enumerate(known)}

    def _reduce(self, values: Any, codes: npt.NDArray[np.int64] | None) -> Any:  # noqa: ARG002 -- a subclass uses it
        """Change the features before learning (with codes) and before predicting (without)."""
        return values

    def _ask(self, X: Any, method: str) -> list[npt.NDArray[Any]]:
        """Give the learner's answers batch by batch, so that memory does not grow with the number of texts."""
        check_is_fitted(self, "learner_")
        with threadpool_limits(limits=1):
            return [
                np.asarray(getattr(self.learner_, method)(self._reduce(values, None))) for values in self._batches(X)
            ]

    def _scores(self, X: Any, method: str) -> npt.NDArray[np.float64]:
        """Ask the learner for scores or probabilities; no texts give no rows."""
        answers = self._ask(X, method)
        if not answers:
            binary = method == "decision_function" and len(self.classes_) == 2
            return np.empty(0 if binary else (0, len(self.classes_)))
        return np.concatenate(answers).astype(np.float64, copy=False)


def smallest(values: Any) -> float:
    """Give the smallest value of features, 0 at most."""
    return float((values if isinstance(values, np.ndarray) else values.data).min(initial=0.0))
