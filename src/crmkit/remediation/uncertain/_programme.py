"""Plans under a concave objective: the divided plan by cuts, and the best whole plan near it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Protocol

import numpy as np
from scipy import sparse

from crmkit.remediation._relaxation import POSITIVE, Relaxed, margins, relax, relax_near

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._options import Options

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Divided", "Programme", "Term"]

_SMALL = 4_000
_OPEN = 300
_HOLDS = 1e-6


class Term(Protocol):
    """A concave function of a choice, as planes that touch it from above."""

    low: float
    """No choice within the limits gives less."""
    high: float
    """No choice gives more."""

    def tangent(self, share: Floats) -> tuple[float, float, Floats]:
        """Give the function at a choice, and the constant and slopes of a plane that is nowhere below it."""
        ...


@dataclass(frozen=True)
class Divided:
    """The best divided plan, nearly.

    Parameters
    ----------
    share : ndarray, shape (n_options,)
        How much of each option is taken.
    value, bound : float
        The objective at it, and what no plan, divided or whole, can exceed.
    plain : Options
        The options with the values at which this plan is best without any concave term.
    prices : ndarray, shape (n_rows,)
        Multipliers of the turned limits at these values.
    near : Relaxed
        The same with the columns and rows of the cuts.
    """

    share: Floats
    value: float
    bound: float
    plain: Options
    prices: Floats
    near: Relaxed


class Programme:
    """Maximise ``value . x`` plus concave terms within the limits of a problem.

    Each term is a column of its own that the cuts hold down. It is written as one more option of which a part may be
    taken, so that what bounds any problem bounds this one.

    Parameters
    ----------
    options : Options
        What may be chosen, with the linear part as its value.
    terms : sequence of Term, default=()
        The concave parts.
    """

    def __init__(self, options: Options, terms: Sequence[Term] = ()) -> None:
        self.options = options
        self.terms = tuple(terms)
        self.offset = float(sum(term.low for term in self.terms))
        self._cuts: list[tuple[int, float, Floats]] = []
        self._built: Options | None = None

    def worth(self, share: Floats) -> float:
        """Give the objective of a choice."""
        return self.options.total(share) + sum(term.tangent(share)[0] for term in self.terms)

    def cut(self, share: Floats) -> float:
        """Hold each term down by the plane that touches it at a choice; gives the objective there."""
        total = self.options.total(share)
        for place, term in enumerate(self.terms):
            worth, constant, slope = term.tangent(share)
            self._cuts.append((place, constant, slope))
            total += worth
        self._built = None
        return total

    def keep(self, weights: Floats) -> None:
        """Forget the cuts that hold nothing down."""
        self._cuts = [cut for cut, weight in zip(self._cuts, weights, strict=False) if weight > _HOLDS]
        self._built = None

    def extended(self) -> Options:
        """Give the options with a column for each term and a row for each cut."""
        if self._built is not None:
            return self._built
        base, width = self.options, len(self.terms)
        if not width:
            self._built = base
            return base
        size = np.array([term.high - term.low for term in self.terms])
        count = len(self._cuts)
        place = np.array([cut[0] for cut in self._cuts], dtype=np.intp)
        slopes = sparse.csr_array(-np.array([cut[2] for cut in self._cuts]).reshape(count, base.n_options))
        columns = sparse.csr_array((size[place], (np.arange(count), place)), shape=(count, width))
        blank = sparse.csr_array((len(base.bound), width))
        matrix = sparse.vstack([sparse.hstack([base.matrix, blank]), sparse.hstack([slopes, columns])], format="csr")
        matrix.sort_indices()
        room = [constant - self.terms[term].low for term, constant, _ in self._cuts]
        self._built = replace(
            base,
            case=np.append(base.case, np.full(width, -1)),
            remedy=np.append(base.remedy, np.full(width, -1)),
            value=np.append(base.value, size),
            group=np.append(base.group, base.n_groups + np.arange(width)),
            start=np.append(base.start, base.n_options + np.arange(width)),
            matrix=matrix,
            bound=np.append(base.bound, room),
            sign=np.append(base.sign, np.ones(count)),
            names=(*base.names, *("cut" for _ in range(count))),
            tier=base.tier.with_hard(count),
        )
        return self._built

    def solve(self, near: Relaxed | None = None, *, gap: float, rounds: int = 40) -> Divided | None:
        """Find the best divided plan; None where no plan keeps the limits.

        Parameters
        ----------
        near : Relaxed or None
            The divided plan of the same options under other values, where one is known.
        gap : float
            Stop when the plan is proved to be within this of the best, relative to its value.
        rounds : int, default=40
            Stop after so many cuts of each term in any case. The bound holds wherever it stops.

        Returns
        -------
        Divided or None
            A plan and a bound.
        """
        if not self.terms:
            found = relax(self.options) if near is None else relax_near(self.options, near)
            if found is None:
                return None
            return Divided(found.share, found.value, found.bound, self.options, found.prices, found)
        return self._by_cuts(near, gap, rounds)

    def _by_cuts(self, near: Relaxed | None, gap: float, rounds: int) -> Divided | None:
        """Solve under the cuts so far, cut at the answer, and so on."""
        n_options, n_rows = self.options.n_options, len(self.options.bound)
        at = np.zeros(n_options) if near is None else near.share
        self._cuts.clear()
        self.cut(at)
        first = self._plain(np.ones(len(self.terms)))
        found = relax(first) if near is None else relax_near(first, Relaxed(at, near.prices, 0.0, 0.0))
        if found is None:
            return None
        share, bound, best, best_share = found.share, np.inf, -np.inf, found.share
        current = Relaxed(
            np.append(share, np.zeros(len(self.terms))), np.append(found.prices, np.ones(len(self.terms))), 0.0, 0.0
        )
        for _ in range(rounds):
            worth = self.cut(share)
            if worth > best:
                best, best_share = worth, share
            known = np.append(current.prices, np.zeros(n_rows + len(self._cuts) - len(current.prices)))
            solved = _solve(self.extended(), Relaxed(current.share, known, 0.0, 0.0), len(self.terms))
            if solved is None:
                break
            current = solved
            bound = min(bound, current.bound + self.offset)
            share = current.share[:n_options]
            if bound - best <= gap * max(1.0, abs(best)):
                break
        worth = self.worth(share)
        if worth > best:
            best, best_share = worth, share
        plain = self._plain(current.prices[n_rows:])
        return Divided(best_share, best, max(bound, best), plain, current.prices[:n_rows], current)

    def _plain(self, weights: Floats) -> Options:
        """Give the options with the terms' planes, weighted, added to their values."""
        value = self.options.value.copy()
        for weight, (_, _, slope) in zip(weights, self._cuts, strict=False):
            if weight:
                value += weight * slope
        return replace(self.options, value=value)


def _solve(options: Options, near: Relaxed, n_terms: int) -> Relaxed | None:
    """Solve under the cuts, large problems only where the known prices leave a doubt; the bound is proved on all."""
    if options.n_options <= _SMALL:
        return relax(options)
    kept = np.where(near.share >= 1 - POSITIVE, 1.0, 0.0)
    kept[-n_terms:] = 0.0
    inside = np.zeros(options.n_groups, dtype=bool)
    inside[options.group[(near.share > POSITIVE) & (near.share < 1 - POSITIVE)]] = True
    inside[-n_terms:] = True
    order = np.argsort(margins(options, near.prices), kind="stable")
    inside[order[:_OPEN]] = True
    for _ in range(8):
        chosen = inside[options.group]
        fixed = np.where(chosen, 0.0, kept)
        part = relax(options.take(chosen, options.bound - options.used(fixed)))
        if part is None:
            inside[order[: 4 * int(inside.sum())]] = True
            continue
        share = fixed
        share[chosen] = part.share
        value, bound = options.total(share), options.dual(part.prices)
        adjusted = options.adjusted(part.prices)
        loss = options.best(adjusted) - np.bincount(options.group, weights=adjusted * share, minlength=options.n_groups)
        wrong = ~inside & (loss > 1e-9 * options.scale)
        # What the best value falls short of is what the closed groups lose at the new prices.
        if not wrong.any() or float(np.sum(loss[wrong])) <= 1e-8 * max(1.0, abs(value)):
            return Relaxed(share, part.prices, value, max(bound, value))
        inside |= wrong
    return relax(options)
