"""Gives new cases their remedy at the prices of a plan that stands, call after call."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Self

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.remediation._blocks import Blocks
from crmkit.remediation._case_table import as_new_cases
from crmkit.remediation._columns import Columns
from crmkit.remediation._frequency import counted_as_contacts
from crmkit.remediation._intensity_hooks import words_of_new
from crmkit.remediation._key_kinds import check_kinds, kind_of
from crmkit.remediation._options import EXACT
from crmkit.remediation._serve import Quota, gather, serve
from crmkit.remediation._tableau import factors_of, tabulate
from crmkit.remediation._tally import Tally
from crmkit.remediation._terms import NOTHING, Resource
from crmkit.remediation._tier import Tier

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.remediation._problem import Problem

    Floats = npt.NDArray[np.float64]
    Ints = npt.NDArray[np.intp]
    Bools = npt.NDArray[np.bool_]

__all__ = ["Assigner"]

_LOOKED_AT = 1_000


class Assigner:
    """Gives new cases their remedy as they come in, and remembers what that has used.

    A plan makes one with :meth:`Plan.assigner`. For the prices of the plan each case is decided by itself, so that a
    million new cases at once take less than a second, and one by itself a few milliseconds. Every call starts from what
    the calls before it have left of resources and caps; floors only make remedies cheaper. Cases are taken in their
    order.

    Case ids of earlier calls are not remembered. Where the same case may come twice, plan with
    ``one_per="case_id"`` (or ``"customer_id"``), and it gets one remedy at most.

    Attributes
    ----------
    n_cases : int
        How many new cases came in so far.

    Notes
    -----
    Not for several threads at once: two calls at the same time could give the same hour twice. Put a lock round
    :meth:`assign`, or let one worker do it. It keeps no cases: memory is that of the keys of ``one_per`` that have a
    remedy. :func:`crmkit.save` and :func:`crmkit.load` keep it with all it has counted.

    Examples
    --------
    >>> from crmkit.remediation import Problem, Remedy, Resource, plan
    >>> cases = {"case_id": ["a", "b"], "worth": [10.0, 4.0]}
    >>> problem = Problem(cases, [Remedy("call", value="worth", uses={"hours": 1})], [Resource("hours", 3.5)])
    >>> stream = plan(problem).assigner()
    >>> [stream.assign({"case_id": [i], "worth": [5.0]})["remedy"].item() for i in range(3)]
    ['call', 'nothing', 'nothing']
    >>> stream.left
    hours    0.5
    Name: left, dtype: float64
    """

    n_cases: int

    def __init__(self, problem: Problem, duals: Floats, used: Floats, choice: Ints, has: Bools) -> None:
        """Start from a plan; see :meth:`Plan.assigner`."""
        given = problem.given_before(choice) if problem.frequency else None
        rows = problem.tableau().limits
        self._remedies, self._limits, self._one_per = problem.remedies, problem.limits, problem.one_per
        self._long = problem.remedy_names if problem.long else None
        self._duals = np.asarray(duals, dtype=np.float64)
        self._bound = np.array([row.bound for row in rows], dtype=np.float64)
        limited = np.array([row.sense == "<=" for row in rows], dtype=bool)
        tier = problem.tier()
        # Beyond a limit is bought only where the plan's prices are as high as its penalty.
        reach = np.where(np.abs(self._duals) >= tier.penalty * (1.0 - EXACT), tier.most, 0.0)
        self._left = np.where(limited, np.maximum(self._bound + reach - used, 0.0), np.inf)
        self._allowance = EXACT * np.maximum(1.0, np.abs(np.where(np.isfinite(self._left), self._left, 0.0)))
        counted = ~problem.held_out
        self._factors = factors_of(problem.cases, problem.limits, problem.group, counted)
        named = {*(rule.per for rule in problem.frequency), *([self._one_per] if self._one_per is not None else [])}
        self._kinds = {name: kind_of(problem.cases[name]) for name in sorted(named)}
        self._given: Tally | None = None
        if self._one_per is not None:
            keys = [problem.cases[self._one_per][has]]
            if problem.promised is not None:
                seen = problem.promised.seen
                keys += [problem.promised.gone[self._one_per], seen.loc[seen["held_out"], self._one_per]]
            self._given = Tally(pd.concat(keys, ignore_index=True).dropna())
        self._frequency = tuple(
            (rule.per, int(rule.most), rule.counted(problem.remedies)) for rule in problem.frequency
        )
        self._contacts = [counted_as_contacts(rule, problem.remedies, given) for rule in problem.frequency]
        self.n_cases = 0

    def copy(self) -> Self:
        """Give one that goes on by itself from here.

        Returns
        -------
        Assigner
            What it gives is not counted here.
        """
        other = object.__new__(type(self))
        other.__dict__.update(self.__dict__)
        other._left = self._left.copy()
        other._given = None if self._given is None else self._given.copy()
        other._contacts = [tally.copy() for tally in self._contacts]
        return other

    @property
    def left(self) -> pd.Series:
        """What is left of each resource and cap, indexed by its name; ``inf`` where nothing limits it."""
        there = [i for i, limit in enumerate(self._limits) if np.isfinite(self._left[i]) or isinstance(limit, Resource)]
        index = pd.Index([self._limits[i].name for i in there], dtype=object)
        return pd.Series(np.maximum(self._left[there], 0.0), index=index, name="left")

    def assign(self, new_cases: Any) -> pd.DataFrame:
        """Give new cases the best remedy at the prices that still fits, and count what they use.

        Parameters
        ----------
        new_cases : table
            With the columns that the problem's formulas name.

        Returns
        -------
        pandas.DataFrame
            As from :meth:`Plan.assign`. Where an error is raised, nothing was given or counted.

        Raises
        ------
        DataError
            If a column or a case id is missing, or an id stands twice.

        Warns
        -----
        DataWarning
            If something is missing, once, with counts.
        """
        return self._assigned(new_cases)

    def _assigned(self, new_cases: Any) -> pd.DataFrame:
        """Assign, called at one depth below the caller, where warnings point."""
        table = as_new_cases(new_cases, self._long)
        n_cases = len(table)
        keys = None
        if self._one_per is not None:
            require_columns(table, [self._one_per], what="new cases", hint="the problem has one remedy per it")
            self._check_kind(table, self._one_per)
            keys = _Keys(table[self._one_per])
        rules = self._rules(table)
        alone = np.arange(n_cases)
        words = words_of_new(self._remedies, self._limits, table, self._duals)
        found = tabulate(
            Columns(words.table),
            words.remedies,
            self._limits,
            alone,
            None,
            stacklevel=4,
            factors=self._factors,
            notes=words.notes,
        )
        limits = [row._replace(bound=bound) for row, bound in zip(found.limits, self._bound, strict=True)]
        blocks = Blocks.of(found.value, alone, limits, Tier.hard(len(limits)))
        prices = np.maximum(self._duals[blocks.rows] * blocks.sign, 0.0)
        left = self._left[blocks.rows]
        nobody = np.zeros(0, dtype=bool)
        had = nobody if keys is None or self._given is None else keys.spread(self._given.of(keys.different)) > 0
        taken = had.copy()
        group = None if keys is None else keys.code
        quotas = [quota for _, quota, _ in rules]
        given = serve(blocks, prices, left, self._allowance[blocks.rows], group=group, taken=taken, quotas=quotas)
        self._left[blocks.rows] = left
        self.n_cases += n_cases
        if keys is not None and self._given is not None:
            self._given.add(keys.different, (taken != had)[: len(keys.different)].astype(np.intp))
        for (who, quota, before), tally in zip(rules, self._contacts, strict=True):
            tally.add(who.different, (before - quota.left)[: len(who.different)])
        names = np.array([*(remedy.name for remedy in self._remedies), NOTHING], dtype=object)
        resources = [i for i, limit in enumerate(self._limits) if isinstance(limit, Resource)]
        worth, uses = gather(found.value, [limits[i].coefficients for i in resources], given.choice)
        columns: dict[str, Any] = {"case_id": table["case_id"], "remedy": names[given.choice]}
        columns |= words.column(given.choice)
        columns["value"] = worth
        columns |= {f"uses_{self._limits[i].name}": use for i, use in zip(resources, uses, strict=True)}
        columns["adjusted"] = given.adjusted
        return pd.DataFrame(columns, copy=False)

    def _rules(self, table: pd.DataFrame) -> list[tuple[_Keys, Quota, Ints]]:
        """Say for each rule of contact frequency who the cases' customers are, and what is left to each."""
        rules = []
        for (per, most, contact), tally in zip(self._frequency, self._contacts, strict=True):
            require_columns(table, [per], what="new cases", hint="the problem limits contacts per it")
            self._check_kind(table, per)
            who = _Keys(table[per])
            left = most - who.spread(tally.of(who.different))
            left[len(who.different) :] = len(table) + 1  # whose customer is missing is not limited
            rules.append((who, Quota(who.code, left, contact), left.copy()))
        return rules

    def _check_kind(self, table: pd.DataFrame, name: str) -> None:
        """Refuse keys of another kind than the plan's."""
        check_kinds(name, [("plan", self._kinds[name]), ("new cases", table[name].iloc[:_LOOKED_AT])])

    def get_state(self) -> dict[str, Any]:
        """Give everything it consists of, for saving without pickle.

        Returns
        -------
        dict
            Terms, arrays, numbers and text.
        """
        return {
            "remedies": list(self._remedies),
            "limits": list(self._limits),
            "one_per": self._one_per,
            "long": self._long,
            "duals": self._duals,
            "bound": self._bound,
            "left": self._left,
            "allowance": self._allowance,
            "factors": self._factors,
            "kinds": self._kinds,
            "given": None if self._given is None else self._given.counts(),
            "frequency": list(self._frequency),
            "contacts": [tally.counts() for tally in self._contacts],
            "n_cases": self.n_cases,
        }

    @classmethod
    def from_state(cls, state: dict[str, Any]) -> Self:
        """Make one again from what :meth:`get_state` gave.

        Parameters
        ----------
        state : dict
            The state.

        Returns
        -------
        Assigner
            It goes on where the saved one stood.
        """
        self = object.__new__(cls)
        self._remedies, self._limits = tuple(state["remedies"]), tuple(state["limits"])
        self._one_per, self._long = state["one_per"], state["long"]
        self._duals, self._bound = state["duals"], state["bound"]
        self._left, self._allowance, self._factors = state["left"], state["allowance"], dict(state["factors"])
        self._kinds = dict(state["kinds"])
        given = state["given"]
        self._given = None if given is None else Tally.of_counts(given.index, given.to_numpy())
        self._frequency = tuple(state["frequency"])
        self._contacts = [Tally.of_counts(counts.index, counts.to_numpy()) for counts in state["contacts"]]
        self.n_cases = state["n_cases"]
        return self

    def __repr__(self) -> str:
        left = ", ".join(f"{name} {amount:,.6g}" for name, amount in self.left.items()) or "nothing limited"
        return f"Assigner({self.n_cases:,} new cases so far; left: {left})"


class _Keys:
    """The keys of new cases: numbered, a missing one being a key of its own."""

    def __init__(self, column: pd.Series) -> None:
        codes, different = column.factorize()
        code = codes.astype(np.intp)
        missing = code < 0
        code[missing] = len(different) + np.arange(int(missing.sum()))
        self.code, self.different = code, pd.Index(different)
        self.n_keys = len(different) + int(missing.sum())

    def spread(self, counts: Ints) -> Ints:
        """Give counts of the different keys, followed by a 0 for each missing one."""
        return np.concatenate([counts, np.zeros(self.n_keys - len(counts), dtype=np.intp)])
