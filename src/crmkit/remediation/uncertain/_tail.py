"""The mean of the worst scenarios, of values and of plans."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._options import Options

    Floats = npt.NDArray[np.float64]

__all__ = ["Tail", "tail_mean", "tail_weights"]


def tail_weights(outcomes: Floats, level: float) -> Floats:
    """Give each outcome's weight in the mean of the worst share of them.

    Parameters
    ----------
    outcomes : ndarray, shape (n,)
        Equally likely.
    level : float
        The share, above 0 up to 1; where it is no whole number of outcomes, the last one counts in part.

    Returns
    -------
    ndarray, shape (n,)
        They add up to 1.
    """
    count = level * len(outcomes)
    weights = np.zeros(len(outcomes))
    order = np.argsort(outcomes, kind="stable")
    full = int(np.floor(count + 1e-9))
    weights[order[:full]] = 1.0
    if full < len(outcomes):
        weights[order[full]] = max(count - full, 0.0)
    return weights / count


def tail_mean(outcomes: Floats, level: float) -> float:
    """Give the mean of the worst share of outcomes (CVaR).

    Parameters
    ----------
    outcomes : ndarray, shape (n,)
        Equally likely.
    level : float
        The share, above 0 up to 1.

    Returns
    -------
    float
        No more than the mean of all.
    """
    return float(tail_weights(outcomes, level) @ outcomes)


class Tail:
    """A multiple of the mean of the worst scenarios, as planes that touch it from above.

    Parameters
    ----------
    options : Options
        What may be chosen.
    scenarios : ndarray, shape (n_scenarios, n_options)
        Values.
    level, weight : float
        Which share of the scenarios, and the factor.
    """

    def __init__(self, options: Options, scenarios: Floats, level: float, weight: float) -> None:
        self.scenarios, self.level, self.weight = scenarios, level, weight
        worst, best = scenarios.min(axis=0), scenarios.max(axis=0)
        self.low = -weight * float(np.sum(options.best(-worst)))
        self.high = weight * float(np.sum(options.best(best)))

    def tangent(self, share: Floats) -> tuple[float, float, Floats]:
        """Give the function and the plane through 0 that touches it."""
        taken = np.flatnonzero(share)
        outcomes = self.scenarios[:, taken] @ share[taken]
        weights = tail_weights(outcomes, self.level)
        counted = np.flatnonzero(weights)
        slope = self.weight * (weights[counted] @ self.scenarios[counted])
        return self.weight * float(weights @ outcomes), 0.0, slope
