"""Says what has changed between the rows a model learned from and those it is asked about now."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit import metrics
from crmkit.core import html
from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.core.registry import create
from crmkit.metrics.intervals import check_level

if TYPE_CHECKING:
    from collections.abc import Sequence

    from crmkit.core.estimate import Estimate

__all__ = ["Drift", "drift"]

SCORE = "score"


@dataclass(frozen=True)
class Drift:
    """How the columns and the score of a model have moved.

    Parameters
    ----------
    table : pandas.DataFrame
        Indexed by ``column``, the most moved first, the score among them as ``score``: ``psi`` with ``low`` and
        ``high``, ``p_value``, ``p_adjusted`` (Holm, over all lines), ``alarm``, ``missing_before``, ``missing_now`` and
        ``new`` (the share of rows now with a value that was never seen before; NaN for numbers with many values).
    false_alarm : float
        The chance that any line is an alarm though nothing has changed.
    told_apart : Estimate or None
        How well a model tells rows of then from rows of now, as an area under the ROC curve: .5 is not at all. It sees
        changes of columns together that no column shows by itself. None where it was not asked for.
    """

    table: pd.DataFrame
    false_alarm: float
    told_apart: Estimate | None

    @property
    def alarms(self) -> list[str]:
        """The columns that have moved more than chance moves them."""
        return [str(name) for name in self.table.index[self.table["alarm"].to_numpy(dtype=bool)]]

    def __repr__(self) -> str:
        lines = [f"{len(self.alarms)} of {len(self.table)} have moved (false alarm {self.false_alarm:.0%} over all)"]
        if self.told_apart is not None:
            lines.append(f"then and now told apart: {self.told_apart!r}")
        return "\n".join([*lines, self.table.to_string(float_format="%.4g")])

    def _repr_html_(self) -> str:
        shown = self.table.reset_index()
        return html.table(list(shown.columns), shown.to_numpy().tolist(), caption=repr(self).partition("\n")[0])


def drift(
    before: Any,
    now: Any,
    *,
    score: tuple[Any, Any] | None = None,
    columns: Sequence[str] | None = None,
    notable: float = 0.0,
    told_apart: Any = None,
    false_alarm: float = 0.05,
    level: float = 0.95,
    random_state: Any = 0,
) -> Drift:
    """Compare the columns (and the score) of the rows a model learned from with those of now.

    Each column is compared by the population stability index: numbers in bins frozen on ``before``, anything else by
    value, missing as a bin of its own. An index is large by chance where there are few rows, so an alarm is raised by
    its p-value, adjusted (Holm) so that any false alarm at all comes with the chance ``false_alarm``; ``notable`` asks
    for a least size beside it, since with many rows a change can be certain and of no account. A column that drifts is
    no proof that the model is worse: that takes outcomes (see ``challenge``). Costs one sort a column.

    Parameters
    ----------
    before, now : table
        The rows learned from, and the new ones, with the same columns.
    score : pair of array-like of float, default=None
        The model's scores of both, where those are watched too. Scores of rows it has learned from are not like those
        of new rows: hand in out-of-fold scores, or those of the test rows.
    columns : sequence of str, default=None
        Which to compare; None for all of ``before``.
    notable : float, default=0.0
        The least index for an alarm; .1 is the usual reading of a small change.
    told_apart : classifier or str, default=None
        A classifier, or the name of one, that tries to tell both tables apart, cross-validated: ``"boosting"``.
    false_alarm : float, default=0.05
        Of all lines together.
    level : float, default=0.95
        Nominal coverage of the intervals.
    random_state : int, RandomState or None, default=0
        Of shuffling, where a bin is small, and of folds.

    Returns
    -------
    Drift
        ``.table``, ``.alarms``, ``.told_apart``.

    Raises
    ------
    DataError
        If a table is empty, columns are missing, or a column holds numbers in one table and not in the other.

    Examples
    --------
    >>> import numpy as np, pandas as pd
    >>> from crmkit.prediction import drift
    >>> random = np.random.default_rng(0)
    >>> before = pd.DataFrame({"age": random.normal(40, 10, 3000), "channel": random.choice(["app", "shop"], 3000)})
    >>> now = pd.DataFrame({"age": random.normal(44, 10, 1000), "channel": random.choice(["app", "shop"], 1000)})
    >>> drift(before, now).alarms
    ['age']
    """
    check_level(level)
    if not 0 < false_alarm < 1:
        raise DataError(f"false_alarm must lie between 0 and 1, got {false_alarm!r}")
    first, second = as_frame(before, what="before"), as_frame(now, what="now")
    if first.empty or second.empty:
        raise DataError(f"{'before' if first.empty else 'now'} holds no rows or columns: there is nothing to compare")
    names = list(first.columns) if columns is None else list(columns)
    for what, frame in (("before", first), ("now", second)):
        absent = [str(name) for name in names if name not in frame.columns]
        if absent:
            raise DataError(f"{what} has no column {', '.join(absent)}")
    pairs = {name: (first[name], second[name]) for name in names}
    if score is not None:
        if SCORE in pairs:
            raise DataError(f"a column is called {SCORE!r} as the line of the score is: rename it")
        pairs[SCORE] = (_scores(score[0], "before"), _scores(score[1], "now"))
    lines = {name: _line(name, *pair, level=level, random_state=random_state) for name, pair in pairs.items()}
    table = pd.DataFrame.from_dict(lines, orient="index").rename_axis("column")
    table["p_adjusted"] = metrics.holm(table["p_value"].to_numpy(dtype=np.float64))
    table["alarm"] = (table["p_adjusted"] < false_alarm) & (table["psi"] >= notable)
    order = ["psi", "low", "high", "p_value", "p_adjusted", "alarm", "missing_before", "missing_now", "new"]
    apart = None
    if told_apart is not None:
        both = pd.concat([first[names], second[names]], ignore_index=True)
        side = np.repeat([0, 1], [len(first), len(second)])
        model = _classifier(told_apart)
        apart = metrics.cross_validate(model, both, side, evaluators="roc-auc", level=level, random_state=random_state)[
            "roc-auc"
        ]
    return Drift(table[order].sort_values("psi", ascending=False, kind="stable"), false_alarm, apart)


def _scores(given: Any, what: str) -> pd.Series[Any]:
    """Give a column of scores, whatever its index."""
    column = np.asarray(given)
    if column.ndim != 1 or not len(column):
        raise DataError(f"the score {what} must be one column of numbers, got the shape {column.shape}")
    return pd.Series(column)


def _line(
    name: str, before: pd.Series[Any], now: pd.Series[Any], *, level: float, random_state: Any
) -> dict[str, float]:
    """Compare one column."""
    try:
        index = metrics.psi(_plain(before), _plain(now), level=level, random_state=random_state)
    except DataError as problem:
        raise DataError(f"column {name}: {problem}") from problem
    return {
        "psi": float(index),
        "low": index.low,
        "high": index.high,
        "p_value": index.p_value,
        "missing_before": float(before.isna().mean()),
        "missing_now": float(now.isna().mean()),
        "new": _never_seen(before, now),
    }


def _plain(column: pd.Series[Any]) -> pd.Series[Any]:
    """Give times and durations as numbers of days, since they have no values in common."""
    if pd.api.types.is_timedelta64_dtype(column.dtype):
        return pd.Series(column.dt.total_seconds() / 86_400)
    if pd.api.types.is_datetime64_any_dtype(column.dtype):
        moment = column.dt.tz_convert("UTC").dt.tz_localize(None) if column.dt.tz is not None else column
        return (moment - pd.Timestamp(0)) / pd.Timedelta(days=1)
    return column


def _never_seen(before: pd.Series[Any], now: pd.Series[Any]) -> float:
    """Give the share of rows whose value was never seen before, of columns that are no numbers."""
    known = now.notna()
    plain = pd.api.types.is_numeric_dtype(now.dtype) and not pd.api.types.is_bool_dtype(now.dtype)
    if plain or now.dtype.kind in "mM" or isinstance(now.dtype, pd.DatetimeTZDtype) or not known.any():
        return float("nan")
    return float((known & ~now.isin(before.dropna().unique())).mean())


def _classifier(model: Any) -> Any:
    """Create a classifier that is given by name."""
    return create("classifier", model) if isinstance(model, str) else model
