"""The BG/BB model: customers take discrete opportunities with a chance of their own and may leave before any."""

from __future__ import annotations

from math import inf, isinf
from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import betaln, expit

from crmkit.core.errors import ConvergenceError
from crmkit.preparation import period_summary
from crmkit.value._base import LikelihoodModel
from crmkit.value._beta_geometric import expected_periods, survival
from crmkit.value._collapse import collapse
from crmkit.value._opportunities import Opportunities
from crmkit.value._periods import check_whole, read_periods

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt
    import pandas as pd

    from crmkit.value._maximum_likelihood import Objective
    from crmkit.value._rows import Rows
    from crmkit.value._summary import Summary

__all__ = ["BGBB"]

_TOO_FEW = 2
"""Periods that show fewer shares of customers than there are parameters."""


class BGBB(LikelihoodModel):
    """Beta-geometric / beta-Bernoulli model of purchases at discrete opportunities, without a contract.

    Reads the table of ``preparation.period_summary``. There is one opportunity a period: a yearly gala, a monthly
    appeal. Before each one a customer leaves for good with a probability of their own; who is still there takes it with
    a probability of their own. The first are beta distributed over customers (``gamma``, ``delta``), the second too
    (``alpha``, ``beta``), independently. The four parameters are found by maximum likelihood with an analytic gradient,
    on counted equal rows.

    Use it where purchases come at most once a period by nature, or where only the period of a purchase is known; for
    purchases at any moment use ``bg-nbd``, ``mbg-nbd`` or ``pareto-nbd``. A forecast counts periods with a purchase,
    not purchases. Unlike in ``bg-nbd``, a customer may leave without having bought again. It knows neither season nor
    trend. Fitting costs a few dozen passes over the distinct rows, of which there are few however many customers.

    Parameters
    ----------
    unit : {"day", "week", "month", "quarter", "year"} or None, default=None
        How long a period is, where the table does not say it (lifetimes' ``frequency``, ``recency`` and ``n``); where
        it does, the length asked for. It changes no parameter and no forecast; only discounting needs it.

    Attributes
    ----------
    params_ : dict of str to float
        ``alpha``, ``beta`` (of buying), ``gamma``, ``delta`` (of leaving).
    standard_errors_ : dict of str to float
        Of each parameter, from the curvature of the log-likelihood.
    covariance_ : ndarray of float, shape (4, 4)
        Of the logarithms of the parameters.
    log_likelihood_ : float
        At the maximum, of the order in which each customer bought and did not.
    aic_, bic_ : float
        Akaike's and Schwarz's criterion; compare models fitted on one table only.
    n_customers_, n_iter_ : int
        Customers fitted on; steps of the optimiser.
    unit_ : str
        The length of a period.

    Raises
    ------
    ConvergenceError
        From ``fit``, where the table does not identify a parameter.

    References
    ----------
    Fader, P. S., Hardie, B. G. S. and Shang, J. (2010), Customer-base analysis in a discrete-time noncontractual
    setting, doi:10.1287/mksc.1100.0580.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import BGBB
    >>> kinds = pd.DataFrame(
    ...     {
    ...         "repeats": [0, 1, 1, 2, 2, 3, 4, 5],
    ...         "last_purchase_periods": [0, 1, 4, 2, 5, 3, 5, 5],
    ...         "age_periods": [5] * 8,
    ...         "period": "year",
    ...     }
    ... )
    >>> model = BGBB().fit(kinds.loc[kinds.index.repeat([60, 20, 5, 10, 5, 6, 8, 9])])
    >>> model.predict(kinds, horizon=5).round(2).loc[[0, 3, 4, 7]]
       p_alive  expected_purchases
    0     0.06                0.03
    3     0.05                0.07
    4     1.00                1.57
    7     1.00                3.27
    """

    _title: ClassVar[str] = "bg-bb"
    _names: ClassVar[tuple[str, ...]] = ("alpha", "beta", "gamma", "delta")
    _times: ClassVar[frozenset[str]] = frozenset()
    _causes: ClassVar[Mapping[tuple[str, str], str]] = {
        ("alpha", "small"): "hardly anyone who is still there seems to buy, or some buy always and the others never",
        ("beta", "small"): "all who are still there seem to buy in every period, or some always and the others never",
        ("alpha", "large"): "the customers' chances of buying hardly differ, or they buy in every period",
        ("beta", "large"): "the customers' chances of buying hardly differ",
        ("gamma", "small"): "the table shows no customer who left",
        ("delta", "large"): "the customers' chances of leaving hardly differ, or the table shows no customer who left",
        ("gamma", "large"): "the customers' chances of leaving hardly differ, or all seem to have left at once",
        ("delta", "small"): "all who left seem to have left at once",
    }

    def summarize(
        self, transactions: Any, *, cutoff: Any = None, unit: str = "month", refunds: str = "net"
    ) -> pd.DataFrame:
        """Make the table this model reads of transactions: ``preparation.period_summary`` in periods of a unit.

        Parameters
        ----------
        transactions : table
            As for ``preparation.period_summary``.
        cutoff : date, time, text of one, or None
            Exclusive; None for the day after the last line.
        unit : {"day", "week", "month", "quarter", "year"}, default="month"
            How long a period is.
        refunds : {"net", "ignore", "match"}, default="net"
            As for ``preparation.purchase_summary``.

        Returns
        -------
        pandas.DataFrame
            What ``fit`` and ``predict`` take.
        """
        return period_summary(transactions, cutoff=cutoff, period=unit, refunds=refunds)

    def predict(
        self, summary: Any, horizon: float = 5, *, level: float | None = None, n_max: int | None = None
    ) -> pd.DataFrame:
        """Forecast every customer.

        Parameters
        ----------
        summary : table
            As for ``fit``, in the same periods; it need not be the same customers.
        horizon : float, default=5
            How many periods to look beyond the last one in the table; a whole number.
        level : float or None, default=None
            Coverage of the interval of the expected purchases; None gives none.
        n_max : int or None, default=None
            Give also the probabilities of 0, 1, ..., n_max periods with a purchase.

        Returns
        -------
        pandas.DataFrame
            Indexed like ``summary``: ``p_alive`` (the probability that the customer had not left by the last period in
            the table), ``expected_purchases`` (periods with a purchase within the horizon); with ``level``, ``low`` and
            ``high`` of these by the delta method; with ``n_max``, ``p_0``, ``p_1``, ...

        Raises
        ------
        DataError
            If the table is another one, in other periods, or holds impossible values, or an argument is out of range.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        table = super().predict(summary, horizon, level=level, n_max=n_max)
        if level is not None:
            # There are no more opportunities than periods.
            table["high"] = table["high"].clip(upper=float(horizon))
        return table

    def _table(self, summary: Any, unit: str | None) -> Summary:
        """Read a table of periods."""
        return read_periods(summary, unit=unit)

    def _check_varied(self, table: Summary) -> None:
        """Refuse tables in which nothing can be learned of buying or of leaving."""
        super()._check_varied(table)
        if table.T.max() <= _TOO_FEW:
            raise ConvergenceError(
                f"bg-bb: gamma is not identified: nobody was seen for more than {int(table.T.max())} periods after the "
                "first, which tell four kinds of customers apart and so less than four parameters: count shorter "
                "periods, or wait",
                parameter="gamma",
            )

    def _starts(self, rate: float) -> list[list[float]]:
        """Begin with usual shapes, a little more buying than is seen of all, and little leaving."""
        mean = float(np.clip(1.3 * rate, 0.01, 0.95))
        shapes = [(2.0, 0.5, 3.0), (1.0, 1.0, 12.0), (5.0, 0.2, 2.0), (0.5, 1.0, 2.0)]
        return [
            [np.log(mean * size), np.log((1 - mean) * size), np.log(gamma), np.log(delta)]
            for size, gamma, delta in shapes
        ]

    def _objective(self, x: Any, t_x: Any, T: Any, weights: Any) -> Objective:
        """Prepare the negative log-likelihood and its gradient."""
        rows = Opportunities.of(x, t_x, T)

        def objective(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            params = tuple(map(float, np.exp(theta)))
            stayed, left, by_stayed, by_left = rows.with_slopes(params)  # type: ignore[arg-type]  # there are four
            either = np.logaddexp(stayed, left)
            w_left = weights * np.exp(left - either)
            gradient = by_stayed @ (weights - w_left) + by_left @ w_left
            return -float(weights @ either), -gradient * np.exp(theta)

        return objective

    def _p_alive(self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any) -> npt.NDArray[np.float64]:
        """Give P(alive) at the last period, from its log-odds, which do not overflow."""
        rows, values = Opportunities.of(x, t_x, T), self._values(params)
        return np.asarray(expit(rows.stayed(values) - rows.left(values)))

    def _expected(self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any, t: Any) -> npt.NDArray[np.float64]:
        """Give expected purchases: the periods still to be there for, each taken with what is known of the customer."""
        alpha, beta, gamma, delta = self._values(params)
        x, T = np.asarray(x, dtype=np.float64), np.asarray(T, dtype=np.float64)
        each = (alpha + x) / (alpha + beta + T)
        return np.asarray(self._p_alive(params, x, t_x, T) * each * expected_periods(gamma, delta + T, t))

    def _probabilities(
        self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any, t: float, n_max: int
    ) -> npt.NDArray[np.float64]:
        """Give the distribution of future purchases: a beta-binomial of the periods still to be there for."""
        alpha, beta, gamma, delta = self._values(params)
        (bought, age), _, inverse = collapse(np.asarray(x, dtype=np.float64), np.asarray(T, dtype=np.float64))
        chances = _counts(alpha + bought, beta + age - bought, gamma, delta + age, int(t), n_max)[inverse]
        alive = self._p_alive(params, x, t_x, T)[:, None]
        return np.asarray(alive * chances + (1 - alive) * (np.arange(n_max + 1) == 0))

    def _endless(self, params: Mapping[str, Any]) -> str | None:
        """Purchases without end are finite where chances of leaving near 0 are rare enough."""
        return f"gamma is {params['gamma']:.3g}, at most 1" if params["gamma"] <= 1 else None

    def _discounted(
        self, rows: Rows, horizon: float, annual_discount_rate: float, *, errors: bool
    ) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
        """Give discounted purchases, within whole periods."""
        if not isinf(horizon):
            self._check_horizon(horizon)
        return super()._discounted(rows, horizon, annual_discount_rate, errors=errors)

    def _values(self, params: Mapping[str, Any]) -> tuple[float, float, float, float]:
        """Give the four parameters in their order."""
        return params["alpha"], params["beta"], params["gamma"], params["delta"]

    @staticmethod
    def _check_horizon(horizon: Any, name: str = "horizon") -> float:
        """Refuse a horizon that is no number of periods."""
        value = LikelihoodModel._check_horizon(horizon, name)  # noqa: SLF001 -- its own base
        check_whole(name, value)
        return value


def _counts(
    alpha: npt.NDArray[np.float64],
    beta: npt.NDArray[np.float64],
    gamma: float,
    delta: npt.NDArray[np.float64],
    t: int,
    n_max: int,
) -> npt.NDArray[np.float64]:
    """Give the probabilities of 0 to ``n_max`` purchases in ``t`` periods of customers who are there now.

    The loop is over periods: who leaves before period ``i + 1`` has had ``i`` opportunities.
    """
    y = np.arange(n_max + 1, dtype=np.float64)
    a, b = alpha[:, None], beta[:, None]
    log_chance = np.where(y == 0, 0.0, -inf) + np.zeros_like(a)
    leaves = gamma / (gamma + delta)
    result = np.zeros((len(alpha), n_max + 1))
    for i in range(t):
        result += leaves[:, None] * np.exp(log_chance)
        leaves = leaves * ((delta + i) / (gamma + delta + 1 + i))
        # From i opportunities to i + 1; all of them taken is a new case, made of its beta functions.
        more = np.where(y <= i, (i + 1) / np.maximum(i + 1 - y, 1) * (b + np.maximum(i - y, 0)) / (a + b + i), 1.0)
        log_chance += np.log(more)
        if i < n_max:
            log_chance[:, i + 1] = betaln(alpha + i + 1, beta) - betaln(alpha, beta)
    return np.asarray(result + survival(gamma, delta, t)[:, None] * np.exp(log_chance))
