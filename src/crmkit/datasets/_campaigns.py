"""Draws randomised campaigns with known effects, and sales opportunities with known chances."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from crmkit.datasets._clock import Calendar, stream, text_column
from crmkit.datasets._service import AGENTS

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.datasets._purchases import Latent

__all__ = ["ARMS", "STAGES", "draw_campaigns", "draw_opportunities"]

ARMS = ("control", "email", "sms")
"""What a customer of a campaign is given, each with probability 1/3."""

# Points of response that an arm adds, by persona: the private ones would rather not be written to.
EFFECT = np.array([[0.0, 0.0, 0.0, 0.0], [0.07, 0.04, 0.03, -0.01], [0.03, 0.09, 0.03, -0.02]])

WHEN = (0.4, 0.65, 0.9)
"""When the campaigns take place, as shares of the window."""

STAGES = ("lead", "qualified", "proposal", "negotiation", "won", "lost")
"""The stages of an opportunity."""

_STEPS = 4
_OPPORTUNITIES_PER_CUSTOMER = 0.15


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


def draw_opportunities(
    customers: pd.DataFrame, latent: Latent, *, seed: int, calendar: Calendar, end: float
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw opportunities that pass four stages, each passed with the fourth root of the chance to win.

    Parameters
    ----------
    customers : pandas.DataFrame, indexed by customer_id
        Whose opportunities; those who came through a friend or a partner are won more often.
    latent : Latent
        Larger spenders have larger opportunities.
    seed : int
        Of the simulation.
    calendar : Calendar
        For time and day.
    end : float
        Days from the start to the end of the window.

    Returns
    -------
    opportunities : pandas.DataFrame
        opportunity_id, customer_id, time, day, stage, amount, agent, contacts, close_time (missing where open).
    truth : pandas.DataFrame, indexed by opportunity_id
        win_probability when opened, and now, given the stage reached.
    """
    rng = stream(seed, "opportunities")
    count = rng.poisson(_OPPORTUNITIES_PER_CUSTOMER * len(customers)) if len(customers) else 0
    customer = rng.integers(0, max(len(customers), 1), count)
    opened = rng.random(count) * end
    order = np.argsort(opened, kind="stable")
    customer, opened = customer[order], opened[order]
    amount = np.round(latent.spend_mean[customer] * np.exp(3.0 + 0.7 * rng.standard_normal(count)), 2)
    contacts = rng.poisson(3.0, count)
    helped = customers["source"].isin(["friend", "partner"]).to_numpy(dtype=float)[customer]
    logit = -1.1 + 0.9 * helped + 0.25 * (contacts - 3) - 0.2 * (np.log(amount.clip(0.01)) - 7.5)
    wins = 1 / (1 + np.exp(-logit))
    passes = rng.random((count, _STEPS)) < (wins ** (1 / _STEPS))[:, None]
    ends_at = opened[:, None] + np.cumsum(rng.exponential(21.0, (count, _STEPS)), axis=1)
    # The step at which it is lost; _STEPS where it is won.
    falls = np.where(passes.all(axis=1), _STEPS, (~passes).argmax(axis=1))
    closed_at = ends_at[np.arange(count), falls.clip(0, _STEPS - 1)]
    closed = closed_at < end
    reached = (ends_at < end).sum(axis=1).clip(0, _STEPS - 1)
    stage = np.where(closed, np.where(falls == _STEPS, 4, 5), reached)
    now = np.where(closed, (falls == _STEPS).astype(float), wins ** ((_STEPS - reached) / _STEPS))
    closed_time = pd.Series(calendar.times(closed_at)).where(closed)
    ids = text_column([f"S{number:07d}" for number in range(1, count + 1)])
    opportunities = pd.DataFrame(
        {
            "opportunity_id": ids,
            "customer_id": text_column(customers.index.to_numpy(dtype=object)[customer]),
            "time": calendar.times(opened),
            "day": calendar.days(opened),
            "stage": text_column(np.array(STAGES, dtype=object)[stage]),
            "amount": amount,
            "agent": text_column(np.array(AGENTS, dtype=object)[rng.integers(0, len(AGENTS), count)]),
            "contacts": contacts.astype(np.int64),
            "close_time": closed_time,
        }
    )
    truth = pd.DataFrame({"win_probability": wins, "win_probability_now": now})
    return opportunities, truth.set_index(pd.Index(ids, name="opportunity_id"))


def _mean(values: npt.NDArray[np.float64]) -> float:
    """Give the mean, missing where there is nothing."""
    return float(values.mean()) if len(values) else float("nan")
