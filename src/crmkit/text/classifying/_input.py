"""Turns texts, and columns beside them, into the features that a learner takes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy import sparse
from sklearn.base import BaseEstimator, clone

from crmkit.core.errors import DataError
from crmkit.text._encoders import encode_texts, fit_encoder
from crmkit.text._texts import split_frame
from crmkit.text.classifying._columns import ColumnFeatures
from crmkit.text.features._text_features import TextFeatures

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    import numpy.typing as npt
    import pandas as pd

__all__ = ["COLUMNS", "SHARED_CONSTRAINTS", "TextInput"]

COLUMNS = ("channel", "direction", "type", "time")
"""The columns of COMMUNICATIONS that ``columns="auto"`` takes where they are."""

_BATCH = 20_000

SHARED_CONSTRAINTS: dict[str, Any] = {
    "features": "no_validation",
    "columns": [str, list, tuple, None],
    "text_column": [str],
}


class TextInput(BaseEstimator):
    """Base of what learns from texts: its features, and those of the columns beside the texts.

    Parameters
    ----------
    features : None, str, encoder or vectorizer, default=None
        None is `TextFeatures`; a name is a plugin of kind ``encoder``; an encoder has ``encode(texts)`` and, if it has
        ``fit``, is copied and fitted on the training texts; anything with ``fit`` and ``transform`` is a vectorizer,
        cloned before it is fitted.
    columns : "auto", sequence of str or None, default="auto"
        Columns of a table that are used beside the text. ``"auto"`` takes channel, direction, type and time where
        the training table has them; None uses the text alone.
    text_column : str, default="text"
        Which column of a table has the texts.
    """

    columns_: list[str]

    def __init__(
        self, *, features: Any = None, columns: str | Sequence[str] | None = "auto", text_column: str = "text"
    ) -> None:
        self.features = features
        self.columns = columns
        self.text_column = text_column

    def __sklearn_tags__(self) -> Any:
        tags = super().__sklearn_tags__()
        tags.input_tags.string = True
        tags.input_tags.one_d_array = True
        tags.input_tags.two_d_array = False
        tags.input_tags.allow_nan = True
        return tags

    def _default_features(self) -> TextFeatures:
        """Make the features that are used where none are given."""
        return TextFeatures()

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
        if isinstance(self.features, type):
            name = self.features.__name__
            raise TypeError(f"features must be an instance, got the class {name}: call it first, {name}()")
        if self.features is None:
            self.features_: Any = self._default_features()
        elif isinstance(self.features, str) or callable(getattr(self.features, "encode", None)):
            self.features_ = fit_encoder(self.features, texts.tolist())
        elif all(callable(getattr(self.features, name, None)) for name in ("fit", "transform")):
            self.features_ = clone(self.features, safe=False)
        else:
            raise TypeError(
                "features must have encode(texts), or fit(texts) and transform(texts); "
                f"{type(self.features).__name__} has neither"
            )
        values = encode_texts(self.features_, texts) if self._encodes() else self.features_.fit_transform(texts)
        self.beside_ = None if frame is None or not self.columns_ else ColumnFeatures(self.columns_).fit(frame)
        return _joined(values, self._columns_beside(frame))

    def _encodes(self) -> bool:
        """Say whether the features are an encoder's."""
        return callable(getattr(self.features_, "encode", None))

    def _columns_beside(self, frame: pd.DataFrame | None) -> Any:
        """Give the features of the columns beside the texts, None where there are none."""
        if self.beside_ is None:
            return None
        if frame is None:
            raise DataError(f"it was fitted with the columns {', '.join(self.columns_)}: hand it a table that has them")
        return self.beside_.transform(frame)

    def _batches(self, X: Any) -> Iterator[Any]:
        """Give the features of some rows at a time, so that memory does not grow with the number of texts."""
        texts, frame = split_frame(X, self.text_column)
        others = self._columns_beside(frame) if len(texts) else None
        for first in range(0, len(texts), _BATCH):
            batch = texts[first : first + _BATCH]
            encodes = self._encodes()
            values = encode_texts(self.features_, batch, first) if encodes else self.features_.transform(batch)
            yield _joined(values, None if others is None else others[first : first + _BATCH])


def _joined(values: Any, others: Any) -> Any:
    """Put the columns' features beside the texts'."""
    if others is None:
        return values
    if not sparse.issparse(values):
        return np.hstack([values, others.toarray()])
    both: list[Any] = [values, others]
    return sparse.hstack(both, format="csr")
