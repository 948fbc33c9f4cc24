"""What becomes of each column of a customer table, decided on the training rows."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.prediction._reading import as_levels, as_numbers, kind_of, looks_like_id

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

__all__ = ["MISSING", "RARE", "ColumnPlan", "make_plan", "ranks"]

RARE = "(rare)"
MISSING = "(missing)"
# Longer entries than this are sentences more often than names.
_SENTENCE = 25
_FEW = 20
# Rows of average target added to each level, and folds that tell a row's code without that row.
_DRAWN, _FOLDS = 10.0, 5


@dataclass(frozen=True)
class ColumnPlan:
    """One column's fate.

    Parameters
    ----------
    name : str
        The column.
    kind : {"number", "time", "category"}
        What it holds.
    fill : float, default=0.0
        The mean of a number's training rows, used where it is missing.
    levels : tuple of str, default=()
        The levels that stand for themselves, the most frequent first; all others are rare.
    rare, missing : bool, default=False
        Whether rare levels, or missing values, are frequent enough to be told apart.
    codes : tuple of float, default=()
        Where levels become numbers, one for each, then one for what is rare or unknown and one for what is missing;
        where they become columns, the share of the training rows in each.
    n_missing, n_lost : int, default=0
        Training rows that were missing, and those that held something that is no such value.
    left_out : str, default=""
        Why the column tells nothing, where it does not.
    warned : str, default=""
        What deserves a look.
    """

    name: str
    kind: str
    fill: float = 0.0
    levels: tuple[str, ...] = ()
    rare: bool = False
    missing: bool = False
    codes: tuple[float, ...] = ()
    n_missing: int = 0
    n_lost: int = 0
    left_out: str = ""
    warned: str = ""

    @property
    def words(self) -> list[str]:
        """The levels that get a column of their own each, rare and missing ones at the end; of two, the second."""
        words = [*self.levels, *([RARE] if self.rare else []), *([MISSING] if self.missing else [])]
        return words[1:] if len(words) == 2 else words

    def places(self, column: pd.Series[Any]) -> npt.NDArray[np.intp]:
        """Give each row's place: of its level, then one for what is rare or unknown, then one for what is missing."""
        codes, words = as_levels(column)
        known = {level: place for place, level in enumerate(self.levels)}
        other, lost = len(self.levels), len(self.levels) + 1
        moved: npt.NDArray[np.intp] = np.array([*(known.get(word, other) for word in words), lost], dtype=np.intp)
        return np.asarray(moved[codes])

    def indicators(self, column: pd.Series[Any]) -> npt.NDArray[np.float64]:
        """Give a column of 0 and 1 for each of ``words``.

        What was too seldom in the training rows to be told apart, and is neither a level nor rare, gets their shares.
        """
        places = self.places(column)
        other = len(self.levels)
        at = {**{level: place for place, level in enumerate(self.levels)}, RARE: other, MISSING: other + 1}
        wanted = np.array([at[word] for word in self.words], dtype=np.intp)
        found: npt.NDArray[np.float64] = np.asarray(places[:, None] == wanted, dtype=np.float64)
        if self.codes:
            untold = ((places == other) & (not self.rare)) | ((places == other + 1) & (not self.missing))
            found[untold] = self.codes
        return found


def make_plan(column: pd.Series[Any], *, max_levels: int, min_rows: int) -> ColumnPlan:
    """Decide what becomes of a column.

    Parameters
    ----------
    column : pandas.Series
        The training rows.
    max_levels : int
        Levels that may stand for themselves.
    min_rows : int
        Training rows a level, or missing values, need to be told apart.

    Returns
    -------
    ColumnPlan
        Without codes.
    """
    name, n = str(column.name), len(column)
    kind = kind_of(column, max_levels=max_levels)
    if kind != "category":
        values, lost = as_numbers(column, kind)
        gaps = np.isnan(values)
        # What is infinite or overflows is refused where numbers are made, with its name.
        with np.errstate(over="ignore", invalid="ignore"):
            fill = float(values[~gaps].mean()) if not gaps.all() else 0.0
        told = min_rows <= gaps.sum() <= n - min_rows
        warned = ""
        if gaps.all():
            warned = "holds no value"
        elif lost.any():
            warned = f"holds numbers, but not in {int(lost.sum()):,} rows, which count as missing"
        elif kind == "number" and n > _FEW and looks_like_id(name) and _all_different_whole(values):
            warned = "has a number of its own in every row and the name of an id: drop it unless it tells something"
        return ColumnPlan(
            name,
            kind,
            fill=fill,
            missing=bool(told),
            n_missing=int(gaps.sum()),
            n_lost=int(lost.sum()),
            warned=warned,
        )
    codes, words = as_levels(column)
    rows = np.bincount(codes[codes >= 0], minlength=len(words))
    order = np.argsort(-rows, kind="stable")
    # A table of a few rows has no frequent level; two rows at least, or a level says who it is.
    enough = min(min_rows, max(2, n // 10))
    kept = [place for place in order[:max_levels] if rows[place] >= enough]
    n_missing = int((codes < 0).sum())
    n_rare = int(rows.sum() - rows[kept].sum())
    left_out = ""
    if not kept and len(words) > _FEW:
        long = float(np.mean([len(word) for word in words])) > _SENTENCE
        alone = len(words) > rows.sum() / 2
        left_out = f"no value has {enough} rows"
        if alone:
            left_out = (
                "free text: text-* classifiers read it" if long else "nearly every row has its own value, as an id"
            )
    return ColumnPlan(
        name,
        kind,
        levels=tuple(words[place] for place in kept),
        rare=n_rare > 0,
        missing=n_missing >= enough,
        n_missing=n_missing,
        left_out=left_out,
    )


def _all_different_whole(values: npt.NDArray[np.float64]) -> bool:
    """Say whether every row has a whole number of its own."""
    return bool(
        np.isfinite(values).all() and (values == np.round(values)).all() and len(np.unique(values)) == len(values)
    )


def ranks(
    places: npt.NDArray[np.intp], n_places: int, target: npt.NDArray[np.float64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Put levels into the order in which the target rises, so that a tree cuts them well.

    Of numbers and two labels that order holds the best cut of all (Breiman et al. 1984); of more labels it is that of
    the first principal component of the levels' shares of labels (Coppersmith et al. 1999). Means are drawn towards
    that of all rows as if ten rows more had that mean.

    Parameters
    ----------
    places : ndarray of int, shape (n_rows,)
        The level of each row.
    n_places : int
        How many there are.
    target : ndarray of float64, shape (n_rows, n_outputs)
        Numbers, or a column of 0 and 1 for each label.

    Returns
    -------
    codes : ndarray of float64, shape (n_places,)
        A number for each level; those without a row get that of the mean of all rows.
    own : ndarray of float64, shape (n_rows,)
        The same for the training rows, each from the rows of other folds: of a level with few rows the mean holds
        their own target, which a model would learn by heart.
    """
    counts = np.bincount(places, minlength=n_places).astype(np.float64)
    sums = np.column_stack([np.bincount(places, weights=column, minlength=n_places) for column in target.T])
    overall = target.mean(axis=0)

    def apart(sums: Any, counts: Any) -> Any:
        return (sums - counts[:, None] * overall) / (counts + _DRAWN)[:, None]

    deviations = apart(sums, counts)
    direction = np.ones(1)
    if target.shape[1] > 1:
        direction = np.linalg.svd(deviations * np.sqrt(counts)[:, None], full_matrices=False)[2][0]
        direction = direction * np.sign(direction[np.abs(direction).argmax()])
    center = float(overall @ direction) if target.shape[1] == 1 else 0.0
    fold = np.random.default_rng(0).permutation(len(places)) % _FOLDS
    own = np.empty(len(places))
    for number in range(_FOLDS):
        here = fold == number
        inside = np.bincount(places[here], minlength=n_places)
        taken = np.column_stack([np.bincount(places[here], weights=one, minlength=n_places) for one in target[here].T])
        own[here] = (apart(sums - taken, counts - inside) @ direction)[places[here]] + center
    return np.asarray(deviations @ direction) + center, own
