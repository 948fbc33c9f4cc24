"""Draws sales opportunities with known chances, and the history of the stages they passed."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from crmkit.datasets._clock import Calendar, stream, text_column
from crmkit.datasets._service import AGENTS

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.datasets._purchases import Latent

__all__ = ["REGIONS", "STAGES", "STAGE_DAYS", "Opportunities", "draw_opportunities"]

STAGES = ("lead", "qualified", "proposal", "negotiation", "won", "lost")
"""The stages of an opportunity."""

STAGE_DAYS = 21.0
"""Mean days in each open stage; days are exponential, however the stage ends."""

REGIONS = {
    **dict.fromkeys(("北京", "西安"), "north"),
    **dict.fromkeys(("上海", "杭州"), "east"),
    **dict.fromkeys(("广州", "深圳"), "south"),
    **dict.fromkeys(("成都", "武汉"), "west"),
    **dict.fromkeys(("London", "Leeds", "Dublin"), "europe"),
    **dict.fromkeys(("Boston", "Austin", "Toronto"), "america"),
    **dict.fromkeys(("Sydney", "Perth"), "oceania"),
}
"""The sales region of each city."""

_STEPS = 4
_OPPORTUNITIES_PER_CUSTOMER = 0.15


class Opportunities(NamedTuple):
    """The opportunities, their stages one by one, and the truth about both."""

    table: pd.DataFrame
    history: pd.DataFrame
    truth: pd.DataFrame
    stages: pd.DataFrame


def draw_opportunities(
    customers: pd.DataFrame, latent: Latent, *, seed: int, calendar: Calendar, end: float
) -> Opportunities:
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
    Opportunities
        ``table`` (opportunity_id, customer_id, time, day, stage, amount, agent, contacts, close_time: missing where
        open), ``history`` (one row a stage entered before the end), ``truth`` by opportunity_id (win_probability when
        opened, and win_probability_now, given the stage reached) and ``stages`` (conversion, mean_days and
        win_probability of each stage).
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
    ends_at = opened[:, None] + np.cumsum(rng.exponential(STAGE_DAYS, (count, _STEPS)), axis=1)
    # The step at which it is lost; _STEPS where it is won.
    falls = np.where(passes.all(axis=1), _STEPS, (~passes).argmax(axis=1))
    closed_at = ends_at[np.arange(count), falls.clip(0, _STEPS - 1)]
    closed = closed_at < end
    reached = (ends_at < end).sum(axis=1).clip(0, _STEPS - 1)
    stage = np.where(closed, np.where(falls == _STEPS, 4, 5), reached)
    now = np.where(closed, (falls == _STEPS).astype(float), wins ** ((_STEPS - reached) / _STEPS))
    closed_time = pd.Series(calendar.times(closed_at)).where(closed)
    ids = text_column([f"S{number:07d}" for number in range(1, count + 1)])
    agents = text_column(np.array(AGENTS, dtype=object)[rng.integers(0, len(AGENTS), count)])
    opportunities = pd.DataFrame(
        {
            "opportunity_id": ids,
            "customer_id": text_column(customers.index.to_numpy(dtype=object)[customer]),
            "time": calendar.times(opened),
            "day": calendar.days(opened),
            "stage": text_column(np.array(STAGES, dtype=object)[stage]),
            "amount": amount,
            "agent": agents,
            "contacts": contacts.astype(np.int64),
            "close_time": closed_time,
        }
    )
    cities = customers["city"].to_numpy(dtype=object)
    regions = text_column([REGIONS[city] for city in cities[customer]])
    entered = np.column_stack([opened, ends_at])
    history = _history(opportunities.assign(region=regions), entered, falls, seed=seed, calendar=calendar, end=end)
    truth = pd.DataFrame({"win_probability": wins, "win_probability_now": now})
    truth = truth.set_index(pd.Index(ids, name="opportunity_id"))
    return Opportunities(opportunities, history, truth, _stage_truth(wins))


def _history(
    opportunities: pd.DataFrame,
    entered: npt.NDArray[np.float64],
    falls: npt.NDArray[np.int64],
    *,
    seed: int,
    calendar: Calendar,
    end: float,
) -> pd.DataFrame:
    """Give one row a stage entered before the end; open stages carry the close that was expected on entering."""
    count = len(opportunities)
    noise = stream(seed, "opportunity plans").standard_normal((count, _STEPS))
    ahead = STAGE_DAYS * (_STEPS - np.arange(_STEPS)) * np.exp(0.4 * noise)
    # A step is entered where none before it failed; after the failing one comes "lost".
    step = np.arange(_STEPS + 1)
    there = (step <= falls[:, None] + 1) & (entered < end)
    stage = np.where(step > falls[:, None], 5, step)
    expected = np.column_stack([entered[:, :_STEPS] + ahead, entered[:, _STEPS]])
    expected = np.where(stage >= _STEPS, entered, expected)
    row, column = np.nonzero(there)
    order = np.argsort(entered[row, column], kind="stable")
    row, column = row[order], column[order]
    kept = opportunities.iloc[row].reset_index(drop=True)
    return pd.DataFrame(
        {
            "opportunity_id": kept["opportunity_id"],
            "customer_id": kept["customer_id"],
            "time": calendar.times(entered[row, column]),
            "day": calendar.days(entered[row, column]),
            "stage": text_column(np.array(STAGES, dtype=object)[stage[row, column]]),
            "amount": kept["amount"],
            "agent": kept["agent"],
            "region": kept["region"],
            "close_time": calendar.times(expected[row, column]),
        }
    )


def _stage_truth(wins: npt.NDArray[np.float64]) -> pd.DataFrame:
    """Give what is true of the stages on average over the opportunities that come to them."""
    # An opportunity comes to step k with probability wins ** (k / _STEPS).
    reached = [float(np.sum(wins ** (step / _STEPS))) for step in range(_STEPS + 1)]
    share = [
        (reached[step + 1] / reached[step], reached[_STEPS] / reached[step]) if reached[step] else (np.nan, np.nan)
        for step in range(_STEPS)
    ]
    return pd.DataFrame(
        {
            "conversion": [each[0] for each in share],
            "mean_days": np.full(_STEPS, STAGE_DAYS),
            "win_probability": [each[1] for each in share],
        },
        index=pd.Index(STAGES[:_STEPS], name="stage"),
    )
