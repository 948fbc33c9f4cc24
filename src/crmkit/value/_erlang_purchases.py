"""How many purchases are to come of customers who buy with Erlang gaps and may leave right after each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import betainc, betaln

from crmkit.value._beta_panels import beta_panels
from crmkit.value._dropout_likelihood import unseen_stages

if TYPE_CHECKING:
    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["purchase_probabilities", "purchases_while_alive"]

_SHORT_GROWTH = 4.0
_SHORT_STAGES = 30.0
"""Up to so many expected stages and three for each of a gap, and horizons up to so many times alpha and the age
together, the series is summed: it is then the faster of the two."""

_ROWS = 4096
_CELLS = 65_536
"""What is worked on at once: more would leave the cache, less would spend its time in Python."""

_SETTLED = 1e-17

_CANCELLING = 1e-4
"""Where the chance to stay is so small that the sum over roots would lose this share of its digits, it is not used."""

_FEW = 6


def purchases_while_alive(shape: Floats, share: Floats, growth: Floats, a: float, b: Floats, k: int) -> Floats:
    """Give the expected purchases within a horizon of customers who are alive at its beginning.

    Given that a customer is alive, ``j < k`` unseen stages have passed since the last purchase, each ``j`` with its own
    posterior of the rate. The stages within the horizon are then negative binomial, every ``k``-th of all is a
    purchase, and each purchase may be the last one. Short horizons are summed over the number of stages: all terms are
    positive. Long ones average ``(1 - E[(1 - p)^purchases]) / p`` over the chance of leaving, where the generating
    function is a sum over the ``k``-th roots of one. Both are exact but for rounding and 1e-10 of quadrature.

    Parameters
    ----------
    shape : ndarray of float, shape (n_customers,)
        Shape of the gamma distribution of the rate as known at the last purchase.
    share : ndarray of float, shape (n_customers,)
        Time since the last purchase over ``alpha + T``.
    growth : ndarray of float, shape (n_customers,)
        Horizon over ``alpha + T``.
    a : float
        First parameter of the beta distribution of the chance of leaving.
    b : ndarray of float, shape (n_customers,)
        Second parameter, as known of a customer who is alive.
    k : int
        Stages of a gap.

    Returns
    -------
    ndarray of float, shape (n_customers,)
        At least 0.
    """
    result = np.zeros(len(shape))
    stages = (shape + k) * growth
    short = (growth <= _SHORT_GROWTH) & (stages <= _SHORT_STAGES + 3.0 * k)
    rows = np.flatnonzero(short)
    # Customers who need about as many terms go together.
    rows = rows[np.argsort(stages[rows], kind="stable")]
    for part in np.array_split(rows, 1 + len(rows) // _ROWS):
        result[part] = _by_series(shape[part], share[part], growth[part], a, b[part], k)
    rows = np.flatnonzero(~short)
    level = np.ceil(np.log2(1.0 + stages[rows] / k))
    # The loop is over distinct posteriors of the chance of leaving, each with nodes of its own.
    kinds, kind = np.unique(np.stack([b[rows], level]), axis=1, return_inverse=True)
    order = rows[np.argsort(kind.ravel(), kind="stable")]
    ends = np.cumsum(np.bincount(kind.ravel(), minlength=kinds.shape[1]))
    for (known, exponent), end, count in zip(kinds.T, ends, np.diff(ends, prepend=0), strict=True):
        p, weight = beta_panels(a, float(known), float(2.0**exponent))
        for part in np.array_split(order[end - count : end], 1 + count * len(p) // _CELLS):
            result[part] = _by_generating_function(shape[part], share[part], growth[part], p, k) @ weight
    return np.maximum(result, 0.0)


def purchase_probabilities(
    shape: Floats, share: Floats, growth: Floats, a: float, b: Floats, k: int, n_max: int
) -> Floats:
    """Give the distribution of the purchases within a horizon of customers who are alive at its beginning.

    Parameters
    ----------
    shape, share, growth, a, b, k
        As for ``purchases_while_alive``.
    n_max : int
        The greatest number asked for.

    Returns
    -------
    ndarray of float, shape (n_customers, n_max + 1)
        Probabilities of 0, 1, ..., n_max purchases.
    """
    weight = _stage_weights(shape, share, k)
    chance = growth / (1 + growth)
    at_least = np.ones((len(shape), n_max + 2))
    for n in range(1, n_max + 2):
        at_least[:, n] = _at_least(n, weight, shape, chance, k)
    n_bought = np.arange(n_max + 1, dtype=np.float64)
    known = b[:, None]
    stays = np.exp(betaln(a, known + n_bought) - betaln(a, known))
    leaves = np.exp(betaln(a + 1, known + np.maximum(n_bought - 1, 0)) - betaln(a, known)) * (n_bought > 0)
    exactly = np.maximum(at_least[:, :-1] - at_least[:, 1:], 0.0)
    return np.asarray(exactly * stays + at_least[:, :-1] * leaves)


def _stage_weights(shape: Floats, share: Floats, k: int) -> Floats:
    """Give the probability of each number of unseen stages, shape (k, n_customers)."""
    weight = np.ones((k, len(shape)))
    for j in range(1, k):
        weight[j] = weight[j - 1] * (shape + (j - 1)) * (share / j)
    return np.asarray(weight / weight.sum(axis=0))


def _at_least(n: int, weight: Floats, shape: Floats, chance: Floats, k: int) -> Floats:
    """Give the probability of at least ``n`` purchases, had the customer never left: tails of negative binomials."""
    return np.asarray(sum(weight[j] * betainc(k * n - j, shape + j, chance) for j in range(k)))


def _by_series(shape: Floats, share: Floats, growth: Floats, a: float, b: Floats, k: int) -> Floats:
    """Sum over the number ``m`` of stages from the last purchase to the end of the horizon."""
    chance, unseen = growth / (1 + growth), share / (1 + growth)
    total_weight, _, _ = unseen_stages(shape, share, k)
    entering = np.exp(-shape * np.log1p(growth)) / total_weight
    # The probability of m stages, of which j are before the horizon, a row for each j.
    terms = np.zeros((k, len(shape)))
    terms[0] = entering
    total, allowed, stays = np.zeros(len(shape)), np.zeros(len(shape)), np.ones(len(shape))
    m = 0
    while True:
        m += 1
        reach = shape + (m - 1)
        seen = np.arange(min(m, k))
        terms[: len(seen)] *= reach * chance / (m - seen)[:, None]
        if m < k:
            entering = entering * reach * (unseen / m)
            terms[m] = entering
            continue
        if m % k == 0:
            # Purchase number n happens if the customer stayed after each of the n - 1 before it.
            allowed += stays
            stays *= (b + (m // k - 1)) / (a + b + (m // k - 1))
        more = allowed * terms.sum(axis=0)
        total += more
        if m % 4 == 0 and bool((more <= _SETTLED * total).all()):
            return total


def _by_generating_function(shape: Floats, share: Floats, growth: Floats, p: Floats, k: int) -> Floats:
    """Give ``(1 - E[(1 - p)^purchases]) / p``, a row a customer and a column a chance of leaving.

    With ``y^k = 1 - p`` the power is ``y^(stages - stages mod k)``, and what is periodic in the stages is a sum over
    the ``k``-th roots of one. The first of them carries all where ``p`` is small, and is written without differences.
    """
    weights, chance = _stage_weights(shape, share, k), growth / (1 + growth)
    weight, known, growth = weights[:, :, None], shape[:, None], growth[:, None]
    log_y = np.log1p(-p) / k
    y, gap = np.exp(log_y), -np.expm1(log_y)
    log_shrink = np.log1p(growth * gap)
    shrink = np.exp(-log_shrink)
    passed = np.exp(-known * log_shrink)
    v = y * shrink
    generating = passed * _polynomial(weight, v)
    # One less the generating function of the unseen stages, divided by 1 - v.
    at_least = np.cumsum(weight[::-1], axis=0)[::-1][1:]
    beyond = gap * (1 + growth) * shrink * _polynomial(at_least, v) if k > 1 else 0.0
    folded = np.sum([np.expm1(-u * log_y) for u in range(1, k)], axis=0) / k
    result = (-np.expm1(-known * log_shrink) + passed * beyond - generating * folded) / p
    for root in range(1, k // 2 + 1):
        z: Any = -y if 2 * root == k else y * np.exp(2j * np.pi * root / k)
        turned = 1 / (1 + growth * (1 - z))
        part = turned**known * _polynomial(weight, z * turned) * (z / ((1 - z) * k * y**k))
        # Roots come in conjugate pairs, but for -1.
        result -= part.real * (1 if 2 * root == k else 2)
    # With next to no chance to stay, hardly more than the first purchase counts.
    rare = y ** (k - 1) < _CANCELLING
    if rare.any():
        stay = y[rare] ** k
        result[:, rare] = sum(
            np.outer(_at_least(n, weights, shape, chance, k), stay ** (n - 1)) for n in range(1, _FEW)
        )
    return np.asarray(result)


def _polynomial(coefficients: Floats, at: Any) -> Any:
    """Evaluate a polynomial, real or complex, by Horner's rule, the constant first."""
    value = coefficients[-1] + np.zeros_like(at)
    for coefficient in coefficients[-2::-1]:
        value = value * at + coefficient
    return value
