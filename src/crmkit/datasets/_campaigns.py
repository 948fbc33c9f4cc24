"""Draws randomised campaigns with known effects."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.datasets._clock import Calendar, stream, text_column

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.datasets._purchases import Latent

__all__ = ["ARMS", "draw_campaigns"]

ARMS = ("control", "email", "sms")
"""What a customer of a campaign is given, each with probability 1/3."""

# Points of response that an arm adds, by persona: the private ones would rather not be written to.
EFFECT = np.array([[0.0, 0.0, 0.0, 0.0], [0.07, 0.04, 0.03, -0.01], [0.03, 0.09, 0.03, -0.02]])

WHEN = (0.4, 0.65, 0.9)
"""When the campaigns take place, as shares of the window."""


def draw_campaigns(
    customers: pd.DataFrame,
    persona: npt.NDArray[np.int64],
    joined: npt.NDArray[np.float64],
    latent: Latent,
    *,
    seed: int,
    effect: float,
    calendar: Calendar,
    end: float,
) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """Draw three campaigns, each to all customers who joined before it and allow e-mail and SMS.

    Parameters
    ----------
    customers : pandas.DataFrame, indexed by customer_id
        With the consents.
    persona, joined : ndarray, shape (n_customers,)
        Who responds to what, and from when on.
    latent : Latent
        Frequent buyers respond more often, whatever they are given.
    seed : int
        Of the simulation.
    effect : float
        Factor on what the arms change.
    calendar : Calendar
        For time and day.
    end : float
        Days from the start to the end of the window.

    Returns
    -------
    campaigns : pandas.DataFrame
        One row a campaign and customer: campaign_id, customer_id, time, day, arm, outcome (0 or 1), amount.
    truth : pandas.DataFrame
        In the same order: response_if_<arm>.
    effects : pandas.DataFrame
        campaign_id, arm, n, effect: the mean difference to control over all customers of the campaign.
    """
    rng = stream(seed, "campaigns")
    allowed = (customers["consent_email"] & customers["consent_sms"]).to_numpy(dtype=bool)
    which, at = [], []
    for share in WHEN:
        reached = np.flatnonzero(allowed & (joined < share * end))
        which.append(reached)
        at.append(np.full(len(reached), share * end))
    campaign = np.repeat(np.arange(len(WHEN)), [len(rows) for rows in which])
    customer, sent = np.concatenate(which), np.concatenate(at)
    arm = rng.integers(0, len(ARMS), len(customer))
    base = (0.04 + 0.4 * latent.rate[customer]).clip(0.0, 0.5)
    response = (base[:, None] + effect * EFFECT[:, persona[customer]].T).clip(0.0, 1.0)
    outcome = (rng.random(len(customer)) < response[np.arange(len(customer)), arm]).astype(np.int64)
    spent = np.round(rng.gamma(4.0, 0.25, len(customer)) * latent.spend_mean[customer], 2)
    names = text_column([f"M{number}" for number in range(1, len(WHEN) + 1)]).to_numpy(dtype=object)
    campaigns = pd.DataFrame(
        {
            "campaign_id": text_column(names[campaign]),
            "customer_id": text_column(customers.index.to_numpy(dtype=object)[customer]),
            "time": calendar.times(sent),
            "day": calendar.days(sent),
            "arm": text_column(np.array(ARMS, dtype=object)[arm]),
            "outcome": outcome,
            "amount": np.where(outcome == 1, spent, 0.0),
        }
    )
    truth = pd.DataFrame({f"response_if_{name}": response[:, column] for column, name in enumerate(ARMS)})
    rows = [
        {
            "campaign_id": names[number],
            "arm": name,
            "n": int(((campaign == number) & (arm == column)).sum()),
            "effect": _mean((response[:, column] - response[:, 0])[campaign == number]),
        }
        for number in range(len(WHEN))
        for column, name in enumerate(ARMS)
    ]
    return campaigns, truth, pd.DataFrame(rows)


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Give the mean, missing where there is nothing."""
    return float(values.mean()) if len(values) else float("nan")
