"""What an uplift model predicts: effects and their standard errors, a row a customer and a column an arm."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from crmkit.metrics.intervals import normal_quantile

if TYPE_CHECKING:
    import pandas as pd

__all__ = ["Effects"]


class Effects(NamedTuple):
    """Effects of each treatment on each customer, with standard errors.

    Attributes
    ----------
    effects : pandas.DataFrame, shape (n_customers, n_arms)
        What each treatment adds to the expected outcome, against the control; columns are the treated arms.
    standard_errors : pandas.DataFrame, shape (n_customers, n_arms)
        Of these; NaN where the model was fitted without.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.effect.uplift import Effects
    >>> found = Effects(pd.DataFrame({"call": [2.0]}), pd.DataFrame({"call": [0.5]}))
    >>> found.interval()[0].round(2).to_dict("records")
    [{'call': 1.02}]
    """

    effects: pd.DataFrame
    standard_errors: pd.DataFrame

    def interval(self, level: float = 0.95) -> tuple[pd.DataFrame, pd.DataFrame]:
        """Give the ends of each effect's normal interval.

        Parameters
        ----------
        level : float, default=0.95
            Nominal coverage of each one, not of all together.

        Returns
        -------
        low, high : pandas.DataFrame
            Shaped like the effects.
        """
        half = normal_quantile(level) * self.standard_errors
        return self.effects - half, self.effects + half
