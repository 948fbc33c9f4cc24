"""What every lifetime model estimated by maximum likelihood shares: reading, fitting, errors and predicting."""

from __future__ import annotations

from abc import ABC, abstractmethod
from math import inf, isinf, log
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import ConvergenceError, DataError
from crmkit.preparation.units import DAYS, DAYS_PER_YEAR, days_in
from crmkit.value._arguments import check_horizon, check_level, check_number, check_whole_number
from crmkit.value._collapse import collapse
from crmkit.value._delta import log_error, log_interval
from crmkit.value._discount import schedule
from crmkit.value._maximum_likelihood import maximize
from crmkit.value._rows import Groups, Rows
from crmkit.value._summary import Summary, read_summary

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Maximum, Objective

__all__ = ["LikelihoodModel"]

Arrays = tuple["npt.NDArray[np.float64]", "npt.NDArray[np.float64]", "npt.NDArray[np.float64]"]


class LikelihoodModel(BaseEstimator, ABC):
    """A lifetime model whose parameters are positive and estimated by maximum likelihood.

    A model names its parameters and gives its log-likelihood, P(alive) and expected purchases on arrays; this class
    does the rest. Equal customers are counted and computed once. Times are divided by the mean age while fitting, and
    the parameters and the log-likelihood are given in the unit of the table.

    Parameters
    ----------
    unit : {"day", "week", "month", "quarter", "year"} or None, default=None
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
    def _p_alive(self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any) -> npt.NDArray[np.float64]:
        """Give P(alive) at the cutoff."""

    # Whether the last purchase says no more of a customer who is alive, which spares most of the work.
    _alive_forgets: ClassVar[bool] = False

    def _while_alive(self, params: Mapping[str, Any], x: Any, T: Any, t: Any) -> npt.NDArray[np.float64]:
        """Give the expected purchases of a customer alive at the cutoff, where the last purchase is forgotten."""
        raise NotImplementedError

    def _expected(self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any, t: Any) -> npt.NDArray[np.float64]:
        """Give the expected purchases in the ``t`` after the cutoff: those of a living customer, times P(alive)."""
        return np.asarray(self._p_alive(params, x, t_x, T) * self._while_alive(params, x, T, t), dtype=np.float64)

    @abstractmethod
    def _probabilities(
        self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any, t: float, n_max: int
    ) -> npt.NDArray[np.float64]:
        """Give the probabilities of 0, 1, ..., n_max purchases in the ``t`` after the cutoff, a row a customer."""

    @abstractmethod
    def _endless(self, params: Mapping[str, Any]) -> str | None:
        """Say why the purchases without end are infinite, or None where their number is finite."""

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, summary: Any, y: Any = None, /) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Estimate the parameters.

        Parameters
        ----------
        summary : table
            Of the kind the model reads: for most, made by ``preparation.purchase_summary``, or with lifetimes' columns
            where ``unit`` was given.
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
        table = self._table(summary, self.unit)
        self._check_varied(table)
        state: Any = self.__dict__
        before = dict(state)
        try:
            self._learn_covariates(table)
            self._estimate(self._rows(table))
        except Exception:
            # What could not be fitted again stays as it was fitted before.
            state.clear()
            state.update(before)
            raise
        n_parameters = len(self.params_)
        self.aic_ = 2.0 * n_parameters - 2.0 * self.log_likelihood_
        self.bic_ = log(len(table.x)) * n_parameters - 2.0 * self.log_likelihood_
        self.n_customers_ = len(table.x)
        self.unit_ = table.unit
        return self

    def _estimate(self, rows: Rows) -> None:
        """Find the parameters of distinct customers."""
        scale = self._scale(rows)
        found, log_likelihood = self._search(rows, scale)
        values = np.exp(found.log_parameters)
        values[[name in self._times for name in self._names]] *= scale
        self.params_ = dict(zip(self._names, map(float, values), strict=True))
        self.log_likelihood_ = log_likelihood
        self.covariance_ = found.covariance
        errors = values * np.sqrt(np.diag(found.covariance))
        self.standard_errors_ = dict(zip(self._names, map(float, errors), strict=True))
        self.n_iter_ = found.n_iter

    def _search(self, rows: Rows, scale: float) -> tuple[Maximum, float]:
        """Give the log-parameters for times in units of the scale, and the log-likelihood in the table's unit."""
        objective = self._objective(rows.x, rows.t_x / scale, rows.T / scale, rows.weights)
        repeats = float(rows.weights @ rows.x)
        starts = self._starts(repeats * scale / float(rows.weights @ rows.T))
        found = maximize(objective, starts, self._names, model=self._title, causes=self._causes)
        # A density of purchase times in another unit differs by a factor for every repeat purchase.
        return found, -objective(found.log_parameters)[0] - repeats * log(scale)

    def _scale(self, rows: Rows) -> float:
        """Give the unit of time to fit in; a model without a parameter in time counts periods, which have no other."""
        return float(np.average(rows.T, weights=rows.weights)) if self._times else 1.0

    def parameter_table(self, level: float = 0.95) -> pd.DataFrame:
        """Give the parameters with their errors and intervals.

        Parameters
        ----------
        level : float, default=0.95
            Coverage of the intervals.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``parameter``: ``value``, ``standard_error``, ``low``, ``high``; the intervals of positive
            parameters are symmetric on the log scale, those of coefficients as they are.

        Raises
        ------
        DataError
            If the level is not between 0 and 1.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        names = list(self.params_)[: len(self.covariance_)]
        value = np.array([self.params_[name] for name in names])
        error, positive = np.sqrt(np.diag(self.covariance_)), np.arange(len(names)) < len(self._names)
        low, high = log_interval(np.where(positive, value, 1.0), error, level)
        table = {
            "value": value,
            "standard_error": [self.standard_errors_[name] for name in names],
            "low": np.where(positive, low, value + np.log(low)),
            "high": np.where(positive, high, value + np.log(high)),
        }
        return pd.DataFrame(table, index=pd.Index(names, name="parameter"))

    def predict(
        self, summary: Any, horizon: float = 39, *, level: float | None = None, n_max: int | None = None
    ) -> pd.DataFrame:
        """Forecast every customer.

        Parameters
        ----------
        summary : table
            As for ``fit``, in the same unit; it need not be the same customers.
        horizon : float, default=39
            How far to look from the cutoff, in the model's unit.
        level : float or None, default=None
            Coverage of the interval of the expected purchases; None gives none, which is several times faster.
        n_max : int or None, default=None
            Give also the probabilities of 0, 1, ..., n_max purchases.

        Returns
        -------
        pandas.DataFrame
            Indexed like ``summary``: ``p_alive`` (the probability that the customer has not left by the cutoff),
            ``expected_purchases`` (purchase days within the horizon); with ``level``, ``low`` and ``high`` of the
            expected purchases, by the delta method from the errors of the parameters: how much one customer will differ
            from what is expected of customers like them is told by the probabilities; with ``n_max``, ``p_0``, ``p_1``,
            ..., which sum to less than 1 by the probability of more.

        Raises
        ------
        DataError
            If the table is another one, in another unit, or holds impossible values, or an argument is out of range.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        t = self._check_horizon(horizon)
        if level is not None:
            check_level(level)
        if n_max is not None:
            n_max = check_whole_number("n_max", n_max, low=0)
        table = self._read(summary)
        rows = self._rows(table)
        params = self._at(rows)
        once = np.array([t]), np.ones(1)
        columns = {
            "p_alive": self._p_alive(params, rows.x, rows.t_x, rows.T),
            "expected_purchases": self._weighted(params, rows, *once),
        }
        if level is not None:
            error = log_error(
                lambda shift: self._weighted(self._at(rows, shift), rows, *once), self._shift_covariance()
            )
            columns["low"], columns["high"] = log_interval(columns["expected_purchases"], error, level)
        if n_max is not None:
            chances = self._probabilities(params, rows.x, rows.t_x, rows.T, t, n_max)
            columns.update({f"p_{n}": chances[:, n] for n in range(n_max + 1)})
        return pd.DataFrame({name: column[rows.inverse] for name, column in columns.items()}, index=table.index)

    def residual_purchases(
        self, summary: Any, *, horizon: float = inf, annual_discount_rate: float = 0.10, level: float | None = 0.95
    ) -> pd.DataFrame:
        """Give the discounted purchases that are still to come of every customer.

        With an infinite horizon these are the discounted expected residual transactions, DERT. The purchases of each
        period (each week for a model in weeks) are discounted from its end, as in ``lifetime_value``.

        Parameters
        ----------
        summary : table
            As for ``fit``, in the same unit.
        horizon : float, default=inf
            How far to look from the cutoff, in the model's unit.
        annual_discount_rate : float, default=0.10
            What a purchase a year later counts less: 0.10 divides it by 1.10.
        level : float or None, default=0.95
            Coverage of the interval; None gives none, which is several times faster.

        Returns
        -------
        pandas.DataFrame
            Indexed like ``summary``: ``residual_purchases``, and ``low`` and ``high`` by the delta method.

        Raises
        ------
        DataError
            If the table is not one the model reads, an argument is out of range, or the sum is infinite: without
            discount, customers who leave slowly enough buy without end.
        """
        check_is_fitted(self)
        horizon = check_horizon(horizon, endless=True)
        annual_discount_rate = check_number("annual_discount_rate", annual_discount_rate, low=-1.0, closed=False)
        if level is not None:
            check_level(level)
        table = self._read(summary)
        rows = self._rows(table)
        value, error = self._discounted(rows, horizon, annual_discount_rate, errors=level is not None)
        columns = {"residual_purchases": value}
        if level is not None:
            columns["low"], columns["high"] = log_interval(value, error, level)
        return pd.DataFrame({name: column[rows.inverse] for name, column in columns.items()}, index=table.index)

    def _discounted(
        self, rows: Rows, horizon: float, annual_discount_rate: float, *, errors: bool
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give discounted purchases of distinct customers, and the standard errors of their logarithms."""
        years = days_in(self.unit_) / DAYS_PER_YEAR
        params = self._at(rows)
        if isinf(horizon) and annual_discount_rate == 0:
            why = self._endless(params)
            raise DataError(
                f"{self._title}: purchases without end and without discount "
                + (f"are infinite, because {why}" if why else "are not computed")
                + ": give a finite horizon or an annual_discount_rate above 0"
            )
        # The forecast has its poles where the age, continued backwards, cancels a parameter measured in time.
        start = float(np.min(rows.T, initial=inf))
        origin = min([1.0, *(start + float(np.min(params[name])) for name in self._times)])
        times, weights = schedule(horizon, years, annual_discount_rate, origin=origin, tolerance=self._tolerance(1e-9))
        value = self._weighted(params, rows, times, weights)
        if not errors:
            return value, np.zeros(len(value))
        # The slopes are needed to a few digits only.
        times, weights = schedule(horizon, years, annual_discount_rate, origin=origin, tolerance=self._tolerance(1e-4))
        error = log_error(
            lambda shift: self._weighted(self._at(rows, shift), rows, times, weights), self._shift_covariance()
        )
        return value, error

    def _tolerance(self, wanted: float) -> float:
        """Give what to ask of a schedule: less than is wanted where the forecast is less smooth than usual."""
        return wanted

    def _weighted(
        self, params: Mapping[str, Any], rows: Rows, times: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Add up expected purchases within several horizons, each times its weight."""
        if not self._alive_forgets:
            result = np.zeros(len(rows.x))
            for time, weight in zip(times, weights, strict=True):
                result += weight * self._expected(params, rows.x, rows.t_x, rows.T, float(time))
            return np.maximum(result, 0.0)
        first, like = rows.living
        here = {name: value if np.ndim(value) == 0 else value[first] for name, value in params.items()}
        result = np.zeros(len(first))
        for time, weight in zip(times, weights, strict=True):
            result += weight * self._while_alive(here, rows.x[first], rows.T[first], float(time))
        return np.maximum(result[like] * self._p_alive(params, rows.x, rows.t_x, rows.T), 0.0)

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

        Raises
        ------
        DataError
            If a time is negative, missing or infinite.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        t = self._times_of(times)
        zero = np.zeros_like(t)
        return self._expected(self.params_, zero, zero, zero, t)

    def count_probabilities(self, time: float, n_max: int) -> npt.NDArray[np.float64]:
        """Give the distribution of a new customer's number of repeat purchases.

        Parameters
        ----------
        time : float
            Age, in the model's unit.
        n_max : int
            The greatest number asked for.

        Returns
        -------
        ndarray of float, shape (n_max + 1,)
            Probabilities of 0, 1, ..., n_max repeat purchases by that age.

        Raises
        ------
        DataError
            If the time or number is negative.
        """
        check_is_fitted(self)
        time, n_max = self._check_horizon(time, "time"), check_whole_number("n_max", n_max, low=0)
        zero = np.zeros(1)
        return np.asarray(self._probabilities(self.params_, zero, zero, zero, time, n_max)[0])

    def _read(self, summary: Any) -> Summary:
        """Read a table in the unit the model was fitted on."""
        check_is_fitted(self)
        return self._table(summary, self.unit_)

    def _table(self, summary: Any, unit: str | None) -> Summary:
        """Read a table of the kind this model is fitted on."""
        return read_summary(summary, unit=unit)

    def _learn_covariates(self, table: Summary) -> None:
        """Keep what there is to know of covariates before they are read; this model has none."""

    def _rows(self, table: Summary) -> Rows:
        """Give the distinct customers of a table."""
        (x, t_x, age), weights, inverse = collapse(table.x, table.t_x, table.T)
        return Rows(x, t_x, age, weights, inverse, Groups.one(len(x)), np.empty((1, 0)))

    def _at(self, rows: Rows, log_shift: npt.NDArray[np.float64] | None = None) -> Mapping[str, Any]:  # noqa: ARG002 -- of models with covariates
        """Give the parameters of rows, for the delta method moved on the log scale."""
        if log_shift is None:
            return self.params_
        factors = np.exp(log_shift)
        return {name: self.params_[name] * float(factor) for name, factor in zip(self._names, factors, strict=True)}

    def _shift_covariance(self) -> npt.NDArray[np.float64]:
        """Give the covariance of what ``_at`` shifts by."""
        return self.covariance_

    def _times_of(self, times: Any) -> npt.NDArray[np.float64]:
        """Read ages, one or many."""
        try:
            t = np.atleast_1d(np.asarray(times, dtype=np.float64))
        except (TypeError, ValueError):
            raise DataError(f"times must hold numbers, got {type(times).__name__}") from None
        if t.ndim > 1:
            raise DataError(f"times must have one dimension, got {t.ndim}")
        for value in t:
            self._check_horizon(float(value), "times")
        return t

    @staticmethod
    def _check_horizon(horizon: Any, name: str = "horizon") -> float:
        """Refuse a horizon that is no time."""
        return check_number(name, horizon, low=0.0)

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
