"""Says what the prices of a plan mean, a sentence a limit."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, NamedTuple

import numpy as np

from crmkit.remediation._terms import Floor, Ratio

if TYPE_CHECKING:
    from crmkit.remediation._plan import Plan
    from crmkit.remediation._terms import Limit

__all__ = ["prices_in_words"]

_WORDS: dict[str, dict[str, str]] = {
    "en": {
        "unlimited": "{name}: {used} is used; there is no limit.",
        "free": "{name}: {used} of {limit} is used; more would keep nothing more{room}.",
        "free room": ", and {less} less would cost nothing",
        "slack floor": "{name}: {used} get something where {limit} must; asking for less would save nothing{room}.",
        "slack floor room": ", and {more} more would cost nothing",
        "slack ratio": "{name}: kept with {spare} cases to spare; asking for less would save nothing{room}.",
        "slack ratio room": "",
        "over": "{over} more is used than the limit of {limit}, at {penalty} each; ",
        "short": "{over} fewer than the {limit} asked for, at {penalty} each; ",
        "ratio more": "asking for one case more costs {value} of value",
        "ratio less": "asking for one less saves {value}",
        "join": "; ",
        "end": ".",
        "range": ", up to {amount} {side}",
        "more": "more",
        "less": "less",
        "resource more": "one more keeps {value} of value",
        "resource less": "one less costs {value}",
        "cap more": "one case more allowed keeps {value} of value",
        "cap less": "one less costs {value}",
        "floor more": "one case more that must get something costs {value} of value",
        "floor less": "one less saves {value}",
        "no plan more": "with any more there is no plan",
        "no plan less": "with any less there is no plan",
        "nothing more": "one more changes nothing",
        "nothing less": "one less changes nothing",
    },
    "zh": {
        "unlimited": "{name}：用了 {used}，没有上限。",
        "free": "{name}：用了 {used}（上限 {limit}）；再多也不会多保住什么{room}。",
        "free room": "，减少 {less} 也没有损失",
        "slack floor": "{name}：{used} 个得到补救（至少 {limit} 个）；降低要求也省不下什么{room}。",
        "slack floor room": "，再多要求 {more} 个也没有损失",
        "slack ratio": "{name}：已做到，还多出 {spare} 个；降低要求也省不下什么{room}。",
        "slack ratio room": "",
        "over": "比上限 {limit} 多用了 {over}，每单位 {penalty}；",
        "short": "比要求的 {limit} 个少 {over} 个，每个 {penalty}；",
        "ratio more": "多要求 1 个损失价值 {value}",
        "ratio less": "少要求 1 个省下 {value}",
        "join": "；",
        "end": "。",
        "range": "，至多{side} {amount}",
        "more": "再加",
        "less": "减少",
        "resource more": "多 1 可多保住价值 {value}",
        "resource less": "少 1 损失 {value}",
        "cap more": "多允许 1 个可多保住价值 {value}",
        "cap less": "少 1 个损失 {value}",
        "floor more": "多要求 1 个损失价值 {value}",
        "floor less": "少 1 个省下 {value}",
        "no plan more": "再多就没有可行的方案",
        "no plan less": "再少就没有可行的方案",
        "nothing more": "多 1 没有变化",
        "nothing less": "少 1 没有变化",
    },
}


_ROUNDING = 1e-9


class _Side(NamedTuple):
    """What a step of a limit to one side does."""

    price: float
    room: float


def prices_in_words(plan: Plan, *, language: str = "en") -> list[str]:
    """Say what one more and one less of each limit is worth, and how far that holds.

    Parameters
    ----------
    plan : Plan
        Whose prices are said.
    language : {"en", "zh"}, default="en"
        Of the sentences; the limits keep their names.

    Returns
    -------
    list of str
        One sentence for each limit, in the order of ``plan.prices``. Numbers have three digits that count.

    Raises
    ------
    ValueError
        If the language is another.

    Notes
    -----
    The prices are those of the plan in which cases may be divided (see :attr:`Plan.prices`): a whole plan follows them
    up to the size of one case.

    Examples
    --------
    >>> from crmkit.remediation import Problem, plan, prices_in_words
    >>> problem = Problem.from_arrays([[10.0], [4.0], [1.0]], uses={"hours": 1.0}, limits={"hours": 1})
    >>> prices_in_words(plan(problem))
    ['hours: one more keeps 4 of value, up to 1 more; one less costs 10, up to 1 less.']
    """
    if language not in _WORDS:
        raise ValueError(f"language must be one of {', '.join(map(repr, _WORDS))}, got {language!r}")
    words = _WORDS[language]
    sentences = []
    columns = ["used", "limit", "price_less", "price_more", "valid_from", "valid_to"]
    rows = plan.prices[columns].to_numpy(dtype=np.float64).tolist()
    for term, (used, limit, price_less, price_more, valid_from, valid_to) in zip(
        plan.problem.limits, rows, strict=True
    ):
        less, more = _Side(price_less, limit - valid_from), _Side(price_more, valid_to - limit)
        sentences.append(_sentence(term, used, limit, less, more, words))
    return sentences


def _sentence(term: Limit, used: float, limit: float, less: _Side, more: _Side, words: dict[str, str]) -> str:
    """Say one limit's prices."""
    facts = {"name": term.name, "used": _number(used), "limit": _number(limit), "spare": _number(used - limit)}
    if math.isinf(limit):
        return words["unlimited"].format(**facts)
    if less.price == 0 and more.price == 0:
        least = isinstance(term, Floor | Ratio)
        free = "slack floor" if isinstance(term, Floor) else "slack ratio"
        which, side, room = (free, "more", more.room) if least else ("free", "less", less.room)
        told = words[f"{which} room"].format(**{side: _number(room)}) if room > 0 else ""
        return words[which].format(room=told, **facts)
    kind = type(term).__name__.lower()
    parts = [_step(more, kind, "more", words), _step(less, kind, "less", words)]
    colon = words["unlimited"][len("{name}")]
    lead = f"{term.name}{colon}" + (" " if colon == ":" else "")
    over = limit - used if kind in {"floor", "ratio"} else used - limit
    if term.penalty is not None and over > _ROUNDING * max(1.0, abs(limit)):
        paid = {"over": _number(over), "limit": _number(limit), "penalty": _number(term.penalty)}
        lead += words["short" if kind in {"floor", "ratio"} else "over"].format(**paid)
    return lead + words["join"].join(parts) + words["end"]


def _step(side: _Side, kind: str, way: str, words: dict[str, str]) -> str:
    """Say what a step one way does."""
    if math.isinf(side.price):
        return words[f"no plan {way}"]
    if side.price == 0:
        return words[f"nothing {way}"]
    said = words[f"{kind} {way}"].format(value=_number(abs(side.price)))
    if math.isfinite(side.room) and side.room > 0:
        said += words["range"].format(amount=_number(side.room), side=words[way])
    return said


def _number(value: float) -> str:
    """Write three digits that count, whole numbers in full."""
    if value == 0 or not math.isfinite(value):
        return "0" if value == 0 else str(value)
    if abs(value - round(value)) <= 1e-6 * abs(value):
        return f"{round(value):,}"
    digits = max(0, 2 - math.floor(math.log10(abs(value))))
    return f"{value:,.{digits}f}"
