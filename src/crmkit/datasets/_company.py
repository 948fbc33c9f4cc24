"""A simulated company: its tables, and the truth they were drawn from."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from crmkit.core.html import element, table

if TYPE_CHECKING:
    import pandas as pd

    from crmkit.datasets._truth import Truth

__all__ = ["Company"]

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
    "opportunity_history",
)


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
        As they stand at the end: opportunity_id, customer_id, time, day, stage, amount, agent, contacts,
        close_time.
    opportunity_history : pandas.DataFrame
        One row a stage that an opportunity entered, "won" and "lost" included: opportunity_id, customer_id, time and
        day of entering, stage, amount, agent, region, close_time (in an open stage the close then expected).
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
    opportunity_history: pd.DataFrame
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
