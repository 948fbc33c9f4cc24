"""The columns customers are segmented by: numbers, and categories with the values they had when fitting."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.core.errors import DataError, DataWarning
from crmkit.segmentation._features import WHAT, declaration, feature_frame
from crmkit.segmentation._transform import transformed
from crmkit.segmentation.segmenters._mixed import UNKNOWN, is_number, read_categories

if TYPE_CHECKING:
    from collections.abc import Collection, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["Columns", "categorical_among", "indicators", "read_columns"]

# Every category is a column of the profile: nobody reads more, and names or addresses are no categories.
MOST_CATEGORIES = 50
NEW = "a category that was not there when fitting"
# The category of those of whom it is not known, where that is declared.
MISSING = "missing"
# Squares of larger numbers overflow, and those of smaller ones vanish.
LARGEST, SMALLEST = 1e150, 1e-150
MOST_TOLD = 5


@dataclass(frozen=True)
class Columns:
    """One table, read for segments.

    Parameters
    ----------
    numbers : pandas.DataFrame
        Finite float64 columns, NaN where the transform fills it.
    categories : mapping of str to list
        The frozen categories of each categorical column.
    codes : ndarray of shape (n_customers, n_categorical)
        Places in these; -1 is a category that was not there when fitting.
    order : tuple of str
        All columns, as they were asked for.
    kept : bool, default=False
        Whether what is missing stays so for the segmenter; shown it is a category of its own all the same.
    """

    numbers: pd.DataFrame
    categories: Mapping[str, list[Any]]
    codes: npt.NDArray[np.intp]
    order: tuple[str, ...]
    kept: bool = False

    @property
    def shown(self) -> pd.DataFrame:
        """The columns of profile, rules and comparison: numbers, and 0 or 1 for each category, ``channel=web``."""
        if not self.categories:
            return self.numbers
        parts: dict[str, Any] = {}
        for name in self.order:
            if name not in self.categories:
                parts[name] = self.numbers[name].to_numpy()
                continue
            code = self.codes[:, list(self.categories).index(name)]
            for value in _told(self.categories[name]):
                place = self.categories[name].index(value)
                parts[f"{name}={value}"] = (code == place).astype(np.float64)
        return pd.DataFrame(parts, index=self.numbers.index)

    def points(self, transform: Any | None) -> Any:
        """Give what the segmenter gets: an array, or a table of transformed numbers with the categories beside them."""
        if not self.categories:
            return transformed(transform, self.numbers)
        table = pd.DataFrame(index=pd.RangeIndex(len(self.codes)))
        if self.numbers.shape[1]:
            array = transformed(transform, self.numbers)
            names = self._names_after(transform, array.shape[1])
            table = pd.DataFrame(array, columns=names)
        for name, code in zip(self.categories, self.codes.T, strict=True):
            known: pd.Index[Any] = pd.Index([*self.categories[name], NEW], dtype=object)
            places = np.where(code < 0, len(known) - 1, code)
            if self.kept:
                lost = self.categories[name].index(MISSING) if MISSING in self.categories[name] else UNKNOWN
                places[code == lost] = -1
            table[name] = pd.Categorical.from_codes(places, categories=known)
        return table

    def check_distances(self, points: Any, *, fitting: bool) -> None:
        """Refuse points without distances, because squares overflow or vanish: a segmenter might run on for ever.

        Parameters
        ----------
        points : ndarray or DataFrame of shape (n_customers, n_columns)
            What the segmenter gets.
        fitting : bool
            Whether it is fitted on them; later ones may well lie close together.

        Raises
        ------
        DataError
            Naming the columns.
        """
        table = pd.DataFrame(points).select_dtypes("number")
        same = table.shape[1] == self.numbers.shape[1]
        names = [str(name) for name in (self.numbers.columns if same else table.columns)]
        largest, spread = table.abs().max().to_numpy(), (table.max() - table.min()).to_numpy()
        problems = []
        for word, wrong in (("large", largest > LARGEST), ("small", fitting & (spread > 0) & (spread < SMALLEST))):
            found = [name for name, is_wrong in zip(names, wrong, strict=True) if is_wrong]
            if found:
                more = f", … ({len(found):,} in all)" if len(found) > MOST_TOLD else ""
                problems.append(f"{', '.join(found[:MOST_TOLD])}{more}: too {word} to square")
        if problems:
            way = "; take transform='scale' or another that scales" if fitting else ""
            raise DataError(f"{WHAT} gives no distances: {'; '.join(problems)}{way}")

    def _names_after(self, transform: Any, width: int) -> list[str]:
        """Name the transformed numbers: as the transform does, unless a category has that name."""
        if width == self.numbers.shape[1]:
            return [str(name) for name in self.numbers.columns]
        tells = hasattr(transform, "get_feature_names_out")
        names = [str(name) for name in transform.get_feature_names_out()] if tells else []
        clear = len(names) == width and not set(names) & set(self.categories)
        return names if clear else [f"number {place}" for place in range(width)]


def categorical_among(frame: pd.DataFrame, features: Sequence[str]) -> list[str]:
    """Name the columns that are no numbers."""
    return [name for name in features if not is_number(frame[name])]


def read_columns(
    frame: pd.DataFrame,
    features: Sequence[str],
    *,
    categorical: Sequence[str],
    known: Mapping[str, list[Any]] | None,
    filled: Collection[str] = (),
    kept: bool = False,
    hint: bool = False,
) -> Columns:
    """Read the columns, or say in one error what cannot be used and where.

    Parameters
    ----------
    frame : pandas.DataFrame
        The customer table.
    features : sequence of str
        The columns.
    categorical : sequence of str
        Which of them are categories.
    known : mapping or None
        The frozen categories; None freezes those that are there.
    filled : collection of str, default=()
        Columns that may hold missing values: the transform fills numbers, and in the others it is a category of its
        own, ``missing``.
    kept : bool, default=False
        Whether the segmenter bears missing values, so that none of these is filled.
    hint : bool, default=False
        Whether errors say how to declare that.

    Returns
    -------
    Columns
        Numbers and categories.

    Raises
    ------
    DataError
        As ``feature_frame`` does, and where a column has more than 50 categories.

    Warns
    -----
    DataWarning
        If missing values are filled or left out, with how many in which columns.
    """
    require_columns(frame, list(features), what=WHAT)
    numbers = feature_frame(frame, [name for name in features if name not in categorical], filled=filled, hint=hint)
    gaps = {name: int(frame[name].isna().sum()) for name in features if name in filled}
    _tell_filled({name: count for name, count in gaps.items() if count}, len(frame), kept=kept)
    if not categorical:
        return Columns(numbers, {}, np.zeros((len(frame), 0), dtype=np.intp), tuple(features), kept)
    problems: list[str] = []
    frozen = None if known is None else [known[name] for name in categorical]
    given = [_with_missing(frame[name]) if gaps.get(name) else frame[name] for name in categorical]
    codes, categories = read_categories(given, list(categorical), list(range(len(categorical))), frozen, problems)
    for code, name, there in zip(codes.T, categorical, categories, strict=False):
        if kept and MISSING not in there:
            code[frame[name].isna().to_numpy()] = UNKNOWN
    lost = [name for name in categorical if name not in filled and frame[name].isna().any()]
    if lost and hint:
        problems.append(f"or declare it a category of its own: {declaration(lost, 'category')}")
    if not problems:
        problems = [
            f"{name!r} has {len(values):,} categories, at most {MOST_CATEGORIES} can be told apart: group the rare "
            "ones, or name the columns to segment by in features="
            for name, values in zip(categorical, categories, strict=True)
            if len(values) > MOST_CATEGORIES
        ]
    if problems:
        raise DataError(f"{WHAT} cannot be segmented: {'; '.join(problems)}")
    columns = Columns(numbers, dict(zip(categorical, categories, strict=True)), codes, tuple(features), kept)
    if columns.shown.shape[1] != numbers.shape[1] + sum(len(_told(known)) for known in categories):
        raise DataError(f"{WHAT}: a column and a category, or a number and a text, would share a name: rename one")
    return columns


def _with_missing(column: pd.Series[Any]) -> pd.Series[Any]:
    """Put a category where there is none."""
    return column.astype(object).where(column.notna(), MISSING)


def _tell_filled(gaps: Mapping[str, int], n_customers: int, *, kept: bool) -> None:
    """Warn of what is filled or left out, by column."""
    if gaps:
        told = ", ".join(f"{name} in {count:,}" for name, count in gaps.items())
        done = "left out of the distances of these customers" if kept else "filled as declared"
        warnings.warn(f"missing values are {done}: {told} of {n_customers:,} customers", DataWarning, stacklevel=5)


def indicators(categories: Mapping[str, list[Any]]) -> dict[str, tuple[str, Any]]:
    """Say which category of which column each column of 0 and 1 stands for."""
    return {f"{name}={value}": (name, value) for name, values in categories.items() for value in _told(values)}


def _told(values: list[Any]) -> list[Any]:
    """Give the categories that are shown: of yes and no, yes alone says it."""
    return [True] if len(values) == 2 and values[0] is False and values[1] is True else values
