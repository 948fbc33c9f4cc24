"""What sets a segment apart, and names and descriptions made of it."""

from __future__ import annotations

import math
from collections import Counter
from typing import TYPE_CHECKING

import numpy as np

from crmkit.segmentation.explaining._trait_words import LANGUAGES, STRONG, Words

if TYPE_CHECKING:
    from collections.abc import Collection, Sequence

    import numpy.typing as npt

__all__ = ["LANGUAGES", "PLAIN", "Words", "describe_segments", "number", "suggest_names"]

# Borders of Cliff's delta between small, medium and large differences lie at .147, .33 and .474 (Romano et al. 2006).
PLAIN = 0.33
MOST_TRAITS = 3


def number(value: float) -> str:
    """Write a figure in original units with the digits that matter; a missing one as a dash."""
    if math.isnan(value):
        return "–"
    if abs(value) >= 10 or value == round(value):
        return f"{value:,.0f}"
    return f"{value:.2g}" if abs(value) < 1 else f"{value:.1f}"


def _strongest(effects: npt.NDArray[np.float64], most: int | None = MOST_TRAITS) -> list[int]:
    """Give the columns that set a segment apart, strongest first."""
    order = np.argsort(-np.abs(effects), kind="stable")
    return [int(column) for column in order if abs(effects[column]) >= PLAIN][:most]


def suggest_names(
    columns: Sequence[str],
    effects: npt.NDArray[np.float64],
    medians: npt.NDArray[np.float64],
    words: Words,
    *,
    shares: Collection[str] = (),
) -> list[str]:
    """Suggest a name for each segment from its strongest traits, no two alike.

    Where plain words would name two segments alike, the traits that part them are graded ("very frequent"); where that
    is not enough, the median that differs most between them is added, then a number.

    Parameters
    ----------
    columns : sequence of str
        The columns.
    effects, medians : ndarray of shape (n_segments, n_columns)
        How each segment differs from everybody, and its medians (shares of columns of 0 and 1); missing where nobody's
        value is known.
    words : Words
        The language.
    shares : collection of str, default=()
        The columns of 0 and 1.

    Returns
    -------
    list of str
        One name a segment.
    """
    effects = np.nan_to_num(effects)
    chosen = [sorted(_strongest(row)) for row in effects]
    plain = [_name(columns, row, traits, (), words, shares) for row, traits in zip(effects, chosen, strict=True)]
    names = list(plain)
    for name in _repeated(plain):
        alike = [row for row, other in enumerate(plain) if other == name]
        strong = np.abs(effects[alike]) >= STRONG
        mixed = np.flatnonzero(strong.any(axis=0) & ~strong.all(axis=0))
        for row in alike:
            names[row] = _name(columns, effects[row], chosen[row], mixed, words, shares)
    for name in _repeated(names):
        alike = [row for row, other in enumerate(names) if other == name]
        # The column that parts most of them as it is written, and of these the one they differ in most.
        parted = [len({number(median) for median in medians[alike, column]}) for column in range(len(columns))]
        column = int(np.lexsort((-np.ptp(effects[alike], axis=0), -np.array(parted)))[0])
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
    shares: Collection[str],
) -> str:
    """Join a segment's traits, with grades only where they part it from another."""
    parts = [
        words.trait(columns[column], effects[column], graded=column in graded, share=columns[column] in shares)
        for column in traits
    ]
    return words.joiner.join(parts) or words.ordinary


def describe_segments(
    columns: Sequence[str],
    effects: npt.NDArray[np.float64],
    medians: npt.NDArray[np.float64],
    overall: npt.NDArray[np.float64],
    words: Words,
    *,
    shares: Collection[str] = (),
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
    shares : collection of str, default=()
        The columns of 0 and 1.

    Returns
    -------
    list of str
        One description a segment.
    """
    described = []
    for row, median in zip(effects, medians, strict=True):
        parts = [
            words.detail.format(
                words.trait(columns[column], row[column], graded=True, share=columns[column] in shares),
                number(median[column]),
                number(overall[column]),
            )
            for column in _strongest(row)
        ]
        described.append(words.joiner.join(parts) or (words.everybody if len(effects) == 1 else words.near))
    return described
