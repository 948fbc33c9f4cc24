"""What a strategy is made of: rules in a table, channels, and limits on how often."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from numbers import Integral, Real
from typing import Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, ExpressionError
from crmkit.core.predicate import parse

__all__ = ["Channel", "Limit", "rule_table"]

_TEXTS = ("rule", "where", "channel", "content", "purpose")
_ALIASES = {
    "规则": "rule",
    "优先级": "rank",
    "条件": "where",
    "渠道": "channel",
    "内容": "content",
    "目的": "purpose",
    "间隔天数": "every_days",
    "价值": "value",
}
_COLUMNS = (*_TEXTS[:1], "rank", *_TEXTS[1:], "every_days", "value")


@dataclass(frozen=True, kw_only=True)
class Channel:
    """A way to reach customers, and what it needs.

    Parameters
    ----------
    name : str
        As rules, consent and history call it.
    consent : bool or tuple of str, default=True
        Whether a contact needs consent: always, never, or for these purposes only. A refusal counts in any case.
    address : str or None, default=None
        A column of the customers that must be filled, such as ``"email"``.

    Raises
    ------
    ValueError
        If a field is of the wrong type.

    Examples
    --------
    >>> from crmkit.contact import Channel
    >>> Channel(name="sms", consent=("marketing",)).needs_consent("service")
    False
    """

    name: str
    consent: bool | tuple[str, ...] = True
    address: str | None = None

    def __post_init__(self) -> None:
        if not isinstance(self.name, str) or not self.name:
            raise ValueError(f"name of a Channel must be a text, got {self.name!r}")
        if isinstance(self.consent, list):
            object.__setattr__(self, "consent", tuple(self.consent))
        listed = isinstance(self.consent, tuple) and all(isinstance(purpose, str) for purpose in self.consent)
        if not isinstance(self.consent, bool) and not listed:
            raise ValueError(
                f"consent of channel {self.name!r} must be true, false or a list of purposes, got {self.consent!r}"
            )
        if self.address is not None and not isinstance(self.address, str):
            raise ValueError(f"address of channel {self.name!r} must name a column, got {self.address!r}")

    def needs_consent(self, purpose: str) -> bool:
        """Say whether a contact for this purpose needs consent.

        Parameters
        ----------
        purpose : str
            The rule's purpose.

        Returns
        -------
        bool
            False where only a refusal counts.
        """
        return self.consent if isinstance(self.consent, bool) else purpose in self.consent


@dataclass(frozen=True, kw_only=True)
class Limit:
    """At most so many contacts of one customer in so many days, those of the history included.

    A contact of the history counts if it is later than ``days`` before ``at`` and not later than ``at`` itself; days
    are 24 hours, so that summer time and leap days are no question.

    Parameters
    ----------
    most : int
        The largest number of contacts in the window, 0 or more.
    days : float
        Length of the window in days of 24 hours, above 0.
    channel, purpose : str or None, default=None
        Count and limit these contacts only; the history then needs a column of that name. A contact whose channel or
        purpose is missing counts for every limit.

    Raises
    ------
    ValueError
        If a number is out of range.

    Examples
    --------
    >>> from crmkit.contact import Limit
    >>> Limit(most=2, days=7).spoken
    'at most 2 in 7 days'
    """

    most: int
    days: float
    channel: str | None = None
    purpose: str | None = None

    def __post_init__(self) -> None:
        if isinstance(self.most, bool) or not isinstance(self.most, Integral) or self.most < 0:
            raise ValueError(f"most of a Limit must be a whole number of 0 or more, got {self.most!r}")
        if isinstance(self.days, bool) or not isinstance(self.days, Real) or not 0 < self.days <= 36_525:
            raise ValueError(f"days of a Limit must be a number above 0 and at most 36,525, got {self.days!r}")
        for name in ("channel", "purpose"):
            if not isinstance(getattr(self, name), str | None):
                raise ValueError(f"{name} of a Limit must be a text, got {getattr(self, name)!r}")  # noqa: TRY004 -- one error type for a malformed limit

    @property
    def spoken(self) -> str:
        """The limit in words."""
        kind = [part for part in (self.purpose, f"by {self.channel}" if self.channel else None) if part]
        return " ".join([f"at most {self.most} in {self.days:g} days", *kind])

    def concerns(self, channel: str, purpose: str) -> bool:
        """Say whether a contact by this channel for this purpose counts.

        Parameters
        ----------
        channel, purpose : str
            The rule's.

        Returns
        -------
        bool
            True where the limit is for all, or for these.
        """
        return self.channel in {None, channel} and self.purpose in {None, purpose}


def rule_table(table: Any, *, purpose: str) -> pd.DataFrame:
    """Bring rules to one form, a row a rule, refusing what no rule may hold.

    Parameters
    ----------
    table : table or list of mappings
        ``rule``, ``where``, ``channel``, ``content``; if there is any ``rank``, ``purpose``, ``every_days``, ``value``
        and ``uses_<resource>``.
    purpose : str
        For rules that name none.

    Returns
    -------
    DataFrame
        With all of these columns, indexed from 0; ``value`` and uses as text of an expression, None where not given.

    Raises
    ------
    DataError
        If a column is missing or unknown, a name is empty or stands twice, or a number is out of range.
    ExpressionError
        If a formula is not in the expression language.
    """
    rows = [_flat(row) for row in table] if isinstance(table, list | tuple) else None
    frame = pd.DataFrame(rows) if rows else as_frame({} if rows is not None else table, what="strategy table")
    frame = _renamed(frame)
    require_columns(frame, ["rule", "where", "channel", "content"], what="strategy table")
    known = {name for name in frame.columns if str(name).startswith("uses_")} | set(_COLUMNS)
    strange = [str(name) for name in frame.columns if name not in known]
    if strange:
        raise DataError(
            f"strategy table has unknown columns {', '.join(map(repr, strange))}; a rule has {', '.join(_COLUMNS)} "
            f"({', '.join(_ALIASES)}) and uses_<resource> (占用_<resource>)"
        )
    frame = frame.reset_index(drop=True)
    frame = frame.map(lambda cell: cell.strip() if isinstance(cell, str) else cell).astype(object)
    frame = frame.where(frame.notna() & (frame != ""), None)
    # Spreadsheets keep blank rows between and below the others.
    blank = frame.isna().all(axis=1)
    given = {"rank": 1, "purpose": purpose, "every_days": None, "value": None}
    for name, default in given.items():
        frame[name] = frame[name] if name in frame.columns else None
        if default is not None:
            cells: list[Any] = [default if cell is None else cell for cell in frame[name]]
            frame[name] = pd.Series(cells, dtype=object)
    for name in _TEXTS:
        wrong = ~blank & np.array([not isinstance(cell, str) for cell in frame[name]], dtype=bool)
        if wrong.any():
            raise DataError(f"strategy table: {name} must be a text in {positions(wrong)}")
    twice = ~blank & frame["rule"].duplicated(keep=False)
    if twice.any():
        raise DataError(f"strategy table: a rule's name stands more than once in {positions(twice)}")
    if (frame["rule"] == "nothing").any():
        raise DataError("strategy table: no rule may be called 'nothing': that is what plans call doing nothing")
    frame["rank"] = _numbers(frame["rank"], "rank", least=-np.inf).astype(np.int64)
    frame["every_days"] = _numbers(frame["every_days"], "every_days", least=0.0)
    uses = sorted(name for name in frame.columns if str(name).startswith("uses_"))
    for name in ("where", "value", *uses):
        cells = [None if cell is None else _formula(cell, name, row) for row, cell in enumerate(frame[name])]
        frame[name] = pd.Series(cells, dtype=object)
    rules: pd.DataFrame = frame.loc[~blank, [*_COLUMNS, *uses]].reset_index(drop=True)
    return rules


def _renamed(frame: pd.DataFrame) -> pd.DataFrame:
    """Give columns their names, however they are spaced, capitalised, or written in Chinese."""
    names: list[Any] = []
    for column in frame.columns:
        word = str(column).strip()
        spoken = word.casefold().replace(" ", "_")
        if word.startswith("占用_"):
            names.append("uses_" + word.removeprefix("占用_"))
        elif spoken.startswith("uses_"):
            names.append("uses_" + word[len("uses_") :])
        else:
            names.append(_ALIASES.get(word, spoken if spoken in _COLUMNS else column))
    twice = sorted({str(name) for name in names if names.count(name) > 1})
    if twice:
        raise DataError(f"strategy table has {', '.join(map(repr, twice))} in more than one column")
    return frame.set_axis(names, axis=1)


def _flat(row: Any) -> dict[str, Any]:
    """Write ``uses = {hours = 1}`` as ``uses_hours = 1``."""
    if not isinstance(row, Mapping):
        raise DataError(f"strategy table: a rule must be a mapping of its columns, got {type(row).__name__}")
    flat = dict(row)
    uses = flat.pop("uses", {})
    if not isinstance(uses, Mapping):
        raise DataError("strategy table: uses of a rule must name resources, such as {hours = 0.25}")
    return flat | {f"uses_{name}": amount for name, amount in uses.items()}


def _formula(cell: Any, name: str, row: int) -> str:
    """Give the text of a formula that parses."""
    if isinstance(cell, bool) or not isinstance(cell, str | Real):
        raise DataError(f"strategy table: {name} must be a number or an expression, got {type(cell).__name__}")
    try:
        return parse(str(cell)).text
    except ExpressionError as error:
        raise ExpressionError(
            f"strategy table, {name} of row {row}: {error}; write for instance stage == 'new' and worth >= 500, with "
            "two equality signs, straight quotes and half-width signs"
        ) from None


def _numbers(column: pd.Series, name: str, *, least: float) -> pd.Series:
    """Read numbers written as numbers or as text."""
    numbers = pd.to_numeric(column, errors="coerce").astype(np.float64)
    wrong = column.notna() & (numbers.isna() | ~np.isfinite(numbers) | (numbers <= least))
    if name == "rank":
        wrong |= numbers != np.round(numbers)
    if wrong.any():
        what = "a whole number" if name == "rank" else "a number above 0"
        raise DataError(f"strategy table: {name} must be {what} in {positions(wrong)}")
    return numbers
