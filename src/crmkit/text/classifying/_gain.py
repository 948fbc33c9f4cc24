"""What the columns beside a text add to what the text says."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
from sklearn.base import is_classifier

from crmkit.core.checks import as_frame, require_columns
from crmkit.core.errors import DataError
from crmkit.metrics.intervals import mean, share
from crmkit.text._texts import read_labels
from crmkit.text.classifying._input import COLUMNS
from crmkit.text.rejecting._folds import assign_folds
from crmkit.text.rejecting._wrapping import make_classifier

__all__ = ["gain_of_columns"]

_SILENT = "text"


def gain_of_columns(
    classifier: Any, table: Any, labels: Any, *, cv: int = 5, random_state: Any = 0, level: float = 0.95
) -> pd.DataFrame:
    """Compare the text alone, the columns beside it alone, and both, on texts that were not trained on.

    The three are tried on the same folds, so that the gain of both over the text alone is taken text by text: its
    interval is much narrower than those of the two accuracies. Where it holds 0, leave the columns out: fewer things to
    keep right. Cost: three times ``cv`` fits.

    Parameters
    ----------
    classifier : str or text classifier
        The name of a text classifier of kind ``classifier``, or one; it is cloned. Its ``columns`` are compared. It may
        stand within others, as their ``estimator`` (`CalibratedTextClassifier`, `HierarchicalTextClassifier`,
        scikit-learn's ``CalibratedClassifierCV``); of a `RejectingClassifier` "unsure" counts as wrong.
    table : table, shape (n_texts, n_columns)
        With the text and the columns.
    labels : array-like, shape (n_texts,)
        Labels.
    cv : int, default=5
        How many folds, at least two.
    random_state : int, RandomState or None, default=0
        Which text is tested when; seeds the classifier too where it has no seed.
    level : float, default=0.95
        Nominal coverage.

    Returns
    -------
    pandas.DataFrame
        Rows ``text``, ``columns`` and ``both`` (accuracy, Wilson's interval) and ``gain`` (``both`` less ``text``,
        paired t interval); columns ``value``, ``low``, ``high``, ``n``. The intervals are about new texts, given what
        was learned from these.

    Raises
    ------
    DataError
        If the table has none of the columns, or no class has two texts.
    TypeError
        If neither the classifier nor one within it takes columns, or it gives several labels a text.

    Examples
    --------
    >>> import pandas as pd
    >>> from crmkit.text import gain_of_columns
    >>> messages = pd.DataFrame({"text": ["please help"] * 20, "channel": ["phone", "chat", "chat", "phone"] * 5})
    >>> gain_of_columns("text-svm", messages, ["a", "b", "b", "a"] * 5)["value"].tolist()
    [0.5, 1.0, 1.0, 0.5]
    """
    model, prefix = _taking_columns(classifier, random_state)
    asked: dict[str, Any] = {name: model.get_params()[prefix + name] for name in ("columns", "text_column")}
    text_column = asked["text_column"]
    frame = as_frame(table, what="table").reset_index(drop=True)
    require_columns(frame, [text_column], what="table", hint="name the column with text_column=")
    columns = asked["columns"]
    if columns == "auto":
        columns = [name for name in COLUMNS if name in frame.columns]
    if not columns:
        raise DataError("there are no columns beside the text to gain from: name some with columns=")
    columns = [columns] if isinstance(columns, str) else list(columns)
    require_columns(frame, columns, what="table", hint="name others with columns=")
    actual = read_labels(labels, len(frame), what="gain_of_columns")
    folds = assign_folds(np.unique(actual, return_inverse=True)[1], cv, random_state)
    alone = frame.assign(**{text_column: _SILENT})
    trials = {"text": (frame, None), "columns": (alone, columns), "both": (frame, columns)}
    right = {name: np.zeros(len(frame), dtype=bool) for name in trials}
    for fold in np.unique(folds[folds >= 0]).tolist():
        train, test = np.flatnonzero(folds != fold), np.flatnonzero(folds == fold)
        for name, (rows, beside) in trials.items():
            fresh = make_classifier(model, None).set_params(**{f"{prefix}columns": beside})
            fitted = fresh.fit(rows.iloc[train], actual[train])
            right[name][test] = fitted.predict(rows.iloc[test]) == actual[test]
    tested = folds >= 0
    figures = {name: share(int(hits.sum()), int(tested.sum()), level=level) for name, hits in right.items()}
    difference = right["both"][tested].astype(np.float64) - right["text"][tested]
    figures["gain"] = mean(difference, level=level)
    return pd.DataFrame(
        [[float(one), one.low, one.high, one.n] for one in figures.values()],
        index=pd.Index(list(figures), name="from"),
        columns=["value", "low", "high", "n"],
    ).astype({"n": int})


def _taking_columns(classifier: Any, random_state: Any) -> tuple[Any, str]:
    """Give the classifier unfitted, and by which prefix the parameters of the one within that takes columns go."""
    model = make_classifier(classifier, None)
    inner, prefix = model, ""
    while not {"columns", "text_column"} <= set(inner.get_params(deep=False)):
        within = inner.get_params(deep=False).get("estimator")
        if within is None:
            raise TypeError(
                "gain_of_columns needs a text classifier that takes columns beside the text, or one around such a one; "
                f"got {type(model).__name__}"
            )
        prefix += "estimator__"
        inner = make_classifier(within, None)
        model.set_params(**{prefix.removesuffix("__"): inner})
    if not is_classifier(inner):
        raise TypeError(f"gain_of_columns compares one label a text; {type(inner).__name__} gives any number")
    return make_classifier(model, random_state), prefix
