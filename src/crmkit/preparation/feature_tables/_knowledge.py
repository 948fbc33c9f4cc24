"""How much each feature alone says of the label: one that says nearly all has probably seen it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.errors import DataError
from crmkit.metrics import roc_auc

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.core.estimate import Estimate

__all__ = ["label_knowledge"]

_BINS, _FOLDS, _CLASSES, _ROWS = 20, 5, 5, 100_000


def label_knowledge(X: Any, y: Any, *, threshold: float = 0.95, level: float = 0.95) -> pd.DataFrame:
    """Measure how well each column alone tells the label, and flag those that tell it too well.

    The measure is the area under the ROC curve, whichever way round, the greatest of three: of the numbers in their
    order; of missing against known; and of the mean label of twenty equal bins (of each level, where a column holds no
    numbers), taken from other rows than those it is tested on. A label of many numbers is divided at its median, one
    of several classes into each of the five most frequent against the rest. In customer data single features seldom
    pass .85; one at .95 deserves the question how it could be known before.

    Parameters
    ----------
    X : DataFrame, shape (n_rows, n_features)
        Features.
    y : array-like, shape (n_rows,)
        The label; none missing.
    threshold : float, default=0.95
        The area from which on a column is suspect.
    level : float, default=0.95
        Nominal coverage of the intervals.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``feature``, the most telling first: ``auc`` with ``low`` and ``high``, ``n``, ``by`` (what of the
        column tells: its order, missing, levels), ``equals_label`` (there is one label for each value and one value
        for each label), ``suspect``.

    Raises
    ------
    DataError
        If the label has one value only, or lengths differ.

    Notes
    -----
    Of more than 100,000 rows, 100,000 are measured, drawn with a fixed seed.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.preparation import label_knowledge
    >>> X = pd.DataFrame({"visits": [1, 5, 2, 4], "revenue_next_month": [0, 3, 0, 9]})
    >>> label_knowledge(X, [0, 1, 0, 1])["suspect"].tolist()
    [True, True]
    """
    frame = X if isinstance(X, pd.DataFrame) else pd.DataFrame(X)
    label = pd.Series(np.asarray(y))
    if len(frame) != len(label):
        raise DataError(f"X has {len(frame):,} rows and y has {len(label):,}")
    if label.isna().any():
        raise DataError("y has missing labels: leave those rows out")
    if label.nunique() < 2:
        raise DataError("y holds one label only: nothing can tell it")
    if len(label) > _ROWS:
        drawn = np.sort(np.random.default_rng(0).choice(len(label), _ROWS, replace=False))
        frame, label = frame.iloc[drawn], label.iloc[drawn].reset_index(drop=True)
    sides = _sides(label)
    fold = np.random.default_rng(0).permutation(len(label)) % _FOLDS
    records = []
    for name in frame.columns:
        column = frame[name].reset_index(drop=True)
        estimate, by = _best(column, sides, fold, level)
        equals = _is_label(column, label)
        records.append((name, float(estimate), estimate.low, estimate.high, estimate.n, by, equals))
    columns = ["feature", "auc", "low", "high", "n", "by", "equals_label"]
    table = pd.DataFrame(records, columns=columns).set_index("feature")
    table["suspect"] = (table["auc"] >= threshold) | table["equals_label"]
    return table.sort_values("auc", ascending=False, kind="stable")


def _sides(label: pd.Series) -> list[npt.NDArray[np.int64]]:
    """Give the two-sided questions that a label asks."""
    values = label.unique()
    if len(values) == 2:
        return [np.asarray(label == sorted(values, key=str)[1], dtype=np.int64)]
    if pd.api.types.is_numeric_dtype(label.dtype):
        above = np.asarray(label > label.median(), dtype=np.int64)
        # Where more than half have the greatest value, the median is that.
        return [above if above.any() else np.asarray(label >= label.median(), dtype=np.int64)]
    frequent = label.value_counts().index[:_CLASSES]
    return [np.asarray(label == value, dtype=np.int64) for value in frequent]


def _best(
    column: pd.Series, sides: list[npt.NDArray[np.int64]], fold: npt.NDArray[np.intp], level: float
) -> tuple[Estimate, str]:
    """Give the greatest area that a column reaches, and by what."""
    missing = column.isna().to_numpy(dtype=bool)
    ways: dict[str, npt.NDArray[np.float64]] = {}
    if pd.api.types.is_numeric_dtype(column.dtype):
        values = column.to_numpy(dtype=np.float64, na_value=np.nan)
        ranks = pd.Series(values).rank().to_numpy()
        ways["order"] = np.where(missing, 0.0, np.nan_to_num(ranks))
        if missing.any():
            ways["order "] = np.where(missing, len(ranks) + 1.0, np.nan_to_num(ranks))
        codes = pd.qcut(ranks, _BINS, labels=False, duplicates="drop") if len(np.unique(ranks)) > 1 else ranks * 0
        codes = np.where(missing, -1, np.nan_to_num(codes, nan=-1)).astype(np.int64)
    else:
        codes = pd.factorize(column)[0].astype(np.int64)
    if missing.any() and not missing.all():
        ways["missing"] = missing.astype(np.float64)
    best: tuple[Estimate, str] | None = None
    for side in sides:
        told = {**ways, "levels": _told(codes, side, fold)}
        for by, score in told.items():
            found = roc_auc(side, score, level=level)
            if float(found) < 0.5 and by != "levels":
                found = roc_auc(side, -score, level=level)
            if best is None or float(found) > float(best[0]):
                best = found, by.strip()
    assert best is not None  # noqa: S101 -- every column has levels
    return best


def _told(
    codes: npt.NDArray[np.int64], side: npt.NDArray[np.int64], fold: npt.NDArray[np.intp]
) -> npt.NDArray[np.float64]:
    """Give the mean label of each row's level among the rows of other folds."""
    place = codes + 1
    size = int(place.max(initial=0)) + 1
    total, ones = np.bincount(place, minlength=size), np.bincount(place, side, minlength=size)
    result = np.empty(len(codes))
    prior = side.mean()
    for number in range(_FOLDS):
        inside = fold == number
        seen = total - np.bincount(place[inside], minlength=size)
        good = ones - np.bincount(place[inside], side[inside], minlength=size)
        mean = (good + prior) / (seen + 1)
        result[inside] = mean[place[inside]]
    return result


def _is_label(column: pd.Series, label: pd.Series) -> bool:
    """Say whether values and labels stand for each other one to one."""
    codes = pd.factorize(column, use_na_sentinel=False)[0]
    answers = pd.factorize(label)[0]
    n_codes, n_answers = int(codes.max()) + 1, int(answers.max()) + 1
    if n_codes != n_answers or (n_codes == len(label) and n_codes > 2):
        # Of two columns in which every row differs, each value stands for one label by chance.
        return n_codes == len(label) and bool(pd.api.types.is_numeric_dtype(column.dtype)) and _equal(column, label)
    return len(np.unique(codes * n_answers + answers)) == n_codes


def _equal(column: pd.Series, label: pd.Series) -> bool:
    """Say whether two columns hold the same numbers."""
    if not pd.api.types.is_numeric_dtype(label.dtype):
        return False
    return bool(np.array_equal(column.to_numpy(dtype=float, na_value=np.nan), label.to_numpy(dtype=float)))
