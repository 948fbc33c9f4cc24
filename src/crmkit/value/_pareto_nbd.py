"""The Pareto/NBD model: customers buy at a rate of their own and may leave at any moment."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import exprel, gammaln, psi, xlogy

from crmkit.core.errors import ConvergenceError
from crmkit.value._collapse import collapse
from crmkit.value._covariate_model import CovariateModel
from crmkit.value._runaways import BUYING, NOBODY_LEFT
from crmkit.value._tail_integral import tail_integral

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.value._coefficients import GroupObjective
    from crmkit.value._covariate_model import Block
    from crmkit.value._rows import Groups
    from crmkit.value._summary import Summary

__all__ = ["ParetoNBD"]

_BLOCK = 200_000
"""Nodes times customers that are worked on at once."""


class ParetoNBD(CovariateModel):
    """Pareto / negative binomial model of repeat purchases without a contract.

    While alive, a customer buys at random with a rate of their own; they leave for good at a moment that is
    exponentially distributed, again with a rate of their own. Rates of buying are gamma distributed over customers
    (shape ``r``, scale ``alpha`` in time), rates of leaving too (``s``, ``beta``), independently. The four parameters
    are found by maximum likelihood with an analytic gradient, on counted equal rows.

    Use it for customers who can leave without saying so, at any time and not only after a purchase: unlike BG/NBD, it
    gives one-time buyers a P(alive) that falls with their silence. It knows neither season nor trend. The likelihood
    needs one integral for each distinct pair of repeats and age at the last purchase, and of repeats and age: a fit
    takes a few dozen passes over these, two to five times as long as that of BG/NBD.

    Parameters
    ----------
    unit : {"day", "week", "month", "quarter", "year"} or None, default=None
        The unit of the tables, where their column names do not say it (lifetimes' ``frequency``, ``recency``, ``T``).
        It does not change any forecast; rates scale with it.
    purchase_covariates : tuple or list of str, default=()
        Columns of the summary that move the rate of buying: ``alpha`` of a customer is ``alpha exp(-z'g)``, so that
        their rate is ``exp(z'g)`` times that of a customer whose covariates are 0. Numbers and truth values count as
        they are; text and categories become one indicator for each level but the first.
    leaving_covariates : tuple or list of str, default=()
        Columns that move the rate of leaving, in the same way: ``beta`` of a customer is ``beta exp(-z'd)``.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha`` (in the unit of time), ``s``, ``beta`` (in the unit of time), and the coefficients of
        covariates, such as ``purchase:channel=web``.
    standard_errors_ : dict of str to float
        Of each parameter, from the curvature of the log-likelihood.
    covariance_ : ndarray of float, shape (n_parameters, n_parameters)
        Of the logarithms of the parameters, and of the coefficients.
    log_likelihood_ : float
        At the maximum, for the times in the table's unit.
    aic_, bic_ : float
        Akaike's and Schwarz's criterion; compare models fitted on one table only.
    likelihood_ratio_ : dict of str to float or None
        ``statistic``, ``df`` and ``p_value`` of the model beside the one without covariates; None where there are none.
    covariate_levels_ : dict of str to list of str
        For each covariate the levels seen by ``fit``, the first of which is the one others are compared with; none for
        numbers.
    n_customers_ : int
        Customers fitted on.
    n_iter_ : int
        Steps of the optimiser.
    unit_ : str
        The unit of the table.

    Raises
    ------
    ConvergenceError
        From ``fit``, where the table does not identify a parameter.

    References
    ----------
    Schmittlein, D. C., Morrison, D. G. and Colombo, R. (1987), Counting your customers: who are they and what will they
    do next?, doi:10.1287/mnsc.33.1.1. Fader, P. S. and Hardie, B. G. S. (2007), Incorporating time-invariant covariates
    into the Pareto/NBD and BG/NBD models, http://brucehardie.com/notes/019/.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import ParetoNBD
    >>> kinds = pd.DataFrame(
    ...     {
    ...         "repeats": [0, 1, 1, 2, 3, 6, 6, 12],
    ...         "last_purchase_weeks": [0.0, 5.0, 30.0, 20.0, 35.0, 15.0, 37.0, 38.0],
    ...         "age_weeks": [39.0] * 8,
    ...     }
    ... )
    >>> model = ParetoNBD().fit(kinds.loc[kinds.index.repeat([60, 12, 6, 5, 4, 2, 2, 1])])
    >>> model.predict(kinds, horizon=26).round(2).loc[[0, 5, 6]]
       p_alive  expected_purchases
    0     0.32                0.06
    5     0.11                0.29
    6     0.96                2.57
    """

    _title: ClassVar[str] = "pareto-nbd"
    _alive_forgets: ClassVar[bool] = True
    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "s", "beta")
    _times: ClassVar[frozenset[str]] = frozenset({"alpha", "beta"})
    _blocks: ClassVar[tuple[Block, ...]] = (
        ("purchase", "purchase_covariates", "alpha", -1.0),
        ("leaving", "leaving_covariates", "beta", -1.0),
    )
    _causes: ClassVar[Mapping[tuple[str, str], str]] = {
        **BUYING,
        ("s", "small"): NOBODY_LEFT,
        ("beta", "large"): "the customers' rates of leaving hardly differ, or the table shows no customer who left",
        ("s", "large"): "the customers' rates of leaving hardly differ, or the table shows no customer who left",
        ("beta", "small"): "those who left seem to have left at once, or the table shows no customer who left",
    }

    def _check_varied(self, table: Summary) -> None:
        """Refuse tables in which nothing can be learned; of repeats at age 0, a higher rate is always likelier."""
        super()._check_varied(table)
        if not (table.t_x > 0).any():
            raise ConvergenceError(
                f"{self._title}: alpha is not identified: every repeat purchase falls on the first one",
                parameter="alpha",
            )

    def _starts(self, rate: float) -> list[list[float]]:
        """Begin with usual shapes at the observed rate, then with rarer ones."""
        shapes = [(0.5, 0.6, 0.4), (1.0, 1.5, 3.0), (0.2, 0.3, 0.1), (3.0, 5.0, 20.0)]
        return [[np.log(r), np.log(r / rate), np.log(s), np.log(beta)] for r, s, beta in shapes]

    def _by_group(self, x: Any, t_x: Any, T: Any, weights: Any, groups: Groups) -> GroupObjective:
        """Prepare the negative log-likelihood and its gradient.

        Integrated by parts, the likelihood is the sum of one integral from the last purchase on and one from the cutoff
        on, both without cancellation. Each is worked out once for customers that are equal in what it depends on.
        """
        counts, code = np.unique(x, return_inverse=True)
        per_count = np.bincount(code, weights)
        total = groups.total(weights)
        last = _Pairs(x, t_x, groups)
        end = _Pairs(x, T, groups)

        def objective(logs: list[npt.NDArray[np.float64]]) -> tuple[float, list[npt.NDArray[np.float64]]]:
            log_r, log_alpha, log_s, log_beta = logs
            r, s = float(np.exp(log_r[0])), float(np.exp(log_s[0]))
            alpha, beta = np.exp(log_alpha), np.exp(log_beta)
            gone = tail_integral(r + last.x, s + 1, last.groups.spread(alpha), last.groups.spread(beta), last.t)
            bought = tail_integral(r + end.x + 1, s, end.groups.spread(alpha), end.groups.spread(beta), end.t)
            left = (log_s[0] + gone.log_integral)[last.code]
            stayed = (np.log(r + end.x) + bought.log_integral)[end.code]
            either = np.logaddexp(left, stayed)
            w_left = np.bincount(last.code, weights * np.exp(left - either), len(last.x))
            w_stayed = np.bincount(end.code, weights * np.exp(stayed - either), len(end.x))
            value = (
                per_count @ (gammaln(r + counts) - gammaln(r))
                + total @ (r * log_alpha + s * log_beta)
                + weights @ either
            )
            by_r = (
                per_count @ (psi(r + counts) - psi(r)) + total @ log_alpha
                - w_left @ gone.log_alpha - w_stayed @ (bought.log_alpha - 1 / (r + end.x))
            )  # fmt: skip
            by_s = total @ log_beta - w_left @ (gone.log_beta - 1 / s) - w_stayed @ bought.log_beta
            by_alpha = (
                total * r / alpha
                - last.groups.total(w_left * (r + last.x) * gone.per_alpha)
                - end.groups.total(w_stayed * (r + end.x + 1) * bought.per_alpha)
            )
            by_beta = (
                total * s / beta
                - last.groups.total(w_left * (s + 1) * gone.per_beta)
                - end.groups.total(w_stayed * s * bought.per_beta)
            )
            gradient = [np.array([by_r * r]), by_alpha * alpha, np.array([by_s * s]), by_beta * beta]
            return -float(value), [-part for part in gradient]

        return objective

    def _p_alive(self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any) -> npt.NDArray[np.float64]:
        """Give P(alive): one over the likelihood, in units of that of having stayed."""
        r, alpha, s, beta = (params[name] for name in self._names)
        (x, t_x, T, alpha, beta), _, inverse = collapse(*_columns(x, t_x, T, alpha, beta))
        (x1, t1, alpha1, beta1), _, last = collapse(x, t_x, alpha, beta)
        (x2, t2, alpha2, beta2), _, end = collapse(x, T, alpha, beta)
        left = (np.log(s) + tail_integral(r + x1, s + 1, alpha1, beta1, t1).log_integral)[last]
        stayed = (np.log(r + x2) + tail_integral(r + x2 + 1, s, alpha2, beta2, t2).log_integral)[end]
        log_chance = -(r + x) * np.log(alpha + T) - s * np.log(beta + T) - np.logaddexp(left, stayed)
        # Who has just bought is alive, whatever rounding says.
        return np.where(t_x < T, np.exp(np.minimum(log_chance, 0.0)), 1.0)[inverse]

    def _while_alive(self, params: Mapping[str, Any], x: Any, T: Any, t: Any) -> npt.NDArray[np.float64]:
        """Give the expected purchases of a customer who is alive at the cutoff."""
        r, alpha, s, beta = (params[name] for name in self._names)
        # (1 - exp(-(s - 1) stay)) / (s - 1), which is stay itself at s = 1.
        stay = np.log1p(t / (beta + T))
        rate = (r + x) / (alpha + T)
        # Nobody is expected to buy more than if they never left, rounding of the shortest horizons included.
        return np.asarray(np.minimum(rate * (beta + T) * stay * exprel(-(s - 1) * stay), rate * t), dtype=np.float64)

    def _probabilities(
        self, params: Mapping[str, Any], x: Any, t_x: Any, T: Any, t: float, n_max: int
    ) -> npt.NDArray[np.float64]:
        """Give the distribution of future purchases: a living customer's is that of a new one with what is known."""
        r, alpha, s, beta = (params[name] for name in self._names)
        alive = self._p_alive(params, x, t_x, T)[:, None]
        n = np.arange(n_max + 1, dtype=np.float64)
        known = (r + x)[:, None]
        log_ways = gammaln(known + n) - gammaln(known) - gammaln(n + 1)
        age_alpha, age_beta = (np.broadcast_to(scale + T, np.shape(x))[:, None] for scale in (alpha, beta))
        share = t / (age_alpha + t)
        stays = np.exp(log_ways + known * np.log1p(-share) + xlogy(n, share) - s * np.log1p(t / age_beta))
        leaves = np.zeros_like(stays) if t == 0 else _leavers(log_ways, known, age_alpha, s, age_beta, t)
        return np.asarray(alive * (stays + leaves) + (1 - alive) * (n == 0))

    def _endless(self, params: Mapping[str, Any]) -> str | None:
        """Purchases without end are finite where rates of leaving near 0 are rare enough."""
        return f"s is {params['s']:.3g}, at most 1" if params["s"] <= 1 else None


class _Pairs:
    """The distinct pairs of repeats and a time, by group."""

    def __init__(self, x: Any, t: Any, groups: Groups) -> None:
        """Find them."""
        (self.x, self.t, group), _, self.code = collapse(x, t, groups.code.astype(np.float64))
        self.groups = type(groups)(group.astype(np.intp), groups.size)


def _columns(*values: Any) -> tuple[npt.NDArray[np.float64], ...]:
    """Give columns of one length."""
    return tuple(np.asarray(value, dtype=np.float64) for value in np.broadcast_arrays(*np.atleast_1d(*values)))


def _leavers(log_ways: Any, known: Any, alpha: Any, s: float, beta: Any, t: float) -> npt.NDArray[np.float64]:
    """Give the probabilities of leaving within the time after so many purchases.

    The moment of leaving is integrated over by Gauss and Legendre in ``log(1 + rate u)``, where ``rate`` is that of the
    fastest change near the cutoff: purchases and leaving change on scales that may lie many decades apart.
    """
    rate = (known + 1) / alpha + (s + 1) / beta
    reach = np.log1p(rate * t)
    n = np.arange(log_ways.shape[1], dtype=np.float64)
    # The number of purchases is a bell over the logarithm of the time, as narrow as many purchases make it.
    width = np.sqrt(1 / (n[-1] + 1) + 1 / known)
    n_nodes = int(12 + np.max(reach * np.maximum(6.0, 3.0 / width)))
    nodes, weights = np.polynomial.legendre.leggauss(n_nodes)
    result = np.empty(log_ways.shape)
    for part in np.array_split(np.arange(len(known)), 1 + len(known) * n_nodes // _BLOCK):
        place = (nodes + 1) / 2 * reach[part]
        u = np.expm1(place) / rate[part]
        step = weights / 2 * reach[part] * np.exp(place) / rate[part]
        density = step * s / (beta[part] + u) * np.exp(-s * np.log1p(u / beta[part]))
        log_none = -known[part] * np.log1p(u / alpha[part])
        share = u / (alpha[part] + u)
        for count in range(len(n)):
            chance = np.exp(log_ways[part, count, None] + xlogy(count, share) + log_none)
            result[part, count] = np.einsum("ij,ij->i", chance, density)
    return result
