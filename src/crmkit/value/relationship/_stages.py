"""From how unusual a customer's silence is, and how likely they still are one, to the name of a stage."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["ACTIVE_BELOW", "GAP_BELOW", "LATE", "STAGES", "Ladder", "read_ladder"]

LATE = ("at-risk", "lapsed", "lost")
"""The stages of customers whose silence is long, by rising severity."""

STAGES = ("new", "active", "returned", *LATE)
"""All stages, in the order in which they are shown."""

GAP_BELOW: Mapping[str, float] = {"at-risk": 0.2, "lapsed": 0.01, "lost": 0.001}
"""Probabilities of a gap as long as the silence below which a stage begins."""

ACTIVE_BELOW: Mapping[str, float] = {"at-risk": 0.7, "lapsed": 0.5, "lost": 0.1}
"""Probabilities of still being a customer below which a stage begins."""


@dataclass(frozen=True)
class Ladder:
    """Thresholds of the late stages.

    Parameters
    ----------
    gap_below, active_below : tuple of float
        For at-risk, lapsed and lost.
    usual_from : float
        Probability of a gap as long as the silence from which on a silence is usual, whatever else is said.
    """

    gap_below: tuple[float, ...]
    active_below: tuple[float, ...]
    usual_from: float

    def severity(self, p_gap: Floats, p_active: Floats) -> npt.NDArray[np.int64]:
        """Give 0 for a silence that is not late, and 1, 2, 3 for at-risk, lapsed, lost: the worse of the two signs."""
        steps = [(p_gap < gap) | (p_active < active) for gap, active in zip(*self._thresholds, strict=True)]
        return np.where(p_gap >= self.usual_from, 0, np.sum(steps, axis=0)).astype(np.int64)

    @property
    def _thresholds(self) -> tuple[tuple[float, ...], tuple[float, ...]]:
        return self.gap_below, self.active_below


def read_ladder(gap_below: Any, active_below: Any, usual_from: Any) -> Ladder:
    """Check thresholds and fill in those that are not given.

    Parameters
    ----------
    gap_below, active_below : mapping of str to float, or None
        For any of at-risk, lapsed and lost.
    usual_from : float
        Between 0 and 1.

    Returns
    -------
    Ladder
        The thresholds.

    Raises
    ------
    DataError
        If a stage is not one of these, or thresholds are no probabilities or rise with severity.
    """
    gaps = _filled("gap_below", gap_below, GAP_BELOW)
    actives = _filled("active_below", active_below, ACTIVE_BELOW)
    if not _is_probability(usual_from) or usual_from < gaps[0]:
        raise DataError(
            f"usual_from must be a probability of at least gap_below['at-risk'] ({gaps[0]:g}), got {usual_from!r}"
        )
    return Ladder(gaps, actives, float(usual_from))


def _filled(name: str, given: Any, default: Mapping[str, float]) -> tuple[float, ...]:
    """Give the three thresholds of one kind."""
    if given is not None and not isinstance(given, Mapping):
        raise DataError(f"{name} must map stages to probabilities, got {type(given).__name__}")
    unknown = sorted(str(stage) for stage in set(given or {}) - set(LATE))
    if unknown:
        raise DataError(f"{name} is for {', '.join(LATE)}, got {', '.join(unknown)}")
    values = [{**default, **(given or {})}[stage] for stage in LATE]
    if not all(_is_probability(value) for value in values):
        raise DataError(f"{name} must hold probabilities between 0 and 1, got {values}")
    if sorted(values, reverse=True) != values:
        raise DataError(f"{name} must not rise from at-risk over lapsed to lost, got {values}")
    return tuple(map(float, values))


def _is_probability(value: Any) -> bool:
    """Say whether a value is a number between 0 and 1."""
    return isinstance(value, int | float | np.number) and not isinstance(value, bool) and 0 <= float(value) <= 1
