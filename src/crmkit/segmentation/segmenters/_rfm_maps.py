"""Segment maps that people know, as tables of score ranges."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from crmkit.core.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Mapping

    import pandas as pd

__all__ = ["LANGUAGES", "MAPS", "built_in_map", "rfm_segment_map"]

LANGUAGES = ("en", "zh")
MAPS = ("eleven", "ten", "eight")

_FIVE = 5
_ELEVEN = (
    # segment, recency from and to, worth from and to
    ("champions", 5, 5, 4, 5),
    ("champions", 4, 4, 5, 5),
    ("loyal", 4, 4, 4, 4),
    ("loyal", 3, 3, 4, 5),
    ("potential loyal", 4, 5, 2, 3),
    ("new", 5, 5, 1, 1),
    ("promising", 4, 4, 1, 1),
    ("need attention", 3, 3, 3, 3),
    ("about to sleep", 3, 3, 1, 2),
    ("at risk", 1, 2, 3, 4),
    ("cannot lose", 1, 2, 5, 5),
    ("hibernating", 2, 2, 1, 2),
    ("lost", 1, 1, 1, 2),
)
_TEN = (
    # segment, recency from and to, frequency from and to
    ("champions", 5, 5, 4, 5),
    ("loyal", 3, 4, 4, 5),
    ("potential loyal", 4, 5, 2, 3),
    ("new", 5, 5, 1, 1),
    ("promising", 4, 4, 1, 1),
    ("need attention", 3, 3, 3, 3),
    ("about to sleep", 3, 3, 1, 2),
    ("at risk", 1, 2, 3, 4),
    ("cannot lose", 1, 2, 5, 5),
    ("hibernating", 1, 2, 1, 2),
)
_EIGHT = (
    # segment, then whether recency, frequency and monetary value are high
    ("important: value", True, True, True),
    ("important: develop", True, False, True),
    ("important: keep", False, True, True),
    ("important: win back", False, False, True),
    ("general: value", True, True, False),
    ("general: develop", True, False, False),
    ("general: keep", False, True, False),
    ("general: win back", False, False, False),
)
_CHINESE = {
    "champions": "冠军客户",
    "loyal": "忠诚客户",
    "potential loyal": "潜在忠诚客户",
    "new": "新客户",
    "promising": "有潜力客户",
    "need attention": "需关注客户",
    "about to sleep": "即将沉睡客户",
    "at risk": "有流失风险客户",
    "cannot lose": "不能失去的客户",
    "hibernating": "沉睡客户",
    "lost": "流失客户",
    "important: value": "重要价值客户",
    "important: develop": "重要发展客户",
    "important: keep": "重要保持客户",
    "important: win back": "重要挽留客户",
    "general: value": "一般价值客户",
    "general: develop": "一般发展客户",
    "general: keep": "一般保持客户",
    "general: win back": "一般挽留客户",
}


def rfm_segment_map(name: str = "eleven", *, n_scores: int = _FIVE, language: str = "en") -> pd.DataFrame:
    """Give a segment map as a table, to be read, changed and handed to ``RfmRules(segments=...)``.

    ``"eleven"``: the names of the trade by recency and worth, where worth is the rounded mean of the frequency and
    monetary scores. ``"ten"``: the same names, as most tutorials have them, by recency and frequency alone; money plays
    no part. ``"eight"``: the usual map in China, by whether recency, frequency and monetary value are each high, which
    is above the middle score. Each puts every combination of scores into exactly one segment.

    Parameters
    ----------
    name : {"eleven", "ten", "eight"}, default="eleven"
        Which map.
    n_scores : int, default=5
        How many scores a column has. ``"eleven"`` and ``"ten"`` are for five.
    language : {"en", "zh"}, default="en"
        Of the names.

    Returns
    -------
    pandas.DataFrame
        One row a range: ``segment``, and ``recency_low``, ``recency_high``, … (both ends included).

    Raises
    ------
    DataError
        If there is no such map, or it is for another number of scores.

    References
    ----------
    Hughes, A. M. (1994). Strategic Database Marketing. Probus.

    Examples
    --------
    >>> from crmkit.segmentation import rfm_segment_map
    >>> print(rfm_segment_map("ten").head(3).to_string(index=False))
            segment  recency_low  recency_high  frequency_low  frequency_high
          champions            5             5              4               5
              loyal            3             4              4               5
    potential loyal            4             5              2               3
    >>> rfm_segment_map("eight", language="zh")["segment"].tolist()[:2]
    ['重要价值客户', '重要发展客户']
    """
    import pandas as pd

    sizes: dict[str, int] = dict.fromkeys(("recency", "frequency", "monetary", "worth"), n_scores)
    return pd.DataFrame(built_in_map(name, sizes, language))


def built_in_map(name: str, sizes: Mapping[str, int], language: str) -> list[dict[str, Any]]:
    """Give the rows of a built-in map.

    Parameters
    ----------
    name : str
        One of ``MAPS``.
    sizes : mapping of str to int
        How many scores ``recency``, ``frequency``, ``monetary`` and ``worth`` have, where there are such.
    language : str
        Of the names.

    Returns
    -------
    list of dict
        As a table handed in would have them.
    """
    if name not in MAPS:
        raise DataError(f"there is no segment map {name!r}; there are: {', '.join(map(repr, MAPS))}")
    if language not in LANGUAGES:
        raise DataError(f"language must be one of {', '.join(map(repr, LANGUAGES))}, got {language!r}")

    def told(segment: str) -> str:
        return _CHINESE[segment] if language == "zh" else segment

    if name == "eight":
        return [
            {
                "segment": told(segment),
                **{
                    f"{part}_{end}": score
                    for part, high in zip(("recency", "frequency", "monetary"), highs, strict=True)
                    for end, score in zip(("low", "high"), _half(sizes.get(part, _FIVE), high=high), strict=True)
                },
            }
            for segment, *highs in _EIGHT
        ]
    other, rows = ("worth", _ELEVEN) if name == "eleven" else ("frequency", _TEN)
    wrong = {part: sizes[part] for part in ("recency", other) if sizes.get(part, _FIVE) != _FIVE}
    if wrong:
        had = " and ".join(f"{part} has {count}" for part, count in wrong.items())
        raise DataError(f"the segment map {name!r} is for 5 scores, but {had}: hand in a map of your own as segments=, "
                        "or take 'eight', which fits any number")  # fmt: skip
    columns = ("segment", "recency_low", "recency_high", f"{other}_low", f"{other}_high")
    return [dict(zip(columns, (told(segment), *ranges), strict=True)) for segment, *ranges in rows]


def _half(n_scores: int, *, high: bool) -> tuple[int, int]:
    """Give the scores above the middle one, or the others."""
    last_low = (n_scores + 1) // 2
    return (last_low + 1, n_scores) if high else (1, last_low)
