"""A small decision tree that says in rules what the segments are, and counts how faithfully."""

from __future__ import annotations

import keyword
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
from sklearn.tree import DecisionTreeClassifier

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    Bounds = dict[int, tuple[float, float]]

__all__ = ["surrogate_rules"]

LARGEST_SAMPLE = 20_000
LEAVES_A_SEGMENT = 2
FOLDS = 3
# Of fewer customers none can be spared, and of a smaller segment a tree could learn nothing from what is left.
FEWEST_HELD_BACK = 30
SMALLEST_HELD_BACK = 6


def surrogate_rules(
    values: npt.NDArray[np.float64],
    ids: npt.NDArray[np.int64],
    columns: Sequence[str],
    *,
    seed: int,
    categories: Mapping[str, tuple[str, Any]] = MappingProxyType({}),
) -> tuple[list[dict[str, Any]], tuple[int, int]]:
    """Describe segments by the leaves of a small tree.

    From 30 customers on a third is held back (of segments of fewer than six nobody), and of more than 30,000 all
    beyond 20,000: on these it is counted how far each rule can be believed. A rule holds for nobody whose value it
    asks for is missing, as in the expression language; columns missing for so many that fewer than half of the
    customers would be complete are left out of the rules.

    Parameters
    ----------
    values : ndarray of shape (n_customers, n_columns)
        The columns in original units; missing values are NaN.
    ids : ndarray of shape (n_customers,)
        Segment of each customer.
    columns : sequence of str
        Names of the columns.
    seed : int
        Draws who is held back.
    categories : mapping, default={}
        The columns of 0 and 1 that stand for a category of another column.

    Returns
    -------
    rules : list of dict
        One a rule: the expression and the segment it says; how many customers it holds for and how many of these are
        in the segment (``customers``, ``right``), the same of those held back (``unseen``, ``unseen_right``), and how
        many of the segment were held back (``unseen_segment``).
    fidelity : tuple of int
        How many customers, out of how many, fall under a rule of their own segment from a tree grown without them.
    """
    used = _used(values)
    order = _spread_out(ids, seed)
    out = _held_back(ids, order)
    rules = _grow(values, ids, used, ~out, seed)
    for rule in rules:
        inside, own = _holds(values, rule["bounds"]), ids == rule["segment_id"]
        rule["rule"] = _expression(rule.pop("bounds"), columns, categories)
        rule["customers"], rule["right"] = int(inside.sum()), int((inside & own).sum())
        rule["unseen"], rule["unseen_right"] = int((inside & out).sum()), int((inside & out & own).sum())
        rule["unseen_segment"] = int((out & own).sum())
    rules.sort(key=lambda rule: (rule["segment_id"] < 0, rule["segment_id"], -rule["right"]))
    if len(values) > LARGEST_SAMPLE:
        return rules, (sum(rule["unseen_right"] for rule in rules), int(out.sum()))
    return rules, (_agreement(values, ids, used, order, seed), len(values))


def _used(values: npt.NDArray[np.float64]) -> npt.NDArray[np.intp]:
    """Choose the columns that rules may ask for: at least half of the customers must be complete in all of them."""
    missing = np.isnan(values)
    used: list[int] = []
    complete = np.ones(len(values), dtype=bool)
    for column in np.argsort(missing.sum(axis=0), kind="stable"):
        left = complete & ~missing[:, column]
        if not used or 2 * left.sum() >= len(values):
            used.append(int(column))
            complete = left
    return np.array(sorted(used), dtype=np.intp)


def _spread_out(ids: npt.NDArray[np.int64], seed: int) -> npt.NDArray[np.intp]:
    """Give each customer a place such that any run of places takes its share of every segment."""
    chance = np.random.default_rng(seed).permutation(len(ids))
    order = np.empty(len(ids), dtype=np.intp)
    order[np.lexsort((chance, ids))] = np.arange(len(ids))
    return order


def _held_back(ids: npt.NDArray[np.int64], order: npt.NDArray[np.intp]) -> npt.NDArray[np.bool_]:
    """Say who is kept from the tree."""
    n = len(ids)
    if n < FEWEST_HELD_BACK:
        return np.zeros(n, dtype=bool)
    grown_on = min(LARGEST_SAMPLE, n - n // FOLDS)
    # Every customer whose step crosses a whole number is kept for growing: evenly spread over the ordered segments.
    crossed = (order + 1) * grown_on // n > order * grown_on // n
    _, segment, count = np.unique(ids, return_inverse=True, return_counts=True)
    return np.asarray(~crossed & (count[segment] >= SMALLEST_HELD_BACK))


def _agreement(
    values: npt.NDArray[np.float64],
    ids: npt.NDArray[np.int64],
    used: npt.NDArray[np.intp],
    order: npt.NDArray[np.intp],
    seed: int,
) -> int:
    """Count who falls under a rule of the own segment, each customer by a tree that was grown without that third."""
    n = len(values)
    if len(np.unique(ids)) == 1:
        return n
    fold = order % (FOLDS if n >= 2 * FOLDS else n)
    right = 0
    for left_out in np.unique(fold):
        out = fold == left_out
        for rule in _grow(values, ids, used, ~out, seed):
            right += int((_holds(values[out], rule["bounds"]) & (ids[out] == rule["segment_id"])).sum())
    return right


def _grow(
    values: npt.NDArray[np.float64],
    ids: npt.NDArray[np.int64],
    used: npt.NDArray[np.intp],
    rows: npt.NDArray[np.bool_],
    seed: int,
) -> list[dict[str, Any]]:
    """Grow a tree on these rows and give its leaves, as bounds of columns and the segment they say."""
    complete = rows & ~np.isnan(values[:, used]).any(axis=1)
    sample, labels = values[complete][:, used], ids[complete]
    if not len(sample):
        known, count = np.unique(ids[rows], return_counts=True)
        return [{"segment_id": int(known[np.argmax(count)]), "bounds": {}}]
    # The tree computes in single precision; the rank of each value parts the same customers and is exact in it.
    distinct = [np.unique(column) for column in sample.T]
    ranks = np.column_stack([np.searchsorted(known, column) for known, column in zip(distinct, sample.T, strict=True)])
    count = np.unique(labels, return_counts=True)[1]
    tree = DecisionTreeClassifier(
        max_leaf_nodes=max(2, LEAVES_A_SEGMENT * len(count)),
        # A segment of few customers must still find room in a leaf.
        min_samples_leaf=max(1, min(len(sample) // 200, int(count.min()))),
        random_state=seed,
    ).fit(ranks, labels)
    return _leaves(tree.tree_, np.asarray(tree.classes_), distinct, used)


def _leaves(
    tree: Any, classes: npt.NDArray[np.int64], distinct: Sequence[npt.NDArray[np.float64]], used: npt.NDArray[np.intp]
) -> list[dict[str, Any]]:
    """Walk the tree and collect what holds in each leaf; a split whose sides say the same is no split."""
    left, right = tree.children_left, tree.children_right
    says = classes[np.argmax(tree.value[:, 0, :], axis=1)]
    whole = left == -1
    # Children are numbered after their parents.
    for node in range(len(left) - 1, -1, -1):
        if not whole[node] and whole[left[node]] and whole[right[node]] and says[left[node]] == says[right[node]]:
            whole[node], says[node] = True, says[left[node]]
    rules: list[dict[str, Any]] = []
    stack: list[tuple[int, Bounds]] = [(0, {})]
    while stack:
        node, bounds = stack.pop()
        if whole[node]:
            rules.append({"segment_id": int(says[node]), "bounds": bounds})
            continue
        place = int(tree.feature[node])
        column, border = int(used[place]), _short(distinct[place], int(tree.threshold[node]))
        low, high = bounds.get(column, (-np.inf, np.inf))
        stack.append((int(right[node]), {**bounds, column: (border, high)}))
        stack.append((int(left[node]), {**bounds, column: (low, border)}))
    return rules


def _holds(values: npt.NDArray[np.float64], bounds: Bounds) -> npt.NDArray[np.bool_]:
    """Say for which customers a rule holds; a missing value lies within no bounds."""
    held = np.ones(len(values), dtype=bool)
    for column, (low, high) in bounds.items():
        held &= (values[:, column] > low) & (values[:, column] <= high)
    return held


def _short(distinct: npt.NDArray[np.float64], rank: int) -> float:
    """Give the shortest decimal that parts the value of this rank from the next."""
    low, high = float(distinct[rank]), float(distinct[rank + 1])
    middle = low / 2 + high / 2
    for digits in range(1, 18):
        rounded = float(f"{middle:.{digits}g}")
        if low <= rounded < high:
            return rounded
    return low


def _expression(
    bounds: dict[int, tuple[float, float]], columns: Sequence[str], categories: Mapping[str, tuple[str, Any]]
) -> str:
    """Write bounds in the expression language."""
    parts = []
    for place, (low, high) in sorted(bounds.items()):
        name, value = categories.get(columns[place], (columns[place], None))
        if not name.isidentifier() or keyword.iskeyword(name):
            name = f"`{name}`"
        if value is not None:
            parts.append(f"{name} {'==' if np.isfinite(low) else '!='} {value!r}")
            continue
        if np.isfinite(low):
            parts.append(f"{name} > {_digits(low)}")
        if np.isfinite(high):
            parts.append(f"{name} <= {_digits(high)}")
    return " and ".join(parts) or "True"


def _digits(value: float) -> str:
    """Write a border without losing any of it."""
    return str(int(value)) if value == int(value) and abs(value) < 1e15 else repr(value)
