"""Forecasts of customers who buy with Erlang gaps and may leave right after a purchase."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.special import expit

from crmkit.value._dropout_likelihood import unseen_stages
from crmkit.value._erlang_purchases import purchase_probabilities, purchases_while_alive

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    Floats = npt.NDArray[np.float64]

__all__ = ["expected_purchases", "p_alive", "probabilities"]


def p_alive(params: Mapping[str, float], x: Any, t_x: Any, T: Any, *, k: int, at_first: bool) -> Floats:
    """Give P(alive) at the cutoff, from its log-odds, which do not overflow.

    Parameters
    ----------
    params : mapping of str to float
        ``r``, ``alpha``, ``a``, ``b``.
    x, t_x, T : ndarray of float, shape (n_customers,)
        Repeat purchases, age at the last one, age.
    k : int
        Stages of a gap.
    at_first : bool
        Whether customers may leave right after their first purchase.

    Returns
    -------
    ndarray of float, shape (n_customers,)
        Probabilities; 1 for who has had no occasion to leave.
    """
    r, alpha, a, b = _parameters(params)
    shape, end = r + k * x, alpha + T
    unseen, _, _ = unseen_stages(shape, (T - t_x) / end, k)
    odds = np.log(b + np.maximum(x + at_first - 1.0, 0.0)) - np.log(a) + np.log(unseen)
    odds = odds - shape * (np.log(end) - np.log(alpha + t_x))
    return np.where(x + at_first > 0, expit(odds), 1.0)


def expected_purchases(
    params: Mapping[str, float], x: Any, t_x: Any, T: Any, t: Any, *, k: int, at_first: bool
) -> Floats:
    """Give the expected purchases in the ``t`` after the cutoff: those of a living customer, times P(alive).

    Parameters
    ----------
    params, x, t_x, T, k, at_first
        As for ``p_alive``.
    t : float or ndarray of float, shape (n_customers,)
        Horizon.

    Returns
    -------
    ndarray of float, shape (n_customers,)
        Purchases, at least 0.
    """
    r, alpha, a, b = _parameters(params)
    x, t_x, T, t = (np.asarray(each, dtype=np.float64) for each in np.broadcast_arrays(x, t_x, T, t))
    end = alpha + T
    alive = purchases_while_alive(r + k * x, (T - t_x) / end, t / end, a, b + x + at_first, k)
    return np.asarray(p_alive(params, x, t_x, T, k=k, at_first=at_first) * alive)


def probabilities(
    params: Mapping[str, float], x: Any, t_x: Any, T: Any, t: float, n_max: int, *, k: int, at_first: bool
) -> Floats:
    """Give the distribution of the purchases in the ``t`` after the cutoff.

    Parameters
    ----------
    params, x, t_x, T, k, at_first
        As for ``p_alive``.
    t : float
        Horizon.
    n_max : int
        The greatest number asked for.

    Returns
    -------
    ndarray of float, shape (n_customers, n_max + 1)
        Probabilities of 0, 1, ..., n_max purchases; a customer who has left buys none.
    """
    r, alpha, a, b = _parameters(params)
    end = alpha + T
    chances = purchase_probabilities(r + k * x, (T - t_x) / end, t / end, a, b + x + at_first, k, n_max)
    alive = p_alive(params, x, t_x, T, k=k, at_first=at_first)[:, None]
    return np.asarray(alive * chances + (1 - alive) * (np.arange(n_max + 1) == 0))


def _parameters(params: Mapping[str, float]) -> tuple[float, float, float, float]:
    """Give the parameters in order."""
    return params["r"], params["alpha"], params["a"], params["b"]
