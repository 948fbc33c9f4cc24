"""What a plan must keep to because of what was before it: contacts of a history, and remedies promised."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.remediation._recount import Column

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem
    from crmkit.remediation._recount import Counts

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Before"]


class Before:
    """Contacts and promises worked out anew, for :func:`verify` alone.

    Parameters
    ----------
    problem : Problem
        What was planned.
    """

    def __init__(self, problem: Problem) -> None:
        self.problem = problem
        self.names = [remedy.name for remedy in problem.remedies]
        self.numbers = np.arange(len(self.names))
        n_cases = len(problem.cases)
        self.promised = np.full(n_cases, -1, dtype=np.intp)
        self.gone: pd.DataFrame | None = None
        if problem.promised is not None:
            self.promised[problem.promised.case] = problem.promised.remedy
            self.gone = problem.promised.gone
        self.room = [self._room(rule) for rule in problem.frequency]

    def _room(self, rule: Any) -> Floats:
        """Say for each case how many contacts its customer may still get; infinite where it is missing."""
        microsecond = np.timedelta64(1, "us")
        time = (rule.history[rule.time].dt.tz_convert("UTC").dt.tz_localize(None)).to_numpy(dtype="datetime64[us]")
        until = np.datetime64(rule.at.tz_convert("UTC").tz_localize(None), "us")
        ago = (until - time) / microsecond  # NaN where the time is missing, which is never inside
        inside = (ago >= 0) & (ago < float(rule.days) * 86_400e6)
        had = rule.history[inside].groupby(rule.per, observed=True).size()
        if self.gone is not None:
            contact = self.gone["remedy"].isin(np.array(self.names, dtype=object)[self._contact(rule, self.numbers)])
            had = had.add(self.gone[contact].groupby(rule.per, observed=True).size(), fill_value=0)
        keys = self.problem.cases[rule.per].astype(object)
        counts = keys.map(had.to_dict()).fillna(0).astype(np.float64)
        return np.asarray(np.where(keys.isna(), np.inf, rule.most - counts), dtype=np.float64)

    def _contact(self, rule: Any, remedy: Any) -> Bools:
        """Say which remedies, given by number, are contacts; no remedy is none."""
        parts = [{remedy.name, *remedy.parts} for remedy in self.problem.remedies]
        listed = np.array([rule.remedies is None or bool(part & set(rule.remedies)) for part in parts] + [False])
        return np.asarray(listed[np.where(np.asarray(remedy) < 0, len(self.names), remedy)])

    def restrict(self, may: Bools) -> Bools:
        """Take out remedies of customers who have had all their contacts, and all but the promise of promised cases."""
        may = may.copy()
        for rule, room in zip(self.problem.frequency, self.room, strict=True):
            keys = self.problem.cases[rule.per].astype(object)
            promised = pd.Series(self._contact(rule, self.promised)).groupby(keys.to_numpy()).sum()
            left = room - keys.map(promised.to_dict()).fillna(0).to_numpy(dtype=np.float64)
            may[np.ix_(left <= 0, self._contact(rule, self.numbers))] = False
        some = np.flatnonzero(self.promised >= 0)
        may[some] = False
        may[some, self.promised[some]] = True
        return may

    def write(self, value: Floats, use: dict[str, Counts]) -> None:
        """Put what was promised, with its worth and uses as planned, in the place of what the formulas give."""
        stands = self.problem.promised
        if stands is None:
            return
        value[stands.case, stands.remedy] = stands.value
        for name, amounts in stands.uses.items():
            for j in np.unique(stands.remedy).tolist():
                these = stands.remedy == j
                numbers = np.zeros(len(value))
                if j in use[name].columns:
                    where, data, _ = use[name].columns[j]
                    numbers[slice(None) if where is None else where] = data
                numbers[stands.case[these]] = amounts[these]
                use[name].columns[j] = Column.of(numbers, np.zeros(len(value), dtype=bool))

    def used(self, counts: Counts) -> float:
        """Say how much of one limit the promised remedies use."""
        total = 0.0
        for j, (where, data, _) in counts.columns.items():
            chosen = self.promised == j
            total += float(np.sum(data[chosen] if where is None else data[chosen[where]]))
        return total

    def settled(self, group: Any) -> Bools:
        """Say which cases can get nothing beside what is promised."""
        there = np.zeros(len(self.promised), dtype=bool)
        numbers = np.asarray(group)
        there |= np.isin(numbers, numbers[self.promised >= 0])
        if self.gone is not None and self.problem.one_per is not None:
            keys = self.problem.cases[self.problem.one_per]
            there |= (keys.isin(self.gone[self.problem.one_per].dropna()) & keys.notna()).to_numpy(dtype=bool)
        return there

    def violations(self, case: Any, remedy: Any, given: Any, share: Any, group: Any) -> list[tuple[str, Bools]]:
        """Find what breaks a promise or is a contact too many: what is wrong, and in which lines."""
        given = np.asarray(given & (share > 0), dtype=bool)
        number = np.where(given, remedy, -1)
        wanted = self.promised[case]
        found = [("a promised remedy is not given", (wanted >= 0) & ~((number == wanted) & (share == 1)))]
        beside = given & (wanted < 0) & self.settled(group)[case]
        found.append((f"a remedy beside one promised per {self.problem.one_per}", beside))
        for rule, room in zip(self.problem.frequency, self.room, strict=True):
            contact = self._contact(rule, number)
            key = self.problem.cases[rule.per].astype(object).to_numpy()[case]
            # Of a divided plan one_per sees to it that the shares of one customer are one remedy at most.
            total = pd.Series(np.where(contact, share, 0.0)).groupby(key).transform("sum").to_numpy()
            beyond = np.nan_to_num(total) > room[case] + 1e-7
            found.append(
                (
                    f"more than {rule.most} contacts in {rule.days:g} days per {rule.per}",
                    contact & beyond & (wanted < 0),
                )
            )
        return found
