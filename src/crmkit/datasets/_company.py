"""Makes a simulated company: tables that join, and the truth they were drawn from."""

from __future__ import annotations

import numbers
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.core.html import element, table
from crmkit.datasets._behaviour import draw_events, draw_ratings
from crmkit.datasets._campaigns import ARMS, EFFECT, draw_campaigns, draw_opportunities
from crmkit.datasets._clock import Calendar, text_column
from crmkit.datasets._messages import draw_comments, draw_communications
from crmkit.datasets._people import LANGUAGES, PERSONAS, Language, draw_people
from crmkit.datasets._purchases import (
    WEEKS_PER_YEAR,
    Latent,
    Season,
    draw_latent,
    draw_lines,
    draw_orders,
    products,
)
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

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["Company", "Truth", "make_company"]

_TABLES = (
    "customers",
    "transactions",
    "communications",
    "feedback",
    "ratings",
    "events",
    "campaigns",
    "cases",
    "remedies",
    "opportunities",
)
SEGMENTS = ("rare-small", "rare-large", "frequent-small", "frequent-large")
"""The true segment: rate and mean spend below or above the median of the process."""


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
        purchases = rate * _integral(rate * self.customers["dropout"] + discount, weeks)
        value = margin * self.customers["alive"] * purchases * self.customers["spend_mean"]
        return pd.Series(value, name="lifetime_value")

    def __repr__(self) -> str:
        return f"Truth({len(self.customers):,} customers, effect={self.parameters['effect']})"


@dataclass(frozen=True, repr=False, eq=False)
class Company:
    """A simulated company; every table carries the standard column names and joins the others on ids.

    Parameters
    ----------
    customers : pandas.DataFrame, indexed by customer_id
        name, phone, email (numbers and domains that nobody has), language, gender, age, city, source, time and
        day of joining, consent_email, consent_sms, consent_call, opted_out.
    transactions : pandas.DataFrame
        One row an order line: customer_id, time, day, order_id, product_id, quantity, unit_price, amount, currency,
        channel, delivery_days.
    communications : pandas.DataFrame
        One row a message: customer_id, time, day, conversation_id, turn, channel, direction, agent, duration (seconds),
        text, label (the topic as marked by a person: three in five, three in a hundred of them wrong),
        case_id (of complaints).
    feedback : pandas.DataFrame
        One row an answer: customer_id, time, day, order_id, score (1-5), recommend (0-10), effort (1-7, 7 is easy),
        text.
    ratings : pandas.DataFrame
        customer_id, item_id (a product_id), rating (1-5), time, day.
    events : pandas.DataFrame
        customer_id, time, day, event ("visit", "search", "cart"), channel.
    campaigns : pandas.DataFrame
        One row a customer of a campaign: campaign_id, customer_id, time, day, arm (at random), outcome (0, 1), amount.
    cases : pandas.DataFrame
        Complaints: case_id, customer_id, time, day, order_id, amount (of the order), channel, agent, label (the cause
        as noted), stage ("open", "closed"), closed_time, remedy (given at random, "nothing" included) and outcome (1
        where the customer stayed).
    remedies : pandas.DataFrame
        What can be done, or could have been done, for each case: case_id, customer_id, remedy, value (the company's own
        estimate of the gain), uses_budget, uses_hours. It goes into ``Problem.from_options`` as it is.
    opportunities : pandas.DataFrame
        opportunity_id, customer_id, time, day, stage, amount, agent, contacts,
        close_time.
    truth : Truth
        What everything was drawn from.
    """

    customers: pd.DataFrame
    transactions: pd.DataFrame
    communications: pd.DataFrame
    feedback: pd.DataFrame
    ratings: pd.DataFrame
    events: pd.DataFrame
    campaigns: pd.DataFrame
    cases: pd.DataFrame
    remedies: pd.DataFrame
    opportunities: pd.DataFrame
    truth: Truth = field(repr=False)

    @property
    def tables(self) -> dict[str, pd.DataFrame]:
        """The tables by name, without the truth."""
        return {name: getattr(self, name) for name in _TABLES}

    def __repr__(self) -> str:
        sizes = ", ".join(f"{name}={len(frame):,}" for name, frame in self.tables.items())
        return f"Company({sizes})"

    def _repr_html_(self) -> str:
        rows = [(name, len(frame), ", ".join(map(str, frame.columns))) for name, frame in self.tables.items()]
        return element("div", table(("table", "rows", "columns"), rows, caption="A simulated company"))


def make_company(
    n_customers: int = 2_000,
    *,
    seed: int = 0,
    language: Language = "both",
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
        Ten tables and ``truth``.

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
    _check(
        {
            "n_customers": n_customers,
            "seed": seed,
            "language": language,
            "weeks": weeks,
            "joining_weeks": joining_weeks,
            "horizon_weeks": horizon_weeks,
            "purchase": purchase,
            "spend": spend,
            "season": season,
            "effect": effect,
        }
    )
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
    expected = latent.rate * _integral(
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
    opportunities, opportunity_truth = draw_opportunities(customers, latent, seed=seed, calendar=calendar, end=end)
    alive = orders.left >= end
    names = products().index.to_numpy(dtype=object)
    truth = Truth(
        parameters={
            **_parameters(purchase, spend),
            "season": season,
            "effect": effect,
            "seed": seed,
            "language": language,
            "start": start,
            "timezone": timezone,
            "currency": currency,
            "window_weeks": weeks,
            "horizon_weeks": horizon_weeks,
            "cutoff": str(np.datetime64(start, "D") + np.timedelta64(int(np.ceil(end)), "D")),
            "margin": MARGIN,
        },
        customers=pd.DataFrame(
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
            index=customers.index,
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
        opportunities=opportunity_truth,
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
        opportunities=opportunities,
        truth=truth,
    )


def _integral(decay: Any, length: float) -> Any:
    """Give the integral of exp(-decay t) from 0 to length, also where decay is 0."""
    small = decay * length < 1e-12
    return np.where(small, length, -np.expm1(-decay * length) / np.where(small, 1.0, decay))


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
