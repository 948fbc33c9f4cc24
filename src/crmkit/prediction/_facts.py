"""What can be seen of a table without fitting anything."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.prediction._plans import make_plan

if TYPE_CHECKING:
    import numpy.typing as npt

    from crmkit.prediction._plans import ColumnPlan

__all__ = ["FEW_ROWS", "Facts", "look"]

FEW_ROWS = 100
_RARE = 0.05
_TEXT_WORDS = 3.0
_LISTS = ("categories", "wide", "texts", "left_out", "times", "coded")


@dataclass(frozen=True)
class Facts:
    """What is to be known of the rows."""

    n_rows: int
    n_columns: int
    width: int
    n_labels: int
    rarest: float
    repeats: bool
    n_unlabelled: int
    n_missing: int = 0
    categories: tuple[str, ...] = ()
    wide: tuple[str, ...] = ()
    texts: tuple[str, ...] = ()
    left_out: tuple[str, ...] = ()
    times: tuple[str, ...] = ()
    coded: tuple[str, ...] = ()
    sparse: bool = False

    def notes(self) -> list[str]:
        """Say what holds whatever algorithm is taken."""
        found = []
        if self.n_unlabelled:
            found.append(f"{self.n_unlabelled:,} rows have no y: search and select_model set them aside")
        if self.left_out:
            found.append(f"nearly every row has its own value in {', '.join(self.left_out)}: left out by every model")
        if self.coded:
            found.append(
                f"whole numbers with few values, which may be codes: {', '.join(self.coded)}; if so, "
                "X[column].astype('category')"
            )
        if self.times:
            found.append(
                f"{', '.join(self.times)} are times: test on later rows than are trained on (preparation.TimeFolds), "
                "and make them days before a cutoff, which new rows can have too"
            )
        if self.repeats:
            found.append("customers have several rows: pass groups=, so that they stay together")
        if self.n_labels and self.rarest < _RARE:
            found.append(
                f"the rarest label is {self.rarest:.1%} of the rows: judge by roc-auc, log-loss and brier, not "
                "accuracy, and do not balance weights where probabilities are wanted"
            )
        if self.n_rows < FEW_ROWS:
            found.append(f"{self.n_rows:,} rows: whatever is chosen, its interval will be wide")
        return found


def look(X: Any, target: npt.NDArray[Any], groups: Any, kind: str, n_unlabelled: int) -> Facts:
    """Look at the rows.

    Parameters
    ----------
    X : table, array, sparse matrix or texts
        The rows whose target is known.
    target : ndarray
        What is to be predicted.
    groups : array-like or None
        Whose row it is.
    kind : {"classifier", "regressor"}
        What is predicted.
    n_unlabelled : int
        Rows that were set aside.

    Returns
    -------
    Facts
        What rules ask for.
    """
    n_rows = len(target)
    _, counts = np.unique(target.astype(str) if target.dtype == object else target, return_counts=True)
    if len(counts) < 2:
        raise DataError("y holds one value only: there is nothing to predict")
    labels = kind == "classifier"
    given: dict[str, Any] = {
        "n_rows": n_rows,
        "n_labels": len(counts) if labels else 0,
        "rarest": float(counts.min() / n_rows) if labels else 1.0,
        "repeats": groups is not None and len(pd.unique(pd.Series(groups))) < n_rows,
        "n_unlabelled": n_unlabelled,
    }
    matrix: Any = X
    if issparse(X):
        return Facts(**given, n_columns=matrix.shape[1], width=matrix.shape[1], sparse=True)
    if isinstance(X, pd.Series) or not hasattr(X, "columns"):
        array = X.to_numpy() if isinstance(X, pd.Series) else np.asarray(X)
        matrix = pd.DataFrame(array if array.ndim > 1 else {"text": array})
    frame = as_frame(matrix, what="X")
    if len(frame) != n_rows:
        raise DataError(f"X has {len(frame):,} rows, y has {n_rows:,}")
    found: dict[str, list[str]] = {name: [] for name in _LISTS}
    width = n_missing = 0
    for place in range(frame.shape[1]):
        column = frame.iloc[:, place]
        plan = make_plan(column, max_levels=50, min_rows=10)
        n_missing += plan.n_missing > 0
        where = _where(column, plan)
        if where:
            found[where].append(plan.name)
        if where == "categories" and len(plan.levels) >= 50:
            found["wide"].append(plan.name)
        if plan.kind != "category":
            width += 1 + plan.missing
        elif where == "categories":
            width += len(plan.words)
    lists: dict[str, Any] = {name: tuple(values) for name, values in found.items()}
    return Facts(**given, **lists, n_columns=frame.shape[1], width=width, n_missing=n_missing)


def _where(column: pd.Series[Any], plan: ColumnPlan) -> str:
    """Say which list a column belongs to, if any."""
    if plan.kind == "category":
        if _reads_as_text(column):
            return "texts"
        return "left_out" if plan.left_out else "categories"
    if plan.kind == "time":
        return "times"
    few = pd.api.types.is_integer_dtype(column.dtype) and 2 < column.nunique() <= 20 < len(column) / 10
    return "coded" if few else ""


def _reads_as_text(column: pd.Series[Any]) -> bool:
    """Say whether a column holds sentences: of several words, or of many Chinese characters, mostly different."""
    present = column.dropna().astype(str)
    sample = present.iloc[:: max(len(present) // 500, 1)]
    if not len(sample) or present.nunique() < 0.5 * len(present):
        return False
    words = sample.str.count(r"\s+") + 1
    # Chinese is written without spaces.
    han = sample.str.count(r"[\u4e00-\u9fff]")
    return bool(words.mean() > _TEXT_WORDS or han.mean() > 2 * _TEXT_WORDS)
