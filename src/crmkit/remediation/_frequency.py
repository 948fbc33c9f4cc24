"""How often a customer may be contacted, counted in a history of contacts."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from datetime import datetime
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.remediation._key_kinds import check_kinds
from crmkit.remediation._tally import Tally

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

    from crmkit.remediation._terms import Remedy

    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]
    Floats = npt.NDArray[np.float64]

__all__ = ["Frequency", "counted_as_contacts", "keep_out", "summarised"]


@dataclass(frozen=True, eq=False)
class Frequency:
    """At most so many contacts of one customer within so many days, those of a history included.

    A customer who had ``most`` contacts or more in the window gets none of the remedies that count as contacts; the
    others get at most as many as are left to them. The history is taken as it is: for contacts by telephone alone pass
    ``history[history["channel"] == "phone"]`` and ``remedies=["call"]``.

    Parameters
    ----------
    history : table
        One row a contact, with the columns ``per`` and ``time``. It may hold other customers; a customer who is not in
        it had no contacts. Rows whose customer or time is missing are not counted and warned of.
    most : int
        The largest number of contacts in the window, 0 or more.
    days : float
        Length of the window in days of 24 hours, above 0.
    at : datetime or str
        When the plan is carried out, with a time zone, such as ``"2011-12-10T00:00+00:00"``. Contacts count that are
        later than ``days`` before it and not later than ``at`` itself; what is planned counts as made at ``at``.
    remedies : sequence of str or None, default=None
        Names of the remedies that are contacts; None means all. A package of which one is a part is one contact.
    per : str, default="customer_id"
        Whom it is about: a column of the history and of the cases. A case where it is missing is not limited.
    time : str, default="time"
        The history's column of instants with a time zone, as :func:`crmkit.records.read` gives them.

    Raises
    ------
    TypeError
        If ``remedies`` is one text instead of a list of them.
    ValueError
        If ``most``, ``days`` or ``at`` is out of range, or ``at`` has no time zone.
    DataError
        If the history has no such columns, or its times have no time zone.

    Warns
    -----
    DataWarning
        If a contact has no customer or no time.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.remediation import Frequency
    >>> history = pd.DataFrame({"customer_id": ["a", "a", "b"],
    ...                         "time": pd.to_datetime(["2024-02-28", "2024-03-01", "2024-01-01"], utc=True)})
    >>> Frequency(history, most=2, days=7, at="2024-03-02T00:00+00:00").counts().to_dict()
    {'a': 2}
    """

    history: Any
    most: int
    days: float
    at: Any
    remedies: Sequence[str] | None = None
    per: str = "customer_id"
    time: str = "time"

    def __post_init__(self) -> None:
        if isinstance(self.most, bool) or not isinstance(self.most, Integral) or self.most < 0:
            raise ValueError(f"most of a Frequency must be a whole number of 0 or more, got {self.most!r}")
        number = not isinstance(self.days, bool) and isinstance(self.days, Real)
        if not number or not 0 < self.days <= _LONGEST:
            raise ValueError(
                f"days of a Frequency must be a number above 0 and at most {_LONGEST:,}, got {self.days!r}"
            )
        if isinstance(self.remedies, str):
            raise TypeError(f"remedies of a Frequency must be a list of names, got a text: [{self.remedies!r}]")
        object.__setattr__(self, "at", _instant(self.at))
        object.__setattr__(self, "remedies", None if self.remedies is None else tuple(self.remedies))
        table = as_frame(self.history, what="history")
        hint = "per= and time= of a Frequency name columns of its history"
        require_columns(table, [self.per, self.time], what="history", hint=hint)
        if not isinstance(table[self.time].dtype, pd.DatetimeTZDtype):
            raise DataError(
                f"history: {self.time} must hold instants with a time zone, got {table[self.time].dtype}; read the "
                "table with records.read, or give times their zone with .dt.tz_localize"
            )
        missing = table[[self.per, self.time]].isna().any(axis=1).to_numpy(dtype=bool)
        if missing.any():
            warnings.warn(
                f"history: {int(missing.sum()):,} of {len(table):,} contacts have no {self.per} or {self.time} and are "
                "not counted",
                DataWarning,
                stacklevel=3,
            )
        # Only what is counted is kept, so that a saved problem holds no more of the history than it needs.
        object.__setattr__(self, "history", table[[self.per, self.time]].reset_index(drop=True))

    def counts(self) -> pd.Series:
        """Count each customer's contacts in the window.

        Returns
        -------
        pandas.Series
            Indexed by customer; who has none is not there.
        """
        time = self.history[self.time]
        inside = (time > self.at - pd.Timedelta(days=float(self.days))) & (time <= self.at)
        counts: pd.Series = self.history.loc[inside, self.per].dropna().value_counts(sort=False)
        counts.name, counts.index.name = "contacts", self.per
        return counts

    def counted(self, remedies: Sequence[Remedy]) -> Bools:
        """Say which of these remedies are contacts; a package of which one is a part is one contact."""
        names = (None,) if self.remedies is None else self.remedies
        return np.array([any(remedy.counts_as(name) for name in names) for remedy in remedies], dtype=bool)

    def __repr__(self) -> str:
        what = "" if self.remedies is None else f", remedies={list(self.remedies)!r}"
        return (
            f"Frequency({len(self.history):,} contacts, most={self.most}, days={self.days:g}, "
            f"at={self.at.isoformat()!r}{what}, per={self.per!r})"
        )


_LONGEST = 36_500


def _instant(at: Any) -> pd.Timestamp:
    """Bring an instant to UTC; what has no time zone is refused."""
    instant = pd.to_datetime(at, errors="coerce") if isinstance(at, str) else at
    if not isinstance(instant, datetime) or pd.isna(instant):
        raise ValueError("at of a Frequency must be an instant such as '2011-12-10T00:00+00:00'")
    if instant.tzinfo is None:
        raise ValueError(
            "at of a Frequency needs a time zone: '2011-12-10T00:00+00:00', or pd.Timestamp(…, tz='Europe/London')"
        )
    return pd.Timestamp(instant).tz_convert("UTC")


def _looked_up(column: pd.Series, tally: Tally) -> Ints:
    """Give the count of each row's key, 0 where it is missing or unknown."""
    codes, different = column.factorize()
    counts = np.append(tally.of(pd.Index(different)), 0)
    return np.asarray(counts[codes], dtype=np.intp)


def counted_as_contacts(rule: Frequency, remedies: Sequence[Remedy], made: pd.DataFrame | None) -> Tally:
    """Count the contacts of the history, and remedies given since.

    Parameters
    ----------
    rule : Frequency
        With the history.
    remedies : sequence of Remedy
        All there are.
    made : pandas.DataFrame or None
        ``remedy`` and the rule's ``per``, one row a remedy given.

    Returns
    -------
    Tally
        By key.
    """
    counts = rule.counts()
    tally = Tally.of_counts(pd.Index(counts.index), counts.to_numpy())
    if made is not None and len(made):
        names = [remedy.name for remedy, counts in zip(remedies, rule.counted(remedies), strict=True) if counts]
        contact = made["remedy"].isin(names)
        since = made.loc[contact, rule.per].dropna().value_counts(sort=False)
        tally.add(pd.Index(since.index), np.asarray(since, dtype=np.intp))
    return tally


def keep_out(
    rules: Sequence[Frequency],
    cases: pd.DataFrame,
    remedies: Sequence[Remedy],
    value: Floats,
    *,
    one_per: str | None,
    settled: Bools,
    made: pd.DataFrame | None,
) -> list[Bools]:
    """Make remedies that would be one contact too many ineligible.

    Parameters
    ----------
    rules : sequence of Frequency
        How often who may be contacted.
    cases : pandas.DataFrame
        The cases.
    remedies : sequence of Remedy
        The remedies.
    value : ndarray, shape (n_cases, n_remedies)
        ``-inf`` where not eligible; changed in place.
    one_per : str or None
        Of the problem.
    settled : ndarray of bool, shape (n_cases,)
        Cases that get nothing more: held out, or promised already.
    made : pandas.DataFrame or None
        ``remedy`` and the rules' ``per`` columns of remedies promised already.

    Returns
    -------
    list of ndarray of bool, shape (n_cases,)
        For each rule the cases that lose a remedy by it.

    Raises
    ------
    DataError
        If a column or remedy is not there, or a customer has more cases than contacts left, so that only ``one_per``
        would keep to it.
    """
    kept_out = []
    for rule in rules:
        _check(rule, cases, remedies)
        contact = rule.counted(remedies)
        left = rule.most - _looked_up(cases[rule.per], counted_as_contacts(rule, remedies, made))
        could = np.isfinite(value[:, contact]).any(axis=1) if contact.any() else np.zeros(len(cases), dtype=bool)
        full = (left <= 0) & cases[rule.per].notna().to_numpy(dtype=bool)
        value[np.ix_(full, contact)] = -np.inf
        kept_out.append(full & could)
        if one_per == rule.per:
            continue
        want = could & ~full & ~settled & cases[rule.per].notna().to_numpy(dtype=bool)
        codes = cases[rule.per].factorize()[0]
        cases_of = np.bincount(codes[want], minlength=int(codes.max(initial=-1)) + 1)
        crowded = want.copy()
        crowded[want] = cases_of[codes[want]] > left[want]
        if crowded.any():
            raise DataError(
                f"cases: more cases of one {rule.per} than contacts left to it in {positions(crowded)}; give "
                f"one_per={rule.per!r}, so that each gets one remedy at most"
            )
    return kept_out


def _check(rule: Frequency, cases: pd.DataFrame, remedies: Sequence[Remedy]) -> None:
    """Refuse a rule about what is not there, and keys that can never meet."""
    require_columns(cases, [rule.per], what="cases", hint="per= of a Frequency names a column of the cases")
    unknown = [name for name in rule.remedies or () if not any(remedy.counts_as(name) for remedy in remedies)]
    if unknown:
        raise DataError(
            f"a Frequency is about remedy {unknown[0]!r}, which is not there; the remedies are: "
            f"{', '.join(repr(remedy.name) for remedy in remedies) or 'none'}"
        )
    check_kinds(rule.per, [("cases", cases[rule.per]), ("history", rule.history[rule.per])])


def summarised(rules: Sequence[Frequency], kept_out: Sequence[Bools]) -> pd.DataFrame:
    """Say what each rule counted and how many cases it keeps from a remedy."""
    rows = []
    for rule, out in zip(rules, kept_out, strict=True):
        counts = rule.counts()
        missing = rule.history.isna().any(axis=1)
        rows.append(
            {
                "per": rule.per,
                "most": int(rule.most),
                "days": float(rule.days),
                "contacts": int(counts.sum()),
                "at_limit": int((counts >= rule.most).sum()),
                "not_counted": int(missing.sum()),
                "cases_kept_out": int(out.sum()),
            }
        )
    columns = ["per", "most", "days", "contacts", "at_limit", "not_counted", "cases_kept_out"]
    return pd.DataFrame(rows, columns=columns)
