"""How long a gap between purchases is usual: for each customer by their own gaps, for one-time buyers by everyone's."""

from __future__ import annotations

from dataclasses import dataclass
from math import ceil, sqrt
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize
from scipy.special import betainc, betaincinv, expit, gammaln, xlogy

from crmkit.metrics import kaplan_meier

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.value.relationship._gaps import Gaps

    Floats = npt.NDArray[np.float64]

__all__ = ["Rhythm", "fit_rhythm"]

_LEARNED_FROM = 10_000
"""Customers the population's five numbers are estimated on; they are then known to a few hundredths."""

_START = (0.0, 0.0, 0.0, 0.0, -1.5)
"""Shape, spread and scale (logarithms), chance of leaving after the first and after a later purchase (log-odds)."""

_LOOSENESS = (0.7, 1.0, 2.0, 2.0, 1.5)
"""Standard deviations of the normal priors around the start, wide enough that a few dozen customers outweigh them."""

# Shares that should be exactly one half differ from it by rounding.
_ROUNDING = 1e-9


@dataclass(frozen=True)
class Rhythm:
    """What gaps are usual in a population of customers.

    Each customer's gaps are gamma distributed with a common ``shape`` (1: at random; more: regular; less: in bursts)
    and a rate of their own; rates are gamma distributed over customers (``spread``, ``scale`` in days). So the next
    gap of a customer, given the ones before, follows a beta prime distribution: everyone's for a customer without
    gaps, ever closer to the customer's own with each gap.

    The wait for a second purchase is another matter, since most who buy once never return: it is read off
    Kaplan-Meier's curve of all customers.

    Parameters
    ----------
    shape, spread, scale : float
        Of the gaps; ``scale`` in days.
    leaving : float
        Chance of leaving after any purchase but the first.
    waits : ndarray of float, shape (n_waits,)
        Days after which second purchases were seen, rising.
    waiting : ndarray of float, shape (n_waits,)
        The share that has not come back after each.
    n_second : int
        How many second purchases that curve rests on.
    """

    shape: float
    spread: float
    scale: float
    leaving: float
    waits: Floats
    waiting: Floats
    n_second: int

    def survival(self, n: Floats, total: Floats, silence: Floats) -> Floats:
        """Give the probability that the next gap is longer than a silence, from the gaps before it."""
        own = self.scale + total
        return np.asarray(betainc(self.spread + self.shape * n, self.shape, own / (own + silence)), dtype=np.float64)

    def still_active(self, p_gap: Floats) -> Floats:
        """Give the probability of being active after a silence that is so unlikely for someone who is."""
        stayed = (1 - self.leaving) * p_gap
        return np.asarray(stayed / (self.leaving + stayed), dtype=np.float64)

    def typical(self, n: Floats, total: Floats) -> Floats:
        """Give the gap, in days, that the next one is as likely to exceed as not."""
        part = betaincinv(self.spread + self.shape * n, self.shape, 0.5)
        return np.asarray((self.scale + total) * (1 - part) / part, dtype=np.float64)

    @property
    def never(self) -> float:
        """The share of first-time buyers who had not come back at the end of the curve."""
        return float(self.waiting[-1])

    def second_survival(self, silence: Floats) -> Floats:
        """Give the probability of waiting longer than a silence for a second purchase, among those who do come back.

        One wait longer than all seen is added to those seen, as the rule of succession has it: from three waits it
        does not follow that the fourth cannot be longer.
        """
        step = np.searchsorted(self.waits, silence, side="right") - 1
        left = np.where(step < 0, 1.0, self.waiting[np.maximum(step, 0)])
        seen = np.clip((left - self.never) / (1 - self.never), 0.0, 1.0)
        return np.asarray((self.n_second * seen + 1) / (self.n_second + 1), dtype=np.float64)

    @property
    def typical_second(self) -> float:
        """The wait in days within which half of those who come back have done so."""
        come = (self.waiting - self.never) / (1 - self.never)
        return float(self.waits[int(np.argmax(come <= 0.5 + _ROUNDING))])

    def still_to_come(self, silence: Floats) -> Floats:
        """Give the chance that a second purchase comes, as a share of what it was on the day of the first."""
        usual = self.second_survival(silence)
        come = (1 - self.never) * usual
        return np.asarray(come / (self.never + come) / (1 - self.never), dtype=np.float64)


def fit_rhythm(gaps: Gaps) -> Rhythm | None:
    """Learn what gaps are usual.

    The three numbers of the gaps are found by maximum likelihood together with two chances of leaving, after the first
    and after a later purchase, so that the silence of customers who have left is not taken for a long gap. Weak priors
    keep them finite in tables of a few customers. From more than ten thousand customers, ten thousand evenly spaced
    ones are taken.

    Parameters
    ----------
    gaps : Gaps
        Of every customer.

    Returns
    -------
    Rhythm or None
        None where nobody has bought twice: then no gap is known.
    """
    again = gaps.n > 0
    if not again.any():
        return None
    unit = float(gaps.total.sum() / gaps.n.sum())
    some = np.unique(np.linspace(0, len(gaps.n) - 1, _LEARNED_FROM).astype(np.intp))
    n, total, silence = gaps.n[some], gaps.total[some] / unit, gaps.silence[some] / unit
    logs = gaps.logs[some] - n * np.log(unit)
    once = n == 0

    def objective(theta: Floats) -> float:
        shape, spread, scale = np.exp(theta[:3])
        stay = np.where(once, expit(-theta[3]), expit(-theta[4]))
        own = scale + total
        known = (
            (shape - 1) * logs
            - n * gammaln(shape)
            + gammaln(spread + shape * n)
            - gammaln(spread)
            + spread * theta[2]
            - (spread + shape * n) * np.log(own)
            + np.where(once, 0.0, np.log(expit(-theta[3])) + xlogy(n - 1, expit(-theta[4])))
        )
        silent = (1 - stay) + stay * betainc(spread + shape * n, shape, own / (own + silence))
        prior = np.sum(((theta - _START) / _LOOSENESS) ** 2) / 2
        return float(prior - np.sum(known + np.log(np.maximum(silent, 1e-300))))

    found = minimize(objective, np.array(_START), method="L-BFGS-B", bounds=[(-6.0, 6.0)] * 5)
    shape, spread, scale = np.exp(found.x[:3])
    waits, waiting, n_second = _second_waits(gaps)
    return Rhythm(float(shape), float(spread), float(scale * unit), float(expit(found.x[4])), waits, waiting, n_second)


def _second_waits(gaps: Gaps) -> tuple[Floats, Floats, int]:
    """Give the curve of second purchases, as far as enough customers are followed to say how it goes on."""
    again = gaps.n > 0
    curve = kaplan_meier(np.where(again, gaps.first, gaps.silence), again)
    events = curve["events"].to_numpy() > 0
    # The last steps of the curve rest on a handful of customers and may fall to 0 with one of them.
    followed = curve["at_risk"].to_numpy() >= ceil(sqrt(len(gaps.n)))
    kept = events & followed if (events & followed).any() else events & (np.cumsum(events) == 1)
    waiting = curve["survival"].to_numpy()[kept]
    times = np.asarray(curve.index, dtype=np.float64)[kept]
    return times, waiting, int(curve["events"].to_numpy()[kept].sum())
