"""How often predicted labels are right: accuracy, precision, recall and F1, each with its interval."""

from __future__ import annotations

import warnings
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError, DataWarning
from crmkit.core.estimate import Estimate
from crmkit.metrics._labels import Coded, code_pair, positive_label
from crmkit.metrics.intervals import average as mover
from crmkit.metrics.intervals import check_level, percentile_interval, share, wilson

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import numpy.typing as npt

__all__ = ["Average", "ZeroDivision", "accuracy", "f1", "precision", "recall"]

Average = Literal["macro", "micro", "weighted", "binary"]
ZeroDivision = Literal["warn"] | float

_CHUNK = 2**21
"""How many resampled cells are held in memory at once (16 MB)."""


def accuracy(actual: Any, predicted: Any, *, level: float = 0.95) -> Estimate:
    """Give the share of rows whose label is right.

    Misleading where one label is much more frequent than the others: always saying the frequent one scores its share.
    Compare it with that share, or use ``f1``.

    Parameters
    ----------
    actual, predicted : array-like, shape (n_rows,)
        Labels, matched by position.
    level : float, default=0.95
        Nominal coverage of Wilson's interval.

    Returns
    -------
    Estimate
        Between 0 and 1.

    Raises
    ------
    DataError
        If the columns are empty, of unequal length, or have missing labels (naming the positions).

    Examples
    --------
    >>> from crmkit.metrics import accuracy
    >>> accuracy(["a", "b", "b"], ["a", "b", "a"])
    0.6667 [0.2077, 0.9385] (n=3, 95% wilson)
    """
    coded = code_pair(actual, predicted)
    return share(int((coded.actual == coded.predicted).sum()), coded.n_rows, level=level)


def precision(
    actual: Any,
    predicted: Any,
    *,
    average: Average = "macro",
    positive: Any = None,
    labels: Sequence[Any] | None = None,
    zero_division: ZeroDivision = "warn",
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> Estimate:
    """Give the share of predictions of a label that are right, for one label or averaged over all.

    Parameters
    ----------
    actual, predicted : array-like, shape (n_rows,)
        Labels, matched by position.
    average : {"macro", "micro", "weighted", "binary"}, default="macro"
        Mean over labels; over all predictions (which is accuracy); mean weighted by how often each label is actual;
        or of the positive label alone.
    positive : object, default=None
        The label ``"binary"`` is about; needed unless labels are 0 and 1, -1 and 1, or False and True.
    labels : sequence, default=None
        All labels there are. A label of the list that no row has counts as undefined; where None, the labels seen.
    zero_division : "warn" or float, default="warn"
        What a label counts that was never predicted. ``"warn"``: as 0, with a ``DataWarning``; ``nan`` leaves it out.
    level : float, default=0.95
        Nominal coverage.
    n_resamples : int, default=1000
        For ``"weighted"``, whose interval is a bootstrap. 0 gives no interval.
    random_state : int, RandomState or None, default=0
        Of that bootstrap; never changes the figure.

    Returns
    -------
    Estimate
        Between 0 and 1. Intervals: Wilson's for ``"binary"`` (``n`` is how often the label was predicted) and
        ``"micro"``; for ``"macro"`` recovered from each label's Wilson interval (MOVER: given how often each label was
        predicted, their shares are independent); else bootstrap.

    Raises
    ------
    DataError
        If a column cannot be used, the positive label is not named, or no label is defined.

    Examples
    --------
    >>> from crmkit.metrics import precision
    >>> precision([1, 1, 1, 0, 0], [1, 0, 0, 0, 1], average="binary")
    0.5 [0.09453, 0.9055] (n=2, 95% wilson)
    """
    figures = _Figures("precision", "never predicted", zero_division, level, n_resamples, random_state)
    return figures.estimate(code_pair(actual, predicted, labels), average, positive)


def recall(
    actual: Any,
    predicted: Any,
    *,
    average: Average = "macro",
    positive: Any = None,
    labels: Sequence[Any] | None = None,
    zero_division: ZeroDivision = "warn",
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> Estimate:
    """Give the share of a label's rows that were found, for one label or averaged over all.

    The macro average is balanced accuracy. Parameters, policies and intervals are those of ``precision``, with a label
    undefined where it is never actual; for ``"binary"``, ``n`` is how often the label is actual. Weighted by how often
    each label is actual, recall is accuracy.

    Parameters
    ----------
    actual, predicted : array-like, shape (n_rows,)
        Labels, matched by position.
    average : {"macro", "micro", "weighted", "binary"}, default="macro"
        Mean over labels; over all rows (which is accuracy); mean weighted by support; or of the positive label alone.
    positive : object, default=None
        The label ``"binary"`` is about; needed unless labels are 0 and 1, -1 and 1, or False and True.
    labels : sequence, default=None
        All labels there are; where None, the labels seen.
    zero_division : "warn" or float, default="warn"
        What a label counts that is never actual. ``"warn"``: as 0, with a ``DataWarning``; ``nan`` leaves it out.
    level : float, default=0.95
        Nominal coverage.
    n_resamples : int, default=1000
        For ``"weighted"``, whose interval is a bootstrap. 0 gives no interval.
    random_state : int, RandomState or None, default=0
        Of that bootstrap; never changes the figure.

    Returns
    -------
    Estimate
        Between 0 and 1.

    Raises
    ------
    DataError
        If a column cannot be used, the positive label is not named, or no label is defined.

    Examples
    --------
    >>> from crmkit.metrics import recall
    >>> recall([1, 1, 1, 0, 0], [1, 0, 0, 0, 1], average="binary")
    0.3333 [0.06149, 0.7923] (n=3, 95% wilson)
    """
    figures = _Figures("recall", "never actual", zero_division, level, n_resamples, random_state)
    return figures.estimate(code_pair(actual, predicted, labels), average, positive)


def f1(
    actual: Any,
    predicted: Any,
    *,
    average: Average = "macro",
    positive: Any = None,
    labels: Sequence[Any] | None = None,
    zero_division: ZeroDivision = "warn",
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> Estimate:
    """Give F1, the harmonic mean of precision and recall, for one label or averaged over all.

    Parameters, policies and averages are those of ``precision``; a label is undefined where it is neither actual nor
    predicted. For one label, F1 = 2s / (1 + s) with s the share of hits among the rows where the label is actual or
    predicted, so that Wilson's interval of s gives F1's (``n`` counts those rows). ``"micro"`` is accuracy, with
    Wilson's interval. ``"macro"`` and ``"weighted"`` have a bootstrap over rows, drawn as multinomial counts of the
    cells of the confusion matrix: its cost does not grow with the rows. Where every row is right the bootstrap has no
    width, and the labels' own intervals are averaged instead.

    Parameters
    ----------
    actual, predicted : array-like, shape (n_rows,)
        Labels, matched by position.
    average : {"macro", "micro", "weighted", "binary"}, default="macro"
        Mean over labels; over all rows; mean weighted by support; or of the positive label alone.
    positive : object, default=None
        The label ``"binary"`` is about; needed unless labels are 0 and 1, -1 and 1, or False and True.
    labels : sequence, default=None
        All labels there are; where None, the labels seen.
    zero_division : "warn" or float, default="warn"
        What an undefined label counts. ``"warn"``: as 0, with a ``DataWarning``; ``nan`` leaves it out.
    level : float, default=0.95
        Nominal coverage.
    n_resamples : int, default=1000
        For the bootstrap. 0 gives no interval there.
    random_state : int, RandomState or None, default=0
        Of the bootstrap; never changes the figure.

    Returns
    -------
    Estimate
        Between 0 and 1.

    Raises
    ------
    DataError
        If a column cannot be used, the positive label is not named, or no label is defined.

    References
    ----------
    van Rijsbergen, C. J. (1979). Information Retrieval, chapter 7. Butterworths.

    Examples
    --------
    >>> from crmkit.metrics import f1
    >>> f1([1, 1, 1, 0, 0], [1, 0, 0, 0, 1], average="binary")
    0.4 [0.0872, 0.8231] (n=4, 95% wilson)
    """
    figures = _Figures("f1", "neither actual nor predicted", zero_division, level, n_resamples, random_state)
    return figures.estimate(code_pair(actual, predicted, labels), average, positive)


def shares(
    name: str, hits: npt.NDArray[Any], actual: npt.NDArray[Any], predicted: npt.NDArray[Any]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give each label's figure and the number of rows it is a share of; NaN where undefined."""
    base = {"precision": predicted, "recall": actual, "f1": actual + predicted - hits}[name]
    top = {"precision": hits, "recall": hits, "f1": 2 * hits}[name]
    bottom = {"precision": predicted, "recall": actual, "f1": actual + predicted}[name]
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(bottom > 0, top / bottom, np.nan), base


def share_intervals(
    name: str, hits: npt.NDArray[Any], base: npt.NDArray[Any], level: float
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give each label's Wilson interval, brought from the share of hits to F1 where that is meant."""
    low, high = wilson(hits, base, level=level)
    return (2 * low / (1 + low), 2 * high / (1 + high)) if name == "f1" else (low, high)


class _Figures:
    """Works out one of the three figures under one set of policies."""

    def __init__(
        self, name: str, undefined: str, zero_division: ZeroDivision, level: float, n_resamples: int, random_state: Any
    ) -> None:
        self.name = name
        self.undefined = undefined
        self.zero_division = zero_division
        self.level = check_level(level)
        self.n_resamples = n_resamples
        self.random_state = random_state
        numeric = not isinstance(zero_division, str)
        if zero_division != "warn" and not (numeric and (np.isnan(zero_division) or 0 <= zero_division <= 1)):
            raise DataError(f"zero_division must be 'warn', a number from 0 to 1, or nan, got {zero_division!r}")

    def estimate(self, coded: Coded, average: Average, positive: Any) -> Estimate:
        """Give the figure of one label or averaged."""
        if average == "micro" or (average == "weighted" and self.name == "recall"):
            return share(int((coded.actual == coded.predicted).sum()), coded.n_rows, level=self.level)
        counts = coded.counts()
        hits, actual, predicted = np.diag(counts), counts.sum(axis=1), counts.sum(axis=0)
        if average == "binary":
            return self.of_one(hits, actual, predicted, positive_label(coded.labels, positive))
        if average not in {"macro", "weighted"}:
            raise DataError(f"average must be 'macro', 'micro', 'weighted' or 'binary', got {average!r}")
        values, base = shares(self.name, hits, actual, predicted)
        weights = np.ones(len(values)) if average == "macro" else actual.astype(np.float64)
        value = float(self.averaged(values[None], weights[None], warn=True)[0])
        if not np.isfinite(value):
            raise DataError(f"{self.name} is not defined: no label has a value (zero_division=nan leaves all out)")
        perfect = int(hits.sum()) == coded.n_rows
        if self.n_resamples and ((average == "macro" and self.name != "f1") or perfect):
            return self.recovered(value, hits, base, weights, coded.n_rows)
        low, high, method = self.resampled(counts, coded.n_rows, average)
        return Estimate(value, n=coded.n_rows, low=low, high=high, level=self.level, method=method)

    def of_one(
        self, hits: npt.NDArray[Any], actual: npt.NDArray[Any], predicted: npt.NDArray[Any], position: int
    ) -> Estimate:
        """Give the figure of the positive label."""
        if position < 0:  # 0/1 labels of which only 0 was seen
            hits, actual, predicted = (np.zeros(1, dtype=np.int64) for _ in range(3))
        values, base = shares(self.name, hits, actual, predicted)
        low, high = share_intervals(self.name, hits, base, self.level)
        value = float(values[position])
        if np.isnan(value):
            value = self.stand_in(1)
            if np.isnan(value):
                raise DataError(f"{self.name} is not defined: the positive label is {self.undefined}")
        return Estimate(
            value, n=int(base[position]), low=low[position], high=high[position], level=self.level, method="wilson"
        )

    def stand_in(self, n_undefined: int, *, warn: bool = True) -> float:
        """Give what an undefined label counts, saying so where the caller has not chosen."""
        if self.zero_division != "warn":
            return float(self.zero_division)
        if warn:
            message = (
                f"{self.name} counts {n_undefined} label(s) as 0 that are {self.undefined} (choose with zero_division=)"
            )
            warnings.warn(message, DataWarning, stacklevel=5)
        return 0.0

    def averaged(
        self, values: npt.NDArray[np.float64], weights: npt.NDArray[np.float64], *, warn: bool = False
    ) -> npt.NDArray[np.float64]:
        """Average over labels (the last axis) under the policy for undefined ones."""
        undefined = np.isnan(values) & (weights > 0)
        if undefined.any():
            values = np.where(undefined, self.stand_in(int(undefined[0].sum()), warn=warn), values)
        defined = ~np.isnan(values)
        weights = np.where(defined, weights, 0.0)
        with np.errstate(divide="ignore", invalid="ignore"):
            return np.asarray((np.where(defined, values, 0.0) * weights).sum(axis=-1) / weights.sum(axis=-1))

    def recovered(
        self,
        value: float,
        hits: npt.NDArray[Any],
        base: npt.NDArray[Any],
        weights: npt.NDArray[np.float64],
        n_rows: int,
    ) -> Estimate:
        """Recover the interval of an average from the labels' own; an undefined label's value is fixed by policy."""
        lows, highs = share_intervals(self.name, hits, base, self.level)
        values = shares(self.name, hits, base, base)[0] if self.name != "f1" else 2 * hits / np.maximum(base + hits, 1)
        defined = base > 0
        if not np.isnan(self.stand_in(0, warn=False)):
            fixed = self.stand_in(0, warn=False)
            values, lows, highs = (np.where(defined, column, fixed) for column in (values, lows, highs))
            defined = np.ones_like(defined)
        _, low, high = mover(values[defined], lows[defined], highs[defined], weights=weights[defined])
        return Estimate(
            value, n=n_rows, low=max(0.0, low), high=min(1.0, high), level=self.level, method="wilson, averaged"
        )

    def resampled(self, counts: npt.NDArray[np.int64], n_rows: int, average: Average) -> tuple[float, float, str]:
        """Bootstrap over rows: a resample of rows is a multinomial draw of the cells they fall into."""
        size = len(counts)
        rows, columns = np.nonzero(counts)
        probabilities = counts[rows, columns] / n_rows
        draw = _cell_drawer(self.random_state, n_rows, probabilities)
        in_row, in_column = np.eye(size)[rows], np.eye(size)[columns]
        on_diagonal = in_row * (rows == columns)[:, None]
        most = max(1, _CHUNK // (len(rows) + 3 * size))
        replicates = []
        for start in range(0, self.n_resamples, most):
            drawn = draw(min(most, self.n_resamples - start)).astype(np.float64)
            actual = drawn @ in_row
            values, _ = shares(self.name, drawn @ on_diagonal, actual, drawn @ in_column)
            replicates.append(self.averaged(values, np.ones_like(actual) if average == "macro" else actual))
        return percentile_interval(np.concatenate(replicates) if replicates else np.empty(0), self.level)


def _cell_drawer(random_state: Any, n_rows: int, probabilities: npt.NDArray[np.float64]) -> Callable[[int], Any]:
    """Give what draws resamples as cell counts."""
    rng = check_random_state(random_state)
    return lambda size: rng.multinomial(n_rows, probabilities, size=size)
