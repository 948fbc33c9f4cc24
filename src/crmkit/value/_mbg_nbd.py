"""The MBG/NBD model: as BG/NBD, but a customer may leave right after the first purchase, too."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

import numpy as np

from crmkit.value._base import LikelihoodModel
from crmkit.value._dropout_forecast import p_alive, probabilities
from crmkit.value._dropout_likelihood import negative_log_likelihood, usual_starts
from crmkit.value._erlang_purchases import purchases_while_alive
from crmkit.value._runaways import BUYING, LEAVING_AFTER_PURCHASES

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Objective

__all__ = ["MBGNBD"]


class MBGNBD(LikelihoodModel):
    """Modified beta-geometric / negative binomial model of repeat purchases without a contract.

    While alive, a customer buys at random with a rate of their own; after every purchase, the first included, they
    leave for good with a probability of their own. Rates are gamma distributed over customers (shape ``r``, scale
    ``alpha`` in time), leaving probabilities beta distributed (``a``, ``b``), independently. The four parameters are
    found by maximum likelihood with an analytic gradient, on counted equal rows.

    Use it where many buy once and never again: P(alive) of a customer without a repeat purchase falls below 1 here,
    which it never does in ``bg-nbd``, so customers can be ranked by it. The two models fit most tables about equally
    well; this one forecasts less. It knows neither season nor trend. Fitting costs a few dozen passes over the distinct
    rows; forecasts are sums of positive terms or quadratures without poles, whatever the parameters.

    Parameters
    ----------
    unit : {"day", "week", "month", "quarter", "year"} or None, default=None
        The unit of the tables, where their column names do not say it (lifetimes' ``frequency``, ``recency``, ``T``).
        It does not change any forecast; rates scale with it.

    Attributes
    ----------
    params_ : dict of str to float
        ``r``, ``alpha`` (in the unit of time), ``a``, ``b``.
    standard_errors_ : dict of str to float
        Of each parameter, from the curvature of the log-likelihood.
    covariance_ : ndarray of float, shape (4, 4)
        Of the logarithms of the parameters.
    log_likelihood_ : float
        At the maximum, for the times in the table's unit.
    aic_, bic_ : float
        Akaike's and Schwarz's criterion; compare models fitted on one table only.
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

    See Also
    --------
    BGCNBD : Customers who buy more regularly than at random.

    References
    ----------
    Batislam, E. P., Denizel, M. and Filiztekin, A. (2007), doi:10.1016/j.ijresmar.2006.12.005.
    Hoppe, D. and Wagner, U. (2007), "Customer base analysis: the case for a central variant of the Betageometric/NBD
    Model", Marketing - Journal of Research and Management 3(2).

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import MBGNBD
    >>> kinds = pd.DataFrame(
    ...     {
    ...         "repeats": [0, 1, 1, 2, 3, 6, 6, 12],
    ...         "last_purchase_weeks": [0.0, 5.0, 30.0, 20.0, 35.0, 15.0, 37.0, 38.0],
    ...         "age_weeks": [39.0] * 8,
    ...     }
    ... )
    >>> model = MBGNBD().fit(kinds.loc[kinds.index.repeat([60, 12, 6, 5, 4, 2, 2, 1])])
    >>> model.predict(kinds, horizon=26).round(2).loc[[0, 5, 6]]
       p_alive  expected_purchases
    0     0.23                0.08
    5     0.09                0.26
    6     0.87                2.62
    """

    _title: ClassVar[str] = "mbg-nbd"
    _alive_forgets: ClassVar[bool] = True
    _names: ClassVar[tuple[str, ...]] = ("r", "alpha", "a", "b")
    _causes: ClassVar[Mapping[tuple[str, str], str]] = {
        **BUYING,
        **LEAVING_AFTER_PURCHASES,
        ("b", "small"): "all seem to have left after their first purchase, or never to leave",
    }

    def _starts(self, rate: float) -> list[list[float]]:
        """Begin with usual shapes at the observed rate, then with rarer ones."""
        return usual_starts(rate)

    def _objective(self, x: Any, t_x: Any, T: Any, weights: Any) -> Objective:
        """Prepare the negative log-likelihood and its gradient."""
        return negative_log_likelihood(x, t_x, T, weights, k=1, at_first=True)

    def _p_alive(self, params: Mapping[str, float], x: Any, t_x: Any, T: Any) -> npt.NDArray[np.float64]:
        """Give P(alive)."""
        return p_alive(params, x, t_x, T, k=1, at_first=True)

    def _while_alive(self, params: Mapping[str, float], x: Any, T: Any, t: Any) -> npt.NDArray[np.float64]:
        """Give the expected purchases of a customer who is alive at the cutoff."""
        x, T, t = (np.asarray(each, dtype=np.float64) for each in np.broadcast_arrays(x, T, t))
        shape, growth = params["r"] + x, t / (params["alpha"] + T)
        # With gaps of one stage the time since the last purchase says nothing of a living customer.
        return purchases_while_alive(shape, np.zeros(len(x)), growth, params["a"], params["b"] + x + 1, 1)

    def _probabilities(
        self, params: Mapping[str, float], x: Any, t_x: Any, T: Any, t: float, n_max: int
    ) -> npt.NDArray[np.float64]:
        """Give the distribution of future purchases."""
        return probabilities(params, x, t_x, T, t, n_max, k=1, at_first=True)

    def _endless(self, params: Mapping[str, float]) -> str | None:
        """Purchases without end are finite where chances of leaving near 0 are rare enough."""
        return f"a is {params['a']:.3g}, at most 1" if params["a"] <= 1 else None
