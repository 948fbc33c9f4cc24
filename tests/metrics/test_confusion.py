from __future__ import annotations

import itertools

import numpy as np
import pandas as pd
import pytest
from sklearn import metrics as peer

from crmkit import DataError, metrics

ACTUAL, PREDICTED = [1, 1, 1, 0, 0], [1, 0, 0, 0, 1]


def test_both_sides_are_named():
    table = metrics.confusion(ACTUAL, PREDICTED)
    assert table.index.name == "actual"
    assert table.columns.name == "predicted"
    assert table.sum().sum() == 5


@pytest.mark.parametrize("labels", [None, [0, 1], [1, 0], [1, 2, 0]])
def test_counts_are_right_in_any_order_of_labels(labels):
    table = metrics.confusion(ACTUAL, PREDICTED, labels=labels)
    assert [table.loc[1, 1], table.loc[1, 0], table.loc[0, 1], table.loc[0, 0]] == [1, 2, 1, 1]
    assert list(table.index) == (labels or [0, 1])


def test_every_order_of_text_labels_counts_the_same():
    rng = np.random.default_rng(0)
    actual, predicted = rng.choice(["退款", "b", "a"], 50), rng.choice(["退款", "b", "a"], 50)
    expected = pd.crosstab(pd.Series(actual), pd.Series(predicted))
    for labels in itertools.permutations(["退款", "b", "a"]):
        table = metrics.confusion(actual, predicted, labels=labels)
        assert all(table.loc[a, p] == expected.loc[a, p] for a in labels for p in labels)


def test_labels_of_kinds_that_cannot_be_compared_are_listed_all_the_same():
    table = metrics.confusion(np.array(["a", 1], dtype=object), np.array([1, 1], dtype=object))
    assert table.loc["a", 1] == 1
    assert list(table.index) == [1, "a"]


def test_shares_of_rows_columns_and_all():
    by_actual = metrics.confusion(ACTUAL, PREDICTED, normalize="actual")
    by_predicted = metrics.confusion(ACTUAL, PREDICTED, normalize="predicted")
    by_all = metrics.confusion(ACTUAL, PREDICTED, normalize="all")
    assert by_actual.loc[1, 1] == metrics.recall(ACTUAL, PREDICTED, average="binary")
    assert by_predicted.loc[1, 1] == metrics.precision(ACTUAL, PREDICTED, average="binary")
    assert by_all.to_numpy().sum() == pytest.approx(1)


def test_shares_of_a_label_that_never_occurs_are_missing_not_zero():
    table = metrics.confusion(["a"], ["b"], normalize="actual")
    assert table.loc["b"].isna().all()
    assert metrics.confusion(["a"], ["b"], normalize="predicted")["a"].isna().all()


def test_unknown_ways_to_normalize_are_refused():
    with pytest.raises(DataError, match="normalize must be"):
        metrics.confusion(ACTUAL, PREDICTED, normalize="true")


def test_report_agrees_with_scikit_learn():
    rng = np.random.default_rng(1)
    actual, predicted = rng.choice(list("abcd"), 200), rng.choice(list("abcd"), 200)
    report = metrics.class_report(actual, predicted)
    expected = peer.precision_recall_fscore_support(actual, predicted)
    for column, values in zip(["precision", "recall", "f1", "support"], expected, strict=True):
        assert report[column].to_numpy() == pytest.approx(values)
    for name in ("precision", "recall", "f1"):
        assert (report[f"{name}_low"] < report[name]).all()
        assert (report[name] < report[f"{name}_high"]).all()
    assert report["predicted"].sum() == 200


def test_report_agrees_with_the_single_figures():
    report = metrics.class_report(ACTUAL, PREDICTED)
    for name in ("precision", "recall", "f1"):
        one = getattr(metrics, name)(ACTUAL, PREDICTED, average="binary", positive=1)
        assert report.loc[1, [name, f"{name}_low", f"{name}_high"]].tolist() == [one, one.low, one.high]


def test_undefined_figures_are_missing_not_zero():
    report = metrics.class_report(["a", "b"], ["a", "a"])
    assert np.isnan(report.loc["b", "precision"])
    assert np.isnan(report.loc["b", "precision_low"])
    assert report.loc["b", "recall"] == 0
