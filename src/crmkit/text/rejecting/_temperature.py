"""One number that turns scores into probabilities: the temperature."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
from scipy.optimize import minimize_scalar
from scipy.special import logsumexp, softmax

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["fit_temperature", "soften"]

_MOST = 20_000
_BOUNDS = (-8.0, 8.0)


def soften(scores: npt.NDArray[np.float64], temperature: float) -> npt.NDArray[np.float64]:
    """Give probabilities: the softmax of the scores divided by the temperature.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_texts, n_classes)
        One score a class.
    temperature : float
        Larger is more modest.

    Returns
    -------
    ndarray of float64, shape (n_texts, n_classes)
        Rows sum to 1.
    """
    return np.asarray(softmax(scores / temperature, axis=1), dtype=np.float64)


def fit_temperature(scores: npt.NDArray[np.float64], codes: npt.NDArray[np.int64]) -> float:
    """Find the temperature at which the scores of texts not trained on are the likeliest.

    As if one text more had been seen whose label was any of the classes: else scores without a mistake would be made
    certain. Beyond 20,000 texts every so many is left out, since one number needs no more.

    Parameters
    ----------
    scores : ndarray of float64, shape (n_texts, n_classes)
        Out of fold.
    codes : ndarray of int64, shape (n_texts,)
        The right class.

    Returns
    -------
    float
        Between e to the -8 and e to the 8 times the spread of the scores.
    """
    step = -(-len(codes) // _MOST)
    scores, codes = scores[::step], codes[::step]
    scale = float(np.std(scores)) or 1.0
    scores = scores / scale
    share = 1.0 / (len(codes) + 1.0)
    aimed = (1.0 - share) * scores[np.arange(len(codes)), codes] + share * scores.mean(axis=1)

    def loss(log_slope: float) -> float:
        slope = np.exp(log_slope)
        return float(np.mean(logsumexp(scores * slope, axis=1) - slope * aimed))

    found = minimize_scalar(loss, bounds=_BOUNDS, method="bounded")
    return scale * float(np.exp(-found.x))
