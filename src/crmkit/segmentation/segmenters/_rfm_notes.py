"""Says why a segment of the RFM rules holds so many customers."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.segmentation.segmenters._rfm_partition import Dimensions, Partition
    from crmkit.segmentation.segmenters._rfm_scores import RfmScores

__all__ = ["MOST_SHARE", "notes_on_sizes"]

# Above this share a segment is nearly everybody, and whoever reads its name should know why.
MOST_SHARE = 0.4
CAUSES = {
    "quantiles": "large ties whose middle ranks share a score",
    "jenks": "natural breaks lie where values are far apart, not at equal shares",
    "fixed": "the cuts that were given leave them together",
}
GIVEN = "the map gives it that many combinations of scores"
TOGETHER = "the columns go together: who scores low or high in one does so in the others"


def notes_on_sizes(
    values: npt.NDArray[np.float64],
    scores: npt.NDArray[np.int64],
    labels: npt.NDArray[np.int64],
    scorer: RfmScores,
    partition: Partition,
    dimensions: Dimensions,
) -> list[str]:
    """Give one sentence for each segment that holds more than two customers in five, with the reason in the data.

    Parameters
    ----------
    values : ndarray of shape (n_customers, n_features)
        The columns.
    scores : ndarray of shape (n_customers, n_features)
        Their scores.
    labels : ndarray of shape (n_customers,)
        Positions in the partition's names.
    scorer : RfmScores
        Fitted on the columns.
    partition : Partition
        The map.
    dimensions : Dimensions
        What its scores are.

    Returns
    -------
    list of str
        Nothing where no segment is that large.
    """
    held = np.bincount(labels, minlength=len(partition.names))
    heard = [_heard(part, dimensions) for part in partition.parts]
    columns = sorted({column for part in heard for column in part})
    notes = []
    for segment in np.flatnonzero(held > MOST_SHARE * len(labels)):
        inside = labels == segment
        reasons = [_reason(values[:, column], scores[:, column], inside, scorer, column) for column in columns]
        told = [reason for reason in reasons if reason]
        if len(labels) == 1:
            told = ["there is one customer only"]
        own = int((partition.cells == segment).sum())
        there = int((partition.cells >= 0).sum())
        if not told:
            told = [GIVEN if own / there > held[segment] / len(labels) / 2 else TOGETHER]
        notes.append(
            f"{partition.names[segment]!r} holds {held[segment] / len(labels):.1%} of the customers "
            f"({held[segment]:,} of {len(labels):,}; {own} of {there} combinations of scores), because "
            + "; ".join(told)
        )
    return notes


def _heard(part: str, dimensions: Dimensions) -> list[int]:
    """Give the columns behind a part of the map."""
    if part == "worth":
        return [place for place in range(len(dimensions.sizes)) if place != dimensions.recency]
    return [dimensions.places[part]]


def _reason(
    column: npt.NDArray[np.float64],
    scores: npt.NDArray[np.int64],
    inside: npt.NDArray[np.bool_],
    scorer: RfmScores,
    place: int,
) -> str:
    """Say why a column puts so many into one score; nothing where it does not."""
    name, n_scores = scorer.columns_[place], scorer.n_scores_[place]
    score = int(np.bincount(scores[inside]).argmax())
    those = scores == score
    share = float(those.mean())
    # Equal shares would be one part in n_scores; half as much again is what a column must do to count as a reason.
    if share <= 1.5 / n_scores:
        return ""
    found, count = np.unique(column[those], return_counts=True)
    most = float(count.max()) / len(column)
    value = _number(found[count.argmax()])
    if len(found) == 1:
        return f"{share:.1%} have {name} {value}, and equal values get equal scores ({score} of {n_scores})"
    spread = f"from {_number(found[0])} to {_number(found[-1])}"
    tied = f", {most:.1%} exactly {value}" if most > 1 / n_scores else ""
    return f"{share:.1%} have {name} {spread}{tied} (score {score} of {n_scores}: {CAUSES[scorer.scoring]})"


def _number(value: float) -> str:
    """Write a figure in the column's own unit."""
    return f"{value:,.0f}" if float(value).is_integer() and abs(value) < 1e15 else f"{value:,.6g}"
