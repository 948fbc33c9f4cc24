"""Natural breaks of one column of numbers: the classes with the least variance inside them, exactly."""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit.core.checks import positions
from crmkit.core.errors import DataError

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["JenksBreaks", "jenks_breaks", "natural_classes"]

# So many candidates at once stay in the processor's cache; more would only be slower.
CHUNK = 1 << 17


@dataclass(frozen=True, eq=False)
class JenksBreaks:
    """Classes of one column, each as even inside as they can be.

    Parameters
    ----------
    breaks : ndarray of shape (n_classes - 1,)
        The largest value of each class but the last: a value belongs to the class of the first break that is not below
        it. As ``cuts`` they go into ``RfmScores(scoring="fixed")``.
    bounds : ndarray of shape (n_classes + 1,)
        The least value, then the largest value of each class.
    counts : ndarray of shape (n_classes,)
        Values in each class; their weights together where weights were given.
    means : ndarray of shape (n_classes,)
        The mean of each class.
    goodness_of_fit : float
        Goodness of variance fit: the share of the squared deviations that lies between classes, 0 to 1. NaN where all
        values are equal, because there is nothing to be explained.
    """

    breaks: npt.NDArray[np.float64]
    bounds: npt.NDArray[np.float64]
    counts: npt.NDArray[np.float64]
    means: npt.NDArray[np.float64]
    goodness_of_fit: float

    def classify(self, values: Any) -> npt.NDArray[np.int64]:
        """Give the class of any values.

        Parameters
        ----------
        values : array-like of shape (n_values,)
            Those beyond the bounds belong to the first or the last class.

        Returns
        -------
        ndarray of shape (n_values,)
            From 0.
        """
        return np.searchsorted(self.breaks, np.asarray(values, dtype=np.float64)).astype(np.int64)

    def __str__(self) -> str:
        lines = [f"{len(self.counts)} classes, goodness of variance fit {self.goodness_of_fit:.4f}"]
        words = ["from", *["above"] * (len(self.counts) - 1)]
        lines += [
            f"  {word} {low:,.10g} to {high:,.10g}: {count:,.10g}"
            for word, low, high, count in zip(words, self.bounds, self.bounds[1:], self.counts, strict=False)
        ]
        return "\n".join(lines)


def jenks_breaks(values: Any, n_classes: int, *, sample_weight: Any = None) -> JenksBreaks:
    """Find the natural breaks: the classes of neighboring values with the least squared deviations inside them.

    This is the optimum over all ways to cut the sorted values, not an approximation: a dynamic program over the
    distinct values, in which the best cut never moves back as values are added, so that each step looks at few cuts.
    Equal values are in one class whatever their number. A class is where values lie close together, not an equal share
    of them: with a long tail, a few values far out are classes of their own, and most values share the first.

    Cost: time n_classes * n * log(n) in arrays for n distinct values (a million of them in five classes in some
    seconds), memory about 100 bytes a value.

    Parameters
    ----------
    values : array-like of shape (n_values,)
        Finite numbers in any order.
    n_classes : int
        How many classes, from 1 to the number of distinct values.
    sample_weight : array-like of shape (n_values,) or None, default=None
        How often each value counts: finite, not negative, some positive. Values without weight are left out.

    Returns
    -------
    JenksBreaks
        Breaks, bounds, counts, means and the goodness of fit.

    Raises
    ------
    DataError
        If a value or weight cannot be used (with positions), or there are fewer distinct values than classes.
    ValueError
        If ``n_classes`` is no whole number of at least 1.

    Notes
    -----
    Of several optima the one with the lower cuts is given. Sums are float64: beside values that lie more than ten
    million times as far out on both sides, classes near the median are no longer told apart exactly (a far value on
    one side does no harm).

    References
    ----------
    Fisher, W. D. (1958). On grouping for maximum homogeneity. doi:10.1080/01621459.1958.10501479.
    Jenks, G. F. (1967). The data model concept in statistical mapping. International Yearbook of Cartography 7.
    Wang, H., & Song, M. (2011). Ckmeans.1d.dp: optimal k-means clustering in one dimension. doi:10.32614/RJ-2011-015.

    Examples
    --------
    >>> from crmkit.segmentation import jenks_breaks
    >>> found = jenks_breaks([4, 5, 9, 10], 2)
    >>> found.breaks.tolist(), round(found.goodness_of_fit, 2)
    ([5.0], 0.96)
    >>> found.classify([1, 6]).tolist()
    [0, 1]
    """
    if isinstance(n_classes, bool) or not isinstance(n_classes, int | np.integer) or n_classes < 1:
        raise ValueError(f"n_classes must be a whole number of at least 1, got {n_classes!r}")
    distinct, weight = _distinct(values, sample_weight)
    if n_classes > len(distinct):
        raise DataError(f"n_classes={n_classes}, but there are only {len(distinct)} distinct values: ask for fewer")
    ends = natural_classes(distinct, weight, int(n_classes))
    starts = np.concatenate([[0], ends[:-1]])
    counts = np.add.reduceat(weight, starts)
    unit = _unit(distinct)
    scaled = distinct / unit
    means = np.add.reduceat(scaled * weight, starts) / counts
    within = (weight * (scaled - np.repeat(means, ends - starts)) ** 2).sum()
    total = (weight * (scaled - (weight @ scaled) / weight.sum()) ** 2).sum()
    return JenksBreaks(
        breaks=distinct[ends[:-1] - 1],
        bounds=distinct[np.concatenate([[0], ends - 1])],
        counts=counts,
        means=means * unit,
        goodness_of_fit=float(1 - within / total) if len(distinct) > 1 else float("nan"),
    )


def _distinct(values: Any, sample_weight: Any) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.float64]]:
    """Give the distinct values in order and their weights."""
    numbers = np.asarray(values, dtype=np.float64)
    if numbers.ndim != 1 or not len(numbers):
        raise DataError(f"values must be one column of at least one number, got shape {numbers.shape}")
    weights = np.ones(len(numbers)) if sample_weight is None else np.asarray(sample_weight, dtype=np.float64)
    if weights.shape != numbers.shape:
        raise DataError(f"sample_weight must have one weight a value, got shape {weights.shape} for {numbers.shape}")
    problems = []
    for name, column in (("values", numbers), ("sample_weight", weights)):
        if not np.isfinite(column).all():
            problems.append(f"{name} missing or infinite in {positions(~np.isfinite(column))}")
    if (weights < 0).any():
        problems.append(f"sample_weight negative in {positions(weights < 0)}")
    if problems:
        raise DataError("; ".join(problems))
    if not weights.any():
        raise DataError("sample_weight is zero everywhere: there is nothing to class")
    # Minus zero is zero: they are equal, and belong together.
    distinct, place = np.unique(numbers[weights > 0] + 0.0, return_inverse=True)
    together: npt.NDArray[np.float64] = np.bincount(place, weights=weights[weights > 0]).astype(np.float64)
    return distinct, together


def natural_classes(
    distinct: npt.NDArray[np.float64], weight: npt.NDArray[np.float64], n_classes: int
) -> npt.NDArray[np.int64]:
    """Give the place after the last value of each class.

    Parameters
    ----------
    distinct : ndarray of shape (n_values,)
        Rising, finite.
    weight : ndarray of shape (n_values,)
        Positive.
    n_classes : int
        From 1 to n_values.

    Returns
    -------
    ndarray of shape (n_classes,)
        Rising; the last is n_values.
    """
    count = len(distinct)
    if n_classes == 1:
        return np.array([count])
    if n_classes == count:
        return np.arange(1, count + 1)
    scaled = distinct / _unit(distinct)
    shifted = scaled - scaled[np.searchsorted(np.cumsum(weight), weight.sum() / 2)]
    # Sums run from below, so the far end comes last: what is added late cannot blur what was told apart before.
    flipped = bool(-shifted[0] > shifted[-1])
    if flipped:
        shifted, weight = -shifted[::-1], weight[::-1]
    sums = _Sums(
        np.concatenate([[0.0], np.cumsum(shifted * weight)]), np.concatenate([[0.0], np.cumsum(weight)]), weight.min()
    )
    # Least within is most between: the sums of squares drop out, and with them most of the rounding.
    between = np.append(-np.inf, sums.moment[1:] ** 2 / sums.mass[1:])
    floor = np.zeros(count + 1, dtype=np.int64)
    layers = []
    for classes in range(2, n_classes):
        between, floor = _layer(between, sums, classes, floor)
        layers.append(floor)
    starts = np.arange(max(n_classes - 1, int(floor[count])), count)
    ends = [count, int(starts[np.argmax(between[starts] + sums.gain(starts, count))])]
    for layer in reversed(layers):
        ends.append(int(layer[ends[-1]]))
    # Seen from the other end, a class ends where its neighbor began.
    return np.array([count - end for end in [*ends[1:], 0]] if flipped else ends[::-1], dtype=np.int64)


def _unit(distinct: npt.NDArray[np.float64]) -> float:
    """Give a power of two of the size of the largest value: dividing by it changes no digit and bars overflow."""
    return float(np.ldexp(1.0, int(np.frexp(np.abs(distinct).max())[1]) - 1))


@dataclass(frozen=True)
class _Sums:
    """Sums of value times weight and of weight over the first values, from none to all of them."""

    moment: npt.NDArray[np.float64]
    mass: npt.NDArray[np.float64]
    least: float

    def gain(self, start: npt.NDArray[np.int64], end: Any) -> npt.NDArray[np.float64]:
        """Give what classes from one place to before another add to the squared deviations between classes."""
        moment = self.moment[end] - self.moment[start]
        # A difference of large sums may round to no mass at all, which no class has.
        gained: npt.NDArray[np.float64] = moment * moment / np.maximum(self.mass[end] - self.mass[start], self.least)
        return gained


def _layer(
    between: npt.NDArray[np.float64], sums: _Sums, classes: int, floor: npt.NDArray[np.int64]
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Give for the first so many values, in one class more, the best sum between and where the last class starts.

    The best start never falls as values are added, nor as classes are: every second place left open is solved between
    the starts of its two neighbors, so that all places of one round look at each start about once.

    Parameters
    ----------
    between : ndarray of shape (n_values + 1,)
        The best sums in one class less.
    sums : _Sums
        Of the values.
    classes : int
        How many classes now.
    floor : ndarray of shape (n_values + 1,)
        Where the last class starts in one class less.

    Returns
    -------
    tuple of ndarray
        Best sums and starts, by number of values.
    """
    count = len(between) - 1
    best = np.full(count + 1, -np.inf)
    cut = np.full(count + 1, classes - 1, dtype=np.int64)
    step = 1 << (count - classes + 1).bit_length()
    while step:
        ends = np.arange(classes - 1 + step, count + 1, 2 * step)
        low = np.maximum(cut[ends - step], floor[ends])
        right = ends + step
        high = np.where(right <= count, cut[np.minimum(right, count)], ends - 1)
        high = np.minimum(high, ends - 1)
        low = np.minimum(low, high)
        length = high - low + 1
        chunk = np.cumsum(length) // CHUNK
        borders = [0, *(np.flatnonzero(np.diff(chunk)) + 1).tolist(), len(ends)] if len(ends) else []
        for first, last in pairwise(borders):
            part = slice(first, last)
            best[ends[part]], cut[ends[part]] = _best_starts(between, sums, ends[part], low[part], length[part])
        step //= 2
    return best, cut


def _best_starts(
    between: npt.NDArray[np.float64],
    sums: _Sums,
    ends: npt.NDArray[np.int64],
    low: npt.NDArray[np.int64],
    length: npt.NDArray[np.int64],
) -> tuple[npt.NDArray[np.float64], npt.NDArray[np.int64]]:
    """Give the best sum for each end and the lowest start that gives it, out of a range of starts each."""
    offset = np.cumsum(length) - length
    start = np.arange(int(length.sum())) + np.repeat(low - offset, length)
    value = between[start] + sums.gain(start, np.repeat(ends, length))
    best = np.maximum.reduceat(value, offset)
    hits = np.flatnonzero(value == np.repeat(best, length))
    return best, start[hits[np.searchsorted(hits, offset)]]
