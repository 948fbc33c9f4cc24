"""A segmenter's own labels as segment ids."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["to_ids"]


def to_ids(raw: npt.NDArray[np.int64], raw_labels: npt.NDArray[np.int64]) -> npt.NDArray[np.int64]:
    """Turn a segmenter's own labels into segment ids; negative ones stay as they are.

    Parameters
    ----------
    raw : ndarray of shape (n_customers,)
        What the segmenter says.
    raw_labels : ndarray of shape (n_segments,)
        Its label of each segment id; -1 for ids that it no longer gives.

    Returns
    -------
    ndarray of shape (n_customers,)
        Segment ids.

    Raises
    ------
    DataError
        If it gives a label that it did not have.
    """
    order = np.argsort(raw_labels)
    place = np.minimum(np.searchsorted(raw_labels[order], raw), max(len(order) - 1, 0))
    known = raw_labels[order][place] == raw if len(order) else np.zeros(len(raw), dtype=bool)
    if not (known | (raw < 0)).all():
        raise DataError("the segmenter predicts a segment that it did not have when it was fitted")
    return np.where(raw < 0, raw, order[place] if len(order) else -1).astype(np.int64)
