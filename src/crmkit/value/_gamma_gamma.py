"""The gamma-gamma model: what a customer spends a purchase, their own mean drawn towards everyone's."""

from __future__ import annotations

import warnings
from math import log, sqrt
from typing import TYPE_CHECKING, Any, ClassVar, Self

import numpy as np
import pandas as pd
from scipy.special import gammaln, psi
from sklearn.base import BaseEstimator, _fit_context
from sklearn.utils._param_validation import StrOptions
from sklearn.utils.validation import check_is_fitted

from crmkit.core.checks import positions
from crmkit.core.errors import ConvergenceError, DataError, DataWarning
from crmkit.value._collapse import collapse
from crmkit.value._maximum_likelihood import maximize
from crmkit.value._summary import read_spend

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

    from crmkit.value._maximum_likelihood import Objective
    from crmkit.value._summary import Spend

__all__ = ["GammaGamma"]

_DEPENDENT = 0.2
"""Correlation of spend and frequency from which on the model's assumption is called broken: below it, either explains
less than a twentieth of the other, and CDNOW, for which the model was made, has 0.11. It is Pearson's: means of skewed
amounts rise in rank with the number averaged, so a rank correlation is not 0 where the assumption holds."""

_CERTAIN = 4.0

_CAUSES: Mapping[tuple[str, str], str] = {
    ("p", "large"): "each customer's purchases cost nearly the same",
    ("gamma", "small"): "each customer's purchases cost nearly the same",
    ("q", "large"): "the customers' mean spends hardly differ",
    ("gamma", "large"): "the customers' mean spends hardly differ",
    ("p", "small"): "the spends differ by many orders of magnitude",
    ("q", "small"): "the spends differ by many orders of magnitude",
}


class GammaGamma(BaseEstimator):
    """Gamma-gamma model of mean spend per purchase.

    The purchases of one customer cost gamma distributed amounts (shape ``p``) around a mean of their own; the scales
    of customers are gamma distributed again (shape ``q``, ``gamma`` in money). What is expected of a customer is their
    own mean drawn towards everyone's, the more the fewer purchases there were. As published, the first purchase is not
    used: a customer without a repeat says nothing of their spend, and the mean of all is expected of them. Where first
    purchases cost what later ones do, ``first_purchase="use"`` knows more of one-time buyers.

    The assumption is that spend does not depend on how often a customer buys. It is tested at fitting by the
    correlation over repeat buyers, and a warning says so where it is clearly broken. Fitting costs a few dozen passes
    over the repeat buyers.

    Parameters
    ----------
    nonpositive : {"set-aside", "raise"}, default="set-aside"
        What to do with customers whose mean spend is zero or negative (all refunded, or for nothing), for whom the
        model has no likelihood: leave them out of fitting and count them in a warning, or raise. When predicting, their
        spend counts as 0 and is drawn towards everyone's like any other.
    first_purchase : {"ignore", "use"}, default="ignore"
        Whether the first purchase counts, which is the only one of a one-time buyer. ``"use"`` reads ``first_spend``.
        On CDNOW it orders one-time buyers by what they spend later (correlation .38, else none can be).

    Attributes
    ----------
    params_ : dict of str to float
        ``p``, ``q``, ``gamma`` (in money).
    standard_errors_ : dict of str to float
        Of each parameter.
    covariance_ : ndarray of float, shape (3, 3)
        Of the logarithms of the parameters.
    log_likelihood_, aic_, bic_ : float
        At the maximum, for money in the table's currency.
    mean_spend_ : float
        Expected mean spend of a customer of whom nothing is known: p gamma / (q - 1).
    spend_frequency_correlation_ : float
        Correlation of mean spend and number of purchases over the customers fitted on.
    n_customers_, n_iter_ : int
        Customers fitted on: the repeat buyers, or with the first purchase all; steps of the optimiser.

    Raises
    ------
    ConvergenceError
        From ``fit``, where the table does not identify a parameter, or ``q`` is at most 1: then the mean spend of
        customers has no finite expectation.

    References
    ----------
    Fader, P. S. and Hardie, B. G. S. (2013), The gamma-gamma model of monetary value.
    Fader, P. S., Hardie, B. G. S. and Lee, K. L. (2005), RFM and CLV, doi:10.1509/jmkr.2005.42.4.415.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import GammaGamma
    >>> summary = pd.DataFrame(
    ...     {"repeats": [0, 1, 2, 4, 3, 1, 2, 6], "repeat_spend": [0.0, 12.0, 30.0, 18.0, 55.0, 25.0, 9.0, 32.0]}
    ... )
    >>> GammaGamma().fit(summary).predict(summary)["expected_spend"].round(1).head(3).tolist()
    [28.1, 25.8, 28.6]
    """

    _parameter_constraints: ClassVar[dict[str, list[Any]]] = {
        "nonpositive": [StrOptions({"set-aside", "raise"})],
        "first_purchase": [StrOptions({"ignore", "use"})],
    }

    _names: ClassVar[tuple[str, ...]] = ("p", "q", "gamma")

    def __init__(self, *, nonpositive: str = "set-aside", first_purchase: str = "ignore") -> None:
        self.nonpositive = nonpositive
        self.first_purchase = first_purchase

    @_fit_context(prefer_skip_nested_validation=True)
    def fit(self, summary: Any, y: Any = None, /) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Estimate the parameters from the repeat buyers.

        Parameters
        ----------
        summary : table
            Made by ``preparation.purchase_summary``, or with lifetimes' ``frequency`` and ``monetary_value``.
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
            If a parameter is not identified, or the mean spend has no finite expectation.

        Warns
        -----
        DataWarning
            If spend depends on frequency, or repeat buyers without positive spend were left out.
        """
        table = self._read(summary)
        bought = table.x > 0
        odd = bought & (table.m <= 0)
        if odd.any():
            problem = (
                f"the mean spend is not positive for {odd.sum():,} customers"
                if self.first_purchase == "use"
                else f"repeat_spend is not positive for {odd.sum():,} repeat buyers"
            )
            if self.nonpositive == "raise":
                raise DataError(f"gamma-gamma: {problem} ({positions(odd)})")
            warnings.warn(f"gamma-gamma: {problem}: they are left out of fitting", DataWarning, stacklevel=3)
        x, m = table.x[bought & ~odd], table.m[bought & ~odd]
        if len(x) < 3:
            raise ConvergenceError(
                f"gamma-gamma: p is not identified: {len(x)} customers have purchases with spend to learn from",
                parameter="p",
            )
        correlation = self._test_independence(x, m)
        scale = float(m.mean())
        (count, mean), weights, _ = collapse(x, m / scale)
        found = maximize(
            _objective(count, mean, weights),
            [[log(p), log(q), log(g)] for p, q, g in ((5.0, 4.0, 0.6), (1.0, 3.0, 2.0), (20.0, 8.0, 0.35))],
            self._names,
            model="gamma-gamma",
            causes=_CAUSES,
        )
        values = np.exp(found.log_parameters) * np.array([1.0, 1.0, scale])
        if values[1] <= 1:
            raise ConvergenceError(
                f"gamma-gamma: q is {values[1]:.3g}, at most 1, so that the customers' mean spend has no finite "
                "expectation: a few customers spend so much more than the others that no mean can be forecast; look at "
                "them, or use the spend model 'mean'",
                parameter="q",
            )
        errors = values * np.sqrt(np.diag(found.covariance))
        self.spend_frequency_correlation_ = correlation
        self.params_ = dict(zip(self._names, map(float, values), strict=True))
        self.standard_errors_ = dict(zip(self._names, map(float, errors), strict=True))
        self.covariance_ = found.covariance
        # A density of money in another currency differs by a factor for every customer.
        self.log_likelihood_ = -_objective(count, mean, weights)(found.log_parameters)[0] - len(x) * log(scale)
        self.aic_ = 2.0 * len(values) - 2.0 * self.log_likelihood_
        self.bic_ = log(len(x)) * len(values) - 2.0 * self.log_likelihood_
        self.mean_spend_ = float(values[0] * values[2] / (values[1] - 1))
        self.n_customers_ = len(x)
        self.n_iter_ = found.n_iter
        return self

    def predict(self, summary: Any) -> pd.DataFrame:
        """Give what every customer is expected to spend a purchase.

        Parameters
        ----------
        summary : table
            As for ``fit``; it need not be the same customers.

        Returns
        -------
        pandas.DataFrame
            Indexed like ``summary``: ``expected_spend``, in the currency of the table; always positive.

        Raises
        ------
        DataError
            If the table is another one or holds impossible values.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        table = self._read(summary)
        return pd.DataFrame({"expected_spend": self._expected(self.params_, table.x, table.m)}, index=table.index)

    def _read(self, summary: Any) -> Spend:
        """Read the purchases whose spend counts."""
        return read_spend(summary, first=self.first_purchase == "use")

    def _expected(
        self, params: Mapping[str, float], x: npt.NDArray[np.float64], m: npt.NDArray[np.float64]
    ) -> npt.NDArray[np.float64]:
        """Give the expected mean spend; a customer without repeats gets the mean of all."""
        p, q, gamma = (params[name] for name in self._names)
        return p * (gamma + x * np.maximum(m, 0.0)) / (p * x + q - 1)

    def _expected_spend(self, summary: Any, log_shift: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give the expected spend at parameters moved on the log scale, for the delta method."""
        table = self._read(summary)
        factors = np.exp(log_shift)
        moved = {name: self.params_[name] * float(factor) for name, factor in zip(self._names, factors, strict=True)}
        # Past 1 there is no mean: the step is taken along the tangent instead of through the pole.
        moved["q"] = max(moved["q"], 1 + (self.params_["q"] - 1) / 2)
        return self._expected(moved, table.x, table.m)

    @staticmethod
    def _test_independence(x: npt.NDArray[np.float64], m: npt.NDArray[np.float64]) -> float:
        """Give the correlation of spend and frequency, warning where one clearly depends on the other."""
        found = _correlation(x, m)
        # Large enough to matter, and four standard errors from 0; the error is that of the products themselves, so
        # that a few enormous spends, which alone can make any correlation, do not count as certain.
        products = (x - x.mean()) * (m - m.mean())
        certain = abs(products.sum()) > _CERTAIN * sqrt(float(products @ products))
        if certain and abs(found) > _DEPENDENT:
            more = "more" if found > 0 else "less"
            warnings.warn(
                f"gamma-gamma assumes that spend does not depend on frequency, but customers who buy more often spend "
                f"{more} a purchase (correlation {found:.2f} over {len(x):,} customers): values of frequent "
                f"buyers come out {'too low' if found > 0 else 'too high'}",
                DataWarning,
                stacklevel=4,
            )
        return found


def _correlation(x: npt.NDArray[np.float64], y: npt.NDArray[np.float64]) -> float:
    """Give Pearson's correlation; 0 where one of the two does not vary."""
    x, y = x - x.mean(), y - y.mean()
    size = sqrt(float(x @ x) * float(y @ y))
    return float(x @ y) / size if size > 0 else 0.0


def _objective(x: npt.NDArray[np.float64], m: npt.NDArray[np.float64], weights: npt.NDArray[np.float64]) -> Objective:
    """Prepare the negative log-likelihood and its gradient."""
    counts, code = np.unique(x, return_inverse=True)
    per_count = np.bincount(code, weights)
    total = weights.sum()
    log_money = np.log(m) + np.log(x)
    constant = float(weights @ np.log(m))

    def objective(theta: npt.NDArray[np.float64]) -> tuple[float, npt.NDArray[np.float64]]:
        p, q, gamma = np.exp(theta)
        log_sum = np.log(gamma + x * m)
        value = (
            per_count @ (gammaln(p * counts + q) - gammaln(p * counts))
            + weights @ (p * x * (log_money - log_sum) - q * log_sum)
            + total * (q * theta[2] - gammaln(q))
            - constant
        )
        both = psi(p * counts + q)
        by_p = per_count @ (counts * (both - psi(p * counts))) + weights @ (x * (log_money - log_sum))
        by_q = per_count @ both - weights @ log_sum + total * (theta[2] - psi(q))
        by_gamma = total * q / gamma - weights @ ((p * x + q) / (gamma + x * m))
        return -float(value), -np.array([by_p * p, by_q * q, by_gamma * gamma])

    return objective
