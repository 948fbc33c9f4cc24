"""The scale on which a question is answered."""

from __future__ import annotations

import unicodedata
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Scale"]


@dataclass(frozen=True)
class Scale:
    """The answers that a question allows.

    Parameters
    ----------
    low, high : float
        The lowest and the highest answer, such as 1 and 5, or 0 and 10.
    step : float or None, default=1.0
        Distance between neighbouring answers, counted from ``low``; None where every number between is an answer.
    labels : mapping of str to float, default={}
        Answers given as words, such as ``{"非常满意": 5, "very satisfied": 5}``; width and case do not count.
    reverse : bool, default=False
        Whether a high answer means the opposite, so that ``low + high - answer`` is stored.

    Raises
    ------
    ValueError
        If the ends are not in order, the step does not fit between them, or a label stands for no answer.

    Examples
    --------
    >>> from crmkit.records import Scale
    >>> Scale(1, 5, labels={"Very satisfied": 5}).score_of("very satisfied")
    5.0
    """

    low: float
    high: float
    step: float | None = 1.0
    labels: Mapping[str, float] = field(default_factory=dict, hash=False)
    reverse: bool = False

    def __post_init__(self) -> None:
        if not self.low < self.high:
            raise ValueError(f"a scale needs low < high, got {self.low} and {self.high}")
        if self.step is not None and (self.step <= 0 or not self.on_grid(self.high)):
            raise ValueError(f"step {self.step} does not lead from {self.low} to {self.high}")
        for label, score in self.labels.items():
            if not self.low <= score <= self.high or not self.on_grid(score):
                raise ValueError(f"the label {label!r} stands for {score}, which is no answer of this scale")
        folded = {_fold(label): float(score) for label, score in self.labels.items()}
        object.__setattr__(self, "labels", folded)

    def on_grid(self, score: float) -> bool:
        """Say whether a number lies a whole number of steps above the lowest answer."""
        if self.step is None:
            return True
        steps = (score - self.low) / self.step
        return abs(steps - round(steps)) < 1e-9

    def score_of(self, label: str) -> float | None:
        """Give the score of an answer in words, or None where it is none of the labels."""
        return self.labels.get(_fold(label))


def _fold(label: str) -> str:
    """Bring a label to the form in which labels are compared."""
    return unicodedata.normalize("NFKC", label).strip().casefold()
