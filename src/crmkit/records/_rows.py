"""One row of each schema as a frozen record that shows no personal data when printed."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.records._schemas import (
    CAMPAIGNS,
    CASES,
    COMMUNICATIONS,
    CUSTOMERS,
    EVENTS,
    FEEDBACK,
    OPPORTUNITIES,
    RATINGS,
    SCHEMAS,
    TRANSACTIONS,
)

if TYPE_CHECKING:
    import datetime as dt
    from collections.abc import Iterator, Mapping

    from crmkit.records._schema import Schema

__all__ = [
    "CampaignContact",
    "Case",
    "Communication",
    "Customer",
    "Event",
    "Feedback",
    "Opportunity",
    "Rating",
    "Row",
    "Transaction",
    "rows",
]

_SHOWN = frozenset({"pseudonym"})


@dataclass(frozen=True, kw_only=True, repr=False)
class Row:
    """What the records of all schemas share: columns by name, and a repr that masks personal data.

    Parameters
    ----------
    customer_id : str
        Whose row it is.
    extra : mapping, default={}
        Columns of the table that the schema does not name.
    """

    customer_id: str
    extra: Mapping[str, Any] = field(default_factory=dict, hash=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "extra", dict(self.extra))

    def keys(self) -> tuple[str, ...]:
        """Give the names of the columns, those of the schema first."""
        own = (each.name for each in dataclasses.fields(self) if each.name != "extra")
        return (*own, *self.extra)

    def __getitem__(self, name: str, /) -> Any:
        if name in self.extra:
            return self.extra[name]
        if name not in self.keys():
            raise KeyError(f"{type(self).__name__} has no {name!r}; it has: {', '.join(self.keys())}")
        return getattr(self, name)

    def __repr__(self) -> str:
        personal = {column.name: column.personal for column in _SCHEMA_OF.get(type(self), ())}
        parts = []
        for name in self.keys():
            value = None if name in self.extra else getattr(self, name)
            if value is None:
                continue
            kind = personal.get(name)
            shown = repr(value) if kind is None or kind in _SHOWN else f"<{kind}>"
            parts.append(f"{name}={shown}")
        if self.extra:
            parts.append(f"extra=<{len(self.extra)} columns>")
        return f"{type(self).__name__}({', '.join(parts)})"


@dataclass(frozen=True, kw_only=True, repr=False)
class Customer(Row):
    """One row of CUSTOMERS."""

    time: dt.datetime | None = None
    day: int | None = None
    name: str | None = None
    email: str | None = None
    phone: str | None = None
    member_id: str | None = None
    address: str | None = None
    postal_code: str | None = None
    city: str | None = None
    region: str | None = None
    country: str | None = None
    birth_date: dt.datetime | None = None
    gender: str | None = None
    company: str | None = None
    segment: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Transaction(Row):
    """One row of TRANSACTIONS."""

    time: dt.datetime
    day: int
    amount: float
    recorded_time: dt.datetime | None = None
    order_id: str | None = None
    product_id: str | None = None
    quantity: float | None = None
    unit_price: float | None = None
    currency: str | None = None
    channel: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Communication(Row):
    """One row of COMMUNICATIONS."""

    time: dt.datetime
    day: int
    recorded_time: dt.datetime | None = None
    channel: str | None = None
    direction: str | None = None
    agent: str | None = None
    duration: float | None = None
    conversation_id: str | None = None
    turn: int | None = None
    text: str | None = None
    label: str | None = None
    case_id: str | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Feedback(Row):
    """One row of FEEDBACK."""

    score: float
    time: dt.datetime | None = None
    day: int | None = None
    recorded_time: dt.datetime | None = None
    question: str | None = None
    scale_low: float | None = None
    scale_high: float | None = None
    text: str | None = None
    channel: str | None = None
    order_id: str | None = None
    case_id: str | None = None
    label: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Rating(Row):
    """One row of RATINGS."""

    item_id: str
    rating: float
    time: dt.datetime | None = None
    day: int | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Event(Row):
    """One row of EVENTS."""

    time: dt.datetime
    day: int
    recorded_time: dt.datetime | None = None
    event: str | None = None
    item_id: str | None = None
    channel: str | None = None
    conversation_id: str | None = None
    campaign_id: str | None = None
    amount: float | None = None
    currency: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class CampaignContact(Row):
    """One row of CAMPAIGNS: a customer reached by a campaign."""

    time: dt.datetime
    day: int
    campaign_id: str
    recorded_time: dt.datetime | None = None
    arm: str | None = None
    channel: str | None = None
    outcome: str | float | None = None
    cost: float | None = None
    currency: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Case(Row):
    """One row of CASES."""

    case_id: str
    time: dt.datetime
    day: int
    recorded_time: dt.datetime | None = None
    closed_time: dt.datetime | None = None
    stage: str | None = None
    label: str | None = None
    priority: str | None = None
    text: str | None = None
    channel: str | None = None
    agent: str | None = None
    order_id: str | None = None
    amount: float | None = None
    currency: str | None = None
    score: float | None = None
    remedy: str | None = None
    outcome: str | float | None = None
    email: str | None = None
    phone: str | None = None


@dataclass(frozen=True, kw_only=True, repr=False)
class Opportunity(Row):
    """One row of OPPORTUNITIES."""

    time: dt.datetime
    day: int
    recorded_time: dt.datetime | None = None
    opportunity_id: str | None = None
    close_time: dt.datetime | None = None
    stage: str | None = None
    amount: float | None = None
    currency: str | None = None
    channel: str | None = None
    agent: str | None = None
    label: str | None = None
    outcome: str | float | None = None


_CLASS_OF: dict[str, type[Row]] = {
    CUSTOMERS.name: Customer,
    TRANSACTIONS.name: Transaction,
    COMMUNICATIONS.name: Communication,
    FEEDBACK.name: Feedback,
    RATINGS.name: Rating,
    EVENTS.name: Event,
    CAMPAIGNS.name: CampaignContact,
    CASES.name: Case,
    OPPORTUNITIES.name: Opportunity,
}
_SCHEMA_OF: dict[type[Row], Schema] = {kind: SCHEMAS[name] for name, kind in _CLASS_OF.items()}


def rows(table: Any, schema: Schema) -> Iterator[Row]:
    """Go through a table that was read, one record a row.

    For programs that work on one customer at a time, such as a rule or a message; arithmetic over many rows is faster
    on the table's columns. Records are made as they are asked for: memory stays that of the table.

    Parameters
    ----------
    table : DataFrame
        The ``table`` of ``read``; ``customer_id`` may be its index.
    schema : Schema
        One of the nine.

    Returns
    -------
    iterator of Row
        Frozen records such as ``Transaction``; missing cells are None, columns the schema does not name stand in
        ``extra``. Their ``repr`` masks names, addresses, phones, e-mails, birth dates and free text.

    Raises
    ------
    DataError
        If the table lacks a column that every record has.
    ValueError
        If the schema is not one of the nine.

    Examples
    --------
    >>> from crmkit import records
    >>> table = records.read(
    ...     {"customer_id": ["a"], "name": ["Wang Lei"], "phone": ["13800138000"]}, records.CUSTOMERS
    ... ).table
    >>> row = next(records.rows(table, records.CUSTOMERS))
    >>> row
    Customer(customer_id='a', name=<name>, phone=<phone>)
    >>> row["phone"]
    '13800138000'
    """
    kind = _CLASS_OF.get(schema.name)
    if kind is None:
        raise ValueError(f"rows knows {', '.join(_CLASS_OF)}; got a schema named {schema.name!r}")
    frame = as_frame(table, what="table")
    if "customer_id" not in frame.columns and frame.index.name == "customer_id":
        frame = frame.reset_index()
    fields = {each.name: each for each in dataclasses.fields(kind) if each.name != "extra"}
    needed = [name for name, each in fields.items() if each.default is dataclasses.MISSING]
    require_columns(frame, needed, what="table", hint="read it with records.read")
    return _iterate(frame, kind, fields)


def _iterate(frame: pd.DataFrame, kind: type[Row], fields: Mapping[str, Any]) -> Iterator[Row]:
    """Make the records."""
    names = [str(name) for name in frame.columns]
    others = [name for name in names if name not in fields]
    for cells in frame.itertuples(index=False, name=None):
        values = {name: _plain(cell) for name, cell in zip(names, cells, strict=True)}
        extra = {name: values.pop(name) for name in others}
        yield kind(**values, extra=extra)


def _plain(cell: Any) -> Any:
    """Give None for a missing cell and Python's own types for the rest."""
    if pd.api.types.is_scalar(cell) and pd.isna(cell):
        return None
    if isinstance(cell, pd.Timestamp):
        return cell.to_pydatetime()
    return cell.item() if hasattr(cell, "item") else cell
