"""Looks for what is wrong with a strategy before anyone is contacted by it."""

from __future__ import annotations

from itertools import combinations
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import ExpressionError
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.contact._strategy import Strategy

    Bools = npt.NDArray[np.bool_]

__all__ = ["check", "fits", "unknown_terms"]

_SAME = ("channel", "content", "purpose", "every_days", "value")


def fits(rules: pd.DataFrame, customers: pd.DataFrame) -> tuple[Bools, Bools]:
    """Say which customers each rule fits, and for which its condition is unknown, shape (n_customers, n_rules)."""
    known = np.zeros((len(customers), len(rules)), dtype=bool)
    missing = known.copy()
    for place, where in enumerate(rules["where"]):
        found = parse(where).evaluate(customers)
        known[:, place] = np.asarray(found.values, dtype=bool) & ~found.missing
        missing[:, place] = found.missing
    return known, missing


def unknown_terms(strategy: Strategy, customers: pd.DataFrame) -> list[dict[str, Any]]:
    """List columns that customers lack, channels that are not declared, and conditions that are none."""
    there = {str(column) for column in customers.columns}
    found = []
    formulas = ["where", "value", *(name for name in strategy.rules.columns if name.startswith("uses_"))]
    for rule in strategy.rules.to_dict("records"):
        names = {name for part in formulas if rule[part] is not None for name in parse(rule[part]).names}
        lacking = sorted(names - there)
        if lacking:
            found.append(_problem("unknown column", rule["rule"], detail=f"customers have no {', '.join(lacking)}"))
        elif len(customers):
            told = _no_condition(rule["where"], customers)
            found += [_problem("not a condition", rule["rule"], detail=told)] if told else []
        if rule["channel"] not in strategy.channels:
            known = ", ".join(strategy.channels)
            found.append(_problem("unknown channel", rule["rule"], detail=f"{rule['channel']!r} is none of {known}"))
    used = {limit.channel for limit in strategy.limits}.union(*(hours.channels or () for hours in strategy.quiet))
    strange = sorted(name for name in used if name is not None and name not in strategy.channels)
    found += [_problem("unknown channel", "", detail=f"limits or quiet hours name {name!r}") for name in strange]
    addresses = {name: term.address for name, term in strategy.channels.items()}
    for name, address in addresses.items():
        if address is not None and address not in there:
            found.append(_problem("unknown column", "", detail=f"channel {name!r} needs the column {address!r}"))
    return found


def _no_condition(where: str, customers: pd.DataFrame) -> str:
    """Say why a condition gives no true or false of these customers, empty where it does."""
    try:
        found = parse(where).evaluate(customers)
    except ExpressionError as error:
        return str(error)
    return "" if found.values.dtype == bool else "where gives no true or false"


def check(strategy: Strategy, customers: pd.DataFrame) -> pd.DataFrame:
    """List every problem, a row each."""
    found = unknown_terms(strategy, customers)
    found += _limits(strategy)
    rules = strategy.rules
    # A rule that cannot be asked is told above; the others are still looked at.
    there = {str(column) for column in customers.columns}
    sound = np.array([parse(where).names <= there for where in rules["where"]], dtype=bool)
    broken = {problem["rule"] for problem in found if problem["problem"] == "not a condition"}
    sound &= ~rules["rule"].isin(broken).to_numpy(dtype=bool)
    asked = rules[sound].reset_index(drop=True)
    if len(customers):
        found += _coverage(asked, customers)
    return pd.DataFrame(found, columns=["problem", "rule", "other", "customers", "share", "detail"]).astype(
        {"customers": "int64", "share": "float64"}
    )


def _coverage(rules: pd.DataFrame, customers: pd.DataFrame) -> list[dict[str, Any]]:
    """Look for gaps, contradictions, and rules that never fire."""
    fit, missing = fits(rules, customers)
    n = len(customers)
    names = rules["rule"].tolist()
    found = []
    gap = int((~fit.any(axis=1)).sum())
    if gap:
        found.append(_problem("gap", "", customers=gap, n=n, detail="no rule fits these customers"))
    unknown = missing.sum(axis=0)
    best = np.zeros(len(rules), dtype=np.int64)
    if len(rules):
        rank = rules["rank"].to_numpy()
        first = np.where(fit, rank, np.iinfo(np.int64).max).argmin(axis=1)
        best = np.bincount(first[fit.any(axis=1)], minlength=len(rules))
    for place, name in enumerate(names):
        fitting = int(fit[:, place].sum())
        if unknown[place]:
            count = int(unknown[place])
            found.append(_problem("unknown answer", name, customers=count, n=n, detail="a value of where is missing"))
        if not fitting:
            found.append(_problem("never fires", name, detail="no customer fits"))
        elif not best[place]:
            detail = "a rule before it always fits too: it acts only where that one may not"
            found.append(_problem("never first", name, customers=fitting, n=n, detail=detail))
    terms = [*_SAME, *(name for name in rules.columns if name.startswith("uses_"))]
    both = fit.astype(np.float32).T @ fit.astype(np.float32)
    rows = rules.to_dict("records")
    for one, two in combinations(range(len(rules)), 2):
        if rows[one]["rank"] != rows[two]["rank"] or not both[one, two]:
            continue
        differ = [name for name in terms if not _equal(rows[one][name], rows[two][name])]
        if differ:
            count = int((fit[:, one] & fit[:, two]).sum())
            detail = f"equal rank, different {', '.join(differ)}"
            found.append(_problem("contradiction", names[one], names[two], customers=count, n=n, detail=detail))
    return found


def _limits(strategy: Strategy) -> list[dict[str, Any]]:
    """Look for rhythms that a limit cuts off."""
    found = []
    for rule in strategy.rules.to_dict("records"):
        for limit in strategy.limits:
            if not limit.concerns(rule["channel"], rule["purpose"]):
                continue
            every = rule["every_days"]
            if limit.most == 0:
                detail = f"{limit.spoken} forbids the rule"
            elif np.isfinite(every) and every * limit.most < limit.days:
                detail = f"every {every:g} days cannot be kept with {limit.spoken}"
            else:
                continue
            found.append(_problem("limit cannot be kept", rule["rule"], detail=detail))
    return found


def _equal(one: Any, two: Any) -> bool:
    """Compare two cells of the table, missing ones being equal."""
    return one == two or bool(pd.isna(one) and pd.isna(two))


def _problem(
    problem: str, rule: str, other: str = "", *, customers: int = 0, n: int = 0, detail: str
) -> dict[str, Any]:
    """Write one problem as a row."""
    share = customers / n if n else np.nan
    return {"problem": problem, "rule": rule, "other": other, "customers": customers, "share": share, "detail": detail}
