"""Coefficients of covariates in a likelihood: the chain rule, and the way back from standardized covariates."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Objective

__all__ = ["Coefficient", "GroupObjective", "causes_of", "linear", "to_given_units", "with_coefficients"]

GroupObjective = Callable[[list[Any]], tuple[float, list[Any]]]
"""From log-parameters by group to the negative log-likelihood and its gradient, by group or in one sum."""


class Coefficient(NamedTuple):
    """What one coefficient does.

    Parameters
    ----------
    name : str
        Such as ``purchase:channel=web``.
    parameter : int
        Place of the parameter whose logarithm it moves.
    term : int
        Column of the design it multiplies.
    sign : float
        1, or -1 where more of it makes the parameter smaller.
    """

    name: str
    parameter: int
    term: int
    sign: float


def linear(
    values: npt.NDArray[np.float64], n_base: int, coefficients: Sequence[Coefficient], matrix: npt.NDArray[np.float64]
) -> list[Any]:
    """Give log-parameters by group.

    Parameters
    ----------
    values : ndarray of float, shape (n_parameters,)
        Log-parameters without covariates, then coefficients.
    n_base : int
        How many come first.
    coefficients : sequence of Coefficient
        What they do.
    matrix : ndarray of float, shape (n_groups, n_terms)
        The design.

    Returns
    -------
    list of ndarray of float, shape (n_groups,) or (1,)
        One for each log-parameter; a single value for one that no coefficient moves.
    """
    logs: list[Any] = list(values[:n_base, None])
    for value, (_, parameter, term, sign) in zip(values[n_base:], coefficients, strict=True):
        logs[parameter] = logs[parameter] + sign * value * matrix[:, term]
    return logs


def with_coefficients(
    by_group: GroupObjective,
    n_base: int,
    movable: Sequence[bool],
    coefficients: Sequence[Coefficient],
    matrix: npt.NDArray[np.float64],
) -> Objective:
    """Give a likelihood as a function of log-parameters and coefficients, by the chain rule.

    Parameters
    ----------
    by_group : callable
        From log-parameters by group to the negative log-likelihood and its gradient.
    n_base : int
        How many log-parameters there are.
    movable : sequence of bool
        Which of them ``by_group`` wants one a group.
    coefficients : sequence of Coefficient
        What coefficients do.
    matrix : ndarray of float, shape (n_groups, n_terms)
        The design.

    Returns
    -------
    callable
        What ``maximize`` wants.
    """

    def objective(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        logs = linear(theta, n_base, coefficients, matrix)
        spread = [
            np.broadcast_to(part, len(matrix)) if moves else part for part, moves in zip(logs, movable, strict=True)
        ]
        value, slopes = by_group(spread)
        gradient = [part.sum() for part in slopes]
        gradient += [sign * (slopes[parameter] @ matrix[:, term]) for _, parameter, term, sign in coefficients]
        return value, np.array(gradient)

    return objective


def to_given_units(
    n_base: int,
    coefficients: Sequence[Coefficient],
    mean: npt.NDArray[np.float64],
    spread: npt.NDArray[np.float64],
) -> npt.NDArray[np.float64]:
    """Give the matrix that takes estimates for standardized covariates to those for covariates as they were given.

    Parameters
    ----------
    n_base : int
        How many log-parameters there are.
    coefficients : sequence of Coefficient
        What coefficients do.
    mean, spread : ndarray of float, shape (n_terms,)
        Of each term of the design.

    Returns
    -------
    ndarray of float, shape (n_parameters, n_parameters)
        To multiply estimates by from the left.
    """
    back = np.eye(n_base + len(coefficients))
    for place, (_, parameter, term, sign) in enumerate(coefficients, start=n_base):
        back[place, place] = 1 / spread[term]
        back[parameter, place] = -sign * mean[term] / spread[term]
    return back


def causes_of(coefficients: Sequence[Coefficient]) -> dict[tuple[str, str], str]:
    """Say what in a table makes coefficients run away.

    Parameters
    ----------
    coefficients : sequence of Coefficient
        Them.

    Returns
    -------
    dict of (str, str) to str
        As ``maximize`` wants it.
    """
    why = "too few of these customers bought again, or left, to tell them from the others"
    return {(coefficient.name, way): why for coefficient in coefficients for way in ("small", "large")}
