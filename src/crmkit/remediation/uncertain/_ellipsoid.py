"""The worst case within an ellipsoid: a plan's value less a multiple of its standard error."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import numpy as np

from crmkit.remediation.uncertain._programme import Programme

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options
    from crmkit.remediation.uncertain._noise import Noise

    Floats = npt.NDArray[np.float64]

__all__ = ["EllipsoidFamily"]


class _Squared:
    """Minus a multiple of the squared sum of one remedy's shared errors."""

    def __init__(self, shared: Floats, most: float, factor: float) -> None:
        self.shared, self.factor = shared, factor
        self.low, self.high = -factor * most**2, 0.0

    def tangent(self, share: Floats) -> tuple[float, float, Floats]:
        """Give the function and the plane that touches it."""
        total = float(self.shared @ share)
        return -self.factor * total**2, self.factor * total**2, -2.0 * self.factor * total * self.shared


class EllipsoidFamily:
    """A plan's value less ``size`` standard errors of it, as the best of problems in one standard error.

    A square root is the least, over ``t``, of ``variance / (2 t) + t / 2``, at ``t`` the standard error itself; and
    over an interval of standard errors it lies above its chord. A case's own variance is then so much off its value;
    the squared sum of a remedy's shared errors is a concave term of its own.

    Parameters
    ----------
    options : Options
        What may be chosen.
    noise : Noise
        Its errors.
    size : float
        How many standard errors.
    """

    def __init__(self, options: Options, noise: Noise, size: float) -> None:
        self.options, self.noise, self.size = options, noise, size
        self.own = noise.own**2
        self.shared, self.most = [], []
        for remedy in range(noise.n_remedies):
            errors = np.where(noise.remedy == remedy, noise.shared, 0.0)
            if errors.any():
                self.shared.append(errors)
                self.most.append(float(np.sum(options.best(errors))))
        self.largest = float(np.sqrt(np.sum(options.best(self.own)) + np.sum(np.square(self.most))))

    def worth(self, share: Floats) -> float:
        """Give the value of a whole plan in its worst case."""
        return self.options.total(share) - self.size * self.parameter(share)

    def parameter(self, share: Floats) -> float:
        """Give the standard error."""
        return float(np.sqrt(self.noise.variance(share)))

    def at(self, parameter: float) -> tuple[Programme, float]:
        """Give the problem at one standard error."""
        # At 0 the problem would divide by it; the plan that follows says where to go on.
        point = max(parameter, 1e-6 * self.largest)
        return self._programme(0.5 * self.size / point), -0.5 * self.size * point

    def everything(self) -> tuple[float, float]:
        """Give all standard errors that a plan can have."""
        return 0.0, self.largest

    def over(self, low: float, high: float) -> list[tuple[Programme, float]]:
        """Give the problem of the chord."""
        return [(self._programme(self.size / (low + high)), -self.size * low * high / (low + high))]

    def split(self, low: float, high: float, at: float) -> list[tuple[float, float]]:
        """Split at the standard error given; where it is an end the bound is exact for its plan already."""
        if high - low <= 1e-12 * self.largest:
            return []
        inside = low + 1e-9 * (high - low) < at < high - 1e-9 * (high - low)
        cut = at if inside else 0.5 * (low + high)
        return [(low, cut), (cut, high)]

    def _programme(self, factor: float) -> Programme:
        """Give the problem in which each unit of variance costs so much."""
        terms = [_Squared(shared, most, factor) for shared, most in zip(self.shared, self.most, strict=True)]
        return Programme(replace(self.options, value=self.options.value - factor * self.own), terms)
