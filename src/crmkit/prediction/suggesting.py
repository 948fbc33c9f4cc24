"""Which algorithms fit a table, with reasons: from its shape alone, without fitting any."""

from __future__ import annotations

import warnings
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd
from sklearn.utils.multiclass import type_of_target

from crmkit.core import html
from crmkit.core.errors import DataError
from crmkit.core.registry import available
from crmkit.prediction._facts import look
from crmkit.prediction._fitness import RULES, TEXT_RULES
from crmkit.prediction._rows import known_rows

__all__ = ["Suggestions", "suggest"]

_FORMS = {"fits": 0, "with care": 1, "does not fit": 2}


@dataclass(frozen=True)
class Suggestions:
    """What ``suggest`` found.

    Parameters
    ----------
    table : pandas.DataFrame
        A row an algorithm, those that fit first: ``fit`` ("fits", "with care", "does not fit"), ``why``, ``why_not``,
        ``seconds`` (one fit, order of magnitude on one core), ``call`` (what to type).
    notes : tuple of str
        What to mind whatever is taken.
    kind : {"classifier", "regressor"}
        What is predicted: labels or numbers.
    """

    table: pd.DataFrame
    notes: tuple[str, ...]
    kind: str

    @property
    def names(self) -> list[str]:
        """The algorithms that fit, for ``search`` and ``select_model``."""
        return [str(name) for name in self.table.index[self.table["fit"] == "fits"]]

    def __repr__(self) -> str:
        lines = [f"{name}: {row['fit']}; {row['why'] or row['why_not']}" for name, row in self.table.iterrows()]
        return "\n".join([f"{self.kind}s", *lines, *(f"note: {note}" for note in self.notes)])

    def _repr_html_(self) -> str:
        shown = self.table.reset_index()
        notes = "".join(html.element("li", html.escape(note)) for note in self.notes)
        return html.table(list(shown.columns), shown.to_numpy().tolist()) + (html.element("ul", notes) if notes else "")


def suggest(X: Any, y: Any, *, groups: Any = None, kind: str = "auto") -> Suggestions:
    """List the algorithms that fit a table, with reasons for and against.

    Looks at rows, columns, labels and their shares, missing values, types, texts, times and memory; nothing is fitted,
    and nothing is said of how accurate a model will be: ``search`` and ``select_model`` measure that. Names plugins of
    others too, of which it knows only their names. Costs one pass over each column.

    Parameters
    ----------
    X : table, array, sparse matrix or texts, shape (n_rows, n_features) or (n_rows,)
        The rows.
    y : array-like, shape (n_rows,)
        What is to be predicted; may be missing in some rows.
    groups : array-like, shape (n_rows,), default=None
        Whose row it is.
    kind : {"auto", "classifier", "regressor"}, default="auto"
        "auto": numbers where y holds fractions or more than 20 different whole numbers, labels elsewhere.

    Returns
    -------
    Suggestions
        ``.table``, ``.notes``, ``.names``.

    Raises
    ------
    DataError
        If lengths differ, y is missing everywhere, or holds one value only.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.prediction import suggest
    >>> table = pd.DataFrame({"plan": ["a", "b", "c"] * 400, "age": range(1200)})
    >>> found = suggest(table, [True, False] * 600)
    >>> found.names[:2], found.table.loc["logistic", "call"]
    (['logistic', 'boosting'], "crmkit.create('classifier', 'logistic')")
    """
    if kind not in {"auto", "classifier", "regressor"}:
        raise DataError(f"kind must be 'auto', 'classifier' or 'regressor', got {kind!r}")
    n_unlabelled = int(pd.Series(y).isna().sum()) if not isinstance(y, pd.Series) else int(y.isna().sum())
    if n_unlabelled:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            X, y, groups = known_rows(X, y, groups)
    target = np.asarray(y)
    if kind == "auto":
        form = type_of_target(target)
        many = form == "multiclass" and target.dtype.kind in "iuf" and len(np.unique(target)) > 20
        kind = "regressor" if form.startswith("continuous") or many else "classifier"
    facts = look(X, target, groups, kind, n_unlabelled)
    rows = []
    rules = RULES[kind]
    reads_text = bool(facts.texts)
    names = [name for name in available(kind) if reads_text or not str(name).startswith("text-")]
    order = {name: place for place, name in enumerate([*rules, *TEXT_RULES])}
    for name in sorted(map(str, names), key=lambda one: (order.get(one, len(order)), one)):
        rule = rules.get(name) or TEXT_RULES.get(name)
        if rule is None:
            why, why_not, form, seconds = "", "not one of crmkit's own: see crmkit.describe", "with care", float("nan")
        else:
            why, why_not, form, seconds = rule(facts)
            if facts.texts and not name.startswith("text-") and form != "does not fit":
                why_not = "; ".join(part for part in (why_not, f"does not read {', '.join(facts.texts)}") if part)
                form = "with care" if facts.n_columns > len(facts.texts) else "does not fit"
        rows.append([name, form, why, why_not, seconds, f"crmkit.create({kind!r}, {name!r})"])
    table = pd.DataFrame(rows, columns=["algorithm", "fit", "why", "why_not", "seconds", "call"]).set_index("algorithm")
    table = table.iloc[np.argsort(table["fit"].map(_FORMS), kind="stable")]
    return Suggestions(table, tuple(facts.notes()), kind)
