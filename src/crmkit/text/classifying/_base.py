"""What all text classifiers share: taking texts in, features, labels, and answers."""

from __future__ import annotations

from abc import ABC, abstractmethod
from typing import TYPE_CHECKING, Any, Self

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, ClassifierMixin, _fit_context, clone
from sklearn.utils.validation import check_is_fitted
from threadpoolctl import threadpool_limits

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.core.registry import create
from crmkit.text._texts import read_labels, split_frame
from crmkit.text.classifying._columns import ColumnFeatures
from crmkit.text.features._text_features import TextFeatures

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

__all__ = ["COLUMNS", "SHARED_CONSTRAINTS", "TextClassifier", "smallest"]

COLUMNS = ("channel", "direction", "type", "time")
"""The columns of COMMUNICATIONS that ``columns="auto"`` takes where they are."""

_BATCH = 20_000

SHARED_CONSTRAINTS: dict[str, Any] = {
    "features": "no_validation",
    "columns": [str, list, tuple, None],
    "text_column": [str],
}


class TextClassifier(ClassifierMixin, BaseEstimator, ABC):
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

    def __init__(
        self, *, features: Any = None, columns: str | Sequence[str] | None = "auto", text_column: str = "text"
    ) -> None:
        self.features = features
        self.columns = columns
        self.text_column = text_column

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
            values = self._fit_features(texts, frame)
            self.learner_ = self._learn(self._reduce(values, codes), codes)
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

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        return tags

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

    def _default_features(self) -> TextFeatures:
        """Make the features that are used where none are given."""
        return TextFeatures()

    def _reduce(self, values: Any, codes: npt.NDArray[np.int64] | None) -> Any:  # noqa: ARG002 -- a subclass uses it
        """Change the features before learning (with codes) and before predicting (without)."""
        return values

    def _choose_columns(self, frame: pd.DataFrame | None) -> list[str]:
        """Give the columns to use beside the text."""
        if isinstance(self.columns, str):
            if self.columns != "auto":
                raise ValueError(f"columns must be 'auto', None or a list of names, got {self.columns!r}")
            return [] if frame is None else [name for name in COLUMNS if name in frame.columns]
        names = list(self.columns or ())
        if names and frame is None:
            raise DataError(f"columns {', '.join(names)} are asked for, but X is no table")
        return names

    def _fit_features(self, texts: npt.NDArray[np.object_], frame: pd.DataFrame | None) -> Any:
        """Fit the features and give their values."""
        self.features_ = self._resolve_features()
        if self._encodes():
            if callable(getattr(self.features_, "fit", None)):
                self.features_ = self.features_.fit(texts.tolist())
            values = self._encode(texts)
        else:
            values = self.features_.fit_transform(texts)
        self.beside_ = None if frame is None or not self.columns_ else ColumnFeatures(self.columns_).fit(frame)
        return _joined(values, self._columns_beside(frame))

    def _resolve_features(self) -> Any:
        """Give the features to fit: our own, a plugin, or a copy of what was handed in."""
        if self.features is None:
            return self._default_features()
        if isinstance(self.features, str):
            return create("encoder", self.features)
        encoder = callable(getattr(self.features, "encode", None))
        if not encoder and not all(callable(getattr(self.features, name, None)) for name in ("fit", "transform")):
            raise TypeError(
                "features must have encode(texts), or fit(texts) and transform(texts); "
                f"{type(self.features).__name__} has neither"
            )
        if encoder and not callable(getattr(self.features, "fit", None)):
            return self.features
        return clone(self.features, safe=False)

    def _encodes(self) -> bool:
        """Say whether the features are an encoder's."""
        return callable(getattr(self.features_, "encode", None))

    def _encode(self, texts: npt.NDArray[np.object_], first: int = 0) -> npt.NDArray[np.float64]:
        """Ask the encoder and check what it gives; ``first`` is the row of the first text."""
        values = np.asarray(self.features_.encode(texts.tolist()), dtype=np.float64)
        if values.ndim != 2 or len(values) != len(texts):
            raise DataError(
                f"{type(self.features_).__name__}.encode must give one row a text: "
                f"{len(texts)} texts, got shape {values.shape}"
            )
        wrong = ~np.isfinite(values).all(axis=1)
        if wrong.any():
            rows = positions(np.concatenate([np.zeros(first, dtype=bool), wrong]))
            raise DataError(f"{type(self.features_).__name__}.encode gave values that are no numbers in {rows}")
        return values

    def _columns_beside(self, frame: pd.DataFrame | None) -> Any:
        """Give the features of the columns beside the texts, None where there are none."""
        if self.beside_ is None:
            return None
        if frame is None:
            raise DataError(f"it was fitted with the columns {', '.join(self.columns_)}: hand it a table that has them")
        return self.beside_.transform(frame)

    def _ask(self, X: Any, method: str) -> list[npt.NDArray[Any]]:
        """Give the learner's answers batch by batch, so that memory does not grow with the number of texts."""
        check_is_fitted(self, "learner_")
        texts, frame = split_frame(X, self.text_column)
        others = self._columns_beside(frame) if len(texts) else None
        answers = []
        with threadpool_limits(limits=1):
            for first in range(0, len(texts), _BATCH):
                batch = texts[first : first + _BATCH]
                values = self._encode(batch, first) if self._encodes() else self.features_.transform(batch)
                values = _joined(values, None if others is None else others[first : first + _BATCH])
                answers.append(np.asarray(getattr(self.learner_, method)(self._reduce(values, None))))
        return answers

    def _scores(self, X: Any, method: str) -> npt.NDArray[np.float64]:
        """Ask the learner for scores or probabilities; no texts give no rows."""
        answers = self._ask(X, method)
        if not answers:
            binary = method == "decision_function" and len(self.classes_) == 2
            return np.empty(0 if binary else (0, len(self.classes_)))
        return np.concatenate(answers).astype(np.float64, copy=False)


def _joined(values: Any, others: Any) -> Any:
    """Put the columns' features beside the texts'."""
    if others is None:
        return values
    if isinstance(values, np.ndarray):
        return np.hstack([values, others.toarray()])
    both: list[Any] = [values, others]
    return sparse.hstack(both, format="csr")


def smallest(values: Any) -> float:
    """Give the smallest value of features, 0 at most."""
    return float((values if isinstance(values, np.ndarray) else values.data).min(initial=0.0))
