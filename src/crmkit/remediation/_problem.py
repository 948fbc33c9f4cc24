"""A remediation problem: cases, what may be done for each, and within which limits."""

from __future__ import annotations

import warnings
from dataclasses import replace
from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.remediation._case_table import as_new_cases, check_case_ids, with_case_id
from crmkit.remediation._coefficients import Coefficients
from crmkit.remediation._frequency import Frequency, keep_out, summarised
from crmkit.remediation._from_arrays import cases_from_arrays, cases_from_options
from crmkit.remediation._holdout import draw
from crmkit.remediation._intensities import has_intensities, worded
from crmkit.remediation._planners_view import PlannersView
from crmkit.remediation._promised import (
    Promised,
    check_promises,
    closed_groups,
    with_promised,
)
from crmkit.remediation._tableau import Limits, Tableau, check_names, group_codes, tabulate
from crmkit.remediation._terms import Cap, Floor, Ratio, Remedy, Resource

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from crmkit.remediation._terms import Holdout, Limit

__all__ = ["Problem"]


class Problem(PlannersView):
    """Which case shall get which remedy, so that the most value is kept within the limits.

    Every formula is worked out once, when the problem is made, so that what is wrong is told before any planning. A
    remedy whose value, use or eligibility is missing for a case is not eligible there; all of that is counted in one
    :class:`~crmkit.DataWarning`. Each case gets one remedy or nothing.

    Parameters
    ----------
    cases : table
        One row a case with ``case_id`` (a column, or the index's name), each once, and the columns that formulas name.
        Do not change it afterwards.
    remedies : sequence of Remedy
        What may be done.
    limits : sequence of Resource, Floor, Cap or Ratio, default=()
        What there is, at least and at most.
    one_per : str or None, default=None
        A column such as ``"customer_id"``: cases with the same value get at most one remedy together, so that the
        value of one customer is never counted twice. A missing value stands for itself alone.
    holdout : Holdout or None, default=None
        Cases drawn at random that get nothing, for measuring the plan's effect later.
    frequency : Frequency or sequence of Frequency, default=()
        How often a customer may be contacted, counted in a history of contacts.

    Attributes
    ----------
    held_out : ndarray of bool, shape (n_cases,)
        Which cases are held out.
    intensities : ndarray, shape (n_cases, n_remedies), or None
        At which intensities the formulas were worked out, NaN where there is none; None where no remedy has an
        intensity or they are still to be planned.

    Raises
    ------
    DataError
        If a case id is missing or stands twice, a name is unknown or given twice, or a use is negative.
    ExpressionError
        If a formula is not in the expression language or names no column.

    Warns
    -----
    DataWarning
        If something is missing, once, with counts.

    Notes
    -----
    Memory: 8 bytes a case and remedy for the values, at most 8 for each resource (none where the use is a number or a
    column of the cases), and one byte a case for each floor or cap. Tables of the limits are made when asked for.

    Examples
    --------
    >>> from crmkit.remediation import Problem, Remedy, Resource, plan
    >>> cases = {"case_id": ["a", "b"], "worth": [10.0, 4.0]}
    >>> problem = Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], [Resource("hours", 1)])
    >>> plan(problem).table[["case_id", "remedy", "value"]].values.tolist()
    [['a', 'call', 10.0], ['b', 'nothing', 0.0]]
    """

    cases: pd.DataFrame
    remedies: tuple[Remedy, ...]
    limits: tuple[Limit, ...]
    one_per: str | None
    holdout: Holdout | None
    held_out: npt.NDArray[np.bool_]
    frequency: tuple[Frequency, ...]
    promised: Promised | None

    def __init__(
        self,
        cases: Any,
        remedies: Sequence[Remedy],
        limits: Sequence[Limit] = (),
        *,
        one_per: str | None = None,
        holdout: Holdout | None = None,
        frequency: Frequency | Sequence[Frequency] = (),
    ) -> None:
        self._set(cases, remedies, limits, one_per=one_per, holdout=holdout, frequency=frequency)

    def _set(
        self,
        cases: Any,
        remedies: Sequence[Remedy],
        limits: Sequence[Limit],
        *,
        one_per: Any,
        holdout: Any,
        frequency: Any = (),
        held_out: Any = None,
        promised: Promised | None = None,
    ) -> None:
        """Check and work everything out; called at one depth below the caller, where warnings point."""
        self.cases = with_case_id(as_frame(cases, what="cases"))
        self.remedies = _all_of(remedies, Remedy, "remedies", "Remedy")
        self.limits = _all_of(limits, (Resource, Floor, Cap, Ratio), "limits", "Resource, Floor, Cap and Ratio")
        check_names(self.remedies, self.limits)
        self.one_per = one_per
        self.holdout = holdout
        rules = [frequency] if isinstance(frequency, Frequency) else frequency
        self.frequency = _all_of(rules, Frequency, "frequency", "Frequency")
        self.promised = promised
        check_case_ids(self.cases)
        n_cases = len(self.cases)
        if one_per is None:
            self._group = np.arange(n_cases, dtype=np.intp)
        else:
            require_columns(self.cases, [one_per], what="cases", hint="one_per= names a column of the cases")
            self._group = group_codes(self.cases[one_per])
        if held_out is not None:
            self.held_out = held_out
        else:
            self.held_out = np.zeros(n_cases, dtype=bool) if holdout is None else draw(holdout, self.cases, self._group)
        self.intensities: npt.NDArray[np.float64] | None = None
        words = worded(self.cases, self.remedies, None)
        self._tableau = tabulate(
            words.table, words.remedies, self.limits, self._group, ~self.held_out, stacklevel=4, notes=words.notes
        )
        self._cached: dict[str, Any] = {}
        self._long = False
        self._settle()

    def _settle(self) -> None:
        """Take out what would be one contact too many, and write in what is promised."""
        self._closed = self.held_out
        made = None
        if self.promised is not None:
            self._closed = self.held_out | closed_groups(self.promised, self.cases, self.one_per, self._group)
            made = self.given_before()
        self._kept_out: list[npt.NDArray[np.bool_]] = []
        if self.frequency:
            self._kept_out = keep_out(
                self.frequency,
                self.cases,
                self.remedies,
                self._tableau.value,
                one_per=self.one_per,
                settled=self._closed,
                made=made,
            )
        if self.promised is not None:
            self._tableau = with_promised(self._tableau, self.limits, self.promised)
            check_promises(self._tableau, self.limits, self.promised, self.one_per, self._group)

    def continued(
        self, cases: pd.DataFrame, limits: Sequence[Limit], promised: Promised, held_out: npt.NDArray[np.bool_]
    ) -> Problem:
        """Give a problem of other cases in the same words, with what is promised; see :meth:`Plan.update`.

        Parameters
        ----------
        cases : pandas.DataFrame
            As from :meth:`new_cases`.
        limits : sequence of Limit
            This problem's, some of them lower.
        promised : Promised
            What stands.
        held_out : ndarray of bool, shape (n_cases,)
            Which cases are held out.

        Returns
        -------
        Problem
            A new problem.
        """
        other = object.__new__(type(self))
        other._set(
            cases,
            self.remedies,
            limits,
            one_per=self.one_per,
            holdout=self.holdout,
            frequency=self.frequency,
            held_out=held_out,
            promised=promised,
        )
        other._long = self._long
        return other

    @property
    def keys(self) -> list[str]:
        """The columns of the cases that name customers: of ``one_per`` and of the rules of contact frequency."""
        return list(dict.fromkeys([*([self.one_per] if self.one_per else []), *(rule.per for rule in self.frequency)]))

    def given_before(self, choice: npt.NDArray[np.intp] | None = None) -> pd.DataFrame:
        """List remedies promised, to cases there and no longer there, with the columns that name customers.

        Parameters
        ----------
        choice : ndarray of int, shape (n_cases,), or None
            What each case gets, -1 for nothing; by default what is promised.

        Returns
        -------
        pandas.DataFrame
            ``remedy``, and the columns of ``one_per`` and of the rules of contact frequency; one row a remedy.
        """
        if choice is None:
            choice = np.full(self.n_cases, -1, dtype=np.intp)
            if self.promised is not None:
                choice[self.promised.case] = self.promised.remedy
        some = np.flatnonzero(choice >= 0)
        made = self.cases[self.keys].iloc[some].copy()
        made["remedy"] = np.array(self.remedy_names, dtype=object)[choice[some]] if len(some) else ""
        return made if self.promised is None else pd.concat([self.promised.gone, made], ignore_index=True)

    def new_cases(self, table: Any) -> pd.DataFrame:
        """Bring new cases to the form of this problem's own: a long table where it was made of one.

        Parameters
        ----------
        table : table
            As handed to :meth:`Plan.assign`.

        Returns
        -------
        pandas.DataFrame
            One row a case, rows numbered from 0, each case id there and once.

        Raises
        ------
        DataError
            If a column or case id is missing, or an id stands twice.
        """
        return as_new_cases(table, self.remedy_names if self._long else None)

    @classmethod
    def from_arrays(
        cls,
        value: Any,
        *,
        uses: Mapping[str, Any],
        limits: Mapping[str, float],
        eligible: Any = None,
        floors: Mapping[str, tuple[Any, float]] | None = None,
        caps: Mapping[str, tuple[Any, float]] | None = None,
        group: Any = None,
        case_ids: Any = None,
        remedies: Sequence[str] | None = None,
        errors: Any = None,
        shared_errors: Any = None,
        ratios: Mapping[str, tuple[Any, Any, float]] | None = None,
        penalties: Mapping[str, float | tuple[float, float]] | None = None,
    ) -> Self:
        """Make a problem of arrays, for those who have no table and need no expressions.

        Arrays of 64-bit floats are kept as they are, not copied: do not change them afterwards.

        Parameters
        ----------
        value : array-like of float, shape (n_cases, n_remedies)
            Gain over doing nothing; NaN is missing (not eligible, with a warning), ``-inf`` is not eligible.
        uses : mapping of str to array-like, shape (n_cases, n_remedies)
            For each resource what each remedy takes; anything that broadcasts to the shape.
        limits : mapping of str to float
            How much there is of each resource.
        eligible : array-like of bool, shape (n_cases, n_remedies), or None
            Which remedy a case may get; None means all.
        floors, caps : mapping of str to (mask, count), or None
            At least, or at most, so many remedies among the cases of the mask; a mask of None means all cases.
        group : array-like of int, shape (n_cases,), or None
            Cases of one group get at most one remedy together.
        case_ids : array-like, shape (n_cases,), or None
            By default 0, 1, 2, …
        remedies : sequence of str or None
            Their names; by default ``remedy_0``, ``remedy_1``, …
        errors, shared_errors : array-like of float, shape (n_cases, n_remedies), or None
            Standard errors of the values, each case's own and what all cases of a remedy have in common, as in
            :class:`Remedy`; anything that broadcasts to the shape.
        ratios : mapping of str to (mask, mask, least), or None
            The share of the first mask's cases that get a remedy is at least ``least`` times that of the second's, or
            of all cases where that is None; see :class:`Ratio`.
        penalties : mapping of str to float or (float, float), or None
            Limits by name that may be broken, at so much a unit; with a second number, by that many units at most.

        Returns
        -------
        Problem
            The same as one written with formulas.

        Raises
        ------
        DataError
            If shapes do not fit.

        Examples
        --------
        >>> from crmkit.remediation import Problem, plan
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": [[1.0], [1.0]]}, limits={"hours": 1})
        >>> plan(problem).choice.tolist()
        [0, -1]
        """
        cases, made, terms = cases_from_arrays(
            value,
            uses=uses,
            limits=limits,
            eligible=eligible,
            floors=floors,
            caps=caps,
            group=group,
            case_ids=case_ids,
            remedies=remedies,
            errors=errors,
            shared_errors=shared_errors,
            ratios=ratios,
            penalties=penalties,
        )
        self = cls.__new__(cls)
        self._set(cases, made, terms, one_per=None if group is None else "group", holdout=None)
        return self

    @classmethod
    def from_options(
        cls,
        options: Any,
        limits: Sequence[Limit] = (),
        *,
        one_per: str | None = None,
        holdout: Holdout | None = None,
        frequency: Frequency | Sequence[Frequency] = (),
    ) -> Self:
        """Make a problem of a long table, where values come from a model of your own.

        Parameters
        ----------
        options : table
            One row a case and possible remedy: ``case_id``, ``remedy``, ``value`` and ``uses_<resource>`` for each
            resource; ``error`` and ``shared_error`` as in :class:`Remedy` where values are uncertain. What is not
            listed is not eligible. Other columns describe the case (for ``where=`` and
            ``one_per``) and must be the same in all its rows. A row whose ``remedy`` is ``"nothing"`` only names the
            case.
        limits : sequence of Resource, Floor, Cap or Ratio, default=()
            As in :class:`Problem`.
        one_per : str or None, default=None
            As in :class:`Problem`.
        holdout : Holdout or None, default=None
            As in :class:`Problem`.
        frequency : Frequency or sequence of Frequency, default=()
            As in :class:`Problem`.

        Returns
        -------
        Problem
            Cases and remedies in the order of their first row.

        Raises
        ------
        DataError
            If a column is missing, a case and remedy stand twice, or a case's own columns differ between its rows.

        Examples
        --------
        >>> from crmkit.remediation import Problem, Resource, plan
        >>> options = {"case_id": ["a", "a", "b"], "remedy": ["call", "voucher", "call"],
        ...            "value": [9.0, 5.0, 6.0], "uses_hours": [1.0, 0.0, 1.0]}
        >>> plan(Problem.from_options(options, [Resource("hours", 1)])).table["remedy"].tolist()
        ['voucher', 'call']
        """
        cases, made = cases_from_options(options)
        self = cls.__new__(cls)
        self._set(cases, made, limits, one_per=one_per, holdout=holdout, frequency=frequency)
        self._long = True
        return self

    @property
    def group(self) -> npt.NDArray[np.intp]:
        """The group of each case: cases of one group get at most one remedy together."""
        return self._group

    @property
    def frequency_counts(self) -> pd.DataFrame:
        """What each rule of contact frequency counted, a row a rule.

        Columns: ``per``, ``most`` and ``days`` of the rule; ``contacts`` in its window; ``at_limit``, how many
        customers have reached the limit; ``not_counted``, contacts without customer or time; ``cases_kept_out``, how
        many cases lose a remedy by it.
        """
        return summarised(self.frequency, self._kept_out)

    @property
    def long(self) -> bool:
        """Whether the problem was made of a long table, as by :meth:`from_options`."""
        return self._long

    @property
    def case_ids(self) -> npt.NDArray[np.object_]:
        """The case ids in the order of the rows."""
        return np.asarray(self.cases["case_id"].to_numpy(dtype=object))

    @property
    def n_cases(self) -> int:
        """How many cases there are."""
        return len(self.cases)

    @property
    def remedy_names(self) -> tuple[str, ...]:
        """Names of the remedies, in order."""
        return tuple(remedy.name for remedy in self.remedies)

    @property
    def limit_names(self) -> tuple[str, ...]:
        """Names of the limits, in order."""
        return tuple(limit.name for limit in self.limits)

    def with_bounds(self, bounds: Mapping[str, float]) -> Problem:
        """Give the same problem with other limits, sharing all arrays.

        Parameters
        ----------
        bounds : mapping of str to float
            New limits by name; a floor or cap given as a share is set as a whole number.

        Returns
        -------
        Problem
            A new problem; this one stays as it is.

        Raises
        ------
        DataError
            If there is no limit of that name.
        ValueError
            If the new limit is out of range.

        Examples
        --------
        >>> from crmkit.remediation import Problem, plan
        >>> problem = Problem.from_arrays([[10.0], [4.0]], uses={"hours": 1.0}, limits={"hours": 1})
        >>> plan(problem.with_bounds({"hours": 2})).value
        14.0
        """
        unknown = [name for name in bounds if name not in self.limit_names]
        if unknown:
            raise DataError(
                f"there is no limit {unknown[0]!r}; the limits are: {', '.join(map(repr, self.limit_names))}"
            )
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.limits = tuple(
            _with_bound(limit, bounds[limit.name]) if limit.name in bounds else limit for limit in self.limits
        )
        other._tableau = self._tableau.with_bounds(bounds)
        other._cached = {}
        if "worth" in self._cached:
            other._cached["worth"] = self._cached["worth"]
        if "options" in self._cached:
            other._cached["options"] = self._cached["options"].with_rows(other.open_limits())
        blocks = self._cached["blocks"].with_limits(other.open_limits()) if "blocks" in self._cached else None
        if blocks is not None:
            other._cached["blocks"] = blocks
        return other

    def at_intensities(self, intensities: Any) -> Problem:
        """Give the ordinary problem that this one is when intensities are fixed.

        Parameters
        ----------
        intensities : array-like of float, shape (n_cases, n_remedies)
            Of each remedy for each case, within its range; NaN where it is not to be eligible. Columns of remedies
            without an intensity do not matter.

        Returns
        -------
        Problem
            For every planner; :meth:`at_intensities` of it fixes others.

        Raises
        ------
        DataError
            If no remedy has an intensity, the shape is wrong, or one is outside its range.

        Examples
        --------
        >>> from crmkit.remediation import Problem, Remedy, plan
        >>> voucher = Remedy("voucher", value="10 * sqrt(intensity) - intensity", intensity=(1, 100))
        >>> problem = Problem({"case_id": ["a", "b"]}, [voucher])
        >>> plan(problem.at_intensities([[9.0], [16.0]]), "lp").value
        45.0
        """
        given = np.asarray(intensities, dtype=np.float64)
        if not has_intensities(self.remedies):
            raise DataError("no remedy has an intensity: there is nothing to fix")
        if given.shape != (self.n_cases, len(self.remedies)):
            raise DataError(
                f"intensities must have the shape {(self.n_cases, len(self.remedies))} (cases, remedies), "
                f"got {given.shape}"
            )
        none = [remedy.intensity is None for remedy in self.remedies]
        return self._at(np.where(none, np.nan, given))

    def _at(self, intensities: npt.NDArray[np.float64] | None) -> Problem:
        """Give the same problem at other intensities, or at none; what is missing was told when it was made."""
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.intensities, other._cached = intensities, {}
        words = worded(self.cases, self.remedies, intensities)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DataWarning)
            other._tableau = tabulate(
                words.table, words.remedies, self.limits, self._group, ~self.held_out, stacklevel=4
            )
        other._settle()
        return other

    def recast(self, remedies: Sequence[Remedy], tableau: Tableau) -> Problem:
        """Give the same cases and limits with other remedies that are worked out already, for planners.

        Parameters
        ----------
        remedies : sequence of Remedy
            Their names matter only.
        tableau : Tableau
            Their values, and the limits in the problem's order.

        Returns
        -------
        Problem
            An ordinary problem that shares everything else.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other.remedies, other.intensities = tuple(remedies), None
        other._tableau, other._cached = tableau, {}
        return other

    def with_open_intensities(self) -> Problem:
        """Give the problem whose intensities are still to be planned; itself where it is one or has none."""
        return self if self.intensities is None else self._at(None)

    def get_state(self) -> dict[str, Any]:
        """Give everything the problem consists of, for saving without pickle.

        Returns
        -------
        dict
            Tables, arrays, numbers, text, and the terms it is written in.
        """
        return {
            "cases": self.cases,
            "remedies": list(self.remedies),
            "limits": list(self.limits),
            "one_per": self.one_per,
            "holdout": self.holdout,
            "held_out": self.held_out,
            "group": self._group,
            "value": self._tableau.value,
            "rows": [(row.name, row.sense, row.coefficients, row.bound) for row in self._tableau.rows],
            "long": self._long,
            "intensities": self.intensities,
            "frequency": list(self.frequency),
            "kept_out": self._kept_out,
            "promised": self.promised,
            "closed": self._closed,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make a problem again from what :meth:`get_state` gave, without working out any formula.

        Parameters
        ----------
        state : dict
            The state.

        Returns
        -------
        Problem
            The same problem.
        """
        self = cls.__new__(cls)
        self.cases = state["cases"]
        self.remedies, self.limits = tuple(state["remedies"]), tuple(state["limits"])
        self.one_per, self.holdout, self.held_out = state["one_per"], state["holdout"], state["held_out"]
        check_case_ids(self.cases)
        self._group, self._long = state["group"], state["long"]
        self.intensities = state.get("intensities")
        limits = [
            Limits(name, sense, Coefficients.of_matrix(table), bound) for name, sense, table, bound in state["rows"]
        ]
        self._tableau = Tableau(state["value"], limits)
        self.frequency, self.promised = tuple(state.get("frequency", ())), state.get("promised")
        self._kept_out, self._closed = state.get("kept_out", []), state.get("closed", self.held_out)
        self._cached = {}
        return self

    def __repr__(self) -> str:
        names = ", ".join(self.remedy_names) or "no remedies"
        limits = ", ".join(f"{row.name} {row.sense} {row.bound:g}" for row in self._tableau.limits) or "no limits"
        per = f"; one per {self.one_per}" if self.one_per else ""
        out = f"; {int(self.held_out.sum()):,} held out" if self.holdout else ""
        if self.frequency:
            kept_out = np.any(self._kept_out, axis=0)
            out += f"; {int(kept_out.sum()):,} kept out by contact frequency"
        if self.promised is not None:
            out += f"; {len(self.promised.case):,} promised"
        return f"Problem({self.n_cases:,} cases; {names}; {limits}{per}{out})"


def _all_of(items: Any, kinds: Any, what: str, wanted: str) -> tuple[Any, ...]:
    """Check that a sequence holds the right things."""
    if isinstance(items, kinds):
        raise TypeError(f"{what} must be a list of {wanted}, got one {type(items).__name__}: put it in a list")
    given = tuple(items)
    wrong = sorted({type(item).__name__ for item in given if not isinstance(item, kinds)})
    if wrong:
        raise TypeError(f"{what} must be a list of {wanted}, got {', '.join(wrong)}")
    return given


def _with_bound(limit: Limit, bound: float) -> Limit:
    """Give a limit another bound."""
    if isinstance(limit, Resource):
        return replace(limit, limit=float(bound))
    if isinstance(limit, Ratio):
        return replace(limit, short=-float(bound))
    return replace(limit, count=float(bound), share=None)
