"""What lifetime models with static covariates share: each customer's own scale of a parameter, and its coefficients."""

from __future__ import annotations

from abc import abstractmethod
from collections.abc import Callable
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import ConvergenceError, DataError
from crmkit.value._base import LikelihoodModel
from crmkit.value._collapse import collapse
from crmkit.value._covariates import check_informative, codes, design, learn_levels, terms
from crmkit.value._maximum_likelihood import maximize
from crmkit.value._rows import Groups, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Objective
    from crmkit.value._summary import Summary

__all__ = ["Block", "CovariateModel", "GroupObjective"]

Block = tuple[str, str, str, float]
"""Name of a set of coefficients, the attribute that lists its columns, the parameter it moves, and the sign."""

GroupObjective = Callable[[list[Any]], tuple[float, list[Any]]]
"""From log-parameters by group to the negative log-likelihood and its gradient, by group or in one sum."""

_MOST_KINDS = 1000
"""Kinds of customers over which the forecast of a new one is averaged."""

_FARTHEST = 600.0


class CovariateModel(LikelihoodModel):
    """A lifetime model some of whose parameters may differ between customers by what is known of them.

    The logarithm of such a parameter is linear in covariates that do not change with time. A model gives its likelihood
    by groups of customers whose covariates are equal; this class does the rest.

    Parameters
    ----------
    unit : {"day", "week", "month"} or None, default=None
        The unit of the tables, where their column names do not say it.
    purchase_covariates, leaving_covariates : tuple or list of str, default=()
        Columns of the summary that move buying, and leaving.
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        **LikelihoodModel._parameter_constraints,  # noqa: SLF001 -- scikit-learn's way to inherit
        "purchase_covariates": [tuple, list],
        "leaving_covariates": [tuple, list],
    }

    _blocks: ClassVar[tuple[Block, ...]]

    def __init__(
        self,
        *,
        unit: str | None = None,
        purchase_covariates: tuple[str, ...] | list[str] = (),
        leaving_covariates: tuple[str, ...] | list[str] = (),
    ) -> None:
        super().__init__(unit=unit)
        self.purchase_covariates = purchase_covariates
        self.leaving_covariates = leaving_covariates

    @abstractmethod
    def _by_group(self, x: Any, t_x: Any, T: Any, weights: Any, groups: Groups) -> GroupObjective:
        """Give the likelihood with parameters that differ by group; those that do not are given as one value."""

    def _objective(self, x: Any, t_x: Any, T: Any, weights: Any) -> Objective:
        """Give the likelihood of customers without covariates: they are one group."""
        by_group = self._by_group(x, t_x, T, weights, Groups.one(len(x)))

        def objective(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            value, gradient = by_group(list(theta[:, None]))
            return value, np.concatenate(gradient)

        return objective

    def covariate_table(self, level: float = 0.95) -> pd.DataFrame:
        """Give the coefficients of covariates and what they mean.

        Parameters
        ----------
        level : float, default=0.95
            Coverage of the intervals.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``parameter``: ``coefficient``, ``standard_error``, ``low``, ``high``, ``factor`` (what one more,
            or this level instead of the first, multiplies the rate of buying or of leaving by; of BG/NBD, its ``a`` and
            ``b``), ``factor_low``, ``factor_high``, and ``p_value`` (two-sided, of no effect).

        Raises
        ------
        DataError
            If the level is not between 0 and 1.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        if not 0 < level < 1:
            raise DataError(f"level must be between 0 and 1, got {level!r}")
        names = list(self.params_)[len(self._names) :]
        value, error = (np.array([source[name] for name in names]) for source in (self.params_, self.standard_errors_))
        reach = norm.ppf((1 + level) / 2) * error
        with np.errstate(over="ignore"):
            factor, factor_low, factor_high = np.exp(value), np.exp(value - reach), np.exp(value + reach)
        return pd.DataFrame(
            {
                "coefficient": value,
                "standard_error": error,
                "low": value - reach,
                "high": value + reach,
                "factor": factor,
                "factor_low": factor_low,
                "factor_high": factor_high,
                "p_value": 2 * norm.sf(np.abs(value) / error),
            },
            index=pd.Index(names, name="parameter"),
        )

    def expected_count(self, times: Any, covariates: Any = None) -> npt.NDArray[np.float64]:
        """Give the expected repeat purchases of a new customer, of whom no more is known than covariates.

        Parameters
        ----------
        times : float or array-like of float, shape (n_times,)
            Ages, in the model's unit.
        covariates : table or None, default=None
            The covariates of each of them, a row for each time, or one row for all. None for a customer drawn from
            those the model was fitted on: the mean over their kinds (over 1,000 of them, evenly spaced by rate, where
            there are more).

        Returns
        -------
        ndarray of float, shape (n_times,)
            Purchases after the first one up to each age.

        Raises
        ------
        DataError
            If a time is no time, or the covariates are not those of the model.
        """
        check_is_fitted(self)
        if not self._reads(covariates):
            return super().expected_count(times)
        t = np.atleast_1d(np.asarray(times, dtype=np.float64))
        for value in t:
            self._check_horizon(value)
        matrix, share = self._kinds(covariates, len(t))
        zero = np.zeros_like(t)
        if share is None:
            return self._expected(self._at_design(matrix), zero, zero, zero, t)
        result = np.zeros_like(t)
        for kind, part in zip(matrix, share, strict=True):
            result += part * self._expected(self._at_design(np.tile(kind, (len(t), 1))), zero, zero, zero, t)
        return result

    def count_probabilities(self, time: float, n_max: int, covariates: Any = None) -> npt.NDArray[np.float64]:
        """Give the distribution of a new customer's number of repeat purchases.

        Parameters
        ----------
        time : float
            Age, in the model's unit.
        n_max : int
            The greatest number asked for.
        covariates : table or None, default=None
            One row with those of the customer. None for a customer drawn from those the model was fitted on, as in
            ``expected_count``.

        Returns
        -------
        ndarray of float, shape (n_max + 1,)
            Probabilities of 0, 1, ..., n_max repeat purchases by that age.

        Raises
        ------
        DataError
            If the time or number is negative, or the covariates are not those of the model.
        """
        check_is_fitted(self)
        if not self._reads(covariates):
            return super().count_probabilities(time, n_max)
        self._check_horizon(time)
        self._check_count(n_max)
        matrix, share = self._kinds(covariates, 1)
        zero = np.zeros(len(matrix))
        chances = self._probabilities(self._at_design(matrix), zero, zero, zero, float(time), n_max)
        return np.asarray(chances[0] if share is None else share @ chances)

    def _columns(self) -> list[str]:
        """Give the covariates of all blocks, each once."""
        return list(dict.fromkeys([*self.purchase_covariates, *self.leaving_covariates]))

    def _reads(self, covariates: Any) -> bool:
        """Say whether the model has covariates, refusing those of a model without."""
        if covariates is not None and not self._columns():
            raise DataError(f"{self._title} was fitted without covariates")
        return bool(self._columns())

    def _table(self, summary: Any, unit: str | None) -> Summary:
        """Read a summary with the covariates beside it."""
        columns = self._columns()
        if not columns:
            return super()._table(summary, unit)
        frame = as_frame(summary, what="summary")
        table = super()._table(frame, unit)
        require_columns(frame, columns, what="summary", hint="join covariates to the summary on customer_id")
        return replace(table, covariates=frame[columns])

    def _learn_covariates(self, table: Summary) -> None:
        """Freeze the levels of covariates."""
        for _, attribute, _, _ in self._blocks:
            listed = getattr(self, attribute)
            twice = {column for column in listed if list(listed).count(column) > 1}
            if twice:
                raise DataError(f"{attribute} names {', '.join(map(repr, sorted(twice)))} more than once")
        self.covariate_levels_ = {} if table.covariates is None else learn_levels(table.covariates)

    def _rows(self, table: Summary) -> Rows:
        """Give the distinct customers, with their covariates."""
        if table.covariates is None:
            return super()._rows(table)
        known = codes(table.covariates, self.covariate_levels_)
        (x, t_x, age, *rest), weights, inverse = collapse(table.x, table.t_x, table.T, *known)
        kinds, _, group = collapse(*rest)
        return Rows(x, t_x, age, weights, inverse, Groups(group, len(kinds[0])), design(kinds, self.covariate_levels_))

    def _terms(self) -> tuple[list[str], list[str]]:
        """Give the terms of the design, and the covariate each comes of."""
        pairs = [(term, column) for column, known in self.covariate_levels_.items() for term in terms(column, known)]
        return [term for term, _ in pairs], [column for _, column in pairs]

    def _coefficients(self) -> list[tuple[str, int, int, float]]:
        """Give each coefficient's name, parameter, term and sign, in the order of the covariance."""
        names, owners = self._terms()
        return [
            (f"{block}:{name}", self._names.index(parameter), term, sign)
            for block, attribute, parameter, sign in self._blocks
            for term, (name, owner) in enumerate(zip(names, owners, strict=True))
            if owner in getattr(self, attribute)
        ]

    def _estimate(self, rows: Rows) -> None:
        """Find the parameters, those without covariates first."""
        coefficients = self._coefficients()
        self.likelihood_ratio_: dict[str, float] | None = None
        if not coefficients:
            super()._estimate(rows)
            return
        by_kind = rows.groups.total(rows.weights)
        mean, spread = check_informative(rows.design, by_kind, self._terms()[1], self._terms()[0])
        self.kinds_, self.kind_shares_ = rows.design, by_kind / by_kind.sum()
        scale = self._scale(rows)
        n_base = len(self._names)
        in_time = np.array([log(scale) if name in self._times else 0.0 for name in self._names])
        starts = self._starts(float(rows.weights @ rows.x) * scale / float(rows.weights @ rows.T))
        plain: float | None = None
        try:
            super()._estimate(rows)
        except ConvergenceError:
            pass
        else:
            plain = self.log_likelihood_
            starts.insert(0, list(np.log(list(self.params_.values())) - in_time))
        objective = self._with_coefficients(rows, scale, (rows.design - mean) / spread, coefficients)
        names = [*self._names, *(name for name, _, _, _ in coefficients)]
        found = maximize(
            objective,
            [[*start, *np.zeros(len(coefficients))] for start in starts],
            names,
            model=self._title,
            causes={**self._causes, **_coefficient_causes(names[n_base:])},
        )
        # From covariates in units of their spread around their mean to those that were given.
        back = np.eye(len(names))
        for place, (_, parameter, term, sign) in enumerate(coefficients, start=n_base):
            back[place, place] = 1 / spread[term]
            back[parameter, place] = -sign * mean[term] / spread[term]
        values = back @ found.log_parameters
        values[:n_base] += in_time
        self._refuse_far(values[:n_base], coefficients)
        self.back_, self.standardized_covariance_ = back, found.covariance
        self.covariance_ = back @ found.covariance @ back.T
        values[:n_base] = np.exp(values[:n_base])
        errors = np.sqrt(np.diag(self.covariance_)) * np.append(values[:n_base], np.ones(len(coefficients)))
        self.params_ = dict(zip(names, map(float, values), strict=True))
        self.standard_errors_ = dict(zip(names, map(float, errors), strict=True))
        repeats = float(rows.weights @ rows.x)
        self.log_likelihood_ = -objective(found.log_parameters)[0] - repeats * log(scale)
        self.n_iter_ = found.n_iter
        if plain is not None:
            statistic = max(2 * (self.log_likelihood_ - plain), 0.0)
            p_value = float(chi2.sf(statistic, len(coefficients)))
            self.likelihood_ratio_ = {"statistic": statistic, "df": float(len(coefficients)), "p_value": p_value}

    def _with_coefficients(
        self,
        rows: Rows,
        scale: float,
        matrix: npt.NDArray[np.float64],
        coefficients: list[tuple[str, int, int, float]],
    ) -> Objective:
        """Give the likelihood as a function of log-parameters and coefficients, by the chain rule."""
        by_group = self._by_group(rows.x, rows.t_x / scale, rows.T / scale, rows.weights, rows.groups)
        n_base = len(self._names)

        def objective(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            logs = [
                np.full(len(matrix), theta[place]) if self._moves(place) else theta[place : place + 1]
                for place in range(n_base)
            ]
            for value, (_, parameter, term, sign) in zip(theta[n_base:], coefficients, strict=True):
                logs[parameter] += sign * value * matrix[:, term]
            value, by_parameter = by_group(logs)
            gradient = [part.sum() for part in by_parameter]
            gradient += [
                sign * (by_parameter[parameter] @ matrix[:, term]) for _, parameter, term, sign in coefficients
            ]
            return value, np.array(gradient)

        return objective

    def _moves(self, place: int) -> bool:
        """Say whether covariates may move a parameter."""
        return any(parameter == self._names[place] for _, _, parameter, _ in self._blocks)

    def _refuse_far(self, log_values: npt.NDArray[np.float64], coefficients: list[tuple[str, int, int, float]]) -> None:
        """Refuse a covariate so far from 0 that parameters at 0 are no numbers."""
        far = np.flatnonzero(np.abs(log_values) > _FARTHEST)
        if far.size:
            owners = self._terms()[1]
            at_fault = [owners[term] for _, parameter, term, _ in coefficients if parameter == far[0]]
            raise DataError(
                f"{self._title}: {self._names[far[0]]} of a customer whose covariates are 0 is beyond all numbers: "
                f"subtract a constant such as the mean from {' or '.join(map(repr, dict.fromkeys(at_fault)))}"
            )

    def _at(self, rows: Rows, log_shift: npt.NDArray[np.float64] | None = None) -> Mapping[str, Any]:
        """Give the parameters of rows, one a row where covariates move them."""
        if not rows.design.shape[1]:
            return super()._at(rows, log_shift)
        by_group = self._at_design(rows.design, log_shift)
        return {name: values[rows.groups.code] if np.ndim(values) else values for name, values in by_group.items()}

    def _at_design(
        self, matrix: npt.NDArray[np.float64], log_shift: npt.NDArray[np.float64] | None = None
    ) -> dict[str, Any]:
        """Give the parameters of customers with these covariates."""
        values = np.array(list(self.params_.values()))
        n_base = len(self._names)
        values[:n_base] = np.log(values[:n_base])
        if log_shift is not None:
            values = values + self.back_ @ log_shift
        logs: list[Any] = list(values[:n_base])
        for value, (_, parameter, term, sign) in zip(values[n_base:], self._coefficients(), strict=True):
            logs[parameter] = logs[parameter] + sign * value * matrix[:, term]
        with np.errstate(over="ignore"):
            return {
                name: np.exp(np.clip(value, -_FARTHEST, _FARTHEST))
                for name, value in zip(self._names, logs, strict=True)
            }

    def _shift_covariance(self) -> npt.NDArray[np.float64]:
        """Give the covariance of what ``_at`` shifts by: coefficients of covariates in units of their spread."""
        return self.standardized_covariance_ if self._columns() else self.covariance_

    def _kinds(self, covariates: Any, n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
        """Give the covariates of ``n`` new customers, or all kinds with their shares."""
        if covariates is None:
            if len(self.kinds_) <= _MOST_KINDS:
                return self.kinds_, self.kind_shares_
            order = np.argsort(self._at_design(self.kinds_)[self._blocks[0][2]] + np.zeros(len(self.kinds_)))
            reached = np.cumsum(self.kind_shares_[order])
            chosen = np.searchsorted(reached, (np.arange(_MOST_KINDS) + 0.5) / _MOST_KINDS)
            return self.kinds_[order[np.minimum(chosen, len(order) - 1)]], np.full(_MOST_KINDS, 1 / _MOST_KINDS)
        frame = as_frame(covariates, what="covariates")
        require_columns(frame, list(self.covariate_levels_), what="covariates")
        if len(frame) not in {1, n}:
            raise DataError(f"covariates must have 1 row or {n}, got {len(frame)}")
        matrix = design(codes(frame, self.covariate_levels_), self.covariate_levels_)
        return np.broadcast_to(matrix, (n, matrix.shape[1])), None


def _coefficient_causes(names: list[str]) -> dict[tuple[str, str], str]:
    """Say what makes coefficients run away."""
    why = "too few of these customers bought again, or left, to tell them from the others"
    return {(name, way): why for name in names for way in ("small", "large")}
