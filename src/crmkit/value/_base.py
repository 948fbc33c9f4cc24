"""What every lifetime model estimated by maximum likelihood shares: reading, fitting, errors and predicting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import isfinite, log
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import ConvergenceError, DataError
from crmkit.preparation.units import DAYS
from crmkit.value._collapse import collapse
from crmkit.value._maximum_likelihood import maximize
from crmkit.value._summary import Summary, read_summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Objective

__all__ = ["LikelihoodModel"]

Arrays = tuple["npt.NDArray[np.float64]", "npt.NDArray[np.float64]", "npt.NDArray[np.float64]"]


class LikelihoodModel(BaseEstimator, ABC):
    """A lifetime model whose parameters are positive and estimated by maximum likelihood.

    A model names its parameters and gives its log-likelihood, P(alive) and expected purchases on arrays; this class
    does the rest. Equal customers are counted and computed once. Times are divided by the mean age while fitting, and
    the parameters and the log-likelihood are given in the unit of the table.

    Parameters
    ----------
    unit : {"day", "week", "month"} or None, default=None
        The unit of the tables, where their column names do not say it; where they do, the unit asked for.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {"unit": [StrOptions(set(DAYS)), None]}

    _title: ClassVar[str]
    _names: ClassVar[tuple[str, ...]]
    # Parameters measured in time, which scale with the unit.
    _times: ClassVar[frozenset[str]] = frozenset({"alpha"})
    _causes: ClassVar[Mapping[tuple[str, str], str]]

    def __init__(self, *, unit: str | None = None) -> None:
        self.unit = unit

    @abstractmethod
    def _objective(self, x: Any, t_x: Any, T: Any, weights: Any) -> Objective:
        """Give the function from log-parameters to the negative log-likelihood and its gradient."""

    @abstractmethod
    def _starts(self, rate: float) -> list[list[float]]:
        """Give log-parameters to begin with, for times divided by the mean age and the mean purchases per unit."""

    @abstractmethod
    def _p_alive(self, params: Mapping[str, float], x: Any, t_x: Any, T: Any) -> npt.NDArray[np.float64]:
        """Give P(alive) at the cutoff."""

    @abstractmethod
    def _expected(self, params: Mapping[str, float], x: Any, t_x: Any, T: Any, t: Any) -> npt.NDArray[np.float64]:
        """Give the expected purchases in the ``t`` after the cutoff."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, summary: Any, y: Any = None, /) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Estimate the parameters.

        Parameters
        ----------
        summary : table
            Made by ``preparation.purchase_summary``, or with lifetimes' columns where ``unit`` was given.
        y : None
            Ignored.

        Returns
        -------
        self
            The fitted model.

        Raises
        ------
        DataError
            If the table is another one or holds impossible values.
        ConvergenceError
            If a parameter is not identified; the message names it and the cause.
        """
        table = read_summary(summary, unit=self.unit)
        self._check_varied(table)
        (x, t_x, age), weights, _ = collapse(table.x, table.t_x, table.T)
        scale = float(np.average(age, weights=weights))
        objective = self._objective(x, t_x / scale, age / scale, weights)
        rate = float(weights @ x) / float(weights @ (age / scale))
        found = maximize(objective, self._starts(rate), self._names, model=self._title, causes=self._causes)
        values = np.exp(found.log_parameters)
        values[[name in self._times for name in self._names]] *= scale
        repeats = float(weights @ x)
        self.params_ = dict(zip(self._names, map(float, values), strict=True))
        # A density of purchase times in another unit differs by a factor for every repeat purchase.
        self.log_likelihood_ = -objective(found.log_parameters)[0] - repeats * log(scale)
        self.covariance_ = found.covariance
        errors = values * np.sqrt(np.diag(found.covariance))
        self.standard_errors_ = dict(zip(self._names, map(float, errors), strict=True))
        self.aic_ = 2.0 * len(values) - 2.0 * self.log_likelihood_
        self.bic_ = log(len(table.x)) * len(values) - 2.0 * self.log_likelihood_
        self.n_customers_ = len(table.x)
        self.n_iter_ = found.n_iter
        self.unit_ = table.unit
        return self

    def predict(self, summary: Any, horizon: float = 39) -> pd.DataFrame:
        """Forecast every customer.

        Parameters
        ----------
        summary : table
            As for ``fit``, in the same unit; it need not be the same customers.
        horizon : float, default=39
            How far to look from the cutoff, in the model's unit.

        Returns
        -------
        pandas.DataFrame
            Indexed like ``summary``: ``p_alive`` (the probability that the customer has not left by the cutoff),
            ``expected_purchases`` (purchase days within the horizon).

        Raises
        ------
        DataError
            If the table is another one, in another unit, or holds impossible values, or the horizon is negative.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        table = self._read(summary)
        self._check_horizon(horizon)
        (x, t_x, age), _, inverse = collapse(table.x, table.t_x, table.T)
        return pd.DataFrame(
            {
                "p_alive": self._p_alive(self.params_, x, t_x, age)[inverse],
                "expected_purchases": self._expected(self.params_, x, t_x, age, float(horizon))[inverse],
            },
            index=table.index,
        )

    def expected_count(self, times: Any) -> npt.NDArray[np.float64]:
        """Give the expected repeat purchases of a new customer, of whom nothing is known yet.

        Parameters
        ----------
        times : float or array-like of float, shape (n_times,)
            Ages, in the model's unit.

        Returns
        -------
        ndarray of float, shape (n_times,)
            Purchases after the first one up to each age.
        """
        check_is_fitted(self)
        t = np.atleast_1d(np.asarray(times, dtype=np.float64))
        for value in t:
            self._check_horizon(value)
        zero = np.zeros_like(t)
        return self._expected(self.params_, zero, zero, zero, t)

    def _read(self, summary: Any) -> Summary:
        """Read a table in the unit the model was fitted on."""
        check_is_fitted(self)
        return read_summary(summary, unit=self.unit_)

    def _parameters_at(self, log_shift: npt.NDArray[np.float64]) -> dict[str, float]:
        """Give the parameters moved on the log scale, for the delta method."""
        factors = np.exp(log_shift)
        return {name: self.params_[name] * float(factor) for name, factor in zip(self._names, factors, strict=True)}

    @staticmethod
    def _check_horizon(horizon: float) -> None:
        """Refuse a horizon that is no time."""
        if not isfinite(horizon) or horizon < 0:
            raise DataError(f"horizon must be a finite time of at least 0, got {horizon!r}")

    def _check_varied(self, table: Summary) -> None:
        """Refuse tables in which nothing can be learned."""
        if not (table.x > 0).any():
            raise ConvergenceError(
                f"{self._title}: {self._names[0]} is not identified: no customer bought more than once",
                parameter=self._names[0],
            )
        if not (table.T > 0).any():
            raise ConvergenceError(
                f"{self._title}: {self._names[0]} is not identified: every age is 0, no time was observed",
                parameter=self._names[0],
            )
