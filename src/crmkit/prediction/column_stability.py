"""How often each column is chosen when columns are selected inside the folds."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from sklearn.pipeline import Pipeline

from crmkit import metrics
from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.core.registry import create
from crmkit.prediction._rows import known_rows
from crmkit.prediction.columns import TableColumns

if TYPE_CHECKING:
    from crmkit.core.estimate import Estimate

__all__ = ["ColumnStability", "selection_stability"]


@dataclass(frozen=True)
class ColumnStability:
    """What ``selection_stability`` found.

    Parameters
    ----------
    stability : Estimate
        How alike the folds' choices are: 1 the same, 0 as by chance. From .75 on it is read as stable.
    table : pandas.DataFrame
        A row a column that was ever there, the most often chosen first: ``times_chosen``, ``share`` of the folds with
        ``low`` and ``high`` (Wilson; folds share training rows, so read it as a lower bound of the doubt).
    estimates : dict of str to Estimate
        The cross-validated figures of the whole, selection included.
    """

    stability: Estimate
    table: pd.DataFrame
    estimates: dict[str, Estimate]

    def __repr__(self) -> str:
        always = int((self.table["share"] == 1).sum())
        lines = [f"stability of the selection: {self.stability}", f"{always} columns are chosen in every fold"]
        return "\n".join([*lines, *(f"{name}: {figure}" for name, figure in self.estimates.items())])

    def _repr_html_(self) -> str:
        shown = self.table.reset_index()
        return html.table(list(shown.columns), shown.to_numpy().tolist(), caption=f"stability {self.stability}")


def selection_stability(
    selector: Any,
    X: Any,
    y: Any,
    *,
    model: Any = "logistic",
    evaluators: Any = "roc-auc",
    cv: Any = 10,
    groups: Any = None,
    kind: str = "classifier",
    level: float = 0.95,
    n_resamples: int = 1000,
    random_state: Any = 0,
    n_jobs: int | None = None,
    n_threads: int | None = 1,
) -> ColumnStability:
    """Choose columns anew in each fold, and say which come back.

    A model that is as good with other columns in every fold is no evidence that just these columns matter: report which
    are chosen, and how often. Tables are prepared inside the folds (``TableColumns``), so that what is chosen are their
    numbers and the levels of their categories. Costs one selection and one fit a fold.

    Parameters
    ----------
    selector : str or selector
        The name of a plugin of kind ``feature-selector``, a selector, or a pipeline that has steps with
        ``get_support``, of which the last is looked at (then ``model`` is not used).
    X : table or array, shape (n_rows, n_features)
        The rows.
    y : array-like, shape (n_rows,)
        What is to be predicted; rows where it is missing are set aside with a warning.
    model : str or estimator, default="logistic"
        What is fitted on the columns chosen.
    evaluators : evaluator, sequence of them, or mapping of str to evaluator, default="roc-auc"
        How good the whole is.
    cv : int, splitter or iterable of (train, test) positions, default=10
        The folds.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is: a customer's rows stay together.
    kind : {"classifier", "regressor"}, default="classifier"
        What the model's name means.
    level : float, default=0.95
        Nominal coverage of the intervals.
    n_resamples : int, default=1000
        Of the bootstrap, for figures that have no interval of their own.
    random_state : int, RandomState or None, default=0
        Of the folds and the bootstrap, and of selector and model where they are given by name.
    n_jobs : int or None, default=None
        How many folds at once; changes only the speed.
    n_threads : int or None, default=1
        Threads of the numerical libraries; changes only the speed.

    Returns
    -------
    ColumnStability
        ``.stability``, ``.table``, ``.estimates``.

    Raises
    ------
    DataError
        If nothing selects columns, or there is one fold only.

    References
    ----------
    Nogueira, S., Sechidis, K., & Brown, G. (2018). On the stability of feature selection algorithms. Journal of Machine
    Learning Research 18(174), 1-54.

    Examples
    --------
    >>> import numpy as np
    >>> from sklearn.feature_selection import SelectKBest
    >>> from crmkit.prediction import selection_stability
    >>> X = np.random.default_rng(0).normal(size=(300, 6))
    >>> found = selection_stability(SelectKBest(k=1), X, X[:, 2] > 0)
    >>> found.table.index[0], float(found.stability)
    ('x2', 1.0)
    """
    X, y, groups = known_rows(X, y, groups)
    pipeline = _whole(selector, model, kind, random_state, tabular=hasattr(X, "columns"))
    found = metrics.cross_validate(
        pipeline,
        X,
        y,
        evaluators=evaluators,
        cv=cv,
        groups=groups,
        level=level,
        n_resamples=n_resamples,
        random_state=random_state,
        keep_models=True,
        n_jobs=n_jobs,
        n_threads=n_threads,
    )
    chosen = [_chosen(one) for one in found.models]
    if len(chosen) < 2:
        raise DataError("one fold has nothing to be compared with: take two at least")
    # A rare level may be a column in one fold and not in another: it then was not chosen there.
    names = list(dict.fromkeys(name for one in chosen for name in one))
    masks = np.array([[one.get(name, False) for name in names] for one in chosen], dtype=bool)
    times = masks.sum(axis=0)
    low, high = metrics.wilson(times, np.full(len(times), len(masks)), level=level)
    table = pd.DataFrame(
        {"times_chosen": times, "share": times / len(masks), "low": low, "high": high},
        index=pd.Index(names, name="column"),
    ).sort_values("times_chosen", ascending=False, kind="stable")
    return ColumnStability(metrics.selection_stability(masks, level=level), table, found.estimates)


def _whole(selector: Any, model: Any, kind: str, random_state: Any, *, tabular: bool) -> Pipeline:
    """Put preparation, selection and model together."""
    if isinstance(selector, Pipeline):
        return selector
    steps = [
        ("selector", _made("feature-selector", selector, random_state)),
        ("model", _made(kind, model, random_state)),
    ]
    return Pipeline([("columns", TableColumns()), *steps] if tabular else steps)


def _made(kind: str, given: Any, random_state: Any) -> Any:
    """Create what is given by name, with the seed where it takes one."""
    if not isinstance(given, str):
        return given
    made = create(kind, given)
    takes = callable(getattr(made, "get_params", None)) and "random_state" in made.get_params(deep=False)
    return made.set_params(random_state=random_state) if takes else made


def _chosen(pipeline: Any) -> dict[str, bool]:
    """Give the columns the last selector of a fitted pipeline saw, and whether it kept them."""
    places = [place for place, (_, step) in enumerate(pipeline.steps) if callable(getattr(step, "get_support", None))]
    if not places:
        raise DataError("no step of the pipeline selects columns: none has get_support()")
    last = places[-1]
    mask = np.asarray(pipeline.steps[last][1].get_support(), dtype=bool)
    names: Any = getattr(pipeline, "feature_names_in_", None)
    if last:
        names = pipeline[:last].get_feature_names_out(names)
    elif names is None:
        names = [f"x{place}" for place in range(len(mask))]
    return dict(zip(map(str, names), mask.tolist(), strict=True))
