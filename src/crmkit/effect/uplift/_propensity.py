"""The chance of each arm for each customer: the arms' shares, stated ones, or learned and cross-fitted."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.checks import require_methods
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.registry import create
from crmkit.effect.uplift._learners import fitted

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Propensity"]

_LEAST = 0.01


class Propensity:
    """The chance of each arm, known or learned.

    Parameters
    ----------
    shares : ndarray of float or None
        The same for everybody, or None.
    model : estimator or None
        A fitted classifier of arms, or None.
    """

    def __init__(self, shares: npt.NDArray[np.float64] | None, model: Any) -> None:
        self.shares = shares
        self.model = model

    @classmethod
    def learn(
        cls,
        wanted: Any,
        matrix: npt.NDArray[np.float64],
        codes: npt.NDArray[np.intp],
        labels: tuple[Any, ...],
        folds: npt.NDArray[np.intp],
        rng: np.random.RandomState,
    ) -> tuple[Propensity, npt.NDArray[np.float64]]:
        """Learn or read the chances, and give those of the customers learned from out of fold.

        Parameters
        ----------
        wanted : None, mapping, str or classifier
            As the learners' ``propensity``.
        matrix : ndarray, shape (n_customers, n_columns)
            Features.
        codes : ndarray of int, shape (n_customers,)
            Arms.
        labels : tuple
            Of the arms.
        folds : ndarray of int, shape (n_customers,)
            Folds.
        rng : RandomState
            Seeds models.

        Returns
        -------
        Propensity
            For later customers.
        ndarray of float64, shape (n_customers, n_arms)
            Chances, at least .01.

        Raises
        ------
        DataError
            If stated chances are not of the arms, or no probabilities.
        """
        n, k = len(codes), len(labels)
        if wanted is None or isinstance(wanted, Mapping):
            shares = np.bincount(codes, minlength=k) / n if wanted is None else _stated(wanted, labels)
            return cls(shares, None), np.tile(shares, (n, 1))
        model = create("classifier", wanted) if isinstance(wanted, str) else wanted
        require_methods(model, ["fit", "predict_proba"], role="a classifier of arms")
        chances = np.empty((n, k))
        for fold in range(int(folds.max()) + 1):
            here = folds == fold
            chances[here] = fitted(model, matrix[~here], codes[~here].astype(np.float64), rng).predict_proba(
                matrix[here]
            )
        low = (chances < _LEAST).any(axis=1)
        if low.any():
            warnings.warn(
                f"{int(low.sum()):,} customers of {n:,} had a chance below {_LEAST} of one of the arms, which is taken "
                f"as {_LEAST}: for them effects rest on the models of the outcome, not on comparison",
                DataWarning,
                stacklevel=4,
            )
        return cls(None, fitted(model, matrix, codes.astype(np.float64), rng)), np.maximum(chances, _LEAST)

    def of(self, matrix: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the chance of each arm.

        Parameters
        ----------
        matrix : ndarray, shape (n_customers, n_columns)
            Features.

        Returns
        -------
        ndarray of float64, shape (n_customers, n_arms)
            Probabilities.
        """
        if self.shares is not None:
            return np.tile(self.shares, (len(matrix), 1))
        return np.maximum(np.asarray(self.model.predict_proba(matrix), dtype=np.float64), _LEAST)


def _stated(wanted: Mapping[Any, float], labels: tuple[Any, ...]) -> npt.NDArray[np.float64]:
    """Read stated chances."""
    if set(wanted) != set(labels):
        raise DataError(f"propensity must give a chance for each of the arms {', '.join(map(str, labels))}")
    shares = np.array([float(wanted[label]) for label in labels])
    if not ((shares > 0) & (shares < 1)).all() or abs(shares.sum() - 1) > 1e-6:
        raise DataError("propensity must be chances above 0 that sum to 1")
    return shares
