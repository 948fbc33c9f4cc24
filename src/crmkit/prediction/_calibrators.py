"""Curves from scores to probabilities, each learned from scores of rows the model has not seen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
from scipy.optimize import minimize, minimize_scalar
from scipy.special import expit, log_expit, logsumexp, softmax
from sklearn.isotonic import IsotonicRegression

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["CURVES", "Temperature", "fit_temperature"]

_BOUNDS = (-8.0, 8.0)


def _softened(right: npt.NDArray[np.bool_]) -> npt.NDArray[np.float64]:
    """Give Platt's targets: as if each side had one row more, of which nothing is known."""
    n_right = int(right.sum())
    n_wrong = len(right) - n_right
    return np.where(right, (n_right + 1) / (n_right + 2), 1 / (n_wrong + 2))


def _fitted(features: npt.NDArray[np.float64], right: npt.NDArray[np.bool_], least: float | None) -> Any:
    """Give the weights of features and the constant that make what happened likeliest."""
    targets = _softened(right)
    scale = np.maximum(features.std(axis=0), 1e-12)
    design = np.column_stack([features / scale, np.ones(len(features))])

    def loss(weights: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        odds = design @ weights
        value = -(targets * log_expit(odds) + (1 - targets) * log_expit(-odds)).mean()
        return float(value), np.asarray(design.T @ (expit(odds) - targets) / len(targets))

    width = features.shape[1]
    start = np.append(np.ones(width) / width, 0.0)
    bounds = [(least, None)] * width + [(None, None)]
    found = minimize(loss, start, jac=True, method="L-BFGS-B", bounds=bounds, options={"maxiter": 500, "gtol": 1e-9})
    return np.append(found.x[:-1] / scale, found.x[-1])


@dataclass(frozen=True)
class Sigmoid:
    """A logistic curve of the score (Platt 2000)."""

    slope: float
    constant: float

    @classmethod
    def fit(cls, scores: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> Sigmoid:
        """Learn slope and constant."""
        slope, constant = _fitted(scores[:, None], right, 0.0)
        return cls(float(slope), float(constant))

    def __call__(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(expit(self.slope * scores + self.constant))


@dataclass(frozen=True)
class Beta:
    """A curve that bends differently near 0 and near 1 (Kull et al. 2017)."""

    low: float
    high: float
    constant: float

    @classmethod
    def fit(cls, scores: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> Beta:
        """Learn how it bends; it never falls."""
        low, high, constant = _fitted(cls._features(scores), right, 0.0)
        return cls(float(low), float(high), float(constant))

    @staticmethod
    def _features(scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.column_stack([log_expit(scores), -log_expit(-scores)])

    def __call__(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(expit(self._features(scores) @ [self.low, self.high] + self.constant))


@dataclass(frozen=True)
class Stairs:
    """A rising staircase (Zadrozny & Elkan 2002), leaning a little on a sigmoid so that nothing is certain."""

    steps: IsotonicRegression
    sigmoid: Sigmoid
    weight: float

    @classmethod
    def fit(cls, scores: npt.NDArray[np.float64], right: npt.NDArray[np.bool_]) -> Stairs:
        """Learn the steps; the sigmoid has the weight of one row."""
        steps = IsotonicRegression(y_min=0.0, y_max=1.0, out_of_bounds="clip").fit(scores, right.astype(np.float64))
        return cls(steps, Sigmoid.fit(scores, right), 1.0 / (len(right) + 1.0))

    def __call__(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        climbed = np.asarray(self.steps.predict(scores), dtype=np.float64)
        return (1.0 - self.weight) * climbed + self.weight * self.sigmoid(scores)


CURVES: dict[str, Any] = {"sigmoid": Sigmoid, "beta": Beta, "isotonic": Stairs}


@dataclass(frozen=True)
class Temperature:
    """One number that all scores are divided by (Guo et al. 2017)."""

    temperature: float

    def __call__(self, scores: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        return np.asarray(softmax(scores / self.temperature, axis=1), dtype=np.float64)


def fit_temperature(scores: npt.NDArray[np.float64], codes: npt.NDArray[np.intp]) -> Temperature:
    """Find the temperature at which what happened is likeliest, as if of one row more any label had been seen.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_rows, n_classes)
        Of rows the model has not seen.
    codes : ndarray of int, shape (n_rows,)
        The right label of each.

    Returns
    -------
    Temperature
        Between e to the -8 and e to the 8 times the spread of the scores.
    """
    spread = float(scores.std()) or 1.0
    scaled = scores / spread
    share = 1.0 / (len(codes) + 1.0)
    aimed = (1.0 - share) * scaled[np.arange(len(codes)), codes] + share * scaled.mean(axis=1)

    def loss(log_slope: float) -> float:
        slope = np.exp(log_slope)
        return float(np.mean(logsumexp(scaled * slope, axis=1) - slope * aimed))

    found = minimize_scalar(loss, bounds=_BOUNDS, method="bounded")
    return Temperature(spread * float(np.exp(-found.x)))
