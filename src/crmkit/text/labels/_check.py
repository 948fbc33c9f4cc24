"""Reports what is wrong with labelled texts before anything is trained on them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core import html
from crmkit.core.checks import positions
from crmkit.core.errors import DataError
from crmkit.text._texts import read_texts
from crmkit.text.labels._near import Shingles, near_pairs
from crmkit.text.labels._same import number_texts, word_keys

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["LabelCheck", "check_labels"]

_COLUMNS = ("problem", "part", "position", "label", "other_part", "other_position", "other_label", "similarity")

_MEANING = {
    "empty text": "there is nothing to learn from",
    "missing label": "nothing to learn",
    "duplicate": "the same words stand in an earlier row",
    "conflicting labels": "the same words have more than one label",
    "near duplicate": "nearly the same characters stand in an earlier row",
    "near duplicate, other label": "nearly the same characters stand in an earlier row with another label",
    "leak": "a test text whose words are in the training texts: the test is easier than life",
    "near leak": "a test text nearly in the training texts",
    "small class": "a training class with few texts; a row a class",
    "unseen label": "a test label that training does not have",
}
"""Every problem, in the order they are listed."""


class LabelCheck:
    """What `check_labels` found; shows counts and positions, never a text.

    Parameters
    ----------
    table : pandas.DataFrame
        See `check_labels`.
    n_train, n_test, n_classes : int
        How many training texts, test texts and training classes were looked at.

    Attributes
    ----------
    table : pandas.DataFrame
        A row a finding.
    counts : dict of str to int
        Rows of the table by problem, every problem included.
    n_conflicting : int
        How many different texts have more than one label.

    Examples
    --------
    >>> from crmkit.text import check_labels
    >>> found = check_labels(["Where is it?", "where is it", "refund"], ["card", "order", "refund"], min_class=1)
    >>> print(found)
    3 training texts in 3 classes
    duplicate, train: 1 (the same words stand in an earlier row): row 1
    conflicting labels, train: 2 (the same words have more than one label), 1 different text: rows 0, 1
    """

    def __init__(self, table: pd.DataFrame, *, n_train: int, n_test: int, n_classes: int) -> None:
        self.table = table
        self.n_train = n_train
        self.n_test = n_test
        self.n_classes = n_classes

    @property
    def counts(self) -> dict[str, int]:
        """How many rows of the table each problem has."""
        found = self.table["problem"].value_counts()
        return {problem: int(found.get(problem, 0)) for problem in _MEANING}

    @property
    def n_conflicting(self) -> int:
        """How many different texts have more than one label."""
        conflicting = self.table[self.table["problem"] == "conflicting labels"]
        return int(conflicting["other_position"].nunique())

    @property
    def ok(self) -> bool:
        """Whether nothing was found."""
        return self.table.empty

    def drop(self, *problems: str) -> npt.NDArray[np.bool_]:
        """Say which training rows to keep once the rows with these problems are left out.

        Parameters
        ----------
        *problems : str
            Names from `counts`, such as ``"duplicate"``, ``"conflicting labels"``, ``"empty text"``. A test text in
            training (``"leak"``) takes the training rows it was found in.

        Returns
        -------
        ndarray of bool, shape (n_train,)
            True to keep.

        Raises
        ------
        ValueError
            If there is no such problem.

        Examples
        --------
        >>> from crmkit.text import check_labels
        >>> found = check_labels(["refund", "card", "Refund!"], ["r", "c", "r"], min_class=1)
        >>> found.drop("duplicate").tolist()
        [True, True, False]
        """
        unknown = [problem for problem in problems if problem not in _MEANING]
        if unknown:
            raise ValueError(f"no problem {', '.join(map(repr, unknown))}; there are: {', '.join(_MEANING)}")
        keep = np.ones(self.n_train, dtype=bool)
        chosen = self.table[self.table["problem"].isin(problems)]
        for part, position in (("part", "position"), ("other_part", "other_position")):
            # The first of several equal rows stays, except where its label is in doubt or a test text is like it.
            whose = chosen if part == "part" else chosen[chosen["problem"].isin(["leak", "near leak"])]
            keep[whose.loc[whose[part] == "train", position].to_numpy(dtype=np.int64)] = False
        return keep

    def __str__(self) -> str:
        tests = f", {self.n_test:,} test texts" if self.n_test else ""
        lines = [f"{self.n_train:,} training texts in {self.n_classes:,} classes{tests}"]
        lines += [f"{name}: {count:,} ({why}){more}: {where}" for name, count, why, more, where in self._lines()]
        return "\n".join([*lines, *(["nothing found"] if self.ok else [])])

    def __repr__(self) -> str:
        counts = ", ".join(f"{count} {problem}" for problem, count in self.counts.items() if count)
        return f"LabelCheck({counts or 'nothing found'})"

    def _repr_html_(self) -> str:
        rows = [(name, count, why + more, where) for name, count, why, more, where in self._lines()]
        size = f"{self.n_train:,} training texts in {self.n_classes:,} classes, {self.n_test:,} test texts"
        return html.table(["problem", "rows", "meaning", "first rows"], rows, caption=size)

    def _lines(self) -> list[tuple[str, int, str, str, str]]:
        """Give name, count, meaning, an addition and the first positions of each problem that was found."""
        lines = []
        for key, rows in self.table.groupby(["problem", "part"], sort=False)["position"]:
            name, part = map(str, key)
            texts = "text" if self.n_conflicting == 1 else "texts"
            more = f", {self.n_conflicting:,} different {texts}" if name == "conflicting labels" else ""
            mask = np.zeros(int(rows.max()) + 1, dtype=bool)
            mask[rows.to_numpy(dtype=np.int64)] = True
            lines.append((f"{name}, {part}", len(rows), _MEANING[name], more, positions(mask)))
        return lines


def check_labels(
    train_texts: Any,
    labels: Any,
    test_texts: Any = None,
    test_labels: Any = None,
    *,
    near: float | None = 0.8,
    min_class: int = 5,
) -> LabelCheck:
    """Look for what spoils training and tests: duplicates, conflicting labels, leaks, empty texts, small classes.

    Use it before training and before believing a test score. Two texts are the same when their words are: width and
    form of characters (NFKC), case, white space and punctuation do not count. Nearly the same are texts that share
    at least ``near`` of their runs of three characters, found by min-wise hashing and then compared exactly. Cost:
    about a CPU second and a hundred megabytes for 12,000 short messages, a sixth of the time without near ones; 23
    seconds and 640 MB for 100,000 of which most are near copies.

    Parameters
    ----------
    train_texts : list, array or Series of str, shape (n_train,)
        A missing text counts as empty.
    labels : array-like, shape (n_train,)
        A missing one is reported.
    test_texts, test_labels : as the first two, default=None
        Where given, test texts that are in training are reported.
    near : float or None, default=0.8
        Least similarity of near duplicates, over .5 and up to 1; None looks for none, which saves most of the time.
    min_class : int, default=5
        A training class with fewer texts is reported.

    Returns
    -------
    LabelCheck
        ``table`` has the columns problem, part ("train" or "test"), position (row within the part), label,
        other_part, other_position and other_label (the earlier, or training, row it goes with) and similarity (for
        near ones, in shared runs; 1.0 for the same words). A duplicate is listed once, with the first of its kind;
        the rows of a conflict are all listed; a near duplicate goes with the most similar earlier row, the earliest of
        several. Printing shows counts and positions only; ``table.join(train["text"], on="position")`` shows texts
        where the index of ``train`` counts from 0.

    Raises
    ------
    ValueError
        If texts and labels differ in length, or ``near`` is not over .5.
    TypeError
        If texts are no list of ``str``.

    References
    ----------
    Broder (1997). On the resemblance and containment of documents. doi:10.1109/SEQUEN.1997.666900

    Examples
    --------
    >>> from crmkit.text import check_labels
    >>> texts = ["我要退款", "我要退款！", "where is my card", "", "Where is my card??"]
    >>> check_labels(texts, ["refund", "other", "card", "card", "card"], ["my card?"], min_class=1)
    LabelCheck(1 empty text, 2 duplicate, 2 conflicting labels)
    """
    if near is not None and not 0.5 < near <= 1:
        raise ValueError(f"near must be over 0.5 and at most 1, or None, got {near!r}")
    if test_texts is None and test_labels is not None:
        raise ValueError("test_labels are given without test_texts")
    train = read_texts(train_texts, what="train_texts")
    test = read_texts([] if test_texts is None else test_texts, what="test_texts")
    given = _Labels(_read(labels, len(train), "labels"), _read(test_labels, len(test), "test_labels"))
    keys = word_keys(np.concatenate([train, test]))
    first = number_texts(keys)
    empty = np.fromiter((not key for key in keys), dtype=bool, count=len(keys))
    found = _Findings(given)
    in_train = np.arange(len(keys)) < len(train)
    found.add("empty text", np.flatnonzero(empty))
    if labels is not None:
        found.add("missing label", np.flatnonzero(given.missing & in_train))
    if test_labels is not None:
        found.add("missing label", np.flatnonzero(given.missing & ~in_train))
    again = (first != np.arange(len(keys))) & ~empty
    found.add("duplicate", *_same(again & in_train, first))
    # Within the test part the first of equal texts is the first test row, unless it leaks anyway.
    leaked = again & ~in_train & in_train[first]
    found.add("leak", *_same(leaked, first))
    found.add("duplicate", *_same(again & ~in_train & ~in_train[first], first))
    _add_conflicts(found, given, first, ~empty)
    if near is not None:
        _add_near(found, given, keys, np.flatnonzero(~again & ~empty), near)
    _add_classes(found, given, min_class)
    return LabelCheck(found.table(), n_train=len(train), n_test=len(test), n_classes=len(given.classes()))


class _Labels:
    """The labels of training and test rows, end to end, with missing ones known."""

    def __init__(self, train: npt.NDArray[np.object_], test: npt.NDArray[np.object_]) -> None:
        self.n_train = len(train)
        self.values = np.concatenate([train, test])
        self.missing: npt.NDArray[np.bool_] = np.asarray(pd.isna(self.values), dtype=bool)
        self.codes: npt.NDArray[np.int64] = np.asarray(pd.factorize(self.values)[0], dtype=np.int64)

    def classes(self) -> npt.NDArray[np.int64]:
        """Give the codes of the training classes."""
        train = self.codes[: self.n_train]
        return np.unique(train[train >= 0])


class _Findings:
    """Collects findings and writes them as one table."""

    def __init__(self, labels: _Labels) -> None:
        self.labels = labels
        self.parts: list[pd.DataFrame] = []

    def add(self, problem: str, rows: Any, others: Any = None, similarity: Any = None) -> None:
        """Add one finding a row; ``others`` are the rows they go with."""
        columns = {"problem": np.full(len(rows), problem, dtype=object), **self._place(np.asarray(rows), "")}
        nobody = np.full(len(rows), -1, dtype=np.int64)
        columns.update(self._place(nobody if others is None else np.asarray(others), "other_"))
        columns["similarity"] = np.full(len(rows), np.nan) if similarity is None else similarity
        self.parts.append(pd.DataFrame(columns))

    def _place(self, rows: npt.NDArray[np.int64], prefix: str) -> dict[str, Any]:
        """Give part, position within it and label of rows; -1 is no row."""
        tests = rows >= self.labels.n_train
        parts = np.where(tests, "test", "train").astype(object)
        parts[rows < 0] = None
        names = self.labels.values[rows] if len(self.labels.values) else np.empty(len(rows), dtype=object)
        names = names.copy()
        names[rows < 0] = None
        place = pd.array(np.where(tests, rows - self.labels.n_train, rows), dtype="Int64")
        place[rows < 0] = pd.NA
        return {f"{prefix}part": parts, f"{prefix}position": place, f"{prefix}label": names}

    def table(self) -> pd.DataFrame:
        """Give all findings, by problem, training first, in order of rows."""
        filled = [part for part in self.parts if len(part)] or self.parts[:1]
        whole = pd.concat(filled, ignore_index=True)[list(_COLUMNS)]
        rank = whole["problem"].map({problem: place for place, problem in enumerate(_MEANING)})
        order = np.lexsort((whole["position"].to_numpy(dtype=np.int64), whole["part"] == "test", rank))
        whole = whole.iloc[order].reset_index(drop=True)
        whole["position"] = whole["position"].astype(np.int64)
        return whole


def _read(labels: Any, n_texts: int, what: str) -> npt.NDArray[np.object_]:
    """Give labels as objects, all missing where none are given."""
    if labels is None:
        return np.full(n_texts, None, dtype=object)
    if hasattr(labels, "to_pylist"):
        labels = labels.to_pylist()
    values = pd.Series(labels).to_numpy(dtype=object)
    if len(values) != n_texts:
        raise ValueError(f"texts and {what} must be as long: {n_texts} texts and {len(values)} labels")
    odd = np.fromiter((isinstance(value, list | dict | set) for value in values), dtype=bool, count=len(values))
    if odd.any():
        raise DataError(f"{what} must be one label a text, got several in {positions(odd)}")
    return values


def _same(mask: npt.NDArray[np.bool_], first: npt.NDArray[np.int64]) -> tuple[Any, Any, Any]:
    """Give rows, the rows they are equal to, and the similarity 1."""
    rows = np.flatnonzero(mask)
    return rows, first[rows], np.ones(len(rows))


def _add_conflicts(
    found: _Findings, labels: _Labels, first: npt.NDArray[np.int64], filled: npt.NDArray[np.bool_]
) -> None:
    """Add all rows of the training texts that have more than one label."""
    rows = np.flatnonzero(filled[: labels.n_train] & ~labels.missing[: labels.n_train])
    pairs = np.unique(np.stack([first[rows], labels.codes[rows]], axis=1), axis=0)
    groups, times = np.unique(pairs[:, 0], return_counts=True)
    rows = rows[np.isin(first[rows], groups[times > 1])]
    found.add("conflicting labels", rows, first[rows], np.ones(len(rows)))


def _add_near(found: _Findings, labels: _Labels, keys: list[str], rows: npt.NDArray[np.int64], least: float) -> None:
    """Add, for each row, its most similar earlier row: for a test row its most similar training row."""
    if len(rows) < 2:
        return
    left, right, similarity = near_pairs(Shingles([keys[row] for row in rows.tolist()]), least)
    left, right = rows[left], rows[right]
    # Most similar first, then the earliest.
    order = np.lexsort((left, -similarity, right))
    left, right, similarity = left[order], right[order], similarity[order]
    tests, of_tests = right >= labels.n_train, left >= labels.n_train

    def nearest(mask: npt.NDArray[np.bool_]) -> npt.NDArray[np.int64]:
        """Give the first pair of each row among those meant."""
        chosen = np.flatnonzero(mask)
        best: npt.NDArray[np.int64] = chosen[np.unique(right[chosen], return_index=True)[1]]
        return best

    one, other = labels.codes[right], labels.codes[left]
    differ = (one != other) & (one >= 0) & (other >= 0)
    within = nearest(tests == of_tests)
    for problem, pairs in (
        ("near duplicate", within[~differ[within]]),
        ("near duplicate, other label", within[differ[within]]),
        ("near leak", nearest(tests & ~of_tests)),
    ):
        found.add(problem, right[pairs], left[pairs], similarity[pairs])


def _add_classes(found: _Findings, labels: _Labels, min_class: int) -> None:
    """Add the training classes with few texts, and the test texts of classes that training does not have."""
    train = labels.codes[: labels.n_train]
    classes, first, sizes = np.unique(train, return_index=True, return_counts=True)
    found.add("small class", first[(classes >= 0) & (sizes < min_class)])
    test = labels.codes[labels.n_train :]
    unseen = (test >= 0) & ~np.isin(test, classes)
    if labels.n_train and (train >= 0).any():
        found.add("unseen label", labels.n_train + np.flatnonzero(unseen))
