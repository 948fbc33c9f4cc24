"""The truth behind a simulated company."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.datasets._purchases import WEEKS_PER_YEAR

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Truth", "decayed"]


@dataclass(frozen=True, repr=False, eq=False)
class Truth:
    """What the tables of a simulated company were drawn from.

    Parameters
    ----------
    parameters : mapping
        Of the process: ``purchase`` (r, alpha, a, b), ``spend`` (p, q, gamma), ``effect``, ``season``,
        ``window_weeks``, ``horizon_weeks``, ``cutoff`` (the first day after the window), ``remedy_uplift`` (remedy by
        cause), ``campaign_effect`` (arm by persona), and so on.
    customers : pandas.DataFrame, indexed by customer_id
        rate (purchases per week), dropout (probability of leaving after a repeat purchase), spend_mean, alive (at the
        end of the window), expected_purchases and lifetime_value (over the horizon, given rate, dropout and alive;
        neither discounted nor multiplied by a margin), value_if_kept (the same were the customer still there),
        future_purchases and future_spend (what does happen in the horizon), segment, persona, favourite_1, favourite_2.
    orders : pandas.DataFrame, indexed by order_id
        customer_id, amount (as booked), delay, quality, attitude, billing (what went wrong), complaint_probability,
        satisfaction.
    communications : pandas.DataFrame
        In the order of ``Company.communications``: topic, second_topic, sentiment, language, vague, and where a
        phone number or e-mail address stands in the text (personal_kind, personal_start, personal_end: half-open).
    feedback : pandas.DataFrame
        In the order of ``Company.feedback``: satisfaction, unrounded.
    ratings : pandas.DataFrame
        In the order of ``Company.ratings``: expected.
    products : pandas.DataFrame, indexed by product_id
        category, quality.
    cases : pandas.DataFrame, indexed by case_id
        cause, kept_if_nothing, kept_if_<remedy>: probabilities.
    remedies : pandas.DataFrame
        One row a case and remedy: uplift (points of the probability of being kept) and value (expected gain over doing
        nothing, after costs).
    campaigns : pandas.DataFrame
        In the order of ``Company.campaigns``: response_if_<arm>, probabilities.
    campaign_effects : pandas.DataFrame
        One row a campaign and arm: n, effect (mean over all customers of the campaign).
    opportunities : pandas.DataFrame, indexed by opportunity_id
        win_probability, win_probability_now.
    opportunity_stages : pandas.DataFrame, indexed by stage
        conversion (mean probability of passing the stage, over the opportunities that come to it), mean_days and
        win_probability (of an opportunity that comes to it).
    """

    parameters: Mapping[str, Any]
    customers: pd.DataFrame
    orders: pd.DataFrame
    communications: pd.DataFrame
    feedback: pd.DataFrame
    ratings: pd.DataFrame
    products: pd.DataFrame
    cases: pd.DataFrame
    remedies: pd.DataFrame
    campaigns: pd.DataFrame
    campaign_effects: pd.DataFrame
    opportunities: pd.DataFrame
    opportunity_stages: pd.DataFrame

    def lifetime_value(
        self, *, horizon: float | None = None, margin: float = 1.0, annual_discount_rate: float = 0.0
    ) -> pd.Series[float]:
        """Give the true lifetime value for a horizon, margin and discount rate of your own.

        The value is that of the process, given each customer's true rate, dropout probability and mean spend and
        whether the customer is still there at the end of the window: ``margin * spend_mean * rate * integral of
        exp(-(rate * dropout + d) t)`` from 0 to the horizon, with ``d`` the continuous weekly discount rate.

        Parameters
        ----------
        horizon : float or None, default=None
            Weeks after the window; None for the horizon of the simulation. Without a season only.
        margin : float, default=1.0
            Share of the spend that counts.
        annual_discount_rate : float, default=0.0
            0.1 means that a pound a year from now is worth 1 / 1.1.

        Returns
        -------
        pandas.Series, indexed by customer_id
            In the company's currency.

        Raises
        ------
        DataError
            If the company has a season and another horizon or a discount is asked for.

        Examples
        --------
        >>> from crmkit.datasets import make_company
        >>> truth = make_company(50, seed=1).truth
        >>> year, ever = truth.lifetime_value(horizon=52), truth.lifetime_value(horizon=520)
        >>> bool((ever >= year).all())
        True
        """
        if self.parameters["season"] and (horizon is not None or annual_discount_rate):
            raise DataError("with a season, lifetime values are known for the simulation's own horizon only")
        if horizon is None and not annual_discount_rate:
            return (margin * self.customers["lifetime_value"]).rename("lifetime_value")
        weeks = float(self.parameters["horizon_weeks"] if horizon is None else horizon)
        discount = np.log1p(annual_discount_rate) / WEEKS_PER_YEAR
        rate = self.customers["rate"]
        purchases = rate * decayed(rate * self.customers["dropout"] + discount, weeks)
        value = margin * self.customers["alive"] * purchases * self.customers["spend_mean"]
        return pd.Series(value, name="lifetime_value")

    def __repr__(self) -> str:
        return f"Truth({len(self.customers):,} customers, effect={self.parameters['effect']})"


def decayed(decay: Any, length: float) -> Any:
    """Give the integral of exp(-decay t) from 0 to a length, also where decay is 0.

    Parameters
    ----------
    decay : float or array
        Not negative.
    length : float
        Its end.

    Returns
    -------
    float or array
        Between 0 and length.
    """
    small = decay * length < 1e-12
    return np.where(small, length, -np.expm1(-decay * length) / np.where(small, 1.0, decay))
