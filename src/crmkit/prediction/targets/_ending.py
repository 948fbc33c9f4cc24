"""Whose contract will end: customers under contract at the cutoff, and whether they renew."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, positions, require_columns
from crmkit.core.errors import DataError
from crmkit.core.telling import passed_on
from crmkit.prediction.targets._target import Target
from crmkit.preparation import as_cutoff, features
from crmkit.preparation._contract_summary import OPEN, contract_days
from crmkit.preparation._events import customer_codes, numbers

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.preparation import FeatureRecipe

__all__ = ["will_end"]

_YEAR = 365.25


def will_end(
    contracts: Any,
    cutoffs: Any,
    *,
    horizon: int,
    until: Any,
    windows: Any = (30, 90),
    others: Any = None,
    columns: Any = None,
    grace_days: int = 1,
    start: str = "start",
    end: str = "end",
    price: str | None = None,
) -> Target:
    """Ask of everyone under contract at a cutoff whether the contract will end within the horizon.

    Rows of one customer that follow each other within ``grace_days`` are one contract: a renewal is no end. Of the
    contract itself only what was known at the cutoff is used: how long it has run, how often it was renewed, how far
    the next anniversary is, and the price. The end date is never a feature, because it is usually written into the row
    when the customer leaves.

    Parameters
    ----------
    contracts : table
        One row a contract or a term of it: ``customer_id`` and the two dates; the end missing where there is none yet.
    cutoffs : date or text of one, or a sequence of them
        Exclusive: under contract is who started before and had not ended by the evening before.
    horizon : int
        Days.
    until : date or text of one
        Up to when the table is complete, exclusive; a table with open ends does not say so itself.
    windows : int or sequence of int, default=(30, 90)
        Of the features of ``others``.
    others : mapping of str to table or None, default=None
        Events of the same customers, such as ``{"calls": communications}``.
    columns : mapping of str to EventColumns or None, default=None
        Of the others, as for ``preparation.features``.
    grace_days : int, default=1
        As for ``preparation.contract_summary``.
    start, end : str
        The columns of the first day under contract, and of the end.
    price : str or None, default=None
        The column of the price of one period.

    Returns
    -------
    Target
        A classifier's question.

    Raises
    ------
    DataError
        If a column is missing, a start is missing or after its end, or a horizon (with grace) reaches past ``until``.

    See Also
    --------
    will_leave : Where there is no contract.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.prediction import will_end
    >>> contracts = pd.DataFrame({"customer_id": list("abc"), "start": [0, 10, 5], "end": [40, None, 20]})
    >>> asked = will_end(contracts, "1970-01-31", horizon=30, until="1971-01-01")
    >>> asked.y.droplevel("cutoff").to_dict()
    {'a': 1, 'b': 0}
    """
    if isinstance(grace_days, bool) or not isinstance(grace_days, int | np.integer) or grace_days < 0:
        raise DataError(f"grace_days must be a whole number of at least 0, got {grace_days!r}")
    if isinstance(horizon, bool) or not isinstance(horizon, int | np.integer) or horizon < 1:
        raise DataError(f"horizon must be a whole number of days of at least 1, got {horizon!r}")
    question = _Ends(int(horizon), int(grace_days), start, end, price, windows, columns)
    return question.ask(contracts, cutoffs, others=others, until=until)


@dataclass(frozen=True)
class _Ends:
    """The question, to be asked at any cutoff."""

    horizon: int
    grace_days: int
    start: str
    end: str
    price: str | None
    windows: Any
    columns: Any
    recipe: FeatureRecipe | None = None

    def ask(self, contracts: Any, cutoffs: Any, *, others: Any, until: Any = None, labels: bool = True) -> Target:
        """Give the target at some cutoffs."""
        days = _days_of(cutoffs)
        spells = _Spells.of(contracts, self)
        known = self._known_until(days, until) if labels else None
        parts, answers = [], []
        for day in days:
            part, ends = spells.at(day, self.horizon)
            parts.append(part)
            answers.append(ends)
        own = pd.concat(parts)
        question, frame = self, own
        if others is not None:
            question, frame = self._beside(own, others, days, until if known is not None else None)
        label = pd.Series(np.concatenate(answers), index=own.index, name="ends") if labels else None
        asked = f"Whose contract will end within {self.horizon} days?"
        return Target(asked, "classifier", frame, label, self.horizon, (), question.ask)

    def _known_until(self, days: list[int], until: Any) -> int:
        """Refuse a horizon that reaches past what is known."""
        if until is None:
            raise DataError("until must say up to when the contracts are complete: open ends do not")
        known = as_cutoff(until).day
        late = [str(as_cutoff(day)) for day in days if day + self.horizon + self.grace_days > known]
        if late:
            raise DataError(
                f"whose contract ends in the {self.horizon} days from {', '.join(late)} is not known yet: with "
                f"{self.grace_days} days of grace that reaches past {until}"
            )
        return known

    def _beside(self, own: pd.DataFrame, others: Any, days: list[int], until: Any) -> tuple[_Ends, pd.DataFrame]:
        """Put the features of events beside those of the contracts, and keep what was learned of them."""
        from dataclasses import replace

        people = pd.DataFrame({"customer_id": own.index.get_level_values("customer_id").unique()})
        if self.recipe is None:
            # Their own label is not asked for: whatever it is, it is not looked at.
            with passed_on():
                made = features(
                    others,
                    days,
                    windows=self.windows,
                    horizon=1,
                    columns=self.columns,
                    customers=people,
                    until=until or max(days) + 1,
                )
            return replace(self, recipe=made.recipe), own.join(made.features)
        with passed_on():
            return self, own.join(self.recipe.apply(others, days, customers=people))


@dataclass(frozen=True)
class _Spells:
    """Terms of contracts, and the unbroken stretch that each belongs to."""

    ids: pd.Index
    customer: npt.NDArray[np.intp]
    begin: npt.NDArray[np.int64]
    reach: npt.NDArray[np.int64]
    first: npt.NDArray[np.intp]
    left: npt.NDArray[np.int64]
    paid: npt.NDArray[np.float64] | None

    @classmethod
    def of(cls, contracts: Any, asked: _Ends) -> _Spells:
        """Read terms and join those that follow each other."""
        frame = as_frame(contracts, what="contracts")
        needed = ["customer_id", asked.start, asked.end, *([] if asked.price is None else [asked.price])]
        require_columns(frame, needed, what="contracts")
        customer, ids = customer_codes(frame, what="contracts")
        begin, finish = contract_days(frame, asked.start), contract_days(frame, asked.end, missing=OPEN)
        wrong = finish < begin
        if wrong.any():
            raise DataError(f"contracts: {asked.end} is before {asked.start} in {positions(wrong)}")
        order = np.lexsort((finish, begin, customer))
        customer, begin, finish = customer[order], begin[order], finish[order]
        paid = None if asked.price is None else numbers(frame, asked.price, what="contracts")[order]
        reach = pd.Series(finish).groupby(customer).cummax().to_numpy(dtype=np.int64)
        new = np.ones(len(order), dtype=bool)
        new[1:] = (customer[1:] != customer[:-1]) | (begin[1:] > reach[:-1] + asked.grace_days)
        spell = np.cumsum(new) - 1
        left = np.full(int(spell.max(initial=-1)) + 1, np.iinfo(np.int64).min)
        np.maximum.at(left, spell, finish)
        return cls(ids, customer, begin, reach, np.flatnonzero(new)[spell], left[spell], paid)

    def at(self, day: int, horizon: int) -> tuple[pd.DataFrame, npt.NDArray[np.float64]]:
        """Give what was known at a day of those under contract, and whether the contract ends within the horizon."""
        started = self.begin < day
        last = started.copy()
        last[:-1] &= ~(started[1:] & (self.first[1:] == self.first[:-1]))
        # By what had started before: a renewal that comes later must not decide who is asked about.
        rows = np.flatnonzero(last & (self.reach >= day))
        joined = self.begin[self.first[rows]]
        years = (day - joined) / _YEAR
        table = {
            "contract_days": (day - joined).astype(np.float64),
            "contract_terms": (rows - self.first[rows] + 1).astype(np.float64),
            "days_to_anniversary": (np.floor(years) + 1 - years) * _YEAR,
        }
        if self.paid is not None:
            table["contract_price"] = self.paid[rows]
            table["price_change"] = self.paid[rows] - self.paid[self.first[rows]]
        when = pd.Timestamp(as_cutoff(day).date)
        index = pd.MultiIndex.from_arrays(
            [self.ids[self.customer[rows]], pd.DatetimeIndex(np.full(len(rows), when.to_datetime64())).as_unit("us")],
            names=["customer_id", "cutoff"],
        )
        return pd.DataFrame(table, index=index), (self.left[rows] < day + horizon).astype(np.float64)


def _days_of(cutoffs: Any) -> list[int]:
    """Read cutoffs that are dates."""
    given = [cutoffs] if isinstance(cutoffs, str) or not hasattr(cutoffs, "__iter__") else list(cutoffs)
    read = [as_cutoff(one) for one in given]
    if not read or any(one.instant is not None for one in read):
        raise DataError("cutoffs of contracts must be dates, at least one")
    return sorted({one.day for one in read})
