"""What sets a segment apart, in words of English or Chinese, and names made of it."""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

__all__ = ["LANGUAGES", "Words", "describe_segments", "suggest_names"]

# Borders of Cliff's delta between small, medium and large differences lie at .147, .33 and .474 (Romano et al. 2006).
PLAIN = 0.33
STRONG = 0.66
MOST_TRAITS = 3


@dataclass(frozen=True)
class Words:
    """The vocabulary of one language.

    Parameters
    ----------
    nobody : str
        The name of being in no segment.
    everybody : str
        The name of the only segment.
    ordinary, near : str
        The name and the description of a segment that nothing sets apart.
    joiner : str
        What stands between traits.
    columns : mapping of str to tuple of four str
        Words for very low, low, high and very high values of the columns that everyone knows.
    other : tuple of four str
        The same for any other column, with its name in place of ``{}``.
    category : tuple of two str
        Words for few and for many customers of a category, in place of ``{}``.
    detail : str
        How a trait is backed by figures: trait, the segment's median, everybody's median.
    """

    nobody: str
    everybody: str
    ordinary: str
    near: str
    joiner: str
    columns: Mapping[str, tuple[str, str, str, str]]
    other: tuple[str, str, str, str]
    category: tuple[str, str]
    detail: str

    def trait(self, column: str, effect: float, *, graded: bool) -> str:
        """Give the word for a column that differs by this effect."""
        grade = 0 if graded and abs(effect) >= STRONG else 1
        step = 3 - grade if effect > 0 else grade
        if "=" in column:
            # A category is had by more or fewer, not more or less.
            name, _, value = column.partition("=")
            return self.category[int(effect > 0)].format(name.replace("_", " ") if value == "True" else value)
        known = self.columns.get(column)
        return known[step] if known else self.other[step].format(column.replace("_", " "))


LANGUAGES = {
    "en": Words(
        nobody="in no segment",
        everybody="everybody",
        ordinary="average",
        near="much like everybody in every column",
        joiner=", ",
        columns={
            "recency_days": ("very recent", "recent", "lapsed", "long lapsed"),
            "frequency": ("very infrequent", "infrequent", "frequent", "very frequent"),
            "monetary": ("very low spend", "low spend", "high spend", "very high spend"),
        },
        other=("very low {}", "low {}", "high {}", "very high {}"),
        category=("seldom {}", "often {}"),
        detail="{} ({} vs {})",
    ),
    "zh": Words(
        nobody="未归入任何分群",
        everybody="全部客户",
        ordinary="一般",
        near="各项均接近全体",
        joiner="、",
        columns={
            "recency_days": ("最近刚买", "近期购买", "久未购买", "长期未购"),
            "frequency": ("极少购买", "少购", "常购", "频繁购买"),
            "monetary": ("消费很低", "消费低", "消费高", "消费很高"),
        },
        other=("{}很低", "{}低", "{}高", "{}很高"),
        category=("少{}", "多{}"),
        detail="{}（{}，全体 {}）",
    ),
}


def number(value: float) -> str:
    """Write a figure in original units with the digits that matter."""
    if abs(value) >= 10 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _strongest(effects: npt.NDArray[np.float64], most: int | None = MOST_TRAITS) -> list[int]:
    """Give the columns that set a segment apart, strongest first."""
    order = np.argsort(-np.abs(effects), kind="stable")
    return [int(column) for column in order if abs(effects[column]) >= PLAIN][:most]


def suggest_names(
    columns: Sequence[str], effects: npt.NDArray[np.float64], medians: npt.NDArray[np.float64], words: Words
) -> list[str]:
    """Suggest a name for each segment from its strongest traits, no two alike.

    Where plain words would name two segments alike, the traits that part them are graded ("very frequent"); where that
    is not enough, the median that differs most between them is added, then a number.

    Parameters
    ----------
    columns : sequence of str
        The columns.
    effects, medians : ndarray of shape (n_segments, n_columns)
        How each segment differs from everybody, and its medians.
    words : Words
        The language.

    Returns
    -------
    list of str
        One name a segment.
    """
    chosen = [sorted(_strongest(row)) for row in effects]
    plain = [_name(columns, row, traits, (), words) for row, traits in zip(effects, chosen, strict=True)]
    names = list(plain)
    for name in _repeated(plain):
        alike = [row for row, other in enumerate(plain) if other == name]
        strong = np.abs(effects[alike]) >= STRONG
        mixed = np.flatnonzero(strong.any(axis=0) & ~strong.all(axis=0))
        for row in alike:
            names[row] = _name(columns, effects[row], chosen[row], mixed, words)
    for name in _repeated(names):
        alike = [row for row, other in enumerate(names) if other == name]
        column = int(np.argmax(np.ptp(effects[alike], axis=0)))
        for row in alike:
            names[row] = f"{name} ({columns[column]} {number(medians[row, column])})"
    for name in _repeated(names):
        alike = [row for row, other in enumerate(names) if other == name]
        for count, row in enumerate(alike[1:], start=2):
            names[row] = f"{name} #{count}"
    return names


def _repeated(names: list[str]) -> list[str]:
    """Give the names that stand more than once."""
    return [name for name, count in Counter(names).items() if count > 1]


def _name(
    columns: Sequence[str],
    effects: npt.NDArray[np.float64],
    traits: Sequence[int],
    graded: Sequence[int] | npt.NDArray[np.intp],
    words: Words,
) -> str:
    """Join a segment's traits, with grades only where they part it from another."""
    parts = [words.trait(columns[column], effects[column], graded=column in graded) for column in traits]
    return words.joiner.join(parts) or words.ordinary


def describe_segments(
    columns: Sequence[str],
    effects: npt.NDArray[np.float64],
    medians: npt.NDArray[np.float64],
    overall: npt.NDArray[np.float64],
    words: Words,
) -> list[str]:
    """Describe each segment by its strongest traits, each with the figure that shows it.

    Parameters
    ----------
    columns : sequence of str
        The columns.
    effects, medians : ndarray of shape (n_segments, n_columns)
        How each segment differs from everybody, and its medians.
    overall : ndarray of shape (n_columns,)
        Everybody's medians.
    words : Words
        The language.

    Returns
    -------
    list of str
        One description a segment.
    """
    described = []
    for row, median in zip(effects, medians, strict=True):
        parts = [
            words.detail.format(
                words.trait(columns[column], row[column], graded=True),
                number(median[column]),
                number(overall[column]),
            )
            for column in _strongest(row)
        ]
        described.append(words.joiner.join(parts) or (words.everybody if len(effects) == 1 else words.near))
    return described
