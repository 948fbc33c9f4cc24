"""Which contacts are allowed, which of them is made, and when at the earliest."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.contact._caps import Contacts
from crmkit.contact._check import fits
from crmkit.contact._consent import Consent, opted_out
from crmkit.contact._hours import start_times
from crmkit.contact._zones import zones_of
from crmkit.core import html
from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.contact._strategy import Strategy

    Bools = npt.NDArray[np.bool_]

__all__ = ["Actions", "propose"]

_NO_RULE, _OPTED_OUT, _REFUSED = "no rule fits", "opted out", "refused"
_NO_CONSENT, _NO_ADDRESS, _TOO_SOON = "no consent", "no address", "too soon after the last"


@dataclass(frozen=True, eq=False)
class Actions:
    """Proposed contacts, and who gets none and why.

    Parameters
    ----------
    table : DataFrame
        A row a customer who gets a contact: ``customer_id, rule, channel, content, purpose, not_before`` (UTC),
        ``hour`` (local), ``reason`` (the condition that fits).
    candidates : DataFrame
        The same columns and ``rank``, for every allowed pair of customer and rule.
    set_aside : DataFrame
        A row a customer who gets none: ``customer_id, rule, reason``; the rule is the best that fits, if any does.
    """

    table: pd.DataFrame
    candidates: pd.DataFrame
    set_aside: pd.DataFrame

    def chosen(self, plan: Any) -> pd.DataFrame:
        """Give the contacts that a plan of the options has chosen.

        Parameters
        ----------
        plan : table
            ``plan.table``: ``case_id`` and ``remedy``, and ``share`` if there; shares of 0 and ``"nothing"`` are left
            out.

        Returns
        -------
        DataFrame
            In the plan's order, with the columns of ``table``.

        Raises
        ------
        DataError
            If a row is no allowed contact, or a share is not 0 or 1, naming positions.
        """
        frame = as_frame(plan, what="plan")
        require_columns(frame, ["case_id", "remedy"], what="plan")
        made = (frame["remedy"] != "nothing").to_numpy(dtype=bool)
        if "share" in frame.columns:
            share = frame["share"].to_numpy(dtype=np.float64)
            parted = made & (share > 0) & (share < 1)
            if parted.any():
                raise DataError(f"plan: nobody can be contacted in part, share is not 0 or 1 in {positions(parted)}")
            made = made & (share > 0)
        keys = pd.MultiIndex.from_frame(self.candidates[["customer_id", "rule"]])
        wanted = pd.MultiIndex.from_arrays([frame.loc[made, "case_id"], frame.loc[made, "remedy"]])
        place = keys.get_indexer(wanted)
        if (place < 0).any():
            wrong = np.zeros(len(frame), dtype=bool)
            wrong[np.flatnonzero(made)[place < 0]] = True
            raise DataError(f"plan: not among the allowed contacts: {positions(wrong)}")
        return self.candidates.iloc[place][list(self.table.columns)].reset_index(drop=True)

    def __repr__(self) -> str:
        return f"Actions({len(self.table):,} contacts, {len(self.set_aside):,} customers set aside)"

    def _repr_html_(self) -> str:
        made = self.table.groupby(["rule", "channel"], sort=False).size().reset_index(name="contacts")
        aside = self.set_aside.groupby("reason", sort=False).size().reset_index(name="customers")
        tables = [(made, "Proposed contacts"), (aside, "Customers set aside")]
        return "".join(html.table(list(part.columns), part.to_numpy().tolist(), caption=name) for part, name in tables)


def propose(
    strategy: Strategy, customers: pd.DataFrame, at: pd.Timestamp, history: Any, consent: Any, hour: str | None
) -> Actions:
    """Find the allowed pairs, then the first of each customer."""
    rules = strategy.rules
    fit, _ = fits(rules, customers)
    why = _refusals(strategy, customers, fit, at, history, consent)
    allowed = fit & (why == "")
    # A stable order: by rank, then as the table stands.
    order = np.argsort(rules["rank"].to_numpy(), kind="stable")
    row, place = np.nonzero(allowed[:, order])
    rule = order[place]
    candidates = _described(strategy, customers, at, row, rule, hour)
    first = ~pd.Series(row).duplicated().to_numpy(dtype=bool)
    table = candidates.loc[first].drop(columns="rank").reset_index(drop=True)
    left = ~allowed.any(axis=1)
    fitting = fit[:, order]
    best = order[fitting.argmax(axis=1)] if len(order) else np.zeros(len(customers), dtype=np.intp)
    any_fits = fit.any(axis=1)
    names = rules["rule"].to_numpy(dtype=object)
    reason = np.full(len(customers), _NO_RULE, dtype=object)
    best_rule = np.full(len(customers), None, dtype=object)
    reason[any_fits] = why[np.flatnonzero(any_fits), best[any_fits]]
    best_rule[any_fits] = names[best[any_fits]]
    aside = {"customer_id": customers.index[left], "rule": best_rule[left], "reason": reason[left]}
    return Actions(table, candidates, pd.DataFrame(aside))


def _refusals(
    strategy: Strategy, customers: pd.DataFrame, fit: Bools, at: pd.Timestamp, history: Any, consent: Any
) -> npt.NDArray[np.object_]:
    """Say for each customer and rule why a contact may not be made, empty where it may."""
    contacts = Contacts(history, customers.index, at)
    register = Consent(consent, customers, at)
    strange = register.undeclared(strategy.channels)
    if strange:
        warnings.warn(
            f"consent names channels that the strategy has not: {', '.join(map(repr, strange))}; answers for them "
            f"count for none of {', '.join(map(repr, strategy.channels))}",
            DataWarning,
            stacklevel=4,
        )
    why = np.full(fit.shape, "", dtype=object)
    out = opted_out(customers)
    full = [contacts.full(limit) for limit in strategy.limits]
    for place, rule in enumerate(strategy.rules.to_dict("records")):
        channel = strategy.channels[rule["channel"]]
        tests: list[tuple[Any, str]] = [(out, _OPTED_OUT)]
        refused, lacking = register.given(channel, rule["purpose"])
        tests += [(refused, _REFUSED), (lacking, _NO_CONSENT)]
        if channel.address is not None:
            column = customers[channel.address]
            tests.append(((column.isna() | (column.astype(object) == "")).to_numpy(dtype=bool), _NO_ADDRESS))
        concerned = zip(strategy.limits, full, strict=True)
        tests += [(mask, lim.spoken) for lim, mask in concerned if lim.concerns(rule["channel"], rule["purpose"])]
        if np.isfinite(rule["every_days"]):
            same = contacts.counts(rule["every_days"], channel=rule["channel"], content=rule["content"])
            tests.append((same > 0, _TOO_SOON))
        for mask, reason in reversed(tests):
            why[mask, place] = reason
    return why


def _described(
    strategy: Strategy,
    customers: pd.DataFrame,
    at: pd.Timestamp,
    row: npt.NDArray[np.intp],
    rule: npt.NDArray[np.intp],
    hour: str | None,
) -> pd.DataFrame:
    """Write the allowed pairs as a table, with the first instant of each."""
    terms = strategy.rules.iloc[rule]
    hours = np.full(len(customers), np.nan)
    if hour is not None:
        require_columns(customers, [hour], what="customers", hint="join what BestTime.predict gives")
        hours = pd.to_numeric(customers[hour], errors="coerce").to_numpy(dtype=np.float64, na_value=np.nan)
        wrong = ~np.isnan(hours) & ~np.isin(hours, np.arange(24))
        if wrong.any():
            raise DataError(f"customers: {hour} must be a whole hour from 0 to 23 in {positions(wrong)}")
    zones = zones_of(customers, strategy.timezone)[row]
    channel = terms["channel"].to_numpy(dtype=object)
    start, local = start_times(strategy.quiet, at, channel, zones, hours[row])
    return pd.DataFrame(
        {
            "customer_id": customers.index[row],
            "rule": terms["rule"].to_numpy(dtype=object),
            "channel": channel,
            "content": terms["content"].to_numpy(dtype=object),
            "purpose": terms["purpose"].to_numpy(dtype=object),
            "not_before": start,
            "hour": local,
            "reason": terms["where"].to_numpy(dtype=object),
            "rank": terms["rank"].to_numpy(),
        }
    )
