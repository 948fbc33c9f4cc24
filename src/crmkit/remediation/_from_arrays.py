"""Brings arrays and long tables of options to the form of cases, remedies and limits."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.remediation._terms import NOTHING, Cap, Floor, Ratio, Remedy, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from crmkit.remediation._terms import Limit

__all__ = ["cases_from_arrays", "cases_from_options"]


def _table_of(array: Any, shape: tuple[int, int], what: str, dtype: Any) -> Any:
    """Bring something to the shape of cases by remedies."""
    given = np.asarray(array, dtype=dtype)
    try:
        return np.broadcast_to(given, shape)
    except ValueError:
        raise DataError(f"{what} must have the shape of value, {shape} (cases, remedies), got {given.shape}") from None


def _truths(array: Any, what: str) -> Any:
    """Bring yes and no to truths; what is missing is neither."""
    given = np.asarray(array)
    missing = pd.isna(given)
    if np.any(missing):
        raise DataError(f"{what} is missing in {positions(missing.reshape(len(given), -1).any(axis=1))}: say yes or no")
    return given.astype(bool)


def _column_of(array: Any, n_cases: int, what: str) -> Any:
    """Bring something to one entry a case."""
    given = np.asarray(array)
    if given.shape != (n_cases,):
        raise DataError(f"{what} must have one entry for each of the {n_cases:,} cases, got shape {given.shape}")
    return given


def cases_from_arrays(
    value: Any,
    *,
    uses: Mapping[str, Any],
    limits: Mapping[str, float],
    eligible: Any,
    floors: Mapping[str, tuple[Any, float]] | None,
    caps: Mapping[str, tuple[Any, float]] | None,
    group: Any,
    case_ids: Any,
    remedies: Sequence[str] | None,
    errors: Any = None,
    shared_errors: Any = None,
    ratios: Mapping[str, tuple[Any, Any, float]] | None = None,
    penalties: Mapping[str, float | tuple[float, float]] | None = None,
) -> tuple[pd.DataFrame, list[Remedy], list[Limit]]:
    """Write arrays as a table of cases with formulas that name its columns.

    Parameters
    ----------
    value, uses, limits, eligible, floors, caps, group, case_ids, remedies, errors, shared_errors, ratios, penalties
        As in :meth:`Problem.from_arrays`.

    Returns
    -------
    tuple
        Cases, remedies and limits.

    Raises
    ------
    DataError
        If shapes do not fit, or a value is ``inf``.
    """
    worth = np.asarray(value, dtype=np.float64)
    if worth.ndim != 2:
        raise DataError(f"value must have two dimensions (cases, remedies), got shape {worth.shape}")
    if np.isposinf(worth).any():
        raise DataError(f"value is infinite in {positions(np.isposinf(worth).any(axis=1))}")
    n_cases, n_remedies = worth.shape
    names = [f"remedy_{j}" for j in range(n_remedies)] if remedies is None else list(remedies)
    if len(names) != n_remedies:
        raise DataError(f"remedies must name each of the {n_remedies} columns of value, got {len(names)} names")
    allowed = ~np.isneginf(worth)
    if eligible is not None:
        allowed &= _table_of(_truths(eligible, "eligible"), worth.shape, "eligible", bool)
    taken = {name: _table_of(array, worth.shape, f"uses[{name!r}]", np.float64) for name, array in uses.items()}
    columns: dict[str, Any] = {
        "case_id": np.arange(n_cases) if case_ids is None else _column_of(case_ids, n_cases, "case_ids")
    }
    if group is not None:
        columns["group"] = _column_of(group, n_cases, "group")
    unsure: dict[str, Any] = {
        what: _table_of(array, worth.shape, f"{what}s", np.float64)
        for what, array in (("error", errors), ("shared_error", shared_errors))
        if array is not None
    }
    made = [
        replace(remedy, **dict[str, Any]((what, f"{what}_{j}") for what in unsure))
        for j, remedy in enumerate(_remedies(names, worth, allowed, taken, columns))
    ]
    columns |= {f"{what}_{j}": array[:, j] for what, array in unsure.items() for j in range(n_remedies)}
    masks = {Floor: floors or {}, Cap: caps or {}, Ratio: ratios or {}}
    terms = _terms(limits, masks, columns, n_cases)
    terms = _at_a_price(terms, penalties or {})
    # Without copies: columns are parts of the arrays given.
    return pd.DataFrame(columns, copy=False), made, terms


def _terms(
    limits: Mapping[str, float], masks: Mapping[Any, Mapping[str, Any]], columns: dict[str, Any], n_cases: int
) -> list[Limit]:
    """Write limits as terms, and put the columns that they name beside the cases."""
    terms: list[Limit] = [Resource(name, float(limit)) for name, limit in limits.items()]

    def column(mask: Any, called: str, name: str) -> str | None:
        if mask is None:
            return None
        columns[called] = _truths(_column_of(mask, n_cases, f"the mask of {name!r}"), f"the mask of {name!r}")
        return called

    for kind in (Floor, Cap):
        for name, (mask, count) in masks[kind].items():
            terms.append(kind(where=column(mask, f"mask_{len(terms)}", name), count=float(count), name=name))
    for name, (mask, other, least) in masks[Ratio].items():
        where = column(mask, f"mask_{len(terms)}", name)
        if where is None:
            raise DataError(f"ratio {name!r} needs a mask of the cases that must not be left behind")
        to = column(other, f"other_{len(terms)}", name)
        terms.append(Ratio(where, least=float(least), to=to, name=name))
    return terms


def _at_a_price(terms: list[Limit], penalties: Mapping[str, float | tuple[float, float]]) -> list[Limit]:
    """Let some limits be broken at a price."""
    names = [term.name for term in terms]
    strangers = [name for name in penalties if name not in names]
    if strangers:
        raise DataError(
            f"penalties: there is no limit {strangers[0]!r}; the limits are: {', '.join(map(repr, names)) or 'none'}"
        )
    tiers = {name: tier if isinstance(tier, tuple) else (tier, np.inf) for name, tier in penalties.items()}
    return [
        replace(term, penalty=tiers[term.name][0], beyond=tiers[term.name][1]) if term.name in tiers else term
        for term in terms
    ]


def _remedies(
    names: Sequence[str], worth: Any, allowed: Any, taken: Mapping[str, Any], columns: dict[str, Any]
) -> list[Remedy]:
    """Write each remedy's numbers as columns of the cases, and the remedy with formulas that name them."""
    made = []
    for j, name in enumerate(names):
        lost = np.isneginf(worth[:, j])
        columns[f"value_{j}"] = np.where(lost, np.nan, worth[:, j]) if lost.any() else worth[:, j]
        condition = None if allowed[:, j].all() else f"eligible_{j}"
        if condition is not None:
            columns[condition] = allowed[:, j]
        formulas: dict[str, str | float] = {resource: f"use_{i}_{j}" for i, resource in enumerate(taken)}
        columns.update({f"use_{i}_{j}": array[:, j] for i, array in enumerate(taken.values())})
        made.append(Remedy(name, value=f"value_{j}", uses=formulas, eligible=condition))
    return made


def cases_from_options(options: Any, *, names: Sequence[str] | None = None) -> tuple[pd.DataFrame, list[Remedy]]:
    """Write a long table of options as a wide table of cases.

    Parameters
    ----------
    options : table
        As in :meth:`Problem.from_options`.
    names : sequence of str or None, default=None
        The remedies, in order; by default those in the table.

    Returns
    -------
    tuple
        Cases, and remedies whose formulas name their columns.

    Raises
    ------
    DataError
        If a column or entry is missing, an option stands twice, or what describes a case differs between its rows.
    """
    table = _checked_options(options)
    case, ids = pd.factorize(table["case_id"])
    known = [str(name) for name in table["remedy"].unique() if name != NOTHING] if names is None else list(names)
    remedy = pd.Index(known, dtype=object).get_indexer(pd.Index(table["remedy"].map(str).astype(object)))
    stranger = (remedy < 0) & (table["remedy"] != NOTHING).to_numpy(dtype=bool)
    if stranger.any():
        raise DataError(f"options: remedy is none of {', '.join(map(repr, known))} in {positions(stranger)}")
    uses = [str(column) for column in table.columns if str(column).startswith("uses_")]
    unsure = [column for column in ("error", "shared_error") if column in table.columns]
    own = [column for column in table.columns if column not in {"case_id", "remedy", "value", *uses, *unsure}]
    first = np.unique(case, return_index=True)[1]
    for column in own:
        codes = table[column].factorize()[0]
        differs = codes != codes[first][case]
        if differs.any():
            raise DataError(f"options: {column} describes the case but differs within one, in {positions(differs)}")
    columns: dict[str, Any] = {"case_id": np.asarray(ids)}
    columns |= {str(column): table[column].to_numpy()[first] for column in own}
    made = []
    for j, name in enumerate(known):
        there = remedy == j
        listed = np.zeros(len(ids), dtype=bool)
        listed[case[there]] = True
        columns[f"option {j}: listed"] = listed
        formulas: dict[str, str | float] = {}
        for column in ["value", *uses, *unsure]:
            entries = np.full(len(ids), np.nan)
            try:
                entries[case[there]] = table.loc[there, column].to_numpy(dtype=np.float64, na_value=np.nan)
            except (TypeError, ValueError):
                raise DataError(f"options: {column} must hold numbers, got {table[column].dtype}") from None
            columns[f"option {j}: {column}"] = entries
            if column in uses:
                formulas[column.removeprefix("uses_")] = f"option {j}: {column}"
        errors: dict[str, Any] = {column: f"option {j}: {column}" for column in unsure}
        made.append(Remedy(name, value=f"option {j}: value", uses=formulas, eligible=f"option {j}: listed", **errors))
    return pd.DataFrame(columns), made


def _checked_options(options: Any) -> pd.DataFrame:
    """Check what every long table of options must have."""
    table = as_frame(options, what="options").reset_index(drop=True)
    require_columns(table, ["case_id", "remedy", "value"], what="options", hint="one row a case and possible remedy")
    for column in ("case_id", "remedy"):
        missing = table[column].isna()
        if missing.any():
            raise DataError(f"options: {column} is missing in {positions(missing)}")
    twice = table.duplicated(["case_id", "remedy"], keep=False)
    if twice.any():
        raise DataError(f"options: a case and remedy stand more than once in {positions(twice)}")
    return table
