"""Draws service failures, the satisfaction marks and complaints they cause, and the remedies that would help."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from crmkit.datasets._clock import Calendar, stream, text_column
from crmkit.datasets._people import pick

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["AGENTS", "CAUSES", "REMEDIES", "draw_cases", "draw_failures", "draw_feedback", "draw_remedies"]

CAUSES = ("delay", "quality", "attitude", "billing", "other")
"""What a complaint is about; "other" has no failure behind it."""

REMEDIES = ("refund", "voucher", "call", "replacement")
"""What the company can do; doing nothing is always possible."""

AGENTS = tuple(f"A{number:02d}" for number in range(1, 13))
"""Who serves; the later the name, the more complaints of attitude."""

SEVERITY = (0.9, 1.5, 1.2, 1.1)
"""How many marks each failure takes from satisfaction."""

COMPLAINS = (0.35, 0.60, 0.50, 0.65)
"""Probability that a failure of each cause becomes a complaint."""

GROUNDLESS = 0.003
"""Probability of a complaint with no failure behind it."""

# Percentage points of retention by remedy (rows) and cause (columns), before the customer's own factor.
UPLIFT = np.array(
    [
        [0.12, 0.20, 0.08, 0.28, 0.08],
        [0.10, 0.08, 0.06, 0.06, 0.05],
        [0.08, 0.06, 0.22, 0.10, 0.08],
        [0.05, 0.26, 0.03, 0.02, 0.03],
    ]
)
PERSONA_FACTOR = np.array([0.9, 1.3, 1.1, 0.6])
KEPT_WITHOUT = np.array([0.55, 0.45, 0.40, 0.50, 0.65])
"""Probability, by cause, that a customer who complained stays if nothing is done."""

MARGIN = 0.3
OPEN_WEEKS = 8.0
_NOISE = 0.4
_AGENT_RATE = np.linspace(0.005, 0.05, len(AGENTS))


class Remedies(NamedTuple):
    """The options of the cases, and the truth about every case and remedy."""

    options: pd.DataFrame
    truth: pd.DataFrame


def draw_failures(per_order: pd.DataFrame, *, seed: int) -> pd.DataFrame:
    """Draw what went wrong with each order, from causes that the tables show.

    Parameters
    ----------
    per_order : pandas.DataFrame, indexed by order_id
        delivery_days, category, channel.
    seed : int
        Of the simulation.

    Returns
    -------
    pandas.DataFrame, indexed by order_id
        delay, quality, attitude, billing (bool), complaint_probability, cause (position in ``CAUSES``; -1 where there
        is no complaint), agent (position).
    """
    rng = stream(seed, "failures")
    count = len(per_order)
    agent = rng.integers(0, len(AGENTS), count)
    probability = np.stack(
        [
            1 / (1 + np.exp(4.5 - 0.9 * (per_order["delivery_days"].to_numpy() - 3.0))),
            np.where(per_order["category"].to_numpy() < 4, 0.06, 0.025),
            _AGENT_RATE[agent],
            np.where(per_order["channel"].to_numpy() == 0, 0.035, 0.015),
        ],
        axis=1,
    )
    failed = rng.random((count, 4)) < probability
    complained = failed & (rng.random((count, 4)) < np.array(COMPLAINS))
    groundless = rng.random(count) < GROUNDLESS
    # Where several failures were complained of, the complaint is about the one that weighs most.
    weight = np.where(complained, np.array(SEVERITY), 0.0)
    cause = np.where(complained.any(axis=1), weight.argmax(axis=1), np.where(groundless, 4, -1))
    total = 1 - (1 - GROUNDLESS) * np.prod(1 - probability * np.array(COMPLAINS), axis=1)
    frame = pd.DataFrame({name: failed[:, column] for column, name in enumerate(CAUSES[:4])}, index=per_order.index)
    return frame.assign(complaint_probability=total, cause=cause.astype(np.int64), agent=agent)


def draw_feedback(
    per_order: pd.DataFrame,
    failures: pd.DataFrame,
    customer_ids: pd.Index[str],
    *,
    seed: int,
    calendar: Calendar,
    end: float,
) -> tuple[pd.DataFrame, pd.DataFrame, npt.NDArray[np.float64]]:
    """Draw the answers to the questionnaire sent after each order.

    Parameters
    ----------
    per_order, failures : pandas.DataFrame, indexed by order_id
        The orders and what went wrong.
    customer_ids : pandas.Index
        Ids by position.
    seed : int
        Of the simulation.
    calendar : Calendar
        For time and day.
    end : float
        Days from the start to the end of the window; later answers are not in yet.

    Returns
    -------
    feedback : pandas.DataFrame
        One row an answer: score 1-5, recommend 0-10, effort 1-7.
    truth : pandas.DataFrame
        In the same order: satisfaction (unrounded, on the scale of score).
    satisfaction : ndarray of float64, shape (n_orders,)
        Of every order, answered or not.
    """
    rng = stream(seed, "feedback")
    count = len(per_order)
    failed = failures[list(CAUSES[:4])].to_numpy(dtype=float)
    customer = per_order["customer"].to_numpy()
    mood = 0.35 * rng.standard_normal(len(customer_ids))
    satisfaction = 4.4 + mood[customer] - failed @ np.array(SEVERITY) + 0.5 * rng.standard_normal(count)
    at = per_order["elapsed"].to_numpy() + per_order["delivery_days"].to_numpy() + rng.exponential(3.0, count)
    # Who had trouble answers more often: the mean of the answers is not the mean of the orders.
    answers = rng.random(count) < 0.30 + 0.25 * failed.any(axis=1)
    score = np.rint(satisfaction).clip(1, 5)
    recommend = np.rint(2.3 * satisfaction - 1.8 + rng.standard_normal(count)).clip(0, 10)
    effort = np.rint(1.4 * satisfaction - 0.6 + 0.8 * rng.standard_normal(count)).clip(1, 7)
    rows = np.flatnonzero(answers & (at < end))
    rows = rows[np.argsort(at[rows], kind="stable")]
    feedback = pd.DataFrame(
        {
            "customer_id": text_column(customer_ids.to_numpy(dtype=object)[customer[rows]]),
            "time": calendar.times(at[rows]),
            "day": calendar.days(at[rows]),
            "order_id": text_column(per_order.index.to_numpy(dtype=object)[rows]),
            "score": score[rows],
            "recommend": recommend[rows],
            "effort": effort[rows],
        }
    )
    return feedback, pd.DataFrame({"satisfaction": satisfaction[rows]}), satisfaction


def draw_cases(
    per_order: pd.DataFrame,
    failures: pd.DataFrame,
    persona: npt.NDArray[np.int64],
    customer_ids: pd.Index[str],
    *,
    seed: int,
    effect: float,
    calendar: Calendar,
    end: float,
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Draw the complaints; those of the last eight weeks are still open.

    Each closed case was given a remedy, or none, at random with equal probability, so that effects can be learnt.

    Parameters
    ----------
    per_order, failures : pandas.DataFrame, indexed by order_id
        The orders and what went wrong.
    persona : ndarray of int64, shape (n_customers,)
        How strongly a customer responds.
    customer_ids : pandas.Index
        Ids by position.
    seed : int
        Of the simulation.
    effect : float
        Factor on what remedies change.
    calendar : Calendar
        For time and day.
    end : float
        Days from the start to the end of the window.

    Returns
    -------
    cases : pandas.DataFrame
        case_id, customer_id, time, day, order_id, amount, channel, agent, label (the cause as noted by the agent),
        stage, and closed_time, remedy and outcome of the closed ones.
    truth : pandas.DataFrame, indexed by case_id
        customer (position), elapsed, cause, kept_if_nothing, and kept_if_<remedy>.
    """
    rng = stream(seed, "cases")
    rows = np.flatnonzero(failures["cause"].to_numpy() >= 0)
    cause = failures["cause"].to_numpy()[rows]
    customer = per_order["customer"].to_numpy()[rows]
    at = per_order["elapsed"].to_numpy()[rows] + per_order["delivery_days"].to_numpy()[rows]
    at = at + rng.exponential(2.0, len(rows))
    channel = pick(rng, np.array([[0.45, 0.15, 0.3, 0.1]]), np.zeros(len(rows), dtype=np.int64))
    noted = np.where(rng.random(len(rows)) < 0.92, cause, rng.integers(0, len(CAUSES), len(rows)))
    arm = rng.integers(-1, len(REMEDIES), len(rows))
    luck = rng.random(len(rows))
    unnoted = rng.random(len(rows)) < 0.1
    keep = at < end
    keep_order = np.argsort(at[keep], kind="stable")
    drawn: list[npt.NDArray[Any]] = [rows, cause, customer, at, channel, noted, arm, luck, unnoted]
    rows, cause, customer, at, channel, noted, arm, luck, unnoted = (values[keep][keep_order] for values in drawn)
    uplift = effect * UPLIFT[:, cause].T * PERSONA_FACTOR[persona[customer]][:, None]
    kept = np.concatenate([KEPT_WITHOUT[cause][:, None], KEPT_WITHOUT[cause][:, None] + uplift], axis=1).clip(0, 1)
    is_open = at >= end - 7 * OPEN_WEEKS
    outcome = (luck < kept[np.arange(len(rows)), arm + 1]).astype(float)
    outcome[is_open] = np.nan
    given = np.array([*REMEDIES, "nothing"], dtype=object)[arm]
    given[is_open] = None
    closed = np.minimum(at + rng.exponential(3.0, len(rows)), end)
    label = np.array(CAUSES, dtype=object)[noted]
    label[unnoted] = None
    ids = text_column([f"K{number:07d}" for number in range(1, len(rows) + 1)])
    cases = pd.DataFrame(
        {
            "case_id": ids,
            "customer_id": text_column(customer_ids.to_numpy(dtype=object)[customer]),
            "time": calendar.times(at),
            "day": calendar.days(at),
            "order_id": text_column(per_order.index.to_numpy(dtype=object)[rows]),
            "amount": per_order["amount"].to_numpy()[rows],
            "channel": text_column(np.array(["chat", "email", "call", "store"], dtype=object)[channel]),
            "agent": text_column(np.array(AGENTS, dtype=object)[failures["agent"].to_numpy()[rows]]),
            "label": text_column(label),
            "stage": text_column(np.where(is_open, "open", "closed")),
            "closed_time": pd.Series(calendar.times(closed)).where(~is_open),
            "remedy": text_column(given),
            "outcome": outcome,
        }
    )
    truth = pd.DataFrame(
        {"customer": customer, "elapsed": at, "cause": text_column(np.array(CAUSES, dtype=object)[cause])}
    )
    for column, name in enumerate(("nothing", *REMEDIES)):
        truth[f"kept_if_{name}"] = kept[:, column]
    return cases, truth.set_index(pd.Index(ids, name="case_id"))


def draw_remedies(
    cases: pd.DataFrame, truth: pd.DataFrame, value_if_kept: npt.NDArray[np.float64], *, seed: int
) -> Remedies:
    """List what can be done for each case, with the company's estimate of the gain, and the true gain.

    The estimate is the gain the default effects would bring, off by a lognormal factor (sigma .4): the company believes
    it also where ``effect`` is 0.

    Parameters
    ----------
    cases, truth : pandas.DataFrame
        As drawn by ``draw_cases``.
    value_if_kept : ndarray of float64, shape (n_customers,)
        Expected spend over the horizon of a customer who stays.
    seed : int
        Of the simulation.

    Returns
    -------
    Remedies
        ``options`` (case_id, customer_id, remedy, value, uses_budget, uses_hours) and ``truth`` (case_id, remedy,
        uplift, value).
    """
    rng = stream(seed, "remedies")
    count, kinds = len(cases), len(REMEDIES)
    amount = cases["amount"].to_numpy(dtype=float)
    budget = np.stack([0.3 * amount, np.full(count, 10.0), np.zeros(count), 0.6 * amount], axis=1)
    hours = np.tile(np.array([0.05, 0.02, 0.25, 0.15]), (count, 1))
    nothing = truth["kept_if_nothing"].to_numpy()
    uplift = np.stack([truth[f"kept_if_{name}"].to_numpy() - nothing for name in REMEDIES], axis=1)
    worth = MARGIN * value_if_kept[truth["customer"].to_numpy(dtype=np.int64)]
    cause = np.array([CAUSES.index(name) for name in truth["cause"]], dtype=np.int64)
    believed = UPLIFT[:, cause].T * worth[:, None] * np.exp(_NOISE * rng.standard_normal((count, kinds)))
    case_ids = np.repeat(cases["case_id"].to_numpy(dtype=object), kinds)
    names = np.tile(np.array(REMEDIES, dtype=object), count)
    options = pd.DataFrame(
        {
            "case_id": text_column(case_ids),
            "customer_id": text_column(np.repeat(cases["customer_id"].to_numpy(dtype=object), kinds)),
            "remedy": text_column(names),
            "value": np.round(believed - budget, 2).ravel(),
            "uses_budget": np.round(budget, 2).ravel(),
            "uses_hours": hours.ravel(),
        }
    )
    known = pd.DataFrame(
        {
            "case_id": text_column(case_ids),
            "remedy": text_column(names),
            "uplift": uplift.ravel(),
            "value": (uplift * worth[:, None] - budget).ravel(),
        }
    )
    return Remedies(options, known)
