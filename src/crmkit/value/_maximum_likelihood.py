"""Finds the maximum of a likelihood on log-parameters, proves that it is one, or says which parameter ran away."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize

from crmkit.core.errors import ConvergenceError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

    Objective = Callable[[npt.NDArray[np.float64]], tuple[float, npt.NDArray[np.float64]]]

__all__ = ["Maximum", "maximize"]

_SETTLED = 1e-10
"""What one more Newton step may still promise, in units of log-likelihood."""

_FLAT = 1e-3
"""Curvature of the log-likelihood along a log-parameter below which it is not identified: a standard error of 30, that
is, nothing is known of the parameter's order of magnitude."""

_FAR = 12.0
"""Size of a log-parameter beyond which it has run away: shapes of 160,000 are as good as infinite, and the gamma
functions of such numbers no longer differ by enough digits to go on."""

_BENDS = 0.05
"""Share of what the curvature promises that the likelihood must fall by, a standard error away on either side. Far out,
rounding errors of the gradient, divided by a small step, can look like curvature where the likelihood is flat."""

_STEP = 1e-4
_NEWTON_STEPS = 40


@dataclass(frozen=True)
class Maximum:
    """A maximum of a likelihood.

    Parameters
    ----------
    log_parameters : ndarray of float, shape (n_parameters,)
        Where it is.
    covariance : ndarray of float, shape (n_parameters, n_parameters)
        Of the log-parameters: the inverse of the observed information.
    n_iter : int
        Steps taken.
    """

    log_parameters: npt.NDArray[np.float64]
    covariance: npt.NDArray[np.float64]
    n_iter: int


def maximize(
    objective: Objective,
    starts: Sequence[Sequence[float]],
    names: Sequence[str],
    *,
    model: str,
    causes: Mapping[tuple[str, str], str],
) -> Maximum:
    """Maximise a log-likelihood.

    L-BFGS comes near, Newton's steps on differences of the analytic gradient finish, and the curvature there tells
    whether it is a maximum: the last step must promise less than 1e-10 of log-likelihood, and no direction may be flat,
    which is measured a standard error away as well as at the maximum.

    Parameters
    ----------
    objective : callable
        From log-parameters to the negative log-likelihood and its gradient.
    starts : sequence of sequence of float
        Where to begin; the next is tried only where the one before fails.
    names : sequence of str
        The parameters.
    model : str
        Whose they are, for messages.
    causes : mapping of (str, str) to str
        For a parameter and ``"small"`` or ``"large"``: what in the table makes it run there.

    Returns
    -------
    Maximum
        The maximum.

    Raises
    ------
    ConvergenceError
        Naming the parameter that ran away, and the cause.
    """
    failed: tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]] | None = None
    for start in starts:
        theta, n_iter = _approach(objective, np.asarray(start, dtype=np.float64))
        found, theta, direction, steps = _finish(objective, theta)
        if found is not None:
            return Maximum(theta, found, n_iter + steps)
        if failed is None:
            failed = theta, direction
    if failed is None:
        raise ValueError("no starting point was given")
    theta, direction = failed
    worst = int(np.argmax(np.abs(direction)))
    way = "small" if theta[worst] < starts[0][worst] else "large"
    cause = causes.get((names[worst], way), "the table does not identify it")
    raise ConvergenceError(
        f"{model}: {names[worst]} is not identified, it runs to a {way} value: {cause}", parameter=names[worst]
    )


def _approach(objective: Objective, start: npt.NDArray[np.float64]) -> tuple[npt.NDArray[np.float64], int]:
    """Come near the maximum."""
    scale = max(1.0, abs(objective(start)[0]))

    def scaled(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        value, gradient = objective(theta)
        return value / scale, gradient / scale

    result = minimize(
        scaled,
        start,
        jac=True,
        method="L-BFGS-B",
        bounds=[(-_FAR, _FAR)] * len(start),
        options={"maxiter": 500, "ftol": 1e-14, "gtol": 1e-10},
    )
    return np.asarray(result.x, dtype=np.float64), int(result.nit)


def _finish(
    objective: Objective, theta: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64] | None, npt.NDArray[np.float64], npt.NDArray[np.float64], int]:
    """Take Newton's steps; give the covariance, or None and the direction that is flat."""
    value, gradient = objective(theta)
    direction = np.zeros_like(theta)
    for step_number in range(_NEWTON_STEPS):
        curvature, axes = np.linalg.eigh(_hessian(objective, theta))
        direction = axes[:, 0]
        slope = axes.T @ gradient
        # A direction that is flat or bends the wrong way is walked as if it bent a little the right way.
        bend = np.maximum(np.abs(curvature), _FLAT)
        promised = float(np.sum(slope**2 / bend))
        far = np.abs(theta) >= _FAR
        if far.any():
            return None, theta, np.where(far, np.abs(theta), 0.0), step_number
        if promised < _SETTLED or (promised < 1e-14 * abs(value)):
            flat = curvature[0] < max(_FLAT, 1e-11 * curvature[-1])
            if flat or not _bends(objective, theta, value, direction, float(curvature[0])):
                return None, theta, direction, step_number
            # The step that promises no more is taken all the same: along a direction that bends little it still moves.
            return axes @ np.diag(1 / curvature) @ axes.T, theta - axes @ (slope / curvature), direction, step_number
        step = -axes @ (slope / bend)
        step *= min(1.0, 2.0 / np.max(np.abs(step)))
        for _ in range(30):
            new_value, new_gradient = objective(theta + step)
            if np.isfinite(new_value) and new_value <= value + 1e-14 * abs(value):
                break
            step = step / 2
        else:
            break
        theta, value, gradient = theta + step, new_value, new_gradient
    return None, theta, direction, _NEWTON_STEPS


def _bends(
    objective: Objective,
    theta: npt.NDArray[np.float64],
    value: float,
    direction: npt.NDArray[np.float64],
    curvature: float,
) -> bool:
    """Say whether the likelihood itself falls on both sides of a maximum as its curvature says."""
    step = min(1.0, 1.0 / float(np.sqrt(curvature)))
    fall = min(objective(theta + side * step * direction)[0] - value for side in (1.0, -1.0))
    return bool(fall >= _BENDS * curvature * step**2 / 2)


def _hessian(objective: Objective, theta: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
    """Difference the gradient centrally."""
    rows = []
    for axis in range(len(theta)):
        shift = np.zeros_like(theta)
        shift[axis] = _STEP
        rows.append((objective(theta + shift)[1] - objective(theta - shift)[1]) / (2 * _STEP))
    hessian = np.array(rows)
    return (hessian + hessian.T) / 2
