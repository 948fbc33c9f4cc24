"""How well names are found in texts: strict F1 of entities, and a table of what was found and missed a label."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np
import pandas as pd
from scipy import sparse
from sklearn.utils import check_random_state

from crmkit.core.errors import DataError
from crmkit.core.estimate import Estimate
from crmkit.metrics.classification import share_intervals, shares
from crmkit.metrics.intervals import check_level, percentile_interval

if TYPE_CHECKING:
    import numpy.typing as npt

__all__ = ["entity_f1", "entity_report"]

_CHUNK = 2**21
"""How many resampled cells are held in memory at once (16 MB)."""


@dataclass(frozen=True, repr=False)
class _Spans:
    """Distinct entities as columns."""

    text: npt.NDArray[np.int64]
    start: npt.NDArray[np.int64]
    end: npt.NDArray[np.int64]
    label: npt.NDArray[np.int64]


@dataclass(frozen=True, repr=False)
class _Pair:
    """Actual and predicted entities, and where they agree."""

    n_texts: int
    labels: list[str]
    actual: _Spans
    predicted: _Spans
    found: npt.NDArray[np.bool_]
    """For each actual entity, whether it was predicted."""
    placed: npt.NDArray[np.bool_]
    """For each actual entity, whether something was predicted at its place."""

    def counts(self) -> tuple[npt.NDArray[np.int64], npt.NDArray[np.int64], npt.NDArray[np.int64]]:
        """Give hits, actual and predicted entities of each label."""
        size = len(self.labels)
        hits = np.bincount(self.actual.label[self.found], minlength=size)
        return hits, np.bincount(self.actual.label, minlength=size), np.bincount(self.predicted.label, minlength=size)


def entity_f1(
    actual: Any,
    predicted: Any,
    *,
    average: Literal["micro", "macro"] = "micro",
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
) -> Estimate:
    """Give strict F1 of entities: one counts as found where start, end and label are all right.

    Micro F1 is 2 hits / (actual + predicted) over all texts, the figure of CoNLL's and seqeval's reports; macro is the
    mean of the labels' F1. The interval is a bootstrap over texts, because the entities of one text stand or fall
    together. Where all or none are right the bootstrap has no width, and Wilson's interval of the share of hits among
    all entities, actual or predicted, is given instead.

    Parameters
    ----------
    actual, predicted : list of lists, length n_texts
        For each text its entities, each ``(start, end, label)``; matched by position. One that is repeated counts once.
    average : {"micro", "macro"}, default="micro"
        Over all entities, or the mean over labels that are actual or predicted.
    level : float, default=0.95
        Nominal coverage.
    n_resamples : int, default=1000
        Of the bootstrap. 0 gives no interval.
    random_state : int, RandomState or None, default=0
        Of the bootstrap; never changes the figure.

    Returns
    -------
    Estimate
        Between 0 and 1; ``n`` counts texts.

    Raises
    ------
    DataError
        If the lists are of unequal length, something is no entity, or there is no entity at all.

    References
    ----------
    Tjong Kim Sang, E. F., & De Meulder, F. (2003). Introduction to the CoNLL-2003 shared task. CoNLL 2003, 142-147.

    Examples
    --------
    >>> from crmkit.metrics import entity_f1
    >>> actual = [[(0, 2, "city")], [(4, 9, "product")], []]
    >>> predicted = [[(0, 2, "city")], [(4, 8, "product")], []]
    >>> entity_f1(actual, predicted).value
    0.5
    """
    check_level(level)
    if average not in {"micro", "macro"}:
        raise DataError(f"average must be 'micro' or 'macro', got {average!r}")
    pair = _read(actual, predicted)
    if not pair.labels:
        raise DataError("F1 is not defined: no text has an entity, actual or predicted")
    hits, support, chosen = pair.counts()
    value = float(_f1(hits[None], support[None], chosen[None], average)[0])
    everything, right = int(support.sum() + chosen.sum() - hits.sum()), int(hits.sum())
    if right in {0, everything} and n_resamples:
        low, high = share_intervals("f1", np.array([right]), np.array([everything]), level)
        return Estimate(value, n=pair.n_texts, low=float(low[0]), high=float(high[0]), level=level, method="wilson")
    replicates = _resampled(pair, average, n_resamples, check_random_state(random_state))
    low_end, high_end, method = percentile_interval(replicates, level)
    method = f"{method} over texts" if method else method
    return Estimate(value, n=pair.n_texts, low=low_end, high=high_end, level=level, method=method)


def entity_report(actual: Any, predicted: Any, *, level: float = 0.95) -> pd.DataFrame:
    """Give precision, recall and strict F1 of every label with their intervals, and what went wrong with the rest.

    The intervals are Wilson's, which takes the entities of a label as independent; `entity_f1` does not.

    Parameters
    ----------
    actual, predicted : list of lists, length n_texts
        As for `entity_f1`.
    level : float, default=0.95
        Nominal coverage of each interval.

    Returns
    -------
    pandas.DataFrame
        One row a label: ``precision``, ``recall`` and ``f1``, each followed by its ``_low`` and ``_high``; ``support``
        (actual entities), ``predicted`` (finds); and of the actual ones that were not found, how many were found at
        the same place under another label (``other_label``), and how many share a character with a find of their own
        label (``other_borders``). A figure that is not defined is missing.

    Raises
    ------
    DataError
        As for `entity_f1`, except that no entity at all gives a table without rows.

    Examples
    --------
    >>> from crmkit.metrics import entity_report
    >>> actual = [[(0, 2, "city")], [(4, 9, "product")], []]
    >>> predicted = [[(0, 2, "city")], [(4, 8, "product")], []]
    >>> report = entity_report(actual, predicted)
    >>> report[["precision", "recall", "support", "other_borders"]]  # doctest: +NORMALIZE_WHITESPACE
             precision  recall  support  other_borders
    label
    city           1.0     1.0        1              0
    product        0.0     0.0        1              1
    """
    check_level(level)
    pair = _read(actual, predicted)
    hits, support, chosen = pair.counts()
    columns: dict[str, Any] = {}
    for name in ("precision", "recall", "f1"):
        values, base = shares(name, hits, support, chosen)
        low, high = share_intervals(name, hits, base, level)
        columns |= {name: values, f"{name}_low": low, f"{name}_high": high}
    missed = ~pair.found
    other_label = missed & pair.placed
    other_borders = missed & _touched(pair.actual, pair.predicted, len(pair.labels))
    size = len(pair.labels)
    columns |= {
        "support": support,
        "predicted": chosen,
        "other_label": np.bincount(pair.actual.label[other_label], minlength=size),
        "other_borders": np.bincount(pair.actual.label[other_borders], minlength=size),
    }
    return pd.DataFrame(columns, index=pd.Index(pair.labels, name="label"))


def _f1(
    hits: npt.NDArray[Any], support: npt.NDArray[Any], chosen: npt.NDArray[Any], average: str
) -> npt.NDArray[np.float64]:
    """Give F1 of each row of counts, NaN where it is not defined."""
    if average == "micro":
        hits, support, chosen = (counts.sum(axis=1, keepdims=True) for counts in (hits, support, chosen))
    with np.errstate(divide="ignore", invalid="ignore"):
        values = 2.0 * hits / (support + chosen)
    defined = np.isfinite(values)
    total = np.where(defined, values, 0.0).sum(axis=1)
    with np.errstate(invalid="ignore"):
        return np.asarray(total / np.where(defined.any(axis=1), defined.sum(axis=1), np.nan), dtype=np.float64)


def _resampled(pair: _Pair, average: str, n_resamples: int, rng: Any) -> npt.NDArray[np.float64]:
    """Give F1 on texts drawn with replacement."""
    size = len(pair.labels)
    parts = []
    for spans, kept in (
        (pair.actual, pair.found),
        (pair.actual, np.ones(len(pair.actual.text), dtype=bool)),
        (pair.predicted, np.ones(len(pair.predicted.text), dtype=bool)),
    ):
        cells = spans.text[kept], spans.label[kept]
        parts.append(sparse.coo_matrix((np.ones(len(cells[0])), cells), shape=(pair.n_texts, size)).tocsr())
    counts = sparse.hstack(parts, format="csr")
    most = max(1, _CHUNK // pair.n_texts)
    found = [np.empty(0)]
    for done in range(0, n_resamples, most):
        rows = min(most, n_resamples - done)
        drawn = rng.randint(pair.n_texts, size=(rows, pair.n_texts)) + pair.n_texts * np.arange(rows)[:, None]
        times = np.bincount(drawn.ravel(), minlength=rows * pair.n_texts).reshape(rows, pair.n_texts)
        sums = np.asarray(times.astype(np.float64) @ counts)
        found.append(_f1(sums[:, :size], sums[:, size : 2 * size], sums[:, 2 * size :], average))
    return np.concatenate(found)


def _read(actual: Any, predicted: Any) -> _Pair:
    """Bring both sides to columns under one list of labels."""
    rows = {"actual": _rows(actual, "actual"), "predicted": _rows(predicted, "predicted")}
    lengths = {name: len(lists) for name, lists in rows.items()}
    if lengths["actual"] != lengths["predicted"]:
        listed = " and ".join(f"{name} has {length}" for name, length in lengths.items())
        raise DataError(f"there must be one list of entities for each text on both sides: {listed}")
    if not lengths["actual"]:
        raise DataError("a figure of no texts is not defined")
    labels = sorted({entity[2] for lists in rows.values() for entities in lists for entity in entities})
    numbers = {label: place for place, label in enumerate(labels)}
    true, given = rows["actual"], rows["predicted"]
    found = [span in given[text] for text, spans in enumerate(true) for span in sorted(spans)]
    places = [{span[:2] for span in spans} for spans in given]
    placed = [span[:2] in places[text] for text, spans in enumerate(true) for span in sorted(spans)]
    return _Pair(
        lengths["actual"],
        labels,
        _columns(true, numbers),
        _columns(given, numbers),
        np.array(found, dtype=bool),
        np.array(placed, dtype=bool),
    )


def _rows(lists: Any, what: str) -> list[set[tuple[int, int, str]]]:
    """Check one side: for each text a set of entities."""
    if isinstance(lists, str | bytes | dict) or not hasattr(lists, "__len__"):
        raise DataError(f"{what} must be one list of (start, end, label) a text, got {type(lists).__name__}")
    found = []
    for position, entities in enumerate(lists):
        try:
            spans = {(int(entity[0]), int(entity[1]), entity[2]) for entity in entities}
        except (TypeError, ValueError, IndexError):
            raise DataError(f"{what}: something of text {position} is not (start, end, label)") from None
        if not all(isinstance(span[2], str) and 0 <= span[0] < span[1] for span in spans):
            raise DataError(
                f"{what}: text {position} has an entity without 0 <= start < end, or whose label is no text"
            )
        found.append(spans)
    return found


def _columns(lists: list[set[tuple[int, int, str]]], numbers: dict[str, int]) -> _Spans:
    """Bring one side to columns, sorted."""
    flat = [(text, *span[:2], numbers[span[2]]) for text, spans in enumerate(lists) for span in sorted(spans)]
    return _Spans(*np.array(flat, dtype=np.int64).reshape(-1, 4).T)


def _touched(these: _Spans, others: _Spans, n_labels: int) -> npt.NDArray[np.bool_]:
    """Say of each entity whether it shares a character with one of the others of its label."""
    # Within a text and label, those that begin before it ends less those that end before it begins share something.
    size = int(max(these.end.max(initial=0), others.end.max(initial=0))) + 1
    here = (these.text * n_labels + these.label) * size
    there = (others.text * n_labels + others.label) * size
    begun = np.searchsorted(np.sort(there + others.start), here + these.end, side="left")
    ended = np.searchsorted(np.sort(there + others.end), here + these.start, side="right")
    return np.asarray(begun > ended)
