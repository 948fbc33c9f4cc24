"""Makes one case an incident out of all the signs of it in a company's tables."""

from __future__ import annotations

import json
import warnings
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.casework._ids import as_ids, as_optional_texts
from crmkit.casework._instants import MISSING, as_instant, as_instants, as_zone, from_instants
from crmkit.casework._instants import now as this_moment
from crmkit.casework._rules import Rule, read_rules
from crmkit.core.checks import as_frame, by_customer, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from collections.abc import Mapping
    from zoneinfo import ZoneInfo

    import numpy.typing as npt

__all__ = ["cases_from"]

_DAY = 86_400_000_000
_SIGNS = ("rule", "table", "row", "customer_id", "time", "key", "amount", "label", "confidence", "cause", "urgency")


def cases_from(
    tables: Mapping[str, Any],
    rules: Any,
    *,
    customers: Any = None,
    at_stake: str | None = None,
    within_days: float = 7.0,
    as_of: Any = None,
    timezone: str | None = None,
    known: Any = None,
) -> pd.DataFrame:
    """Make one case an incident, whatever tables show it: a low mark, a complaint, a cancellation, a missed deadline.

    Signs with the same value of their rule's ``key`` (the same order) are one incident. A sign without a key joins the
    customer's nearest incident with one that has a sign at most ``within_days`` away; those that are left are one
    incident as long as each lies at most that far from the one before it. Costs one sort of the signs.

    Parameters
    ----------
    tables : mapping of str to table
        The tables that the rules name, with ``customer_id``, the columns of the rules and ``time``. ``amount``,
        ``label`` and ``confidence`` (of a classifier) are taken along where there are such columns.
    rules : sequence of Rule or mapping, table, or path to TOML
        What is a sign (:class:`Rule`). Where rules of one incident disagree on the cause or the label, the one that
        stands first counts.
    customers : table or None, default=None
        One row a customer, whose columns are joined to each case; a column that the case has too is called
        ``customer_<name>``.
    at_stake : str or None, default=None
        A number or expression over the customers' columns, such as ``"lifetime_value"``: the value that may be lost.
    within_days : float, default=7.0
        As above.
    as_of : time, default=None
        What has passed by then; rows at or after it are left out. None for now.
    timezone : str or None, default=None
        Of times without an offset; None refuses them.
    known : array-like of str, default=None
        Ids of the cases that there are, such as ``store.cases()["case_id"]``. An incident of which a sign has made a
        case keeps that case's id, also when a sign with a key or an earlier one comes to it later; without it such an
        incident gets a new id.

    Returns
    -------
    pandas.DataFrame
        One row an incident in the order of their first signs: ``case_id`` (``"order_id:17"``, or
        ``"c1@2026-03-01T08:00:00Z"`` for the customer and the first sign, so that the same incident has the same id
        tomorrow unless an earlier sign or a key comes to it), ``customer_id``, ``time`` of the first sign,
        ``last_time``, ``rules`` (``"; "`` between them), ``cause``, ``label``, ``confidence``, ``urgency`` (the
        greatest), ``amount`` (of the rows that are signs, each once, as a positive number), ``signs`` (how many),
        ``evidence`` (JSON: rule, table and row of each sign, no words of a customer), ``value_at_stake``, and the
        customers' columns.

    Raises
    ------
    DataError
        If a table or column is missing, or one incident has two customers.

    Warns
    -----
    DataWarning
        With counts, of rows that cannot be used: no time, neither customer nor key, a condition that is not known; and
        of cases without a customer or a value at stake, which stay.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.casework import Rule, cases_from
    >>> sales = pd.DataFrame({"customer_id": ["a"], "order_id": ["7"], "amount": [-20.0],
    ...                       "time": pd.to_datetime(["2026-03-02T10:00Z"])})
    >>> marks = pd.DataFrame({"customer_id": ["a", "b"], "score": [1, 5],
    ...                       "time": pd.to_datetime(["2026-03-03T10:00Z", "2026-03-03T10:00Z"])})
    >>> rules = [Rule(name="cancelled", table="sales", where="amount < 0", key="order_id", cause="cancelled"),
    ...          Rule(name="low mark", table="marks", where="score <= 2", urgency=1)]
    >>> cases = cases_from({"sales": sales, "marks": marks}, rules)
    >>> cases[["case_id", "rules", "amount", "urgency"]].values.tolist()
    [['order_id:7', 'cancelled; low mark', 20.0, 1.0]]
    """
    read = read_rules(rules)
    zone = as_zone(timezone)
    until = this_moment() if as_of is None else as_instant(as_of, zone, what="as_of")
    if not (np.isfinite(within_days) and within_days > 0):
        raise DataError(f"within_days must be more than 0, got {within_days!r}")
    lacking = sorted({rule.table for rule in read} - set(tables))
    if lacking:
        raise DataError(
            f"tables lacks {', '.join(map(repr, lacking))}; it has: {', '.join(map(str, tables)) or 'none'}"
        )
    frames = {name: as_frame(tables[name], what=name) for name in dict.fromkeys(rule.table for rule in read)}
    notes: list[str] = []
    found = [_signs(rule, place, frames[rule.table], zone, until, notes) for place, rule in enumerate(read)]
    found = [each for each in found if len(each)] or found[:1]
    signs = pd.concat(found, ignore_index=True)
    incident = _incidents(signs, read, round(within_days * _DAY))
    taken = frozenset() if known is None else frozenset(as_ids(known, what="known").tolist())
    cases = _cases(signs.assign(incident=incident), read, taken)
    cases = _joined(cases, customers, at_stake, notes)
    if notes:
        warnings.warn(f"of {len(cases):,} cases: {'; '.join(notes)}", DataWarning, stacklevel=2)
    return cases


def _signs(
    rule: Rule, place: int, frame: pd.DataFrame, zone: ZoneInfo | None, until: int, notes: list[str]
) -> pd.DataFrame:
    """Give the rows of a table that a rule takes for signs."""
    moment = rule.due or rule.time
    wanted = [name for name in (rule.key, rule.cause_from, rule.done) if name]
    require_columns(frame, ["customer_id", moment, *wanted], what=rule.table, hint=f"rule {rule.name!r} reads it")
    times = as_instants(frame[moment], zone, what=f"{rule.table}: {moment}", missing=True)
    chosen = np.ones(len(frame), dtype=bool)
    if rule.where:
        result = parse(rule.where).evaluate(frame)
        if result.values.dtype.kind != "b":
            raise DataError(f"rule {rule.name!r}: where must be a condition such as 'score <= 2'")
        chosen = np.asarray(result.values, dtype=bool)
        if result.missing.any():
            notes.append(f"of {int(result.missing.sum()):,} rows it is not known whether they are {rule.name!r}")
    if rule.due:
        done = as_instants(frame[rule.done], zone, what=f"{rule.table}: {rule.done}", missing=True)
        chosen &= (times != MISSING) & (np.where(done == MISSING, until, done) > times)
    customer = np.array(as_optional_texts(frame["customer_id"], f"{rule.table}: customer_id"), dtype=object)
    key = np.full(len(frame), None, dtype=object)
    if rule.key:
        key = np.array(as_optional_texts(frame[rule.key], f"{rule.table}: {rule.key}"), dtype=object)
    nobody = chosen & pd.isna(customer) & pd.isna(key)
    timeless = chosen & (times == MISSING)
    for mask, what in ((timeless, "no time"), (nobody & ~timeless, "neither a customer nor a key")):
        if mask.any():
            notes.append(f"{int(mask.sum()):,} rows of {rule.name!r} have {what} and are left out")
    chosen &= ~nobody & ~timeless & (times < until)
    if rule.repeats > 1:
        chosen &= _repeated(customer, times, chosen, rule)
    at = np.flatnonzero(chosen)

    def column(name: str, default: Any) -> Any:
        return frame[name].to_numpy()[at] if name in frame.columns else np.full(len(at), default)

    columns = (
        place,
        rule.table,
        at,
        customer[at],
        times[at],
        key[at],
        np.abs(np.asarray(pd.to_numeric(pd.Series(column("amount", np.nan)), errors="coerce"), dtype=np.float64)),
        np.asarray(column("label", None), dtype=object),
        np.asarray(pd.to_numeric(pd.Series(column("confidence", np.nan)), errors="coerce"), dtype=np.float64),
        np.asarray(column(rule.cause_from, None) if rule.cause_from else np.full(len(at), rule.cause or None), object),
        float(rule.urgency),
    )
    return pd.DataFrame(dict(zip(_SIGNS, columns, strict=True)), index=range(len(at)))


def _repeated(
    customer: npt.NDArray[np.object_], times: npt.NDArray[np.int64], chosen: npt.NDArray[np.bool_], rule: Rule
) -> npt.NDArray[np.bool_]:
    """Say which rows are at least the n-th of their customer within so many days."""
    at = np.flatnonzero(chosen & ~pd.isna(customer))
    codes = pd.factorize(customer[at])[0]
    order = np.lexsort((at, times[at], codes))
    at, codes = at[order], codes[order]
    back = int(rule.repeats) - 1
    again = np.zeros(len(at), dtype=bool)
    if len(at) > back:
        near = times[at][back:] - times[at][:-back] <= rule.days * _DAY
        again[back:] = near & (codes[back:] == codes[:-back])
    result = np.zeros(len(customer), dtype=bool)
    result[at[again]] = True
    return result


def _incidents(signs: pd.DataFrame, rules: list[Rule], within: int) -> npt.NDArray[np.int64]:
    """Number the incident of each sign."""
    names = (
        np.array([rule.key for rule in rules], dtype=object)[signs["rule"].to_numpy()] if len(signs) else np.array([])
    )
    keyed = signs["key"].notna().to_numpy(dtype=bool)
    incident = np.full(len(signs), -1, dtype=np.int64)
    pairs = pd.DataFrame({"name": names[keyed], "key": signs["key"].to_numpy(dtype=object)[keyed]}, dtype=object)
    incident[keyed] = pairs.groupby(["name", "key"], sort=False).ngroup()
    _refuse_mixed(signs, incident)
    n_keyed = int(incident.max(initial=-1)) + 1
    customer = pd.factorize(signs["customer_id"])[0].astype(np.int64)
    time = signs["time"].to_numpy(dtype=np.int64)
    # A sign with a key but without a customer has that of the others of its incident.
    owner = pd.Series(np.where(customer < 0, np.nan, customer)).groupby(incident).transform("first")
    customer = np.where(keyed, owner.fillna(-1), customer).astype(np.int64)
    loose = np.flatnonzero(~keyed)
    loose = loose[np.lexsort((time[loose],))]
    fixed = np.flatnonzero(keyed & (customer >= 0))
    fixed = fixed[np.lexsort((time[fixed],))]
    if len(fixed) and len(loose):
        joined = pd.merge_asof(
            pd.DataFrame({"time": time[loose], "customer": customer[loose]}),
            pd.DataFrame({"time": time[fixed], "customer": customer[fixed], "incident": incident[fixed]}),
            on="time", by="customer", direction="nearest", tolerance=within,
        )["incident"].to_numpy(dtype=np.float64)  # fmt: skip
        incident[loose] = np.where(np.isnan(joined), -1, joined).astype(np.int64)
        loose = loose[np.isnan(joined)]
    loose = loose[np.lexsort((time[loose], customer[loose]))]
    if len(loose):
        new = np.ones(len(loose), dtype=bool)
        new[1:] = (np.diff(customer[loose]) != 0) | (np.diff(time[loose]) > within)
        incident[loose] = n_keyed + np.cumsum(new) - 1
    return incident


def _refuse_mixed(signs: pd.DataFrame, incident: npt.NDArray[np.int64]) -> None:
    """Refuse one incident of two customers."""
    known = (incident >= 0) & signs["customer_id"].notna().to_numpy(dtype=bool)
    owners = signs["customer_id"][known].groupby(incident[known]).nunique()
    mixed = np.isin(incident, owners.index[owners > 1]) & known
    if mixed.any():
        table = signs["table"].to_numpy()[mixed][0]
        rows = signs["row"].to_numpy()[mixed & (signs["table"] == table).to_numpy()]
        where = np.zeros(int(rows.max()) + 1, dtype=bool)
        where[rows] = True
        raise DataError(f"{table}: one key belongs to more than one customer_id, in {positions(where)}")


def _cases(signs: pd.DataFrame, rules: list[Rule], known: frozenset[str]) -> pd.DataFrame:
    """Sum the signs of each incident up."""
    by_rule = signs.sort_values(["incident", "rule", "time", "row"], kind="stable")
    grouped = by_rule.groupby("incident", sort=True)
    cases = pd.DataFrame(
        {
            "customer_id": grouped["customer_id"].first(),
            "time": grouped["time"].min(),
            "last_time": grouped["time"].max(),
            "rules": _told_rules(by_rule, rules),
            "cause": grouped["cause"].first(),
            "urgency": grouped["urgency"].max(),
            "signs": grouped.size(),
        }
    )
    # The label and how sure it is come from one and the same row.
    labelled = by_rule[by_rule["label"].notna()].drop_duplicates("incident").set_index("incident")
    cases["label"], cases["confidence"] = labelled["label"], labelled["confidence"]
    # A row that several rules take for a sign counts once.
    once = signs.drop_duplicates(["table", "row"])
    cases["amount"] = once.groupby("incident")["amount"].sum(min_count=1)
    cases["evidence"] = _evidence(by_rule, rules)
    names = _names(by_rule, rules)
    keyed = by_rule["key"].notna()
    # The key's name, else that of the first sign, else of a sign that made a case before.
    ranked = pd.concat([names[keyed], names[~keyed].loc[by_rule.loc[~keyed, "time"].sort_values(kind="stable").index]])
    incident = by_rule["incident"].loc[ranked.index]
    cases["case_id"] = ranked.groupby(incident).first()
    before = ranked[ranked.isin(known)]
    cases["case_id"] = before.groupby(incident.loc[before.index]).first().reindex(cases.index).fillna(cases["case_id"])
    for name in ("time", "last_time"):
        cases[name] = from_instants(cases[name].to_numpy())
    for name in ("customer_id", "cause", "label", "case_id", "rules", "evidence"):
        column = cases[name].astype(object)
        cases[name] = column.where(column.notna(), None)
    order = ["case_id", "customer_id", "time", "last_time", "rules", "cause", "label", "confidence", "urgency",
             "amount", "signs", "evidence"]  # fmt: skip
    return cases.sort_values(["time", "case_id"], kind="stable")[order].reset_index(drop=True)


def _told_rules(signs: pd.DataFrame, rules: list[Rule]) -> npt.NDArray[np.object_]:
    """Name the rules of each incident in their order."""
    place = pd.factorize(signs["incident"], sort=True)[0]
    told = np.full(int(place.max(initial=-1)) + 1, "", dtype=object)
    for number, rule in enumerate(rules):
        shown = np.unique(place[(signs["rule"] == number).to_numpy()])
        told[shown] = np.where(told[shown] == "", rule.name, told[shown] + f"; {rule.name}")
    return told


def _evidence(signs: pd.DataFrame, rules: list[Rule]) -> npt.NDArray[np.object_]:
    """List the signs of each incident, which stand together, as JSON."""
    if not len(signs):
        return np.empty(0, dtype=object)
    opening = [
        f'{{"rule": {json.dumps(rule.name, ensure_ascii=False)}, '
        f'"table": {json.dumps(rule.table, ensure_ascii=False)}, "row": '
        for rule in rules
    ]
    incident = signs["incident"].to_numpy()
    first = np.flatnonzero(np.r_[True, incident[1:] != incident[:-1]])
    told = np.array(opening, dtype=object)[signs["rule"].to_numpy(dtype=np.intp)]
    told = told + signs["row"].astype(str).to_numpy(dtype=object) + "}, "
    joined = np.add.reduceat(told, first)
    return np.array([f"[{each[:-2]}]" for each in joined], dtype=object)


def _names(signs: pd.DataFrame, rules: list[Rule]) -> pd.Series:
    """Give each sign the id of the case that it would make alone."""
    keyed = signs["key"].notna().to_numpy(dtype=bool)
    names = np.empty(len(signs), dtype=object)
    openings = np.array([f"{rule.key}:" for rule in rules], dtype=object)
    names[keyed] = openings[signs["rule"].to_numpy(dtype=np.intp)[keyed]] + signs["key"].to_numpy(dtype=object)[keyed]
    micros = signs["time"].to_numpy(dtype=np.int64)[~keyed]
    times = micros.view("datetime64[us]")
    whole = micros % 1_000_000 == 0
    told = np.where(whole, np.datetime_as_string(times, unit="s"), np.datetime_as_string(times, unit="us"))
    names[~keyed] = signs["customer_id"].to_numpy(dtype=object)[~keyed] + "@" + told.astype(object) + "Z"
    return pd.Series(names, index=signs.index, dtype=object)


def _joined(cases: pd.DataFrame, customers: Any, at_stake: str | None, notes: list[str]) -> pd.DataFrame:
    """Put what is known of the customer beside each case."""
    if customers is None:
        if at_stake is not None:
            raise DataError("at_stake needs customers=, a table with a row a customer")
        return cases
    table = by_customer(customers, what="customers")
    if at_stake is not None:
        stake = parse(at_stake).evaluate(table)
        if stake.values.dtype.kind != "f":
            raise DataError("at_stake must give a number, such as 'lifetime_value'")
        table = table.assign(value_at_stake=np.where(stake.missing, np.nan, stake.values))
    ids = as_optional_texts(table.index.to_series(), "customers: customer_id")
    twice = pd.Series(ids, dtype=object).duplicated(keep=False).to_numpy()
    if twice.any():
        raise DataError(f"customers: as text, a customer_id stands more than once in {positions(twice)}")
    place = pd.Index(ids, dtype=object).get_indexer(pd.Index(cases["customer_id"], dtype=object))
    place = np.where(cases["customer_id"].isna(), -1, place)
    taken = set(cases.columns)
    table = table.rename(columns={name: f"customer_{name}" for name in table.columns if name in taken})
    beside = table.reset_index(drop=True).reindex(np.where(place < 0, len(table), place))
    unknown = int((place < 0).sum())
    if unknown:
        notes.append(f"the customers of {unknown:,} are not in the customer table")
    if at_stake is not None and beside["value_at_stake"].isna().any():
        notes.append(f"{int(beside['value_at_stake'].isna().sum()):,} have no value at stake")
    return pd.concat([cases, beside.reset_index(drop=True)], axis=1)
