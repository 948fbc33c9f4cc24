"""A number that knows how sure it is."""

from __future__ import annotations

from typing import Any, Self

__all__ = ["Estimate"]


class Estimate(float):
    """A figure with its sample size and interval, usable wherever a float is.

    It is a ``float``: it sorts, formats, serialises to JSON and goes through scikit-learn's cross-validation as its
    value. What is computed from it is a plain float again, because the interval of a result is not known.

    Parameters
    ----------
    value : float
        The figure itself.
    n : int
        How many independent observations it rests on (rows, customers, answers), not weights.
    low, high : float
        Ends of the interval, in the figure's own unit; NaN where no interval can be given.
    level : float, default=0.95
        The interval's nominal coverage.
    method : str, default=""
        How the interval was made, for example ``"wilson"`` or ``"bootstrap"``.

    Attributes
    ----------
    value : float
        The figure as a plain float.

    Examples
    --------
    >>> from crmkit.core.estimate import Estimate
    >>> csat = Estimate(0.6, n=5, low=0.2307, high=0.8824, method="wilson")
    >>> csat
    0.6 [0.2307, 0.8824] (n=5, 95% wilson)
    >>> f"{csat:.1%}", csat > 0.5, csat + 0
    ('60.0%', True, 0.6)
    """

    __slots__ = ("high", "level", "low", "method", "n")

    n: int
    low: float
    high: float
    level: float
    method: str

    def __new__(  # noqa: D102 -- the class docstring documents it
        cls, value: float, *, n: int, low: float, high: float, level: float = 0.95, method: str = ""
    ) -> Self:
        self = super().__new__(cls, value)
        self.n = int(n)
        self.low = float(low)
        self.high = float(high)
        self.level = float(level)
        self.method = method
        return self

    @property
    def value(self) -> float:
        """The figure as a plain float."""
        return float(self)

    def __float__(self) -> float:
        return float.__add__(self, 0.0)

    def __reduce__(self) -> tuple[Any, ...]:
        return _rebuild, (type(self), self.value, self.n, self.low, self.high, self.level, self.method)

    def __repr__(self) -> str:
        how = f", {self.level:.0%} {self.method}".rstrip()
        return f"{self.value:.4g} [{self.low:.4g}, {self.high:.4g}] (n={self.n}{how})"

    def __str__(self) -> str:
        return repr(self)


def _rebuild(cls: type[Estimate], value: float, n: int, low: float, high: float, level: float, method: str) -> Estimate:
    """Make an estimate anew when it is copied or sent to another process."""
    return cls(value, n=n, low=low, high=high, level=level, method=method)
