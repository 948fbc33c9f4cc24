"""The columns customers are segmented by: numbers, and categories with the values they had when fitting."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import require_columns
from crmkit.core.errors import DataError
from crmkit.segmentation._features import WHAT, feature_frame
from crmkit.segmentation._transform import transformed
from crmkit.segmentation.segmenters._mixed import is_number, read_categories

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

__all__ = ["Columns", "categorical_among", "indicators", "read_columns"]

# Every category is a column of the profile: nobody reads more, and names or addresses are no categories.
MOST_CATEGORIES = 50
NEW = "a category that was not there when fitting"


@dataclass(frozen=True)
class Columns:
    """One table, read for segments.

    Parameters
    ----------
    numbers : pandas.DataFrame
        Finite float64 columns.
    categories : mapping of str to list
        The frozen categories of each categorical column.
    codes : ndarray of shape (n_customers, n_categorical)
        Places in these; -1 is a category that was not there when fitting.
    order : tuple of str
        All columns, as they were asked for.
    """

    numbers: pd.DataFrame
    categories: Mapping[str, list[Any]]
    codes: npt.NDArray[np.intp]
    order: tuple[str, ...]

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
            same = array.shape[1] == self.numbers.shape[1]
            names = list(self.numbers.columns) if same else [f"number {place}" for place in range(array.shape[1])]
            table = pd.DataFrame(array, columns=names)
        for name, code in zip(self.categories, self.codes.T, strict=True):
            known: pd.Index[Any] = pd.Index([*self.categories[name], NEW], dtype=object)
            table[name] = pd.Categorical.from_codes(np.where(code < 0, len(known) - 1, code), categories=known)
        return table


def categorical_among(frame: pd.DataFrame, features: Sequence[str]) -> list[str]:
    """Name the columns that are no numbers."""
    return [name for name in features if not is_number(frame[name])]


def read_columns(
    frame: pd.DataFrame, features: Sequence[str], *, categorical: Sequence[str], known: Mapping[str, list[Any]] | None
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

    Returns
    -------
    Columns
        Numbers and categories.

    Raises
    ------
    DataError
        As ``feature_frame`` does, and where a column has more than 50 categories.
    """
    require_columns(frame, list(features), what=WHAT)
    numbers = feature_frame(frame, [name for name in features if name not in categorical])
    if not categorical:
        return Columns(numbers, {}, np.zeros((len(frame), 0), dtype=np.intp), tuple(features))
    problems: list[str] = []
    frozen = None if known is None else [known[name] for name in categorical]
    codes, categories = read_categories(
        [frame[name] for name in categorical], list(categorical), list(range(len(categorical))), frozen, problems
    )
    if not problems:
        problems = [
            f"{name!r} has {len(values):,} categories, at most {MOST_CATEGORIES} can be told apart: group the rare "
            "ones, or name the columns to segment by in features="
            for name, values in zip(categorical, categories, strict=True)
            if len(values) > MOST_CATEGORIES
        ]
    if problems:
        raise DataError(f"{WHAT} cannot be segmented: {'; '.join(problems)}")
    columns = Columns(numbers, dict(zip(categorical, categories, strict=True)), codes, tuple(features))
    if columns.shown.shape[1] != numbers.shape[1] + sum(len(_told(known)) for known in categories):
        raise DataError(f"{WHAT}: a column and a category, or a number and a text, would share a name: rename one")
    return columns


def indicators(categories: Mapping[str, list[Any]]) -> dict[str, tuple[str, Any]]:
    """Say which category of which column each column of 0 and 1 stands for."""
    return {f"{name}={value}": (name, value) for name, values in categories.items() for value in _told(values)}


def _told(values: list[Any]) -> list[Any]:
    """Give the categories that are shown: of yes and no, yes alone says it."""
    return [True] if len(values) == 2 and values[0] is False and values[1] is True else values
