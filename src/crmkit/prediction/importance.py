"""Says how much a fitted model owes to each column, by shuffling it on rows the model has not seen."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from scipy.sparse import issparse
from sklearn.utils import check_random_state

from crmkit import metrics
from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.prediction._respond import labels_of, respond
from crmkit.prediction._rows import known_rows

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    import numpy.typing as npt

    from crmkit.core.estimate import Estimate

__all__ = ["permutation_importance"]


def permutation_importance(
    model: Any,
    X: Any,
    y: Any,
    *,
    evaluator: Any,
    together: Mapping[str, Sequence[Any]] | None = None,
    n_repeats: int = 5,
    groups: Any = None,
    level: float = 0.95,
    n_resamples: int = 200,
    random_state: Any = 0,
) -> pd.DataFrame:
    """Shuffle each column and give how much worse a fitted model does.

    What a column is worth to *this* model on these rows: not what it causes, and not what another model could make of
    it. Of two columns that say the same, each can stand in for the other and neither seems needed; shuffle such columns
    ``together``. Hand in the whole pipeline and the raw table, so that columns are those that people know. Costs
    ``n_repeats`` predictions of all rows a column.

    Parameters
    ----------
    model : fitted classifier or regressor
        A whole pipeline where there are steps that learn.
    X : table or array, shape (n_rows, n_columns)
        Rows the model has not seen: on those it learned from, columns it learned by heart seem needed.
    y : array-like, shape (n_rows,)
        What happened; rows where it is not known are set aside with a warning.
    evaluator : evaluator
        By what to judge; it must be known whether greater is better.
    together : mapping of str to sequence of column names, default=None
        Columns that are shuffled as one, by the name of their line.
    n_repeats : int, default=5
        How often each is shuffled.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is, where a customer has several: the interval is over customers.
    level : float, default=0.95
        Nominal coverage of the intervals.
    n_resamples : int, default=200
        Of the bootstrap over rows, each with one of the shuffles.
    random_state : int, RandomState or None, default=0
        Of shuffles and bootstrap.

    Returns
    -------
    pandas.DataFrame
        Indexed by ``column``, what is needed most first: ``importance`` (how much worse the figure is, in its units,
        positive where the column helps), ``low``, ``high``, ``spread`` (standard deviation over the shuffles), ``n``.

    Raises
    ------
    DataError
        If the evaluator's direction is unknown, columns are not there or named twice, or rows do not fit.

    References
    ----------
    Breiman, L. (2001). Random forests. Machine Learning 45, 5-32. doi:10.1023/A:1010933404324
    Fisher, A., Rudin, C., & Dominici, F. (2019). All models are wrong, but many are useful. Journal of Machine Learning
    Research 20(177), 1-81.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from sklearn.linear_model import LogisticRegression
    >>> from crmkit.prediction import permutation_importance
    >>> random = np.random.default_rng(0)
    >>> X = pd.DataFrame(random.normal(size=(600, 2)), columns=["recency_days", "noise"])
    >>> y = (X["recency_days"] + random.normal(size=600) > 0).astype(int)
    >>> model = LogisticRegression().fit(X[:300], y[:300])
    >>> table = permutation_importance(model, X[300:], y[300:], evaluator="brier")
    >>> table.index[0], bool(table["low"].iloc[0] > 0)
    ('recency_days', True)
    """
    evaluation = metrics.resolve(evaluator)
    if evaluation.greater_is_better is None:
        raise DataError(f"nobody said whether a greater {evaluation.name!r} is better: wrap it with metrics.evaluator")
    if n_repeats < 1:
        raise DataError(f"n_repeats must be at least 1, got {n_repeats}")
    X, known, groups = known_rows(X, y, groups)
    target = np.asarray(known)
    as_table = hasattr(X, "columns")
    frame = _frame(X, len(target))
    lines = _lines(frame, together or {})
    labels = labels_of(model, target)
    random = check_random_state(random_state)
    sign = 1.0 if evaluation.greater_is_better else -1.0

    def answer(given: pd.DataFrame) -> npt.NDArray[Any]:
        return respond(model, given if as_table else given.to_numpy(), evaluation, labels)

    def worse(actual: Any, base: Any, shuffled: Any) -> float:
        whole, without = (evaluation.value(actual, one, classes=labels) for one in (base, shuffled))
        return sign * (whole - without)

    base = answer(frame)
    found = {}
    for name, columns in lines.items():
        answers = [answer(_shuffled(frame, columns, random)) for _ in range(n_repeats)]
        by_shuffle = np.array([worse(target, base, one) for one in answers])
        # Each resample takes one of the shuffles, so that its interval holds the chance of both.
        drawn = metrics.bootstrap(
            _with_one_of(answers, worse, random.randint(2**31)),
            *(target, base, np.arange(len(frame))),
            groups=groups,
            level=level,
            n_resamples=n_resamples,
            random_state=random.randint(2**31),
        )
        found[name] = _line(by_shuffle, drawn)
    table = pd.DataFrame.from_dict(found, orient="index").rename_axis("column")
    return table.astype({"n": int}).sort_values("importance", ascending=False, kind="stable")


def _shuffled(frame: pd.DataFrame, columns: list[Any], random: np.random.RandomState) -> pd.DataFrame:
    """Put the rows of some columns, together, into another order."""
    order = random.permutation(len(frame))
    moved = frame.copy(deep=False)
    for column in columns:
        moved[column] = frame[column].array[order]
    return moved


def _line(by_shuffle: npt.NDArray[np.float64], drawn: Estimate) -> dict[str, float]:
    """Give the figures of one line."""
    center = float(by_shuffle.mean())
    return {
        "importance": center,
        "low": min(drawn.low, center),
        "high": max(drawn.high, center),
        "spread": float(by_shuffle.std(ddof=1)) if len(by_shuffle) > 1 else float("nan"),
        "n": drawn.n,
    }


def _frame(X: Any, n_rows: int) -> pd.DataFrame:
    """Give the rows as a table whose columns can be shuffled."""
    if issparse(X):
        raise DataError(
            "a sparse matrix cannot be shuffled by column here: hand in the whole pipeline and the raw table"
        )
    frame = as_frame(X, what="X") if hasattr(X, "columns") else pd.DataFrame(np.asarray(X))
    if len(frame) != n_rows:
        raise DataError(f"X has {len(frame):,} rows, y has {n_rows:,}")
    if not n_rows:
        raise DataError("there are no rows to shuffle")
    return frame


def _with_one_of(answers: list[npt.NDArray[Any]], worse: Any, seed: int) -> Any:
    """Give the figure of resampled rows under a shuffle that is drawn for each resample."""
    random = np.random.RandomState(seed)

    def statistic(actual: Any, base: Any, rows: npt.NDArray[np.intp]) -> float:
        return float(worse(actual, base, answers[random.randint(len(answers))][rows]))

    return statistic


def _lines(frame: pd.DataFrame, together: Mapping[str, Sequence[Any]]) -> dict[Any, list[Any]]:
    """Give the columns of each line: those named together, then every other one alone."""
    lines: dict[Any, list[Any]] = {name: list(columns) for name, columns in together.items()}
    taken = [column for columns in lines.values() for column in columns]
    absent = [str(column) for column in taken if column not in frame.columns]
    if absent:
        raise DataError(f"X has no column {', '.join(absent)}")
    if len(set(taken)) < len(taken):
        raise DataError("together names a column twice")
    for column in frame.columns:
        if column not in taken:
            if column in lines:
                raise DataError(f"together uses the name of a column that is not among them: {column}")
            lines[column] = [column]
    return lines
