"""Turns a feature table into a target, and keeps what is needed to ask again."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from crmkit.core.checks import as_frame
from crmkit.core.errors import DataError
from crmkit.core.telling import passed_on
from crmkit.prediction.targets._target import Target
from crmkit.preparation import as_cutoff, calendar_days, features
from crmkit.preparation._last_day import day_after_last

if TYPE_CHECKING:
    from collections.abc import Callable

    import numpy.typing as npt

    from crmkit.preparation import FeatureTable

    Keep = Callable[[pd.DataFrame], npt.NDArray[np.bool_]]
    Tables = Callable[[Any, Any], dict[str, Any]]

__all__ = ["ask", "data_until", "with_others"]


def ask(
    question: str,
    kind: str,
    tables: Tables,
    table: Any,
    cutoffs: Any,
    *,
    others: Any,
    until: Any,
    keep: Keep | None = None,
    answer: Callable[[pd.Series], pd.Series] = lambda label: label,
    remarks: Callable[[FeatureTable], tuple[str, ...]] = lambda _: (),
    **options: Any,
) -> Target:
    """Make features of tables and keep how to make them again.

    Parameters
    ----------
    question, kind : str
        As in ``Target``.
    tables : callable
        Of the table and the others: the event tables by name, the one the label is made of first.
    table, others : table, mapping
        As given.
    cutoffs, until : object
        As given.
    keep : callable or None
        Of the features: the rows that the question is asked of.
    answer : callable
        From the label of the features to that of the target.
    remarks : callable
        Of the feature table.
    **options : object
        For ``preparation.features``.

    Returns
    -------
    Target
        The target.
    """

    def wrap(made: FeatureTable) -> Target:
        rows = np.ones(len(made.features), dtype=bool) if keep is None else keep(made.features)
        label = None if made.label is None else answer(made.label.loc[rows])
        return Target(question, kind, made.features.loc[rows], label, made.horizon, remarks(made), again)

    def again(later: Any, moments: Any, *, others: Any, labels: bool, until: Any) -> Target:
        given, moments = tables(later, others), _listed(moments)
        end = data_until(given, moments) if until is None and labels else until
        with passed_on():
            return wrap(first.apply(given, moments, labels=labels, until=end))

    given, asked_at = tables(table, others), _listed(cutoffs)
    with passed_on():
        first = features(given, asked_at, until=data_until(given, asked_at) if until is None else until, **options)
    return wrap(first)


def _listed(cutoffs: Any) -> Any:
    """Give several cutoffs as a list: they are looked at more than once, which an iterator is not good for."""
    return cutoffs if isinstance(cutoffs, str) or not hasattr(cutoffs, "__iter__") else list(cutoffs)


def with_others(name: str, table: Any, others: Any) -> dict[str, Any]:
    """Put a table in front of the others under its name.

    Parameters
    ----------
    name : str
        What the first table is called.
    table : table
        The first table.
    others : mapping of str to table or None
        The others.

    Returns
    -------
    dict of str to table
        The first one first.

    Raises
    ------
    DataError
        If the others are no mapping, or one has the same name.
    """
    if others is None:
        return {name: table}
    if not isinstance(others, dict):
        raise DataError(f"others must be a mapping of names to tables, got {type(others).__name__}")
    if name in others:
        raise DataError(f"others hold a table {name!r}, which is what the first one is called")
    return {name: table, **others}


def data_until(tables: dict[str, Any], cutoffs: Any) -> Any:
    """Give up to when events are known, exclusive: a day after the last row of any table.

    Where the answer is a rare event (a complaint, one item), its own last row says little about where the data end.

    Parameters
    ----------
    tables : dict of str to table
        Event tables.
    cutoffs : object
        Whose kind the answer has: a day where they are dates, an instant where they are times.

    Returns
    -------
    int or Timestamp
        For ``until``.
    """
    one = cutoffs if isinstance(cutoffs, str) or not hasattr(cutoffs, "__iter__") else next(iter(cutoffs), 0)
    frames = {name: as_frame(table, what=name) for name, table in tables.items()}
    filled = {name: frame for name, frame in frames.items() if len(frame)}
    if not filled:
        return None
    ends = [day_after_last(calendar_days(frame, what=name), what=name, say="until") for name, frame in filled.items()]
    if as_cutoff(one).instant is None:
        return max(ends)
    return max(frame["time"].max() for frame in filled.values() if "time" in frame.columns) + pd.Timedelta(days=1)
