"""What lifetime models with static covariates share: each customer's own scale of a parameter, and its coefficients."""

from __future__ import annotations

from abc import abstractmethod
from dataclasses import replace
from math import log
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from scipy.stats import chi2, norm
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import ConvergenceError, DataError
from crmkit.value._arguments import check_level, check_whole_number
from crmkit.value._base import LikelihoodModel
from crmkit.value._coefficients import Coefficient, causes_of, linear, to_given_units, with_coefficients
from crmkit.value._collapse import collapse
from crmkit.value._covariates import check_informative, codes, design, learn_levels, terms
from crmkit.value._maximum_likelihood import maximize
from crmkit.value._rows import Groups, Rows

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.value._coefficients import GroupObjective
    from crmkit.value._maximum_likelihood import Maximum, Objective
    from crmkit.value._summary import Summary

__all__ = ["Block", "CovariateModel"]

Block = tuple[str, str, str, float]
"""Name of a set of coefficients, the attribute that lists its columns, the parameter it moves, and the sign."""

_MOST_KINDS = 1000
"""Kinds of customers over which the forecast of a new one is averaged."""

_FARTHEST = 600.0


class CovariateModel(LikelihoodModel):
    """A lifetime model some of whose parameters may differ between customers by what is known of them.

    The logarithm of such a parameter is linear in covariates that do not change with time. A model gives its likelihood
    by groups of customers whose covariates are equal; this class does the rest.

    Parameters
    ----------
    unit : {"day", "week", "month", "quarter", "year"} or None, default=None
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

    def __sklearn_is_fitted__(self) -> bool:
        """Say whether ``fit`` has succeeded: levels of covariates alone are no model."""
        return hasattr(self, "params_")

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

        Notes
        -----
        A covariate must be known when a customer joins: what is learned later is a result of staying.

        Examples
        --------
        >>> from crmkit.testing.tables import purchase_summary
        >>> from crmkit.value import BGNBD
        >>> summary = purchase_summary()
        >>> summary["channel"] = ["shop" if number % 3 else "web" for number in range(len(summary))]
        >>> model = BGNBD(purchase_covariates=("channel",)).fit(summary)
        >>> table = model.covariate_table()
        >>> table[["factor", "factor_low", "factor_high"]].round(1)  # doctest: +NORMALIZE_WHITESPACE
                              factor  factor_low  factor_high
        parameter
        purchase:channel=web     1.1         0.8          1.5
        """
        check_is_fitted(self)
        check_level(level)
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
        t = self._times_of(times)
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
        time, n_max = self._check_horizon(time, "time"), check_whole_number("n_max", n_max, low=0)
        matrix, share = self._kinds(covariates, 1)
        zero = np.zeros(len(matrix))
        chances = self._probabilities(self._at_design(matrix), zero, zero, zero, time, n_max)
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

    def _coefficients(self) -> list[Coefficient]:
        """Give the coefficients in the order of the covariance."""
        names, owners = self._terms()
        return [
            Coefficient(f"{block}:{name}", self._names.index(parameter), term, sign)
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
        mean, spread = check_informative(rows.design, by_kind, *reversed(self._terms()))
        scale, n_base = self._scale(rows), len(self._names)
        repeats = float(rows.weights @ rows.x)
        starts = self._starts(repeats * scale / float(rows.weights @ rows.T))
        plain: float | None = None
        try:
            without, plain = self._search(rows, scale)
        except ConvergenceError:
            # There may be customers whom nothing but covariates tells apart.
            pass
        else:
            starts.insert(0, list(without.log_parameters))
        objective = with_coefficients(
            self._by_group(rows.x, rows.t_x / scale, rows.T / scale, rows.weights, rows.groups),
            n_base,
            [any(name == block[2] for block in self._blocks) for name in self._names],
            coefficients,
            (rows.design - mean) / spread,
        )
        found = maximize(
            objective,
            [[*start, *np.zeros(len(coefficients))] for start in starts],
            [*self._names, *(coefficient.name for coefficient in coefficients)],
            model=self._title,
            causes={**self._causes, **causes_of(coefficients)},
        )
        back = to_given_units(n_base, coefficients, mean, spread)
        values = back @ found.log_parameters
        values[:n_base] += [log(scale) if name in self._times else 0.0 for name in self._names]
        self._refuse_far(values[:n_base], coefficients)
        self._keep(values, back, found)
        self.log_likelihood_ = -objective(found.log_parameters)[0] - repeats * log(scale)
        self.kinds_, self.kind_shares_ = self._typical(rows.design, by_kind / by_kind.sum())
        if plain is not None:
            statistic = max(2 * (self.log_likelihood_ - plain), 0.0)
            p_value = float(chi2.sf(statistic, len(coefficients)))
            self.likelihood_ratio_ = {"statistic": statistic, "df": float(len(coefficients)), "p_value": p_value}

    def _keep(self, values: npt.NDArray[np.float64], back: npt.NDArray[np.float64], found: Maximum) -> None:
        """Keep the parameters and their errors, in units of the table and of the covariates as they were given."""
        names = [*self._names, *(coefficient.name for coefficient in self._coefficients())]
        n_base = len(self._names)
        self.back_, self.standardized_covariance_ = back, found.covariance
        self.covariance_ = back @ found.covariance @ back.T
        values = np.append(np.exp(values[:n_base]), values[n_base:])
        errors = np.sqrt(np.diag(self.covariance_)) * np.append(values[:n_base], np.ones(len(values) - n_base))
        self.params_ = dict(zip(names, map(float, values), strict=True))
        self.standard_errors_ = dict(zip(names, map(float, errors), strict=True))
        self.n_iter_ = found.n_iter

    def _typical(
        self, matrix: npt.NDArray[np.float64], share: npt.NDArray[np.float64]
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give the kinds of customers with their shares, or so many of them, evenly spaced by rate of buying."""
        if len(matrix) <= _MOST_KINDS:
            return matrix, share
        order = np.argsort(np.broadcast_to(self._at_design(matrix)[self._blocks[0][2]], len(matrix)))
        chosen = np.searchsorted(np.cumsum(share[order]), (np.arange(_MOST_KINDS) + 0.5) / _MOST_KINDS)
        return matrix[order[np.minimum(chosen, len(order) - 1)]], np.full(_MOST_KINDS, 1 / _MOST_KINDS)

    def _refuse_far(self, log_values: npt.NDArray[np.float64], coefficients: list[Coefficient]) -> None:
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
        values, n_base = np.array(list(self.params_.values())), len(self._names)
        values[:n_base] = np.log(values[:n_base])
        if log_shift is not None:
            values = values + self.back_ @ log_shift
        logs = linear(values, n_base, self._coefficients(), matrix)
        # Of customers unlike any that were seen, a rate may be beyond all numbers.
        exact = [np.exp(np.clip(part, -_FARTHEST, _FARTHEST)) for part in logs]
        return {name: part if part.size > 1 else float(part[0]) for name, part in zip(self._names, exact, strict=True)}

    def _shift_covariance(self) -> npt.NDArray[np.float64]:
        """Give the covariance of what ``_at`` shifts by: coefficients of covariates in units of their spread."""
        return self.standardized_covariance_ if self._columns() else self.covariance_

    def _kinds(self, covariates: Any, n: int) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64] | None]:
        """Give the covariates of ``n`` new customers, or all kinds with their shares."""
        if covariates is None:
            return self.kinds_, self.kind_shares_
        frame = as_frame(covariates, what="covariates")
        require_columns(frame, list(self.covariate_levels_), what="covariates")
        if len(frame) not in {1, n}:
            wanted = "1 row" if n == 1 else f"1 row or {n}"
            raise DataError(f"covariates must have {wanted}, got {len(frame)}")
        matrix = design(codes(frame, self.covariate_levels_), self.covariate_levels_)
        return np.broadcast_to(matrix, (n, matrix.shape[1])), None
