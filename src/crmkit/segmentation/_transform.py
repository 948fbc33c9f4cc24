"""The declared transform between a customer table and a segmenter, fitted once and then frozen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.utils import get_tags

from crmkit.core.checks import positions, require_methods
from crmkit.core.errors import DataError
from crmkit.preparation import ClusteringTransform, for_clustering
from crmkit.segmentation.segmenters._make import fresh

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

__all__ = ["filled_columns", "make_transform", "transformed"]


def make_transform(transform: Any, segmenter: Any) -> tuple[Any | None, str]:
    """Give an unfitted transformer (None leaves the columns as they are) and its name for people.

    Parameters
    ----------
    transform : {"rfm", "scale", "none"}, None or transformer
        What the caller asked for.
    segmenter : object
        One that carries ``preferred_transform`` is given what it prefers instead of ``"rfm"``.

    Returns
    -------
    tuple
        The transformer or None, and a name.
    """
    preferred = getattr(segmenter, "preferred_transform", None)
    if preferred is not None and isinstance(transform, str) and transform == "rfm":
        transform = preferred
    elif preferred is not None and transform not in (None, preferred):
        raise ValueError(
            f"{type(segmenter).__name__} wants its columns with transform={preferred!r}, got {transform!r}: leave "
            "transform out"
        )
    if transform is None or (isinstance(transform, str) and transform == "none"):
        return None, "none"
    if isinstance(transform, str):
        if transform == "rfm":
            # In units of each column's own median: the answer is the same in pounds or pence, in days or weeks.
            return for_clustering(), "rfm"
        if transform == "scale":
            return for_clustering(skew="none"), "scale"
        raise ValueError(f"transform must be 'rfm', 'scale', 'none' or a scikit-learn transformer, got {transform!r}")
    require_methods(transform, ["fit", "transform"], role="a transform")
    name = "for_clustering" if isinstance(transform, ClusteringTransform) else type(transform).__name__
    return fresh(transform), name


def filled_columns(transform: Any, features: Sequence[str], categorical: Sequence[str]) -> tuple[str, ...]:
    """Name the columns whose missing values the caller's transform takes upon itself.

    Parameters
    ----------
    transform : {"rfm", "scale", "none"}, None or transformer
        What the caller asked for. One with a method ``fills`` is asked column by column; any other transformer of
        numbers (the first step of a pipeline) is believed where its tag says that it allows missing values, and what
        it gives is looked at.
    features : sequence of str
        The columns.
    categorical : sequence of str
        Which of them are categories.

    Returns
    -------
    tuple of str
        Those that may hold missing values.
    """
    if transform is None or isinstance(transform, str):
        return ()
    declared = getattr(transform, "fills", None)
    if callable(declared):
        return tuple(name for name in features if declared(name, category=name in categorical))
    steps = getattr(transform, "steps", None)
    first = steps[0][1] if steps else transform
    allows = hasattr(first, "__sklearn_tags__") and get_tags(first).input_tags.allow_nan
    return tuple(name for name in features if name not in categorical) if allows else ()


def transformed(transform: Any | None, values: pd.DataFrame) -> npt.NDArray[np.float64]:
    """Apply a fitted transform and check that nothing was lost in it; without one, values are as they were read."""
    if transform is None:
        return np.ascontiguousarray(values.to_numpy(dtype=np.float64))
    given: Any = transform.transform(values)
    dense: Any = given.toarray() if hasattr(given, "toarray") else given
    array = np.ascontiguousarray(np.asarray(dense, dtype=np.float64))
    if array.ndim != 2 or len(array) != len(values):
        raise DataError(f"the transform must give one row a customer, got shape {array.shape} for {len(values)}")
    lost = ~np.isfinite(array).all(axis=1)
    if lost.any():
        raise DataError(f"the transform gives missing or infinite values in {positions(lost)}: it does not fit them")
    return array
