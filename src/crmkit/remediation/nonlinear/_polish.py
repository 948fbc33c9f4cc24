"""The best intensities of a plan whose remedies are chosen: several intensities of a case merge into their mean."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
from scipy import sparse

from crmkit.remediation._options import EXACT
from crmkit.remediation._relaxation import solve_linear
from crmkit.remediation.nonlinear._best import best_intensity

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation.nonlinear._responses import Response

    Floats = npt.NDArray[np.float64]

__all__ = ["Chosen", "polish"]

_CLUSTERS = 200
_ROUNDS = 40
_CLOSE, _FEW_PAIRS, _CLOSE_OF_MANY = 1e-9, 5_000, 1e-7
_HALVINGS = 60


class Chosen(NamedTuple):
    """The remedies of a plan whose intensities can be chosen anew.

    Parameters
    ----------
    responses : list of Response
        Of the cases that get them.
    intensity : list of ndarray
        At intensities that keep the limits.
    room : ndarray, shape (n_limits,)
        What everything else leaves of each limit; ``inf`` where it does not depend on intensities.
    """

    responses: list[Response]
    intensity: list[Floats]
    room: Floats

    def worth(self, intensity: Sequence[Floats]) -> tuple[float, Floats]:
        """Give value and use of each limit at other intensities."""
        value, used = 0.0, np.zeros(len(self.room))
        for response, at in zip(self.responses, intensity, strict=True):
            worth = response.at(at)
            value += float(np.sum(worth.value))
            used[response.rows] += worth.uses.sum(axis=1)
        return value, used

    def within(self, used: Floats) -> bool:
        """Say whether the limits are kept, with a little of the rounding of sums left for others to make."""
        return bool(np.all(used <= self.room + 0.1 * EXACT * np.maximum(1.0, np.abs(self.room))))


class _Columns:
    """Ways to set all intensities, summed up over clusters of cases, of which each cluster takes a mixture."""

    def __init__(self, chosen: Chosen, rows: npt.NDArray[np.intp]) -> None:
        self.chosen, self.rows = chosen, rows
        sizes = [response.n_pairs for response in chosen.responses]
        self.begin = np.cumsum([0, *sizes])
        n_pairs = int(self.begin[-1])
        self.n_clusters = min(n_pairs, _CLUSTERS)
        self.cluster = np.arange(n_pairs) % self.n_clusters
        self.ways: list[Floats] = []
        self.value: list[Floats] = []
        self.uses: list[Floats] = []

    def add(self, intensity: Sequence[Floats]) -> None:
        """Add a way."""
        value = np.zeros(self.begin[-1])
        uses = np.zeros((len(self.rows), self.begin[-1]))
        for i, (response, at) in enumerate(zip(self.chosen.responses, intensity, strict=True)):
            worth = response.at(at)
            part = slice(self.begin[i], self.begin[i + 1])
            value[part] = worth.value
            for row, use in zip(response.rows, worth.uses, strict=True):
                uses[self.rows == row, part] = use
        count = self.n_clusters
        self.ways.append(np.concatenate(list(intensity)))
        self.value.append(np.bincount(self.cluster, weights=value, minlength=count).astype(np.float64))
        self.uses.append(
            np.array(
                [np.bincount(self.cluster, weights=use, minlength=count) for use in uses], dtype=np.float64
            ).reshape(-1, count)
        )

    def mix(self) -> tuple[Floats, Floats, float]:
        """Find the best mixture: what each pair gets, the prices of the rows, and what it is worth at least."""
        count, n_ways = self.n_clusters, len(self.ways)
        value = np.concatenate(self.value)
        uses = np.concatenate(self.uses, axis=1)
        room = self.chosen.room[self.rows]
        size = np.maximum(np.abs(uses).max(axis=1, initial=0.0), 1e-300)
        typical = max(float(np.mean(np.abs(value))), 1e-300)
        one = sparse.csr_array(
            (np.ones(count * n_ways), (np.tile(np.arange(count), n_ways), np.arange(count * n_ways))),
            shape=(count, count * n_ways),
        )
        result = solve_linear(
            -value / typical,
            sparse.csr_array(uses / size[:, None]),
            room / size,
            n_options=count * n_ways,
            A_eq=one,
            b_eq=np.ones(count),
            bounds=(0, None),
        )
        if result.status != 0:
            return self.ways[0], np.zeros(len(room)), -np.inf
        share = np.maximum(result.x.reshape(n_ways, count), 0.0)
        share /= share.sum(axis=0)
        prices = np.maximum(-result.ineqlin.marginals, 0.0) * typical / size
        mean = sum(part[self.cluster] * way for part, way in zip(share, self.ways, strict=True))
        return np.asarray(mean), prices, float(-result.fun * typical)

    def split(self, flat: Floats) -> list[Floats]:
        """Give one array for each response."""
        return [flat[self.begin[i] : self.begin[i + 1]] for i in range(len(self.chosen.responses))]


def polish(chosen: Chosen, duals: Floats) -> tuple[list[Floats], Floats]:
    """Choose the intensities anew, best to about 1e-9 of their worth (1e-7 where there are more than 5,000).

    A column is a way to set all intensities: the best at some prices of the limits. Mixtures of columns keep the limits
    at their mean intensities, because uses are convex, and are worth no less there, because values are concave. A small
    linear programme finds the best mixture and the prices for the next column, until their bound proves it best.

    Parameters
    ----------
    chosen : Chosen
        Concave responses, and intensities that keep the limits.
    duals : ndarray, shape (n_limits,)
        Prices near the best ones.

    Returns
    -------
    tuple
        Intensities that keep the limits and are worth no less, and the prices of all limits at which they are best.
    """
    varying = np.zeros(len(chosen.room), dtype=bool)
    for response in chosen.responses:
        varying[response.rows] = response.n_pairs > 0
    rows = np.flatnonzero(varying & np.isfinite(chosen.room))
    prices = np.zeros(len(chosen.room))
    n_pairs = sum(response.n_pairs for response in chosen.responses)
    if not n_pairs:
        return list(chosen.intensity), prices
    close = _CLOSE if n_pairs <= _FEW_PAIRS else _CLOSE_OF_MANY
    columns = _Columns(chosen, rows)
    columns.add(chosen.intensity)
    at = [*chosen.intensity]
    asked = np.where(varying, duals, 0.0)
    value, mean = float(columns.value[0].sum()), columns.ways[0]
    for _ in range(_ROUNDS):
        found = [
            best_intensity(response, response.prices(asked), start)
            for response, start in zip(chosen.responses, at, strict=True)
        ]
        at = [each.intensity for each in found]
        reduced = sum(
            float(np.sum(response.at(i).reduced(response.prices(asked))))
            for response, i in zip(chosen.responses, at, strict=True)
        )
        bound = reduced + float(asked[rows] @ chosen.room[rows])
        if bound - value <= close * max(1.0, abs(value)):
            break
        columns.add(at)
        mean, row_prices, value = columns.mix()
        asked = np.zeros(len(chosen.room))
        asked[rows] = row_prices
        prices = asked
    if len(columns.ways) == 1:
        return list(chosen.intensity), prices
    return _kept(chosen, columns.split(mean)), prices


def _kept(chosen: Chosen, mean: list[Floats]) -> list[Floats]:
    """Go from intensities that keep the limits towards better ones as far as the limits allow."""
    before, _ = chosen.worth(chosen.intensity)
    share, step = 1.0, 0.5
    best = list(chosen.intensity)
    for _ in range(_HALVINGS):
        tried = [
            np.clip(old + share * (new - old), response.low, response.high)
            for response, old, new in zip(chosen.responses, chosen.intensity, mean, strict=True)
        ]
        value, used = chosen.worth(tried)
        if chosen.within(used):
            if value > before:
                best = tried
            if share == 1.0:
                break
            share += step
        else:
            share -= step
        step *= 0.5
    return best
