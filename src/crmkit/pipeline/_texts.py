"""The step that learns classes from labelled messages, judges itself, and classifies the others."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from crmkit import metrics
from crmkit.core.checks import as_texts, require_columns
from crmkit.core.errors import DataError
from crmkit.core.predicate import parse
from crmkit.core.registry import create

if TYPE_CHECKING:
    import numpy.typing as npt
    import pandas as pd

    from crmkit.pipeline._result import RunResult
    from crmkit.pipeline._schema import Config, TextTable

__all__ = ["run_text"]


def run_text(config: Config, result: RunResult) -> None:
    """Train, evaluate on messages kept apart, and write the class of every other message into its table."""
    step = config.text
    assert step is not None  # noqa: S101 -- the runner calls a step only where it is configured
    table = result.tables[step.labelled]
    require_columns(table, [step.text, step.label], what=step.labelled)
    wanted = _wanted(step, table)
    has_label = table[step.label].notna().to_numpy(dtype=bool) & wanted
    if not has_label.any():
        raise DataError(f"{step.labelled} has no message with a {step.label}")
    train, test = _split(step, result, table, has_label, config.seed)
    classifier = create("classifier", step.classifier, **_seeded(step, config.seed))
    classifier.fit(as_texts(train[step.text]), train[step.label].astype(str).to_numpy(dtype=object))
    actual = test[step.label].astype(str).to_numpy(dtype=object)
    predicted = classifier.predict(as_texts(test[step.text]))
    result.classifier = classifier
    result.metrics["accuracy of the classes"] = metrics.accuracy(actual, predicted)
    result.metrics["macro F1 of the classes"] = metrics.f1(actual, predicted, average="macro")
    result.class_report = metrics.class_report(actual, predicted)
    _classify(step, result, classifier, has_label)


def _wanted(step: TextTable, table: pd.DataFrame) -> npt.NDArray[np.bool_]:
    """Say which messages the step is about."""
    if step.where is None:
        return np.ones(len(table), dtype=bool)
    return np.asarray(parse(step.where).evaluate(table).values, dtype=bool)


def _split(
    step: TextTable, result: RunResult, table: pd.DataFrame, has_label: npt.NDArray[np.bool_], seed: int
) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Give the messages to learn from and those kept for the evaluation alone."""
    labelled = table.loc[has_label]
    if step.test is not None:
        test = result.tables[step.test]
        require_columns(test, [step.text, step.label], what=step.test)
        return labelled, test.loc[test[step.label].notna()]
    from sklearn.model_selection import train_test_split

    counts = labelled[step.label].value_counts()
    if int(counts.min()) < 2 or len(counts) < 2:
        raise DataError(
            f"{step.labelled}: an evaluation needs at least two classes with two messages each; the smallest of "
            f"{len(counts)} has {int(counts.min())}"
        )
    parts: Any = train_test_split(labelled, test_size=step.test_share, random_state=seed, stratify=labelled[step.label])
    return parts[0], parts[1]


def _seeded(step: TextTable, seed: int) -> dict[str, Any]:
    """Give the classifier's parameters, with the run's seed where it takes one and none is given."""
    import inspect

    from crmkit.core.registry import load_target, spec_of

    takes = inspect.signature(load_target(spec_of("classifier", step.classifier))).parameters
    return {"random_state": seed, **step.params} if "random_state" in takes else dict(step.params)


def _classify(step: TextTable, result: RunResult, classifier: Any, has_label: npt.NDArray[np.bool_]) -> None:
    """Write the class, and how sure the classifier is, beside each message that has no label of its own."""
    name = step.classify if step.classify is not None else step.labelled
    table = result.tables[name].copy()
    require_columns(table, [step.text], what=name)
    rows = _wanted(step, table)
    if name == step.labelled:
        rows &= ~has_label
    texts = as_texts(table.loc[rows, step.text])
    classes = (
        table[step.into].astype(object).to_numpy(copy=True) if step.into in table else np.full(len(table), None, object)
    )
    score = np.full(len(table), np.nan)
    if len(texts):
        classes[rows] = classifier.predict(texts)
        score[rows] = _sureness(classifier, texts)
    table[step.into] = classes
    table["score"] = score
    result.tables[name] = table


def _sureness(classifier: Any, texts: npt.NDArray[np.object_]) -> npt.NDArray[np.float64]:
    """Give the probability of the class that won, or its margin where the classifier has no probabilities."""
    answer = getattr(classifier, "predict_proba", None) or classifier.decision_function
    scores = np.asarray(answer(texts), dtype=np.float64)
    return np.abs(scores) if scores.ndim == 1 else scores.max(axis=1)
