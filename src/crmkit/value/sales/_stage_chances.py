"""How likely a deal in a stage is to be won: stage by stage from history, with the odds of like deals."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.special import expit, logit

from crmkit.value.sales._deal_groups import rows_by
from crmkit.value.sales._eventual import eventual
from crmkit.value.sales._stage_passages import MOVED, stage_passages
from crmkit.value.sales._stage_reduction import OPEN

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.value.sales._stage_history import StageHistory

    Floats = npt.NDArray[np.float64]

__all__ = ["Factor", "Odds", "StageChances", "stage_chances"]

_JEFFREYS = 0.5
"""Half a success and half a failure, added to each stage."""


class Factor(NamedTuple):
    """One way in which deals fall into groups whose chances may differ.

    Parameters
    ----------
    group : ndarray of int, shape (n_deals,)
        The group of each deal; -1 where it has none.
    n_groups : int
        How many there are.
    """

    group: npt.NDArray[np.intp]
    n_groups: int


class Odds(NamedTuple):
    """Log-odds that the groups of a factor add in every stage, drawn towards 0.

    Parameters
    ----------
    mean, error : ndarray of float, shape (n_groups,)
        The log-odds and their standard errors.
    spread : float
        Their standard deviation among groups, beyond chance.
    """

    mean: Floats
    error: Floats
    spread: float


@dataclass(frozen=True)
class StageChances:
    """Estimated chances of moving on, on which draws of what may be true are made.

    Parameters
    ----------
    successes, failures : ndarray of float, shape (n_stages,)
        Effective counts of each stage, with half a success and half a failure added.
    odds : tuple of Odds
        One entry a factor.
    """

    successes: Floats
    failures: Floats
    odds: tuple[Odds, ...]

    @property
    def conversion(self) -> Floats:
        """The chance of moving on from each stage, over all groups."""
        return self.successes / (self.successes + self.failures)

    def of_winning(self, cells: npt.NDArray[np.intp]) -> Floats:
        """Give the chance of winning by cell and stage.

        Parameters
        ----------
        cells : ndarray of int, shape (n_cells, n_factors)
            The group of each cell in each factor.

        Returns
        -------
        ndarray of float, shape (n_cells, n_stages)
            Between 0 and 1.
        """
        added = np.zeros(len(cells))
        for factor, odds in enumerate(self.odds):
            added += odds.mean[cells[:, factor]]
        return _to_the_end(expit(logit(self.conversion) + added[:, None]))

    def draws(self, cells: npt.NDArray[np.intp], n_draws: int, rng: Any) -> Floats:
        """Draw chances of winning that the history leaves possible.

        Parameters
        ----------
        cells : ndarray of int, shape (n_cells, n_factors)
            The group of each cell in each factor.
        n_draws : int
            How many.
        rng : numpy.random.RandomState
            Where the chance comes from.

        Returns
        -------
        ndarray of float, shape (n_draws, n_cells, n_stages)
            Between 0 and 1.
        """
        moving = rng.beta(self.successes, self.failures, size=(n_draws, len(self.successes))).clip(1e-12, 1 - 1e-12)
        added = np.zeros((n_draws, len(cells)))
        for factor, odds in enumerate(self.odds):
            drawn = odds.mean + odds.error * rng.standard_normal((n_draws, len(odds.mean)))
            added += drawn[:, cells[:, factor]]
        return _to_the_end(expit(logit(moving)[:, None, :] + added[:, :, None]))


def _to_the_end(conversion: Floats) -> Floats:
    """Multiply the chances of all stages from each one on."""
    return np.cumprod(conversion[..., ::-1], axis=-1, dtype=np.float64)[..., ::-1]


def stage_chances(history: StageHistory, factors: Sequence[Factor]) -> StageChances:
    """Estimate the chances of moving on from each stage, and how groups of deals differ.

    Each factor's groups are compared with all deals by themselves, so two factors that go together are both given
    what they share; being drawn towards 0 keeps that small.

    Parameters
    ----------
    history : StageHistory
        The deals, closed and open.
    factors : sequence of Factor
        The ways in which deals fall into groups.

    Returns
    -------
    StageChances
        The chances.
    """
    n_stages = len(history.stages)
    share, n = np.full(n_stages, 0.5), np.zeros(n_stages)
    own = [(np.zeros((factor.n_groups, n_stages)), np.zeros((factor.n_groups, n_stages))) for factor in factors]
    for stage in range(n_stages):
        passed = stage_passages(history, stage, reached=True)
        ended = passed.result != OPEN
        # A deal whose stages are not timed has no days to be counted for: it counts as decided, or not at all.
        used = ~np.isnan(passed.days) | ended
        days, moved = np.nan_to_num(passed.days), passed.result == MOVED
        found = eventual(days[used], moved[used], ended[used])
        share[stage], n[stage] = (found.share, found.n) if found.n else (0.5, 0.0)
        for (shares, counts), factor in zip(own, factors, strict=True):
            group = factor.group[passed.deal]
            for number, rows in enumerate(rows_by(group, used & (group >= 0), factor.n_groups)):
                each = eventual(days[rows], moved[rows], ended[rows])
                shares[number, stage], counts[number, stage] = (each.share, each.n) if each.n else (0.5, 0.0)
    successes, failures = share * n + _JEFFREYS, (1 - share) * n + _JEFFREYS
    pooled = successes / (successes + failures)
    return StageChances(successes, failures, tuple(_odds(shares, counts, pooled) for shares, counts in own))


def _odds(share: Floats, n: Floats, pooled: Floats) -> Odds:
    """Give each group's log-odds against all, drawn towards 0 as far as the groups' spread may be chance."""
    nothing = Odds(np.zeros(len(share)), np.zeros(len(share)), 0.0)
    score = np.sum(n * (share - pooled), axis=1)
    known = np.sum(n * pooled * (1 - pooled), axis=1)
    used = known > 0
    if used.sum() < 2:
        return nothing
    # DerSimonian and Laird's moments: the spread among groups beyond what chance alone would make.
    first = score[used] / known[used]
    center = np.sum(known[used] * first) / np.sum(known[used])
    excess = float(np.sum(known[used] * (first - center) ** 2)) - (int(used.sum()) - 1)
    variance = excess / float(np.sum(known[used]) - np.sum(known[used] ** 2) / np.sum(known[used]))
    if variance <= 0:
        return nothing
    odds = np.zeros(len(share))
    for _ in range(50):
        fitted = expit(logit(pooled) + odds[:, None])
        slope = np.sum(n * fitted * (1 - fitted), axis=1) + 1 / variance
        step = (np.sum(n * (share - fitted), axis=1) - odds / variance) / slope
        odds = odds + np.clip(step, -1.0, 1.0)
        if np.max(np.abs(step)) < 1e-10:
            break
    fitted = expit(logit(pooled) + odds[:, None])
    slope = np.sum(n * fitted * (1 - fitted), axis=1) + 1 / variance
    return Odds(odds, 1 / np.sqrt(slope), float(np.sqrt(variance)))
