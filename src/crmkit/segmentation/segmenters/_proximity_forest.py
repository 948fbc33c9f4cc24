"""Forests that tell a table from its permuted copies, and which rows fall into the same leaves."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
from scipy.sparse import csr_array
from sklearn.ensemble import RandomForestClassifier

from crmkit.segmentation.segmenters._mixed import Mixed

if TYPE_CHECKING:
    from collections.abc import Sequence

    import numpy.typing as npt

__all__ = ["Growth", "as_columns", "grow", "held_out_right", "leaves_of", "proximities"]


class Growth(NamedTuple):
    """How forests are grown.

    Parameters
    ----------
    n_copies : int
        How many permuted copies, each with a forest of its own.
    n_estimators : int
        Trees a forest.
    min_samples_leaf : int or float
        Rows that a leaf holds at least, of data and copy together; a float is a share of them.
    max_features : str, int, float or None
        Columns that a split may choose from.
    n_jobs : int or None
        Threads.
    """

    n_copies: int
    n_estimators: int
    min_samples_leaf: float
    max_features: Any
    n_jobs: int | None


def as_columns(mixed: Mixed, cuts: Sequence[npt.NDArray[np.float64]], levels: Sequence[int]) -> npt.NDArray[np.float32]:
    """Give what the trees are asked about: places among the sampled values, and 0 or 1 for each category.

    Places instead of values: trees round to single precision and cut halfway between two values, so that only places
    make the answer the same under any transform that keeps their order.

    Parameters
    ----------
    mixed : Mixed
        The rows.
    cuts : sequence of ndarray
        The sorted distinct values of each numeric column.
    levels : sequence of int
        How many categories each other column has.

    Returns
    -------
    ndarray of shape (n_rows, n_numeric + sum of levels)
        Half places are between two sampled values; a category that is none of the known ones is 0 everywhere.
    """
    parts = []
    for column, known in zip(mixed.numbers.T, cuts, strict=True):
        below = np.searchsorted(known, column, side="left") + np.searchsorted(known, column, side="right")
        parts.append(below[:, None] / 2)
    for code, level in zip(mixed.codes.T, levels, strict=True):
        parts.append(code[:, None] == np.arange(level))
    return np.hstack(parts).astype(np.float32)


def grow(
    mixed: Mixed, cuts: Sequence[npt.NDArray[np.float64]], levels: Sequence[int], growth: Growth,
    random: np.random.RandomState,
) -> list[RandomForestClassifier]:  # fmt: skip
    """Grow one forest for each permuted copy.

    Parameters
    ----------
    mixed : Mixed
        The sample.
    cuts, levels : sequence
        As in ``as_columns``.
    growth : Growth
        How.
    random : RandomState
        Permutes and grows.

    Returns
    -------
    list of RandomForestClassifier
        Class 1 is the data.
    """
    real = as_columns(mixed, cuts, levels)
    forests = []
    for _ in range(growth.n_copies):
        copy = as_columns(_permuted(mixed, random), cuts, levels)
        told = np.repeat([1, 0], [len(real), len(copy)])
        forest = RandomForestClassifier().set_params(
            n_estimators=growth.n_estimators,
            min_samples_leaf=growth.min_samples_leaf,
            max_features=growth.max_features,
            n_jobs=growth.n_jobs,
            random_state=int(random.randint(np.iinfo(np.int32).max)),
        )
        forests.append(forest.fit(np.vstack([real, copy]), told))
    return forests


def held_out_right(
    mixed: Mixed, cuts: Sequence[npt.NDArray[np.float64]], levels: Sequence[int], growth: Growth,
    random: np.random.RandomState,
) -> tuple[int, int]:  # fmt: skip
    """Count how many rows, of the data and of a copy, are told right by a forest of the other half.

    Out-of-bag rows will not do: each value of a row that was left out stands in the copy, whose rows were not, so that
    on columns without dependence a forest is right in far less than half of them.

    Parameters
    ----------
    mixed : Mixed
        The sample.
    cuts, levels : sequence
        As in ``as_columns``.
    growth : Growth
        How.
    random : RandomState
        Halves, permutes and grows.

    Returns
    -------
    tuple of int
        How many are right, and of how many.
    """
    order = random.permutation(len(mixed.numbers))
    halves = [Mixed(mixed.numbers[part], mixed.codes[part]) for part in np.array_split(order, 2)]
    right = rows = 0
    if len(order) < 2:
        return right, rows
    for grown, asked in (halves, halves[::-1]):
        (forest,) = grow(grown, cuts, levels, growth._replace(n_copies=1), random)
        for told, part in ((1, asked), (0, _permuted(asked, random))):
            right += int((forest.predict(as_columns(part, cuts, levels)) == told).sum())
            rows += len(part.numbers)
    return right, rows


def leaves_of(forests: Sequence[RandomForestClassifier], columns: npt.NDArray[np.float32]) -> npt.NDArray[np.intp]:
    """Give the leaf of each row in each tree, counted through all trees.

    Parameters
    ----------
    forests : sequence of RandomForestClassifier
        The forests.
    columns : ndarray of shape (n_rows, n_columns)
        From ``as_columns``.

    Returns
    -------
    ndarray of shape (n_rows, n_trees)
        Numbers that no two trees share.
    """
    leaves = np.hstack([forest.apply(columns) for forest in forests])
    nodes = [tree.tree_.node_count for forest in forests for tree in forest.estimators_]
    return np.asarray(leaves + np.cumsum([0, *nodes[:-1]]), dtype=np.intp)


def proximities(leaves: npt.NDArray[np.intp]) -> npt.NDArray[np.float64]:
    """Give the share of trees in which two rows are in the same leaf, for all pairs.

    Parameters
    ----------
    leaves : ndarray of shape (n_rows, n_trees)
        From ``leaves_of``.

    Returns
    -------
    ndarray of shape (n_rows, n_rows)
        From 0 to 1.
    """
    n_rows, n_trees = leaves.shape
    ends = np.arange(0, leaves.size + 1, n_trees)
    member = csr_array((np.ones(leaves.size, dtype=np.float32), leaves.ravel(), ends), shape=(n_rows, leaves.max() + 1))
    shared: npt.NDArray[np.float64] = (member @ member.T).toarray().astype(np.float64)
    shared /= n_trees
    return shared


def _permuted(mixed: Mixed, random: np.random.RandomState) -> Mixed:
    """Permute each column by itself: the same values, and no dependence between columns."""
    numbers, codes = mixed.numbers.copy(), mixed.codes.copy()
    for columns in (numbers.T, codes.T):
        for place, column in enumerate(columns):
            columns[place] = random.permutation(column)
    return Mixed(numbers, codes)
