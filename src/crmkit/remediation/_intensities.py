"""Remedies whose intensity is planned too: their ranges, and what ordinary remedies they are at given intensities."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np

from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.core.predicate import parse

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt
    import pandas as pd

    from crmkit.remediation._problem import Problem
    from crmkit.remediation._terms import Remedy

    Floats = npt.NDArray[np.float64]
    Bools = npt.NDArray[np.bool_]

__all__ = [
    "INTENSITY",
    "Worded",
    "depends",
    "has_intensities",
    "intensity_column",
    "range_of",
    "with_intensity",
    "worded",
]

INTENSITY = "intensity"
"""The name by which formulas call what is planned."""

_ROUNDING = 1e-9


class Worded(NamedTuple):
    """Remedies at given intensities, in the words of ordinary ones.

    Parameters
    ----------
    table : pandas.DataFrame
        The cases with a column for each formula that was worked out at an intensity.
    remedies : tuple of Remedy
        Without intensities.
    notes : list of (str, ndarray of bool)
        What is unknown, and for which cases.
    """

    table: pd.DataFrame
    remedies: tuple[Remedy, ...]
    notes: list[tuple[str, Bools]]


def has_intensities(remedies: Sequence[Remedy]) -> bool:
    """Say whether the intensity of some remedy is to be planned."""
    return any(remedy.intensity is not None for remedy in remedies)


def depends(table: pd.DataFrame, formula: str | float) -> bool:
    """Say whether a formula names the intensity."""
    return isinstance(formula, str) and formula not in table.columns and INTENSITY in parse(formula).names


def with_intensity(table: pd.DataFrame, intensity: Any) -> pd.DataFrame:
    """Give the cases with their intensities as one more column; the cases stay as they are."""
    bound = table.copy(deep=False)
    bound[INTENSITY] = intensity
    return bound


def range_of(table: pd.DataFrame, remedy: Remedy) -> tuple[Floats, Floats]:
    """Give the least and most intensity of a remedy for each case, NaN where there is none.

    Parameters
    ----------
    table : pandas.DataFrame
        The cases.
    remedy : Remedy
        With an intensity.

    Returns
    -------
    tuple of ndarray, shape (n_cases,)
        Both NaN where one is unknown or the least is above the most.

    Raises
    ------
    DataError
        If an end is no number.
    """
    ends = []
    for which, formula in zip(("least", "most"), remedy.intensity or (), strict=True):
        result = _evaluate(table, formula)
        if result.values.dtype.kind not in "fb":
            raise DataError(f"the {which} intensity of remedy {remedy.name!r} must be a number for each case")
        ends.append(np.where(result.missing, np.nan, result.values.astype(np.float64)))
    low, high = ends
    none = ~(low <= high)
    low[none] = high[none] = np.nan
    return low, high


def intensity_column(problem: Problem, case: Any, remedy: Any) -> dict[str, Floats]:
    """Give the column of intensities of a plan's lines, none where the problem has no intensities.

    Parameters
    ----------
    problem : Problem
        What was planned.
    case, remedy : ndarray of int, shape (n_lines,)
        Positions; -1 for nothing.

    Returns
    -------
    dict
        ``intensity``: NaN for nothing and for remedies without one.
    """
    if problem.intensities is None:
        return {}
    found = np.asarray(problem.intensities[case, remedy], dtype=np.float64)
    return {INTENSITY: np.where(remedy >= 0, found, np.nan)}


def worded(table: pd.DataFrame, remedies: Sequence[Remedy], intensities: Floats | None) -> Worded:
    """Work out the formulas of remedies with an intensity at given intensities, and write both as ordinary ones.

    Parameters
    ----------
    table : pandas.DataFrame
        The cases.
    remedies : sequence of Remedy
        Some with an intensity, or none: then all is given back as it is.
    intensities : ndarray, shape (n_cases, n_remedies), or None
        NaN where a remedy is not to be eligible; columns of remedies without an intensity do not matter. None takes
        the least.

    Returns
    -------
    Worded
        A remedy is eligible where its range is known and not empty, and its formulas are known at both ends of it.

    Raises
    ------
    DataError
        If the cases have a column called ``intensity``, or an intensity is outside its range.
    """
    if not has_intensities(remedies):
        return Worded(table, tuple(remedies), [])
    if INTENSITY in table.columns:
        raise DataError(
            f"the cases have a column {INTENSITY!r}, which is how formulas call what is planned: rename the column"
        )
    made: list[Remedy] = []
    notes: list[tuple[str, Bools]] = []
    columns: dict[str, Any] = {}
    for j, remedy in enumerate(remedies):
        if remedy.intensity is None:
            made.append(remedy)
            continue
        at = None if intensities is None else intensities[:, j]
        usable, found = _at_intensity(table, remedy, at, notes)
        columns |= {f"remedy {j}: {what} at its intensity": column for what, column in found.items()}
        columns[f"remedy {j}: has an intensity"] = usable
        named = {what: f"remedy {j}: {what} at its intensity" for what in found}
        made.append(_plain(table, remedy, named, f"`remedy {j}: has an intensity`"))
    frame = table.copy(deep=False)
    for name, column in columns.items():
        frame[name] = column
    return Worded(frame, tuple(made), notes)


def _at_intensity(
    table: pd.DataFrame, remedy: Remedy, at: Floats | None, notes: list[tuple[str, Bools]]
) -> tuple[Bools, dict[str, Floats]]:
    """Work out one remedy's formulas at its intensities: for which cases they hold, and what they give."""
    low, high = range_of(table, remedy)
    chosen = low if at is None else _inside(at, low, high, remedy.name)
    usable = ~np.isnan(low)
    notes.append((f"intensity of remedy {remedy.name!r} (unknown, or the least above the most)", ~usable))
    ends = {"least": with_intensity(table, low), "most": with_intensity(table, high)}
    at_chosen = with_intensity(table, chosen)
    columns: dict[str, Floats] = {}
    for what, formula in _formulas(remedy).items():
        if not depends(table, formula):
            continue
        for end, at_end in ends.items():
            unknown = _evaluate(at_end, formula).missing & usable
            notes.append((f"{_spoken(what)} of remedy {remedy.name!r} at its {end} intensity", unknown))
            usable &= ~unknown
        result = _evaluate(at_chosen, formula)
        if result.values.dtype.kind not in "fb":
            raise DataError(f"{_spoken(what)} of remedy {remedy.name!r} must be a number for each case")
        columns[what] = np.where(result.missing, np.nan, result.values.astype(np.float64))
    return usable & ~np.isnan(chosen), columns


def _evaluate(table: pd.DataFrame, formula: str | float) -> Any:
    """Work out a formula; a column's exact name comes before an expression."""
    if isinstance(formula, str) and formula in table.columns and "`" not in formula and "\n" not in formula:
        formula = f"`{formula}`"
    return parse(formula if isinstance(formula, str) else repr(float(formula))).evaluate(table)


def _formulas(remedy: Remedy) -> dict[str, str | float]:
    """List the formulas that may name the intensity."""
    formulas = {"value": remedy.value, "error": remedy.error, "shared_error": remedy.shared_error}
    named = {what: formula for what, formula in formulas.items() if formula is not None}
    return named | {f"uses {resource}": formula for resource, formula in remedy.uses.items()}


def _spoken(what: str) -> str:
    """Name a formula as messages do."""
    return f"uses[{what.removeprefix('uses ')!r}]" if what.startswith("uses ") else what


def _plain(table: pd.DataFrame, remedy: Remedy, words: dict[str, str], usable: str) -> Remedy:
    """Give a remedy whose formulas name the columns that were worked out."""
    condition = remedy.eligible
    if condition is not None and condition in table.columns:
        condition = f"`{condition}`"
    return replace(
        remedy,
        value=words.get("value", remedy.value),
        uses={resource: words.get(f"uses {resource}", formula) for resource, formula in remedy.uses.items()},
        error=words.get("error", remedy.error),
        shared_error=words.get("shared_error", remedy.shared_error),
        eligible=usable if condition is None else f"({condition}) and {usable}",
        intensity=None,
    )


def _inside(intensity: Floats, low: Floats, high: Floats, name: str) -> Floats:
    """Refuse intensities outside the range; rounding just outside is brought in."""
    with np.errstate(invalid="ignore"):
        room = _ROUNDING * np.maximum(1.0, np.maximum(np.abs(low), np.abs(high)))
        outside = (intensity < low - room) | (intensity > high + room)
    if outside.any():
        raise DataError(f"the intensity of remedy {name!r} is outside its range in {positions(outside)}")
    return np.clip(intensity, low, high)
