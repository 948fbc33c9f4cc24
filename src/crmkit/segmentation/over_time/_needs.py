"""What a business needs of its segments, written down so that it can be checked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from difflib import get_close_matches
from math import isfinite
from typing import Any, ClassVar, cast

from crmkit.core.predicate import parse

__all__ = ["Difference", "LargestSize", "LeastSize", "Need", "Reachable", "SegmentCount", "Stable", "read_needs"]


def _share(value: Any, what: str) -> None:
    """Refuse what is no share."""
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0.0 < value <= 1.0:
        raise ValueError(f"{what} must be a share above 0 and at most 1, such as 0.05, got {value!r}")


def _count(value: Any, what: str) -> None:
    """Refuse what is no count."""
    if isinstance(value, bool) or not isinstance(value, int) or value < 1:
        raise ValueError(f"{what} must be a whole number of at least 1, got {value!r}")


@dataclass(frozen=True)
class SegmentCount:
    """So many segments, because each one needs somebody to look after it.

    Parameters
    ----------
    low : int, default=1
        The least number of segments that hold customers.
    high : int or None, default=None
        The most.

    Examples
    --------
    >>> from crmkit.segmentation import SegmentCount
    >>> str(SegmentCount(3, 7))
    '3 to 7 segments'
    """

    low: int = 1
    high: int | None = None
    need: ClassVar[str] = "segment-count"

    def __post_init__(self) -> None:
        _count(self.low, "low")
        if self.high is not None:
            _count(self.high, "high")
            if self.high < self.low:
                raise ValueError(f"high must be at least low={self.low}, got {self.high}")

    def __str__(self) -> str:
        return f"{self.low} to {self.high} segments" if self.high is not None else f"at least {self.low} segments"


@dataclass(frozen=True)
class LeastSize:
    """No segment too small to be worth a campaign.

    Parameters
    ----------
    share : float or None, default=None
        The least share of all customers; it is held against Wilson's interval, because next month's share differs.
    customers : int or None, default=None
        The least number of customers, which is a count and has no interval. Exactly one of both.

    Examples
    --------
    >>> from crmkit.segmentation import LeastSize
    >>> str(LeastSize(share=0.05)), str(LeastSize(customers=200))
    ('at least 5% of customers', 'at least 200 customers')
    """

    share: float | None = None
    customers: int | None = None
    need: ClassVar[str] = "least-size"

    def __post_init__(self) -> None:
        if (self.share is None) == (self.customers is None):
            raise ValueError("give LeastSize either share= or customers=")
        if self.share is not None:
            _share(self.share, "share")
        if self.customers is not None:
            _count(self.customers, "customers")

    def __str__(self) -> str:
        if self.share is None:
            return f"at least {self.customers:,} customers"
        return f"at least {100 * self.share:.3g}% of customers"


@dataclass(frozen=True)
class LargestSize:
    """No segment that holds nearly everybody, and so tells nothing.

    Parameters
    ----------
    share : float
        The largest share of all customers.

    Examples
    --------
    >>> from crmkit.segmentation import LargestSize
    >>> str(LargestSize(0.4))
    'at most 40% of customers'
    """

    share: float
    need: ClassVar[str] = "largest-size"

    def __post_init__(self) -> None:
        _share(self.share, "share")

    def __str__(self) -> str:
        return f"at most {100 * self.share:.3g}% of customers"


@dataclass(frozen=True)
class Reachable:
    """Every segment can be spoken to.

    Parameters
    ----------
    where : str
        A condition in the expression language over the customer table, such as ``"email_consent == True"``. Customers
        for whom it is unknown count as not reachable, and are told.
    share : float, default=0.8
        The least share of each segment's customers for whom it holds.

    Examples
    --------
    >>> from crmkit.segmentation import Reachable
    >>> str(Reachable("email_consent == True", share=0.8))
    'email_consent == True for at least 80%'
    """

    where: str
    share: float = 0.8
    need: ClassVar[str] = "reachable"

    def __post_init__(self) -> None:
        parse(self.where)
        _share(self.share, "share")

    def __str__(self) -> str:
        return f"{self.where} for at least {100 * self.share:.3g}%"


@dataclass(frozen=True)
class Difference:
    """Every segment differs in a value or a response, or there is no reason to treat it otherwise.

    A column of 0 and 1 (booleans too) is a response: shares are compared, with Newcombe's interval. Any other is a
    value: means are compared, with Welch's interval. Missing values are left out and told. A column that the segments
    were made by differs between them by construction, which the report says: ask for one they have not seen.

    Parameters
    ----------
    column : str
        A numeric column of the customer table, such as ``"spend_next_quarter"`` or ``"answered"``.
    at_least : float, default=0.0
        The least difference that matters, up or down, in the column's own unit (.05 is five points of a response).
        0 asks for any difference.
    between : {"rest", "pairs"}, default="rest"
        Each segment against all other customers in segments, or each pair of segments.

    Examples
    --------
    >>> from crmkit.segmentation import Difference
    >>> str(Difference("answered", at_least=0.05))
    'answered differs by at least 0.05 from the rest'
    """

    column: str
    at_least: float = 0.0
    between: str = "rest"
    need: ClassVar[str] = "difference"

    def __post_init__(self) -> None:
        if not isinstance(self.column, str) or not self.column:
            raise ValueError(f"column must be the name of a column, got {self.column!r}")
        number = isinstance(self.at_least, int | float) and not isinstance(self.at_least, bool)
        if not number or not isfinite(self.at_least) or self.at_least < 0:
            raise ValueError(f"at_least must be a number of at least 0, got {self.at_least!r}")
        if self.between not in ("rest", "pairs"):
            raise ValueError(f"between must be 'rest' or 'pairs', got {self.between!r}")

    def __str__(self) -> str:
        least = f" by at least {self.at_least:g}" if self.at_least else ""
        return f"{self.column} differs{least} {'from the rest' if self.between == 'rest' else 'between each two'}"


@dataclass(frozen=True)
class Stable:
    """Every segment would be found again among other customers of the kind.

    Customers are drawn anew and segmented again, and the segment most like each one is looked for, as ``stability``
    does; the mean Jaccard similarity is held against the border by its interval, which takes the customers as given.
    Costs ``n_resamples`` fits on at most 2,000 customers.

    Parameters
    ----------
    jaccard : float, default=0.6
        The least mean similarity (customers in both over customers in either). From .75 on a segment is read as
        stable, below .6 as not to be trusted.
    n_resamples : int, default=50
        More make the interval narrower.

    Examples
    --------
    >>> from crmkit.segmentation import Stable
    >>> str(Stable(0.75))
    'found again with a similarity of at least 0.75'
    """

    jaccard: float = 0.6
    n_resamples: int = 50
    need: ClassVar[str] = "stable"

    def __post_init__(self) -> None:
        _share(self.jaccard, "jaccard")
        _count(self.n_resamples, "n_resamples")
        if self.n_resamples < 2:
            raise ValueError("n_resamples must be at least 2: one resample has no interval")

    def __str__(self) -> str:
        return f"found again with a similarity of at least {self.jaccard:.3g}"


Need = SegmentCount | LeastSize | LargestSize | Reachable | Difference | Stable
_KINDS: dict[str, type[Any]] = {
    kind.need: kind for kind in (SegmentCount, LeastSize, LargestSize, Reachable, Difference, Stable)
}


def read_needs(needs: Any) -> list[Need]:
    """Bring needs to one form, from objects or from what a configuration file holds.

    Parameters
    ----------
    needs : need, mapping, or iterable of these
        A mapping names its kind under ``need``, with that kind's parameters beside it.

    Returns
    -------
    list of need
        At least one.

    Raises
    ------
    ValueError, TypeError
        If there is none, a kind or a parameter is not known, or a value is not allowed.
    """
    several = needs if isinstance(needs, Iterable) and not isinstance(needs, Mapping | str) else [needs]
    found = [_read(need, place) for place, need in enumerate(several)]
    if not found:
        raise ValueError("there is no need to check: give at least one")
    return found


def _read(need: Any, place: int) -> Need:
    if isinstance(need, tuple(_KINDS.values())):
        return cast("Need", need)
    if not isinstance(need, Mapping):
        raise TypeError(
            f"need {place} must be a need such as LeastSize(share=0.05) or a mapping, got {type(need).__name__}"
        )
    given = {str(key): value for key, value in need.items()}
    name = given.pop("need", None)
    if name not in _KINDS:
        nearest = get_close_matches(str(name), _KINDS, n=1)
        hint = f" (did you mean {nearest[0]!r}?)" if nearest else ""
        raise ValueError(f"need {place}: unknown need {name!r}{hint}; needs are: {', '.join(_KINDS)}")
    kind = _KINDS[name]
    known = [field.name for field in fields(kind)]
    unknown = [key for key in given if key not in known]
    if unknown:
        raise ValueError(f"need {place}: {name} has no {', '.join(map(repr, unknown))}; it has: {', '.join(known)}")
    try:
        made = kind(**given)
    except TypeError as error:
        raise ValueError(f"need {place}: {name} lacks one of {', '.join(known)}") from error
    except ValueError as error:
        raise ValueError(f"need {place}: {error}") from error
    return cast("Need", made)
