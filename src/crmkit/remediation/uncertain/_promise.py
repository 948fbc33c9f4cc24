"""What a planner under uncertainty says of its own objective."""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Promise"]


@dataclass(frozen=True)
class Promise:
    """The uncertain objective of a plan, and what is proved about it.

    Parameters
    ----------
    what : str
        The objective in words.
    value : float
        The plan's.
    bound : float
        What no whole plan can exceed in it, proved by prices; of values drawn at random for these scenarios.
    """

    what: str
    value: float
    bound: float

    @property
    def gap(self) -> float:
        """``(bound - value) / max(1, abs(value))``."""
        return (self.bound - self.value) / max(1.0, abs(self.value))

    def __str__(self) -> str:
        return f"{self.what}: {self.value:,.10g}, no plan exceeds {self.bound:,.10g} (gap {self.gap:.2g})"
