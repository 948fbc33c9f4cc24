"""Lifetimes in whole periods whose chance of ending is beta distributed: survival, and how many periods are to come."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import betaln, psi

from crmkit.value._collapse import collapse

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["expected_periods", "survival"]

_NODES, _WEIGHTS = np.polynomial.legendre.leggauss(40)
_PLACE, _SHARE = (_NODES + 1) / 2, _WEIGHTS / 2


def survival(gamma: float, known: Any, t: Any) -> npt.NDArray[np.float64]:
    """Give the probability to stay for ``t`` more periods.

    Parameters
    ----------
    gamma : float
        First parameter of the beta distribution of the chance of leaving in a period.
    known : array-like of float
        The second one, plus the periods stayed so far.
    t : array-like of float
        Periods; broadcast with ``known``.

    Returns
    -------
    ndarray of float
        In (0, 1].
    """
    known, t = np.broadcast_arrays(np.asarray(known, dtype=np.float64), np.asarray(t, dtype=np.float64))
    return np.asarray(np.exp(np.minimum(betaln(gamma, known + t) - betaln(gamma, known), 0.0)))


def expected_periods(gamma: float, known: Any, t: Any) -> npt.NDArray[np.float64]:
    """Give how many of the next ``t`` periods are expected to be stayed for: the sum of the survivals.

    The closed form divides a difference of gamma functions by ``gamma - 1`` and loses its digits where that is small,
    or ``t`` is small beside ``known``. Its logarithm is the integral of a difference of digamma functions from 1 to
    ``gamma``, which is smooth on a logarithmic axis and loses none.

    Parameters
    ----------
    gamma : float
        As for ``survival``.
    known : array-like of float
        As for ``survival``.
    t : array-like of float
        Periods, broadcast with ``known``; between whole numbers it is the analytic continuation.

    Returns
    -------
    ndarray of float
        Between 0 and ``t``.
    """
    shape = np.broadcast_shapes(np.shape(known), np.shape(t))
    (d, m), _, code = collapse(
        *(np.broadcast_to(np.asarray(one, dtype=np.float64), shape).ravel() for one in (known, t))
    )
    total = np.zeros(len(d))
    x = (gamma - 1) / (1 + d)
    reach = np.log1p(x)
    for place, share in zip(_PLACE, _SHARE, strict=True):
        y = (1 + d) * np.exp(place * reach)
        total += share * y * (psi(y + m) - psi(y))
    small = np.abs(x) < np.finfo(float).tiny
    mean = total / (1 + d) * np.where(small, 1.0, reach / np.where(small, 1.0, x))
    u = (gamma - 1) * mean
    flat = np.abs(u) < np.finfo(float).tiny
    shrunk = np.where(flat, 1.0, -np.expm1(-u) / np.where(flat, 1.0, u))
    return np.clip(d * mean * shrunk, 0.0, m)[code].reshape(shape)
