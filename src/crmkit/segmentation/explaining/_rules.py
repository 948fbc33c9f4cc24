"""A small decision tree that says in rules what the segments are, and how faithfully."""

from __future__ import annotations

import keyword
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.model_selection import StratifiedKFold, cross_val_predict
from sklearn.tree import DecisionTreeClassifier

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    import numpy.typing as npt

__all__ = ["Rules", "surrogate_rules"]

LARGEST_SAMPLE = 20_000
LEAVES_A_SEGMENT = 2
FOLDS = 3


class Rules(pd.DataFrame):
    """Rules that say what segments are: a DataFrame that prints each rule whole, under its segment.

    The columns are ``segment``, ``rule`` (in the expression language), ``customers`` (how many the rule holds for),
    ``precision`` (the share of these that are in the segment) and ``coverage`` (the share of the segment that the rule
    finds). What is taken from it is a plain pandas object.
    """

    @property
    def _constructor(self) -> Callable[..., pd.DataFrame]:
        return pd.DataFrame

    def __repr__(self) -> str:
        if not {"segment", "rule", "customers", "precision", "coverage"}.issubset(self.columns):
            return super().__repr__()
        lines = []
        last = None
        for segment, rule, customers, precision, coverage in zip(
            self["segment"], self["rule"], self["customers"], self["precision"], self["coverage"], strict=True
        ):
            if segment != last:
                lines.append(str(segment))
                last = segment
            lines.append(f"    {rule}")
            lines.append(
                f"        {customers:,} customers, {precision:.0%} of them in it, {coverage:.0%} of the segment"
            )
        return "\n".join(lines)


def surrogate_rules(
    values: npt.NDArray[np.float64],
    ids: npt.NDArray[np.int64],
    columns: Sequence[str],
    *,
    seed: int,
    categories: Mapping[str, tuple[str, Any]] = MappingProxyType({}),
) -> tuple[list[dict[str, Any]], tuple[int, int]]:
    """Describe segments by the leaves of a small tree.

    Parameters
    ----------
    values : ndarray of shape (n_customers, n_columns)
        The columns in original units.
    ids : ndarray of shape (n_customers,)
        Segment of each customer.
    columns : sequence of str
        Names of the columns.
    seed : int
        Draws the sample and the folds.
    categories : mapping, default={}
        The columns of 0 and 1 that stand for a category of another column.

    Returns
    -------
    rules : list of dict
        One a leaf: the expression, the segment it says, how many customers it holds and how many of these are in it.
    fidelity : tuple of int
        How many customers, out of how many, get their own segment from a tree that was grown without them.
    """
    if len(values) > LARGEST_SAMPLE:
        rows = np.sort(np.random.default_rng(seed).choice(len(values), LARGEST_SAMPLE, replace=False))
        sample, labels = values[rows], ids[rows]
    else:
        sample, labels = values, ids
    n_segments = len(np.unique(labels))
    # The tree computes in single precision; the rank of each value parts the same customers and is exact in it.
    distinct = [np.unique(column) for column in sample.T]
    ranks = np.column_stack([np.searchsorted(known, column) for known, column in zip(distinct, sample.T, strict=True)])
    tree = DecisionTreeClassifier(
        max_leaf_nodes=max(2, LEAVES_A_SEGMENT * n_segments),
        min_samples_leaf=max(1, len(sample) // 200),
        random_state=seed,
    )
    tree.fit(ranks, labels)
    rules = _leaves(tree.tree_, np.asarray(tree.classes_), distinct, columns, categories)
    for rule in rules:
        inside = rule.pop("bounds")
        held = np.ones(len(values), dtype=bool)
        for column, (low, high) in inside.items():
            held &= (values[:, column] > low) & (values[:, column] <= high)
        rule["customers"] = int(held.sum())
        rule["right"] = int((ids[held] == rule["segment_id"]).sum())
    rules.sort(key=lambda rule: (rule["segment_id"] < 0, rule["segment_id"], -rule["right"]))
    return rules, _fidelity(tree, ranks, labels, seed)


def _fidelity(
    tree: DecisionTreeClassifier, ranks: npt.NDArray[np.intp], labels: npt.NDArray[np.int64], seed: int
) -> tuple[int, int]:
    """Count agreement on customers that the tree has not seen; segments too small to split are learned by no tree."""
    if len(np.unique(labels)) == 1:
        return len(labels), len(labels)
    if len(labels) < 2 * FOLDS:
        return int(np.count_nonzero(tree.predict(ranks) == labels)), len(labels)
    # Folds by the size of the smallest segment would fail on segments of one customer, so those share a stratum.
    _, stratum, count = np.unique(labels, return_inverse=True, return_counts=True)
    stratum = np.where(count[stratum] < FOLDS, -1, stratum)
    if np.count_nonzero(stratum == -1) < FOLDS:
        stratum = np.where(stratum == -1, stratum.max(), stratum)
    folds = StratifiedKFold(FOLDS, shuffle=True, random_state=seed).split(ranks, stratum)
    said = cross_val_predict(tree, ranks, labels, cv=list(folds))
    return int(np.count_nonzero(said == labels)), len(labels)


def _leaves(
    tree: Any,
    classes: npt.NDArray[np.int64],
    distinct: Sequence[npt.NDArray[np.float64]],
    columns: Sequence[str],
    categories: Mapping[str, tuple[str, Any]],
) -> list[dict[str, Any]]:
    """Walk the tree and collect what holds in each leaf."""
    rules: list[dict[str, Any]] = []
    stack: list[tuple[int, dict[int, tuple[float, float]]]] = [(0, {})]
    while stack:
        node, bounds = stack.pop()
        if tree.children_left[node] == -1:
            segment = int(classes[np.argmax(tree.value[node][0])])
            rules.append({"rule": _expression(bounds, columns, categories), "segment_id": segment, "bounds": bounds})
            continue
        column = int(tree.feature[node])
        border = _short(distinct[column], int(tree.threshold[node]))
        low, high = bounds.get(column, (-np.inf, np.inf))
        stack.append((int(tree.children_right[node]), {**bounds, column: (border, high)}))
        stack.append((int(tree.children_left[node]), {**bounds, column: (low, border)}))
    return rules


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
