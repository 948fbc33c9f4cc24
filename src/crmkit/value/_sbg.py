"""The shifted beta-geometric model: at every renewal customers under contract leave with a chance of their own."""

from __future__ import annotations

from math import isinf
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
import pandas as pd
from scipy.special import betaln, expit, logit, psi
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import ConvergenceError, DataError
from crmkit.value._base import LikelihoodModel
from crmkit.value._beta_geometric import expected_periods, survival
from crmkit.value._delta import log_error, log_interval
from crmkit.value._periods import check_whole, read_contracts

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Objective
    from crmkit.value._rows import Rows
    from crmkit.value._summary import Summary

__all__ = ["SBG"]

_ALIKE = "the customers' chances of leaving hardly differ, or they leave the likelier the longer they have been there"


class SBG(LikelihoodModel):
    """Shifted beta-geometric model of renewals under a contract.

    Reads the table of ``preparation.contract_summary`` or ``contracts_from_survivors``, or one made by hand of
    ``tenure_periods`` and ``churned``. Whenever a contract comes up for renewal the customer leaves with a probability
    of their own, the same at every renewal; these probabilities are beta distributed over customers (``alpha``,
    ``beta``). Nobody's loyalty grows, yet the retention rate of a cohort does, because those who leave easily have
    left. The two parameters are found by maximum likelihood with an analytic gradient, from customers of any age at
    once: who is still there counts as not having left yet.

    Use it where leaving is seen: subscriptions, memberships, policies. Fit it by kind of contract: a mixture of monthly
    and two-year contracts is no beta distribution of one chance a month, and the fitted curve is wrong where the kinds
    differ most; ``metrics.kaplan_meier`` beside ``survival`` shows it. It knows no season, no age of the company, and
    no hazard that rises again, as it does at the end of a minimum term. Fitting costs a few dozen passes over the
    distinct tenures.

    Parameters
    ----------
    unit : {"day", "week", "month", "quarter", "year"} or None, default=None
        The time between renewals, where the table does not say it; where it does, the one asked for. It changes no
        parameter and no forecast; only discounting needs it.

    Attributes
    ----------
    params_ : dict of str to float
        ``alpha`` (of leaving), ``beta`` (of staying).
    standard_errors_ : dict of str to float
        Of each parameter, from the curvature of the log-likelihood.
    covariance_ : ndarray of float, shape (2, 2)
        Of the logarithms of the parameters.
    log_likelihood_, aic_, bic_ : float
        At the maximum.
    n_customers_, n_iter_ : int
        Customers fitted on; steps of the optimiser.
    unit_ : str
        The time between renewals.

    Raises
    ------
    ConvergenceError
        From ``fit``, where the table does not identify a parameter.

    References
    ----------
    Fader, P. S. and Hardie, B. G. S. (2007), How to project customer retention, doi:10.1002/dir.20074.

    Fader, P. S. and Hardie, B. G. S. (2010), Customer-base valuation in a contractual setting: the perils of ignoring
    heterogeneity, doi:10.1287/mksc.1090.0529.

    Examples
    --------
    >>> from crmkit.preparation import contracts_from_survivors
    >>> from crmkit.value import SBG
    >>> model = SBG().fit(contracts_from_survivors([1000, 869, 743, 653, 593, 551, 517, 491], period="year"))
    >>> {name: round(value, 3) for name, value in model.params_.items()}
    {'alpha': 0.668, 'beta': 3.806}
    >>> model.survival([1, 7, 12]).round(3)  # doctest: +NORMALIZE_WHITESPACE
            survival    low   high
    period
    1          0.851  0.831  0.868
    7          0.489  0.458  0.520
    12         0.378  0.341  0.417
    """

    _title: ClassVar[str] = "sbg"
    _names: ClassVar[tuple[str, ...]] = ("alpha", "beta")
    _times: ClassVar[frozenset[str]] = frozenset()
    _causes: ClassVar[Mapping[tuple[str, str], str]] = {
        ("alpha", "small"): "some customers seem to leave at once and the others never",
        ("beta", "small"): "nearly all left at the first renewal",
        ("alpha", "large"): _ALIKE,
        ("beta", "large"): f"{_ALIKE}, or hardly anyone left",
    }

    def predict(
        self, summary: Any, horizon: float = 12, *, level: float | None = None, n_max: int | None = None
    ) -> pd.DataFrame:
        """Forecast the renewals of every customer.

        Parameters
        ----------
        summary : table
            As for ``fit``, with the same time between renewals; it need not be the same customers. A table of counts is
            forecast a customer of each row.
        horizon : float, default=12
            How many renewals to look ahead; a whole number.
        level : float or None, default=None
            Coverage of the interval of the expected renewals; None gives none.
        n_max : int or None, default=None
            Give also the probabilities of 0, 1, ..., n_max renewals.

        Returns
        -------
        pandas.DataFrame
            Indexed like ``summary``: ``p_alive`` (1 where the customer is still there, 0 where they left: under a
            contract it is known), ``expected_purchases`` (renewals within the horizon); with ``level``, ``low`` and
            ``high`` of these by the delta method; with ``n_max``, ``p_0``, ``p_1``, ...

        Raises
        ------
        DataError
            If the table is another one, of another time between renewals, or holds impossible values, or an argument is
            out of range.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        table = super().predict(summary, horizon, level=level, n_max=n_max)
        if level is not None:
            # There are no more renewals than times to renew.
            table["high"] = table["high"].clip(upper=float(horizon))
        return table

    def survival(self, times: Any, *, level: float | None = 0.95) -> pd.DataFrame:
        """Give the share of new customers who are still there after a number of renewals.

        Parameters
        ----------
        times : int or array-like of int, shape (n_times,)
            Numbers of renewals; after 0 all are there.
        level : float or None, default=0.95
            Coverage of the interval, by the delta method on the log-odds, from the errors of the parameters; it does
            not hold how far a small cohort will differ from what is expected of it. None gives none.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``period``: ``survival``, and with ``level`` ``low`` and ``high``.

        Raises
        ------
        DataError
            If a number is negative or not whole.
        """
        t = self._times_asked(times, least=0)
        return self._shares("survival", t, lambda alpha, beta: survival(alpha, beta, t), level)

    def retention(self, times: Any, *, level: float | None = 0.95) -> pd.DataFrame:
        """Give the share of those still there before a renewal who renew, which rises as those leave who would.

        Parameters
        ----------
        times : int or array-like of int, shape (n_times,)
            Which renewals; the first is 1.
        level : float or None, default=0.95
            Coverage of the interval, as of ``survival``.

        Returns
        -------
        pandas.DataFrame
            Indexed by ``period``: ``retention``, and with ``level`` ``low`` and ``high``.

        Raises
        ------
        DataError
            If a number is less than 1 or not whole.
        """
        t = self._times_asked(times, least=1)
        return self._shares("retention", t, lambda alpha, beta: (beta + t - 1) / (alpha + beta + t - 1), level)

    def _times_asked(self, times: Any, *, least: int) -> npt.NDArray[np.float64]:
        """Read numbers of renewals."""
        check_is_fitted(self)
        t = np.atleast_1d(np.asarray(times, dtype=np.float64))
        wrong = ~np.isfinite(t) | (t < least) | (t != np.floor(t))
        if wrong.any():
            raise DataError(f"times must be whole numbers of at least {least}")
        return t

    def _shares(
        self,
        name: str,
        t: npt.NDArray[np.float64],
        share: Callable[[float, float], npt.NDArray[np.float64]],
        level: float | None,
    ) -> pd.DataFrame:
        """Give shares of customers with an interval that stays between 0 and 1."""
        alpha, beta = self._values(self.params_)
        table = pd.DataFrame({name: share(alpha, beta)}, index=pd.Index(t.astype(np.int64), name="period"))
        if level is None:
            return table
        value = table[name].to_numpy()
        # At 1 the odds are infinite, and nothing is unknown.
        inside = (value > 0) & (value < 1)

        def odds(shift: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
            moved = share(*(np.array([alpha, beta]) * np.exp(shift)))
            return np.exp(logit(np.where(inside, moved, 0.5)))

        error = np.where(inside, log_error(odds, self.covariance_), 0.0)
        low, high = log_interval(odds(np.zeros(2)), error, level)
        table["low"] = np.where(inside, expit(np.log(low)), value)
        table["high"] = np.where(inside, expit(np.log(high)), value)
        return table

    def _read(self, summary: Any) -> Summary:
        """Read a table row by row: what is forecast of one customer of a kind is forecast of all."""
        check_is_fitted(self)
        return read_contracts(summary, unit=self.unit_, counted=False)

    def _table(self, summary: Any, unit: str | None) -> Summary:
        """Read a table of contracts, or of counts of them."""
        return read_contracts(summary, unit=unit, counted=True)

    def _check_varied(self, table: Summary) -> None:
        """Refuse tables in which nothing can be learned of how chances of leaving differ."""
        if not table.t_x.any():
            raise ConvergenceError("sbg: alpha is not identified: nobody left at a renewal", parameter="alpha")
        if not table.T.any():
            raise ConvergenceError(
                "sbg: beta is not identified: nobody is known to have renewed, all left at their first renewal or have "
                "not come to it",
                parameter="beta",
            )
        if (table.T + table.t_x).max() <= 1:
            raise ConvergenceError(
                "sbg: alpha is not identified: nobody came to a second renewal, and one renewal tells the mean chance "
                "of leaving but not how customers differ",
                parameter="alpha",
            )

    def _starts(self, rate: float) -> list[list[float]]:
        """Begin near the leavers for each renewal, with customers who differ much, little, and very much."""
        mean = float(np.clip(rate / (1 + rate), 1e-4, 0.9))
        return [[np.log(mean * size), np.log((1 - mean) * size)] for size in (2.0, 20.0, 0.3, 200.0)]

    def _objective(self, x: Any, t_x: Any, T: Any, weights: Any) -> Objective:  # noqa: ARG002 -- who left in a period that is not over
        """Prepare the negative log-likelihood and its gradient."""
        total = weights.sum()

        def objective(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            alpha, beta = np.exp(theta)
            value = weights @ betaln(alpha + t_x, beta + T) - total * betaln(alpha, beta)
            both, norm = psi(alpha + beta + T + t_x), psi(alpha + beta)
            gradient = np.array(
                [
                    weights @ (psi(alpha + t_x) - both) - total * (psi(alpha) - norm),
                    weights @ (psi(beta + T) - both) - total * (psi(beta) - norm),
                ]
            )
            return -float(value), -gradient * np.exp(theta)

        return objective

    def _p_alive(self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any) -> npt.NDArray[np.float64]:  # noqa: ARG002 -- known
        """Say who is still there."""
        return 1.0 - np.asarray(x, dtype=np.float64)

    def _expected(self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any, t: Any) -> npt.NDArray[np.float64]:
        """Give expected renewals of those who are there."""
        alpha, beta = self._values(params)
        there = self._p_alive(params, x, t_x, T)
        return np.asarray(there * expected_periods(alpha, beta + np.asarray(T, dtype=np.float64), t))

    def _probabilities(
        self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any, t: float, n_max: int
    ) -> npt.NDArray[np.float64]:
        """Give the distribution of future renewals: it ends at the one that is refused, or at the horizon."""
        alpha, beta = self._values(params)
        n, known = np.arange(n_max + 1, dtype=np.float64), beta + np.asarray(T, dtype=np.float64)[:, None]
        stays = survival(alpha, known, np.minimum(n, t))
        chances = np.where(n < t, stays * (alpha / (alpha + known + n)), np.where(n == t, stays, 0.0))
        there = self._p_alive(params, x, t_x, T)[:, None]
        return np.asarray(there * chances + (1 - there) * (n == 0))

    def _endless(self, params: Mapping[str, Any]) -> str | None:
        """Renewals without end are finite where chances of leaving near 0 are rare enough."""
        return f"alpha is {params['alpha']:.3g}, at most 1" if params["alpha"] <= 1 else None

    def _discounted(
        self, rows: Rows, horizon: float, annual_discount_rate: float, *, errors: bool
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give discounted renewals, of a whole number of them."""
        if not isinf(horizon):
            self._check_horizon(horizon)
        return super()._discounted(rows, horizon, annual_discount_rate, errors=errors)

    def _values(self, params: Mapping[str, Any]) -> tuple[float, float]:
        """Give the two parameters in their order."""
        return params["alpha"], params["beta"]

    @staticmethod
    def _check_horizon(horizon: Any, name: str = "horizon") -> float:
        """Refuse a horizon that is no number of renewals."""
        value = LikelihoodModel._check_horizon(horizon, name)  # noqa: SLF001 -- its own base
        check_whole(name, value)
        return value
