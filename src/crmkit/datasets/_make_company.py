"""Makes a simulated company from documented processes."""

from __future__ import annotations

import numbers
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.datasets._behaviour import draw_events, draw_ratings
from crmkit.datasets._campaigns import ARMS, EFFECT, draw_campaigns
from crmkit.datasets._clock import Calendar, text_column
from crmkit.datasets._company import Company
from crmkit.datasets._messages import draw_comments, draw_communications
from crmkit.datasets._opportunities import draw_opportunities
from crmkit.datasets._people import LANGUAGES, PERSONAS, Language, draw_people
from crmkit.datasets._purchases import Latent, Orders, Season, draw_latent, draw_lines, draw_orders, products
from crmkit.datasets._service import (
    CAUSES,
    COMPLAINS,
    KEPT_WITHOUT,
    MARGIN,
    PERSONA_FACTOR,
    REMEDIES,
    SEVERITY,
    UPLIFT,
    draw_cases,
    draw_failures,
    draw_feedback,
    draw_remedies,
)
from crmkit.datasets._truth import Truth, decayed

if TYPE_CHECKING:
    from collections.abc import Mapping

    import numpy.typing as npt

__all__ = ["SEGMENTS", "make_company"]

SEGMENTS = ("rare-small", "rare-large", "frequent-small", "frequent-large")
"""The true segment: rate and mean spend below or above the median of the process."""


def make_company(
    n_customers: int = 2_000,
    seed: int = 0,
    language: Language = "both",
    *,
    start: str = "2023-01-02",
    weeks: float = 104,
    joining_weeks: float = 52,
    horizon_weeks: float = 52,
    purchase: tuple[float, float, float, float] = (0.9, 9.0, 0.8, 2.4),
    spend: tuple[float, float, float] = (6.0, 4.0, 60.0),
    season: float = 0.0,
    effect: float = 1.0,
    currency: str = "CNY",
    timezone: str = "Asia/Shanghai",
) -> Company:
    """Make a company whose true customers, causes and effects are known.

    Customers join evenly over the first ``joining_weeks`` and buy for the first time as they join. From then on each
    buys as a BG/NBD process says: a Poisson process with the customer's own rate, and after each repeat purchase the
    customer leaves for good with the customer's own probability. Amounts follow the gamma-gamma model and do not depend
    on how often someone buys. So a model fitted to the tables must find ``purchase`` and ``spend`` again. Orders fail
    for known causes, failures lower satisfaction and raise complaints, complaints and questions are written in Chinese
    and English, remedies and campaigns were given at random and have known effects.

    Use it to test a method against the truth, to show a whole way of working, or where no real table may leave the
    house. Do not use it to say how well a method works on customers: real ones are not so well behaved. It costs about
    one second for 10,000 customers and the tables grow in proportion.

    Parameters
    ----------
    n_customers : int, default=2_000
        How many customers; 0 gives empty tables with all columns.
    seed : int, default=0
        The same seed gives the same tables. Each table has its own stream of random numbers: asking for another
        ``effect`` or ``language`` leaves the purchases as they were.
    language : {"both", "zh", "en"}, default="both"
        Of customers and messages: three in five Chinese and one message in twenty in the other language, or one
        language only. English tables hold no Han character; Chinese messages keep the Latin words people use ("APP").
    start : str, default="2023-01-02"
        The first day, local time.
    weeks : float, default=104
        Length of what the company has seen.
    joining_weeks : float, default=52
        Customers join within so many first weeks; at most ``weeks``.
    horizon_weeks : float, default=52
        Length of the future that ``truth`` speaks of.
    purchase : tuple of float, default=(0.9, 9.0, 0.8, 2.4)
        BG/NBD ``(r, alpha, a, b)`` with alpha in weeks.
    spend : tuple of float, default=(6.0, 4.0, 60.0)
        Gamma-gamma ``(p, q, gamma)``; the mean order is p * gamma / (q - 1).
    season : float, default=0.0
        Amplitude, below 1, of a yearly cycle of all purchase rates. Not 0 means that BG/NBD no longer holds exactly.
    effect : float, default=1.0
        Factor on what remedies and campaigns change; 0 for a company where no treatment has any effect.
    currency : str, default="CNY"
        Of all amounts.
    timezone : str, default="Asia/Shanghai"
        In which ``start`` is meant and days are counted.

    Returns
    -------
    Company
        Eleven tables and ``truth``.

    Raises
    ------
    DataError
        If a parameter is out of its range.

    Notes
    -----
    Days are exact: the hour within a day is drawn by a monotone map, so that people shop in the daytime. Two purchases
    of a customer on one day are one purchase to BG/NBD: with the defaults about one repeat in eighty.

    Purchases do not react to complaints, remedies or campaigns: else no purchase model could be tested. Whether a
    customer stays after a complaint is drawn apart (``cases.outcome``).

    References
    ----------
    Fader, Hardie & Lee 2005, "Counting your customers" the easy way, doi:10.1287/mksc.1040.0098.
    Fader & Hardie 2013, The gamma-gamma model of monetary value, http://brucehardie.com/notes/025/.

    Examples
    --------
    >>> from crmkit.datasets import make_company
    >>> company = make_company(200, seed=7)
    >>> sorted(company.tables)[:4]
    ['campaigns', 'cases', 'communications', 'customers']
    >>> bool(company.transactions["customer_id"].isin(company.customers.index).all())
    True
    >>> company.truth.parameters["purchase"]["r"]
    0.9
    """
    given: dict[str, Any] = {
        "seed": seed,
        "language": language,
        "window_weeks": weeks,
        "joining_weeks": joining_weeks,
        "horizon_weeks": horizon_weeks,
        "season": season,
        "effect": effect,
    }
    _check({**given, "n_customers": n_customers, "weeks": weeks, "purchase": purchase, "spend": spend})
    try:
        calendar = Calendar(start, timezone)
    except (ValueError, OSError, LookupError) as error:
        raise DataError(
            f"start must be YYYY-MM-DD and timezone an IANA name, got {start!r} and {timezone!r}"
        ) from error
    end = 7.0 * weeks
    cycle = Season(season)
    customers, persona, joined = draw_people(
        n_customers, seed=seed, language=language, calendar=calendar, joining_days=7.0 * joining_weeks
    )
    latent = draw_latent(n_customers, seed=seed, purchase=purchase, spend=spend)
    orders = draw_orders(latent, joined, seed=seed, shape=spend[0], window=weeks, horizon=horizon_weeks, season=cycle)
    transactions, per_order, favourites = draw_lines(
        orders, persona, customers.index, seed=seed, calendar=calendar, currency=currency
    )
    failures = draw_failures(per_order, seed=seed)
    chinese = (customers["language"] == "zh").to_numpy(dtype=bool)
    feedback, feedback_truth, satisfaction = draw_feedback(
        per_order, failures, customers.index, seed=seed, calendar=calendar, end=end
    )
    who = customers.index.get_indexer(pd.Index(feedback["customer_id"]))
    comments = draw_comments(feedback, feedback_truth["satisfaction"].to_numpy(), chinese[who], seed=seed)
    cases, case_truth = draw_cases(
        per_order, failures, persona, customers.index, seed=seed, effect=effect, calendar=calendar, end=end
    )
    expected = latent.rate * decayed(
        latent.rate * latent.dropout,
        float(cycle.elapsed(np.array([weeks + horizon_weeks]))[0] - cycle.elapsed(np.array([weeks], dtype=float))[0]),
    )
    remedies = draw_remedies(cases, case_truth, expected * latent.spend_mean, seed=seed)
    communications, message_truth = draw_communications(
        per_order,
        cases,
        case_truth,
        customers,
        persona,
        seed=seed,
        switch=language == "both",
        calendar=calendar,
        end=end,
    )
    ratings, rating_truth, quality = draw_ratings(
        transactions, satisfaction, per_order.index, products().index, seed=seed, end=end, calendar=calendar
    )
    events = draw_events(
        per_order, customers.index, persona, joined, orders.left, latent.rate, seed=seed, calendar=calendar, end=end
    )
    campaigns, campaign_truth, campaign_effects = draw_campaigns(
        customers, persona, joined, latent, seed=seed, effect=effect, calendar=calendar, end=end
    )
    opportunities = draw_opportunities(customers, latent, seed=seed, calendar=calendar, end=end)
    truth = Truth(
        parameters={
            **_parameters(purchase, spend),
            **given,
            "start": start,
            "timezone": timezone,
            "currency": currency,
            "cutoff": str(np.datetime64(start, "D") + np.timedelta64(int(np.ceil(end)), "D")),
            "margin": MARGIN,
        },
        customers=_known_customers(
            customers.index, latent, orders, persona, favourites, expected, end=end, purchase=purchase, spend=spend
        ),
        orders=failures.drop(columns=["cause", "agent"]).assign(
            customer_id=text_column(customers.index.to_numpy(dtype=object)[per_order["customer"].to_numpy()]).array,
            amount=per_order["amount"],
            satisfaction=satisfaction,
        ),
        communications=message_truth,
        feedback=feedback_truth,
        ratings=rating_truth,
        products=products().assign(quality=quality),
        cases=case_truth.drop(columns=["customer", "elapsed"]),
        remedies=remedies.truth,
        campaigns=campaign_truth,
        campaign_effects=campaign_effects,
        opportunities=opportunities.truth,
        opportunity_stages=opportunities.stages,
    )
    return Company(
        customers=customers,
        transactions=transactions,
        communications=communications,
        feedback=feedback.assign(text=comments),
        ratings=ratings,
        events=events,
        campaigns=campaigns,
        cases=cases,
        remedies=remedies.options,
        opportunities=opportunities.table,
        opportunity_history=opportunities.history,
        truth=truth,
    )


def _known_customers(
    ids: pd.Index[str],
    latent: Latent,
    orders: Orders,
    persona: npt.NDArray[np.int64],
    favourites: npt.NDArray[np.int64],
    expected: npt.NDArray[np.float64],
    *,
    end: float,
    purchase: tuple[float, float, float, float],
    spend: tuple[float, float, float],
) -> pd.DataFrame:
    """Put together what is true of each customer."""
    alive = orders.left >= end
    names = products().index.to_numpy(dtype=object)
    return pd.DataFrame(
        {
            "rate": latent.rate,
            "dropout": latent.dropout,
            "spend_mean": latent.spend_mean,
            "alive": alive,
            "expected_purchases": alive * expected,
            "lifetime_value": alive * expected * latent.spend_mean,
            "value_if_kept": expected * latent.spend_mean,
            "future_purchases": orders.future_purchases,
            "future_spend": np.round(orders.future_spend, 2),
            "segment": _segments(latent, purchase, spend).array,
            "persona": text_column(np.array(PERSONAS, dtype=object)[persona]).array,
            "favourite_1": text_column(names[favourites[:, 0]]).array,
            "favourite_2": text_column(names[favourites[:, 1]]).array,
        },
        index=ids,
    )


def _segments(
    latent: Latent, purchase: tuple[float, float, float, float], spend: tuple[float, float, float]
) -> pd.Series[Any]:
    """Name the quarter of the process in which a customer's true rate and mean spend lie."""
    from scipy.stats import gamma

    frequent = latent.rate >= gamma.median(purchase[0], scale=1 / purchase[1])
    # The mean spend is p / nu: its median lies at the median of nu.
    large = latent.spend_mean >= spend[0] / gamma.median(spend[1], scale=1 / spend[2])
    return text_column(np.array(SEGMENTS, dtype=object)[2 * frequent + large])


def _parameters(purchase: tuple[float, float, float, float], spend: tuple[float, float, float]) -> dict[str, Any]:
    """Give the fixed part of the process by name."""
    return {
        "purchase": dict(zip(("r", "alpha", "a", "b"), map(float, purchase), strict=True)),
        "spend": dict(zip(("p", "q", "gamma"), map(float, spend), strict=True)),
        "severity": dict(zip(CAUSES, SEVERITY, strict=False)),
        "complains": dict(zip(CAUSES, COMPLAINS, strict=False)),
        "kept_without": dict(zip(CAUSES, map(float, KEPT_WITHOUT), strict=True)),
        "remedy_uplift": pd.DataFrame(UPLIFT, index=list(REMEDIES), columns=list(CAUSES)),
        "remedy_factor": dict(zip(PERSONAS, map(float, PERSONA_FACTOR), strict=True)),
        "campaign_effect": pd.DataFrame(EFFECT, index=list(ARMS), columns=list(PERSONAS)),
    }


def _check(given: Mapping[str, Any]) -> None:
    """Refuse parameters that are no process, all of them in one error."""
    rules = {
        "n_customers": (_is_count, "an int of at least 0"),
        "seed": (_is_count, "an int of at least 0"),
        "language": (lambda value: value in LANGUAGES, f"one of {', '.join(map(repr, LANGUAGES))}"),
        "weeks": (lambda value: np.isfinite(value) and value > 0, "positive"),
        "joining_weeks": (lambda value: 0 < value <= given["weeks"], f"positive and at most weeks = {given['weeks']}"),
        "horizon_weeks": (lambda value: np.isfinite(value) and value >= 0, "at least 0"),
        "purchase": (lambda value: _are_positive(value, 4), "4 positive numbers"),
        "spend": (lambda value: _are_positive(value, 3), "3 positive numbers"),
        "season": (lambda value: 0 <= value < 1, "at least 0 and below 1"),
        "effect": (lambda value: np.isfinite(value) and value >= 0, "at least 0"),
    }
    wrong = [
        f"{name} must be {expected}, got {given[name]!r}"
        for name, (holds, expected) in rules.items()
        if not holds(given[name])
    ]
    if wrong:
        raise DataError("; ".join(wrong))


def _is_count(value: Any) -> bool:
    """Say whether something counts things."""
    return isinstance(value, numbers.Integral) and not isinstance(value, bool) and int(value) >= 0


def _are_positive(values: Any, size: int) -> bool:
    """Say whether something is so many positive numbers."""
    return len(values) == size and all(np.isfinite(value) and value > 0 for value in values)
