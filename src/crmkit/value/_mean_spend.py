"""The spend model without a model: every customer's own mean, the yardstick of gamma-gamma."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd
from sklearn.base import BaseEstimator
from sklearn.utils.validation import check_is_fitted

from crmkit.core.errors import ConvergenceError
from crmkit.value._summary import read_spend

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["MeanSpend"]


class MeanSpend(BaseEstimator):
    """Expects every customer to spend what they spent so far.

    A repeat buyer's expected spend is the mean of their own repeat purchases, however few; of a customer without
    repeats it is the mean of all repeat purchases. Use it as the yardstick, or where gamma-gamma's assumption fails.
    It overrates those who happened to spend much once. A negative mean (refunds above purchases) counts as 0.

    Attributes
    ----------
    mean_spend_ : float
        Mean over all repeat purchases.
    mean_spend_error_ : float
        Its standard error, over customers.
    n_customers_ : int
        Repeat buyers.

    Raises
    ------
    ConvergenceError
        From ``fit``, where no customer has a repeat purchase.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.value import MeanSpend
    >>> summary = pd.DataFrame({"repeats": [0, 1, 3], "repeat_spend": [0.0, 10.0, 30.0]})
    >>> MeanSpend().fit(summary).predict(summary)["expected_spend"].tolist()
    [25.0, 10.0, 30.0]
    """

    def fit(self, summary: Any, y: Any = None, /) -> Self:  # noqa: ARG002 -- scikit-learn passes y
        """Take the mean of all repeat purchases.

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
            If no customer has a repeat purchase.
        """
        table = read_spend(summary)
        total = float(table.x.sum())
        if total == 0:
            raise ConvergenceError("mean: no customer has a repeat purchase, so there is no mean of them")
        money = np.where(table.x > 0, table.x * np.maximum(table.m, 0.0), 0.0)
        self.mean_spend_ = float(money.sum()) / total
        # The error of a ratio of sums over customers.
        residual = money - self.mean_spend_ * table.x
        self.mean_spend_error_ = float(np.sqrt(residual @ residual)) / total
        self.n_customers_ = int((table.x > 0).sum())
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
            Indexed like ``summary``: ``expected_spend``, in the currency of the table.

        Raises
        ------
        DataError
            If the table is another one or holds impossible values.
        sklearn.exceptions.NotFittedError
            If the model is not fitted.
        """
        check_is_fitted(self)
        table = read_spend(summary)
        return pd.DataFrame({"expected_spend": self._expected(table.x, table.m)}, index=table.index)

    def _expected(self, x: npt.NDArray[np.float64], m: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Give each customer's own mean, and that of all where there is none."""
        return np.where(x > 0, np.maximum(m, 0.0), self.mean_spend_)
