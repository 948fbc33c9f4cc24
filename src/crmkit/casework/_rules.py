"""Rules that say which rows of which tables are signs that service failed, as data that a company can change."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError

__all__ = ["Rule", "read_rules"]


@dataclass(frozen=True, kw_only=True)
class Rule:
    """Which rows of a table are signs of an incident.

    Parameters
    ----------
    name : str
        Such as ``"low mark"``.
    table : str
        The table's name among those handed to :func:`cases_from`.
    where : str, default=""
        A condition over its columns, such as ``"score <= 2"`` or ``"label in ('delay', 'billing')"``; none for all.
    key : str, default=""
        The column whose value names the incident, such as ``"order_id"``; none where rows do not say to what they
        belong.
    cause : str, default=""
        What went wrong, where the rule knows it.
    cause_from : str, default=""
        The column that says it instead.
    urgency : float, default=0.0
        How urgent such an incident is.
    repeats : int, default=1
        How many rows of one customer within ``days`` make a sign: with 3, the third contact in a week is one, and the
        fourth; the first two are not.
    days : float, default=7.0
        For ``repeats``.
    due, done : str, default=""
        Columns of times: a row is a sign where ``done`` lies after ``due``, or is missing though ``due`` has passed;
        its time is ``due``.
    time : str, default="time"
        The column of the time of a sign, where there is no ``due``.

    Raises
    ------
    DataError
        If a field is of another kind than these.

    Examples
    --------
    >>> from crmkit.casework import Rule
    >>> Rule(name="low mark", table="feedback", where="score <= 2", urgency=1).where
    'score <= 2'
    """

    name: str
    table: str
    where: str = ""
    key: str = ""
    cause: str = ""
    cause_from: str = ""
    urgency: float = 0.0
    repeats: int = 1
    days: float = 7.0
    due: str = ""
    done: str = ""
    time: str = "time"

    def __post_init__(self) -> None:
        for field in fields(self):
            given = getattr(self, field.name)
            if field.name in {"urgency", "repeats", "days"}:
                right = isinstance(given, int | float) and not isinstance(given, bool) and bool(np.isfinite(given))
            else:
                right = isinstance(given, str)
            if not right:
                kind = "text" if isinstance(field.default, str) or field.name in {"name", "table"} else "a number"
                raise DataError(f"rule {self.name!r}: {field.name} must be {kind}, got {type(given).__name__}")
        if not self.name.strip() or not self.table.strip():
            raise DataError("a rule needs a name and a table")
        if self.repeats != int(self.repeats) or self.repeats < 1 or self.days <= 0:
            raise DataError(f"rule {self.name!r}: repeats must be a whole number from 1, and days more than 0")
        if bool(self.due) != bool(self.done):
            raise DataError(f"rule {self.name!r}: due and done go together")
        if self.cause and self.cause_from:
            raise DataError(f"rule {self.name!r}: cause and cause_from exclude each other")


def read_rules(rules: Any) -> list[Rule]:
    """Read rules in any of the forms that people keep them in.

    Parameters
    ----------
    rules : sequence of Rule or mapping, table, or path to TOML
        A table has a row a rule and the fields of :class:`Rule` as columns, empty cells for defaults; a TOML file a
        table ``[[rules]]`` a rule.

    Returns
    -------
    list of Rule
        In their order, the most telling first.

    Raises
    ------
    DataError
        If a rule has an unknown field, two have one name, or there is none.
    """
    if isinstance(rules, str | Path) and str(rules).endswith(".toml"):
        try:
            rows: list[Any] = tomllib.loads(Path(rules).read_text(encoding="utf-8")).get("rules", [])
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise DataError(f"rules: {Path(rules).name} is no TOML: {error}") from None
    elif isinstance(rules, str | Path | dict) or hasattr(rules, "columns"):
        frame = as_frame(rules, what="rules")
        rows = [
            {str(name): cell for name, cell in row.items() if not (cell is None or pd.isna(cell) or cell == "")}
            for row in frame.to_dict("records")
        ]
    else:
        rows = list(rules)
    read = [row if isinstance(row, Rule) else _rule(row, place) for place, row in enumerate(rows)]
    names = pd.Series([rule.name for rule in read], dtype=object)
    if not len(names) or names.duplicated().any():
        raise DataError("rules: there is none" if not len(names) else "rules: two have one name")
    return read


def _rule(row: Any, place: int) -> Rule:
    """Make a rule of its fields."""
    known = {field.name for field in fields(Rule)}
    if not isinstance(row, dict) or set(row) - known or not {"name", "table"} <= set(row):
        raise DataError(f"rules: rule {place} must have name and table, and may have {', '.join(sorted(known))}")
    # A column of numbers with empty cells holds floats, and a CSV file text.
    given = dict(row)
    for name in known & {"urgency", "repeats", "days"} & set(given):
        try:
            number = float(given[name])
        except (TypeError, ValueError):
            raise DataError(f"rules: rule {place}: {name} must be a number") from None
        given[name] = int(number) if name == "repeats" and number.is_integer() else number
    return Rule(**given)
