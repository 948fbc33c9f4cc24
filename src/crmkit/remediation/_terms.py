"""The words a problem is written in: remedies, resources, floors, caps and a hold-out."""

from __future__ import annotations

import math
from dataclasses import KW_ONLY, dataclass, field
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["NOTHING", "Cap", "Floor", "Holdout", "Limit", "Ratio", "Remedy", "Resource"]

NOTHING = "nothing"
"""What a case gets that gets no remedy."""


def _name(what: str, name: object) -> str:
    """Refuse a name that is no text or empty."""
    if not isinstance(name, str) or not name.strip():
        raise ValueError(f"{what} needs a name (text, not empty), got {name!r}")
    return name


def _shown(given: object) -> str:
    """Show a number or text that was given; of a table only its kind, because it may hold personal data."""
    return repr(given) if isinstance(given, str | Real | None) else f"{type(given).__name__}: give a column's name"


def _formula(what: str, formula: object) -> None:
    """Refuse what is neither an expression nor a finite number."""
    if isinstance(formula, str) and formula.strip():
        return
    if isinstance(formula, bool) or not isinstance(formula, Real) or not math.isfinite(formula):
        raise ValueError(f"{what} must be a column name, a finite number or an expression, got {_shown(formula)}")


def _range(what: str, given: Any) -> tuple[str | float, str | float]:
    """Refuse what is no pair of formulas, or a pair of numbers the wrong way round."""
    if not isinstance(given, list | tuple) or len(given) != 2:
        raise ValueError(f"{what} must be a pair of least and most, such as (5, 50), got {type(given).__name__}")
    low, high = given
    _formula(f"the least {what}", low)
    _formula(f"the most {what}", high)
    if isinstance(low, Real) and isinstance(high, Real) and low > high:
        raise ValueError(f"{what} goes from {low!r} to {high!r}: the least must not be above the most")
    return given[0], given[1]


def _condition(what: str, condition: object) -> None:
    """Refuse a condition that is no text."""
    if condition is not None and not (isinstance(condition, str) and condition.strip()):
        raise ValueError(f"{what} must be a condition such as 'recency_days <= 60', or None, got {_shown(condition)}")


def _tier(what: str, penalty: Any, beyond: Any, *, whole: bool) -> None:
    """Refuse a penalty that is no amount, and a reach without one."""
    if penalty is None:
        if beyond != math.inf:
            raise ValueError(f"{what} has beyond={beyond!r} and no penalty: say what each unit beyond the limit costs")
        return
    if isinstance(penalty, bool) or not isinstance(penalty, Real) or not 0 <= float(penalty) < math.inf:
        raise ValueError(f"penalty of {what} must be a finite number of 0 or more, got {penalty!r}")
    number = not isinstance(beyond, bool) and isinstance(beyond, Real) and float(beyond) >= 0
    if not number or (whole and math.isfinite(beyond) and not float(beyond).is_integer()):
        kind = "a whole number" if whole else "a number"
        raise ValueError(f"beyond of {what} must be {kind} of 0 or more, got {beyond!r}")


@dataclass(frozen=True)
class Remedy:
    """Something that can be done for a case.

    Parameters
    ----------
    name : str
        Its name; ``"nothing"`` is taken.
    value : str or float
        Expected gain over doing nothing, in the cases' currency: a column name, a number or an expression.
    uses : mapping of str to str or float, default={}
        How much of each :class:`Resource` it takes: a column name, a number or an expression, never negative.
    eligible : str or None, default=None
        A condition that a case must meet; None means every case.
    error : str or float or None, default=None
        How uncertain the value is: the standard error of each case's own, independent of all other cases, in the cases'
        currency. A column name, a number or an expression, never negative.
    shared_error : str or float or None, default=None
        Standard error of what all cases of this remedy have in common, such as the measured effect of a voucher, which
        may be off for everybody alike: in the cases' currency, by how much this case's value then changes. Never
        negative.
    parts : tuple of str, default=()
        Names of the remedies that this one consists of: a :class:`Cap` or :class:`Floor` of one of them counts this
        remedy too. :func:`packages` fills it in.
    intensity : pair of str or float, or None, default=None
        How much may be given, from least to most, where that is to be planned too: numbers, or columns or expressions
        of the case. ``value``, ``uses`` and the errors may then use the name ``intensity``; planner ``"nonlinear"``
        chooses it for each case.

    Raises
    ------
    ValueError
        If the name is empty or taken, a formula is neither text nor a finite number, or an intensity is no pair.
    TypeError
        If the parts are text.

    Examples
    --------
    >>> from crmkit.remediation import Remedy
    >>> Remedy("voucher", value="0.12 * lifetime_value - 10", uses={"budget": 10}).name
    'voucher'
    """

    name: str
    _: KW_ONLY
    value: str | float
    uses: Mapping[str, str | float] = field(default_factory=dict, hash=False)
    eligible: str | None = None
    error: str | float | None = None
    shared_error: str | float | None = None
    parts: tuple[str, ...] = ()
    intensity: tuple[str | float, str | float] | None = None

    def __post_init__(self) -> None:
        _name("Remedy", self.name)
        if self.name == NOTHING:
            raise ValueError(f"a remedy cannot be called {NOTHING!r}: that is what a case gets that gets no remedy")
        _formula(f"value of remedy {self.name!r}", self.value)
        for resource, formula in self.uses.items():
            _name(f"a resource in uses of remedy {self.name!r}", resource)
            _formula(f"uses[{resource!r}] of remedy {self.name!r}", formula)
        _condition(f"eligible of remedy {self.name!r}", self.eligible)
        for what, error in (("error", self.error), ("shared_error", self.shared_error)):
            if error is not None:
                _formula(f"{what} of remedy {self.name!r}", error)
        if isinstance(self.parts, str):
            raise TypeError(f"parts of remedy {self.name!r} must be a tuple of names, got {self.parts!r}")
        for part in self.parts:
            _name(f"a part of remedy {self.name!r}", part)
        object.__setattr__(self, "parts", tuple(self.parts))
        if self.intensity is not None:
            object.__setattr__(self, "intensity", _range(f"intensity of remedy {self.name!r}", self.intensity))
        object.__setattr__(self, "uses", dict(self.uses))

    def counts_as(self, name: str | None) -> bool:
        """Say whether a limit of a remedy (None: of any) counts this one."""
        return name is None or name == self.name or name in self.parts


@dataclass(frozen=True)
class Resource:
    """Something that is used up by remedies, such as money or hours.

    Parameters
    ----------
    name : str
        The name that ``uses`` of the remedies refers to.
    limit : float
        How much there is, zero or more; ``inf`` counts without limiting.
    penalty : float or None, default=None
        What one unit beyond the limit costs, in the cases' currency, such as an hour of overtime; it is taken from the
        plan's value. None means that the limit must be kept.
    beyond : float, default=inf
        How many units beyond the limit there may be at that price.

    Raises
    ------
    ValueError
        If the limit is negative or no number, or there is a ``beyond`` without a penalty.

    Examples
    --------
    >>> from crmkit.remediation import Resource
    >>> Resource("senior_hours", 200)
    Resource(name='senior_hours', limit=200)
    >>> Resource("senior_hours", 200, penalty=25, beyond=40)
    Resource(name='senior_hours', limit=200, penalty=25, beyond=40)
    """

    name: str
    limit: float
    _: KW_ONLY
    penalty: float | None = None
    beyond: float = math.inf

    def __post_init__(self) -> None:
        _name("Resource", self.name)
        if isinstance(self.limit, bool) or not isinstance(self.limit, Real) or not self.limit >= 0:
            raise ValueError(f"limit of resource {self.name!r} must be a number of 0 or more, got {self.limit!r}")
        _tier(f"resource {self.name!r}", self.penalty, self.beyond, whole=False)

    def __repr__(self) -> str:
        tier = "" if self.penalty is None else f", penalty={self.penalty!r}, beyond={self.beyond!r}"
        return f"Resource(name={self.name!r}, limit={self.limit!r}{tier})"


def _amount(what: str, share: object, count: object) -> None:
    """Refuse anything but exactly one of a share in [0, 1] and a whole count."""
    if (share is None) == (count is None):
        raise ValueError(f"{what} needs exactly one of share= and count=, got share={share!r} and count={count!r}")
    given = share if count is None else count
    number = not isinstance(given, bool) and isinstance(given, Real) and math.isfinite(given)
    if count is None and not (number and 0 <= float(given) <= 1):  # type: ignore[arg-type]  # checked by `number`
        raise ValueError(f"share of {what} must be a number from 0 to 1, got {share!r}")
    if share is None and not (number and float(given) >= 0 and float(given).is_integer()):  # type: ignore[arg-type]  # checked by `number`
        raise ValueError(f"count of {what} must be a whole number of 0 or more, got {count!r}")


def _default_name(word: str, remedy: str | None, where: str | None) -> str:
    """Name a floor or cap after what it limits."""
    return " ".join([word, *([remedy] if remedy else []), *([f"where {where}"] if where else [])])


@dataclass(frozen=True)
class Floor:
    """At least so many cases must get a remedy.

    Parameters
    ----------
    where : str or None, default=None
        A condition: only cases that meet it count; None means every case. Unknown counts as not met.
    share : float or None
        The least share of the cases in ``where``, rounded up to a whole number. Cases held out are not counted. With
        ``one_per`` it is a share of the different customers (or whatever ``one_per`` names) that have a case there,
        because each of them can get one remedy at most.
    count : int or None
        The least number of remedies.
    remedy : str or None, default=None
        Count this remedy only; None counts every remedy.
    name : str or None, default=None
        What prices and errors call it; by default such as ``"floor where recency_days <= 60"``.
    penalty : float or None, default=None
        What each case that is missing costs, in the cases' currency; it is taken from the plan's value. None means that
        the floor must be kept.
    beyond : float, default=inf
        How many cases may be missing at that price.

    Raises
    ------
    ValueError
        If not exactly one of ``share`` and ``count`` is given, or something is out of range.

    Examples
    --------
    >>> from crmkit.remediation import Floor
    >>> Floor(where="recency_days <= 60", share=0.2).name
    'floor where recency_days <= 60'
    """

    where: str | None = None
    _: KW_ONLY
    share: float | None = None
    count: float | None = None
    remedy: str | None = None
    name: str = None  # type: ignore[assignment]  # None until __post_init__ makes a name of what is limited
    penalty: float | None = None
    beyond: float = math.inf

    def __post_init__(self) -> None:
        if self.name is None:
            object.__setattr__(self, "name", _default_name("floor", self.remedy, self.where))
        _name("Floor", self.name)
        _condition(f"where of {self.name!r}", self.where)
        _amount(repr(self.name), self.share, self.count)
        _tier(repr(self.name), self.penalty, self.beyond, whole=True)


@dataclass(frozen=True)
class Cap:
    """At most so many cases may get a remedy.

    Parameters
    ----------
    remedy : str or None, default=None
        Count this remedy only; None counts every remedy.
    where : str or None, default=None
        A condition: only cases that meet it count; None means every case. Unknown counts as not met.
    count : int or None
        The largest number of remedies.
    share : float or None
        The largest share of the cases in ``where``, rounded down to a whole number; counted as in :class:`Floor`.
    name : str or None, default=None
        What prices and errors call it; by default such as ``"cap voucher"``.
    penalty : float or None, default=None
        What each case beyond the cap costs, in the cases' currency; it is taken from the plan's value. None means that
        the cap must be kept.
    beyond : float, default=inf
        How many cases beyond it there may be at that price.

    Raises
    ------
    ValueError
        If not exactly one of ``share`` and ``count`` is given, or something is out of range.

    Examples
    --------
    >>> from crmkit.remediation import Cap
    >>> Cap("voucher", count=300).name
    'cap voucher'
    """

    remedy: str | None = None
    _: KW_ONLY
    where: str | None = None
    count: float | None = None
    share: float | None = None
    name: str = None  # type: ignore[assignment]  # None until __post_init__ makes a name of what is limited
    penalty: float | None = None
    beyond: float = math.inf

    def __post_init__(self) -> None:
        if self.name is None:
            object.__setattr__(self, "name", _default_name("cap", self.remedy, self.where))
        _name("Cap", self.name)
        _condition(f"where of {self.name!r}", self.where)
        _amount(repr(self.name), self.share, self.count)
        _tier(repr(self.name), self.penalty, self.beyond, whole=True)


@dataclass(frozen=True)
class Ratio:
    """One group's share of cases that get a remedy must be at least so many times that of another group.

    Where a group has no cases its share is not known, and the limit asks for nothing.

    Parameters
    ----------
    where : str
        A condition: the group that must not be left behind. Unknown counts as not met.
    least : float
        The least ratio of the two shares, such as 0.8.
    to : str or None, default=None
        A condition: the group it is compared with; None means every case. Shares are of the cases that are not held
        out; with ``one_per`` of the different customers (or whatever it names) that have a case there.
    remedy : str or None, default=None
        Count this remedy only; None counts every remedy.
    name : str or None, default=None
        What prices and errors call it; by default such as ``"ratio where segment == 'new'"``.
    short : float, default=0.0
        By how many cases of ``where`` its share may fall short of that.
    penalty : float or None, default=None
        What each case of ``where`` that is missing costs, in the cases' currency; it is taken from the plan's value.
        None means that the limit must be kept.
    beyond : float, default=inf
        How many cases may be missing at that price.

    Raises
    ------
    ValueError
        If a number is out of range, or ``where`` is no text.

    Examples
    --------
    >>> from crmkit.remediation import Problem, Ratio, Remedy, Resource, plan
    >>> cases = {"case_id": range(4), "new": [0, 0, 1, 1], "worth": [9.0, 8.0, 2.0, 1.0]}
    >>> limits = [Resource("calls", 2), Ratio("new == 1", least=0.8, to="new == 0")]
    >>> problem = Problem(cases, [Remedy("call", value="worth", uses={"calls": 1})], limits)
    >>> plan(problem).table["remedy"].tolist()
    ['call', 'nothing', 'call', 'nothing']
    """

    where: str
    _: KW_ONLY
    least: float
    to: str | None = None
    remedy: str | None = None
    name: str = None  # type: ignore[assignment]  # None until __post_init__ makes a name of what is limited
    short: float = 0.0
    penalty: float | None = None
    beyond: float = math.inf

    def __post_init__(self) -> None:
        if not isinstance(self.where, str):
            raise ValueError(f"where of a Ratio must be a condition such as 'segment == 1', got {_shown(self.where)}")  # noqa: TRY004 -- as for every other wrong term
        if self.name is None:
            object.__setattr__(self, "name", _default_name("ratio", self.remedy, self.where))
        _name("Ratio", self.name)
        _condition(f"where of {self.name!r}", self.where)
        _condition(f"to of {self.name!r}", self.to)
        for what, given, low in (("least", self.least, 0.0), ("short", self.short, -math.inf)):
            if isinstance(given, bool) or not isinstance(given, Real) or not low <= given < math.inf:
                raise ValueError(f"{what} of {self.name!r} must be a finite number, got {given!r}")
        _tier(repr(self.name), self.penalty, self.beyond, whole=False)


@dataclass(frozen=True)
class Holdout:
    """A random part of the cases that no planner may touch, so that the effect of the plan can be measured later.

    With ``one_per`` whole customers (or whatever it names) are held out, never some of their cases.

    Parameters
    ----------
    share : float
        Which share to hold out, from 0 to below 1; the number held out is the exact share rounded up or down.
    by : str or None, default=None
        A column of the cases: the share is drawn evenly within each of its values (a stratified draw).
    random_state : int, default=0
        Seed of the draw: the same seed and cases give the same hold-out.

    Raises
    ------
    ValueError
        If the share is out of range or the seed is no whole number.

    Examples
    --------
    >>> from crmkit.remediation import Holdout
    >>> Holdout(0.1, by="segment").random_state
    0
    """

    share: float
    by: str | None = None
    random_state: int = 0

    def __post_init__(self) -> None:
        number = not isinstance(self.share, bool) and isinstance(self.share, Real)
        if not number or not 0 <= self.share < 1:
            raise ValueError(f"share of a hold-out must be a number from 0 to below 1, got {self.share!r}")
        seed = self.random_state
        if isinstance(seed, bool) or not isinstance(seed, Integral) or seed < 0:
            raise ValueError(f"random_state of a hold-out must be a whole number of 0 or more, got {seed!r}")


Limit = Resource | Floor | Cap | Ratio
