"""Two groupings of the same customers held against each other, from models or from one model and a new fit."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError
from crmkit.segmentation.over_time._identity import Identity, match
from crmkit.segmentation.over_time._migration import contingency, shared_ids

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.segmentation._model import SegmentationModel

__all__ = ["identify", "identity_of"]


def identify(before: SegmentationModel, after: SegmentationModel, *, least_jaccard: float) -> Identity:
    """Match the segments of two models on the customers that both were made on.

    Parameters
    ----------
    before, after : SegmentationModel
        The models.
    least_jaccard : float
        The least overlap of a pair.

    Returns
    -------
    Identity
        Which are the same.

    Raises
    ------
    DataError
        If they share no customer.
    """
    shared = shared_ids(before.segment_id, after.segment_id)
    if not len(shared):
        raise DataError(
            "no customer is in both models, so their segments cannot be matched: hand a table that both can place to "
            "refit, or compare tables"
        )
    first, second = shared["before"].to_numpy(), shared["after"].to_numpy()
    return identity_of((before.get_state(), first), (after.get_state(), second), None, least_jaccard)


def identity_of(
    before: tuple[Mapping[str, Any], npt.NDArray[np.int64]],
    after: tuple[Mapping[str, Any], npt.NDArray[np.int64]],
    pairs: list[list[int]] | None,
    least_jaccard: float,
) -> Identity:
    """Count the same customers by both groupings and match the segments, unless that is settled."""
    sides = []
    for state, ids in (before, after):
        held = sorted({*state["row_ids"], *np.unique(ids).tolist()} - {-1})
        sides.append(([*held, -1], [*(state["names"][segment] for segment in held), state["nobody"]]))
    (rows, row_names), (columns, column_names) = sides
    counts = contingency(before[1], after[1], rows, columns)
    if pairs is None:
        pairs = match(counts, rows, columns, least_jaccard=least_jaccard)
    else:
        pairs, least_jaccard = [pair for pair in pairs if pair[0] in rows and pair[1] in columns], 0.0
    return Identity(counts.tolist(), rows, columns, row_names, column_names, pairs, least_jaccard)
