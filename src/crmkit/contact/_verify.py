"""Checks contacts against the raw tables by other means than those that proposed them, expressions excepted."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from zoneinfo import ZoneInfo

import pandas as pd

from crmkit.contact._ids import same_kind
from crmkit.core import html
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    import datetime as dt

    from crmkit.contact._strategy import Strategy

__all__ = ["Verification", "verify"]

_TERMS = ("channel", "content", "purpose")


@dataclass(frozen=True, eq=False)
class Verification:
    """What a check of contacts found.

    Parameters
    ----------
    violations : DataFrame
        ``row`` (position in the checked table) and ``reason``, empty where all is well.
    checked : int
        How many rows were contacts.
    """

    violations: pd.DataFrame
    checked: int

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.violations.empty

    def __repr__(self) -> str:
        if self.ok:
            return f"Verification(ok, {self.checked:,} contacts)"
        counts = self.violations["reason"].value_counts(sort=False)
        told = [f"{reason}: {positions(self._rows(reason))}" for reason in counts.index]
        return f"Verification({self.checked:,} contacts; " + "; ".join(told) + ")"

    def _rows(self, reason: str) -> list[bool]:
        """Mark the rows with a reason."""
        rows = set(self.violations.loc[self.violations["reason"] == reason, "row"])
        return [row in rows for row in range(max(rows) + 1)]

    def _repr_html_(self) -> str:
        return html.table(["row", "reason"], self.violations.to_numpy().tolist(), caption=repr(self))


def verify(
    table: Any, customers: Any, *, strategy: Strategy, at: Any, history: Any = None, consent: Any = None
) -> Verification:
    """Check that every contact of a table may be made, from the raw tables.

    It is asked again, row by row and by other means than those that proposed it: does the rule exist and fit, is the
    customer known, opted out, in want of consent or address; do the contacts in the history, and those of this table,
    keep the limits and the rhythm; does the row say what its rule says; is ``not_before``, where it stands, outside
    quiet hours. Rows of a table of options are alternatives, so that each is checked alone; in a table of actions or of
    a plan all rows are carried out, and count together. It is a loop over contacts on purpose: slower than what it
    checks, and plain to read. Cost: some 50 microseconds a contact.

    Parameters
    ----------
    table : table
        What ``Strategy.options`` or ``Strategy.actions(...).table`` gave, or ``plan.table`` of such options. Rows whose
        ``remedy`` is ``"nothing"`` or whose ``share`` is 0 are no contacts.
    customers, at, history, consent : object
        As for :meth:`Strategy.actions`.
    strategy : Strategy
        What the contacts follow.

    Returns
    -------
    Verification
        With ``ok`` and ``violations``: row positions and reasons, never ids.

    Raises
    ------
    DataError
        If a table lacks a column that is needed to check.
    """
    frame = as_frame(table, what="contacts")
    who = "customer_id" if "customer_id" in frame.columns else "case_id"
    what = "remedy" if "remedy" in frame.columns else "rule"
    require_columns(frame, [who, what], what="contacts")
    alternatives = what == "remedy" and "share" not in frame.columns
    people = as_frame(customers, what="customers")
    people = people.reset_index() if "customer_id" not in people.columns else people
    require_columns(people, ["customer_id"], what="customers")
    twice = people["customer_id"].duplicated(keep=False)
    if twice.any():
        raise DataError(f"customers: a customer_id stands more than once in {positions(twice)}")
    now = pd.Timestamp(at)
    if now.tzinfo is None:
        raise ValueError("at needs a time zone")
    facts = _Facts(people, set(frame[who].tolist()), strategy, now, history, consent)
    found: list[tuple[int, str]] = []
    made: dict[Any, list[str]] = {}
    shares = frame["share"].tolist() if "share" in frame.columns else [1.0] * len(frame)
    starts = frame["not_before"].tolist() if "not_before" in frame.columns else [None] * len(frame)
    cases = frame["case_id"].tolist() if "case_id" in frame.columns else frame[who].tolist()
    # In a table of options these may be columns of the customers.
    terms = [name for name in (*_TERMS, "hour") if what == "rule" and name in frame.columns]
    written = frame[terms].to_dict("records") if terms else [{}] * len(frame)
    checked = 0
    for row, (person, case, rule, share, start) in enumerate(
        zip(frame[who].tolist(), cases, frame[what].tolist(), shares, starts, strict=True)
    ):
        if rule == "nothing" or share == 0:
            continue
        checked += 1
        reasons = facts.of(person, rule, [] if alternatives else made.get(person, []))
        if str(case) != str(person):
            reasons.append("the case of another customer")
        if not abs(share - 1) <= 1e-9:
            reasons.append("in part")
        if not reasons:
            reasons = facts.unlike(person, rule, start, written[row])
        if not reasons and start is not None:
            reasons = facts.too_early(person, rule, start)
        found += [(row, reason) for reason in reasons]
        made.setdefault(person, []).append(rule)
    return Verification(pd.DataFrame(found, columns=["row", "reason"]), checked)


class _Facts:
    """What the raw tables say of the people to be contacted, as dictionaries, asked one contact at a time."""

    def __init__(
        self, people: pd.DataFrame, asked: set[Any], strategy: Strategy, now: pd.Timestamp, history: Any, consent: Any
    ) -> None:
        ids = pd.Index(people["customer_id"])
        people = people[people["customer_id"].isin(asked)]
        self.strategy = strategy
        self.now = now
        self.rules = {rule["rule"]: rule for rule in strategy.rules.to_dict("records")}
        self.people = {person["customer_id"]: person for person in people.to_dict("records")}
        self.fitting: dict[str, set[Any]] = {}
        for name, rule in self.rules.items():
            fit = parse(rule["where"]).evaluate(people).values
            self.fitting[name] = set(people["customer_id"][fit]) if fit.dtype == bool else set()
        self.past: dict[Any, list[dict[Any, Any]]] = {}
        if history is not None:
            contacts = as_frame(history, what="history")
            require_columns(contacts, ["customer_id", "time"], what="history")
            same_kind(contacts["customer_id"], ids, "history")
            _dated(contacts, "history", missing=False)
            for contact in contacts[contacts["customer_id"].isin(asked)].to_dict("records"):
                if contact.get("direction") != "in" and contact["time"] <= now:
                    self.past.setdefault(contact["customer_id"], []).append(contact)
        self.answers: dict[Any, list[dict[Any, Any]]] | None = None
        if consent is not None:
            register = as_frame(consent, what="consent")
            require_columns(register, ["customer_id", "channel", "granted"], what="consent")
            same_kind(register["customer_id"], ids, "consent")
            for name in ("time", "expires"):
                if name in register.columns and register[name].notna().any():
                    _dated(register, "consent", name, missing=True)
            self.answers = {}
            for answer in register[register["customer_id"].isin(asked)].to_dict("records"):
                self.answers.setdefault(answer["customer_id"], []).append(answer)

    def of(self, person: Any, name: str, made: list[str]) -> list[str]:
        """List what speaks against a contact, those of the same table made before it included."""
        if name not in self.rules:
            return ["unknown rule"]
        if person not in self.people:
            return ["unknown customer"]
        rule, row = self.rules[name], self.people[person]
        channel = self.strategy.channels.get(rule["channel"])
        if channel is None:
            return ["unknown channel"]
        found = [] if person in self.fitting[name] else ["the rule does not fit"]
        if _yes(row.get("opted_out", False), "customers: opted_out", unsaid=True):
            found.append("opted out")
        found += self._unwilling(person, row, rule)
        if channel.address is not None and (pd.isna(row.get(channel.address)) or row[channel.address] == ""):
            found.append("no address")
        found += [limit.spoken for limit in self.strategy.limits if self._broken(limit, person, rule, made)]
        again = name in made or any(
            _matches(contact, "channel", rule["channel"])
            and _matches(contact, "content", rule["content"])
            and contact["time"] > self.now - pd.Timedelta(days=rule["every_days"])
            for contact in (self.past.get(person, []) if pd.notna(rule["every_days"]) else [])
        )
        return [*found, "too soon after the last"] if again else found

    def _unwilling(self, person: Any, row: dict[Any, Any], rule: dict[Any, Any]) -> list[str]:
        """Say whether consent was refused or is lacking."""
        channel = self.strategy.channels[rule["channel"]]
        needed = channel.consent if isinstance(channel.consent, bool) else rule["purpose"] in channel.consent
        if self.answers is None:
            named = f"consent_{channel.name}"
            said = _yes(row.get(named), f"customers: {named}", unsaid=False) if needed else True
            return [] if said else ["no consent"]
        scopes: dict[tuple[Any, Any], list[tuple[float, bool, bool]]] = {}
        for answer in self.answers.get(person, []):
            channel_named, purpose_named = _named(answer, "channel"), _named(answer, "purpose")
            if channel_named not in {"", rule["channel"]} or purpose_named not in {"", rule["purpose"]}:
                continue
            granted = _yes(answer["granted"], "consent: granted", unsaid=False)
            time, until = answer.get("time", self.now), answer.get("expires")
            if pd.isna(time):
                # Of unknown time a grant is none, and a refusal is never outdated.
                if granted:
                    continue
                time = self.now
            if time <= self.now:
                # Of answers of one instant the refusal is the last.
                lapsed = granted and not pd.isna(until) and until <= self.now
                scopes.setdefault((channel_named, purpose_named), []).append((time.timestamp(), not granted, lapsed))
        standing = [_standing(sorted(answers)) for answers in scopes.values()]
        if "refused" in standing:
            return ["refused"]
        return ["no consent"] if needed and "granted" not in standing else []

    def _broken(self, limit: Any, person: Any, rule: dict[Any, Any], made: list[str]) -> bool:
        """Say whether the contact is one too many."""
        if limit.channel not in {None, rule["channel"]} or limit.purpose not in {None, rule["purpose"]}:
            return False
        since = self.now - pd.Timedelta(days=limit.days)
        before = sum(
            contact["time"] > since
            and (limit.channel is None or _matches(contact, "channel", limit.channel))
            and (limit.purpose is None or _matches(contact, "purpose", limit.purpose))
            for contact in self.past.get(person, [])
        )
        planned = [self.rules[name] for name in made if name in self.rules]
        before += sum(
            limit.channel in {None, other["channel"]} and limit.purpose in {None, other["purpose"]} for other in planned
        )
        return bool(before + 1 > limit.most)

    def _local(self, person: Any, start: pd.Timestamp) -> dt.datetime:
        """Give an instant on the customer's wall."""
        zone = self.people[person].get("timezone")
        try:
            return start.to_pydatetime().astimezone(
                ZoneInfo(zone if isinstance(zone, str) and zone else self.strategy.timezone)
            )
        except (KeyError, ValueError, OSError):
            raise DataError("customers: timezone of a contact is not a name of the IANA database") from None

    def unlike(self, person: Any, name: str, start: Any, written: dict[Any, Any]) -> list[str]:
        """List what a row says otherwise than its rule, or than its own instant."""
        rule = self.rules[name]
        found = [
            f"another {term} than the rule's" for term in _TERMS if term in written and written[term] != rule[term]
        ]
        dated = "hour" in written and isinstance(start, pd.Timestamp) and start.tzinfo is not None
        if dated and written["hour"] != self._local(person, start).hour:
            found.append("another hour than that of not_before")
        return found

    def too_early(self, person: Any, name: str, start: Any) -> list[str]:
        """Say whether a contact would begin before ``at`` or in quiet hours."""
        if pd.isna(start) or start.tzinfo is None:
            raise DataError("contacts: not_before must hold instants with a time zone")
        if start < self.now:
            return ["before at"]
        local = self._local(person, start)
        clock, day = f"{local:%H:%M}", ("mon", "tue", "wed", "thu", "fri", "sat", "sun")[local.weekday()]
        for hours in self.strategy.quiet:
            if hours.channels is not None and self.rules[name]["channel"] not in hours.channels:
                continue
            night = False
            if hours.start is not None and hours.end is not None:
                since, until = clock >= hours.start, clock < hours.end
                night = (since and until) if hours.start < hours.end else (since or until)
            if night or day in hours.days or local.date().isoformat() in hours.holidays:
                return ["in quiet hours"]
        return []


def _dated(table: pd.DataFrame, what: str, name: str = "time", *, missing: bool) -> None:
    """Refuse times that are no instants, for which nothing can be checked."""
    if len(table) and not isinstance(table[name].dtype, pd.DatetimeTZDtype):
        raise DataError(f"{what}: {name} must hold instants with a time zone")
    if not missing and table[name].isna().any():
        raise DataError(f"{what}: {name} is missing in {positions(table[name].isna())}")


def _matches(row: dict[Any, Any], name: str, value: Any) -> bool:
    """Say whether a row's cell is a value, or missing and so all values."""
    cell = row.get(name)
    return bool(pd.isna(cell)) or bool(cell == value)


def _named(answer: dict[Any, Any], part: str) -> Any:
    """Give the channel or purpose of an answer, empty where it is for all."""
    cell = answer.get(part)
    if isinstance(cell, str):
        return cell.strip()
    return "" if pd.isna(cell) else cell


def _standing(answers: list[tuple[float, bool, bool]]) -> str:
    """Say what answers of one scope, in their order, come to: the last one's word, a lapsed grant having none."""
    kept = [refusal for _, refusal, lapsed in answers if not lapsed]
    if not kept:
        return "nothing"
    if kept[-1]:
        return "refused"
    return "nothing" if answers[-1][2] else "granted"


def _yes(cell: Any, what: str, *, unsaid: bool) -> bool:
    """Read an answer, written as a truth value, a number or a word."""
    if not isinstance(cell, list | tuple | set | dict) and (pd.isna(cell) or str(cell).strip() == ""):
        return unsaid
    word = str(cell).strip().lower()
    if word in {"true", "1", "1.0", "yes", "是"}:
        return True
    if word in {"false", "0", "0.0", "no", "否"}:
        return False
    raise DataError(f"{what} must be true or false, and is neither for a customer who is to be contacted")
