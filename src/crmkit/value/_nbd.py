"""The NBD model: customers buy at a rate of their own and never leave; the yardstick for models in which they do."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np
from scipy.special import gammaln, psi, xlogy

from crmkit.value._base import LikelihoodModel
from crmkit.value._runaways import BUYING

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Objective

__all__ = ["NBD"]


class NBD(LikelihoodModel):
    """Negative binomial model of repeat purchases: a gamma distribution of rates, and nobody leaves.

    Each customer buys at random with a constant rate; rates are gamma distributed over customers (shape ``r``, scale
    ``alpha`` in time). A forecast is the customer's own rate drawn towards everyone's. Use it where leaving cannot
    happen, or as the yardstick: a lifetime model that is not clearly likelier has seen nobody leave. Fitting costs a
    few passes over the distinct rows.

    Parameters
    ----------
    unit : {"day", "week", "month", "quarter", "year"} or None, default=None
        The unit of the tables, where their column names do not say it.

    Attributes
    ----------
    params_ : dict of str to float
        ``r`` and ``alpha`` (in the unit of time).
    standard_errors_ : dict of str to float
        Of each parameter.
    covariance_ : ndarray of float, shape (2, 2)
        Of the logarithms of the parameters.
    log_likelihood_, aic_, bic_ : float
        At the maximum.
    n_customers_, n_iter_ : int
        Customers fitted on; steps of the optimiser.
    unit_ : str
        The unit of the table.

    References
    ----------
    Ehrenberg, A. S. C. (1959), doi:10.2307/2985810.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import NBD
    >>> summary = pd.DataFrame(
    ...     {"repeats": [0, 0, 0, 6], "last_purchase_weeks": [0.0, 0.0, 0.0, 25.0], "age_weeks": [30.0] * 4}
    ... )
    >>> NBD().fit(summary).predict(summary, horizon=30)["expected_purchases"].round(1).tolist()
    [0.1, 0.1, 0.1, 5.7]
    """

    _title: ClassVar[str] = "nbd"
    _alive_forgets: ClassVar[bool] = True
    _names: ClassVar[tuple[str, ...]] = ("r", "alpha")
    _causes: ClassVar[Mapping[tuple[str, str], str]] = BUYING

    def _starts(self, rate: float) -> list[list[float]]:
        """Begin with usual shapes at the observed rate."""
        return [[np.log(r), np.log(r / rate)] for r in (0.5, 2.0, 0.1)]

    def _objective(self, x: Any, t_x: Any, T: Any, weights: Any) -> Objective:  # noqa: ARG002 -- nobody leaves
        """Prepare the negative log-likelihood and its gradient."""
        counts, code = np.unique(x, return_inverse=True)
        per_count = np.bincount(code, weights)
        total = weights.sum()

        def objective(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
            r, alpha = np.exp(theta)
            log_end = np.log(alpha + T)
            value = (
                per_count @ (gammaln(r + counts) - gammaln(r)) + total * r * theta[1] - weights @ ((r + x) * log_end)
            )
            by_r = per_count @ (psi(r + counts) - psi(r)) + total * theta[1] - weights @ log_end
            by_alpha = total * r / alpha - weights @ ((r + x) / (alpha + T))
            return -float(value), -np.array([by_r * r, by_alpha * alpha])

        return objective

    def _p_alive(self, params: Mapping[str, float], x: Any, t_x: Any, T: Any) -> npt.NDArray[np.float64]:  # noqa: ARG002 -- nobody leaves
        """Give 1: nobody leaves."""
        return np.ones(np.shape(x))

    def _while_alive(self, params: Mapping[str, float], x: Any, T: Any, t: Any) -> npt.NDArray[np.float64]:
        """Give the expected rate of each customer times the horizon."""
        return np.asarray((params["r"] + x) / (params["alpha"] + T) * t, dtype=np.float64)

    def _probabilities(
        self,
        params: Mapping[str, float],
        x: Any,
        t_x: Any,  # noqa: ARG002 -- nobody leaves
        T: Any,
        t: float,
        n_max: int,
    ) -> npt.NDArray[np.float64]:
        """Give the negative binomial of each customer's rate as it is known."""
        n, known = np.arange(n_max + 1, dtype=np.float64), (params["r"] + x)[:, None]
        share = t / (params["alpha"] + T + t)[:, None]
        log_chance = gammaln(known + n) - gammaln(known) - gammaln(n + 1) + known * np.log1p(-share) + xlogy(n, share)
        return np.asarray(np.exp(log_chance))

    def _endless(self, params: Mapping[str, float]) -> str | None:  # noqa: ARG002 -- true of every parameter
        """Nobody leaves."""
        return "nobody leaves"
