"""Cleans a table by a declared policy, keeps what was set aside, and reports what was done."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, fields
from difflib import get_close_matches
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError, SchemaError, SchemaProblem

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["Cleaned", "CleaningPolicy", "Fill", "clean"]

_RULES = ("keep", "set-aside", "raise", "flag")
_DUPLICATES = ("first", "last", "all", "raise")


@dataclass(frozen=True)
class Fill:
    """Replaces missing values of a column by a constant.

    A mean or median is no constant: it is learned from rows, and belongs in scikit-learn's ``SimpleImputer`` inside
    the pipeline, where it is learned from the training rows only.

    Parameters
    ----------
    value : object
        What stands for a missing value.
    """

    value: Any


@dataclass(frozen=True, kw_only=True)
class CleaningPolicy:
    """What to do with missing values and duplicates, declared before the table is seen.

    Parameters
    ----------
    missing : mapping of str to {"keep", "set-aside", "raise", "flag"} or Fill, default={}
        For each column: leave missing values, set their rows aside, refuse the table, add a column
        ``<column>_is_missing``, or fill in a constant. A value is missing where it is null, an empty or blank text, or
        an infinite number; where such values are kept they become null.
    otherwise : {"keep", "set-aside", "raise", "flag"}, default="keep"
        The rule for all other columns.
    key : sequence of str, default=()
        The columns that must be unique together, such as ``["customer_id"]``. Empty: equal rows are valid, as in event
        tables, in which two equal lines are two purchases.
    duplicates : {"first", "last", "all", "raise"}, default="first"
        Of rows with one key: keep the first, keep the last, set all of them aside, or refuse the table.
    """

    missing: Mapping[str, str | Fill] = field(default_factory=dict)
    otherwise: str = "keep"
    key: Sequence[str] = ()
    duplicates: str = "first"

    def __post_init__(self) -> None:
        for column, rule in {**self.missing, "all other columns": self.otherwise}.items():
            if not isinstance(rule, Fill) and rule not in _RULES:
                raise DataError(
                    f"the rule for missing values of {column} must be Fill(value) or one of "
                    f"{', '.join(map(repr, _RULES))}, got {rule!r}"
                )
        if self.duplicates not in _DUPLICATES:
            raise DataError(f"duplicates must be one of {', '.join(map(repr, _DUPLICATES))}, got {self.duplicates!r}")
        if isinstance(self.key, str):
            raise DataError(f"key must be a list of columns, got text: write [{self.key!r}]")


@dataclass(frozen=True)
class Cleaned:
    """A table after cleaning; every row that came in is in exactly one of ``table`` and ``set_aside``.

    Attributes
    ----------
    table : pandas.DataFrame
        The rows that can be used, in their order, with their index.
    set_aside : pandas.DataFrame
        The other rows as they came in, with ``reason``.
    report : pandas.DataFrame
        A row for everything that was done: ``column``, ``action``, ``rows``.
    """

    table: pd.DataFrame
    set_aside: pd.DataFrame
    report: pd.DataFrame

    def __repr__(self) -> str:
        head = f"{len(self.table):,} rows to use, {len(self.set_aside):,} set aside"
        done = [f"  {row.column}: {row.action} ({row.rows:,} rows)" for row in self.report.itertuples()]
        return "\n".join([head, *done])

    def _repr_html_(self) -> str:
        """Show what was done."""
        caption = f"{len(self.table):,} rows to use, {len(self.set_aside):,} set aside"
        rows = [(row.column, row.action, int(str(row.rows))) for row in self.report.itertuples()]
        return html.table(["column", "action", "rows"], rows, caption=caption)


def clean(table: Any, policy: CleaningPolicy | Mapping[str, Any]) -> Cleaned:
    """Clean a table by a declared policy.

    Nothing is decided by looking at the values: which rows go and what is filled in follows from the policy alone, so
    that the same policy can be applied to next month's table, and to training and test rows apart. All reasons of a
    row that is set aside are told. Missing values are looked at first; duplicates are looked for among the rows left.

    Parameters
    ----------
    table : table
        Any table; it is not changed.
    policy : CleaningPolicy or mapping
        A mapping has the policy's parameters as keys, as a configuration file would give them; ``{"fill": value}``
        stands for ``Fill(value)``.

    Returns
    -------
    Cleaned
        ``table``, ``set_aside``, ``report``.

    Raises
    ------
    DataError
        If the policy is malformed or names a column that is not there.
    SchemaError
        If a rule says ``"raise"`` and applies; it tells all such problems at once.

    Examples
    --------
    >>> from crmkit.preparation import CleaningPolicy, Fill, clean
    >>> people = {"customer_id": ["a", "b", "b"], "city": ["Leeds", None, "York"]}
    >>> clean(people, CleaningPolicy(missing={"city": Fill("unknown")}, key=["customer_id"]))
    2 rows to use, 1 set aside
      city: filled with a constant (1 rows)
      customer_id: set aside, same key as an earlier row (1 rows)
    """
    policy = policy if isinstance(policy, CleaningPolicy) else _policy(policy)
    frame = as_frame(table)
    require_columns(frame, [*policy.missing, *policy.key], what="table", hint="the cleaning policy names it")
    if not frame.columns.is_unique:
        raise DataError("table has two columns of one name: rename one of them")
    original, frame = frame, frame.copy()
    done: list[tuple[str, str, int]] = []
    problems: list[SchemaProblem] = []
    reasons = np.full(len(frame), "", dtype=object)
    for column in list(frame.columns):
        rule = policy.missing.get(column, policy.otherwise)
        missing = _missing(frame[column])
        if rule == "flag":
            frame[f"{column}_is_missing"] = missing
        if not missing.any():
            continue
        count = int(missing.sum())
        values = frame[column].mask(missing)
        if isinstance(rule, Fill):
            values = _filled(values, missing, rule.value)
            done.append((str(column), "filled with a constant", count))
        elif rule == "set-aside":
            reasons[missing] += f"{column} is missing; "
            done.append((str(column), "set aside, missing", count))
        elif rule == "raise":
            problems.append(_problem(str(column), "is missing", missing))
        else:
            done.append((str(column), "missing values kept" if rule == "keep" else "missing values flagged", count))
        frame[column] = values
    reasons = _duplicates(frame, policy, reasons, done, problems)
    if problems:
        raise SchemaError("the table does not keep the cleaning policy:", problems)
    keep = reasons == ""
    aside = original.loc[~keep].assign(reason=[reason.removesuffix("; ") for reason in reasons[~keep]])
    return Cleaned(frame.loc[keep], aside, pd.DataFrame(done, columns=["column", "action", "rows"]))


def _policy(given: Mapping[str, Any]) -> CleaningPolicy:
    """Read a policy from plain values."""
    known = [entry.name for entry in fields(CleaningPolicy)]
    for name in given:
        if name not in known:
            nearest = get_close_matches(str(name), known, n=1)
            hint = f" (nearest: {nearest[0]!r})" if nearest else ""
            raise DataError(f"a cleaning policy has no {name!r}{hint}; it has: {', '.join(known)}")
    missing = {
        column: Fill(rule["fill"]) if isinstance(rule, Mapping) and set(rule) == {"fill"} else rule
        for column, rule in dict(given.get("missing", {})).items()
    }
    return CleaningPolicy(**{**given, "missing": missing})


def _missing(series: pd.Series) -> npt.NDArray[np.bool_]:
    """Say where a value is null, blank or infinite."""
    missing = series.isna().to_numpy(dtype=bool).copy()
    if pd.api.types.is_float_dtype(series.dtype):
        missing |= np.isinf(series.to_numpy(dtype=np.float64, na_value=np.nan))
    elif series.dtype == object or isinstance(series.dtype, pd.StringDtype):
        # A blank is looked for once in each distinct text, not in every row.
        codes, unique = pd.factorize(series)
        blank = np.fromiter((isinstance(text, str) and not text.strip() for text in unique), bool, len(unique))
        missing |= np.append(blank, False)[codes]
    return missing


def _filled(values: pd.Series, missing: npt.NDArray[np.bool_], constant: Any) -> pd.Series:
    """Put a constant where values are missing, in the column's own type where it can hold it."""
    whole = values.astype(object).where(~missing, constant)
    if isinstance(values.dtype, pd.CategoricalDtype) and constant not in values.dtype.categories:
        return whole.infer_objects()
    try:
        return whole.astype(values.dtype)
    except (TypeError, ValueError):
        return whole.infer_objects()


def _duplicates(
    frame: pd.DataFrame,
    policy: CleaningPolicy,
    reasons: npt.NDArray[np.object_],
    done: list[tuple[str, str, int]],
    problems: list[SchemaProblem],
) -> npt.NDArray[np.object_]:
    """Give the reasons with those of duplicate keys among the rows that are left."""
    if not policy.key:
        return reasons
    left = reasons == ""
    keep: Any = policy.duplicates if policy.duplicates in {"first", "last"} else False
    twice = np.zeros(len(frame), dtype=bool)
    twice[left] = frame.loc[left, list(policy.key)].duplicated(keep=keep).to_numpy()
    if not twice.any():
        return reasons
    key = " + ".join(policy.key)
    if policy.duplicates == "raise":
        problems.append(_problem(key, "stands in more than one row", twice))
        return reasons
    other = {"first": "an earlier row", "last": "a later row", "all": "another row"}[policy.duplicates]
    done.append((key, f"set aside, same key as {other}", int(twice.sum())))
    return np.where(twice, f"{key} is the same as in {other}", reasons)


def _problem(column: str, reason: str, rows: npt.NDArray[np.bool_]) -> SchemaProblem:
    """Tell of rows without their values."""
    return SchemaProblem(column, reason, int(rows.sum()), tuple(int(row) for row in np.flatnonzero(rows)[:5]))
