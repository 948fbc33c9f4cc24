"""Long tails turned column by column, with sizes that would overflow brought near first."""

from __future__ import annotations

from typing import TYPE_CHECKING, Self

import numpy as np
from sklearn.preprocessing import PowerTransformer

from crmkit.preparation._transforms import SignedLog, skewness

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["Unskewer"]

# Squares of sizes beyond these overflow or vanish, and with them the variance.
LARGE, SMALL = 1e100, 1e-100


class Unskewer:
    """Turns each column by its own rule, and back; missing values pass.

    Columns of enormous or tiny sizes that are not put in logarithms are divided by a power of two first, which loses no
    digit, so that their variance exists.

    Attributes
    ----------
    log_columns_, power_columns_ : ndarray of int
        Columns under the signed logarithm, and under Yeo and Johnson's transform.
    log_, power_ : transformer or None
        These transforms, None where no column is under them.
    unit_ : ndarray of float, shape (n_columns,)
        What each column is divided by, 1 as a rule.
    """

    log_columns_: npt.NDArray[np.intp]
    power_columns_: npt.NDArray[np.intp]
    unit_: npt.NDArray[np.float64]
    log_: SignedLog | None
    power_: PowerTransformer | None

    def fit(
        self,
        values: npt.NDArray[np.float64],
        rules: Sequence[str],
        *,
        constant: npt.NDArray[np.bool_],
        min_skew: float | None,
    ) -> Self:
        """Decide which columns are turned by what, and learn it.

        Parameters
        ----------
        values : ndarray of shape (n_customers, n_columns)
            Capped values, some of them missing.
        rules : sequence of str
            For each column ``"signed-log"``, ``"yeo-johnson"`` or ``"none"``.
        constant : ndarray of bool, shape (n_columns,)
            Columns with one value, which are never turned.
        min_skew : float or None
            The least skewness, in size, of columns that are turned.

        Returns
        -------
        self
            Fitted.
        """
        rule = np.array(rules, dtype=object)
        turned = ~constant
        if min_skew is not None:
            turned &= np.abs(skewness(values)) > min_skew
        self.log_columns_ = np.flatnonzero((rule == "signed-log") & turned)
        self.power_columns_ = np.flatnonzero((rule == "yeo-johnson") & turned)
        largest = np.nanmax(np.abs(values), axis=0)
        extreme = ((largest > LARGE) | (largest < SMALL)) & (largest > 0)
        extreme[self.log_columns_] = False
        self.unit_ = np.where(extreme, np.exp2(np.floor(np.log2(np.where(extreme, largest, 1.0)))), 1.0)
        self.log_ = self.power_ = None
        if len(self.log_columns_):
            self.log_ = SignedLog(scale="median").fit(values[:, self.log_columns_])
        if len(self.power_columns_):
            near = (values / self.unit_)[:, self.power_columns_]
            self.power_ = PowerTransformer(method="yeo-johnson", standardize=False).fit(near)
        return self

    def transform(self, values: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn columns; what overflows is infinite.

        Parameters
        ----------
        values : ndarray of shape (n_customers, n_columns)
            In the table's units.

        Returns
        -------
        ndarray of the same shape
            Turned.
        """
        with np.errstate(over="ignore", invalid="ignore"):
            turned = values / self.unit_
            if self.log_ is not None:
                turned[:, self.log_columns_] = self.log_.transform(values[:, self.log_columns_])
            if self.power_ is not None:
                turned[:, self.power_columns_] = self.power_.transform(turned[:, self.power_columns_])
        return turned

    def inverse_transform(self, turned: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Turn columns back.

        Parameters
        ----------
        turned : ndarray of shape (n_points, n_columns)
            As ``transform`` gives them.

        Returns
        -------
        ndarray of the same shape
            In the table's units.
        """
        back = turned.copy()
        if self.log_ is not None:
            back[:, self.log_columns_] = self.log_.inverse_transform(back[:, self.log_columns_])
        if self.power_ is not None:
            back[:, self.power_columns_] = self.power_.inverse_transform(back[:, self.power_columns_])
        return np.asarray(back * self.unit_)
